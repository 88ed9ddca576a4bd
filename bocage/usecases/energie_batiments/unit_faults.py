"""Has a meter's unit changed? A unit multiplies every hour of every day; a building that uses more adds to some hours.

Half-hourly kW read as kWh doubles a curve, the reverse halves it; ten-minute kW give six times; Wh for kWh a thousand. A doubling is also
what a plain excess can look like, in euros that someone pays: it is asked to last three days, and like a halving to be the same at low
hours as at high ones, which an added constant is not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bocage.methods.regression import median_known


@dataclass(frozen=True)
class _Jump:
    """``days`` in a row whose hours must be near ``factor`` in the median (``near``) and from the 15th to the 85th hour in a hundred
    (``band``), in logarithms."""

    factor: float
    days: int
    near: float
    band: float


_JUMPS = (
    _Jump(2.0, 3, 0.15, 0.3),
    _Jump(0.5, 2, 0.15, 0.3),
    _Jump(6.0, 2, 0.15, 0.3),
    _Jump(1 / 6, 2, 0.15, 0.3),
    _Jump(1000.0, 1, 0.3, 0.6),
    _Jump(0.001, 1, 0.3, 0.6),
)
_CLOSE = (0.5, 2.0)
"""Factors that a building may reach by itself."""

_TELLING = 0.2
"""Gap between low and high hours, in logarithms, that an added constant would make, under which a flat curve cannot tell it from a
factor."""

_LIKE_A_FACTOR, _LIKE_A_CONSTANT = 0.4, 0.6
"""Share of that gap seen: under the first it is a factor, above the second a constant; between them nobody knows."""


@dataclass(frozen=True)
class Units:
    """Arrays (meters, days): ``factor`` on the last day of each run that proves it, or NaN; ``doubled`` the same days where the curve is
    too flat to tell a doubled unit from an excess; ``wrong`` every day of the proven runs."""

    factor: np.ndarray
    doubled: np.ndarray
    wrong: np.ndarray

    @property
    def absurd(self) -> np.ndarray:
        """Days of a factor that no building reaches by itself, and their neighbours: they teach nothing. (meters, days) bool."""
        far = np.isfinite(self.factor) & ~np.isin(self.factor, _CLOSE)
        return around(self.wrong & (far | _before(far, 1)))


def around(days: np.ndarray) -> np.ndarray:
    """``days`` (meters, days) bool, and their neighbours: a fault begins and ends at any hour."""
    result: np.ndarray = days | _before(days, 1) | _after(days, 1)
    return result


def jumps(actual: np.ndarray, awaited: np.ndarray, reference: int) -> Units:
    """Units that changed, from hours measured and expected (meters, days, 24), NaN unknown.

    Factors of 2 and ½ are looked for from day ``reference`` on; the others everywhere, so that a past accident is set aside too.
    """
    known = np.isfinite(actual) & np.isfinite(awaited)
    with np.errstate(divide="ignore", invalid="ignore"):
        level = np.log(np.where(known, actual, 0.0).sum(axis=2) / np.where(known, awaited, 0.0).sum(axis=2))
    shape = actual.shape[:2]
    factor, doubled, wrong = np.full(shape, np.nan), np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    for jump in _JUMPS:
        day_near = (np.abs(level - np.log(jump.factor)) < 3 * jump.near) & (known.sum(axis=2) >= 12)
        if jump.factor in _CLOSE:
            day_near[:, :reference] = False
        run = day_near.copy()
        for back in range(1, jump.days):
            run &= _after(day_near, back)
        meter, day = np.nonzero(run)
        if len(meter):
            proven, doubtful = _judged(actual, awaited, meter, day, jump)
            factor[meter[proven], day[proven]] = jump.factor
            doubled[meter[doubtful], day[doubtful]] = True
            for back in range(jump.days):
                wrong[meter[proven], day[proven] - back] = True
    return Units(factor, doubled, wrong)


def _judged(actual: np.ndarray, awaited: np.ndarray, meter: np.ndarray, day: np.ndarray, jump: _Jump) -> tuple[np.ndarray, np.ndarray]:
    """Of runs that end on ``day``: those multiplied by the factor, and those that may as well have doubled by a constant. (runs,) bool."""
    window = day[:, None] - np.arange(jump.days)
    measured, foreseen = (values[meter[:, None], window].reshape(len(meter), -1).astype(float) for values in (actual, awaited))
    usable = (measured > 0) & (foreseen > 0)
    ratio = np.log(np.where(usable, measured, 1.0) / np.where(usable, foreseen, 1.0))
    ratio[~usable] = np.nan
    middle, low, high = (median_known(ratio, share) - np.log(jump.factor) for share in (0.5, 0.15, 0.85))
    near = (np.abs(middle) < jump.near) & (low > -jump.band) & (high < jump.band)
    if jump.factor not in _CLOSE:
        return near, np.zeros(len(near), dtype=bool)
    foreseen = np.where(usable, foreseen, np.nan)
    quiet = foreseen <= median_known(foreseen, 0.3)[:, None]
    busy = foreseen >= median_known(foreseen, 0.7)[:, None]
    constant = np.log(np.maximum(1 + (jump.factor - 1) * median_known(foreseen)[:, None] / foreseen, 0.1))
    seen, awaited_gap = (
        median_known(np.where(quiet, values, np.nan)) - median_known(np.where(busy, values, np.nan)) for values in (ratio, constant)
    )
    flat = np.abs(awaited_gap) < _TELLING
    share = seen / np.where(flat, np.nan, awaited_gap)
    unknown = near & (flat | ((share >= _LIKE_A_FACTOR) & (share <= _LIKE_A_CONSTANT)))
    proven = near & ~flat & (share < _LIKE_A_FACTOR)
    # Half of the use costs nobody anything: where nothing can tell, the unit is what there is to verify.
    return (proven | unknown, np.zeros(len(near), dtype=bool)) if jump.factor < 1 else (proven, unknown)


def _after(days: np.ndarray, back: int) -> np.ndarray:
    """True on the days that come ``back`` days after a day of ``days``."""
    result = np.zeros_like(days)
    result[:, back:] = days[:, :-back]
    return result


def _before(days: np.ndarray, ahead: int) -> np.ndarray:
    result = np.zeros_like(days)
    result[:, :-ahead] = days[:, ahead:]
    return result
