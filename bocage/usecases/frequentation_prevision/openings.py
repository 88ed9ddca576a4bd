"""Closed is not empty, and missing is neither: which days a place is open, shut, or not counted.

A zero because the place was shut teaches nothing of how many come when it is open; a zero because nobody came does. A day without a line is
a missing count. The kinds of days (weekday, public holiday, school holiday) of the past say what a coming day should be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bocage.contract.french import count
from bocage.methods.forecasting.panel import DayGrid

OPEN, SHUT, UNCOUNTED = 0, 1, 2
RULE = 0.8
"""Share of the days of a kind that were alike, from which the kind is."""

SMALL = 10.0
"""Median count of open days under which a zero may be a quiet day."""


@dataclass(frozen=True)
class Openings:
    """``values``: the grid's counts with shut days as NaN; ``coming`` (horizon, places): OPEN, SHUT or UNCOUNTED; ``why`` (day, place): the
    title of a declared closure; ``notes``."""

    values: np.ndarray
    coming: np.ndarray
    why: dict[tuple[int, int], str]
    notes: list[str]


def kinds_of(calendar: pd.DataFrame) -> np.ndarray:
    """One number per day (``calendars.day_features``): weekday, then school holidays, then public holidays as kinds of their own."""
    school = calendar["school_holiday"].fillna(False).to_numpy(dtype=bool)
    kind = calendar["weekday"].to_numpy() + 7 * school
    return np.where(calendar["holiday"].to_numpy(), 14, kind)


def read_openings(grid: DayGrid, calendar: pd.DataFrame, closed: np.ndarray, why: dict[tuple[int, int], str]) -> Openings:
    """Openings of ``grid`` and of the days after it. ``calendar`` and ``closed`` (declared closures, by place) cover days + horizon."""
    days = len(grid.days)
    counted = ~np.isnan(grid.values).all(axis=1)
    total = np.where(counted, np.nansum(grid.values, axis=1), np.nan)
    values = grid.values.copy()
    kind = kinds_of(calendar)
    coming = np.zeros((len(calendar) - days, len(grid.names)), dtype=int)
    notes: list[str] = []
    for s, name in enumerate(grid.names):
        zero = counted[:, s] & (total[:, s] == 0) & ~closed[:days, s]
        some = total[counted[:, s] & (total[:, s] > 0), s]
        shut_kinds, uncounted = _rules(kind[:days], counted[:, s], zero, closed[:days, s])
        regular = zero & np.isin(kind[:days], list(shut_kinds))
        lost = zero & ~regular & (len(some) > 0 and float(np.median(some)) >= SMALL)
        values[regular | lost | closed[:days, s], :, s] = np.nan
        if lost.any():
            said = count(int(lost.sum()), "jour à zéro, sans fermeture déclarée", "jours à zéro, sans fermeture déclarée")
            notes.append(f"{name} : {said} : pris comme une fermeture ou une panne, jamais comme une absence de public.")
        ahead = kind[days:]
        coming[np.isin(ahead, list(uncounted)), s] = UNCOUNTED
        coming[np.isin(ahead, list(shut_kinds)), s] = SHUT
        coming[closed[days:, s], s] = SHUT
    return Openings(values, coming, why, notes)


def _rules(kind: np.ndarray, counted: np.ndarray, zero: np.ndarray, closed: np.ndarray) -> tuple[set[int], set[int]]:
    """Kinds of days on which the place is usually shut, and kinds on which it is not counted, from its first count to its last."""
    shut: set[int] = set()
    uncounted: set[int] = set()
    begun = np.flatnonzero(counted)
    if not len(begun):
        return shut, uncounted
    # The last two years: opening hours change.
    alive = np.zeros(len(kind), dtype=bool)
    alive[max(begun[0], begun[-1] - 730) : begun[-1] + 1] = True
    for k in np.unique(kind):
        at = (kind == k) & alive & ~closed
        least = 1 if k == 14 else 3
        if at.sum() < least:
            continue
        if counted[at].mean() <= 1 - RULE:
            uncounted.add(int(k))
        elif zero[at & counted].mean() >= RULE:
            shut.add(int(k))
    return shut, uncounted
