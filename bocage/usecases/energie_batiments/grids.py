"""Readings of many meters to arrays by local day and hour. Vectorised: the same few passes for one meter or seven thousand.

A day of 23 or 25 hours keeps its own energy; for the models it becomes a standard day of 24 (the doubled hour is averaged, a missing one is
absent). A reading of several days is spread evenly over them. Holes are NaN: nothing is invented.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from bocage.usecases.energie_batiments.sorting import FINE, LAYERS, MEDIUM, Sorted

Resolution = Literal["hourly", "daily", "sparse"]
_HOUR_US = 3_600_000_000

WATCHABLE = 182 * 24.0
"""Hours of daily readings that are enough to watch a meter which has longer bills too."""

WEATHER_DAYS = 3 * 365
"""Last days over which the weather's holes are counted: older readings than the weather do not make it useless."""


@dataclass(frozen=True)
class Curves:
    """Meters of one resolution. ``values`` kWh: (meters, days, 24) per hour, or (meters, days) per standard day; NaN unknown.
    ``energy`` (meters, days): the true kWh read of each local day, NaN without any; ``covered``: the share (0 to 1) of the day that they
    tell; ``days`` naive local midnights."""

    names: list[str]
    days: pd.DatetimeIndex
    values: np.ndarray
    energy: np.ndarray
    covered: np.ndarray

    def of(self, meters: np.ndarray) -> Curves:
        """The same for ``meters`` only (places)."""
        return Curves([self.names[i] for i in meters], self.days, self.values[meters], self.energy[meters], self.covered[meters])


def resolutions(readings: Sorted) -> dict[Resolution, np.ndarray]:
    """By resolution, which meters: read mostly each hour or oftener; each day (or in parts of a day); more rarely (bills)."""
    meters = len(readings.names)
    fine, medium, long = (
        np.bincount(readings.code, np.where(chosen, readings.hours, 0.0), meters)
        for chosen in (readings.hours <= FINE, (readings.hours > FINE) & (readings.hours <= MEDIUM), readings.hours > MEDIUM)
    )
    watched = (fine + medium > 0) & (fine + medium >= np.minimum(long / 2, WATCHABLE))
    hourly = watched & (fine >= medium / 2)
    return {"hourly": hourly, "daily": watched & ~hourly, "sparse": ~watched & (long > 0)}


def curves(readings: Sorted, zone: str) -> dict[Resolution, Curves]:
    """Arrays of the meters of each resolution, over the days that these meters were read."""
    return {kind: _grid(readings, zone, chosen, kind) for kind, chosen in resolutions(readings).items() if chosen.any()}


class _Clock:
    """Local day and hour of each UTC hour from ``first`` to ``last`` (µs): one conversion for all rows."""

    def __init__(self, first: int, last: int, zone: str) -> None:
        self.first = first // _HOUR_US
        utc = pd.DatetimeIndex(np.arange(self.first, last // _HOUR_US + 2, dtype="int64") * _HOUR_US, dtype="datetime64[us]")
        local = utc.tz_localize("UTC").tz_convert(zone).tz_localize(None)
        midnight = local.normalize()
        self.days = pd.date_range(midnight[0], midnight[-2], freq="D", unit="us")
        self.day = ((midnight - midnight[0]).days).to_numpy()
        self.hour = local.hour.to_numpy()
        edges = pd.date_range(midnight[0], periods=len(self.days) + 1, freq="D", unit="us")
        # At midnight of a change of hour the day begins with the first hour that exists.
        begin = edges.tz_localize(zone, ambiguous=np.ones(len(edges), dtype=bool), nonexistent="shift_forward")
        self.edges = begin.tz_convert("UTC").tz_localize(None).astype("datetime64[us]").astype("int64").to_numpy()
        self.length = np.diff(self.edges) / _HOUR_US

    def at(self, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        place = start // _HOUR_US - self.first
        return self.day[place], self.hour[place]


def _grid(readings: Sorted, zone: str, chosen: np.ndarray, kind: Resolution) -> Curves:
    own = np.cumsum(chosen) - 1
    part = readings.only(chosen[readings.code], [])
    code, layer = own[part.code], part.layer()
    if kind == "sparse":
        clock = _Clock(int(part.start.min()), int(part.end.max()) - 1, zone)
    else:
        # A bill neither begins nor ends the calendar of the meters that are watched.
        short = part.start[part.hours <= MEDIUM]
        clock = _Clock(int(short.min()), int(short.max()), zone)
    meters, days = int(chosen.sum()), len(clock.days)
    known = _Known(np.zeros((meters, days)), np.zeros((meters, days)), clock)
    values = np.full((meters, days), np.nan)
    if kind == "hourly":
        values = _hours(part, code, layer == 0, clock, (meters, days, 24))
    for i in range(len(LAYERS)):
        rows = slice(None) if (layer == i).all() else np.flatnonzero(layer == i)
        if len(code[rows]):
            (known.add_days if i < 2 else known.add_long)(code[rows], part.start[rows], part.hours[rows], part.kwh[rows])
        if i == 2 and kind == "daily":
            with np.errstate(divide="ignore", invalid="ignore"):
                # A reading of a day whose neighbours are missing still tells its day: its own length says how much of it.
                values = np.where(known.hours >= 20, known.kwh * 24 / known.hours, np.nan)
    names = [name for name, kept in zip(readings.names, chosen, strict=True) if kept]
    return Curves(names, clock.days, values, np.where(known.hours > 0, known.kwh, np.nan), np.minimum(known.hours / clock.length, 1.0))


def _hours(part: Sorted, code: np.ndarray, fine: np.ndarray, clock: _Clock, shape: tuple[int, int, int]) -> np.ndarray:
    """kWh per hour (meters, days, 24) from the steps of an hour or less, NaN where under half an hour is known."""
    rows = slice(None) if fine.all() else np.flatnonzero(fine)
    day, hour = clock.at(part.start[rows])
    place = (code[rows] * shape[1] + day) * 24 + hour
    slot = np.bincount(place, part.hours[rows], int(np.prod(shape)))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(slot >= 0.5, np.bincount(place, part.kwh[rows], len(slot)) / slot, np.nan).reshape(shape)


@dataclass
class _Known:
    """``kwh`` and ``hours`` (meters, days) read so far; a layer of steps adds what the finer ones lack."""

    kwh: np.ndarray
    hours: np.ndarray
    clock: _Clock

    def add_days(self, code: np.ndarray, start: np.ndarray, hours: np.ndarray, kwh: np.ndarray) -> None:
        """Steps of a day or less, each given to the day when it begins."""
        flat = code * self.kwh.shape[1] + self.clock.at(start)[0]
        read, length = (np.bincount(flat, x, self.kwh.size).reshape(self.kwh.shape) for x in (kwh, hours))
        if not self.hours.any():
            self.kwh, self.hours = read, length
            return
        twice = np.clip(length + self.hours - self.clock.length, 0.0, self.hours)
        read -= self.kwh * twice / np.maximum(self.hours, 1e-9)
        more = np.minimum(length, self.clock.length - self.hours)
        lacking = more > 1e-6
        self.kwh[lacking] += np.maximum(read, 0.0)[lacking]
        self.hours[lacking] += more[lacking]

    def add_long(self, code: np.ndarray, start: np.ndarray, hours: np.ndarray, kwh: np.ndarray) -> None:
        """Steps of several days: what the finer ones of the same days do not account for, spread evenly over the hours they lack."""
        edges, days = self.clock.edges, self.kwh.shape[1]
        end = start + np.rint(hours * _HOUR_US).astype(np.int64)
        inside = (end > edges[0]) & (start < edges[-1])
        code, start, end, hours, kwh = (x[inside] for x in (code, start, end, hours, kwh))
        first = np.maximum(np.searchsorted(edges, start, side="right") - 1, 0)
        last = np.minimum(np.searchsorted(edges, end, side="left") - 1, days - 1)
        count = last - first + 1
        step = np.repeat(np.arange(len(code)), count)
        day = np.arange(len(step)) - np.repeat(np.cumsum(count) - count, count) + first[step]
        piece = (np.minimum(end[step], edges[day + 1]) - np.maximum(start[step], edges[day])) / _HOUR_US
        share = piece / self.clock.length[day]
        flat = code[step] * days + day
        free = piece * np.clip(1 - self.hours.reshape(-1)[flat] / self.clock.length[day], 0.0, 1.0)
        total = np.bincount(step, piece, len(code))
        lacking = np.bincount(step, free, len(code))
        rest = np.maximum(kwh * total / hours - np.bincount(step, share * self.kwh.reshape(-1)[flat], len(code)), 0.0)
        rest[lacking < 0.02 * total] = 0.0
        free[(lacking < 0.02 * total)[step]] = 0.0
        self.kwh += np.bincount(flat, rest[step] * free / np.maximum(lacking, 1e-9)[step], self.kwh.size).reshape(self.kwh.shape)
        self.hours += np.bincount(flat, free, self.kwh.size).reshape(self.kwh.shape)


def temperature_grid(table: pd.DataFrame | None, days: pd.DatetimeIndex, zone: str) -> tuple[np.ndarray | None, float]:
    """Temperature (days, 24) in °C without NaN, and the share of days (of the last three
    years) it had to be drawn from other years or days. None without weather.

    Holes of up to a day are drawn between measures; longer ones take the mean of the same fortnight. None when under half of the last
    three years' days are known.
    """
    if table is None or table.empty:
        return None, 1.0
    known = table.dropna(subset=["temperature_c"]).groupby("horodatage")["temperature_c"].mean().sort_index()
    instants = known.index.tz_convert("UTC").tz_localize(None).astype("datetime64[us]").astype("int64").to_numpy() / _HOUR_US
    wanted = days.repeat(24) + pd.to_timedelta(np.tile(np.arange(24), len(days)), unit="h")
    # A local hour that does not exist takes the next one; the doubled one its first.
    local = wanted.tz_localize(zone, ambiguous=np.ones(len(wanted), dtype=bool), nonexistent="shift_forward")
    hours = local.tz_convert("UTC").tz_localize(None).astype("datetime64[us]").astype("int64").to_numpy() / _HOUR_US
    values = np.interp(hours, instants, known.to_numpy(dtype=float))
    after = np.searchsorted(instants, hours)
    left = hours - instants[np.maximum(after - 1, 0)]
    right = instants[np.minimum(after, len(instants) - 1)] - hours
    near = (np.minimum(np.abs(left), np.abs(right)) <= 12) | ((left >= 0) & (right >= 0) & (left + right <= 26))
    grid = np.where(near, values, np.nan).reshape(len(days), 24)
    empty = np.isnan(grid).any(axis=1)
    lacking = float(empty[-WEATHER_DAYS:].mean())
    if lacking > 0.5:
        return None, 1.0
    if empty.any():
        fortnight = days.day_of_year.to_numpy() // 15
        typical = np.nanmean(grid, axis=0)
        for one in np.unique(fortnight[empty]):
            same = grid[(fortnight == one) & ~empty]
            grid[empty & (fortnight == one)] = same.mean(axis=0) if len(same) else typical
    return grid, lacking
