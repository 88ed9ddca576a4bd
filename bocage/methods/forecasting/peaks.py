"""Accidents: hours far above what the same hours of the weeks around would be (a burst, a fire hydrant). They teach nothing.

What is far above winter may be summer, and what is far above other hours may be Monday's market: so each hour is compared with the same
hour of the days around, and of the same weekday over the four weeks before and after. And what lasts is no accident but a level, whatever
made it.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

WEEKS_AROUND = 4
DAYS_AROUND = 6

LONGEST_DAYS = 3
"""Days in a row beyond which what looked like an accident is a level: a season, a new subscriber, a leak that runs on."""

_LEAST = 0.2
"""A series that hardly moves has no spread to speak of: a fifth of its level stands in."""


def accidents(values: np.ndarray, strength: float) -> np.ndarray:
    """Whether each cell of ``values`` (days, slots, series; NaN unknown) is an accident: over ``strength`` robust deviations above both the
    whole series and what is usual then, for ``LONGEST_DAYS`` days in a row at most. Bool, of the same shape."""
    found = np.zeros(values.shape, dtype=bool)
    for s in range(values.shape[2]):
        curve = values[:, :, s]
        known = curve[~np.isnan(curve)]
        if not len(known):
            continue
        centre = np.median(known)
        suspect = curve > _limit(centre, np.median(np.abs(known - centre)), strength)
        if suspect.any():
            found[:, :, s] = _without_long(suspect & (curve > _usual_limit(curve, strength)))
    return found


def _limit(centre: np.ndarray, spread: np.ndarray, strength: float) -> np.ndarray:
    limit: np.ndarray = centre + np.fmax(strength * spread, _LEAST * np.abs(centre))
    return limit


def _usual_limit(curve: np.ndarray, strength: float) -> np.ndarray:
    """What is usual at each hour of these weeks, and its deviations: the highest of three views."""
    usual, apart = _same_hours(curve)
    level, spread = _all_hours(curve)
    near = _median(curve, 2 * DAYS_AROUND + 1, least=1)
    return _limit(np.fmax(np.fmax(usual, level), near), np.fmax(apart, spread), strength)


def _same_hours(curve: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Median, and median deviation, of the same slot on the same weekday of the weeks around: (days, slots) each, NaN under three."""
    usual, apart = np.full(curve.shape, np.nan), np.full(curve.shape, np.nan)
    for weekday in range(min(7, len(curve))):
        usual[weekday::7] = _median(curve[weekday::7], 2 * WEEKS_AROUND + 1, least=3)
        apart[weekday::7] = _median(np.abs(curve[weekday::7] - usual[weekday::7]), 2 * WEEKS_AROUND + 1, least=3)
    return usual, apart


def _all_hours(curve: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Median, and median deviation, of all slots of the weeks around: (days, slots) each."""
    width = (14 * WEEKS_AROUND + 1) * curve.shape[1]
    flat = curve.reshape(-1, 1)
    level = _median(flat, width, least=1)
    spread = _median(np.abs(flat - level), width, least=1)
    return level.reshape(curve.shape), spread.reshape(curve.shape)


def _median(columns: np.ndarray, width: int, least: int) -> np.ndarray:
    """Median of the ``width`` rows around each, of those known when they are ``least`` or more."""
    median: np.ndarray = pd.DataFrame(columns).rolling(width, center=True, min_periods=least).median().to_numpy()
    return median


def _without_long(cells: np.ndarray) -> np.ndarray:
    """``cells`` (days, slots) bool, less those of more than ``LONGEST_DAYS`` days in a row."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], cells.any(axis=1), [False]]).astype(int)))
    result = cells.copy()
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        if stop - start > LONGEST_DAYS:
            result[start:stop] = False
    return result
