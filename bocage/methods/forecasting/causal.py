"""Gaussian processes over days that need not follow each other, forecast from every past origin in one factorisation.

Days are put in the order of time. The Cholesky factor of the first k days is then the first block of the factor of all days, so one
factorisation and one triangular solve give the forecast of *every* day from what was known ``lead`` days before it (Rasmussen and
Williams, Gaussian Processes for Machine Learning, 2006, ch. 2). Several outputs share the covariance: hundreds of sites cost little
more than one. A missing value is replaced by what was forecast of it, which is
nearly as if the day had not been; a value farther from its forecast than ``clip``
deviations is brought back to that limit. What a day brings is judged by what was known the day before, never by what came after.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bocage.methods.forecasting.kernels import Covariance

Pairs = Mapping[str, np.ndarray]
"""Matrices (days, days): integer ``gap`` in days, and one per ``match`` of the parts (``Covariance.terms``)."""

CALM_DAYS = 30
"""Days' worth of the usual noise against which that of a time of the year is heard."""

LEAST_UNREST = 0.3
"""No time of the year has less than this part of the usual variance of noise, nor more than its inverse."""


def among(pairs: Pairs, rows: np.ndarray, columns: np.ndarray) -> dict[str, np.ndarray]:
    """The same matrices between two sets of days."""
    at = np.ix_(rows, columns)
    return {name: matrix[at] for name, matrix in pairs.items()}


def learn(covariance: Covariance, pairs: Pairs, targets: np.ndarray, days: np.ndarray, iterations: int, *, outputs: int = 60) -> np.ndarray:
    """Parameters of highest posterior on ``days``; ``targets`` (all days, outputs), of about unit variance, NaN where unknown.

    Only the outputs known on four fifths of those days teach, ``outputs`` of them at most, evenly drawn. The prior when there are none,
    when ``iterations`` is 0 or under thirty days.
    """
    known = np.isfinite(targets[days])
    able = np.flatnonzero(known.mean(axis=0) >= 0.8) if len(days) else np.array([], dtype=int)
    if iterations == 0 or len(days) < 30 or not len(able):
        return covariance.prior
    chosen = able[np.linspace(0, len(able) - 1, min(outputs, len(able))).round().astype(int)]
    complete = np.where(known[:, chosen], np.clip(targets[np.ix_(days, chosen)], -4, 4), 0.0)
    return covariance.fit(among(pairs, days, days), complete, iterations)


@dataclass(frozen=True)
class Filtered:
    """What the past taught: ``days`` (n) positions in time order, ``lower`` (n, n) Cholesky factor, ``surprise`` (n, outputs): how far
    each day was from its forecast of the day before, in deviations; ``unrest`` (all days): how many times the usual noise each day has."""

    covariance: Covariance
    theta: np.ndarray
    pairs: Pairs
    days: np.ndarray
    lower: np.ndarray
    surprise: np.ndarray
    unrest: np.ndarray

    def forecast(self, wanted: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean (wanted, outputs) and standard deviation (wanted; noise included) of the days ``wanted``, the first ``known`` (wanted)
        days of the past being known."""
        from scipy.linalg import solve_triangular

        cross = self.covariance.matrix(self.theta, among(self.pairs, self.days, wanted))
        weights = solve_triangular(self.lower, cross, lower=True, check_finite=False)
        weights[np.arange(len(self.days))[:, None] >= known[None]] = 0.0
        # The variance of a day before any other is known: parts that match are one on the diagonal unless their matrix says otherwise.
        prior = np.array([self.covariance.matrix(self.theta, among(self.pairs, d[None], d[None]))[0, 0] for d in wanted])
        variance = prior + self.covariance.noise(self.theta) * self.unrest[wanted] - (weights**2).sum(axis=0)
        return weights.T @ self.surprise, np.sqrt(np.maximum(variance, 1e-12))

    def contributions(self, day: int, known: int) -> np.ndarray:
        """How much each part of the covariance adds to the forecast of ``day``: (parts, outputs). They add up to its mean."""
        from scipy.linalg import solve_triangular

        size = self.surprise.shape[1]
        if known == 0:
            return np.zeros((len(self.covariance.parts), size))
        alpha = solve_triangular(self.lower[:known, :known].T, self.surprise[:known], lower=False, check_finite=False)
        terms = self.covariance.terms(self.theta, among(self.pairs, np.array([day]), self.days[:known]))
        return np.concatenate([term @ alpha for term in terms])


def filtered(
    covariance: Covariance,
    theta: np.ndarray,
    pairs: Pairs,
    targets: np.ndarray,
    days: np.ndarray,
    clip: float = 4.0,
    unrest: np.ndarray | None = None,
) -> Filtered:
    """Learn ``targets`` (all days, outputs), NaN where unknown, on ``days`` (positions, in the order of time). ``unrest`` (all days): how
    many times the usual variance of noise each day has, 1 by default."""
    times = np.ones(len(targets)) if unrest is None else unrest
    matrix = covariance.matrix(theta, among(pairs, days, days))
    matrix[np.diag_indices(len(days))] += covariance.noise(theta) * times[days]
    lower = np.linalg.cholesky(matrix) if len(days) else matrix
    surprise = np.zeros((len(days), targets.shape[1]))
    for t, day in enumerate(days):
        gap = (targets[day] - lower[t, :t] @ surprise[:t]) / lower[t, t]
        surprise[t] = np.where(np.isfinite(gap), np.clip(gap, -clip, clip), 0.0)
    return Filtered(covariance, theta, pairs, days, lower, surprise, times)


def season_unrest(process: Filtered, known: np.ndarray, likeness: np.ndarray, taught: np.ndarray) -> np.ndarray:
    """(all days) How many times its usual variance the noise has around that time of the year, from the surprises of the days ``taught``.

    Each of them counts by its mean square over its ``known`` outputs (all days, outputs); ``likeness`` (all days, all days) of two times
    of the year. ``CALM_DAYS`` of the usual noise are added to what each time of the year has shown: a few days prove nothing.
    """
    square = np.where(known[process.days], np.clip(process.surprise, -3.0, 3.0) ** 2, 0.0).sum(axis=1)
    seen = np.isin(process.days, taught) & known[process.days].any(axis=1)
    if not seen.any():
        return np.ones(len(likeness))
    mean = square[seen] / known[process.days][seen].sum(axis=1)
    near = likeness[:, process.days[seen]]
    usual = max(float(mean.mean()), 1e-12)
    times: np.ndarray = (near @ mean / usual + CALM_DAYS) / (near.sum(axis=1) + CALM_DAYS)
    return np.clip(times, LEAST_UNREST, 1 / LEAST_UNREST)


def known_before(when: np.ndarray, days: np.ndarray, wanted: np.ndarray, lead: np.ndarray | int) -> np.ndarray:
    """For each day of ``wanted``, how many of ``days`` are at least ``lead`` days older. ``when``: day numbers, in the order of time."""
    counts: np.ndarray = np.searchsorted(when[days], when[wanted] - lead, side="right")
    return counts
