"""Readings of many meters to arrays by local day and hour. Vectorised: the same few passes for one meter or seven thousand.

A day of 23 or 25 hours keeps its own energy; for the models it becomes a standard day of 24 (the doubled hour is averaged, a missing one is
absent). Duplicates are averaged, negatives and holes are NaN: nothing is invented.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

Resolution = Literal["hourly", "daily", "sparse"]
_HOUR_US = 3_600_000_000


@dataclass(frozen=True)
class Curves:
    """Meters of one resolution. ``values`` kWh: (meters, days, 24) per hour, or (meters, days) per standard day; NaN unknown.
    ``energy`` (meters, days): the true kWh of each local day; ``days`` naive local midnights."""

    names: list[str]
    days: pd.DatetimeIndex
    values: np.ndarray
    energy: np.ndarray


@dataclass(frozen=True)
class Sorted:
    """Readings by meter and time: ``code`` of ``names``, ``start`` µs since 1970 UTC, ``hours``, ``kwh``; French ``notes``."""

    names: list[str]
    code: np.ndarray
    start: np.ndarray
    hours: np.ndarray
    kwh: np.ndarray
    notes: list[str] = field(default_factory=list)


def sort(table: pd.DataFrame) -> Sorted:
    """The readings of a long table (``readers.COLUMNS``): sorted, duplicates averaged, negatives set aside."""
    from bocage.contract.french import count

    notes: list[str] = []
    names, code = _codes(table["point"])
    start = table["debut"].dt.tz_convert("UTC").dt.tz_localize(None).astype("datetime64[us]").astype("int64").to_numpy()
    hours, kwh = table["heures"].to_numpy(dtype=float), table["kwh"].to_numpy(dtype=float)
    sound = np.isfinite(hours) & (hours > 0) & np.isfinite(kwh)
    negative = sound & (kwh < 0)
    if negative.any():
        notes.append(f"{count(int(negative.sum()), 'valeur négative a été écartée', 'valeurs négatives ont été écartées')}.")
    keep = np.flatnonzero(sound & ~negative)
    in_order = (np.diff(code[keep]) > 0) | ((np.diff(code[keep]) == 0) & (np.diff(start[keep]) > 0))
    order = keep if in_order.all() else keep[np.lexsort((kwh[keep], start[keep], code[keep]))]
    code, start, hours, kwh = code[order], start[order], hours[order], kwh[order]
    if len(code):
        new = np.concatenate([[True], (np.diff(code) != 0) | (np.diff(start) != 0)])
        if not new.all():
            notes.append(f"{count(int((~new).sum()), 'mesure était en double', 'mesures étaient en double')} : leur moyenne a été retenue.")
            at = np.flatnonzero(new)
            size = np.diff(np.append(at, len(new)))
            kwh, hours = np.add.reduceat(kwh, at) / size, np.add.reduceat(hours, at) / size
            code, start = code[at], start[at]
    return Sorted(names, code, start, hours, kwh, notes)


def _codes(points: pd.Series) -> tuple[list[str], np.ndarray]:
    """Sorted names and the place of each row's; fast where the column is a category already."""
    category = points.astype(str).astype("category") if not isinstance(points.dtype, pd.CategoricalDtype) else points
    category = category.cat.remove_unused_categories()
    names = [str(name) for name in category.cat.categories]
    order = sorted(range(len(names)), key=names.__getitem__)
    place = np.empty(len(names), dtype=np.int64)
    place[order] = np.arange(len(names))
    return [names[i] for i in order], place[category.cat.codes.to_numpy()]


def usual_step(readings: Sorted) -> np.ndarray:
    """The median length of step (hours) of each meter; NaN for one without readings."""
    order = np.lexsort((readings.hours, readings.code))
    count = np.bincount(readings.code, minlength=len(readings.names))
    middle = np.cumsum(count) - count + count // 2
    result = np.full(len(readings.names), np.nan)
    some = count > 0
    result[some] = readings.hours[order][middle[some]]
    return result


def curves(readings: Sorted, zone: str) -> dict[Resolution, Curves]:
    """By resolution: meters read each hour or oftener; each day (or in parts of a day); more rarely (bills)."""
    if not len(readings.code):
        return {}
    step = usual_step(readings)
    kinds: dict[Resolution, np.ndarray] = {"hourly": step <= 1.01, "daily": (step > 1.01) & (step <= 26), "sparse": step > 26}
    clock = _Clock(readings, zone)
    result: dict[Resolution, Curves] = {}
    for kind, chosen in kinds.items():
        if chosen.any():
            result[kind] = _grid(readings, clock, chosen, kind)
    return result


class _Clock:
    """Local day and hour of each UTC hour between the first and last reading: one conversion for all rows."""

    def __init__(self, readings: Sorted, zone: str) -> None:
        self.first = int(readings.start.min() // _HOUR_US)
        last = int(readings.start.max() // _HOUR_US)
        utc = pd.DatetimeIndex(np.arange(self.first, last + 2, dtype="int64") * _HOUR_US, dtype="datetime64[us]").tz_localize("UTC")
        local = utc.tz_convert(zone).tz_localize(None)
        midnight = local.normalize()
        self.days = pd.date_range(midnight[0], midnight[-2], freq="D", unit="us")
        self.day = ((midnight - midnight[0]).days).to_numpy()
        self.hour = local.hour.to_numpy()

    def at(self, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        place = start // _HOUR_US - self.first
        return self.day[place], self.hour[place]


def _grid(readings: Sorted, clock: _Clock, chosen: np.ndarray, kind: Resolution) -> Curves:
    own = np.cumsum(chosen) - 1
    rows = chosen[readings.code]
    code, hours, kwh = own[readings.code[rows]], readings.hours[rows], readings.kwh[rows]
    day, hour = clock.at(readings.start[rows])
    meters, days = int(chosen.sum()), len(clock.days)
    names = [name for name, kept in zip(readings.names, chosen, strict=True) if kept]
    flat = code * days + day
    energy = np.bincount(flat, kwh, meters * days)
    cover = np.bincount(flat, hours, meters * days)
    known = cover > 0
    if kind == "hourly":
        place = flat * 24 + hour
        size = meters * days * 24
        slot = np.bincount(place, hours, size)
        with np.errstate(divide="ignore", invalid="ignore"):
            values = np.where(slot >= 0.5, np.bincount(place, kwh, size) / slot, np.nan).reshape(meters, days, 24)
    else:
        with np.errstate(divide="ignore", invalid="ignore"):
            # A reading of a day whose neighbours are missing still tells its day: its own length says how much of it.
            values = np.where(cover >= 20, energy * 24 / cover, np.nan).reshape(meters, days)
    total = np.where(known, energy, np.nan).reshape(meters, days)
    return Curves(names, clock.days, values, total)


def temperature_grid(table: pd.DataFrame | None, days: pd.DatetimeIndex, zone: str) -> tuple[np.ndarray | None, float]:
    """Temperature (days, 24) in °C without NaN, and the share of days it had to be drawn from other years or days. None without weather.

    Holes of up to a day are drawn between measures; longer ones take the mean of the same fortnight. None when under half the days
    are known.
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
    if empty.mean() > 0.5:
        return None, 1.0
    if empty.any():
        fortnight = days.day_of_year.to_numpy() // 15
        typical = np.nanmean(grid, axis=0)
        for one in np.unique(fortnight[empty]):
            same = grid[(fortnight == one) & ~empty]
            grid[empty & (fortnight == one)] = same.mean(axis=0) if len(same) else typical
    return grid, float(empty.mean())
