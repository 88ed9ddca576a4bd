"""Ridge regressions of thousands of series on one design at once: linear algebra on stacks of small matrices, no loop over series.

Series share the design (the same days, the same weather) and differ by their gaps and by what is robustly set aside, which are weights.
The normal matrices of all series are then one matrix product: (series, rows) by (rows, pairs of columns).

Sources: generalised cross-validation, Golub, Heath and Wahba (Technometrics, 1979); weights, Huber (Annals of Mathematical
Statistics, 1964).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

PENALTIES = tuple(float(x) for x in np.logspace(-4, 1, 8))
"""Strengths tried, for columns of unit scale and per row of weight one."""


@dataclass(frozen=True)
class Ridge:
    """Fitted coefficients of ``m`` series on ``p`` columns.

    ``coefficients`` (m, p) in the unit of the target per unit of the design; ``penalty`` (m,) chosen; ``freedom`` (m,) effective number of
    parameters; ``rows`` (m,) weight seen; ``variance`` (m,) of the errors, freedom counted; ``inverse`` (m, p, p) of the penalised normal
    matrix: the covariance of the coefficients is ``variance * inverse``. A series without rows has NaN everywhere.
    """

    coefficients: np.ndarray
    penalty: np.ndarray
    freedom: np.ndarray
    rows: np.ndarray
    variance: np.ndarray
    inverse: np.ndarray

    def predict(self, design: np.ndarray) -> np.ndarray:
        """(m, n) from a design (n, p)."""
        result: np.ndarray = self.coefficients @ design.T
        return result

    def mean_variance(self, total: np.ndarray) -> np.ndarray:
        """Variance (m,) of the fitted value of a row, or sum of rows, ``total`` (p,) or (m, p), from the coefficients' uncertainty."""
        rows = np.broadcast_to(total, self.coefficients.shape)
        return self.variance * np.einsum("mp,mpq,mq->m", rows, self.inverse, rows, optimize=True)


def normal_matrices(design: np.ndarray, targets: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``X'WX`` (m, p, p) and ``X'Wy`` (m, p) of each series; ``targets`` and ``weights`` (m, n), a weight of 0 hides its target."""
    p = design.shape[1]
    upper = np.triu_indices(p)
    pairs = design[:, upper[0]] * design[:, upper[1]]
    flat = weights @ pairs
    gram = np.empty((len(targets), p, p))
    gram[:, upper[0], upper[1]] = flat
    gram[:, upper[1], upper[0]] = flat
    return gram, (weights * np.where(weights > 0, targets, 0.0)) @ design


def fit(
    design: np.ndarray,
    targets: np.ndarray,
    shrink: np.ndarray,
    *,
    weights: np.ndarray | None = None,
    penalties: tuple[float, ...] | np.ndarray = PENALTIES,
) -> Ridge:
    """Ridge of each series, its penalty chosen by generalised cross-validation.

    ``design`` (n, p); ``targets`` (m, n), NaN where missing; ``shrink`` (p,) relative penalty of each column, 0 for those left free;
    ``weights`` (m, n) of 0 or more, 1 by default; ``penalties`` those to choose from, or an array (m,) already chosen. Columns are
    scaled to unit mean square inside. Raises ``ValueError`` on shapes that do
    not agree.
    """
    if targets.ndim != 2 or design.ndim != 2 or targets.shape[1] != len(design) or len(shrink) != design.shape[1]:
        raise ValueError(f"design {design.shape}, targets {targets.shape} and shrink {np.shape(shrink)} do not agree")
    known = np.isfinite(targets)
    w = known.astype(float) if weights is None else np.where(known, weights, 0.0)
    scale = np.sqrt(np.mean(design**2, axis=0))
    scale = np.where(scale > 1e-12, scale, 1.0)
    gram, moment = normal_matrices(design / scale, targets, w)
    rows = w.sum(axis=1)
    square = np.einsum("mn,mn->m", w, np.where(known, targets, 0.0) ** 2)
    given = isinstance(penalties, np.ndarray)
    chosen = np.asarray(penalties) if given else _select(gram, moment, square, rows, np.asarray(shrink, dtype=float), tuple(penalties))
    inverse = np.linalg.inv(gram + chosen[:, None, None] * np.diag(shrink) * rows[:, None, None] + _jitter(gram))
    beta = np.einsum("mpq,mq->mp", inverse, moment)
    freedom = np.einsum("mpq,mqp->m", inverse, gram)
    rss = square - 2 * np.einsum("mp,mp->m", beta, moment) + np.einsum("mp,mpq,mq->m", beta, gram, beta)
    variance = np.maximum(rss, 0.0) / np.maximum(rows - freedom, 1.0)
    empty = rows <= 0
    for array in (beta, freedom, variance, inverse):
        array[empty] = np.nan
    return Ridge(beta / scale, chosen, freedom, rows, variance, inverse / np.outer(scale, scale))


def _jitter(gram: np.ndarray) -> np.ndarray:
    """A hair on the diagonal: exact collinearity (a weekday never seen) must not stop the whole stack."""
    p = gram.shape[1]
    size = np.maximum(np.trace(gram, axis1=1, axis2=2) / p, 1e-9)
    result: np.ndarray = 1e-8 * size[:, None, None] * np.eye(p)
    return result


def _select(
    gram: np.ndarray, moment: np.ndarray, square: np.ndarray, rows: np.ndarray, shrink: np.ndarray, penalties: tuple[float, ...]
) -> np.ndarray:
    """The penalty (m,) of least generalised cross-validation error."""
    best, least = np.full(len(gram), penalties[0]), np.full(len(gram), np.inf)
    jitter = _jitter(gram)
    for penalty in penalties:
        inverse = np.linalg.inv(gram + penalty * np.diag(shrink) * np.maximum(rows, 1.0)[:, None, None] + jitter)
        beta = np.einsum("mpq,mq->mp", inverse, moment)
        rss = square - 2 * np.einsum("mp,mp->m", beta, moment) + np.einsum("mp,mpq,mq->m", beta, gram, beta)
        freedom = np.einsum("mpq,mqp->m", inverse, gram)
        score = np.maximum(rss, 0.0) * rows / np.maximum(rows - freedom, 1.0) ** 2
        better = score < least
        best, least = np.where(better, penalty, best), np.where(better, score, least)
    return best


def median_known(values: np.ndarray, share: float = 0.5) -> np.ndarray:
    """Quantile ``share`` of the known values along the last axis, NaN where none is: one sort, where numpy's nan functions loop
    over rows."""
    ordered = np.sort(values, axis=-1)
    count = np.isfinite(ordered).sum(axis=-1)
    place = share * np.maximum(count - 1, 0)
    low = np.floor(place).astype(int)[..., None]
    high = np.minimum(low + 1, np.maximum(count - 1, 0)[..., None])
    part = (place - np.floor(place))[..., None]
    pick = np.take_along_axis(ordered, low, -1) * (1 - part) + np.take_along_axis(ordered, high, -1) * part
    result: np.ndarray = np.where(count > 0, pick[..., 0], np.nan)
    return result


def huber_weights(residuals: np.ndarray, clip: float = 2.5) -> np.ndarray:
    """Weights (m, n) in (0, 1]: 1 within ``clip`` robust deviations of each series, then falling; 0 where the residual is NaN."""
    known = np.isfinite(residuals)
    scale = 1.4826 * median_known(np.abs(residuals))[:, None]
    # A series that its model follows exactly has no scale: nothing stands out of it.
    ratio = np.where(known, np.abs(residuals), 0.0) / np.where(scale > 0, scale, np.inf)
    result: np.ndarray = np.where(known, clip / np.maximum(ratio, clip), 0.0)
    return result
