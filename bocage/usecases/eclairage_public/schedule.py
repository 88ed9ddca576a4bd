"""The schedule of least cost over the steps of a night, under limits on switching: exact, by dynamic programming.

A schedule gives one option (a fixed level, presence dimming, off) to each step. It may change at most ``changes`` times, and keeps each
option for ``dwell`` steps at least, so that a luminaire's programme can hold it and the street does not flicker.
"""

from __future__ import annotations

import numpy as np


def cheapest(cost: np.ndarray, changes: int, dwell: int) -> tuple[np.ndarray, float] | None:
    """The options (steps) of least total ``cost`` (steps, options; infinite where an option is not allowed), and that total.

    None when no schedule fits. ``dwell`` binds every stretch, the first and the last included. Time: steps x options x changes x dwell.
    """
    steps, options = cost.shape
    dwell = max(1, min(dwell, steps))
    # total[k, o, d]: least cost so far with k changes, now on option o, held for d + 1 steps (d capped at dwell - 1: free to change).
    total = np.full((changes + 1, options, dwell), np.inf)
    total[0, :, 0] = cost[0]
    came = np.zeros((steps, changes + 1, options, dwell), dtype=np.int32)
    for t in range(1, steps):
        total, came[t] = _step(total, cost[t])
    ends = total[:, :, dwell - 1]
    best = float(ends.min())
    if not np.isfinite(best):
        return None
    return _walk_back(came, np.unravel_index(int(np.argmin(ends)), ends.shape), dwell), best


STAY, HELD = -1, -2
"""How a state was reached: the option went on from the stretch one step shorter, or from one already long enough."""


def _step(total: np.ndarray, cost: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One step: stay on the option, or leave one that was held long enough."""
    changes, options, dwell = total.shape
    after = np.full_like(total, np.inf)
    came = np.full(total.shape, STAY, dtype=np.int32)
    after[:, :, 1:] = total[:, :, :-1]
    held = total[:, :, dwell - 1]
    longer = held < after[:, :, dwell - 1] if dwell > 1 else np.ones_like(held, dtype=bool)
    after[:, :, dwell - 1] = np.where(longer, held, after[:, :, dwell - 1])
    came[:, :, dwell - 1] = np.where(longer, HELD, STAY)
    if changes > 1 and options > 1:
        # The best option to leave for o is the best of all, or the second best when o is the best itself.
        order = np.argsort(held, axis=1, kind="stable")[:, :2]
        source = np.where(np.arange(options)[None] == order[:, :1], order[:, 1:2], order[:, :1])[:-1]
        switched = np.take_along_axis(held[:-1], source, axis=1)
        better = switched < after[1:, :, 0]
        after[1:, :, 0] = np.where(better, switched, after[1:, :, 0])
        came[1:, :, 0] = np.where(better, source, came[1:, :, 0])
    return after + cost[None, :, None], came


def _walk_back(came: np.ndarray, end: tuple[np.intp, ...], dwell: int) -> np.ndarray:
    k, o, d = int(end[0]), int(end[1]), dwell - 1
    path = np.zeros(len(came), dtype=int)
    for t in range(len(came) - 1, -1, -1):
        path[t] = o
        how = int(came[t, k, o, d])
        if how >= 0:
            k, o, d = k - 1, how, dwell - 1
        elif how == STAY:
            d -= 1
    return path
