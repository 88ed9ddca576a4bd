"""When did the nights or the base load of a meter leave their habits? Residuals of the daily models, day by day, against their own past.

Each stream is put in units of its own usual error, freed of its slow drift, and
summed over windows of 1 to 7 days. An alarm is a sum above a floor *and* above every sum of the reference period, times a margin: a meter
that is often odd must be odder than ever. The floors and margin were set on simulated buildings and on years that the benchmark does not
score (docs/bench).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from bocage.methods.regression import median_known

WINDOWS = (1, 2, 3, 7)
HALF_LIFE = 21.0
LAG = 7
"""Days after which a new level begins to be taken as a habit, and its half-life: the alarm has been given by then."""

COMMON = 0.03
"""Part of a meter's past readings from which a value is one of its usual ones."""


@dataclass(frozen=True)
class Limits:
    """``floor`` per window of ``WINDOWS``, in usual errors; ``margin`` on the record of the reference; ``least`` change in share of
    the expected."""

    floor: tuple[float, ...] = (6.0, 5.5, 5.0, 4.5)
    margin: float = 1.4
    least: float = 0.05


@dataclass(frozen=True)
class Stream:
    """Residuals of one quantity: ``scores`` and ``shares`` (meters, days)."""

    scores: np.ndarray
    shares: np.ndarray


def stream(actual: np.ndarray, awaited: np.ndarray, groups: np.ndarray, reference: int) -> Stream:
    """Standardised residuals of ``actual`` (meters, days) against ``awaited``.

    ``groups`` (days,) tells day types apart (their errors have their own size, learnt on days before ``reference``).
    """
    level = np.nanmean(awaited[:, :reference], axis=1, keepdims=True)
    size = np.maximum(awaited, 0.1 * np.maximum(level, 1e-9))
    share = (actual - awaited) / size
    score = np.full(share.shape, np.nan)
    for group in np.unique(groups):
        chosen = groups == group
        past = share[:, chosen & (np.arange(len(groups)) < reference)]
        spread = 1.4826 * median_known(np.abs(past))[:, None] if past.shape[1] else np.full((len(share), 1), np.nan)
        score[:, chosen] = share[:, chosen] / np.maximum(spread, 0.01)
    return Stream(_undrifted(score), share)


def _undrifted(score: np.ndarray) -> np.ndarray:
    """Scores minus their slow level as known ``LAG`` days before; a missing day pulls that level to zero."""
    keep = 0.5 ** (1 / HALF_LIFE)
    seen = np.where(np.isfinite(score), np.clip(score, -3, 3), 0.0)
    level = np.zeros(score.shape)
    level[:, LAG + 1 :] = lfilter([1 - keep], [1, -keep], seen[:, : -LAG - 1], axis=1)
    result: np.ndarray = score - level
    return result


def rolling(scores: np.ndarray, window: int) -> np.ndarray:
    """Sum of the last ``window`` scores over the square root of how many are known; NaN under half of them."""
    known = np.isfinite(scores)
    total = np.cumsum(np.where(known, np.clip(scores, -20, 20), 0.0), axis=1)
    count = np.cumsum(known, axis=1)
    total[:, window:] -= total[:, :-window].copy()
    count[:, window:] -= count[:, :-window].copy()
    result: np.ndarray = np.where(count > window / 2, total / np.sqrt(np.maximum(count, 1)), np.nan)
    return result


def alarms(found: Stream, reference: int, limits: Limits = Limits()) -> np.ndarray:
    """(meters, days) bool: the stream stands above its floor and its record, from day ``reference`` on."""
    result = np.zeros(found.scores.shape, dtype=bool)
    later = np.arange(found.scores.shape[1]) >= reference
    for window, floor in zip(WINDOWS, limits.floor, strict=True):
        sums = rolling(found.scores, window)
        record = np.nanmax(np.where(later, -np.inf, np.nan_to_num(sums, nan=-np.inf)), axis=1, keepdims=True)
        share = rolling(found.shares, window) / np.sqrt(window)
        above = (sums > np.maximum(floor, limits.margin * record)) & (share > limits.least) & later
        result |= above
    return result


def stuck(kwh: np.ndarray, hours: int = 10) -> np.ndarray:
    """(meters, days) bool: the day ends a run of ``hours`` equal readings or more. ``kwh`` (meters, days, 24)."""
    flat = kwh.reshape(len(kwh), -1)
    same = np.zeros(flat.shape, dtype=bool)
    same[:, 1:] = flat[:, 1:] == flat[:, :-1]
    run = np.cumsum(same, axis=1)
    held = np.zeros(flat.shape, dtype=bool)
    held[:, hours - 1 :] = (run[:, hours - 1 :] - run[:, : -(hours - 1)]) == hours - 1
    return held.reshape(kwh.shape).any(axis=2)


def common_values(kwh: np.ndarray, days: np.ndarray, reference: int) -> np.ndarray:
    """(meters, days) bool: those of ``days`` whose commonest reading made ``COMMON`` of the readings before ``reference``, or more.

    A gas index in whole cubic metres moves by 11 kWh at a time: in summer it shows the same two or three figures, and repeats them by
    chance. ``kwh`` (meters, days) or (meters, days, 24); ``days`` (meters, days).
    """
    result = np.zeros(days.shape, dtype=bool)
    for meter in np.flatnonzero(days.any(axis=1)):
        past = kwh[meter, :reference]
        known = np.sort(past[np.isfinite(past)])
        for day in np.flatnonzero(days[meter]):
            values, counts = np.unique(kwh[meter, day], return_counts=True)
            at = values[np.argmax(counts)]
            seen = np.searchsorted(known, at, "right") - np.searchsorted(known, at, "left")
            result[meter, day] = seen >= COMMON * max(len(known), 1)
    return result


def clock_slip(actual: np.ndarray, awaited: np.ndarray) -> np.ndarray:
    """(meters, days) float: how much better the day's curve fits when moved by an hour (log ratio of squared gaps), the better of both."""
    flat, foreseen = actual.reshape(len(actual), -1), awaited.reshape(len(awaited), -1)
    gaps = []
    for step in (0, 1, -1):
        gap = (flat - np.roll(foreseen, step, axis=1)) ** 2
        gaps.append(np.nansum(gap.reshape(actual.shape), axis=2))
    with np.errstate(divide="ignore", invalid="ignore"):
        result: np.ndarray = np.log(gaps[0] / np.minimum(gaps[1], gaps[2]))
    return np.where(np.isfinite(result), result, 0.0)
