"""Covariances between days, as a sum of parts that each say one reason why two days resemble each other.

Yesterday, the level of these weeks, the same day of the week, the same weekend, the same season, the same weather: every part has an
amplitude, and a memory in days. They are learnt from the series by marginal likelihood with weak priors (Rasmussen and Williams, Gaussian
Processes for Machine Learning, 2006, ch. 5), so nothing is tuned by hand for a territory.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

JITTER = 1e-6


@dataclass(frozen=True)
class Part:
    """One part: prior ``amplitude`` (variance); ``match`` names the matrix of days alike (or ""); ``memory`` in days, learnt if positive,
    fixed if negative, none if 0; ``covariate`` names the squared distances that a bell of prior ``width`` turns into likeness (or "")."""

    amplitude: float
    match: str = ""
    memory: float = 0.0
    covariate: str = ""
    width: float = 0.0


PARTS = (
    Part(0.15, memory=2.0),  # yesterday
    Part(0.40, memory=40.0),  # the level of these weeks
    Part(0.60, match="same_weekday", memory=200.0),
    Part(0.30, match="same_rest", memory=400.0),  # working days together; Saturdays; Sundays and holidays
    Part(0.20, match="season"),
)
NOISE = 0.30


def weather_parts(name: str, amplitude: float, memory: float, width: float) -> Part:
    """A covariate that acts by its likeness (a bell of ``width`` standard deviations), with a fixed memory in days."""
    return Part(amplitude, memory=-memory, covariate=name, width=width)


Geometry = dict[str, np.ndarray]
"""Matrices (days, days): ``gap`` in days, one per ``match``, and squared distances per covariate."""


def geometry(day_type: np.ndarray, year_phase: np.ndarray, covariates: dict[str, np.ndarray]) -> Geometry:
    """What the parts need about pairs of days.

    ``day_type`` (days): 0 Monday to 6 Sunday and holidays; ``year_phase`` (days) in radians; ``covariates``: (days, p), standardised.
    """
    position = np.arange(len(day_type))
    rest = np.where(day_type >= 5, day_type, 0)
    chord = np.sin((year_phase[:, None] - year_phase[None]) / 2)
    pairs = {
        "gap": np.abs(position[:, None] - position[None]),
        "same_weekday": (day_type[:, None] == day_type[None]).astype(float),
        "same_rest": (rest[:, None] == rest[None]).astype(float),
        "season": np.exp(-2 * chord**2 / 0.5**2),  # half a radian: a month around the date, any year
    }
    for name, matrix in covariates.items():
        pairs[name] = ((matrix[:, None] - matrix[None]) ** 2).sum(axis=-1)
    return pairs


def block(pairs: Geometry, rows: np.ndarray, columns: np.ndarray) -> Geometry:
    """The same matrices between two sets of days."""
    at = np.ix_(rows, columns)
    return {name: matrix[at] for name, matrix in pairs.items()}


class Covariance:
    """A sum of parts and a noise; parameters are logarithms: amplitudes, noise, then learnt memories and widths, in order of the parts."""

    def __init__(self, parts: tuple[Part, ...]) -> None:
        self.parts = parts
        prior, spread = [*(np.log(p.amplitude) for p in parts), np.log(NOISE)], [1.5] * (len(parts) + 1)
        self.memory_at: dict[int, int] = {}
        self.width_at: dict[int, int] = {}
        for i, part in enumerate(parts):
            if part.memory > 0:
                self.memory_at[i] = len(prior)
                prior.append(np.log(part.memory))
                spread.append(0.7)
            if part.covariate:
                self.width_at[i] = len(prior)
                prior.append(np.log(part.width))
                spread.append(0.6)
        self.prior, self.spread = np.array(prior), np.array(spread)

    def terms(self, theta: np.ndarray, pairs: Geometry) -> list[np.ndarray]:
        """The matrix of each part."""
        value, terms = np.exp(theta), []
        lags = np.arange(pairs["gap"].max(initial=0) + 1)
        for i, part in enumerate(self.parts):
            # Gaps are whole days: a table of their few values costs less than an exponential per pair.
            memory = value[self.memory_at[i]] if part.memory > 0 else -part.memory
            fading = value[i] * np.exp(-lags / memory) if part.memory else np.full(len(lags), value[i])
            term = fading[pairs["gap"]]
            if part.match:
                term *= pairs[part.match]
            if part.covariate:
                term *= np.exp(pairs[part.covariate] * (-0.5 / value[self.width_at[i]] ** 2))
            terms.append(term)
        return terms

    def matrix(self, theta: np.ndarray, pairs: Geometry) -> np.ndarray:
        """Covariance of the signal, without noise."""
        return np.sum(self.terms(theta, pairs), axis=0)

    def noise(self, theta: np.ndarray) -> float:
        """Variance of the noise."""
        return float(np.exp(theta[len(self.parts)])) + JITTER

    def loss(self, theta: np.ndarray, pairs: Geometry, targets: np.ndarray) -> tuple[float, np.ndarray]:
        """Minus the log posterior per output, and its gradient. ``targets``: (days, outputs), about unit variance."""
        from scipy.linalg import cho_factor, cho_solve

        days, outputs = targets.shape
        terms = self.terms(theta, pairs)
        total = np.sum(terms, axis=0)
        total[np.diag_indices(days)] += self.noise(theta)
        factor = cho_factor(total, lower=True, check_finite=False)
        alpha, inverse = cho_solve(factor, targets), cho_solve(factor, np.eye(days))
        loss = 0.5 * float((targets * alpha).sum()) + outputs * float(np.log(np.diag(factor[0])).sum())
        slope = 0.5 * (outputs * inverse - alpha @ alpha.T)
        gradient, value = np.zeros_like(theta), np.exp(theta)
        for i, term in enumerate(terms):
            weighted = slope * term
            gradient[i] = weighted.sum()
            if i in self.memory_at:
                gradient[self.memory_at[i]] = (weighted * pairs["gap"]).sum() / value[self.memory_at[i]]
            if i in self.width_at:
                gradient[self.width_at[i]] = (weighted * pairs[self.parts[i].covariate]).sum() / value[self.width_at[i]] ** 2
        gradient[len(self.parts)] = np.trace(slope) * value[len(self.parts)]
        pull = (theta - self.prior) / self.spread
        return loss / outputs + 0.5 * float((pull**2).sum()), gradient / outputs + pull / self.spread

    def fit(self, pairs: Geometry, targets: np.ndarray, iterations: int) -> np.ndarray:
        """Parameters of highest posterior within five prior deviations; rounded, so that machines that differ in the last bit agree."""
        from scipy.optimize import minimize

        bounds = [(p - 5 * s, p + 5 * s) for p, s in zip(self.prior, self.spread, strict=True)]
        found = minimize(
            self.loss, self.prior, (pairs, targets), jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": iterations}
        )
        return np.round(found.x, 2)
