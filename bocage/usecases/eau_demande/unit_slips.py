"""Exports whose unit changed for a while: L/s for m³/h, days 3.6 times lower, or the reverse.

Three things that look like it must not be « put right »: a business park that rests (so days are compared with the same weekday), a burst
(it adds the same flow at every hour, where a unit multiplies quiet hours and busy ones alike), and what began lately and has not ended (a
burst, a season: told, and left as it is).
"""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd

from bocage.contract.french import day, number

UNIT_SLIP = 3.6
"""1 L/s is 3.6 m³/h: a level that jumps by that factor, then jumps back, is an export whose unit changed."""

_LIKELY = (2.5, 5.2)
"""Ratio of a day to all days of its weekday, from which it is looked at: seasons move it."""

_CLOSE = 0.12
"""Gap, in logarithms, between the jumps and the factor."""

_LEAST_DAYS = 10
_NEAR_DAYS = 28
"""How far the same weekday is looked for, before and after."""

_TELLING = 0.2
"""Gap between quiet and busy hours, in logarithms, that an added flow would make, under which a flat curve cannot tell it from a factor."""

_LIKE_A_FACTOR = 0.4
"""Share of that gap seen, under which it is a factor."""


def same_unit(curve: np.ndarray, name: str, days: pd.DatetimeIndex, notes: list[str]) -> None:
    """In place: days of ``curve`` (days, 24) in another unit than the days before and after are put back in theirs, and told."""
    level = _levels(curve)
    if (~np.isnan(level)).sum() < _LEAST_DAYS:
        return
    ratio = _to_weekday(level)
    for factor in (UNIT_SLIP, 1 / UNIT_SLIP):
        turned = ratio if factor > 1 else 1 / ratio
        likely = (turned >= _LIKELY[0]) & (turned <= _LIKELY[1])
        edges = np.flatnonzero(np.diff(np.concatenate([[False], likely, [False]]).astype(int)))
        for start, stop in zip(edges[::2], edges[1::2], strict=True):
            if not (_jumps(level, start, stop, factor) and _multiplied(curve, start, stop, factor)):
                continue
            if np.isnan(level[stop:]).all():
                notes.append(_doubt(name, days[start], factor))
                continue
            curve[start:stop] /= factor
            notes.append(_correction(name, days[start], days[stop - 1], factor))


def _levels(curve: np.ndarray) -> np.ndarray:
    """Median of each day (days), NaN where less than half of it is known."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.where((~np.isnan(curve)).mean(axis=1) >= 0.5, np.nanmedian(curve, axis=1), np.nan)


def _to_weekday(level: np.ndarray) -> np.ndarray:
    """Each day's level over the median of all days of its weekday; NaN where that is zero or nothing is known."""
    ratio = np.full(len(level), np.nan)
    for weekday in range(7):
        own = level[weekday::7]
        if not np.isnan(own).all() and np.nanmedian(own) > 0:
            ratio[weekday::7] = np.where(own > 0, own, np.nan) / np.nanmedian(own)
    return ratio


def _beside(level: np.ndarray, of: int, start: int, stop: int, step: int) -> int | None:
    """The nearest known day of the weekday of day ``of`` outside ``start`` to ``stop``, before (``step`` -7) or after (7)."""
    at = of
    while 0 <= at + step < len(level):
        at += step
        if not start <= at < stop and level[at] > 0:
            limit = stop - 1 if step > 0 else start
            return at if abs(at - limit) <= _NEAR_DAYS else None
    return None


def _pairs(level: np.ndarray, start: int, stop: int) -> list[list[tuple[int, int]]]:
    """The days of each end of a stretch with the same weekday before it, then after it: at most seven pairs each."""
    inside = [d for d in range(start, stop) if level[d] > 0]
    sides = []
    for days, step in ((inside[:7], -7), (inside[-7:], 7)):
        found = [(d, _beside(level, d, start, stop, step)) for d in days]
        sides.append([(d, other) for d, other in found if other is not None])
    return sides


def _jumps(level: np.ndarray, start: int, stop: int, factor: float) -> bool:
    """Whether the level changes at once, by the factor, at each end that has days beyond: a season does not."""
    sides = [side for side in _pairs(level, start, stop) if side]
    beyond = (not np.isnan(level[:start]).all()) + (not np.isnan(level[stop:]).all())
    if not sides or len(sides) < beyond:
        return False
    gaps = [np.median([np.log(level[d] / level[other]) for d, other in side]) - np.log(factor) for side in sides]
    return all(abs(gap) < _CLOSE for gap in gaps)


def _multiplied(curve: np.ndarray, start: int, stop: int, factor: float) -> bool:
    """Whether quiet hours and busy ones changed by the same factor. A curve too flat to tell may have had a burst: only a fall passes."""
    pairs = [pair for side in _pairs(_levels(curve), start, stop) for pair in side]
    seen, usual = (np.nanmedian(np.stack([curve[pair[i]] for pair in pairs]), axis=0) for i in (0, 1))
    usable = np.flatnonzero((seen > 0) & (usual > 0))
    if len(usable) < 12:
        return False
    order = usable[np.argsort(usual[usable], kind="stable")]
    third = len(order) // 3
    quiet, busy = order[:third], order[-third:]
    gap = np.median(np.log(seen[quiet] / usual[quiet])) - np.median(np.log(seen[busy] / usual[busy]))
    added = np.log1p((factor - 1) * np.median(usual[usable]) / usual) if factor > 1 else np.zeros(len(usual))
    awaited = np.median(added[quiet]) - np.median(added[busy])
    if factor < 1:
        return bool(abs(gap) < 2 * _TELLING)
    return bool(awaited >= _TELLING and abs(gap) < _LIKE_A_FACTOR * awaited)


def _correction(name: str, first: pd.Timestamp, last: pd.Timestamp, factor: float) -> str:
    since, until = day(first.date(), weekday=False, year=True), day(last.date(), weekday=False, year=True)
    when = f"le {since}" if first == last else f"du {since} au {until}"
    read, meant = ("des L/s", "multipliés") if factor < 1 else ("dans une autre unité", "divisés")
    return f"Secteur {name} : {when}, les débits semblent être {read} ; ils ont été {meant} par {number(UNIT_SLIP, 1)}."


def _doubt(name: str, first: pd.Timestamp, factor: float) -> str:
    since = day(first.date(), weekday=False, year=True)
    how, else_ = ("plus forts", "une fuite") if factor > 1 else ("plus faibles", "une baisse")
    return (
        f"Secteur {name} : depuis le {since}, les débits sont environ {number(UNIT_SLIP, 1)} fois {how} qu’avant. Est-ce {else_}, ou une "
        "unité qui a changé (L/s, m³/h) ? Ils sont laissés tels quels ; vérifiez l’export."
    )
