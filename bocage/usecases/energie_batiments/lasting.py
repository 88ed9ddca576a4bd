"""Has the level of a meter changed, beyond what its noise, its model and its habits explain?

Each day, the excess over the last days is compared with that of the weeks before them, and with its own standard error, which has the four
parts of the interval of a drift (``drifts``): the noise of the days and its memory, that of the days before, the coefficients of the model
(weather that the reference never saw is foreseen less well), and habits, whose level wanders from one month to the next. Short windows see
what is large within days, long ones what is small and lasts. Certainties were chosen on simulated buildings (docs/bench).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bocage.methods.regression import Ridge, median_known
from bocage.usecases.energie_batiments import savings

NEUTRAL = 14
"""Days of « no change » that steady the level of the days before, when few are known."""

MONTHLY_CHANGE = 0.018
"""Usual change of level from one month to the next without any drift, share of the use (one standard deviation)."""

STRIDE = 3
"""Days of the reference between two looks at its own record."""

MARGIN = 1.2
"""A change must stand above the record of the reference by so much: a meter that is often odd must be odder than ever."""

LEAST = 0.05
"""Share of what was expected under which a change is nobody's business."""

KNOWN = 0.7
"""Share of the days of a window that must be known."""

SLICE = 256
"""Meters whose covariances are worked on at once: their memory is not that of the whole fleet."""


@dataclass(frozen=True)
class Certainty:
    """``windows``, in days of the stream, and from how many standard ``errors`` each one sounds; ``before``, the days with which they are
    compared; ``month``, how many days of the stream make two months."""

    windows: tuple[int, ...]
    errors: tuple[float, ...]
    before: int
    month: int = 60


TOTAL_ALONE = Certainty((3, 7, 14, 28, 42), (4.5, 4.0, 3.2, 2.5, 2.3), 90)
"""All days, where daily totals are all that is known of a meter."""

TOTAL = Certainty((3, 7, 14, 28, 42), (4.5, 4.0, 3.5, 3.0, 3.0), 90)
"""All days, where nights and base load are watched too."""

CLOSED_ALONE = Certainty((2, 4, 8, 12), (5.0, 4.0, 3.5, 3.0), 26, 17)
CLOSED = Certainty((2, 4, 8, 12), (6.0, 5.0, 4.0, 3.5), 26, 17)
"""Closed days, two in seven."""


def noise(past: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How many days one error lasts, and its size in kWh (meters,), from the gaps of the reference (meters, days)."""
    low, high = (median_known(past, share)[:, None] for share in (0.01, 0.99))
    memory = savings.correlation_time(past[:, -savings.BASE_DAYS :])
    return memory, np.sqrt(np.nanmean(np.clip(past, low, high) ** 2, axis=1))


def alarms(
    actual: np.ndarray, awaited: np.ndarray, rows: np.ndarray, found: Ridge, at: np.ndarray, reference: int, sure: Certainty
) -> np.ndarray:
    """(meters, days): how many days back the level of the days ``at`` (indices) rose at most, 0 where it did not; from ``reference`` on.

    ``actual`` and ``awaited`` (meters, days), kWh, NaN unknown; ``rows`` (days, p), the design that ``found`` was fitted on.
    """
    result = np.zeros(actual.shape, dtype=int)
    first = int(np.searchsorted(at, reference))
    if first <= sure.windows[-1] + STRIDE or first == len(at):
        return result
    gap = actual[:, at] - awaited[:, at]
    known = np.isfinite(gap)
    memory, size = noise(gap[:, :first])
    most = 3 * median_known(np.abs(gap[:, :first]), 0.99)[:, None]
    sums = _Sums(
        *(_added(array) for array in (np.where(known, np.clip(gap, -most, most), 0.0), known, np.where(known, awaited[:, at], 0.0)))
    )
    design = np.vstack([np.zeros(rows.shape[1]), np.cumsum(rows[at], axis=0)])
    stops = np.arange(first, len(at)) + 1
    past = np.arange(sure.windows[-1] + STRIDE, first, STRIDE)
    back = np.zeros((len(actual), len(stops)), dtype=int)
    # The longest first: of several windows that sound, the shortest dates the change best.
    for window, errors in reversed(tuple(zip(sure.windows, sure.errors, strict=True))):
        score, share = _scores(sums, design, found, stops, window, sure, memory[:, None], size[:, None])
        record = _scores(sums, design, found, past, window, sure, memory[:, None], size[:, None])[0].max(axis=1, keepdims=True)
        risen = (score > np.maximum(errors, MARGIN * record)) & (share > LEAST)
        back = np.where(risen, at[stops - 1] - at[stops - window] + 1, back)
    result[:, at[first:]] = back
    return result


@dataclass(frozen=True)
class _Sums:
    """What the days before each one add up to (meters, days + 1): gaps in kWh, how many are known, kWh awaited of these."""

    gaps: np.ndarray
    days: np.ndarray
    awaited: np.ndarray


def _added(values: np.ndarray) -> np.ndarray:
    return np.pad(np.cumsum(values, axis=1, dtype=float), ((0, 0), (1, 0)))


def _scores(
    sums: _Sums, design: np.ndarray, found: Ridge, stops: np.ndarray, window: int, sure: Certainty,
    memory: np.ndarray, size: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Of each meter and stop, by how many standard errors the ``window`` days before it are above the days before them, and by what share
    of the expected; nothing where too few days are known."""
    start = stops - window
    origin = np.maximum(start - sure.before, 0)
    days, known = (sums.days[:, b] - sums.days[:, a] for a, b in ((start, stops), (origin, start)))
    n, weight = np.maximum(days, 1), known / (known + NEUTRAL * sure.before / TOTAL.before)
    mean = (sums.gaps[:, stops] - sums.gaps[:, start]) / n - weight * (sums.gaps[:, start] - sums.gaps[:, origin]) / np.maximum(known, 1)
    awaited = (sums.awaited[:, stops] - sums.awaited[:, start]) / n
    # The rows of a window are those of all its days: a meter that lacks some has hardly another weather.
    nominal = (start - origin) / (start - origin + NEUTRAL * sure.before / TOTAL.before)
    level = (design[start] - design[origin]) / np.maximum(start - origin, 1)[:, None]
    difference = (design[stops] - design[start]) / window - nominal[:, None] * level
    coefficients = memory * _spread(difference, found.inverse)
    noisy = np.minimum(memory, n) / n + weight**2 * np.minimum(memory, known) / np.maximum(known, 1)
    habits = ((1 - weight) * savings.YEARLY_CHANGE) ** 2 + weight * MONTHLY_CHANGE**2 * np.minimum(1.0, (n + known) / sure.month)
    error = np.sqrt(size**2 * (noisy + coefficients) + awaited**2 * habits)
    enough = days >= KNOWN * window
    return np.where(enough, mean / np.maximum(error, 1e-9), -np.inf), np.where(enough, mean / np.maximum(awaited, 1e-9), -np.inf)


def _spread(difference: np.ndarray, inverse: np.ndarray) -> np.ndarray:
    """``x' V x`` (meters, k) of the rows ``x`` of ``difference`` (k, p), ``V`` being ``inverse`` (meters, p, p)."""
    return np.concatenate([((difference @ inverse[i : i + SLICE]) * difference).sum(axis=2) for i in range(0, len(inverse), SLICE)])
