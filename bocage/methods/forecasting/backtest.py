"""Backtesting without leakage: the method is handed the past, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from bocage.methods.forecasting.panel import DayGrid


def origins(grid: DayGrid, *, first: int, last: int, every: int = 7, weekday: int | None = None) -> Iterator[int]:
    """Numbers of known days from ``first`` to ``last`` (included): all, or those whose next day is ``weekday``; one in
    ``every`` otherwise."""
    for known in range(first, last + 1, 1 if weekday is not None else every):
        if weekday is None or (grid.days[0] + np.timedelta64(known, "D")).weekday() == weekday:
            yield known


def replay(
    grid: DayGrid, method: Callable[[DayGrid], np.ndarray], known_days: Iterator[int]
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """For each origin: the days known, the forecast (horizon, slots, series), and what happened (same shape, NaN after the end)."""
    for known in known_days:
        forecast = method(grid.until(known))
        truth = np.full(forecast.shape, np.nan)
        happened = grid.values[known : known + len(forecast)]
        truth[: len(happened)] = happened
        yield known, forecast, truth


def mean_absolute_error(forecast: np.ndarray, truth: np.ndarray) -> float:
    """Mean absolute gap over the cells that were measured; NaN when none was."""
    gap = np.abs(forecast - truth)
    return float(np.nanmean(gap)) if np.isfinite(gap).any() else float("nan")


def coverage(lower: np.ndarray, upper: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Share of measured cells within the bounds, per horizon (first axis), in per cent."""
    measured = ~np.isnan(truth)
    inside = measured & (truth >= lower) & (truth <= upper)
    axes = tuple(range(1, truth.ndim))
    share: np.ndarray = 100 * inside.sum(axis=axes) / np.maximum(measured.sum(axis=axes), 1)
    return share
