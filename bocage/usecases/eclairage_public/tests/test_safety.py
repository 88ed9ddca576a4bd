"""No minute below the minimum, whatever the hours, the orders and the lines: what is proposed, read minute by minute by another hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bocage.contract.outcome import Outcome
from bocage.contract.usecase import Resources
from bocage.usecases.eclairage_public import rules
from bocage.usecases.eclairage_public.engine import EclairagePublic
from bocage.usecases.eclairage_public.planning import limits, segment_of
from bocage.usecases.eclairage_public.rows import EclairagePublicParams
from bocage.usecases.eclairage_public.tests import simulated

PORT = simulated.segments().query("segment == 'Rue du Port'").iloc[0]
STREET: dict[str, Any] = {**{str(name): value for name, value in PORT.items()}, "fermeture_h": None, "ouverture_h": None}
COUNTS = simulated.presence(15, streets={"Rue du Port": 25.0})
quarters = st.integers(0, 96).map(lambda q: q / 4)
hours = st.one_of(quarters, st.floats(0, 24).map(lambda hour: round(hour, 2)))


def proposed(lines: list[dict[str, Any]], **params: Any) -> Outcome:
    inputs = {"segments": pd.DataFrame(lines), "presence": COUNTS}
    return EclairagePublic().run(inputs, EclairagePublicParams(**params), Resources())


def by_minute(outcome: Outcome, kind: str) -> pd.DataFrame:
    """The programme of a kind of night, one row per minute of the clock."""
    table = outcome.table("programme")
    lines = pd.DataFrame(table.rows, columns=[c.name for c in table.columns]).query("nuit == @kind")
    rows: list[Any] = [None] * 1440
    for line in lines.to_dict("records"):
        start, end = (int(line[name][:2]) * 60 + int(line[name][3:]) for name in ("debut", "fin"))
        for minute in range(start, end if end > start else end + 1440):
            assert rows[minute % 1440] is None, "a minute is told twice"
            rows[minute % 1440] = line
    return pd.DataFrame(rows)


def within(minute: int, start: float, end: float) -> bool:
    """Whether a minute of the clock is between two hours; the whole day when they are equal."""
    return (minute / 60 - start) % 24 < ((end - start) % 24 or 24)


@settings(max_examples=400, deadline=None)
@example(closing=6.0, opening=None, category="stationnement")
@example(closing=3.0, opening=18.0, category="parc")
@example(closing=22.0, opening=5.0, category="stationnement")
@example(closing=11.0, opening=6.0, category="stationnement")
@given(closing=hours, opening=st.none() | hours, category=st.sampled_from(["parc", "stationnement"]))
def test_nothing_is_off_while_the_activity_runs_nor_in_the_hour_after(closing: float, opening: float | None, category: str) -> None:
    line = pd.Series({**STREET, "categorie": category, "fermeture_h": closing, "ouverture_h": opening})
    dark = np.roll(np.repeat(segment_of(line, EclairagePublicParams()).dark, 15), 720)
    # Nobody said when it opens: it is open for the five hours before it shuts, at the very least.
    begun = (closing - 5) % 24 if opening is None else opening % 24
    # Of a park whose opening nobody gave, the morning is said to stay dark: only the hours from noon on are promised.
    promised = [int(m) for m in np.flatnonzero(dark) if not (category == "parc" and opening is None and 360 <= m < 720 <= closing * 60)]
    off = [minute for minute in promised if within(minute, begun, closing % 24)]
    after = [minute for minute in np.flatnonzero(dark) if within(int(minute), closing % 24, (closing + 1) % 24)]
    assert not off and not after


def test_a_place_that_reopens_before_dawn_is_lit_an_hour_before() -> None:
    assert rules.extinction("stationnement", 20.0, 5.0) == (22.0, 4.0)  # the baker's customers
    assert rules.extinction("stationnement", 20.0, 9.0) == (22.0, 7.0)
    assert rules.extinction("stationnement", 11.0, 6.0) == (13.0, 5.0)  # a morning market: the night is over before it begins


def test_parks_and_facades_wait_for_sunset_but_a_park_that_is_open_is_lit() -> None:
    assert rules.extinction("patrimoine", 22.0, 6.0) == (1.0, 12.0)  # a façade is not lit again because a door opens
    assert rules.extinction("parc", 21.5) == (22.5, 12.0) and rules.extinction("parc", 21.5, 6.5) == (22.5, 6.5)
    until_sunset = proposed([{**STREET, "categorie": "parc", "fermeture_h": 21.5}])
    lit_at_opening = proposed([{**STREET, "categorie": "parc", "fermeture_h": 21.5, "ouverture_h": 6.5}])
    at = [by_minute(outcome, "semaine")["mode"].eq("éteint") for outcome in (until_sunset, lit_at_opening)]
    assert at[0][6 * 60 : 12 * 60 - 1].all() and not at[1][6 * 60 + 30 : 12 * 60 - 1].any() and at[1][6 * 60]
    told = [" ".join(outcome.notes) for outcome in (until_sunset, lit_at_opening)]
    assert "jusqu’au coucher du soleil suivant" in told[0] and "rallumé à 6 h 30" in told[1].replace("\xa0", " ")


def test_what_ends_at_dawn_or_never_ends_is_not_switched_off() -> None:
    assert all(rules.extinction("stationnement", closing) is None for closing in (5.0, 5.5, 6.0, 8.0, 11.5))
    assert rules.extinction("stationnement", 4.0) == (6.0, 7.0)
    assert rules.extinction("stationnement", 6.0, 6.0) is None and rules.extinction("stationnement", 20.0, 22.0) is None
    assert rules.extinction("parc", 3.0) == (4.0, 12.0)  # the order: at one, or an hour after a park shuts


LINES = st.fixed_dictionaries(
    {
        "classe": st.sampled_from(rules.CLASSES),
        "classe_creuse": st.none() | st.sampled_from((*rules.CLASSES, "eteint")),
        "classe_vide": st.none() | st.sampled_from((*rules.CLASSES, "eteint")),
        "niveau_installe": st.sampled_from([0.4, 1.5, 8.0, 12.5, 60.0]),
        "delai_s": st.sampled_from([0.0, 1.0, 5.0]),
        "categorie": st.sampled_from(["voirie", "parc", "stationnement"]),
        "fermeture_h": st.none() | quarters,
        "ouverture_h": st.none() | quarters,
    }
)
CHOICES = st.fixed_dictionaries(
    {
        "creuse_debut_h": st.integers(0, 23),
        "creuse_fin_h": st.integers(0, 23),
        "coupure": st.booleans(),
        "coupure_debut_h": st.integers(0, 23),
        "coupure_fin_h": st.integers(0, 23),
        "changements_max": st.sampled_from([2, 8]),
        "palier_min": st.sampled_from([15, 40, 240]),
        "pas_niveau_pct": st.sampled_from([5, 7, 30]),
    }
)


def least(name: str | None, line: dict[str, Any]) -> float:
    """Per cent of full output that a class needs, as far as the luminaires go."""
    return 0.0 if name in (None, "eteint") else min(100.0, 100 * rules.minimum_of(str(name)) / line["niveau_installe"])


def need(line: dict[str, Any], quiet: bool) -> float:
    """Level needed at a minute with someone there."""
    named = line["classe_creuse"] if quiet and line["classe_creuse"] else line["classe"]
    return least(named if rules.same_family(line["classe"], named) else line["classe"], line)


@settings(max_examples=40, deadline=None)
@given(lines=st.lists(LINES, min_size=1, max_size=2), choices=CHOICES)
def test_no_minute_is_below_what_any_line_asks(lines: list[dict[str, Any]], choices: dict[str, Any]) -> None:
    lines = [{**STREET, **line} for line in lines]
    outcome = proposed(lines, **choices)
    decided = [choices["coupure"] and within_or_none(m, choices["coupure_debut_h"], choices["coupure_fin_h"]) for m in range(1440)]
    for kind in ("semaine", "fin de semaine"):
        for minute, row in enumerate(by_minute(outcome, kind).to_dict("records")):
            quiet = within_or_none(minute, choices["creuse_debut_h"], choices["creuse_fin_h"])
            if row["mode"] == "éteint":
                assert decided[minute] or all(line["categorie"] != "voirie" for line in lines)
                continue
            asked = max(need(line, quiet) for line in lines)
            assert row["niveau_pct"] >= asked - 1e-6 and row["niveau_si_muet_pct"] == 100
            if row["mode"] == "horaire":
                assert row["niveau_vide_pct"] == row["niveau_pct"]
            else:
                assert all(line["classe_vide"] and line["delai_s"] <= line["anticipation_s"] for line in lines)
                floors = [min(need(line, quiet), least(line["classe_vide"], line)) for line in lines]
                assert row["niveau_vide_pct"] >= max(floors) - 1e-6


def within_or_none(minute: int, start: float, end: float) -> bool:
    """As ``within``; never when the hours are equal: nothing was asked."""
    return start != end and within(minute, start, end)


def test_a_street_of_class_p7_is_lit_and_only_eteint_puts_it_out() -> None:
    lit, off = (by_minute(proposed([{**STREET, "classe_vide": nobody}]), "semaine") for nobody in ("P7", "eteint"))
    assert lit["niveau_vide_pct"].min() == 10 and off["niveau_vide_pct"].min() == 0
    assert (by_minute(proposed([{**STREET, "classe": "P7", "classe_creuse": None}]), "semaine")["niveau_pct"] > 0).all()


def test_two_lines_of_one_name_keep_the_light_of_both() -> None:
    park = {**STREET, "classe": "P1", "classe_creuse": "P6", "niveau_installe": 20.0, "categorie": "parc", "fermeture_h": 22.0}
    outcome = proposed([park, {**STREET, "classe": "P3", "classe_creuse": "P3", "niveau_installe": 20.0}])
    night = by_minute(outcome, "semaine")
    assert not (night["mode"] == "éteint").any() and night["niveau_pct"].min() >= 100 * 7.5 / 20
    assert any("l’exigence la plus forte" in note for note in outcome.notes)


def test_hours_of_darkness_ease_only_the_limits_that_they_break_and_it_is_said() -> None:
    params = {"coupure": True, "coupure_debut_h": 1, "coupure_fin_h": 4, "palier_min": 240}
    outcome = proposed([STREET], **params)
    night = by_minute(outcome, "semaine")["niveau_pct"].to_numpy()
    lengths = np.diff(np.flatnonzero(np.diff(np.roll(night, -720))))
    assert len(lengths) <= 7 and lengths.min() >= 180
    assert any("180 minutes" in note and "240" in note for note in outcome.notes)
    assert not any("ne laissent pas la place" in note for note in proposed([STREET], palier_min=240).notes)


@given(st.lists(st.booleans(), min_size=96, max_size=96), st.integers(2, 24), st.integers(15, 240))
def test_the_limits_kept_are_the_nearest_possible_to_those_asked(dark: list[bool], changes: int, dwell: int) -> None:
    most, least_minutes = limits(np.array(dark), EclairagePublicParams(changements_max=changes, palier_min=dwell))
    edges = [0, *(np.flatnonzero(np.diff(np.array(dark, dtype=int))) + 1), 96]
    assert most == max(changes, len(edges) - 2)
    assert least_minutes == min(-(-dwell // 15), int(np.diff(edges).min())) * 15


def test_a_curfew_over_open_hours_is_said() -> None:
    late = {**STREET, "categorie": "stationnement", "ouverture_h": 18.0, "fermeture_h": 2.0}
    assert any("alors qu’il est ouvert" in note for note in proposed([late], coupure=True).notes)
    assert not any("alors qu’il est ouvert" in note for note in proposed([{**late, "fermeture_h": 22.0}], coupure=True).notes)


@pytest.mark.parametrize("quiet, said", [("M5", "ne se compare pas"), ("P1", "demande plus")])
def test_a_class_for_the_small_hours_that_cannot_lower_is_said_and_never_lowers(quiet: str, said: str) -> None:
    outcome = proposed([{**STREET, "classe_creuse": quiet}])
    assert any(said in note for note in outcome.notes)
    assert by_minute(outcome, "semaine")["niveau_pct"].min() >= 80
