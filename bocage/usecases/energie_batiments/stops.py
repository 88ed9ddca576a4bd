"""Stops that no calendar tells: overseas school holidays, a pool that is emptied, a lockdown, boilers shut on a cold day of May.

A model that learns them bends its year towards them, and then takes for a rise the days that no longer are one; a watch that judges them
takes the end of the stop for the beginning of a drift, or the stop for the end of one. They are neither learnt nor judged.
"""

from __future__ import annotations

import numpy as np

from bocage.methods import regression
from bocage.methods.regression import median_known
from bocage.usecases.energie_batiments import daily
from bocage.usecases.energie_batiments.daily import Calendar

LEAST = 4
"""Working days in a row: a week of holidays with a public holiday in it."""

BELOW, SPREADS = 0.25, 3.0
"""Share of the expected, and usual errors, by which each of them lies below what is expected: it must pass both."""

LONGEST, LASTING = 130, 75
"""Days from which a stop is the new use of the building; and the same for one that lasts to the last day, which nothing says will end."""

MOST = 0.45
"""Part of the known days of a meter that its stops may take: an overseas school has 175 days of class, 85 days without at week-ends."""

LIGHT, EXPECTILE_ROUNDS = 0.1, 4
"""Weight of days below the line against those above, and rounds enough for it to settle."""


def stops(kwh: np.ndarray, known: Calendar, rows: np.ndarray, shrink: np.ndarray, reference: int) -> np.ndarray:
    """(meters, days) bool: days of a stop, told from the curve alone. ``kwh`` (meters, days) of standard days, NaN unknown; ``rows`` and
    ``shrink`` the design of the daily model, learnt before day ``reference``."""
    learnt = kwh[:, :reference]
    stopped = _low_runs(kwh, _upper(rows, shrink, learnt), known, reference)
    # Again from the days left: the first pass says where to look, not what the other days use.
    awaited = daily.fit(rows[:reference], shrink, np.where(stopped[:, :reference], np.nan, learnt), rounds=1).predict(rows)
    return _low_runs(kwh, np.maximum(awaited, 0.0), known, reference)


def _upper(rows: np.ndarray, shrink: np.ndarray, learnt: np.ndarray) -> np.ndarray:
    """What days of full use would be (meters, days): an expectile regression (Newey and Powell, 1987). With a day in three stopped, the
    mean lies between both and is neither."""
    reference = rows[: learnt.shape[1]]
    found = regression.fit(reference, learnt, shrink)
    for _ in range(EXPECTILE_ROUNDS):
        weights = np.where(learnt < found.predict(reference), LIGHT, 1.0)
        found = regression.fit(reference, learnt, shrink, weights=weights, penalties=found.penalty)
    return np.maximum(found.predict(rows), 0.0)


def _low_runs(kwh: np.ndarray, awaited: np.ndarray, known: Calendar, reference: int) -> np.ndarray:
    at = np.flatnonzero(known.kind < 5)
    level = np.nanmean(awaited[:, :reference], axis=1, keepdims=True)
    share = ((kwh - awaited) / np.maximum(awaited, 0.1 * np.maximum(level, 1e-9)))[:, at]
    # The quarter of days nearest to the model: with a day in three stopped, half of them would tell the stops.
    usual = median_known(np.abs(share[:, at < reference]), 0.25)[:, None] / 0.3186
    low = share < -np.maximum(BELOW, SPREADS * usual)
    edge = np.zeros((len(kwh), 1), dtype=np.int8)
    # A day that was not received does not end a stop, nor makes one.
    change = np.diff(np.concatenate([edge, (low | np.isnan(share)).astype(np.int8), edge], axis=1), axis=1)
    (meter, first), (_, stop) = np.nonzero(change == 1), np.nonzero(change == -1)
    count = np.pad(np.cumsum(low, axis=1), ((0, 0), (1, 0)))
    long = at[stop - 1] - at[first] + 1
    limit = np.where(stop == len(at), LASTING, LONGEST)
    enough = (count[meter, stop] - count[meter, first] >= LEAST) & (long <= limit)
    result = np.zeros(kwh.shape, dtype=bool)
    for row, a, b in zip(meter[enough], at[first[enough]], at[stop[enough] - 1], strict=True):
        result[row, a : b + 1] = True
    result[result[:, :reference].sum(axis=1) > MOST * np.isfinite(kwh[:, :reference]).sum(axis=1)] = False
    return result
