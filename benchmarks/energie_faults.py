"""Injected faults and placebo actions of the energy benchmark, on simulated public buildings and on the real ones.

Each building and quarter is watched untouched (any alarm is false) and once per fault; precision counts one sound quarter for one with a
fault. An alarm that the untouched curve raises too, or raised before the fault began, does not find it. The
engine's own calls are scored (``detect.from_hours``).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from benchmarks.energie_meters import Meter
from bocage.methods.calendars import SchoolZone
from bocage.usecases.energie_batiments import daily, detect, savings
from bocage.usecases.energie_batiments.daily import Calendar
from bocage.usecases.energie_batiments.tests import simulated

SELECTION_SEEDS, EVALUATION_SEEDS = (1, 2), (11, 12)
BUILDINGS = 18
QUARTER = 92
WINTER = (11, 12, 1, 2, 3)
_ZONE: tuple[SchoolZone, ...] = ("B",)
IN_TOTALS = ("weekend_heating", "lost_setback", "base_load")
"""Faults that daily totals can tell."""


def simulated_faults(seeds: tuple[int, ...], faults: tuple[str, ...] = simulated.FAULTS) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Faults (kind, delay in days or NaN) and sound quarters (alarm: kinds told) of simulated fleets; ``IN_TOTALS`` in daily totals."""
    told, sound = [], []
    for seed in seeds:
        fleet = simulated.fleet(BUILDINGS, "2021-01-01", 2.95, seed)
        known = daily.calendar(fleet.days, "FR", _ZONE)
        drawn = np.random.default_rng(seed + 7)
        for reference in range(600, len(fleet.days) - QUARTER + 1, 91):
            part, more = _quarter(fleet, known, reference, drawn, faults)
            told.append(part)
            sound.append(more)
    return pd.concat(told, ignore_index=True), pd.concat(sound, ignore_index=True)


def real_faults(found: dict[str, Meter]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The same on the LBNL building (2006) and the school (2018), each on the last quarter of its only year, three draws."""
    told, sound = [], []
    for name, year in (("lbnl-1", 2006), ("school", 2018)):
        meter = found[name]
        days = meter.days()
        chosen = days.year == year
        fleet = _as_fleet(meter.grid(meter.kwh)[chosen], meter.temperature()[chosen], days[chosen])
        known = daily.calendar(fleet.days, meter.territory)
        for draw in range(3):
            part, more = _quarter(fleet, known, len(fleet.days) - QUARTER, np.random.default_rng(draw))
            told.append(part)
            if not draw:
                sound.append(more)
    return pd.concat(told, ignore_index=True), pd.concat(sound, ignore_index=True)


def _as_fleet(kwh: np.ndarray, temperature: np.ndarray, days: pd.DatetimeIndex) -> simulated.Fleet:
    """A real building, its heating unknown: a lost setback is 40 % of the way from night to day; closed days go to the Friday."""
    day = kwh[:, 8:18].mean(axis=1, keepdims=True)
    open_days = np.asarray(days.day_of_week < 5)
    friday = pd.DataFrame(np.where((days.day_of_week == 4)[:, None], kwh, np.nan)).ffill().bfill().to_numpy()
    extra = 0.4 * np.maximum(np.where(open_days[:, None], day, friday) - kwh, 0.0)
    return simulated.Fleet(kwh[None], np.zeros((1, *kwh.shape)), extra[None], open_days[None], temperature, days, ("réel",))


def _quarter(
    fleet: simulated.Fleet,
    whole: Calendar,
    reference: int,
    drawn: np.random.Generator,
    faults: tuple[str, ...] = simulated.FAULTS,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    end = reference + QUARTER
    known = Calendar(whole.days[:end], whole.kind[:end], whole.schools[:end], whole.hours[:end])
    cases = [("sound", m, end, fleet.kwh[m, :end].astype(float)) for m in range(len(fleet.kwh))]
    for fault in faults:
        for m in range(len(fleet.kwh)):
            first = _first_day(fleet, known, fault, m, reference, drawn)
            if first is not None:
                cases.append((fault, m, first, simulated.inject(fleet, m, fault, first, int(drawn.integers(1_000_000)))[:end]))
    curves = np.stack([case[3] for case in cases])
    if faults == IN_TOTALS:
        watched = detect.from_days(curves.sum(axis=2), known, fleet.temperature[:end], reference)
    else:
        watched = detect.from_hours(curves, known, fleet.temperature[:end], reference)
    told, sound = [], []
    for i, (fault, m, first, _) in enumerate(cases):
        if fault == "sound":
            sound.append({"alarms": [kind for kind, days in watched.alarms.items() if days[i].any()]})
        else:
            fresh = np.any([days[i] & ~days[m] for days in watched.alarms.values()], axis=0)
            after = np.flatnonzero(fresh[first:])
            told.append({"fault": fault, "delay": float(after[0]) if len(after) else np.nan})
    return pd.DataFrame(told), pd.DataFrame(sound)


def _first_day(fleet: simulated.Fleet, known: Calendar, fault: str, m: int, reference: int, drawn: np.random.Generator) -> int | None:
    """A day of the quarter when the fault can begin: heating faults in winter, on a closed day for weekends; clocks on their change."""
    days: list[int] = list(range(reference + 5, reference + 60))
    if fault in ("weekend_heating", "lost_setback"):
        days = [d for d in days if known.days.month[d] in WINTER and fleet.unlowered[m].any()]
    if fault == "weekend_heating":
        days = [d for d in days if not fleet.open_days[m, d]]
    if fault == "clock_change":
        days = [d for d in range(reference, reference + QUARTER - 10) if known.hours[d] != 24]
    return int(drawn.choice(days)) if days else None


def summary(name: str, told: pd.DataFrame, sound: pd.DataFrame) -> dict[str, Any]:
    """Recall, precision (one sound quarter per fault), delays and false alerts per building and quarter."""
    recall = float(told["delay"].notna().mean())
    false = float((sound["alarms"].map(len) > 0).mean())
    row: dict[str, Any] = {
        "name": name,
        "faults": len(told),
        "recall": round(recall, 3),
        "precision": round(recall / max(recall + false, 1e-9), 3),
        "median_delay_days": float(told["delay"].median()),
        "within_3_days": round(float((told["delay"] <= 3).mean()), 3),
        "false_per_building_quarter": round(false, 3),
        "sound_quarters": len(sound),
    }
    for fault, part in told.groupby("fault"):
        row[f"recall_{fault}"] = round(float(part["delay"].notna().mean()), 2)
    return row


def placebo(found: dict[str, Meter], seeds: tuple[int, ...], held_out: bool, after: int = 180) -> pd.DataFrame:
    """Savings of actions that were never made: a year before, ``after`` days after. Share saved, and whether the interval holds zero.

    Real meters: the first dates are for selection, the others are held out. Columns: source, share, inside.
    """
    rows = []
    for name in ("uk-electricity-0", "uk-gas-0", "nmecr"):
        if name in found:
            meter = found[name]
            days = len(meter.days())
            starts = range(366, days - after, 60)
            chosen = [start for start in starts if (start >= 366 + (days - 366 - after) // 2) == held_out]
            known = daily.calendar(meter.days(), meter.territory)
            temperature = meter.temperature()
            for start in chosen:
                rows += _placebo(name, meter.daily()[None], known, temperature, start, after)
    for seed in seeds:
        fleet = simulated.fleet(BUILDINGS, "2021-01-01", 2.95, seed)
        known = daily.calendar(fleet.days, "FR", _ZONE)
        for start in (400, 520, 640, 760, 880):
            rows += _placebo("simulated", fleet.kwh.sum(axis=2, dtype=float), known, fleet.temperature, start, after)
    return pd.DataFrame(rows)


def _placebo(name: str, kwh: np.ndarray, known: Calendar, temperature: np.ndarray, start: int, after: int) -> list[dict[str, Any]]:
    later = slice(start + 5, min(start + 5 + after, kwh.shape[1]))
    found = savings.savings(kwh, known, temperature, slice(max(0, start - 365), start), later)
    return [
        {"source": name, "share": float(s), "inside": bool(low <= 0 <= high)}
        for s, low, high in zip(found.share, found.low, found.high, strict=True)
        if np.isfinite(s)
    ]
