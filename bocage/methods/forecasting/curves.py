"""Gaussian processes of day curves: each day of a series is a vector of slots, rotated to its principal shapes.

Shapes are forecast by groups (the level; the first shapes; the rest), each group with its own covariance between days
(``kernels``). A single
Cholesky factor gives the forecast of every day from every past origin: the factor of the first m days is the corner of the whole one, so
``rolling`` costs no more than one forecast (and future values cannot reach a past one).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from bocage.methods.forecasting.kernels import PARTS, Covariance, Part, block, geometry

_LASTING_DAYS = 11
"""Days around, most of which must share a gap for it to be a level."""


@dataclass(frozen=True)
class CurveSettings:
    """``max_days`` of history; ``fit_days`` of them for the parameters, in at most ``iterations`` steps (0: priors, unlearnt);
    ``clip``: robust deviations beyond which a slot is an accident; ``warm``: days before the first rolling forecast;
    ``groups``: ends of the groups of shapes; ``logarithm``: model ratios rather than differences."""

    max_days: int = 560
    fit_days: int = 330
    iterations: int = 25
    clip: float = 6.0
    warm: int = 60
    groups: tuple[int, ...] = (1, 3, 7, 24)
    logarithm: bool = True


@dataclass(frozen=True)
class CurveTask:
    """One series. ``filled`` (days, slots) without gaps; ``measured`` (days): enough was measured that day to learn from it;
    ``day_type``, ``year_phase`` and ``covariates`` cover days + horizon; ``parts`` of the covariance that bear on covariates."""

    filled: np.ndarray
    measured: np.ndarray
    day_type: np.ndarray
    year_phase: np.ndarray
    horizon: int
    covariates: dict[str, np.ndarray] = field(default_factory=dict)
    parts: tuple[Part, ...] = ()
    settings: CurveSettings = CurveSettings()


def rolling_curves(task: CurveTask) -> np.ndarray:
    """Forecasts of every day from every origin: (horizon, days + horizon, slots), NaN where history is shorter than ``warm``.

    A top-level function of plain data: it can go to another process. One thread, so that the answer is the same there.
    """
    with one_thread():
        return _rolling(task)


@contextmanager
def one_thread() -> Iterator[None]:
    """Linear algebra on one thread, where ``threadpoolctl`` is there to ask for it."""
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        yield
        return
    with threadpool_limits(1):
        yield


def _rolling(task: CurveTask) -> np.ndarray:
    chosen, horizon = task.settings, task.horizon
    days, slots = task.filled.shape
    total = days + horizon
    result = np.full((horizon, total, slots), np.nan)
    learn = np.flatnonzero(task.measured & (np.arange(days) >= days - chosen.max_days))
    if len(learn) < chosen.warm:
        return result
    floor = 0.05 * float(np.median(task.filled[learn]))
    positive = chosen.logarithm and floor > 0
    curves = np.log(np.maximum(task.filled, floor)) if positive else task.filled
    centre = curves[learn][-120:].mean(axis=0)
    spread = _without_accidents(curves[learn] - centre, task.day_type[learn], chosen.clip)
    shapes = _principal_shapes(spread, task.day_type[learn])
    scores = spread @ shapes
    asked = np.arange(max(0, days - chosen.max_days), total)
    pairs = geometry(task.day_type, task.year_phase, task.covariates)
    forecast = np.full((horizon, len(asked), slots), np.nan)
    start = 0
    for end in sorted({min(end, slots) for end in chosen.groups} | {slots}):
        scale = scores[-200:, start:end].std(axis=0) + 1e-9
        forecast[:, :, start:end] = _group(scores[:, start:end] / scale, pairs, learn, asked, days, task) * scale
        start = end
    curve = centre + forecast @ shapes.T
    result[:, asked] = np.exp(curve) if positive else curve
    return result


def _without_accidents(curves: np.ndarray, day_type: np.ndarray, clip: float) -> np.ndarray:
    """Slots farther than ``clip`` robust deviations from the running median of days of the same type are brought back to that bound.

    Whole days that are apart, as most of the days around are, are no accident: a season begins, and its last weeks are all that is known
    of it.
    """
    usual, bound = curves.copy(), np.empty(curves.shape)
    for kind in np.unique(day_type):
        rows = np.flatnonzero(day_type == kind)
        local = _running_median(curves[rows], 9, least=3)
        usual[rows] = np.where(np.isnan(local), curves[rows], local)
        bound[rows] = clip * (1.4826 * np.median(np.abs(curves[rows] - usual[rows]), axis=0) + 1e-6)
    level = np.median(curves - usual, axis=1, keepdims=True)
    lasting = _running_median(level, _LASTING_DAYS, least=1)
    usual += np.where(np.abs(lasting) > np.median(bound, axis=1, keepdims=True), lasting, 0.0)
    result: np.ndarray = usual + np.clip(curves - usual, -bound, bound)
    return result


def _running_median(curves: np.ndarray, width: int, least: int) -> np.ndarray:
    """Median of the ``width`` rows around each; NaN where fewer than ``least`` are known."""
    import pandas as pd

    median: np.ndarray = pd.DataFrame(curves).rolling(width, center=True, min_periods=least).median().to_numpy()
    return median


def _principal_shapes(curves: np.ndarray, day_type: np.ndarray) -> np.ndarray:
    """An orthonormal basis (slots, slots): the flat shape, then the principal shapes of what days of the same type do not share."""
    slots = curves.shape[1]
    rest = curves.copy()
    for kind in np.unique(day_type):
        rows = day_type == kind
        rest[rows] -= rest[rows].mean(axis=0)
    flat = np.full((slots, 1), slots**-0.5)
    rest = rest[-200:] - rest[-200:] @ flat @ flat.T
    _, _, axes = np.linalg.svd(rest, full_matrices=True)
    shapes: np.ndarray = np.hstack([flat, axes[: slots - 1].T])
    return shapes


def _group(
    scores: np.ndarray, pairs: dict[str, np.ndarray], learn: np.ndarray, asked: np.ndarray, days: int, task: CurveTask
) -> np.ndarray:
    """Forecasts (horizon, asked, outputs) of one group of shapes from every origin."""
    from scipy.linalg import cholesky, solve_triangular

    covariance = Covariance((*PARTS, *task.parts))
    theta = covariance.prior
    if task.settings.iterations:
        recent = learn[-task.settings.fit_days :]
        theta = covariance.fit(block(pairs, recent, recent), scores[-len(recent) :], task.settings.iterations)
    known = covariance.matrix(theta, block(pairs, learn, learn))
    known[np.diag_indices(len(learn))] += covariance.noise(theta)
    factor = cholesky(known, lower=True, check_finite=False)
    whitened = solve_triangular(factor, scores, lower=True, check_finite=False)
    reach = solve_triangular(factor, covariance.matrix(theta, block(pairs, learn, asked)), lower=True, check_finite=False)
    ahead = np.arange(1, task.horizon + 1)[:, None]
    seen = np.searchsorted(learn, asked[None] - ahead + 1)  # learnt days that each forecast may know
    allowed = (seen >= task.settings.warm) & (asked[None] - ahead < days) & ((asked[None] < days) | (asked[None] - days + 1 == ahead))
    row = np.maximum(seen - 1, 0)
    result = np.full((task.horizon, len(asked), scores.shape[1]), np.nan)
    for output in range(scores.shape[1]):
        upto = np.cumsum(reach * whitened[:, output : output + 1], axis=0)
        result[:, :, output] = np.where(allowed, upto[row, np.arange(len(asked))[None]], np.nan)
    return result
