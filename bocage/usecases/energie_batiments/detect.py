"""From the curves of meters to alarms day by day, by kind: what the engine reports and what the benchmark scores are the same calls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bocage.methods import regression
from bocage.usecases.energie_batiments import daily, hourly, lasting, stops, unit_faults, watch
from bocage.usecases.energie_batiments.daily import Calendar
from bocage.usecases.energie_batiments.lasting import Certainty

CLOSED_DAY = 2
"""The group of weekends and public holidays."""

MISSING = 0.1
"""Share of missing hours over three days from which a meter is told to be incomplete."""

CLOCK = 1.0
"""Sum over two open days of log ratios of squared gaps from which the clock is told to be wrong by an hour."""


LEVELS = ("total", "closed", "night", "base")
"""Alarms that say « uses more »; the others speak of the meter."""


@dataclass(frozen=True)
class Model:
    """How ``expected`` was foreseen: the design ``rows`` (days, p), and the regression ``found`` of each meter on the days of reference."""

    rows: np.ndarray
    found: regression.Ridge


@dataclass(frozen=True)
class Watched:
    """All arrays are (meters, days): ``actual`` and ``expected`` kWh of a standard day of 24 h, NaN unknown; ``alarms`` by kind, from the
    first day watched on; ``bands`` name → (actual, expected) kWh of parts of the day; ``factor`` of a unit jump, or NaN; ``doubled``
    bool, an excess that may as well be a doubled unit; ``faulty`` bool, days whose values no figure may be drawn from; ``stopped`` bool,
    days of a stop that no calendar tells, neither learnt nor judged; ``missing`` share of the readings that were not received; ``back`` how
    many days back what a level alarm tells began at most, 0 without one; ``closed`` (days,) bool."""

    actual: np.ndarray
    expected: np.ndarray
    alarms: dict[str, np.ndarray]
    bands: dict[str, tuple[np.ndarray, np.ndarray]]
    factor: np.ndarray
    doubled: np.ndarray
    faulty: np.ndarray
    stopped: np.ndarray
    missing: np.ndarray
    days: pd.DatetimeIndex
    model: Model
    back: np.ndarray
    closed: np.ndarray

    @property
    def any(self) -> np.ndarray:
        """Days with an alarm of any kind."""
        result: np.ndarray = np.any(list(self.alarms.values()), axis=0)
        return result


def day_groups(known: Calendar) -> np.ndarray:
    """0 working day, 1 school holiday, 2 weekend or public holiday."""
    return np.where(known.kind >= 5, CLOSED_DAY, np.where(known.school > 0.5, 1, 0))


def from_days(kwh: np.ndarray, known: Calendar, temperature: np.ndarray | None, reference: int) -> Watched:
    """Watch daily readings ``kwh`` (meters, days), in kWh per standard day, from day ``reference`` on. ``temperature`` (days,) or
    (days, 24), or None."""
    rows, shrink = daily.design(known, temperature, slice(0, reference))
    stopped = stops.stops(kwh, known, rows, shrink, reference)
    judged = np.where(stopped, np.nan, kwh)
    found = daily.fit(rows[:reference], shrink, judged[:, :reference])
    awaited = np.maximum(found.predict(rows), 0.0)
    model = Model(rows, found)
    back = _levels(judged, awaited, model, known, reference, lasting.TOTAL_ALONE, lasting.CLOSED_ALONE)
    alarms = {name: days > 0 for name, days in back.items()}
    held = np.zeros(kwh.shape, dtype=bool)
    held[:, 3:] = (kwh[:, 3:] == kwh[:, 2:-1]) & (kwh[:, 2:-1] == kwh[:, 1:-2]) & (kwh[:, 1:-2] == kwh[:, :-3])
    frozen = _stuck(kwh, held, reference)
    missing = _gone(np.isnan(kwh).astype(float), np.isnan(kwh[:, -1]))
    alarms["stuck"] = _after(frozen, reference)
    alarms["gaps"] = _after(_missing(missing, 3) > 0.5, reference)
    nothing, never = np.full(kwh.shape, np.nan), np.zeros(kwh.shape, dtype=bool)
    return Watched(
        kwh,
        awaited,
        alarms,
        {},
        nothing,
        never,
        frozen,
        stopped,
        missing,
        known.days,
        model,
        _shortest(back),
        day_groups(known) == CLOSED_DAY,
    )


def from_hours(kwh: np.ndarray, known: Calendar, temperature: np.ndarray | None, reference: int) -> Watched:
    """Watch hourly readings ``kwh`` (meters, days, 24) from day ``reference`` on. ``temperature`` (days, 24) °C without NaN, or None."""
    rows, shrink = hourly.designs(known, temperature, slice(0, reference))
    missing = _gone(np.isnan(kwh).mean(axis=2), np.isnan(kwh[:, -1]).all(axis=1))
    design, penalty = daily.design(known, temperature, slice(0, reference))
    stopped = stops.stops(hourly.standard_days(kwh), known, design, penalty, reference)
    shape = hourly.expected(rows, shrink, np.where(stopped[:, :, None], np.nan, kwh), slice(0, reference))
    unit = unit_faults.jumps(kwh, shape, reference)
    frozen = _stuck(kwh, watch.stuck(kwh), reference)
    silent = frozen | unit.absurd
    sound = np.where(silent[:, :, None], np.nan, kwh) if silent.any() else kwh
    seen = hourly.channels(hourly.filled(sound, shape))
    stopped &= ~(frozen | unit.wrong)
    judged = np.where(stopped, np.nan, seen)
    fits = [daily.fit(design[:reference], penalty, actual[:, :reference]) for actual in judged]
    bands = {
        name: (actual, np.maximum(found.predict(design), 0.0))
        for name, actual, found in zip(("total", "night", "base"), seen, fits, strict=True)
    }
    model = Model(design, fits[0])
    back = _levels(judged[0], bands["total"][1], model, known, reference, lasting.TOTAL, lasting.CLOSED)
    for name, actual in zip(("night", "base"), judged[1:], strict=True):
        sounding = watch.alarms(watch.stream(actual, bands[name][1], day_groups(known), reference), reference)
        back[name] = np.where(sounding, watch.WINDOWS[-1], 0)
    alarms = {name: days > 0 for name, days in back.items()}
    alarms["unit"] = _after(np.isfinite(unit.factor), reference)
    alarms["stuck"] = _after(frozen, reference)
    alarms["clock"] = _clock(kwh, shape, known, reference)
    alarms["gaps"] = _after(_missing(missing, 3) > MISSING, reference)
    faulty = frozen | unit.wrong
    return Watched(
        *bands["total"],
        alarms,
        bands,
        unit.factor,
        unit.doubled,
        faulty,
        stopped,
        missing,
        known.days,
        model,
        _shortest(back),
        day_groups(known) == CLOSED_DAY,
    )


def _gone(share: np.ndarray, unfinished: np.ndarray) -> np.ndarray:
    """Share missing of each day (meters, days), as received; a last day that is not over (``cleaning``) may still come: it is no gap."""
    result = share.copy()
    result[unfinished, -1] = 0.0
    return result


def _levels(
    judged: np.ndarray, awaited: np.ndarray, model: Model, known: Calendar, reference: int, every: Certainty, closed: Certainty
) -> dict[str, np.ndarray]:
    """Alarms on the total of all days, and on that of closed days: how many days back the level rose at most, 0 without alarm."""
    found = (model.rows, model.found)
    # A public holiday is foreseen as a Sunday, which a pool or a rest home does not know: ten days a year say nothing of a level.
    ordinary = (known.kind < 5) | (known.days.day_of_week >= 5)
    days, shut = np.flatnonzero(ordinary), np.flatnonzero(ordinary & (known.kind >= 5))
    return {
        "total": lasting.alarms(judged, awaited, *found, days, reference, every),
        "closed": lasting.alarms(judged, awaited, *found, shut, reference, closed),
    }


def _shortest(back: dict[str, np.ndarray]) -> np.ndarray:
    """The fewest days back among the alarms that sound, 0 where none does."""
    every = np.stack(list(back.values()))
    least = np.where(every > 0, every, np.iinfo(every.dtype).max).min(axis=0)
    return np.where((every > 0).any(axis=0), least, 0)


def _after(days: np.ndarray, reference: int) -> np.ndarray:
    return days & (np.arange(days.shape[1]) >= reference)


def _stuck(kwh: np.ndarray, held: np.ndarray, reference: int) -> np.ndarray:
    """``held`` days, for meters where it hardly happened in the reference and values that they hardly showed: a coarse meter repeats itself
    all the time, or all summer."""
    rare = held & ~(held[:, :reference].mean(axis=1, keepdims=True) > 0.01)
    result: np.ndarray = rare & ~watch.common_values(kwh, rare, reference)
    return result


def _missing(share: np.ndarray, window: int) -> np.ndarray:
    total = np.cumsum(share, axis=1)
    total[:, window:] -= total[:, :-window].copy()
    result: np.ndarray = total / window
    return result


def _clock(kwh: np.ndarray, shape: np.ndarray, known: Calendar, reference: int) -> np.ndarray:
    """Two working days in a row whose curve fits better an hour earlier or later, and better than it ever did."""
    slip = watch.clock_slip(kwh, shape)
    at = np.flatnonzero(day_groups(known) < 2)
    two = watch.rolling(slip[:, at], 2) * np.sqrt(2)
    record = np.nanmax(np.where(at < reference, np.nan_to_num(two, nan=-9.0), -9.0), axis=1, keepdims=True)
    result = np.zeros(slip.shape, dtype=bool)
    result[:, at] = (two > np.maximum(CLOCK, 1.1 * record)) & (at >= reference)
    return result
