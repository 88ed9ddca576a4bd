"""What eclairage_public proposes on quiet, busy, badly counted and oddly equipped streets. Counts are simulated (``simulated.py``)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bocage.contract.conformance.lab import Lab
from bocage.contract.errors import NotEnoughData
from bocage.contract.outcome import Chart, Outcome, Recommendation
from bocage.contract.usecase import Resources
from bocage.usecases.eclairage_public.engine import EclairagePublic, EclairagePublicParams
from bocage.usecases.eclairage_public.telling import ADOPT, FULL, KEEP
from bocage.usecases.eclairage_public.tests import simulated

QUIET = simulated.presence(15, dead_after=None, streets={"Chemin du Lavoir": 4.0, "Rue du Port": 25.0})


@pytest.fixture(scope="module")
def counts() -> pd.DataFrame:
    return simulated.presence(21, dead_after=None)


def run(counts: pd.DataFrame, segments: pd.DataFrame | None = None, usual: bool = False, **params: Any) -> Outcome:
    inputs = {"segments": simulated.segments() if segments is None else segments, "presence": counts}
    engine = EclairagePublic()
    return (engine.baseline if usual else engine.run)(inputs, EclairagePublicParams(**params), Resources())


def of(outcome: Outcome, name: str) -> Recommendation:
    return next(rec for rec in outcome.recommendations if rec.subject == name)


def test_presence_where_it_wins_and_the_timetable_where_it_loses(counts: pd.DataFrame) -> None:
    outcome = run(counts)
    assert of(outcome, "Chemin du Lavoir").action == ADOPT and of(outcome, "Rue du Port").action == ADOPT
    busy = of(outcome, "Boulevard de la Gare")
    assert busy.action == KEEP and "gardez l’horaire" in EclairagePublic().explain(busy)
    quiet = of(outcome, "Chemin du Lavoir")
    assert quiet.interval and quiet.interval[0] <= float(quiet.value or 0) <= quiet.interval[1]
    assert float(str(quiet.evidence["euros_an_bas"])) > 0


def check_references(outcome: Outcome) -> set[str]:
    """Beside each proposal, what is done without it, in the sense and the unit of its value. Returns the actions seen."""
    for rec in outcome.recommendations:
        reference = rec.evidence["reference"]
        if rec.action == FULL:
            assert (rec.unit, isinstance(rec.value, str), reference) == ("", True, "horaire sans détection")
        else:
            # A saving: without a decision, none.
            assert (rec.unit, isinstance(rec.value, float), reference) == ("kWh/an", True, 0)
        if rec.action == ADOPT:
            used = rec.evidence["consommation_habituelle_kwh_an"]
            assert isinstance(rec.value, float) and isinstance(used, int) and 0 < rec.value < used
    return {rec.action for rec in outcome.recommendations}


def test_what_is_refused_is_the_timetable_which_saves_nothing() -> None:
    lab = Lab("eclairage_public")
    ours, usual = (method(lab.inputs, EclairagePublicParams(), Resources()) for method in (lab.engine.run, lab.engine.baseline))
    assert check_references(ours) == {ADOPT, KEEP, FULL}
    assert check_references(usual) == {KEEP} and {rec.value for rec in usual.recommendations} == {0}


@settings(max_examples=15, deadline=None)
@given(
    dwell=st.sampled_from([15, 60, 240]),
    changes=st.integers(2, 8),
    cost=st.sampled_from([0.0, 12.0, 60.0]),
    nobody=st.sampled_from([None, "P6", "eteint"]),
    curfew=st.booleans(),
)
def test_whatever_the_choices_the_saving_is_what_is_drawn_less_and_the_euros_follow(
    dwell: int, changes: int, cost: float, nobody: str | None, curfew: bool
) -> None:
    params = EclairagePublicParams(palier_min=dwell, changements_max=changes, detecteur_eur_an=cost, coupure=curfew)
    inputs = {"segments": simulated.segments().assign(classe_vide=nobody), "presence": QUIET}
    outcome = EclairagePublic().run(inputs, params, Resources())
    check_references(outcome)
    for rec in outcome.recommendations:
        if rec.action == ADOPT:
            gain = float(rec.value or 0) * params.prix_kwh_eur - 6 * cost
            assert float(str(rec.evidence["euros_an"])) == pytest.approx(gain, abs=0.7)


def test_the_chart_draws_what_the_programme_does(counts: pd.DataFrame) -> None:
    outcome = run(counts)
    drawn = [chart for chart in outcome.artifacts if isinstance(chart, Chart)]
    charts = {chart.subject: {one.role: np.array(one.values) for one in chart.series} for chart in drawn}
    lines = charts["Chemin du Lavoir"]
    # A band needs its two edges, or it is never drawn.
    assert set(lines) == {"usual", "forecast", "lower", "upper"}
    assert (lines["lower"] <= lines["forecast"]).all() and (lines["forecast"] <= lines["upper"]).all()
    assert lines["lower"].mean() < lines["forecast"].mean() < lines["usual"].mean(), "on a quiet street, somewhat above the empty level"
    assert set(charts["Boulevard de la Gare"]) == {"usual", "forecast"}, "a timetable has one level"


def test_the_busier_the_street_the_less_presence_saves() -> None:
    streets = {f"Rue {i}": passages for i, passages in enumerate((1.0, 10.0, 60.0, 400.0, 3000.0))}
    table = pd.concat([simulated.segments().query("segment == 'Rue du Port'").assign(segment=name) for name in streets])
    outcome = run(simulated.presence(16, streets=streets), table)
    saved = [row[6] for row in outcome.table("segments").rows]
    assert (
        saved == sorted(saved, key=lambda x: -float(x or 0))
        and of(outcome, "Rue 0").action == ADOPT
        and of(outcome, "Rue 4").action == KEEP
    )


def test_no_minute_below_the_minimum_and_less_power_than_the_timetable(counts: pd.DataFrame) -> None:
    later = simulated.presence(21, seed=99, dead_after=None)
    truth = {"presence_constatee": later}
    ours, usual = (EclairagePublic().evaluate(run(counts, usual=flag), truth) for flag in (False, True))
    assert ours["minutes_sous_minimum"] == usual["minutes_sous_minimum"] == 0
    assert ours["puissance_moyenne_w"] < usual["puissance_moyenne_w"]


def test_counts_of_other_streets_are_refused_and_some_of_the_streets_are_told(counts: pd.DataFrame) -> None:
    outcome, judge = run(counts), EclairagePublic().evaluate
    port = simulated.presence(3, seed=99, dead_after=None).query("segment == 'Rue du Port'")
    found = judge(outcome, {"presence_constatee": port})
    assert (found["segments"], found["segments_attendus"]) == (1, len(outcome.table("segments").rows))
    with pytest.raises(NotEnoughData, match=r"« Rue du Port ».*Lu : 1 segment .« Rue du Pont »"):
        judge(outcome, {"presence_constatee": port.assign(segment="Rue du Pont")})


def test_every_line_of_the_programme_is_at_or_above_its_minimum(counts: pd.DataFrame) -> None:
    table = run(counts).table("programme")
    lines = pd.DataFrame(table.rows, columns=[c.name for c in table.columns])
    assert (lines["niveau_pct"] >= lines["minimum_pct"]).all() and (lines["niveau_vide_pct"] >= lines["minimum_vide_pct"]).all()
    lit = lines[lines["mode"] != "éteint"]
    assert (lit["niveau_si_muet_pct"] == 100).all()


def test_a_dead_sensor_gets_full_light() -> None:
    outcome = run(simulated.presence(24))
    dead = of(outcome, simulated.DEAD)
    assert dead.action == FULL and dead.value == "plein éclairage en attendant" and not dead.unit
    assert "éclairez pleinement" in EclairagePublic().explain(dead)
    table = outcome.table("programme")
    lines = pd.DataFrame(table.rows, columns=[c.name for c in table.columns])
    assert (lines[lines["segment"] == simulated.DEAD]["niveau_pct"] == 100).all()


def test_a_stuck_sensor_gets_full_light(counts: pd.DataFrame) -> None:
    stuck = counts.copy()
    last = (stuck["segment"] == "Rue du Port") & (stuck["horodatage"] >= stuck["horodatage"].max() - pd.Timedelta(hours=30))
    stuck.loc[last, "passages"] = 7
    assert of(run(stuck), "Rue du Port").action == FULL


def test_a_very_quiet_street_is_not_taken_for_a_dead_sensor() -> None:
    streets = {"Chemin du Lavoir": 0.3}
    assert of(run(simulated.presence(30, streets=streets, seed=8)), "Chemin du Lavoir").action != FULL


def test_a_slow_luminaire_keeps_its_timetable(counts: pd.DataFrame) -> None:
    slow = simulated.segments().assign(delai_s=5.0, anticipation_s=2.0)
    outcome = run(counts, slow)
    assert {rec.action for rec in outcome.recommendations} == {KEEP}
    assert "anticipation" in EclairagePublic().explain(of(outcome, "Chemin du Lavoir"))


def test_without_a_class_for_the_empty_street_nothing_is_lowered(counts: pd.DataFrame) -> None:
    outcome = run(counts, simulated.segments().assign(classe_vide=None))
    assert {rec.action for rec in outcome.recommendations} == {KEEP}


def test_dear_detectors_keep_the_timetable(counts: pd.DataFrame) -> None:
    assert {rec.action for rec in run(counts, detecteur_eur_an=1000.0).recommendations} == {KEEP}


def test_a_park_is_dark_after_it_shuts_and_a_curfew_is_kept(counts: pd.DataFrame) -> None:
    for outcome, name in ((run(counts), "Parc des Tilleuls"), (run(counts, coupure=True), "Rue du Port")):
        table = outcome.table("programme")
        lines = pd.DataFrame(table.rows, columns=[c.name for c in table.columns]).query("segment == @name and nuit == 'semaine'")
        dark = lines[lines["mode"] == "éteint"]
        assert list(dark["debut"])[:1] == (["23:00"] if name.startswith("Parc") else ["01:00"]) and (dark["niveau_pct"] == 0).all()


def test_quarters_of_an_hour_say_what_hours_say() -> None:
    hours, quarters = (run(simulated.presence(21, step=step, dead_after=None)) for step in ("h", "15min"))
    for name in ("Chemin du Lavoir", "Rue du Port"):
        one, other = float(of(hours, name).value or 0), float(of(quarters, name).value or 0)
        assert abs(one / other - 1) < 0.05


def test_short_counts_are_refused_in_french_and_unknown_names_are_said(counts: pd.DataFrame) -> None:
    start = counts["horodatage"].min()
    with pytest.raises(NotEnoughData, match="14 nuits"):
        run(counts[counts["horodatage"] < start + pd.Timedelta(days=9)])
    stranger = counts.assign(segment=counts["segment"].replace("Rue du Port", "Rue des Absents"))
    assert any("Rue des Absents" in note for note in run(stranger).notes)
    missing = counts.assign(passages=counts["passages"].where(counts["segment"] != "Rue du Port"))
    assert "aucun comptage" in EclairagePublic().explain(of(run(missing), "Rue du Port"))


def test_hours_never_counted_save_nothing(counts: pd.DataFrame) -> None:
    evening = counts[(counts["horodatage"].dt.hour >= 16) & (counts["horodatage"].dt.hour < 22)]
    whole, part = (float(of(run(table), "Chemin du Lavoir").value or 0) for table in (counts, evening))
    assert part < 0.6 * whole


def test_overseas_and_dozens_of_segments() -> None:
    names = {f"Rue {i:03d}": float(5 + i % 40) for i in range(60)}
    table = pd.concat([simulated.segments().query("segment == 'Rue du Port'").assign(segment=name) for name in names])
    counts = simulated.presence(15, streets=names)
    counts["horodatage"] = counts["horodatage"].dt.tz_localize(None).dt.tz_localize("Indian/Reunion")
    outcome = run(counts, table, latitude=-20.88, longitude=55.45)
    assert len(outcome.recommendations) == 60 and np.isfinite([float(rec.value or 0) for rec in outcome.recommendations]).all()
