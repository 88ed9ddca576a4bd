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


def yearly(energy: np.ndarray, covered: np.ndarray, foreseen: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Use of each meter's own last 365 days (meters,) kWh; the same had the weather been the mean of the years known; and the share
    (0 to 1) of the hours that had to be completed. ``covered`` (meters, days) is the share of each day that ``energy`` tells;
    ``foreseen`` the model's use of every day, whose shape completes the rest (a plain mean without it).

    NaN under 330 days told by half or more; the first equals the second where fewer than two years of weather are known."""
    days = energy.shape[1]
    last = days - 1 - np.argmax(covered[:, ::-1] > 0, axis=1)
    ago = last[:, None] - np.arange(days)[None, :]
    told = np.where((ago >= 0) & (ago < YEAR), covered, 0.0)
    seen = np.where(told > 0, energy, 0.0).sum(axis=1)
    length = told.sum(axis=1)
    scale = YEAR / np.maximum(length, 1.0)
    ratio = np.ones(len(energy))
    if foreseen is not None:
        whole = _years(foreseen, last)
        part = (told * np.where(told > 0, foreseen, 0.0)).sum(axis=1)
        modelled = np.isfinite(whole[0]) & (part > 0)
        scale = np.where(modelled, whole[0] / np.where(modelled, part, 1.0), scale)
        several = np.isfinite(whole).sum(axis=0) > 1
        ratio[several] = np.nanmean(whole[:, several], axis=0) / np.maximum(whole[0, several], 1e-9)
    scale[length >= YEAR - 1e-6] = 1.0
    used = np.where(((told >= 0.5).sum(axis=1) >= 330) & (last >= YEAR - 1), seen * scale, np.nan)
    return used, used * np.where(np.isfinite(ratio), ratio, 1.0), 1 - np.minimum(length / YEAR, 1.0)


def _years(foreseen: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Sums (years, meters) of the 365 days that end at ``last``, then of those before them; NaN where the days known do not reach."""
    total = np.concatenate([np.zeros((len(foreseen), 1)), np.cumsum(foreseen, axis=1)], axis=1)
    stops = last[None, :] + 1 - YEAR * np.arange(max(foreseen.shape[1] // YEAR, 1))[:, None]
    starts = stops - YEAR
    meters = np.arange(len(foreseen))[None, :]
    result: np.ndarray = np.where(starts >= 0, total[meters, np.maximum(stops, 0)] - total[meters, np.maximum(starts, 0)], np.nan)
    return result


def operat_target(reference_kwh: float, year: int) -> float:
    """kWh not to exceed in ``year``: on the straight line between the decades' targets, from 2020 at the reference."""
    marks = [(2020, 0.0), *OPERAT]
    cut = float(np.interp(year, [y for y, _ in marks], [c for _, c in marks]))
    return reference_kwh * (1 - cut)
