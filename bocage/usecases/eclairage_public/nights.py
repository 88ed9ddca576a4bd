"""Counts as nights of local quarter-hours (noon to noon), what is lit when, and whether the counter lives.

A night bears the date of its evening. Slot 0 starts at noon, slot 48 at midnight: clock times, so a night of a clock change has the slots
that its clock shows (the hour that spring skips is not lit, the one that autumn repeats is lit twice).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import numpy as np
import pandas as pd

from bocage.usecases.eclairage_public import trust
from bocage.usecases.eclairage_public.sun import sun_times

SLOTS = 96
MINUTES = 15


@dataclass(frozen=True)
class Nights:
    """Of one segment: ``dates`` of the evenings; ``counts`` (nights, slots): passages per quarter of an hour, NaN where missing; ``step``:
    minutes of a count; ``lit`` (nights, slots): minutes lit; ``dead``: why the counter is not believed at the end of the data, or empty;
    ``aside``: (first, last) evenings of the stretches on which it was not believed earlier, whose counts are NaN;
    ``asleep``: first and last slot of the hours at which it never counts anyone, set aside too."""

    dates: tuple[date, ...]
    counts: np.ndarray
    step: int
    lit: np.ndarray
    dead: str
    aside: tuple[tuple[date, date], ...] = ()
    asleep: tuple[int, int] | None = None

    @property
    def counted(self) -> int:
        """Nights with a count while lights are on."""
        return len(trust.counted_nights(self.counts, self.lit))

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


def read_nights(
    counts: pd.DataFrame, latitude: float, longitude: float, timezone: str, delay: int, until: pd.Timestamp | None = None
) -> Nights:
    """The nights of one segment from its lines (``horodatage``, ``passages``), in any order; equal times are averaged.

    ``until``: the end of the file, where the nights end even if this segment's counts stop before; by default, its last count.
    """
    step = step_of(pd.DatetimeIndex(counts["horodatage"]))
    known = counts.dropna(subset=["passages"])
    series = known.groupby(known["horodatage"].dt.tz_convert("UTC"))["passages"].mean().sort_index()
    stamps = pd.DatetimeIndex(series.index).tz_convert(timezone)
    end = stamps[-1] if until is None else max(stamps[-1], until.tz_convert(timezone))
    first, last = (night_of(pd.DatetimeIndex([at]))[0] for at in (stamps[0], end))
    dates = tuple(day.date() for day in pd.date_range(first, last, freq="D"))
    lit = lit_minutes(dates, latitude, longitude, timezone, delay)
    stuck = trust.stuck_runs(series.to_numpy(dtype=float), step)
    if stuck and stuck[-1][1] == len(series) - 1:
        hours = (stuck[-1][1] - stuck[-1][0] + 1) * step // 60
        return Nights(dates, _by_slot(series, step, first, len(dates), timezone), step, lit, f"même comptage depuis {hours} heures")
    believed = series.copy()
    aside = []
    for a, b in stuck:
        believed.iloc[a : b + 1] = np.nan
        aside.append((night_of(stamps[a : a + 1])[0].date(), night_of(stamps[b : b + 1])[0].date()))
    table = _by_slot(believed.dropna(), step, first, len(dates), timezone)
    silent = trust.silent_runs(table, lit)
    dead = trust.complaint(table, lit, silent)
    for run in silent if not dead else []:
        table = trust.without(table, run)
        aside.append((dates[run[0]], dates[run[1]]))
    asleep = trust.cut_hours(table, lit)
    if asleep:
        table[:, asleep[0] : asleep[1] + 1] = np.nan
    return Nights(dates, table, step, lit, dead, tuple(sorted(aside)), asleep)


def step_of(stamps: pd.DatetimeIndex) -> int:
    """Minutes of a count, 1 to 60: the commonest gap between two times, which lines missing here and there do not change."""
    times = np.unique(stamps.tz_convert("UTC").as_unit("s").asi8)
    gaps, often = np.unique(np.rint(np.diff(times) / 60).astype(int), return_counts=True)
    return int(np.clip(gaps[np.argmax(often)], 1, 60)) if len(gaps) else 60


def _by_slot(series: pd.Series, step: int, first: pd.Timestamp, nights: int, timezone: str) -> np.ndarray:
    """Passages per quarter of an hour (nights, slots) from counts of ``step`` minutes, each spread evenly over its minutes.

    A slot is brought back to a quarter of an hour from the minutes that were counted in it; NaN when they are fewer than half.
    """
    total, minutes = np.zeros((nights, SLOTS)), np.zeros((nights, SLOTS))
    stamps, passages = pd.DatetimeIndex(series.index), series.to_numpy(dtype=float)
    # Every French offset is a multiple of a quarter of an hour: the slots of local time are those of UTC.
    opens = stamps.floor(f"{MINUTES}min")
    late = ((stamps - opens) / pd.Timedelta(minutes=1)).to_numpy()
    for part in range((step - 1) // MINUTES + 2):
        spent = np.minimum(late + step, MINUTES * (part + 1)) - np.maximum(late, MINUTES * part)
        local = (opens + pd.Timedelta(minutes=MINUTES * part)).tz_convert(timezone)
        row = ((night_of(local) - first) / pd.Timedelta(days=1)).to_numpy().astype(int)
        kept = (spent > 0) & (row < nights)
        place = (row[kept], slot_of(local)[kept])
        np.add.at(total, place, passages[kept] * spent[kept] / step)
        np.add.at(minutes, place, spent[kept])
    known = minutes >= MINUTES / 2
    return np.where(known, total * (MINUTES / np.where(known, minutes, MINUTES)), np.nan)


def lifted_share(counts: np.ndarray, step: int, hold: int) -> np.ndarray:
    """Share of the time at which a presence controller is raised, from ``counts`` per quarter of an hour.

    The instants of a Poisson process, given their number, are uniform over the ``step`` minutes of a count: so each minute has someone with
    probability p. A controller that stays raised ``hold`` minutes at least, then while someone is there, is a Markov chain; per minute
    lowered it spends p (hold - 1) + p / (1 - p) minutes raised.
    """
    window = max(step, MINUTES)
    empty = np.power(1.0 - 1.0 / window, counts * (window / MINUTES))
    return np.asarray(1.0 - empty / (empty * (1.0 + (1.0 - empty) * (hold - 1)) + 1.0 - empty))
