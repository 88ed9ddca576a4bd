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
