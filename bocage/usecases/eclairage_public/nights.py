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
_AROUND = 24
"""Lines on each side from which the step of a count is read."""

_SHARE = 0.9
"""Share of the gaps around it of which a step must be the divisor; the others are the accidents of a clock."""


@dataclass(frozen=True)
class Nights:
    """Of one segment: ``dates`` of the evenings; ``counts`` (nights, slots): passages per quarter of an hour, NaN where missing; ``noise``
    (nights, slots): the variance that chance alone gives to each, per passage expected (1 for a count of 15 minutes, 0.25 for that of an
    hour); ``steps``: minutes of a count, in order of time; ``lit`` (nights, slots): minutes lit; ``dead``: why the counter is not believed
    at the end of the data, or empty; ``aside``: (first, last) evenings of the stretches on which it was not believed earlier, whose counts
    are NaN; ``asleep``: first and last slot of the hours at which it never counts anyone, set aside too; ``twice``: instants that counts
    of two steps tell, of which the shorter was kept."""

    dates: tuple[date, ...]
    counts: np.ndarray
    noise: np.ndarray
    steps: tuple[int, ...]
    lit: np.ndarray
    dead: str
    aside: tuple[tuple[date, date], ...] = ()
    asleep: tuple[int, int] | None = None
    twice: int = 0

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
    series, minutes, steps, twice = told_once(counts)
    stamps = pd.DatetimeIndex(series.index).tz_convert(timezone)
    end = stamps[-1] if until is None else max(stamps[-1], until.tz_convert(timezone))
    first, last = (night_of(pd.DatetimeIndex([at]))[0] for at in (stamps[0], end))
    dates = tuple(day.date() for day in pd.date_range(first, last, freq="D"))
    lit = lit_minutes(dates, latitude, longitude, timezone, delay)
    stuck = trust.stuck_runs(series.to_numpy(dtype=float), minutes)
    if stuck and stuck[-1][1] == len(series) - 1:
        hours = int(minutes[stuck[-1][0] :].sum()) // 60
        table, noise = _by_slot(series, minutes, first, len(dates), timezone)
        return Nights(dates, table, noise, steps, lit, f"même comptage depuis {hours} heures", twice=twice)
    believed = np.ones(len(series), dtype=bool)
    aside = []
    for a, b in stuck:
        believed[a : b + 1] = False
        aside.append((night_of(stamps[a : a + 1])[0].date(), night_of(stamps[b : b + 1])[0].date()))
    table, noise = _by_slot(series[believed], minutes[believed], first, len(dates), timezone)
    silent = trust.silent_runs(table, lit)
    dead = trust.complaint(table, lit, silent)
    for run in silent if not dead else []:
        table = trust.without(table, run)
        aside.append((dates[run[0]], dates[run[1]]))
    asleep = trust.cut_hours(table, lit)
    if asleep:
        table[:, asleep[0] : asleep[1] + 1] = np.nan
    return Nights(dates, table, noise, steps, lit, dead, tuple(sorted(aside)), asleep, twice)


def told_once(counts: pd.DataFrame) -> tuple[pd.Series, np.ndarray, tuple[int, ...], int]:
    """The known counts in order of time (UTC), the minutes of each, the steps of the file in order, and how many instants counts of two
    steps tell. Lines without a count say how long steps are.

    Equal times are averaged; but the count of an hour beside those of its quarters holds their passages too: there the least is kept.
    """
    lines = counts["passages"].astype(float).groupby(counts["horodatage"].dt.tz_convert("UTC")).agg(["mean", "min", "max", "size"])
    minutes = steps_of(pd.DatetimeIndex(lines.index))
    # Every time of a file given twice is doubled; of an hour beside its quarters, one in four.
    alone = (lines["size"] == 1).to_numpy()
    beside = ~alone & (np.append(alone[1:], False) | np.append(False, alone[:-1])) & (minutes < 60)
    beside &= (lines["max"] > lines["min"]).to_numpy()
    values = lines["mean"].where(~beside, lines["min"])
    known = values.notna().to_numpy()
    return values[known], minutes[known], tuple(dict.fromkeys(minutes.tolist())), int(beside.sum())


def step_of(stamps: pd.DatetimeIndex) -> int:
    """Minutes of a count, 1 to 60: the commonest gap between two times, which lines missing here and there do not change."""
    times = np.unique(stamps.tz_convert("UTC").as_unit("s").asi8)
    gaps, often = np.unique(np.rint(np.diff(times) / 60).astype(int), return_counts=True)
    return int(np.clip(gaps[np.argmax(often)], 1, 60)) if len(gaps) else 60


def steps_of(stamps: pd.DatetimeIndex) -> np.ndarray:
    """Minutes of the count of each of ``stamps`` (in order, each once): of the gaps between the lines around it, the commonest of which
    nearly all are multiples. A file whose step changes is read at each of its steps, and missing lines lengthen none."""
    whole = step_of(stamps)
    gaps = np.rint(np.diff(stamps.as_unit("s").asi8) / 60).astype(int)
    values, often = np.unique(gaps, return_counts=True)
    steps = values[(values >= 1) & (values <= 60) & (often >= _AROUND // 2)]
    if len(steps) < 2:
        return np.full(len(stamps), whole)
    lines = np.arange(len(stamps))
    before, after = (
        _step_within(gaps, steps, whole, [np.clip(lines + side, 0, len(gaps)) for side in sides]) for sides in ((-_AROUND, 0), (0, _AROUND))
    )
    # At the ends of the file, one side has too few lines to tell.
    before[:_AROUND], after[-_AROUND:] = after[:_AROUND], before[-_AROUND:]
    # Where the step changes, the two sides differ: the line's own gap tells, else that of the line before.
    result = np.minimum(before, after)
    for gap in (np.insert(gaps, 0, 0), np.append(gaps, 0)):
        result = np.where((gap == before) | (gap == after), gap, result)
    return result


def _step_within(gaps: np.ndarray, steps: np.ndarray, whole: int, ends: list[np.ndarray]) -> np.ndarray:
    """For each line, the step that the ``gaps`` between its two ``ends`` show: one of ``steps``, or ``whole`` where none fits."""
    near = gaps <= 2 * 60

    def within(chosen: np.ndarray) -> np.ndarray:
        total = np.concatenate([[0], np.cumsum(chosen)])
        return np.asarray(total[ends[1]] - total[ends[0]])

    result, most = np.full(len(ends[0]), whole), np.zeros(len(ends[0]), dtype=int)
    for step in steps:
        multiple = np.abs(gaps - step * np.maximum(np.rint(gaps / step), 1)) <= 0.1 * step
        exact = within(gaps == step)
        better = (within(multiple & near) >= _SHARE * within(near)) & (exact > most)
        result, most = np.where(better, step, result), np.where(better, exact, most)
    return result


def _by_slot(series: pd.Series, steps: np.ndarray, first: pd.Timestamp, nights: int, timezone: str) -> tuple[np.ndarray, np.ndarray]:
    """Passages per quarter of an hour and their ``Nights.noise`` (nights, slots), from counts of ``steps`` minutes, each spread evenly over
    its own.

    A slot is brought back to a quarter of an hour from the minutes that were counted in it; NaN when they are fewer than half.
    """
    total, minutes, squares = (np.zeros((nights, SLOTS)) for _ in range(3))
    stamps, passages = pd.DatetimeIndex(series.index), series.to_numpy(dtype=float)
    # Every French offset is a multiple of a quarter of an hour: the slots of local time are those of UTC.
    opens = stamps.floor(f"{MINUTES}min")
    late = ((stamps - opens) / pd.Timedelta(minutes=1)).to_numpy()
    for part in range((int(steps.max(initial=1)) - 1) // MINUTES + 2):
        spent = np.minimum(late + steps, MINUTES * (part + 1)) - np.maximum(late, MINUTES * part)
        local = (opens + pd.Timedelta(minutes=MINUTES * part)).tz_convert(timezone)
        row = ((night_of(local) - first) / pd.Timedelta(days=1)).to_numpy().astype(int)
        kept = (spent > 0) & (row < nights)
        place = (row[kept], slot_of(local)[kept])
        np.add.at(total, place, passages[kept] * spent[kept] / steps[kept])
        np.add.at(minutes, place, spent[kept])
        np.add.at(squares, place, spent[kept] ** 2 / steps[kept])
    known = minutes >= MINUTES / 2
    counted = np.where(known, minutes, MINUTES)
    return np.where(known, total * (MINUTES / counted), np.nan), np.where(known, squares * MINUTES / counted**2, np.nan)
