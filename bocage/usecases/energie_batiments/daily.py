"""What a building uses in a day, given the calendar and the weather: thousands of meters fitted at once.

A change-point model in the line of PRISM (Fels, 1986) and ASHRAE Guideline 14: use rises as it gets colder below some temperature, and
warmer above another. Instead of a search for the two points, hinges at fixed temperatures are shrunk together, so one solve bends the
curve where the meter bends. Day types, school holidays, yesterday's weather (thermal inertia) and the season complete it. All penalties
are chosen per meter by generalised cross-validation; robust weights keep accidents from teaching.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from bocage.methods import regression
from bocage.methods.calendars import SchoolZone, day_features, school_holidays

HEATING_KNOTS = (2.0, 6.0, 10.0, 14.0, 16.0, 18.0)
COOLING_KNOTS = (16.0, 18.0, 20.0, 22.0, 24.0, 27.0)
BALANCE_HEATING = tuple(float(t) for t in range(8, 20))
BALANCE_COOLING = tuple(float(t) for t in range(18, 27))
DJU_BASE = 18.0
"""°C, base of the French « degrés jours unifiés »."""

EVERY = slice(None)

TOLD_DAYS, TOLD_DEGREES = 20, 0.5
"""Days learnt that must pass a temperature by so many °C, in the mean of the day, for the slope to change there."""

MIN_DAYS = 60
"""Known days under which a meter has no model."""


@dataclass(frozen=True)
class Calendar:
    """``days`` naive midnights; ``kind`` 0 Monday to 6 Sunday and holidays; ``hours`` 23 to 25 of each day.

    ``schools`` (days, zones): 1 on school holidays of each zone that may be the territory's, 0 otherwise or unknown.
    """

    days: pd.DatetimeIndex
    kind: np.ndarray
    schools: np.ndarray
    hours: np.ndarray

    @property
    def school(self) -> np.ndarray:
        """(days,) share of the zones on school holidays."""
        result: np.ndarray = self.schools.mean(axis=1)
        return result


def calendar(days: pd.DatetimeIndex, territory: str, zones: tuple[SchoolZone, ...] = (), timezone: str = "Europe/Paris") -> Calendar:
    """The calendar of ``days``, consecutive. With several ``zones``, each meter finds its own. Raises ``ValueError`` on an unknown
    territory."""
    return _calendar(days[0], days[-1], territory, zones, timezone)


@lru_cache(maxsize=8)
def _calendar(first: pd.Timestamp, last: pd.Timestamp, territory: str, zones: tuple[SchoolZone, ...], timezone: str) -> Calendar:
    """Kept: the batches of a run share it, and the school calendar is slow to read."""
    days = pd.date_range(first, last, freq="D")
    table = day_features(first.date(), last.date(), territory, timezone=timezone)
    kind = np.where(table["holiday"].to_numpy(), 6, table["weekday"].to_numpy())
    known = [school_holidays(days, zone).astype("Float64").fillna(0.0).to_numpy(dtype=float) for zone in zones]
    return Calendar(days, kind, np.column_stack(known or [np.zeros(len(days))]), table["hours"].to_numpy(dtype=float))


def design(known: Calendar, temperature: np.ndarray | None, learnt: slice = EVERY) -> tuple[np.ndarray, np.ndarray]:
    """Design (days, p) and relative penalties (p,). ``temperature`` in °C without NaN, (days,) or (days, hours), or None without weather;
    ``learnt`` the days from which the coefficients will be.

    Hours tell more than the day's mean: a day of 18 °C in the mean may heat its morning and cool its afternoon. A temperature that few of
    the days learnt reached has no slope of its own.
    """
    days = len(known.days)
    columns: list[np.ndarray] = [np.ones(days)]
    shrink = [0.0]

    def add(values: np.ndarray, penalty: float) -> None:
        columns.append(np.asarray(values, dtype=float))
        shrink.append(penalty)

    weekend = (known.kind >= 5).astype(float)
    for k in range(7):
        add(known.kind == k, 1.0)
    # Always there, so that the design of a month has the columns of the year before.
    for school in known.schools.T:
        add(school * (1 - weekend), 1.0)
    summer = np.isin(known.days.month, (7, 8)).astype(float)
    add(known.school * (1 - weekend) * summer, 1.0)
    angle = 2 * np.pi * known.days.day_of_year.to_numpy() / 365.25
    for harmonic in (1, 2):
        add(np.sin(harmonic * angle), 0.1 * harmonic**2)
        add(np.cos(harmonic * angle), 0.1 * harmonic**2)
    if temperature is not None:
        _weather(add, temperature.reshape(days, -1), weekend, known.school, learnt)
    return np.column_stack(columns), np.array(shrink)


def _weather(add: Callable[[np.ndarray, float], None], hours: np.ndarray, weekend: np.ndarray, school: np.ndarray, learnt: slice) -> None:
    mean = hours.mean(axis=1)
    cold = {knot: hinge(knot - hours, learnt) for knot in HEATING_KNOTS}
    warm = {knot: hinge(hours - knot, learnt) for knot in COOLING_KNOTS}
    for degrees in (*cold.values(), *warm.values()):
        add(degrees, 0.1)
    for degrees in (*cold.values(), *warm.values()):
        add(degrees * weekend, 1.0)
    add(cold[16.0] * school * (1 - weekend), 1.0)
    before = 0.5 * _lag(mean, 1) + 0.3 * _lag(mean, 2) + 0.2 * _lag(mean, 3)
    for knot in (10.0, 16.0):
        add(np.maximum(knot - before, 0.0), 1.0)
    for knot in (18.0, 22.0):
        add(np.maximum(before - knot, 0.0), 1.0)
    add(np.maximum(16.0 - _lag(mean, 1), 0.0), 1.0)
    add(np.maximum(_lag(mean, 1) - 18.0, 0.0), 1.0)


def hinge(degrees: np.ndarray, learnt: slice) -> np.ndarray:
    """Degrees above zero, mean of each day (days,); none at all where the days learnt say too little of them: three hot afternoons make a
    slope of anything, and the next heat wave would be foreseen by it. The slope of milder days goes on instead."""
    values: np.ndarray = np.maximum(degrees, 0.0).mean(axis=1)
    return values if (values[learnt] > TOLD_DEGREES).sum() >= TOLD_DAYS else np.zeros_like(values)


def _lag(values: np.ndarray, days: int) -> np.ndarray:
    return np.concatenate([np.repeat(values[:1], days), values[:-days]])[: len(values)]


def fit(rows: np.ndarray, shrink: np.ndarray, values: np.ndarray, clip: float = 3.5, rounds: int = 2) -> regression.Ridge:
    """Robust fit of ``values`` (meters, days), NaN where unknown, on ``rows`` (days, p)."""
    found = regression.fit(rows, values, shrink)
    for _ in range(rounds):
        found = regression.fit(
            rows, values, shrink, weights=regression.huber_weights(values - found.predict(rows), clip), penalties=found.penalty
        )
    return found


@dataclass(frozen=True)
class ChangePoint:
    """The readable model of each meter: ``base`` kWh/day, ``heating`` and ``cooling`` kWh/day per °C, balance points in °C (NaN if
    none)."""

    base: np.ndarray
    heating: np.ndarray
    heating_point: np.ndarray
    cooling: np.ndarray
    cooling_point: np.ndarray


def change_points(temperature: np.ndarray, values: np.ndarray) -> ChangePoint:
    """Least squares over a grid of heating and cooling balance points, all meters at once; (meters, days) of ``values``, NaN unknown.

    A side is kept only if its slope is positive and lessens BIC; otherwise the meter has no heating (or cooling) that shows.
    """
    known = np.isfinite(values)
    count = known.sum(axis=1)
    meters = len(values)
    best = np.full(meters, np.inf)
    kept = np.full((5, meters), np.nan)
    pairs: list[tuple[float | None, float | None]] = [(None, None)]
    pairs += [(h, None) for h in BALANCE_HEATING] + [(None, c) for c in BALANCE_COOLING]
    pairs += [(h, c) for h in BALANCE_HEATING[::2] for c in BALANCE_COOLING[::2] if c - h >= 2]
    square = np.where(known, values, 0.0)
    total = np.einsum("mn,mn->m", square, square)
    for heat, cool in pairs:
        columns = [np.ones(len(temperature))]
        columns += [] if heat is None else [np.maximum(heat - temperature, 0.0)]
        columns += [] if cool is None else [np.maximum(temperature - cool, 0.0)]
        rows = np.column_stack(columns)
        gram, moment = regression.normal_matrices(rows, values, known.astype(float))
        beta = np.linalg.solve(gram + 1e-6 * np.eye(rows.shape[1]), moment[:, :, None])[:, :, 0]
        rss = np.maximum(total - np.einsum("mp,mp->m", beta, moment), 1e-9)
        score = count * np.log(rss / np.maximum(count, 1)) + 2 * rows.shape[1] * np.log(np.maximum(count, 2))
        good = (score < best) & (beta[:, 1:] > 0).all(axis=1)
        best = np.where(good, score, best)
        slopes = iter(range(1, rows.shape[1]))
        h = beta[:, next(slopes)] if heat is not None else np.zeros(meters)
        c = beta[:, next(slopes)] if cool is not None else np.zeros(meters)
        news = (beta[:, 0], h, np.full(meters, np.nan if heat is None else heat), c, np.full(meters, np.nan if cool is None else cool))
        for row, new in zip(kept, news, strict=True):
            row[good] = new[good]
    return ChangePoint(*kept)
