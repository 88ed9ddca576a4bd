"""Scheduled weekly operations: an automatic flush every Tuesday at 2 a.m. is no habit of people and no burst.

They are found in the past only (a slot of the week that stands out, week after week, from the same hour of the neighbouring days
and from the hours around it), taken out of the series, forecast on their own and put back.

Such machines often keep their old clock for some days after a clock change, until somebody corrects them: seen in the data of the Battle of
Water Demand Forecasting at the three changes that precede its first evaluation week. ``lag_days`` says how long.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Operation:
    """A weekly operation: ``series`` index, ``weekday`` (0 Monday), ``slot`` of the day, ``amount`` in the unit of the series."""

    series: int
    weekday: int
    slot: int
    amount: float


@dataclass(frozen=True)
class Separated:
    """``values``: the series without operations (days, slots, series); ``coming``: what to add to the forecast (horizon, slots, series)."""

    values: np.ndarray
    coming: np.ndarray
    found: tuple[Operation, ...]


def clock_lag(clock_shift: np.ndarray, lag_days: int = 7) -> np.ndarray:
    """Hours (int, per day) by which a machine that keeps its old clock is displaced: the clock shifts of the last ``lag_days`` days.

    ``clock_shift``: hours by which clocks move during each day (calendars.clock_shift).
    """
    total = np.cumsum(clock_shift)
    before = np.concatenate([np.zeros(lag_days), total[:-lag_days]]) if len(total) > lag_days else np.zeros(len(total))
    return np.rint(total - before).astype(int)


def separate(
    values: np.ndarray, weekday: np.ndarray, lag: np.ndarray, *, weeks: int = 8, strength: float = 4.0, half_life: float = 3.0
) -> Separated:
    """Split ``values`` (days, slots, series) into habits and operations.

    ``weekday`` and ``lag`` cover days + horizon. An operation must, over the last ``weeks`` weeks, exceed ``strength``
    deviations of its slot
    and a quarter of the usual level, be there two weeks in three, and stand out from the slots two hours before and after.
    """
    days, slots, count = values.shape
    cleaned, coming, found = values.copy(), np.zeros((len(weekday) - days, slots, count)), []
    if slots < 8 or days < 7 * 5:
        return Separated(cleaned, coming, ())
    for s in range(count):
        excess, reference = _excess(values[:, :, s])
        aligned = np.stack([np.roll(excess[d], -lag[d]) for d in range(days)])
        for operation, amount in _detect(aligned, values[:, :, s], weekday[:days], s, weeks, strength, half_life):
            found.append(operation)
            _take_out(cleaned[:, :, s], excess, reference, weekday[:days], lag, operation)
            for d in np.flatnonzero(weekday[days:] == operation.weekday):
                slot = operation.slot + lag[days + d]
                day, slot = d + slot // slots, slot % slots
                if 0 <= day < len(coming):
                    coming[day, slot, s] += amount
    return Separated(cleaned, coming, tuple(found))


def _excess(curve: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each slot minus the median of the same slot over the three days before and after (days, slots), and that median."""
    padded = np.pad(curve, ((3, 3), (0, 0)), constant_values=np.nan)
    around = [padded[3 + k : 3 + k + len(curve)] for k in (-3, -2, -1, 1, 2, 3)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a gap of a week has no median: NaN is the right answer
        reference = np.nanmedian(np.stack(around), axis=0)
    return curve - reference, reference


def _detect(
    aligned: np.ndarray, curve: np.ndarray, weekday: np.ndarray, series: int, weeks: int, strength: float, half_life: float
) -> list[tuple[Operation, float]]:
    slots = aligned.shape[1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        level = np.nanmedian(curve[-7 * weeks :])
        noise = 1.4826 * np.nanmedian(np.abs(aligned[-7 * weeks :]), axis=0)
        around = np.concatenate([np.roll(aligned, 1, 0)[:, -2:], aligned, np.roll(aligned, -1, 0)[:, :2]], axis=1)
        found = []
        for day in range(7):
            rows = np.flatnonzero(weekday == day)[-weeks:]
            beside = np.abs(np.nanmedian(around[rows], axis=0)) if len(rows) else np.zeros(slots + 4)
            for slot in range(slots):
                seen = aligned[rows, slot]
                known = ~np.isnan(seen)
                if known.sum() < 5:
                    continue
                usual = float(np.median(seen[known]))
                if not (usual > strength * noise[slot] and usual > 0.25 * level and (seen[known] > 0.4 * usual).mean() >= 0.65):
                    continue
                if usual > 2.5 * max(beside[slot], beside[slot + 4]):
                    weight = np.exp2((np.arange(len(rows)) - len(rows) + 1) / half_life)[known]
                    found.append((Operation(series, day, slot, usual), float(weight @ seen[known] / weight.sum())))
    return found


def _take_out(
    cleaned: np.ndarray, excess: np.ndarray, reference: np.ndarray, weekday: np.ndarray, lag: np.ndarray, what: Operation
) -> None:
    """Replace, in place, the operation's slots by the median of the days around, wherever the operation did happen."""
    slots = cleaned.shape[1]
    for d in np.flatnonzero(weekday == what.weekday):
        slot = what.slot + lag[d]
        day, slot = d + slot // slots, slot % slots
        if 0 <= day < len(cleaned) and abs(excess[day, slot]) > 0.3 * abs(what.amount):
            cleaned[day, slot] = reference[day, slot]
