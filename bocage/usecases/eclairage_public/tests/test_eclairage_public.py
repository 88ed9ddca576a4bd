"""What eclairage_public proposes on quiet, busy, badly counted and oddly equipped streets. Counts are simulated (``simulated.py``)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from bocage.contract.errors import NotEnoughData
from bocage.contract.outcome import Outcome, Recommendation
from bocage.contract.usecase import Resources
from bocage.usecases.eclairage_public.engine import EclairagePublic, EclairagePublicParams
from bocage.usecases.eclairage_public.telling import ADOPT, FULL, KEEP
from bocage.usecases.eclairage_public.tests import simulated


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
    assert dead.action == FULL and dead.value == 100
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
