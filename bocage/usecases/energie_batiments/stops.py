"""Stops that no calendar tells: overseas school holidays, a pool that is emptied, a lockdown, boilers shut on a cold day of May.

A model that learns them bends its year towards them, and then takes for a rise the days that no longer are one; a watch that judges them
takes the end of the stop for the beginning of a drift, or the stop for the end of one. They are neither learnt nor judged.
"""

from __future__ import annotations

import numpy as np

from bocage.methods.regression import median_known
from bocage.usecases.energie_batiments import daily
from bocage.usecases.energie_batiments.daily import Calendar

LEAST = 4
"""Working days in a row: a week of holidays with a public holiday in it."""

BELOW, SPREADS = 0.25, 3.0
"""Share of the expected, and usual errors, by which each of them lies below what is expected: it must pass both."""

LONGEST, LASTING = 130, 75
"""Days from which a stop is the new use of the building; and the same for one that lasts to the last day, which nothing says will end."""

MOST = 0.4
"""Part of the known days of a meter that its stops may take."""


def stops(kwh: np.ndarray, known: Calendar, rows: np.ndarray, shrink: np.ndarray, reference: int) -> np.ndarray:
    """(meters, days) bool: days of a stop, told from the curve alone. ``kwh`` (meters, days) of standard days, NaN unknown; ``rows`` and
    ``shrink`` the design of the daily model, learnt before day ``reference``."""
    result = np.zeros(kwh.shape, dtype=bool)
    # Twice: the stops that the first fit shows had lowered it, and hid their own edges.
    for _ in range(2):
        learnt = np.where(result, np.nan, kwh)[:, :reference]
        awaited = np.maximum(daily.fit(rows[:reference], shrink, learnt, rounds=1).predict(rows), 0.0)
        result = _low_runs(kwh, awaited, known, reference)
    return result


def _low_runs(kwh: np.ndarray, awaited: np.ndarray, known: Calendar, reference: int) -> np.ndarray:
    at = np.flatnonzero(known.kind < 5)
    level = np.nanmean(awaited[:, :reference], axis=1, keepdims=True)
    share = ((kwh - awaited) / np.maximum(awaited, 0.1 * np.maximum(level, 1e-9)))[:, at]
    usual = 1.4826 * median_known(np.abs(share[:, at < reference]))[:, None]
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
