"""What eau_demande does with good and bad exports. Series are simulated (``simulated.py``)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from bocage.contract.errors import InvalidParams, NotEnoughData
from bocage.contract.outcome import Outcome
from bocage.contract.usecase import Resources
from bocage.usecases.eau_demande.cleaning import clean
from bocage.usecases.eau_demande.engine import CHECK, PRODUCE, EauDemande, EauDemandeParams
from bocage.usecases.eau_demande.tests import simulated

END = pd.Timestamp(simulated.START, tz=simulated.ZONE) + pd.DateOffset(weeks=13)
QUICK = Resources(seconds=6.0)


@pytest.fixture(scope="module")
def tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    return simulated.tables(13)


def past(flows: pd.DataFrame, end: pd.Timestamp = END) -> pd.DataFrame:
    return flows[flows["horodatage"] < end].reset_index(drop=True)


def run(flows: pd.DataFrame, weather: pd.DataFrame | None = None, res: Resources = QUICK, **params: Any) -> Outcome:
    inputs = {"debits": flows} if weather is None else {"debits": flows, "meteo": weather}
    return EauDemande().run(inputs, EauDemandeParams(**params), res)


def said(outcome: Outcome, words: str) -> bool:
    return any(words in note for note in outcome.notes)


def test_a_week_of_volumes_per_sector_that_beats_the_week_before(tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    flows, weather = tables
    outcome = run(past(flows), weather)
    volumes = [rec for rec in outcome.recommendations if rec.action == PRODUCE]
    assert len(volumes) == 14 and len(outcome.table("previsions").rows) == 2 * 168
    assert all(rec.interval and rec.interval[0] <= rec.value <= rec.interval[1] for rec in volumes)
    truth = {"debits_constates": flows[flows["horodatage"] >= END]}
    usual = EauDemande().baseline({"debits": past(flows), "meteo": weather}, EauDemandeParams(), QUICK)
    assert EauDemande().evaluate(outcome, truth)["ecart_horaire"] < 0.9 * EauDemande().evaluate(usual, truth)["ecart_horaire"]


def test_flows_of_another_year_or_sector_are_refused_and_part_of_a_week_is_told(tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    flows, judge = tables[0], EauDemande().evaluate
    outcome = run(past(flows[flows["secteur"] == "Bourg"]))
    week = flows[(flows["horodatage"] >= END) & (flows["secteur"] == "Bourg")]
    found = judge(outcome, {"debits_constates": week.head(84)})
    assert (found["heures"], found["heures_attendues"]) == (84, 168)
    with pytest.raises(
        NotEnoughData, match=r"1 secteur .« Bourg ».*Lu : 1 secteur .« bourg ».*Écrivez les noms comme dans les propositions"
    ):
        judge(outcome, {"debits_constates": week.assign(secteur="bourg")})
    with pytest.raises(NotEnoughData, match="Joignez la réalité de ces jours-là"):
        judge(outcome, {"debits_constates": week.assign(horodatage=week["horodatage"] + pd.DateOffset(years=1))})


def test_what_follows_the_last_measure_never_changes_the_forecast(tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    """Only the weather of the coming week may: farther hours are not read."""
    flows, weather = tables
    later = weather.assign(temperature_c=np.where(weather["horodatage"] >= END + pd.DateOffset(days=7), 40.0, weather["temperature_c"]))
    assert run(past(flows), weather).to_json() == run(past(flows), later).to_json()


def test_it_answers_without_weather_and_with_one_sector(tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    flows = past(tables[0])
    outcome = run(flows[flows["secteur"] == "Bourg"])
    assert {rec.subject for rec in outcome.recommendations} == {"Bourg"} and said(outcome, "météo n’a pas été donnée")


def test_a_few_weeks_get_a_simple_method_and_less_than_two_a_refusal(tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    flows = tables[0]
    start = flows["horodatage"].min()
    assert said(run(past(flows, start + pd.DateOffset(weeks=4))), "Historique court")
    with pytest.raises(NotEnoughData, match="deux semaines"):
        run(past(flows, start + pd.DateOffset(days=10)))


def test_an_export_that_stops_in_the_afternoon(tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    stop = END - pd.Timedelta(hours=9)
    table = run(past(tables[0], stop)).table("previsions")
    assert pd.Timestamp(str(table.rows[0][0])) == stop and len(table.rows) == 2 * 168


def test_days_of_23_and_25_hours(tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    outcome = run(past(tables[0], pd.Timestamp("2024-03-28", tz=simulated.ZONE)))
    stamps = [str(row[0]) for row in outcome.table("previsions").rows if row[1] == "Bourg"]
    assert len(stamps) == len(set(stamps)) == 168 and not any(stamp.startswith("2024-03-31T02") for stamp in stamps)


@pytest.mark.parametrize("clock_change", ["2024-03-31", "2024-10-27"])
def test_the_volume_of_a_day_is_the_sum_of_its_hours(clock_change: str) -> None:
    flows, _ = simulated.tables(41)
    outcome = run(past(flows, pd.Timestamp(clock_change, tz=simulated.ZONE) - pd.DateOffset(days=2)))
    rows = [row for row in outcome.table("previsions").rows if str(row[0]).startswith(clock_change) and row[1] == "Bourg"]
    volume = next(rec for rec in outcome.recommendations if rec.evidence["jour"] == clock_change and rec.subject == "Bourg")
    assert len(rows) == (23 if clock_change == "2024-03-31" else 25)
    assert volume.value == pytest.approx(sum(float(row[2] or 0) for row in rows), abs=0.1)


@pytest.mark.parametrize("days", [15, 21, 40])
def test_a_volume_has_an_interval_that_holds_it_or_none(tables: tuple[pd.DataFrame, pd.DataFrame], days: int) -> None:
    flows = one_sector(tables)
    few = run(flows[flows["horodatage"] >= END - pd.Timedelta(days=days)])
    bounds = [rec.interval for rec in few.recommendations]
    assert all(b is None or b[0] <= float(rec.value or 0) <= b[1] > 0 for rec, b in zip(few.recommendations, bounds, strict=True))
    assert (bounds[0] is None) == (days == 15) == said(few, "Pas d’intervalle")


def test_days_with_some_hours_missing_still_judge_a_volume(tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    flows = one_sector(tables)
    holes = np.random.default_rng(0).random(len(flows)) < 0.15
    for kept in (~holes, flows["horodatage"].dt.hour != 3):
        volume = run(flows[kept]).recommendations[0]
        assert volume.interval and volume.interval[0] < float(volume.value or 0) < volume.interval[1]


def test_a_silent_sector_is_said_has_no_reference_and_wider_bounds(tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    flows = one_sector(tables)
    silent = flows[flows["horodatage"] < END - pd.Timedelta(days=20)].assign(secteur="Muet")
    outcome = run(pd.concat([flows, silent]))
    width = {
        name: np.mean([rec.interval[1] - rec.interval[0] for rec in outcome.recommendations if rec.subject == name and rec.interval])
        for name in ("Bourg", "Muet")
    }
    mute = next(rec for rec in outcome.recommendations if rec.subject == "Muet")
    assert mute.evidence["reference"] is None and "n’a pas été mesuré" in EauDemande().explain(mute)
    assert said(outcome, "Muet : presque aucune mesure depuis le 25\u00a0mars 2024 (20 jours)") and width["Muet"] > 1.1 * width["Bourg"]
    assert {row[5] for row in outcome.table("previsions").rows if row[1] == "Muet"} == {None}


def test_thirty_sectors_in_a_short_time() -> None:
    flows, weather = simulated.tables(6, {f"S{i:02d}": 5.0 + i for i in range(30)})
    outcome = run(past(flows, flows["horodatage"].min() + pd.DateOffset(weeks=6)), weather, Resources(seconds=3.0))
    assert len({rec.subject for rec in outcome.recommendations}) == 30


def one_sector(tables: tuple[pd.DataFrame, pd.DataFrame]) -> pd.DataFrame:
    flows = past(tables[0])
    return flows[flows["secteur"] == "Bourg"].reset_index(drop=True)


def cleaned(frame: pd.DataFrame) -> tuple[np.ndarray, str]:
    grid, _, notes = clean(frame, simulated.ZONE)
    return grid.values[:, :, 0], " ".join(notes)


def test_negative_flows_and_duplicates(tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    flows = one_sector(tables)
    flows.loc[10:12, "debit_m3h"] = -5.0
    values, notes = cleaned(pd.concat([flows, flows.iloc[50:60]]))
    assert np.isnan(values.reshape(-1)[10:13]).all() and "3 heures de débit négatif" in notes and "10 mesures étaient en double" in notes


def test_a_stopped_sensor_and_lost_days(tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    flows = one_sector(tables)
    flows.loc[100:119, "debit_m3h"] = 21.5
    flows.loc[300:347, "debit_m3h"] = 0.0
    values, notes = cleaned(flows)
    flat = values.reshape(-1)
    assert np.isnan(flat[100:120]).all() and np.isnan(flat[300:348]).all() and np.isnan(flat).sum() <= 70
    assert "capteur figé" in notes and "débit nul" in notes


@pytest.mark.parametrize("factor", [1 / 3.6, 3.6])
def test_a_change_of_unit_is_put_right(tables: tuple[pd.DataFrame, pd.DataFrame], factor: float) -> None:
    flows = one_sector(tables)
    whole = cleaned(flows)[0]
    days = (flows["horodatage"] >= "2024-02-05") & (flows["horodatage"] < "2024-02-20")
    slipped = flows.assign(debit_m3h=np.where(days, flows["debit_m3h"] * factor, flows["debit_m3h"]))
    values, notes = cleaned(slipped)
    assert np.nanmax(np.abs(values / whole - 1)) < 0.01 and "3,6" in notes and "5\u00a0février" in notes


def test_a_unit_that_changed_lately_is_told_and_left_alone(tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    """Nothing follows it yet: it may be a burst or a season, and a person looks."""
    flows = one_sector(tables)
    late = flows["horodatage"] >= END - pd.Timedelta(days=5)
    values, notes = cleaned(flows.assign(debit_m3h=np.where(late, flows["debit_m3h"] * 3.6, flows["debit_m3h"])))
    assert np.nanmean(values[-5:]) > 3 * np.nanmean(values[:-5]) and "vérifiez l’export" in notes


@pytest.mark.parametrize(("rest", "share"), [((5, 6), 0.28), ((6,), 0.0), ((5, 6), 0.0)])
def test_quiet_weekends_are_kept_as_they_are(tables: tuple[pd.DataFrame, pd.DataFrame], rest: tuple[int, ...], share: float) -> None:
    """A business park at 28 % looks like L/s, and at zero like a lost measure; but it comes back every week."""
    flows = one_sector(tables)
    resting = flows["horodatage"].dt.day_of_week.isin(rest)
    quiet = flows.assign(debit_m3h=flows["debit_m3h"] * np.where(resting, share, 1.0))
    values, notes = cleaned(quiet)
    assert np.nansum(values) == pytest.approx(quiet["debit_m3h"].sum()) and "Bourg" not in notes
    sunday = next(rec for rec in run(quiet).recommendations if rec.evidence["jour"] == "2024-04-21")
    week_before = quiet.loc[quiet["horodatage"].dt.strftime("%Y-%m-%d") == "2024-04-14", "debit_m3h"].sum()
    assert sunday.evidence["reference"] == pytest.approx(week_before, abs=0.1)


@pytest.mark.parametrize("wrong", ["1970-01-01T00:00", "2000-01-01T01:00", "2099-12-31T23:00"])
def test_one_wrong_year_costs_one_line(tables: tuple[pd.DataFrame, pd.DataFrame], wrong: str) -> None:
    flows = one_sector(tables)
    line = flows.iloc[[5]].assign(horodatage=pd.Timestamp(wrong, tz=simulated.ZONE).as_unit(flows["horodatage"].dt.unit))
    grid, end, notes = clean(pd.concat([flows, line], ignore_index=True), simulated.ZONE)
    assert end == END and len(grid.days) == 91 and wrong[:4] in notes[0] and "Bourg" in notes[0]


def test_an_hour_is_averaged_before_it_is_judged_negative(tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    """A small interconnected sector swings around zero: dropping its negative steps would raise every night."""
    flows = one_sector(tables)
    swing = [flows.assign(horodatage=flows["horodatage"] + pd.Timedelta(minutes=m), debit_m3h=1.0 + s) for m, s in ((0, 3.0), (30, -3.0))]
    values, notes = cleaned(pd.concat(swing))
    assert np.nanmax(np.abs(values - 1.0)) < 1e-9 and "négatif" not in notes


def test_a_clean_export_is_left_alone(tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    values, notes = cleaned(one_sector(tables))
    assert np.isnan(values).sum() == 1 and "écarté" not in notes  # the hour that spring skips


def test_a_burst_is_told_and_quiet_weeks_are_not(tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    flows, weather = tables
    quiet = run(past(flows), weather)
    assert not [rec for rec in quiet.recommendations if rec.action == CHECK]
    burst = past(flows)
    start = END - pd.Timedelta(hours=20)
    burst.loc[(burst["secteur"] == "Bourg") & (burst["horodatage"] >= start), "debit_m3h"] += 15.0
    told = [rec for rec in run(burst, weather).recommendations if rec.action == CHECK]
    assert [rec.subject for rec in told] == ["Bourg"] and abs(float(told[0].value or 0) - 15) < 5
    assert abs(pd.Timestamp(str(told[0].evidence["depuis"])) - start) <= pd.Timedelta(hours=3)
    assert "nuit" in EauDemande().explain(told[0])


@pytest.mark.parametrize(("hours", "added"), [(24, 27.0), (48, 27.0), (100, 15.0)])
def test_a_burst_that_looks_like_another_unit_is_told_and_left_alone(hours: int, added: float) -> None:
    """About 2.7 times the flow: a unit would multiply nights and days alike, a pipe adds. One day old or four, it still runs."""
    flows = simulated.tables(20, {"Hameau": 10.0}, future_weeks=0)[0]
    start = flows["horodatage"].max() + pd.Timedelta(hours=1 - hours)
    flows.loc[flows["horodatage"] >= start, "debit_m3h"] += added
    outcome = run(flows)
    told = [rec for rec in outcome.recommendations if rec.action == CHECK]
    assert len(told) == 1 and float(told[0].value or 0) == pytest.approx(added, rel=0.1) and not said(outcome, "3,6")
    assert abs(pd.Timestamp(str(told[0].evidence["depuis"])) - start) <= pd.Timedelta(hours=6)


def test_an_unknown_territory_is_said_in_french(tables: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    with pytest.raises(InvalidParams, match="territoire"):
        run(past(tables[0]), territoire="ZZ")
