"""The meters of the energy benchmark: those inside the ``opendsm`` wheel, and the building loads of LBNL and nmecr. °C, kWh, local days.

Each pair is a base year and the year after it. The pairs of ``SELECTION`` served to choose the model; the bars are taken on the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

IL = ("il-electricity-cdd-hdd", "il-electricity-cdd-only", "il-gas-hdd-only", "il-gas-intercept-only")
"""Simulated by the wheel's authors, with a declared saving of 10 % from 2017 on."""

DECLARED_SAVING = 0.10
_UK = "uk-{}-hdd-only-hourly-sample-{}"
SELECTION = {"uk-electricity-0, 2020", "uk-gas-0, 2020", "nmecr, 2012", "il-electricity-cdd-hdd", "il-gas-hdd-only"}


@dataclass(frozen=True)
class Meter:
    """``kwh`` and ``celsius``: hourly (or daily) series by naive local time; ``territory`` of its holidays."""

    name: str
    kwh: pd.Series
    celsius: pd.Series
    territory: str

    @property
    def hourly(self) -> bool:
        """Whether it was read each hour."""
        return len(self.kwh) > 4000

    def days(self) -> pd.DatetimeIndex:
        """All days from the first to the last with a temperature."""
        return pd.date_range(self.celsius.index[0].normalize(), self.celsius.index[-1].normalize(), freq="D")

    def grid(self, series: pd.Series) -> np.ndarray:
        """(days, 24), or (days, 1) for a daily meter; NaN where unknown."""
        days = self.days()
        if not self.hourly:
            return series.reindex(days).to_numpy(dtype=float)[:, None]
        hours = days.repeat(24) + pd.to_timedelta(np.tile(np.arange(24), len(days)), unit="h")
        return series.reindex(hours).to_numpy(dtype=float).reshape(len(days), 24)

    def daily(self) -> np.ndarray:
        """kWh of standard days (days,), NaN where under 20 hours are known."""
        hours = self.grid(self.kwh)
        if not self.hourly:
            return hours[:, 0]
        known = np.isfinite(hours).sum(axis=1)
        return np.where(known >= 20, np.nansum(hours, axis=1) * 24 / np.maximum(known, 1), np.nan)

    def temperature(self) -> np.ndarray:
        """(days, 24) or (days, 1), holes drawn between hours."""
        grid = self.grid(self.celsius)
        flat = pd.Series(grid.reshape(-1)).interpolate(limit_direction="both").to_numpy()
        return np.asarray(flat.reshape(grid.shape))


@dataclass(frozen=True)
class Pair:
    """Base and next year of a meter, as slices of its days; ``after`` is None where there is no second year."""

    name: str
    meter: Meter
    base: slice
    after: slice | None

    @property
    def held_out(self) -> bool:
        """Whether the pair took no part in the choice of the model."""
        return self.name not in SELECTION


def meters(loads: Path, samples: Path | None) -> dict[str, Meter]:
    """All meters; those of the wheel only where ``samples`` (its folder) is given."""
    found = [*_lbnl(loads), _school(loads), _nmecr(loads)]
    if samples is not None:
        found += [*_illinois(samples), *_kingdom(samples)]
    return {meter.name: meter for meter in found}


def pairs(found: dict[str, Meter]) -> list[Pair]:
    """The pairs of years, by name."""
    wanted = [(name, name, "2015-12-26", "2016-12-25", "2017-01-05", "2018-01-04") for name in IL]
    for kind in ("electricity-0", "gas-0"):
        wanted.append((f"uk-{kind}, 2020", f"uk-{kind}", "2020-04-02", "2021-04-01", "2021-04-02", "2022-04-01"))
        wanted.append((f"uk-{kind}, 2021", f"uk-{kind}", "2021-04-02", "2022-04-01", "2022-04-02", "2022-12-04"))
    for i in (1, 2):
        wanted.append((f"uk-electricity-{i}", f"uk-electricity-{i}", "2012-10-13", "2013-10-12", "2013-10-13", "2014-01-23"))
    wanted += [(f"lbnl-{i}", f"lbnl-{i}", "2006-01-01", "2006-12-31", "2017-01-01", "2017-12-31") for i in (1, 2, 3)]
    wanted.append(("school", "school", "2018-01-01", "2018-12-31", "", ""))
    wanted += [(f"nmecr, {y}", "nmecr", f"{y}-03-01", f"{y + 1}-02-28", f"{y + 1}-03-01", f"{y + 2}-02-28") for y in (2012, 2013)]
    result = []
    for name, meter, *dates in wanted:
        if meter in found:
            days = found[meter].days()
            a, b, c, d = (int(days.searchsorted(pd.Timestamp(day))) if day else -1 for day in dates)
            result.append(Pair(name, found[meter], slice(a, b + 1), slice(c, d + 1) if c >= 0 else None))
    return result


def _lbnl(loads: Path) -> list[Meter]:
    """RMV2.0: times end their hour; degrees Celsius; years 2006 (before) and 2017 (after works)."""
    result = []
    for i in (1, 2, 3):
        parts = [pd.read_csv(loads / "rmv2" / f"{when}_simu" / f"Data_{when.lower()}_{i}.csv") for when in ("Pre", "Post")]
        table = pd.concat(parts)
        table.index = pd.DatetimeIndex(pd.to_datetime(table["time"], format="%m/%d/%y %H:%M") - pd.Timedelta(hours=1))
        table = table[table.index.notna() & ~table.index.duplicated()].sort_index()
        result.append(Meter(f"lbnl-{i}", table["eload"], table["Temp"], "US"))
    return result


def _school(loads: Path) -> Meter:
    kwh, heat = pd.read_csv(loads / "nmecr_school_eload.csv"), pd.read_csv(loads / "nmecr_school_temp.csv")
    return Meter("school", _epoch(kwh, "eload"), _celsius(_epoch(heat, "temp")), "US")


def _nmecr(loads: Path) -> Meter:
    """Daily; summer days are stamped at one in the morning."""
    kwh, heat = (_epoch(pd.read_csv(loads / f"nmecr_{what}.csv"), column) for what, column in (("eload", "eload"), ("temp", "temp")))
    return Meter("nmecr", kwh.set_axis(kwh.index.floor("D")), _celsius(heat.set_axis(heat.index.floor("D"))), "US")


def _epoch(table: pd.DataFrame, column: str) -> pd.Series:
    series = pd.Series(table[column].to_numpy(), index=pd.DatetimeIndex(pd.to_datetime(table["time"], unit="s")))
    return series[~series.index.duplicated()]


def _celsius(fahrenheit: pd.Series) -> pd.Series:
    return (fahrenheit - 32) / 1.8


def _local(stamps: pd.Series, zone: str) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(pd.to_datetime(stamps, utc=True)).tz_convert(zone).tz_localize(None)


def _illinois(samples: Path) -> list[Meter]:
    heat = pd.read_csv(samples / "il-tempF.csv.gz")
    celsius = _celsius(pd.Series(heat["tempF"].to_numpy(), index=_local(heat["dt"], "America/Chicago"))).groupby(level=0).mean()
    result = []
    for name in IL:
        table = pd.read_csv(samples / f"{name}-hourly.csv.gz")
        kwh = pd.Series(table["value"].to_numpy(), index=_local(table["start"], "America/Chicago")).groupby(level=0).mean()
        result.append(Meter(name, kwh, celsius, "US"))
    return result


def _kingdom(samples: Path) -> list[Meter]:
    result = []
    for kind, i, weather in (("electricity", 0, "0"), ("gas", 0, "0"), ("electricity", 1, "1_2"), ("electricity", 2, "1_2")):
        table = pd.read_csv(samples / f"{_UK.format(kind, i)}.csv.gz")
        kwh = pd.Series(table["value"].to_numpy(), index=_local(table["start"], "Europe/London"))
        kwh = kwh.groupby(level=0).mean()
        if i:  # half-hourly
            hour = kwh.groupby(kwh.index.floor("h"))
            kwh = hour.sum().where(hour.count() == 2)
        heat = pd.read_csv(samples / f"uk-tempC-sample-{weather}.csv.gz")
        celsius = pd.Series(heat["tempC"].to_numpy(), index=_local(heat["dt"], "Europe/London")).groupby(level=0).mean()
        result.append(Meter(f"uk-{kind}-{i}", kwh, celsius, "GB-ENG"))
    return result
