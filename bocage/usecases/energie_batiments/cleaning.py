"""Before a curve teaches or is judged: readings that cannot be, and a last day that is not over, become unknown."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bocage.contract import french
from bocage.methods.regression import median_known
from bocage.usecases.energie_batiments import grids

LONE = ((10.0, 2), (100.0, 24))
"""Times the level reached by one reading in a hundred from which a run of readings is impossible, and the longest such run: the catch-up
of a broken transmission, a few hours in Wh. Longer runs are events, or units that changed (``unit_faults``)."""


def cleaned(curves: grids.Curves) -> tuple[grids.Curves, list[str]]:
    """The curves without lone peaks nor unfinished last days, and French notes on the peaks."""
    lone = lone_peaks(curves.values)
    unfinished = _unfinished(curves.values)
    if not lone.any() and not unfinished.any():
        return curves, []
    values = np.where(lone, np.nan, curves.values)
    values[unfinished, -1] = np.nan
    days: np.ndarray = np.any(lone, axis=2) if lone.ndim == 3 else lone.copy()
    days[unfinished, -1] = True
    energy, covered = np.where(days, np.nan, curves.energy), np.where(days, 0.0, curves.covered)
    return replace(curves, values=values, energy=energy, covered=covered), _told(curves, lone) if lone.any() else []


def lone_peaks(values: np.ndarray) -> np.ndarray:
    """Bool like ``values`` (meters, ...), NaN unknown, in order of time: readings far above all that their meter reaches (``LONE``)."""
    flat = values.reshape(len(values), -1)
    usual = median_known(flat, 0.99)[:, None]
    result = np.zeros(flat.shape, dtype=bool)
    edge = np.zeros((len(flat), 1), dtype=np.int8)
    for times, longest in LONE:
        # A meter that hardly counts (gas in summer, by whole m³) has no usual level to be far above.
        far = flat > np.where(usual > 0, times * usual, np.inf)
        if far.any():
            change = np.diff(np.concatenate([edge, far.astype(np.int8), edge], axis=1), axis=1)
            (row, first), (_, stop) = np.nonzero(change == 1), np.nonzero(change == -1)
            for meter, a, b in zip(row, first, stop, strict=True):
                result[meter, a:b] |= b - a <= longest
    return result.reshape(values.shape)


def _unfinished(values: np.ndarray) -> np.ndarray:
    """Meters (meters,) whose last day lacks its last hour: a file received in the morning holds a part of its day."""
    result: np.ndarray = np.isnan(values[:, -1, -1] if values.ndim == 3 else values[:, -1])
    return result


def _told(curves: grids.Curves, lone: np.ndarray) -> list[str]:
    most = np.unravel_index(int(np.argmax(np.where(lone, curves.values, -np.inf))), lone.shape)
    name, day = curves.names[int(most[0])], french.day(curves.days[int(most[1])].date(), weekday=False, year=True)
    many = french.count(int(lone.sum()), "relevé isolé a été écarté", "relevés isolés ont été écartés")
    worst = f"{french.number(float(curves.values[most]), 0, 'kWh')} sur {name} le {day}"
    return [f"{many}, plus de dix fois au-dessus de ce que le compteur atteint d’habitude ({worst}) : vérifiez ces valeurs à la source."]
