"""Possible bursts: an inflow that leaves what was forecast before it, stays out, and stays out at night.

A burst adds about the same flow at every hour. So, over the last days, each hour is compared with its forecast *made before those days
began* (a burst must not teach the forecast that would reveal it), and the excess must hold for half a day at least, night included, by more
than any half-day of the past months did. The last two days tell small bursts; the last seven tell those that began earlier and still run.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from bocage.methods.forecasting.pipeline import Prediction

WATCHED_DAYS = (2, 7)
"""The last days in which a burst is looked for. None before: no forecast is made more than a week ahead, and later ones know the burst."""

_STEP = 2
"""Days between the past dates at which excesses are measured."""

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
    """Alerts at the end of ``raw`` (days, 24, series), at most one per series: the one that stands out most.

    ``sensitivity`` is the ratio to the largest past excess from which one is told. Series without 28 days of past forecasts are not judged.
    """
    alerts = []
    for s in range(raw.shape[2]):
        found = [_watch(raw[:, :, s], prediction, s, watched) for watched in WATCHED_DAYS]
        told = [alert for alert in found if alert is not None and alert.ratio >= sensitivity]
        alerts += sorted(told, key=lambda alert: -alert.ratio)[:1]
    return alerts


def _watch(curve: np.ndarray, prediction: Prediction, series: int, watched: int) -> Alert | None:
    """The excess that ends the last ``watched`` days of ``curve`` (days, 24), whatever its size."""
    usual = _record(prediction, series, len(curve), watched)
    if usual is None:
        return None
    expected = _as_forecast_before(prediction.rolling[:, :, :, series], len(curve), watched)
    width = prediction.band.reach[:watched, :, series]
    upper = expected * np.exp(width) if prediction.band.logarithm[series] else expected + width
    return _last_excess(curve, expected.reshape(-1), upper.reshape(-1), usual, series)


def _as_forecast_before(rolling: np.ndarray, days: int, watched: int) -> np.ndarray:
    """The last ``watched`` days (watched, 24), as forecast on the eve of the first of them."""
    return np.stack([rolling[k, days - watched + k] for k in range(watched)])


def _record(prediction: Prediction, series: int, days: int, watched: int) -> float | None:
    """The largest mean excess over ``SUSTAINED_HOURS`` hours in the past, watched in the same way; None when too little is known."""
    largest, judged = 0.0, 0
    for origin in range(max(watched, days - PAST_DAYS), days - watched + 1, _STEP):
        expected = _as_forecast_before(prediction.rolling[:, :, :, series], origin, watched)
        gap = (prediction.values[origin - watched : origin, :, series] - expected).reshape(-1)
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


def _last_excess(curve: np.ndarray, awaited: np.ndarray, upper: np.ndarray, usual: float, series: int) -> Alert | None:
    """The longest stretch that ends with the data, begins above its interval and stays above the forecast. ``awaited`` and ``upper``: the
    last hours."""
    seen = curve.reshape(-1)[-len(awaited) :]
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
    first = curve.size - len(awaited)
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
