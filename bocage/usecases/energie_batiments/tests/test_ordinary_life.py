"""What energie_batiments must not call a drift: stops that no calendar tells, and weather that the year before did not have. Buildings are
written here, without the engine's code."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bocage.usecases.energie_batiments import daily, detect, drifts, stops

WATCHED = 92
CLASSES_ARE_OUT = [
    ("2023-03-11", "2023-03-26"), ("2023-05-06", "2023-05-14"), ("2023-07-08", "2023-08-15"), ("2023-10-07", "2023-10-22"),
    ("2023-12-16", "2024-01-28"), ("2024-03-09", "2024-03-24"), ("2024-05-08", "2024-05-13"), ("2024-07-06", "2024-08-18"),
    ("2024-10-05", "2024-10-20"), ("2024-12-21", "2025-01-26"), ("2025-03-08", "2025-03-23"), ("2025-05-03", "2025-05-11"),
    ("2025-07-05", "2025-08-17"),
]  # fmt: skip
"""Holidays like those of La Réunion, which no calendar of the engine knows."""


def school_overseas(days: pd.DatetimeIndex, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """kWh (days, 24) of a school that cools its rooms, its temperature (days, 24), and the days without class."""
    drawn = np.random.default_rng(seed)
    hours, day = np.arange(24), days.day_of_year.to_numpy()
    season = 25 + 2.6 * np.cos(2 * np.pi * (day - 35) / 365.25) + 0.8 * drawn.standard_normal(len(days))
    temperature = season[:, None] + 3 * np.sin(2 * np.pi * (hours - 9) / 24)
    out = np.zeros(len(days), dtype=bool)
    for first, last in CLASSES_ARE_OUT:
        out |= (days >= first) & (days <= last)
    abolition = (days.month == 12) & (days.day == 20)
    present = ((days.day_of_week < 5) & ~out & ~abolition)[:, None] * ((hours >= 7) & (hours < 17))
    kwh = (3 + present * (5 + 0.8 * np.maximum(temperature - 22, 0))) * np.exp(0.05 * drawn.standard_normal((len(days), 24)))
    return kwh * np.exp(0.02 * drawn.standard_normal((len(days), 1))), temperature, out


def watched(last: str, more_kw: float = 0.0, ago: int = 0) -> tuple[detect.Watched, drifts.Drifts, np.ndarray]:
    days = pd.date_range(end=last, periods=750, freq="D")
    kwh, temperature, out = school_overseas(days, seed=4)
    kwh[len(days) - ago :] += more_kw
    known = daily.calendar(days, "FR-974", (), "Indian/Reunion")
    found = detect.from_hours(kwh[None], known, temperature, len(days) - WATCHED)
    return found, drifts.drift(found, len(days) - WATCHED), out


def levels(found: detect.Watched) -> list[str]:
    return [name for name in detect.LEVELS if found.alarms[name].any()]


@pytest.mark.parametrize("last", ["2025-01-31", "2025-02-15", "2025-03-31", "2025-07-18", "2025-08-10", "2025-08-31"])
def test_holidays_that_no_calendar_tells_are_neither_a_drift_nor_the_end_of_one(last: str) -> None:
    found, _, out = watched(last)
    assert levels(found) == []
    working = np.flatnonzero(pd.DatetimeIndex(found.days).day_of_week < 5)
    assert found.stopped[0, working[out[working]]].mean() > 0.9
    assert found.stopped[0, working[~out[working]]].mean() < 0.03


def test_a_drift_that_lasts_is_not_told_as_over_when_the_school_stops() -> None:
    found, moves, _ = watched("2025-07-18", more_kw=1.5, ago=50)
    assert levels(found)
    assert moves.end[0] < 0
    assert moves.low[0] <= 36 <= moves.high[0]
    assert abs((moves.days[moves.start[0]] - moves.days[-50]).days) <= 2


def test_a_use_that_stays_low_is_the_new_use_and_no_stop() -> None:
    days = pd.date_range(end="2025-03-31", periods=600, freq="D")
    kwh = np.where(days.day_of_week.to_numpy() < 5, 100.0, 40.0)[None] * np.exp(0.03 * np.random.default_rng(1).standard_normal((1, 600)))
    known = daily.calendar(days, "FR")
    rows, shrink = daily.design(known, None)
    for length, told in ((20, True), (70, True), (85, False)):
        less = kwh.copy()
        less[:, -length:] *= 0.5
        assert stops.stops(less, known, rows, shrink, 508)[0, -length + 5 :].any() == told
    assert not stops.stops(kwh, known, rows, shrink, 508).any(), "an ordinary year has none"


@pytest.mark.parametrize("seed", [2, 3, 4])
def test_two_hot_days_of_a_past_summer_do_not_foresee_the_next_heat_wave(seed: int) -> None:
    days = pd.date_range(end="2025-07-31", periods=550, freq="D")
    drawn = np.random.default_rng(seed)
    mean = 11 - 8 * np.cos(2 * np.pi * (days.day_of_year.to_numpy() - 20) / 365.25) + 1.5 * drawn.standard_normal(len(days))
    mean[180:182] += 7
    mean[-30:-24] += 11
    temperature = mean[:, None] + 4 * np.sin(2 * np.pi * (np.arange(24) - 9) / 24)
    kwh = (20 + 6 * np.maximum(16 - temperature, 0).mean(axis=1)) * np.exp(0.04 * drawn.standard_normal(len(days)))
    found = detect.from_days(kwh[None], daily.calendar(days, "FR"), temperature, len(days) - WATCHED)
    assert found.expected[0, -30:-24].mean() == pytest.approx(20, rel=0.2), "it only heats"
    moves = drifts.drift(found, len(days) - WATCHED)
    assert moves.high[0] - moves.low[0] < 10, "an interval of a few kWh a day, not of a hundred"
