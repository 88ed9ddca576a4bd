"""Possible bursts: an inflow that leaves what was forecast before it, stays out, and stays out at night.

A burst adds about the same flow at every hour. So, over the last days, each hour is compared with its forecast *made
before those days began*
(a burst must not teach the forecast that would reveal it), and the excess must hold for half a day at least, night included, by more than
any half-day of the past months did.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from bocage.methods.forecasting.pipeline import Prediction

WATCHED_DAYS = 2
"""The last days in which a burst is looked for."""

SUSTAINED_HOURS = 12
"""Shortest excess that is told."""

NIGHT = (1, 5)
"""Hours of lowest use, from 1 a.m. to before 5 a.m."""

PAST_DAYS = 112
"""Days of past excesses to which the present one is compared."""


@dataclass(frozen=True)
class Alert:
    """``series`` index; ``start`` and ``end``: hours since the grid's first midnight; flows in m³/h; ``ratio`` to the
    largest past excess."""

    series: int
    start: int
    end: int
    excess: float
    night_excess: float | None
    observed: float
    expected: float
    upper: float
    ratio: float


def find(raw: np.ndarray, prediction: Prediction, sensitivity: float = 1.0) -> list[Alert]:
    """Alerts at the end of ``raw`` (days, 24, series), at most one per series.

    ``sensitivity`` is the ratio to the largest past excess from which one is told. Series without 28 days of past forecasts are not judged.
    """
    days = len(raw)
    alerts = []
    for s in range(raw.shape[2]):
        expected = _as_forecast_before(prediction.rolling[:, :, :, s], days, WATCHED_DAYS)
        usual = _record(prediction, s, days)
        if usual is None:
            continue
        alert = _last_excess(raw[:, :, s], expected, prediction.band.reach[:, :, s], prediction.band.logarithm, usual, s)
        if alert is not None and alert.ratio >= sensitivity:
            alerts.append(alert)
    return alerts


def _as_forecast_before(rolling: np.ndarray, days: int, watched: int) -> np.ndarray:
    """The last ``watched`` days (watched, 24), as forecast on the eve of the first of them."""
    return np.stack([rolling[k, days - watched + k] for k in range(watched)])


def _record(prediction: Prediction, series: int, days: int) -> float | None:
    """The largest mean excess over ``SUSTAINED_HOURS`` hours in the past, watched in the same way; None when too little is known."""
    largest, judged = 0.0, 0
    for origin in range(max(WATCHED_DAYS, days - PAST_DAYS), days - WATCHED_DAYS + 1, WATCHED_DAYS):
        expected = _as_forecast_before(prediction.rolling[:, :, :, series], origin, WATCHED_DAYS)
        gap = (prediction.values[origin - WATCHED_DAYS : origin, :, series] - expected).reshape(-1)
        if np.isnan(gap).mean() > 0.5:
            continue
        judged += 1
        largest = max(largest, float(np.max(_means(gap), initial=0.0)))
    return largest if judged >= 14 and largest > 0 else None


def _means(gap: np.ndarray) -> np.ndarray:
    """Mean of every window of ``SUSTAINED_HOURS`` hours of which nine in twelve were measured."""
    windows = np.lib.stride_tricks.sliding_window_view(gap, SUSTAINED_HOURS)
    enough = (~np.isnan(windows)).mean(axis=1) >= 0.75
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        means: np.ndarray = np.nanmean(windows, axis=1)[enough]
    return means


def _last_excess(curve: np.ndarray, expected: np.ndarray, reach: np.ndarray, logarithm: bool, usual: float, series: int) -> Alert | None:
    """The longest stretch that ends with the data, begins above its interval and stays above the forecast."""
    days = len(curve)
    seen, awaited = curve[-WATCHED_DAYS:].reshape(-1), expected.reshape(-1)
    width = reach[:WATCHED_DAYS].reshape(-1)
    upper = awaited * np.exp(width) if logarithm else awaited + width
    known = np.flatnonzero(~np.isnan(seen) & ~np.isnan(upper))
    if len(known) < SUSTAINED_HOURS:
        return None
    end = int(known[-1]) + 1
    outside = seen > upper
    gap = seen - awaited
    best: tuple[float, int] | None = None
    for start in known[outside[known]]:
        hours = known[known >= start]
        if len(hours) < SUSTAINED_HOURS or (gap[hours] <= 0).mean() > 0.1 or outside[hours].mean() < 0.5:
            continue
        strength = float(gap[hours].mean()) * len(hours) ** 0.5
        if best is None or strength > best[0]:
            best = (strength, int(start))
    if best is None:
        return None
    hours = known[known >= best[1]]
    at_night = hours[(hours % 24 >= NIGHT[0]) & (hours % 24 < NIGHT[1])]
    night = float(gap[at_night].mean()) if len(at_night) else None
    excess = float(gap[hours].mean())
    if night is not None and night < 0.5 * excess:
        return None  # people, not a pipe: a burst flows at night as well
    first = (days - WATCHED_DAYS) * 24
    return Alert(
        series=series,
        start=first + best[1],
        end=first + end,
        excess=excess,
        night_excess=night,
        observed=float(seen[hours].mean()),
        expected=float(awaited[hours].mean()),
        upper=float(upper[hours].mean()),
        ratio=excess / usual,
    )
