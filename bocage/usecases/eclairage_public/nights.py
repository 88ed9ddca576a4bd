"""Counts as nights of local quarter-hours (noon to noon), what is lit when, and whether the sensor lives.

A night bears the date of its evening. Slot 0 starts at noon, slot 48 at midnight: clock times, so a night of a clock change has the slots
that its clock shows (the hour that spring skips is not lit, the one that autumn repeats is lit twice).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import numpy as np
import pandas as pd

from bocage.usecases.eclairage_public.sun import sun_times

SLOTS = 96
MINUTES = 15
DEAD_NIGHTS = 3
"""Nights without a passage (or a count), at the end of the data, from which a sensor that used to see some is taken to be dead."""

FROZEN_HOURS = 24
"""Hours of exactly the same count, not zero, at the end of the data, from which a sensor is taken to be stuck."""


@dataclass(frozen=True)
class Nights:
    """Of one segment: ``dates`` of the evenings; ``counts`` (nights, slots): passages per quarter of an hour, NaN where missing; ``step``:
    minutes of a count; ``lit`` (nights, slots): minutes lit; ``dead``: why the sensor is not believed, or empty."""

    dates: tuple[date, ...]
    counts: np.ndarray
    step: int
    lit: np.ndarray
    dead: str

    @property
    def weekend(self) -> np.ndarray:
        """Nights of Friday and of Saturday (bool)."""
        return np.array([day.weekday() in (4, 5) for day in self.dates], dtype=bool)


@lru_cache(maxsize=32)
def lit_minutes(dates: tuple[date, ...], latitude: float, longitude: float, timezone: str, delay: int) -> np.ndarray:
    """Minutes (nights, slots) between sunset + ``delay`` and sunrise - ``delay``: 0 to 15 (30 in the hour that autumn repeats)."""
    result = np.zeros((len(dates), SLOTS))
    for i, day in enumerate(dates):
        # Each local minute from noon to noon, in real time: clock changes fall where they fall.
        noon = pd.Timestamp(day.year, day.month, day.day, 12).tz_localize(timezone)
        morrow = (pd.Timestamp(day) + pd.Timedelta(days=1, hours=12)).tz_localize(timezone)
        on, off = _span(day, latitude, longitude, timezone, delay, noon, morrow)
        start, end = noon.tz_convert("UTC"), morrow.tz_convert("UTC")
        minutes = np.arange(int((end - start) / pd.Timedelta(minutes=1)))
        inside = (minutes >= (on - start) / pd.Timedelta(minutes=1)) & (minutes < (off - start) / pd.Timedelta(minutes=1))
        np.add.at(result[i], _slots_between(minutes, noon, morrow)[inside], 1.0)
    result.flags.writeable = False  # shared by every segment of the same place
    return result


def _span(
    day: date, latitude: float, longitude: float, timezone: str, delay: int, noon: pd.Timestamp, morrow: pd.Timestamp
) -> tuple[pd.Timestamp, pd.Timestamp]:
    """When lights go on and off; never on in polar day, always on in polar night (told apart by the season and the hemisphere)."""
    evening = sun_times(day, latitude, longitude, timezone)[1]
    morning = sun_times(day + timedelta(days=1), latitude, longitude, timezone)[0]
    if evening is None or morning is None:
        bright = (4 <= day.month <= 8) == (latitude > 0)
        return (morrow, morrow) if bright else (noon, morrow)
    wait = pd.Timedelta(minutes=delay)
    return (pd.Timestamp(evening) + wait).tz_convert("UTC"), (pd.Timestamp(morning) - wait).tz_convert("UTC")


def _slots_between(minutes: np.ndarray, noon: pd.Timestamp, morrow: pd.Timestamp) -> np.ndarray:
    """The slot of each minute after ``noon``: the clock moves at most once in a night."""
    if len(minutes) == SLOTS * MINUTES:
        return minutes // MINUTES
    local = (noon.tz_convert("UTC") + pd.to_timedelta(minutes, unit="min")).tz_convert(noon.tz)
    return slot_of(pd.DatetimeIndex(local))


def slot_of(local: pd.DatetimeIndex) -> np.ndarray:
    """The slot of local times."""
    return np.asarray(((local.hour.to_numpy() * 60 + local.minute.to_numpy()) // MINUTES - SLOTS // 2) % SLOTS)


def night_of(local: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """The evening's date of local times (naive midnights)."""
    naive = local.tz_localize(None)
    return pd.DatetimeIndex((naive - pd.Timedelta(hours=12)).normalize())


def read_nights(counts: pd.DataFrame, latitude: float, longitude: float, timezone: str, delay: int) -> Nights:
    """The nights of one segment from its lines (``horodatage``, ``passages``), in any order; equal times are averaged."""
    known = counts.dropna(subset=["passages"])
    series = known.groupby(known["horodatage"].dt.tz_convert("UTC"))["passages"].mean().sort_index()
    stamps = pd.DatetimeIndex(series.index)
    gaps = (stamps[1:] - stamps[:-1]) / pd.Timedelta(minutes=1)
    step = int(np.clip(round(float(np.median(gaps))) if len(gaps) else 60, 1, 60))
    local = stamps.tz_convert(timezone)
    first, last = night_of(local).min(), night_of(local).max()
    dates = tuple(day.date() for day in pd.date_range(first, last, freq="D"))
    table = np.full((len(dates), SLOTS), np.nan)
    # A count longer than a slot is spread evenly over its slots; shorter ones are added up.
    parts = max(1, round(step / MINUTES))
    for part in range(parts):
        at = (stamps + pd.Timedelta(minutes=MINUTES * part)).tz_convert(timezone)
        row = ((night_of(at) - first) / pd.Timedelta(days=1)).to_numpy().astype(int)
        kept = row < len(dates)
        place = (row[kept], slot_of(at)[kept])
        table[place] = np.where(np.isnan(table[place]), 0.0, table[place])
        np.add.at(table, place, series.to_numpy(dtype=float)[kept] / parts)
    lit = lit_minutes(dates, latitude, longitude, timezone, delay)
    return Nights(dates, table, step, lit, _dead(table, lit, series))


def _dead(table: np.ndarray, lit: np.ndarray, series: pd.Series) -> str:
    """Why the sensor is not believed: silent or stuck at the end of its data."""
    values = series.to_numpy(dtype=float)
    if len(values) > FROZEN_HOURS and values[-1] > 0:
        same = int(np.argmax(values[::-1] != values[-1])) if (values != values[-1]).any() else len(values)
        hours = (series.index[-1] - series.index[-same]) / pd.Timedelta(hours=1)
        if hours >= FROZEN_HOURS:
            return f"même comptage depuis {int(hours)} heures"
    nightly = np.nansum(np.where(lit > 0, table, 0.0), axis=1)
    seen = np.flatnonzero(nightly > 0)
    silent = len(nightly) - 1 - int(seen[-1]) if len(seen) else len(nightly)
    usual = float(np.median(nightly[: len(nightly) - silent])) if silent < len(nightly) else 0.0
    # A quiet street may stay empty for a few nights: the more it usually sees, the less likely.
    if silent >= DEAD_NIGHTS and (len(seen) == 0 or usual * silent >= 12):
        return f"aucun passage depuis {silent} nuits"
    return ""


def lifted_share(counts: np.ndarray, step: int, hold: int) -> np.ndarray:
    """Share of the time at which a presence controller is raised, from ``counts`` per quarter of an hour.

    The instants of a Poisson process, given their number, are uniform over the ``step`` minutes of a count: so each minute has someone with
    probability p. A controller that stays raised ``hold`` minutes at least, then while someone is there, is a Markov chain; per minute
    lowered it spends p (hold - 1) + p / (1 - p) minutes raised.
    """
    window = max(step, MINUTES)
    empty = np.power(1.0 - 1.0 / window, counts * (window / MINUTES))
    return np.asarray(1.0 - empty / (empty * (1.0 + (1.0 - empty) * (hold - 1)) + 1.0 - empty))
