"""What frequentation_prevision does with good and bad counts. Series are simulated (``simulated.py``)."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bocage.contract.errors import InvalidParams, NotEnoughData
from bocage.contract.outcome import Outcome, Recommendation
from bocage.contract.usecase import Resources
from bocage.usecases.frequentation_prevision.engine import FrequentationPrevision, FrequentationPrevisionParams
from bocage.usecases.frequentation_prevision.prediction import last_same_weekday
from bocage.usecases.frequentation_prevision.preparation import prepare
from bocage.usecases.frequentation_prevision.telling import EXPECT, EXPECT_PERIOD, STAY_SHUT
from bocage.usecases.frequentation_prevision.tests import simulated

END = pd.Timestamp(simulated.START, tz=simulated.ZONE) + pd.DateOffset(days=200)
QUICK = Resources(seconds=4.0)
POOL, LIBRARY, BRIDGE = "Piscine Léo-Lagrange", "Médiathèque Simone-Veil", "Passerelle du Port"


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    return simulated.tables()


def past(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    counts = tables["frequentation"]
    return {**tables, "frequentation": counts[counts["horodatage"] < END].reset_index(drop=True)}


def run(inputs: dict[str, pd.DataFrame] | pd.DataFrame, usual: bool = False, **params: Any) -> Outcome:
    given_ = inputs if isinstance(inputs, dict) else {"frequentation": inputs}
    engine = FrequentationPrevision()
    return (engine.baseline if usual else engine.run)(given_, FrequentationPrevisionParams(**params), QUICK)


def of(outcome: Outcome, place: str) -> list[Recommendation]:
    return [rec for rec in outcome.recommendations if rec.subject == place]


def test_a_proposal_per_place_and_day_with_its_interval_and_the_usual_method(tables: dict[str, pd.DataFrame]) -> None:
    outcome = run(past(tables), horizon_jours=10)
    assert len(of(outcome, BRIDGE)) == 10
    for rec in of(outcome, BRIDGE):
        assert rec.action == EXPECT and rec.interval and rec.interval[0] <= float(rec.value or 0) <= rec.interval[1]
        assert "reference" in rec.evidence and rec.unit == "personnes"


def test_it_beats_the_week_before(tables: dict[str, pd.DataFrame]) -> None:
    engine, gains = FrequentationPrevision(), []
    for cut in (END - pd.DateOffset(days=21), END - pd.DateOffset(days=7)):
        counts = tables["frequentation"]
        inputs = {**tables, "frequentation": counts[counts["horodatage"] < cut]}
        truth = {"frequentation_constatee": counts[(counts["horodatage"] >= cut) & (counts["horodatage"] < cut + pd.DateOffset(days=7))]}
        ours, usual = (engine.evaluate(run(inputs, usual=flag), truth)["ecart_moyen"] for flag in (False, True))
        gains.append(1 - ours / usual)
    assert np.mean(gains) > 0.1


def test_what_follows_the_last_count_never_changes_the_forecast(tables: dict[str, pd.DataFrame]) -> None:
    known = past(tables)
    changed = {
        **known,
        "meteo": known["meteo"].assign(
            temperature_c=lambda t: t["temperature_c"].where(t["horodatage"] < END + pd.DateOffset(days=7), 40.0)
        ),
    }
    assert run(known).to_json() == run(changed).to_json()


def test_a_declared_closure_is_zero_and_teaches_nothing(tables: dict[str, pd.DataFrame]) -> None:
    shut = {rec.evidence["jour"]: rec for rec in of(run(past(tables)), POOL) if rec.action == STAY_SHUT}
    assert (
        shut["2023-03-28"].value == 0 and shut["2023-03-28"].evidence["raison"] == "vidange" and shut["2023-03-28"].interval == (0.0, 0.0)
    )
    assert "fermé d’habitude" in str(shut["2023-03-27"].evidence["raison"])  # a Monday
    told = FrequentationPrevision().explain(shut["2023-03-28"])
    assert "vidange" in told and "fermé" in told


def test_a_day_that_is_never_counted_is_not_proposed(tables: dict[str, pd.DataFrame]) -> None:
    outcome = run(past(tables))
    weekdays = {date.fromisoformat(str(rec.evidence["jour"])).weekday() for rec in of(outcome, LIBRARY)}
    assert weekdays == {1, 2, 3, 4, 5} and any("n’est pas un zéro" in note for note in outcome.notes)


def test_missing_days_are_not_zeros(tables: dict[str, pd.DataFrame]) -> None:
    known = past(tables)
    counts = known["frequentation"]
    hole = (
        (counts["lieu"] == BRIDGE)
        & (counts["horodatage"] >= END - pd.DateOffset(days=40))
        & (counts["horodatage"] < END - pd.DateOffset(days=25))
    )
    emptied = {**known, "frequentation": counts.assign(valeur=counts["valeur"].where(~hole))}
    dropped = {**known, "frequentation": counts[~hole]}
    whole, one, two = (sum(float(rec.value or 0) for rec in of(run(inputs), BRIDGE)) for inputs in (known, emptied, dropped))
    assert one == two and abs(one / whole - 1) < 0.15


def test_an_isolated_zero_is_a_closure_or_a_breakdown_and_is_said(tables: dict[str, pd.DataFrame]) -> None:
    known = past(tables)
    counts = known["frequentation"]
    hit = (counts["lieu"] == BRIDGE) & (counts["horodatage"] >= END - pd.DateOffset(days=4))
    outcome = run({**known, "frequentation": counts.assign(valeur=counts["valeur"].where(~hit, 0.0))})
    assert any(BRIDGE in note and "4 jours à zéro" in note for note in outcome.notes)
    assert min(float(rec.value or 0) for rec in of(outcome, BRIDGE)) > 150


def test_hours_are_forecast_over_a_change_of_clock() -> None:
    counts = simulated.hourly(weeks=14, start="2023-12-25")  # ends on 31 March 2024
    table = run(counts[counts["horodatage"] < pd.Timestamp("2024-03-30", tz=simulated.ZONE)], horizon_jours=3).table("previsions")
    stamps = [str(row[0]) for row in table.rows]
    assert len(stamps) == len(set(stamps)) == 71 and not any(stamp.startswith("2024-03-31T02") for stamp in stamps)


def test_quarters_of_an_hour_are_added_up() -> None:
    hours = simulated.hourly(weeks=5)
    quarters = pd.concat(
        [hours.assign(horodatage=hours["horodatage"] + pd.Timedelta(minutes=15 * k), valeur=hours["valeur"] / 4) for k in range(4)]
    )
    one, two = prepare(hours), prepare(quarters)
    assert one.grid is not None and two.grid is not None and two.rhythm == "heure"
    np.testing.assert_allclose(one.grid.values, two.grid.values)
    short = prepare(quarters.iloc[np.arange(len(quarters)) != 50])
    assert short.grid is not None and any("incomplète" in note for note in short.notes)


def pool_hours(first: str = "2024-10-01", last: str = "2025-03-30") -> pd.DataFrame:
    """30 persons an hour from 9 to 19, until 13 on Sundays, closed on Mondays; no line outside these hours."""
    hours = pd.date_range(first, pd.Timestamp(last) + pd.Timedelta(hours=23), freq="h").tz_localize(
        simulated.ZONE, ambiguous="NaT", nonexistent="NaT"
    )
    hours = hours[hours.notna()]
    weekday, hour = hours.day_of_week, hours.hour
    kept = hours[(hour >= 9) & (hour < np.where(weekday == 6, 13, 19)) & (weekday != 0)]
    return pd.DataFrame({"horodatage": kept, "lieu": POOL, "valeur": 30.0})


def test_hours_without_a_line_week_after_week_are_closed_hours() -> None:
    outcome = run(pool_hours(), horizon_jours=7)
    told = {date.fromisoformat(str(rec.evidence["jour"])).weekday(): rec for rec in outcome.recommendations}
    assert {day: rec.value for day, rec in told.items()} == {1: 300, 2: 300, 3: 300, 4: 300, 5: 300, 6: 120}
    assert {rec.evidence["reference"] for rec in told.values()} == {300, 120} and all(rec.interval for rec in told.values())
    assert not any("Historique court" in note or "pas fini" in note for note in outcome.notes)  # Sundays end at 13, every week
    assert any("fermées" in note and POOL in note for note in outcome.notes)
    nights = [row for row in outcome.table("previsions").rows if pd.Timestamp(str(row[0])).hour in (3, 21)]
    assert nights and all(row[2] == row[3] == row[4] == 0 for row in nights)


def test_zeros_written_at_night_and_no_line_at_night_give_the_same_days() -> None:
    counts = pool_hours()
    counts = counts[counts["horodatage"].dt.day_of_week < 6]
    drawn = np.random.default_rng(4)
    counts = counts.assign(valeur=drawn.poisson(30, len(counts)).astype(float))
    days = counts["horodatage"].dt.normalize().drop_duplicates()
    night = pd.DataFrame({"horodatage": [day + pd.Timedelta(hours=h) for day in days for h in (0, 1, 22)], "lieu": POOL, "valeur": 0.0})
    values = [[rec.value for rec in run(table).recommendations] for table in (counts, pd.concat([counts, night]))]
    assert values[0] == values[1]


def test_a_pool_that_closes_at_night_is_not_bent_by_a_counter_that_does_not() -> None:
    counter = table_of(pd.date_range("2024-10-01", "2025-03-30 23:00", freq="h"), 12.0, "Passerelle")
    outcome = run(pd.concat([pool_hours(), counter.drop_duplicates("horodatage")]))
    assert {rec.value for rec in of(outcome, POOL)} == {300, 120} and {rec.value for rec in of(outcome, "Passerelle")} == {288}


def test_an_hour_that_is_usually_counted_is_missing_not_closed() -> None:
    counts = pool_hours()
    failed = counts["horodatage"].dt.strftime("%Y-%m-%d %H").isin(["2025-03-20 11", "2025-03-20 12"])
    values = [float(rec.value or 0) for rec in run(counts[~failed]).recommendations]
    assert min(values) >= 119 and sorted(values)[1] >= 295


def test_a_last_day_that_stops_before_its_usual_hour_is_forecast_whole() -> None:
    counts = pool_hours()
    outcome = run(counts[counts["horodatage"] < pd.Timestamp("2025-03-29 14:00", tz=simulated.ZONE)], horizon_jours=1)
    assert outcome.recommendations[0].evidence["jour"] == "2025-03-29" and any("pas fini" in note for note in outcome.notes)


def stamps(times: list[str] | pd.DatetimeIndex) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(times).tz_localize(simulated.ZONE, nonexistent="shift_forward", ambiguous=True)


def table_of(times: pd.DatetimeIndex, value: float, place: str = "Musée") -> pd.DataFrame:
    return pd.DataFrame({"horodatage": stamps(times), "lieu": place, "valeur": value})


def test_a_counter_that_goes_from_hours_to_quarters_keeps_its_level() -> None:
    hours = table_of(pd.date_range("2025-01-01", "2025-01-31 23:00", freq="h"), 100.0)
    quarters = table_of(pd.date_range("2025-02-01", "2025-03-15 23:45", freq="15min"), 25.0)
    prepared = prepare(pd.concat([hours, quarters]))
    assert prepared.grid is not None and np.nanmin(prepared.grid.values) == np.nanmax(prepared.grid.values) == 100.0
    assert any("pas de temps change" in note for note in prepared.notes)


def test_half_days_make_days_and_a_day_that_lacks_one_is_missing() -> None:
    days = pd.date_range("2025-01-01", "2025-03-31")
    halves = pd.concat([table_of(days + pd.Timedelta(hours=9), 40.0), table_of(days + pd.Timedelta(hours=14), 60.0)])
    lost = halves["horodatage"] == pd.Timestamp("2025-02-05 14:00", tz=simulated.ZONE)
    prepared = prepare(halves[~lost])
    assert prepared.rhythm == "jour" and prepared.grid is not None
    known = prepared.grid.values[:, 0, 0]
    assert np.isnan(known).sum() == 1 and np.isnan(known[list(days).index(pd.Timestamp("2025-02-05"))]) and np.nanmax(known) == 100
    assert np.nanmin(known) == 100 and any("incomplet" in note for note in prepared.notes)


def test_a_place_by_hour_and_a_place_by_day_are_both_forecast_by_day() -> None:
    hours = table_of(pd.date_range("2025-01-01", "2025-03-20 23:00", freq="h"), 10.0, "Vélo")
    both = pd.concat([hours, table_of(pd.date_range("2025-01-01", "2025-03-20"), 200.0, "Médiathèque")])
    outcome = run(both, horizon_jours=2)
    assert {(rec.subject, rec.value) for rec in outcome.recommendations} == {("Vélo", 240.0), ("Médiathèque", 200.0)}
    assert any("par heure (Vélo)" in note and "par jour ou par demi-journée (Médiathèque)" in note for note in outcome.notes)


def test_days_after_months_leave_the_months_aside_and_say_it() -> None:
    months = table_of(pd.date_range("2023-01-01", "2024-12-01", freq="MS"), 6000.0)
    prepared = prepare(pd.concat([months, table_of(pd.date_range("2025-01-01", "2025-03-20"), 200.0)]))
    assert prepared.rhythm == "jour" and prepared.grid is not None and np.nanmax(prepared.grid.values) == 200
    assert any("24 lignes" in note for note in prepared.notes)


@pytest.mark.parametrize(("first", "shut"), [("2022-04-01", True), ("2024-11-18", False)])
def test_only_the_same_holiday_speaks_for_a_holiday(first: str, shut: bool) -> None:
    """Shut on 1 January, 1 May and 25 December; without a past 1 May, the day is said to be checked."""
    days = pd.date_range(first, "2025-04-27")
    closed = [(day.month, day.day) in ((1, 1), (5, 1), (12, 25)) for day in days]
    outcome = run(table_of(days, 200.0).assign(valeur=np.where(closed, 0.0, 200.0)), horizon_jours=14)
    told = {str(rec.evidence["jour"]): rec for rec in outcome.recommendations}
    assert (told["2025-05-01"].action == STAY_SHUT) == shut and ("a_verifier" in told["2025-05-01"].evidence) == (not shut)
    assert any("1er" in note and "Musée" in note for note in outcome.notes) == (not shut)
    if shut:
        assert told["2025-05-08"].value == 200 and "a_verifier" not in told["2025-05-08"].evidence
    else:
        assert "À vérifier" in FrequentationPrevision().explain(told["2025-05-01"])


def events_of(*lines: tuple[str, str | None, str, str, str]) -> pd.DataFrame:
    table = pd.DataFrame(lines, columns=["debut", "fin", "lieu", "type", "intitule"])
    return table.assign(debut=pd.to_datetime(table["debut"]), fin=pd.to_datetime(table["fin"]))


def test_what_is_declared_and_cannot_be_followed_is_said(tables: dict[str, pd.DataFrame]) -> None:
    declared = events_of(
        ("2023-03-25", "2023-03-26", "piscine leo lagrange", "fermeture", "vidange"),
        ("2023-03-25", None, "Piscine du Lac", "fermeture", "travaux"),
        ("2023-03-28", "2023-03-20", LIBRARY, "fermeture", "inventaire"),
    )
    outcome = run({**past(tables), "evenements": declared})
    shut = {rec.evidence["jour"] for rec in of(outcome, POOL) if rec.evidence.get("raison") == "vidange"}
    assert shut == {"2023-03-25", "2023-03-26"} and any(f"compris comme « {POOL} »" in note for note in outcome.notes)
    assert any("Piscine du Lac" in note and "Écrivez le nom" in note for note in outcome.notes)
    assert any("inventaire" in note and "premier jour" in note.replace("\n", " ") for note in outcome.notes)


def test_an_event_of_one_place_does_not_raise_another() -> None:
    days = pd.date_range("2024-01-01", "2025-03-31")
    concerts = {"A": days[5::26], "B": days[18::26]}
    drawn = np.random.default_rng(2)
    counts = pd.concat(
        [table_of(days, 0.0, place).assign(valeur=drawn.poisson(np.where(days.isin(when), 500, 200))) for place, when in concerts.items()]
    )
    lines = [(str(day.date()), None, place, "evenement", "concert") for place, when in concerts.items() for day in when]
    outcome = run({"frequentation": counts, "evenements": events_of(*lines, ("2025-04-03", None, "A", "evenement", "concert"))})
    value = {rec.subject: float(rec.value or 0) for rec in outcome.recommendations if rec.evidence["jour"] == "2025-04-03"}
    assert value["A"] > 260 and abs(value["B"] - 200) < 30


def test_each_step_is_judged_by_its_own_counts() -> None:
    """The month of a week of forecasts, the next midnight, repeated lines and the doubled hour change nothing."""
    engine, days = FrequentationPrevision(), pd.date_range("2024-06-01", "2025-03-31")
    outcome = run(table_of(days, 200.0), horizon_jours=7)
    month = table_of(pd.date_range("2025-04-01", "2025-04-30"), 200.0)
    for truth in (month, pd.concat([month, month])):
        found = engine.evaluate(outcome, {"frequentation_constatee": truth})
        assert found == {"ecart_moyen": 0, "comptages": 7, "comptages_attendus": 7, "couverture_pct": 100}
    hours = pd.date_range("2025-07-01", "2025-10-26", freq="h", tz=simulated.ZONE, inclusive="left")
    outcome = run(pd.DataFrame({"horodatage": hours, "lieu": "Vélo", "valeur": 50.0}), horizon_jours=1)
    after = pd.date_range("2025-10-26", "2025-10-27", freq="h", tz=simulated.ZONE)
    truth = pd.DataFrame({"horodatage": after, "lieu": "Vélo", "valeur": 50.0})
    assert len(after) == 26
    found = engine.evaluate(outcome, {"frequentation_constatee": truth})
    assert found == {"ecart_moyen": 0, "comptages": 24, "comptages_attendus": 24, "couverture_pct": 100}


def test_counts_of_another_place_or_step_are_refused_by_name() -> None:
    outcome = run(table_of(pd.date_range("2024-06-01", "2025-03-31"), 200.0, "Piscine"), horizon_jours=7)
    judge = FrequentationPrevision().evaluate
    with pytest.raises(NotEnoughData, match=r"1 lieu \(« Piscine »\), par jour, du 1er\s+avril 2025 au 7\s+avril 2025.*« Piscines ».*noms"):
        judge(outcome, {"frequentation_constatee": table_of(pd.date_range("2025-04-01", "2025-04-07"), 200.0, "Piscines")})
    with pytest.raises(NotEnoughData, match=r"Joignez la réalité de ces jours-là"):
        judge(outcome, {"frequentation_constatee": table_of(pd.date_range("2026-04-01", "2026-04-07"), 200.0, "Piscine")})


@pytest.mark.parametrize("days", [28, 60, 84, 90])
def test_every_day_has_an_interval_even_far_ahead_of_a_short_history(days: int, tables: dict[str, pd.DataFrame]) -> None:
    counts = past(tables)["frequentation"].query("lieu == @BRIDGE").tail(days)
    assert all(rec.interval for rec in run(counts, horizon_jours=14).recommendations)


def test_a_place_without_a_complete_day_has_no_interval_and_is_told_why() -> None:
    hours = table_of(pd.date_range("2024-11-01", "2025-02-28 23:00", freq="h"), 20.0)
    kept = np.random.default_rng(0).random(len(hours)) > 0.15
    outcome = run(hours[kept])
    assert not any(rec.interval for rec in outcome.recommendations) and any("Pas d’intervalle" in note for note in outcome.notes)


def test_months_of_closed_doors_are_not_learnt_and_are_said() -> None:
    months = pd.date_range("2018-01-01", "2025-03-01", freq="MS")
    drawn = np.random.default_rng(1)
    habit = 1000 * (1 + 0.7 * np.sin(2 * np.pi * (months.month - 4) / 12)) * np.exp(0.05 * drawn.standard_normal(len(months)))
    crisis = (months >= "2020-03-01") & (months <= "2021-05-01")
    one, two = (run(table_of(months, 0.0).assign(valeur=values)) for values in (habit, np.where(crisis, 0.1 * habit, habit)))
    for whole, hit in zip(one.recommendations, two.recommendations, strict=True):
        assert abs(float(hit.value or 0) / float(whole.value or 0) - 1) < 0.08
    assert any("mars 2020 à mai 2021" in note and "jamais appris" in note for note in two.notes) and not one.notes


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_the_order_and_repetition_of_lines_change_nothing(seed: int) -> None:
    counts = simulated.hourly(weeks=5)
    shuffled = pd.concat([counts, counts.sample(20, random_state=seed)]).sample(frac=1, random_state=seed)
    one, two = prepare(counts).grid, prepare(shuffled).grid
    assert one is not None and two is not None
    np.testing.assert_array_equal(one.values, two.values)


def test_months_and_quarters() -> None:
    counts = simulated.quarterly()
    known = counts[counts["horodatage"] < pd.Timestamp("2019-01-01", tz=simulated.ZONE)]
    truth = {"frequentation_constatee": counts[counts["horodatage"] >= pd.Timestamp("2019-01-01", tz=simulated.ZONE)]}
    ours, usual = run(known), run(known, usual=True)
    assert {rec.action for rec in ours.recommendations} == {EXPECT_PERIOD} and len(ours.recommendations) == 48
    assert "1er trimestre 2019" in FrequentationPrevision().explain(ours.recommendations[0])
    engine = FrequentationPrevision()
    assert engine.evaluate(ours, truth)["ecart_moyen"] < engine.evaluate(usual, truth)["ecart_moyen"]
    monthly = known.assign(horodatage=known["horodatage"].dt.tz_localize(None))
    months = pd.concat(
        [monthly.assign(horodatage=(monthly["horodatage"] + pd.DateOffset(months=k)).dt.tz_localize(simulated.ZONE)) for k in range(3)]
    )
    assert "mars 2019" in FrequentationPrevision().explain(run(months).recommendations[2])


def test_short_histories_are_refused_and_told_how_much_is_needed(tables: dict[str, pd.DataFrame]) -> None:
    counts = past(tables)["frequentation"]
    with pytest.raises(NotEnoughData, match="28 jours"):
        run(counts[counts["horodatage"] >= END - pd.DateOffset(days=20)])
    quarters = simulated.quarterly(years=2)
    with pytest.raises(NotEnoughData, match="trois années"):
        run(quarters)
    weeks = pd.DataFrame(
        {"horodatage": pd.date_range("2023-01-02", periods=60, freq="7D", tz=simulated.ZONE), "lieu": "Musée", "valeur": 100.0}
    )
    with pytest.raises(NotEnoughData, match="ni horaires"):
        run(weeks)
    outcome = run(counts[(counts["lieu"] != POOL) | (counts["horodatage"] >= END - pd.DateOffset(days=10))])
    assert not of(outcome, POOL) and any(POOL in note and "28" in note for note in outcome.notes)


def test_a_place_out_of_season_has_nothing_to_propose(tables: dict[str, pd.DataFrame]) -> None:
    counts = past(tables)["frequentation"]
    weekdays = counts[(counts["lieu"] == LIBRARY) & (counts["horodatage"].dt.day_of_week.isin([1, 2]))]
    with pytest.raises(NotEnoughData, match="allongez"):
        run(weekdays, horizon_jours=2)


def test_an_unknown_territory_is_said_in_french(tables: dict[str, pd.DataFrame]) -> None:
    with pytest.raises(InvalidParams, match="territoire"):
        run(past(tables), territoire="ZZ")


def test_many_places_in_a_short_time(tables: dict[str, pd.DataFrame]) -> None:
    bridge = past(tables)["frequentation"].query("lieu == @BRIDGE").tail(120)
    many = pd.concat([bridge.assign(lieu=f"Compteur {i:03d}", valeur=bridge["valeur"] * (1 + i % 7)) for i in range(60)])
    assert len({rec.subject for rec in run(many).recommendations}) == 60


@settings(max_examples=40, deadline=None)
@given(st.integers(8, 40), st.integers(1, 16), st.integers(0, 10_000))
def test_the_usual_method_takes_the_last_same_weekday_that_was_counted(days: int, horizon: int, seed: int) -> None:
    drawn = np.random.default_rng(seed)
    values = np.where(drawn.random((days, 1, 1)) < 0.3, np.nan, drawn.random((days, 1, 1)))
    found = last_same_weekday(values, horizon)
    for k in range(horizon):
        rows = [r for r in range((days + k) % 7, days, 7) if r >= days + k - 7 * (k // 7 + 8) and not np.isnan(values[r, 0, 0])]
        expected = values[rows[-1], 0, 0] if rows else np.nan
        np.testing.assert_equal(found[k, 0, 0], expected)
