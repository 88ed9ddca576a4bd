"""What the curves say of money: base load, use out of hours, subscribed power, and where the building stands on the OPERAT path."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bocage.usecases.energie_batiments.daily import Calendar
from bocage.usecases.energie_batiments.detect import day_groups

YEAR = 365
OPERAT = ((2030, 0.40), (2040, 0.50), (2050, 0.60))
"""Cuts of the reference year's use: article L. 174-1 of the Code de la construction et de l’habitation (« éco énergie tertiaire »)."""

OPERAT_SURFACE = 1000.0
"""m² of tertiary surface from which the duty holds (article R. 174-22 of the same code)."""

SMALL_STEPS = (3, 6, 9, 12, 15, 18, 24, 30, 36)
"""kVA that may be subscribed up to 36; above, any whole number."""

COS_PHI = 0.93
POWER_MARGIN = 1.10
_CLOSED_HOURS = [*range(6), *range(22, 24)]


@dataclass(frozen=True)
class Profile:
    """Arrays (meters,) over the last year: ``base_kw`` always on; shares (0 to 1) of the use at night on working days, on weekends
    and public
    holidays, on school holidays; ``waste`` kWh/year above the base at these closed times (night and closed days); ``peak_kw``
    highest hour."""

    base_kw: np.ndarray
    night: np.ndarray
    weekend: np.ndarray
    holidays: np.ndarray
    waste: np.ndarray
    peak_kw: np.ndarray


def profile(kwh: np.ndarray, known: Calendar) -> Profile:
    """Profile of hourly curves (meters, days, 24), of their last 365 days. NaN where fewer than 28 days are known."""
    last = kwh[:, -YEAR:]
    groups = day_groups(known)[-YEAR:]
    days = np.isfinite(last).any(axis=2).sum(axis=1)
    flat = np.sort(np.where(np.isfinite(last), last, np.inf).reshape(len(last), -1), axis=1)
    count = np.isfinite(last).reshape(len(last), -1).sum(axis=1)
    at = np.clip((0.1 * count).astype(int), 0, max(flat.shape[1] - 1, 0))
    base = np.take_along_axis(flat, at[:, None], 1)[:, 0]
    seen = np.where(np.isfinite(last), last, 0.0)
    total = np.maximum(seen.sum(axis=(1, 2)), 1e-9)
    night = seen[:, groups == 0][:, :, _CLOSED_HOURS].sum(axis=(1, 2)) / total
    weekend, holidays = (seen[:, groups == g].sum(axis=(1, 2)) / total for g in (2, 1))
    above = np.maximum(seen - np.where(np.isfinite(base), base, 0.0)[:, None, None], 0.0)
    waste = above[:, groups == 0][:, :, _CLOSED_HOURS].sum(axis=(1, 2)) + above[:, groups == 2].sum(axis=(1, 2))
    peak = seen.max(axis=(1, 2), initial=0.0)
    enough = days >= 28
    scale = YEAR / np.maximum(days, 1)
    return Profile(*(np.where(enough, array, np.nan) for array in (base, night, weekend, holidays, waste * scale, peak)))


def power_to_subscribe(peak_kw: float) -> int:
    """kVA that hold the highest hour with a margin of 10 %: the next offered step. ``peak_kw`` is a mean over an hour: see the README."""
    asked = peak_kw * POWER_MARGIN / COS_PHI
    return next((step for step in SMALL_STEPS if step >= asked), int(np.ceil(asked)))


def yearly(energy: np.ndarray, foreseen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Use of the last 365 days (meters,) kWh, and the same had the weather been the mean of the years known. ``foreseen`` is the
    model's use
    (meters, days) of every day. NaN under 330 known days; the first equals the second where fewer than two years of weather are known."""
    last = energy[:, -YEAR:]
    known = np.isfinite(last)
    days = known.sum(axis=1)
    used = np.where(known, last, 0.0).sum(axis=1) * YEAR / np.maximum(days, 1)
    years = [foreseen[:, stop - YEAR : stop].sum(axis=1) for stop in range(foreseen.shape[1], YEAR - 1, -YEAR)]
    ratio = np.mean(years, axis=0) / np.maximum(years[0], 1e-9) if len(years) > 1 else np.ones(len(energy))
    used = np.where((days >= 330) & (last.shape[1] == YEAR), used, np.nan)
    return used, used * np.where(np.isfinite(ratio), ratio, 1.0)


def operat_target(reference_kwh: float, year: int) -> float:
    """kWh not to exceed in ``year``: on the straight line between the decades' targets, from 2020 at the reference."""
    marks = [(2020, 0.0), *OPERAT]
    cut = float(np.interp(year, [y for y, _ in marks], [c for _, c in marks]))
    return reference_kwh * (1 - cut)
