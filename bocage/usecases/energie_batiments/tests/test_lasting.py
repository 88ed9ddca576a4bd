"""A small rise that lasts is seen on daily totals; weather never seen, public holidays and ordinary noise are no rise."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bocage.usecases.energie_batiments import daily, detect, drifts, lasting
from bocage.usecases.energie_batiments.tests.offices import Offices, offices

WATCHED = 92
DAYS = 800
REFERENCE = DAYS - WATCHED


@pytest.fixture(scope="module", params=["2025-01-31", "2025-06-30"])
def towns(request: pytest.FixtureRequest) -> Offices:
    return offices(80, DAYS, request.param, seed=4)


def watched(kwh: np.ndarray, town: Offices) -> detect.Watched:
    return detect.from_days(kwh, daily.calendar(town.days, "FR"), town.temperature, REFERENCE)


def heard(found: detect.Watched) -> np.ndarray:
    """(meters, days) bool: a level alarm."""
    return np.any([found.alarms[name] for name in detect.LEVELS if name in found.alarms], axis=0)


def test_a_rise_of_an_eighth_is_heard_within_six_weeks_and_dated(towns: Offices) -> None:
    kwh, began = towns.kwh.sum(axis=2), DAYS - 45
    more = kwh * np.where(np.arange(DAYS) >= began, 1.125, 1.0)
    sound, found = heard(watched(kwh, towns)), watched(more, towns)
    fresh = (heard(found) & ~sound)[:, began:].any(axis=1)
    assert fresh.mean() > 0.85
    starts = drifts.drift(found, REFERENCE).start[fresh]
    assert np.median(np.abs(starts - began)) <= 3


def test_a_quiet_quarter_is_seldom_an_alarm(towns: Offices) -> None:
    """These offices work on public holidays, which the model takes for Sundays, and their habits wander by a few percent."""
    assert heard(watched(towns.kwh.sum(axis=2), towns)).any(axis=1).mean() <= 0.2


def test_the_shortest_window_that_sounds_says_how_far_back(towns: Offices) -> None:
    kwh = towns.kwh.sum(axis=2)
    found = watched(kwh * np.where(np.arange(DAYS) >= DAYS - 20, 1.8, 1.0), towns)
    first = np.argmax(heard(found)[:, DAYS - 20 :], axis=1)
    assert np.median(first) <= 3, "what is large is heard within days"
    assert np.median(found.back[np.arange(len(kwh)), DAYS - 20 + first]) <= 7
    assert found.back[heard(found)].min() > 0 and not found.back[~heard(found)].any()


def test_weather_that_the_reference_never_saw_is_no_rise() -> None:
    days = pd.date_range(end="2025-01-31", periods=460, freq="D")
    drawn = np.random.default_rng(2)
    mean = 11 - 8 * np.cos(2 * np.pi * (days.day_of_year.to_numpy() - 20) / 365.25) + 2 * drawn.standard_normal(len(days))
    mean[-21:] -= 9
    heating = 10 * np.maximum(15 - mean, 0) ** 1.1
    kwh = (60 + heating) * np.exp(0.03 * drawn.standard_normal((40, len(days))))
    found = detect.from_days(kwh, daily.calendar(days, "FR"), mean, len(days) - WATCHED)
    assert heard(found)[:, -21:].any(axis=1).mean() <= 0.1


def test_a_history_shorter_than_the_windows_tells_nothing() -> None:
    drawn = np.random.default_rng(0)
    days = 60
    kwh = 100 + drawn.standard_normal((3, days))
    rows, shrink = daily.design(daily.calendar(pd.date_range("2025-01-01", periods=days), "FR"), None)
    found = daily.fit(rows[:40], shrink, kwh[:, :40])
    told = lasting.alarms(kwh, found.predict(rows), rows, found, np.arange(days), 40, lasting.TOTAL_ALONE)
    assert told.shape == kwh.shape and not told.any()
