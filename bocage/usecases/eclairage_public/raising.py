"""How often a presence controller is raised: from counted nights to the passages to expect in each quarter of an hour, then by minutes.

The share raised bends with the passages: read on the count of one quarter, which is mostly chance, it comes out too low. So it is read on
rates: the mean of a slot over the nights, and of each night's departure from it the part that chance does not explain (a match, the rain).
"""

from __future__ import annotations

import numpy as np

from bocage.usecases.eclairage_public.nights import MINUTES

AROUND = 4
"""Slots on each side (an hour) with which the difference between nights is estimated: that of one slot alone is mostly chance."""

_SMALL = 1e-3
"""Part of a departure over which the share raised is a straight line."""


def shares_raised(counts: np.ndarray, noise: np.ndarray, hold: int) -> np.ndarray:
    """Share of each slot (nights, slots) at which the controller is raised, from ``counts`` (nights, slots; NaN unknown, and so is the
    share) and their ``noise`` (``Nights.noise``). Slots that were never counted are always busy, for those that follow.

    The mean over nights is the share to expect. What chance explains of a night's count is added as a straight line: nothing in the mean,
    but nights drawn again then differ by chance too, as they should (the infinitesimal jackknife, Efron 1982).
    """
    known = ~np.isnan(counts)
    nights = known.sum(axis=0)
    mean = np.where(nights > 0, np.where(known, counts, 0.0).sum(axis=0) / np.maximum(nights, 1), np.inf)
    departure = np.where(known, counts - mean, 0.0)
    own = _own_part(departure, noise, known, mean)
    chance = (1.0 - own) * departure
    share = _minute_by_minute(np.concatenate([mean + own * departure, mean + _SMALL * chance, mean[None]]), hold)
    of_rate, beside, centre = share[: len(counts)], share[len(counts) : -1], share[-1]
    return np.where(known, of_rate + (beside - centre) / _SMALL, np.nan)


def _own_part(departure: np.ndarray, noise: np.ndarray, known: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """By how much (slots, 0 to 1) the ``departure`` of nights is to be shrunk, for rates to vary as much as counts do beyond the chance of
    a Poisson process; 0 where nights differ by chance alone. How far they differ, as a share of the mean, is that of the hours around."""
    nights = known.sum(axis=0)
    told = nights > 1
    size = np.where(told, mean, 0.0)
    variance = (departure**2).sum(axis=0) / np.maximum(nights - 1, 1)
    chance = size * np.where(known, noise, 0.0).sum(axis=0) / np.maximum(nights, 1)
    window = np.ones(2 * AROUND + 1)
    beyond, squares = (np.convolve(x, window, mode="same") for x in (np.where(told, variance - chance, 0.0), size**2))
    differing = np.maximum(beyond, 0.0) / np.maximum(squares, 1e-12) * size**2
    return np.asarray(np.sqrt(differing / np.maximum(differing + chance, 1e-12)))


def _minute_by_minute(rate: np.ndarray, hold: int) -> np.ndarray:
    """Share of each slot (nights, slots) raised at Poisson passages of ``rate`` per slot, lowered at noon: raised in any minute with
    someone, for ``hold`` minutes at least, then as long as every minute has someone. Exact: the chance of each state, minute by minute."""
    someone = 1.0 - np.exp(-rate.T / MINUTES)
    lowered, held = np.ones(len(rate)), np.zeros(len(rate))
    # Chance to have been raised at each of the last ``hold`` minutes, in turn.
    begun = np.zeros((hold, len(rate)))
    result = np.zeros(someone.shape)
    for slot, chance in enumerate(someone):
        for minute in range(slot * MINUTES, (slot + 1) * MINUTES):
            begun[minute % hold] = lowered * chance
            lowered = (lowered + held) * (1.0 - chance)
            held = held * chance + begun[(minute + 1) % hold]
            result[slot] += 1.0 - lowered
    return result.T / MINUTES
