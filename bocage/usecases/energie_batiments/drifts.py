"""Since when does a meter use more, how much, how sure is it, has it changed since, and is it over?

The excess is what the days since the beginning use above the model, less what the weeks before already used above it. Its variance has
four parts: the noise of the days since; that of the days before, with which they are compared; the coefficients of the model, which does
not err alike in both seasons; and habits, whose level wanders from one month to the next whatever the model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bocage.usecases.energie_batiments import detect, lasting, savings, watch
from bocage.usecases.energie_batiments.lasting import MONTHLY_CHANGE, NEUTRAL

BEFORE_ALARM = 2
"""Days more than its first alarm looks back in which the beginning of a drift is looked for."""

QUIET = 30
"""Days without alarm after which a new one is another event."""

LATEST = 14
"""Last known days whose excess says whether a drift still goes on."""

OVER = 0.25
"""Share of the drift that its last days must keep for it to go on."""

CLEAR = 4.0
"""Standard errors between a drift and the days after it, from which its end is certain."""

WEEK = 7
"""Known days on each side of a change within a drift: fewer are an event, or say too little."""

TURN_CLEAR, TURN_SHARE = CLEAR, 0.4
"""Standard errors, and share of the larger of the two, by which the two parts of a drift differ when they are two levels."""

TURN_LIKELY, WIDEST = 1.5, 2.0
"""Standard errors from which a turn that is not sure widens the interval, and how many times wider its fewer days may make it."""

_Z = 1.645


@dataclass(frozen=True)
class Drifts:
    """Per meter: day index where the drift begins; ``end``, the day index from which it is over, or −1 while it lasts; ``turn``, the day
    index from which one that lasts has another size, or −1; kWh per day of the drift (since it turned, if it did), its 90 % bounds, its
    share of the expected; kWh per day ``before`` it turned; shares by band; ``days`` of the calendar."""

    start: np.ndarray
    end: np.ndarray
    turn: np.ndarray
    before: np.ndarray
    kwh: np.ndarray
    low: np.ndarray
    high: np.ndarray
    share: np.ndarray
    bands: dict[str, np.ndarray]
    days: pd.DatetimeIndex


@dataclass(frozen=True)
class _Sums:
    """Of the watched days (meters, days + 1): what the days before each one add up to, kWh above the model, and how many are known."""

    kwh: np.ndarray
    days: np.ndarray

    def over(self, first: np.ndarray, stop: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Sum and count of the known days of [first, stop), arrays (meters, k)."""
        sums = (np.take_along_axis(array, stop, 1) - np.take_along_axis(array, first, 1) for array in (self.kwh, self.days))
        return next(sums), next(sums)


def drift(watched: detect.Watched, reference: int) -> Drifts:
    """The change of level that best divides the watched days in two (largest mean over its error), how much it is, and its end.

    The level just before it is taken off: what the year before had not, but the weeks before already had, is no news.
    """
    gap = np.where(watched.stopped, np.nan, watched.actual - watched.expected)
    later = gap[:, reference:]
    seen = np.isfinite(later)
    sums = _Sums(*(np.pad(np.cumsum(array, axis=1), ((0, 0), (1, 0))) for array in (np.where(seen, later, 0.0), seen.astype(int))))
    start = _start(sums, *_first_alarm(watched, reference))
    total, days = sums.over(np.zeros_like(start)[:, None], start[:, None])
    level = total[:, 0] / (days[:, 0] + NEUTRAL)
    memory, noise = lasting.noise(gap[:, :reference])
    end = _end(sums, start, level, noise * np.sqrt(memory))
    stop = np.where(end < 0, later.shape[1], end)
    foreseen = np.nan_to_num(watched.expected[:, reference:]).mean(axis=1)
    turn, likely = (np.where(end < 0, at, -1) for at in _turn(sums, start, level, noise * np.sqrt(memory), foreseen))
    # What a drift costs a month is what it costs now: one that grew is not the mean of what it was and is.
    now = np.where(turn < 0, start, turn)
    earlier, days = (array[:, 0] for array in sums.over(start[:, None], now[:, None]))
    before = np.where(turn < 0, 0.0, earlier / np.maximum(days, 1) - level)
    total, count = (array[:, 0] for array in sums.over(now[:, None], stop[:, None]))
    size = total / np.maximum(count, 1) - level
    day = np.arange(later.shape[1])
    during = seen & (day >= now[:, None]) & (day < stop[:, None])
    earliest = seen & (day < start[:, None])
    reach = _Z * np.sqrt(_variance(watched, reference, during, earliest, memory, noise))
    low, high = _with_likely(sums, start, likely, level, (size - reach, size + reach))
    awaited = np.where(during, watched.expected[:, reference:], 0.0).sum(axis=1) / np.maximum(count, 1)
    bands = {name: _share(actual[:, reference:], foreseen[:, reference:], during) for name, (actual, foreseen) in watched.bands.items()}
    for name, chosen in (("closed", watched.closed), ("open", ~watched.closed)):
        bands[name] = _share(watched.actual[:, reference:], watched.expected[:, reference:], during & chosen[reference:])
    # A total that came down while nights still sound is a building that stopped, not a drift that was mended: what it cost is what the
    # days before showed, and it goes on.
    end = np.where(_sounding(watched), -1, end)
    last, turn = (np.where(at < 0, -1, at + reference) for at in (end, turn))
    return Drifts(start + reference, last, turn, before, size, low, high, size / np.maximum(awaited, 1e-9), bands, watched.days)


def _start(sums: _Sums, first: np.ndarray, back: np.ndarray) -> np.ndarray:
    """The watched day (meters,) where the level changes best. An alarm (day ``first``, negative without one) dates the change to so many
    days ``back``; only where it comes from no level is the whole period searched."""
    total, count = sums.kwh[:, -1:] - sums.kwh[:, :-1], sums.days[:, -1:] - sums.days[:, :-1]
    level = sums.kwh[:, :-1] / (sums.days[:, :-1] + NEUTRAL)
    mean = np.divide(total, count, out=np.zeros_like(total), where=count > 0) - level
    error = np.sqrt(1 / np.maximum(count, 1) + 1 / (sums.days[:, :-1] + NEUTRAL))
    strength = np.where(count > 0, np.abs(mean) / error, -1.0)
    day, alarm, reach = np.arange(total.shape[1]), first[:, None], back[:, None]
    strength = np.where(
        (alarm >= 0) & ((day > alarm) | (day < alarm - np.maximum(reach, watch.WINDOWS[-1]) - BEFORE_ALARM)), -1.0, strength
    )
    result: np.ndarray = strength.argmax(axis=1)
    return result


def _end(sums: _Sums, start: np.ndarray, level: np.ndarray, error: np.ndarray) -> np.ndarray:
    """The watched day (meters,) from which an excess is over, −1 while it lasts. ``error`` of one day, its memory counted, kWh."""
    days = sums.kwh.shape[1] - 1
    stop = np.broadcast_to(np.arange(days), (len(start), days))
    final = np.full_like(stop, days)
    (before, known), (after, left) = sums.over(np.broadcast_to(start[:, None], stop.shape), stop), sums.over(stop, final)
    during, since = before / np.maximum(known, 1), after / np.maximum(left, 1)
    errors = error[:, None] * np.sqrt(1 / np.maximum(known, 1) + 1 / np.maximum(left, 1))
    contrast = np.where((stop > start[:, None]) & (known >= 3) & (left >= LATEST / 2), (during - since) / np.maximum(errors, 1e-9), -1.0)
    at = contrast.argmax(axis=1)
    best, size = (np.take_along_axis(array, at[:, None], 1)[:, 0] for array in (contrast, during))
    # The last known days, wherever they are: a meter silent for a week still says what it used before.
    old = np.argmax(sums.days >= sums.days[:, -1:] - LATEST, axis=1)[:, None]
    total, count = sums.over(np.maximum(old, start[:, None]), final[:, :1])
    latest = total[:, 0] / np.maximum(count[:, 0], 1) - level
    over = (size > level) & (best > 0) & ((latest <= 0) | ((latest < OVER * (size - level)) & (best > CLEAR)))
    return np.where(over, at, -1)


def _turn(sums: _Sums, start: np.ndarray, level: np.ndarray, error: np.ndarray, expected: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The watched day (meters,) from which an excess that lasts is another: a second drift upon the first, or half of it mended; −1
    without one. Then the same where it is only likely. ``error`` of one day, its memory counted, and ``expected`` kWh per day."""
    days = sums.kwh.shape[1] - 1
    day = np.broadcast_to(np.arange(days), (len(start), days))
    first, final = np.minimum(start[:, None], day), np.full_like(day, days)
    (before, known), (after, left) = sums.over(first, day), sums.over(day, final)
    rise = after / np.maximum(left, 1) - before / np.maximum(known, 1)
    errors = np.sqrt(error[:, None] ** 2 * (1 / np.maximum(known, 1) + 1 / np.maximum(left, 1)) + (MONTHLY_CHANGE * expected[:, None]) ** 2)
    contrast = np.where((known >= WEEK) & (left >= WEEK), np.abs(rise) / np.maximum(errors, 1e-9), -1.0)
    at = contrast.argmax(axis=1)
    best, moved, known_before, used = (np.take_along_axis(array, at[:, None], 1)[:, 0] for array in (contrast, rise, known, before))
    size = used / np.maximum(known_before, 1) - level
    # Both parts are an excess, and one is another than the other: not the same drift, seen with its noise.
    apart = (size > 0) & (size + moved > 0) & (np.abs(moved) > TURN_SHARE * np.maximum(size, size + moved))
    sure = (best > TURN_CLEAR) & apart
    return np.where(sure, at, -1), np.where(~sure & (best > TURN_LIKELY), at, -1)


def _with_likely(
    sums: _Sums, start: np.ndarray, likely: np.ndarray, level: np.ndarray, bounds: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """``bounds`` (meters,) of the mean excess, widened to what the days since a ``likely`` turn alone would say: too little to tell two
    drifts, enough to doubt that the mean of both is what it costs now."""
    low, high = bounds
    final = np.full((len(likely), 1), sums.kwh.shape[1] - 1)
    _, whole = sums.over(start[:, None], final)
    total, count = sums.over(np.maximum(likely, 0)[:, None], final)
    since = total[:, 0] / np.maximum(count[:, 0], 1) - level
    room = np.minimum(np.sqrt(whole[:, 0] / np.maximum(count[:, 0], 1)), WIDEST) * (high - low) / 2
    return np.where(likely >= 0, np.minimum(low, since - room), low), np.where(likely >= 0, np.maximum(high, since + room), high)


def _variance(
    watched: detect.Watched, reference: int, during: np.ndarray, before: np.ndarray, memory: np.ndarray, noise: np.ndarray
) -> np.ndarray:
    """Variance (meters,) of the mean excess of the days ``during`` less the level of the days ``before``, (kWh per day)²."""
    n, known = np.maximum(during.sum(axis=1), 1), before.sum(axis=1)
    weight = known / (known + NEUTRAL)
    days = noise**2 * (np.minimum(memory, n) / n + weight**2 * np.minimum(memory, known) / np.maximum(known, 1))
    rows, found = watched.model.rows[reference:], watched.model.found
    difference = (during @ rows) / n[:, None] - weight[:, None] * (before @ rows) / np.maximum(known, 1)[:, None]
    coefficients = memory * noise**2 * np.einsum("mp,mpq,mq->m", difference, found.inverse, difference, optimize=True)
    expected = np.where(during, watched.expected[:, reference:], 0.0).sum(axis=1) / n
    # Without a level before, habits changed since the reference year; with one, since that level only.
    habits = ((1 - weight) * savings.YEARLY_CHANGE) ** 2 + weight * MONTHLY_CHANGE**2 * np.minimum(1.0, (n + known) / 60)
    return np.asarray(days + coefficients + expected**2 * habits)


def _first_alarm(watched: detect.Watched, reference: int) -> tuple[np.ndarray, np.ndarray]:
    """Watched day (meters,) of the first level alarm of the last run of alarms, negative without one; how many days back it looks."""
    days = np.any([watched.alarms[name] for name in detect.LEVELS if name in watched.alarms], axis=0)
    result = np.full(len(days), -1)
    for i in np.flatnonzero(days.any(axis=1)):
        at = np.flatnonzero(days[i])
        new = np.flatnonzero(np.diff(at, prepend=-1000) > QUIET)
        result[i] = at[new[-1]]
    back = np.take_along_axis(watched.back, np.maximum(result, 0)[:, None], 1)[:, 0]
    return result - reference, back


def _sounding(watched: detect.Watched) -> np.ndarray:
    """Meters (meters,) of which some level alarm sounds on the last known day."""
    days = watched.actual.shape[1] - 1 - np.argmax(np.isfinite(watched.actual)[:, ::-1], axis=1)[:, None]
    levels = [np.take_along_axis(watched.alarms[name], days, 1)[:, 0] for name in detect.LEVELS if name in watched.alarms]
    return np.asarray(np.any(levels, axis=0))


def _share(actual: np.ndarray, expected: np.ndarray, during: np.ndarray) -> np.ndarray:
    """Excess of the days ``during`` over what was expected of them (meters,); NaN where nothing was."""
    chosen = during & np.isfinite(actual)
    used, foreseen = (np.where(chosen, array, 0.0).sum(axis=1) for array in (actual, expected))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(foreseen > 0, used / foreseen - 1, np.nan)
