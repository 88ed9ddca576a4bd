"""Opening hours read from the counts: an hour never counted on a kind of day is closed; one that usually is, and is not, is missing.

A pool that is counted from 9 a.m. to 7 p.m. has no line at night. Nobody counted, and nobody came: the night is worth zero and is no part
of what is learnt. An hour without a line in the middle of an ordinary day is a counter that failed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

WINDOW = 5
"""Days of the same kind, around a past day or before a coming one, that tell its hours: opening hours change with the season."""

LEAST = 3
"""Days of a kind under which those of its weekday speak for it."""

CLOSED = 0.2
"""Share of those days up to which an hour that was not counted is closed."""

USUAL = 0.5
"""Share of those days above which an hour is expected."""


EMPTY, ENOUGH = 0.02, 10
"""An hour where somebody was counted on so small a share of the days of its weekday (of so many days at least) is closed too: some
counters write a zero at night."""


@dataclass(frozen=True)
class Hours:
    """``closed`` (days + horizon, slots, places): the place is shut at that hour; ``open_slots``: those that some place opens some day."""

    closed: np.ndarray
    open_slots: np.ndarray


def read_hours(values: np.ndarray, weekday: np.ndarray, kind: np.ndarray) -> Hours:
    """Closed hours of the past and of the days after it.

    ``values`` (days, slots, places) with NaN; ``weekday`` and ``kind`` (``openings.kinds_of``) cover days + horizon. A past day without any
    count, and series of one slot a day, have no closed hours.
    """
    days, slots, places = values.shape
    if slots == 1:
        return Hours(np.zeros((len(kind), 1, places), dtype=bool), np.arange(1))
    counted = ~np.isnan(values)
    # A day that was not counted at all says nothing of its hours; NaN shares compare as open.
    never = share_counted(counted, weekday, kind) <= CLOSED
    never[:days] &= ~counted
    empty = _empty(values, weekday)
    closed = never | empty
    closed[:days] &= counted.any(axis=1, keepdims=True) & ~(values > 0)
    opened = (counted & ~empty[:days]).any(axis=(0, 2))
    return Hours(closed, np.flatnonzero(opened if opened.any() else counted.any(axis=(0, 2))))


def _empty(values: np.ndarray, weekday: np.ndarray) -> np.ndarray:
    """Hours at which hardly anybody was ever counted on that weekday: (len(weekday), slots, places)."""
    result = np.zeros((len(weekday), *values.shape[1:]), dtype=bool)
    for group in np.unique(weekday):
        own = values[weekday[: len(values)] == group]
        counted = (~np.isnan(own)).sum(axis=0)
        result[weekday == group] = (counted >= ENOUGH) & ((own > 0).sum(axis=0) <= EMPTY * counted)
    return result


def share_counted(counted: np.ndarray, weekday: np.ndarray, kind: np.ndarray) -> np.ndarray:
    """Share of the days of the same kind (too few: of the same weekday), near each day, on which each slot was counted.

    (len(kind), slots, places); NaN where even the weekday has too few. Past days look at both sides; days after the last look back.
    """
    share = np.full((len(kind), *counted.shape[1:]), np.nan)
    for s in range(counted.shape[2]):
        own = counted[:, :, s]
        for groups in (weekday, kind):  # the kind's own days speak last, where they are enough
            for group in np.unique(groups):
                at = np.flatnonzero(groups == group)
                share[at, :, s] = _near(own, at, share[at, :, s])
    return share


def _near(own: np.ndarray, at: np.ndarray, otherwise: np.ndarray) -> np.ndarray:
    """Shares (days of the group, slots) among the counted days of the group; ``otherwise`` where those are fewer than ``LEAST``."""
    past = at[at < len(own)]
    known = past[own[past].any(axis=1)]
    if len(known) < LEAST:
        return otherwise
    rows = pd.DataFrame(own[known].astype(float))
    around = rows.rolling(WINDOW, center=True, min_periods=1).mean().to_numpy()
    last = own[known[-WINDOW:]].mean(axis=0)
    result = otherwise.copy()
    result[np.isin(at, known)] = around
    result[at >= len(own)] = last
    return result
