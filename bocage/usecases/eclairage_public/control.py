"""What a presence-dimmed street does minute by minute, and what an oracle that knows every passage in advance would do.

Used by the benchmark and the tests. Both obey the luminaire: it is raised in any minute with someone there, and once raised stays so for
``hold`` minutes at least. The controller lowers at the first later minute without anyone; it knows nothing of the minutes to come.
"""

from __future__ import annotations

import numpy as np


def minutes_of(counts: np.ndarray, minutes: int, drawn: np.random.Generator) -> np.ndarray:
    """Passages per minute (..., steps x minutes) from passages per step: the instants of a Poisson process, given their number, are
    uniform."""
    shares = np.full(minutes, 1.0 / minutes)
    drawn_minutes = drawn.multinomial(counts.astype(int), shares)
    result: np.ndarray = drawn_minutes.reshape(*counts.shape[:-1], -1)
    return result


def raised(present: np.ndarray, hold: int) -> np.ndarray:
    """Minutes (..., minutes; bool) at which a presence controller is raised: someone there, or raised for less than ``hold`` minutes."""
    result = np.zeros_like(present)
    since = np.zeros(present.shape[:-1], dtype=int)
    for t in range(present.shape[-1]):
        up = present[..., t] | ((since > 0) & (since < hold))
        since = np.where(up, since + 1, 0)
        result[..., t] = up
    return result


def oracle_raised(present: np.ndarray, gain: np.ndarray, hold: int) -> np.ndarray:
    """Minutes (nights, minutes; bool) raised by an oracle: wherever someone is present, at the least total of ``gain`` lost.

    ``gain`` (nights, minutes): what lowering saves in that minute, never negative. Raised stretches last ``hold`` minutes at least, the
    first and last of the night excepted. Exact, by dynamic programming over minutes, nights side by side.
    """
    nights, minutes = present.shape
    barred = np.where(present, np.inf, 0.0)
    # Least cost so far: lowered; raised for 1, 2, ... minutes (the last state: long enough to lower).
    low, up = barred[:, 0], np.full((hold, nights), np.inf)
    up[-1] = gain[:, 0]
    from_up = np.zeros((minutes, nights), dtype=bool)
    from_low, kept = from_up.copy(), from_up.copy()
    for t in range(1, minutes):
        after = np.full_like(up, np.inf)
        after[1:] = up[:-1]
        kept[t] = up[-1] < after[-1]
        after[-1] = np.minimum(after[-1], up[-1])
        from_low[t] = low < after[0]
        after[0] = np.minimum(after[0], low)
        from_up[t] = up[-1] < low
        low = np.minimum(low, up[-1]) + barred[:, t]
        up = after + gain[:, t]
    return _path(low, up, from_up, from_low, kept)


def _path(low: np.ndarray, up: np.ndarray, from_up: np.ndarray, from_low: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """The best path, from its end. Held: 0 lowered, else minutes raised, ``hold`` at most."""
    hold, nights = up.shape
    held = np.where(low <= up.min(axis=0), 0, up.argmin(axis=0) + 1)
    path = np.zeros((nights, len(from_up)), dtype=bool)
    row = np.arange(nights)
    for t in range(len(from_up) - 1, -1, -1):
        path[:, t] = held > 0
        lowered = np.where(from_up[t, row], hold, 0)
        long_enough = np.where(kept[t, row], hold, hold - 1)
        first = np.where(from_low[t, row], 0, hold)
        before = np.where(held == 0, lowered, np.where(held == 1, first, held - 1))
        held = np.where((held == hold) & (hold > 1), long_enough, before)
    return path
