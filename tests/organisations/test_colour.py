"""One colour per organisation, legible everywhere, as WCAG 2 measures it; one that fails is answered with the nearest that passes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocage.organisations import colour

CSS = (Path(colour.__file__).parents[1] / "web" / "static" / "web" / "bocage.css").read_text(encoding="utf-8")
colours = st.integers(0, 0xFFFFFF).map(lambda n: f"#{n:06x}")
modes = st.sampled_from(["day", "night"])


def tokens(mode: str) -> dict[str, str]:
    """The tokens of the stylesheet in a mode."""
    day, night = re.search(
        r":root \{(.*?)\n\}\n@media screen and \(prefers-color-scheme: dark\) \{ :root \{(.*?)\n\} \}", CSS, re.S
    ).groups()
    found = dict(re.findall(r"--([\w-]+): ([^;]+);", day))
    return {**found, **(dict(re.findall(r"--([\w-]+): ([^;]+);", night)) if mode == "night" else {})}


@pytest.mark.parametrize("mode", ["day", "night"])
def test_the_papers_and_tints_are_those_of_the_stylesheet(mode):
    found = tokens(mode)
    assert found["paper"] == colour.PAPER[mode]
    assert found["on-brand"].replace("#fff", "#ffffff") == colour.ON_BRAND[mode]
    assert f"{colour.TINT_SHARE[mode]:.0%}" in found["tint"]


def test_contrast_is_that_of_wcag():
    assert colour.contrast("#000000", "#ffffff") == 21
    assert colour.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


def test_the_accents_of_the_look_have_the_contrasts_that_it_publishes():
    assert [m.ratio for m in colour.measures("#2b5b3f", "day")] == pytest.approx([7.5, 6.4, 7.9], abs=0.07)
    assert [m.ratio for m in colour.measures("#9ccaa8", "night")] == pytest.approx([9.6, 7.0, 9.7], abs=0.07)


@pytest.mark.parametrize(("name", "day", "night"), colour.ACCENTS)
def test_every_accent_offered_passes_by_day_and_by_night(name, day, night):
    assert colour.passes(day, "day") and colour.passes(night, "night")
    assert colour.night_of(day) == night


@given(colours, colours)
def test_contrast_does_not_depend_on_the_order_and_stays_in_bounds(one, other):
    assert colour.contrast(one, other) == colour.contrast(other, one)
    assert 1 <= colour.contrast(one, other) <= 21


@given(colours, modes)
def test_the_nearest_colour_always_passes(accent, mode):
    assert colour.passes(colour.nearest(accent, mode), mode)


@given(colours, modes)
def test_a_colour_that_passes_is_left_as_it_is(accent, mode):
    if colour.passes(accent, mode):
        assert colour.nearest(accent, mode) == accent


@given(colours)
def test_a_night_colour_can_always_be_derived(accent):
    night = colour.night_of(accent)
    assert colour.is_colour(night) and colour.passes(night, "night")


@given(colours)
def test_the_nearest_day_colour_is_barely_dark_enough(accent):
    """It is not needlessly black: among the colours that pass it stands close to the limit."""
    near = colour.nearest(accent, "day")
    if near != accent:
        assert min(m.ratio for m in colour.measures(near, "day")) < colour.ENOUGH + 0.35
