"""What a presence-dimmed street does minute by minute, and what an oracle that knows every passage in advance would do.

Used by the benchmark and the tests. Both obey the luminaire: a raised level is held ``hold`` minutes at least, and so is a lowered one for
the oracle (the controller lowers only after ``hold`` minutes without anyone, which is longer).
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
    """Minutes (..., minutes; bool) at which a presence controller is raised: someone now or within the last ``hold`` - 1 minutes."""
    result = present.copy()
    for back in range(1, hold):
        result[..., back:] |= present[..., :-back]
    return result


def oracle_raised(present: np.ndarray, gain: np.ndarray, hold: int) -> np.ndarray:
    """Minutes (nights, minutes; bool) raised by an oracle: wherever someone is present, at the least total of ``gain`` lost.

    ``gain`` (nights, minutes): what lowering saves in that minute, never negative. Stretches, raised or lowered, last ``hold`` minutes at
    least (the first and last of the night excepted). Exact, by dynamic programming over minutes, nights side by side.
    """
    nights, minutes = present.shape
    barred = np.where(present, np.inf, 0.0)
    # cost[state][held]: state 0 lowered, 1 raised; held 1 to hold minutes.
    cost = np.full((2, hold, nights), np.inf)
    cost[0, hold - 1], cost[1, hold - 1] = barred[:, 0], gain[:, 0]
    came = np.zeros((minutes, 2, hold, nights), dtype=np.int8)
    for t in range(1, minutes):
        after = np.full_like(cost, np.inf)
        for state in (0, 1):
            after[state, 1:] = cost[state, :-1]
            longer = cost[state, hold - 1] < after[state, hold - 1] if hold > 1 else np.ones(nights, dtype=bool)
            after[state, hold - 1] = np.where(longer, cost[state, hold - 1], after[state, hold - 1])
            came[t, state, hold - 1] = longer
            switched = cost[1 - state, hold - 1]
            better = switched < after[state, 0]
            after[state, 0] = np.where(better, switched, after[state, 0])
            came[t, state, 0] = np.where(better, 2, came[t, state, 0])
        after[0] += barred[:, t]
        after[1] += gain[:, t]
        cost = after
    return _path(cost, came)


def _path(cost: np.ndarray, came: np.ndarray) -> np.ndarray:
    minutes, _, hold, nights = came.shape
    flat = cost.reshape(2 * hold, nights).argmin(axis=0)
    state, held = flat // hold, flat % hold
    path = np.zeros((nights, minutes), dtype=bool)
    row = np.arange(nights)
    for t in range(minutes - 1, -1, -1):
        path[:, t] = state == 1
        how = came[t, state, held, row]
        # 2: came from the other state; 1: already held long enough; 0: one minute less.
        state = np.where(how == 2, 1 - state, state)
        held = np.where(how == 2, hold - 1, np.where(how == 1, hold - 1, held - 1))
        held = np.maximum(held, 0)
    return path
