"""Intervals from past out-of-sample errors (split conformal prediction, weighted by recency: Barber et al., 2023).

Errors are ratios (logarithms) where a series is positive: a volume that doubles errs twice as much. Each slot of the day has its own
scale, half shared with the other slots; each series and each number of days ahead has its own quantile.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class IntervalSettings:
    """``window`` days of errors, of weight halved every ``half_life`` days. ``level`` is the coverage asked for,
    ``margin`` what is added to it:
    the base was fitted on part of these days, so its past errors flatter it a little (set on backtests before any evaluation)."""

    level: float = 0.90
    margin: float = 0.015
    window: int = 112
    half_life: float = 28.0
    own_slot: float = 0.5


@dataclass(frozen=True)
class Band:
    """Half-widths ``reach`` (horizon, slots, series), relative where ``logarithm`` (series) says so, else absolute. NaN where there were
    too few errors to say, even at a shorter horizon."""

    reach: np.ndarray
    logarithm: np.ndarray

    def around(self, centre: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper bounds around ``centre`` (horizon, slots, series), which they always hold."""
        with np.errstate(over="ignore"):
            ratio = np.where(self.logarithm, np.exp(self.reach), 1.0)
        apart = np.where(self.logarithm, 0.0, self.reach)
        one, two = centre / ratio - apart, centre * ratio + apart
        return np.minimum(one, two), np.maximum(one, two)  # the ratios of a centre below zero come in the other order


def calibrate(values: np.ndarray, rolling: np.ndarray, settings: IntervalSettings | None = None) -> Band:
    """The band that covered the past: ``values`` (days, slots, series) with NaN, ``rolling`` (horizon, days + horizon, slots, series).

    Each series is judged alone: what another measured changes nothing.
    """
    chosen = settings or IntervalSettings()
    days = len(values)
    window = slice(max(0, days - chosen.window), days)
    logarithm = _positive(values[window], (0, 1)) & _positive(rolling[:, window], (0, 1, 2))
    reach = np.full((len(rolling), *values.shape[1:]), np.nan)
    weight = np.exp2((np.arange(days)[window] - days + 1) / chosen.half_life)
    for k in range(len(rolling)):
        error = _errors(values[window], rolling[k, :days][window], logarithm)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            own = np.nanmean(error**2, axis=0)
            shared = np.nanmean(own, axis=0)
        # A slot that is never measured has the scale of the others.
        scale = np.sqrt(chosen.own_slot * np.where(np.isnan(own), shared, own) + (1 - chosen.own_slot) * shared)
        for s in range(values.shape[2]):
            ratio = np.abs(error[:, :, s]) / (scale[:, s] + 1e-12)
            reach[k, :, s] = scale[:, s] * _weighted_quantile(ratio, weight, min(0.999, chosen.level + chosen.margin))
        if k:
            # Too few errors that far ahead: as wide as the farthest horizon that has enough.
            reach[k] = np.where(np.isnan(reach[k]), reach[k - 1], reach[k])
    return Band(reach, logarithm)


def _positive(array: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """Whether all that is known of each series (last axis) is above zero."""
    positive: np.ndarray = ((array > 0) | np.isnan(array)).all(axis=axes)
    return positive


def _errors(values: np.ndarray, foreseen: np.ndarray, logarithm: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(logarithm, np.log(values / foreseen), values - foreseen)


def _weighted_quantile(table: np.ndarray, weight: np.ndarray, level: float) -> float:
    """Quantile of the known cells of ``table`` (days, slots), days weighing ``weight``; NaN under twenty cells."""
    known = ~np.isnan(table)
    if known.sum() < 20:
        return float("nan")
    cells = table[known]
    mass = np.broadcast_to(weight[:, None], table.shape)[known]
    order = np.argsort(cells, kind="stable")
    share = np.cumsum(mass[order]) / mass.sum()
    return float(cells[order][min(np.searchsorted(share, level), len(cells) - 1)])
