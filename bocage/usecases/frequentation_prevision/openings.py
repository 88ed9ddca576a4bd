"""Closed is not empty, and missing is neither: which days a place is open, shut, or not counted.

A zero because the place was shut teaches nothing of how many come when it is open; a zero because nobody came does. A day without a line is
a missing count. The kinds of days (weekday, school holiday) of the past say what a coming day should be. Public holidays each have
their own past: a museum that shuts on 1 May opens on 8 May, so only the same holiday speaks for a holiday.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bocage.contract.french import count, day
from bocage.methods.forecasting.panel import DayGrid

OPEN, SHUT, UNCOUNTED = 0, 1, 2
RULE = 0.8
"""Share of the days of a kind that were alike, from which the kind is."""

SMALL = 10.0
"""Median count of open days under which a zero may be a quiet day."""


@dataclass(frozen=True)
class Openings:
    """``values``: the grid's counts with shut days as NaN; ``coming`` (horizon, places): OPEN, SHUT or UNCOUNTED; ``doubtful`` (horizon,
    places): a holiday on which this place was never seen; ``why`` (day, place): the title of a declared closure; ``notes``."""

    values: np.ndarray
    coming: np.ndarray
    doubtful: np.ndarray
    why: dict[tuple[int, int], str]
    notes: list[str]


HOLIDAY = 14
"""The kind of public holidays (``kinds_of``)."""


def kinds_of(calendar: pd.DataFrame) -> np.ndarray:
    """One number per day (``calendars.day_features``): weekday, then school holidays, then public holidays as kinds of their own."""
    return np.where(calendar["holiday"].to_numpy(), HOLIDAY, _ordinary_kinds(calendar))


def _ordinary_kinds(calendar: pd.DataFrame) -> np.ndarray:
    """The same, public holidays as the days that they would be."""
    school = calendar["school_holiday"].fillna(False).to_numpy(dtype=bool)
    return np.asarray(calendar["weekday"].to_numpy() + 7 * school)


def read_openings(grid: DayGrid, calendar: pd.DataFrame, closed: np.ndarray, why: dict[tuple[int, int], str]) -> Openings:
    """Openings of ``grid`` and of the days after it. ``calendar`` and ``closed`` (declared closures, by place) cover days + horizon."""
    days = len(grid.days)
    counted = ~np.isnan(grid.values).all(axis=1)
    total = np.where(counted, np.nansum(grid.values, axis=1), np.nan)
    values = grid.values.copy()
    coming = np.zeros((len(calendar) - days, len(grid.names)), dtype=int)
    doubtful = np.zeros(coming.shape, dtype=bool)
    notes: list[str] = []
    for s, name in enumerate(grid.names):
        zero = counted[:, s] & (total[:, s] == 0) & ~closed[:days, s]
        some = total[counted[:, s] & (total[:, s] > 0), s]
        state, unsure = _states(calendar, counted[:, s], zero, closed[:days, s])
        regular = zero & (state[:days] == SHUT)
        lost = zero & ~regular & (len(some) > 0 and float(np.median(some)) >= SMALL)
        values[regular | lost | closed[:days, s], :, s] = np.nan
        if lost.any():
            said = count(int(lost.sum()), "jour à zéro, sans fermeture déclarée", "jours à zéro, sans fermeture déclarée")
            notes.append(f"{name} : {said} : pris comme une fermeture ou une panne, jamais comme une absence de public.")
        coming[:, s] = np.where(closed[days:, s], SHUT, state[days:])
        doubtful[:, s] = unsure[days:] & (coming[:, s] == OPEN)
    return Openings(values, coming, doubtful, why, notes + _doubts(grid, calendar, doubtful))


def _states(calendar: pd.DataFrame, counted: np.ndarray, zero: np.ndarray, closed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What each day (past and coming) usually is, OPEN, SHUT or UNCOUNTED, and whether it is a holiday that the past does not tell."""
    days, kind, holiday = len(counted), _ordinary_kinds(calendar), calendar["holiday"].to_numpy()
    usable = _alive(counted) & ~closed
    state = np.zeros(len(kind), dtype=int)
    for groups in (kind % 7, kind):  # days of school holidays speak for themselves where they are enough
        for group in np.unique(groups):
            found = _usual(usable & ~holiday[:days] & (groups[:days] == group), counted, zero, least=3)
            state[groups == group] = state[groups == group] if found is None else found
    # A holiday on a day when the place never opens is such a day, and says nothing of the holiday.
    asked = holiday & (state == OPEN)
    telling = usable & asked[:days]
    always_open = telling.any() and not (telling & (zero | ~counted)).any()
    names = [frozenset(name.split("; ")) for name in calendar["holiday_name"]]
    unsure = np.zeros(len(kind), dtype=bool)
    for name in sorted(set().union(*(names[d] for d in np.flatnonzero(asked)))):
        same = asked & np.array([name in those for those in names])
        found = _usual(telling & same[:days], counted, zero, least=1)
        state[same] = np.maximum(state[same], found or OPEN)
        unsure |= same & (found is None and not always_open)
    return state, unsure


def _alive(counted: np.ndarray) -> np.ndarray:
    """The days from the first count to the last, the last two years at most: opening habits change."""
    alive = np.zeros(len(counted), dtype=bool)
    begun = np.flatnonzero(counted)
    if len(begun):
        alive[max(begun[0], begun[-1] - 730) : begun[-1] + 1] = True
    return alive


def _usual(at: np.ndarray, counted: np.ndarray, zero: np.ndarray, least: int) -> int | None:
    """What the days ``at`` usually are; None when fewer than ``least`` tell."""
    if at.sum() < least:
        return None
    if counted[at].mean() <= 1 - RULE:
        return UNCOUNTED
    return SHUT if zero[at & counted].mean() >= RULE else OPEN


def _doubts(grid: DayGrid, calendar: pd.DataFrame, doubtful: np.ndarray) -> list[str]:
    """One note per coming holiday that some places were never seen on."""
    notes = []
    for d in np.flatnonzero(doubtful.any(axis=1)):
        line = calendar.iloc[len(grid.days) + d]
        names = [grid.names[s] for s in np.flatnonzero(doubtful[d])]
        more = f" et {count(len(names) - 3, 'autre lieu', 'autres lieux')}" if len(names) > 3 else ""
        notes.append(
            f"{day(calendar.index[len(grid.days) + d].date()).capitalize()} ({line['holiday_name']}) : l’historique ne dit pas si "
            f"{', '.join(names[:3])}{more} ouvre ce jour férié. La prévision suppose que oui ; sinon, déclarez la fermeture "
            "dans « evenements »."
        )
    return notes
