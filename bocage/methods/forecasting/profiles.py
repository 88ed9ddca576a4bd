"""Seasonal naives and weekly profiles: the methods that any other must beat, and what remains when history is short."""

from __future__ import annotations

import numpy as np


def same_days_before(filled: np.ndarray, horizon: int, weeks: int = 1) -> np.ndarray:
    """Mean of the same weekday over the last ``weeks`` weeks: (horizon, slots, series) from gap-free (days, slots, series)."""
    steps = np.arange(horizon)
    days = len(filled)
    rows = [days - 7 * (steps // 7 + 1 + w) + steps % 7 + 7 * (steps // 7) for w in range(weeks)]
    return np.mean([filled[np.maximum(r, 0)] for r in rows], axis=0)


def rolling_profile(filled: np.ndarray, day_type: np.ndarray, horizon: int, half_life: float = 3.0) -> np.ndarray:
    """Exponentially weighted mean of days of the same type, from every origin: (horizon, days + horizon, slots, series).

    ``day_type`` (days + horizon) is 0 to 6, holidays counted as Sundays; ``half_life`` is in days of that type. Until a type is first
    met, the mean of the days seen so far stands in. NaN before the first origin and beyond ``horizon``.
    """
    days, total = len(filled), len(filled) + horizon
    keep = np.exp2(-1 / half_life)
    shape = filled.shape[1:]
    result = np.full((horizon, total, *shape), np.nan)
    sums, weights = np.zeros((7, *shape)), np.zeros(7)
    running = np.zeros(shape)
    for origin in range(1, days + 1):
        kind = day_type[origin - 1]
        sums[kind] = keep * sums[kind] + filled[origin - 1]
        weights[kind] = keep * weights[kind] + 1
        running += (filled[origin - 1] - running) / min(origin, 28)
        for k in range(1, horizon + 1):
            day = origin - 1 + k
            kind = day_type[day]
            # One day's worth of the general mean steadies a type that was hardly seen.
            result[k - 1, day] = (sums[kind] + 0.3 * running) / (weights[kind] + 0.3) if weights[kind] < 1.5 else sums[kind] / weights[kind]
    return result


def coming_days(rolling: np.ndarray) -> np.ndarray:
    """The forecast of the coming days within a rolling array: (horizon, slots, series)."""
    horizon = len(rolling)
    days = rolling.shape[1] - horizon
    return np.stack([rolling[k, days + k] for k in range(horizon)])
