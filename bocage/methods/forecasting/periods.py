"""Months and quarters: many short seasonal series, forecast by one Gaussian process whose covariance they share.

A short series (tens of values) cannot teach its own memory; hundreds of them together can. Each series keeps its own level, scale and
values; only the parameters of the covariance (how long a level lasts, how long a season lasts, how much is noise) are learnt from all of
them by marginal likelihood (``kernels``). Intervals come from the errors that the same parameters made at past origins.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bocage.methods.forecasting.kernels import Covariance, Part

PARTS = (
    Part(0.5, memory=200.0),  # a level that lasts
    Part(0.3, memory=20.0),  # a level of some years
    Part(0.1, memory=3.0),  # last period
    Part(0.3, match="same_season", memory=200.0),  # a season that lasts
    Part(0.1, match="same_season", memory=20.0),  # a season that drifts
)
LEAST_SEASONS = 3
"""Whole seasons (years) under which nothing can be said of both a season and its noise."""

CALIBRATION = 16
"""Past origins whose errors make the intervals."""


@dataclass(frozen=True)
class PeriodForecast:
    """Arrays (horizon, series): ``value``, ``lower``, ``upper``, and ``usual``: the same period of the year before."""

    value: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    usual: np.ndarray


def forecast_periods(values: np.ndarray, season: int, horizon: int, *, level: float = 0.8, iterations: int = 40) -> PeriodForecast:
    """Forecast the ``horizon`` periods after ``values`` (periods, series; NaN where missing; counts, never negative).

    ``season``: periods in a year (4 or 12). ``level``: coverage of the intervals. Raises ``ValueError`` under ``LEAST_SEASONS`` seasons.
    """
    periods = len(values)
    if periods < LEAST_SEASONS * season:
        raise ValueError(f"{periods} periods, fewer than {LEAST_SEASONS * season}")
    filled = _filled(values, season)
    centre, scale = filled.mean(axis=0), filled.std(axis=0) + 1e-9
    scores = (filled - centre) / scale
    pairs = _geometry(periods + horizon, season)
    covariance = Covariance(PARTS)
    theta = covariance.prior
    if iterations:
        chosen = np.flatnonzero(filled.std(axis=0) > 0)
        if len(chosen):
            theta = covariance.fit(_upto(pairs, periods), np.clip(scores[:, chosen], -5, 5), iterations)
    whole = covariance.matrix(theta, pairs)
    noise = covariance.noise(theta)
    value = np.maximum(centre + scale * _ahead(whole, noise, scores, periods, horizon), 0.0)
    lower, upper = _bounds(value, values, filled, whole, noise, horizon, level)
    return PeriodForecast(value, lower, upper, same_period_before(filled, season, horizon))


def same_period_before(filled: np.ndarray, season: int, horizon: int) -> np.ndarray:
    """The same period of the last known year (seasonal naive): (horizon, series)."""
    rows = [len(filled) - season + k % season for k in range(horizon)]
    return np.asarray(filled[rows])


def _geometry(total: int, season: int) -> dict[str, np.ndarray]:
    position = np.arange(total)
    gap = position[:, None] - position[None]
    return {"gap": np.abs(gap), "same_season": (gap % season == 0).astype(float)}


def _upto(pairs: dict[str, np.ndarray], periods: int) -> dict[str, np.ndarray]:
    return {name: matrix[:periods, :periods] for name, matrix in pairs.items()}


def _filled(values: np.ndarray, season: int) -> np.ndarray:
    """NaN replaced by the mean of the same season's nearest known values, else by the series' mean."""
    filled = values.copy()
    for s in range(values.shape[1]):
        for t in np.flatnonzero(np.isnan(values[:, s])):
            alike = np.arange(t % season, len(values), season)
            alike = alike[~np.isnan(values[alike, s])]
            near = alike[np.argsort(np.abs(alike - t), kind="stable")[:2]]
            known = values[~np.isnan(values[:, s]), s]
            filled[t, s] = values[near, s].mean() if len(near) else (known.mean() if len(known) else 0.0)
    return filled


def _ahead(whole: np.ndarray, noise: float, scores: np.ndarray, known: int, horizon: int) -> np.ndarray:
    """Forecasts (horizon, series), in units of each series, from the first ``known`` periods."""
    from scipy.linalg import cho_factor, cho_solve

    factor = cho_factor(whole[:known, :known] + noise * np.eye(known), lower=True, check_finite=False)
    ahead = whole[known : known + horizon, :known]
    forecast: np.ndarray = ahead @ cho_solve(factor, scores[:known], check_finite=False)
    return forecast


def _bounds(
    value: np.ndarray, values: np.ndarray, filled: np.ndarray, whole: np.ndarray, noise: float, horizon: int, level: float
) -> tuple[np.ndarray, np.ndarray]:
    """Bounds from past errors: each series has its scale, half shared with the others; each horizon has its quantile."""
    periods = len(values)
    errors = np.full((CALIBRATION, horizon, values.shape[1]), np.nan)
    for i, known in enumerate(range(max(periods - CALIBRATION, periods // 2), periods)):
        past = filled[:known]
        centre, scale = past.mean(axis=0), past.std(axis=0) + 1e-9
        steps = min(horizon, periods - known)
        forecast = centre + scale * _ahead(whole, noise, (past - centre) / scale, known, steps)
        errors[i, :steps] = np.abs(values[known : known + steps] - np.maximum(forecast, 0.0))
    usual = filled.std(axis=0) + 1e-9
    own = np.sqrt(np.nan_to_num(np.nanmean(errors**2, axis=(0, 1)), nan=1.0)) / usual
    unit = usual * np.sqrt(0.75 * own**2 + 0.25 * np.median(own) ** 2)
    reach = np.empty_like(value)
    pooled = errors / unit
    for k in range(horizon):
        known_errors = pooled[:, k][~np.isnan(pooled[:, k])]
        everything = pooled[~np.isnan(pooled)]
        reach[k] = np.quantile(known_errors if len(known_errors) >= 20 else everything, level)
    reach = np.maximum.accumulate(reach, axis=0) * unit
    return np.maximum(value - reach, 0.0), value + reach
