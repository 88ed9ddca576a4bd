"""Which counts are believed: a counter that stops, stays at zero or repeats itself says nothing about who walks there.

At the end of the data such a stretch means a counter to mend; anywhere else the stretch is set aside, as if nobody had counted.
"""

from __future__ import annotations

import numpy as np

DEAD_NIGHTS = 3
"""Nights without a passage (or a count) from which a counter that used to see some is taken to be dead."""

LEAST_EXPECTED = 12.0
"""Passages that a silent stretch should have seen, for its silence not to be chance: a quiet street may stay empty for a few nights."""

FROZEN_HOURS = 24
"""Hours of exactly the same count, not zero, from which a counter is taken to be stuck."""

HOUR = 4
"""Slots in an hour."""

Stretch = tuple[int, int]
"""First and last of a run, both included."""


def equal_runs(values: np.ndarray) -> list[Stretch]:
    """The maximal runs of equal values, in order."""
    if not len(values):
        return []
    starts = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]]))
    return [(int(a), int(b) - 1) for a, b in zip(starts, [*starts[1:], len(values)], strict=True)]


def stuck_runs(passages: np.ndarray, minutes: np.ndarray) -> list[Stretch]:
    """Runs of counts (in order of time, ``minutes`` each) on which the counter repeats itself."""
    return [(a, b) for a, b in equal_runs(passages) if passages[a] > 0 and minutes[a : b + 1].sum() >= FROZEN_HOURS * 60]


def counted_nights(table: np.ndarray, lit: np.ndarray) -> np.ndarray:
    """Rows of the nights with a count while lights are on."""
    return np.flatnonzero(((lit > 0) & ~np.isnan(table)).any(axis=1))


def silent_runs(table: np.ndarray, lit: np.ndarray) -> list[Stretch]:
    """Runs of nights (rows of ``table``; passages per slot) without one passage, too long for what the other nights see.

    Nights that nobody counted neither break a run nor make it longer.
    """
    rows = counted_nights(table, lit)
    nightly = np.nansum(np.where(lit > 0, table, 0.0), axis=1)[rows]
    found = []
    for a, b in equal_runs(nightly > 0):
        others = np.concatenate([nightly[:a], nightly[b + 1 :]])
        length = b - a + 1
        if nightly[a] > 0 or length < DEAD_NIGHTS:
            continue
        if not (others > 0).any() or float(np.median(others)) * length >= LEAST_EXPECTED:
            found.append((int(rows[a]), int(rows[b])))
    return found


def cut_hours(table: np.ndarray, lit: np.ndarray) -> Stretch | None:
    """The first run of slots (an hour at least, sometimes lit) at which no night ever has a passage, while the hour before has so many that
    a tenth of them would be seen: a counter that sleeps. None when there is none."""
    known = ~np.isnan(table)
    totals, nights = np.nansum(table, axis=0), known.sum(axis=0)
    seen = totals / np.maximum(nights, 1)
    for a, b in equal_runs((totals > 0) | (nights == 0)):
        expected = float(seen[max(0, a - HOUR) : a].sum()) / HOUR * float(nights[a : b + 1].sum())
        zero = totals[a] == 0 and nights[a] > 0
        if zero and b - a + 1 >= HOUR and (lit[:, a : b + 1] > 0).any() and expected / 10 >= LEAST_EXPECTED:
            return a, b
    return None


def without(table: np.ndarray, run: Stretch) -> np.ndarray:
    """``table`` without the nights of ``run``, nor the zeros on either side of them: the counter fell silent in the course of a night."""
    flat = table.copy().reshape(-1)
    seen = np.flatnonzero(flat > 0)
    start, end = run[0] * table.shape[1], (run[1] + 1) * table.shape[1]
    before, after = seen[seen < start], seen[seen >= end]
    flat[(before[-1] + 1 if len(before) else 0) : (after[0] if len(after) else len(flat))] = np.nan
    return flat.reshape(table.shape)


def complaint(table: np.ndarray, lit: np.ndarray, silent: list[Stretch]) -> str:
    """Why the counter is not believed at the end of the nights of ``table``, in French; or empty."""
    rows = counted_nights(table, lit)
    if not len(rows):
        return ""
    if silent and silent[-1][1] == rows[-1]:
        nights = int(np.isin(rows, np.arange(silent[-1][0], len(table))).sum())
        return f"aucun passage depuis {nights} nuits"
    missing = len(table) - 1 - int(rows[-1])
    return f"aucun comptage depuis {missing} nuits, jusqu’à la fin du fichier" if missing >= DEAD_NIGHTS else ""
