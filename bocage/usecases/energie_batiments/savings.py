"""What an action saved: IPMVP option C (whole facility), with an interval that counts what the residuals remember.

The model of the year before foresees the period after; savings are foreseen minus measured. The variance of their sum has three parts:
the noise of the period, with as many *independent* days as its autocorrelation leaves (effective n', ASHRAE Guideline 14-2014, annex B);
the uncertainty of the coefficients, with the same n'; and what no baseline year knows, the slow change of habits from one year to the
next, whose size was learnt from placebo actions on meters where nothing was done (docs/bench).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bocage.usecases.energie_batiments import daily
from bocage.usecases.energie_batiments.daily import Calendar

BASE_DAYS = 365
LEAST_BASE = 270
LEAST_AFTER = 28
LEVEL = 0.90
YEARLY_CHANGE = 0.04
"""Usual change of level from one year to the next without any action, share of the use (one standard deviation)."""

_Z = 1.645


@dataclass(frozen=True)
class Savings:
    """Arrays (meters,): ``kwh`` saved over ``days`` known days, its 90 % bounds, ``foreseen`` use without the action. NaN where unknown."""

    kwh: np.ndarray
    low: np.ndarray
    high: np.ndarray
    foreseen: np.ndarray
    days: np.ndarray

    @property
    def share(self) -> np.ndarray:
        """Saved share of what was foreseen."""
        result: np.ndarray = self.kwh / self.foreseen
        return result


def savings(kwh: np.ndarray, known: Calendar, temperature: np.ndarray | None, before: slice, after: slice) -> Savings:
    """Savings of actions made between ``before`` and ``after``. ``kwh`` (meters, days), NaN unknown; ``temperature`` (days,) or
    (days, 24), or None.

    Meters with under ``LEAST_BASE`` known days before, or ``LEAST_AFTER`` after, get NaN.
    """
    rows, shrink = daily.design(known, temperature, before)
    base, later = kwh[:, before], kwh[:, after]
    # Least squares, not the robust fit: uses are skewed, and weights that tame the highest days would lessen the foreseen total.
    found = daily.fit(rows[before], shrink, base, rounds=0)
    foreseen = np.maximum(found.predict(rows[after]), 0.0)
    seen = np.isfinite(later)
    saved = np.where(seen, foreseen - later, 0.0).sum(axis=1)
    total = np.where(seen, foreseen, 0.0).sum(axis=1)
    days = seen.sum(axis=1)
    residuals = base - found.predict(rows[before])
    memory = correlation_time(residuals)
    spread = np.nanmean(residuals**2, axis=1) * np.isfinite(base).sum(axis=1)
    spread = spread / np.maximum(np.isfinite(base).sum(axis=1) - found.freedom, 1.0)
    sums = seen.astype(float) @ rows[after]
    coefficients = spread * np.einsum("mp,mpq,mq->m", sums, found.inverse, sums, optimize=True)
    habits = YEARLY_CHANGE * total * np.sqrt(np.minimum(1.0, 0.5 + days / 730))
    reach = _Z * np.sqrt(memory * (spread * days + coefficients) + habits**2)
    enough = (np.isfinite(base).sum(axis=1) >= LEAST_BASE) & (days >= LEAST_AFTER) & (total > 0)
    saved, total = np.where(enough, saved, np.nan), np.where(enough, total, np.nan)
    return Savings(saved, saved - reach, saved + reach, total, days)


def correlation_time(residuals: np.ndarray, longest: int = 14) -> np.ndarray:
    """n / n' of each series (meters, days): 1 + 2 x the sum of the autocorrelations up to the first negative one; at least 1."""
    known = np.isfinite(residuals)
    centred = np.where(known, residuals - np.nanmean(residuals, axis=1, keepdims=True), 0.0)
    power = np.maximum((centred**2).sum(axis=1) / np.maximum(known.sum(axis=1), 1), 1e-12)
    result = np.ones(len(residuals))
    going = np.ones(len(residuals), dtype=bool)
    for lag in range(1, longest + 1):
        both = (known[:, lag:] & known[:, :-lag]).sum(axis=1)
        rho = (centred[:, lag:] * centred[:, :-lag]).sum(axis=1) / np.maximum(both, 1) / power
        going &= rho > 0
        result += np.where(going, 2 * rho, 0.0)
    return result
