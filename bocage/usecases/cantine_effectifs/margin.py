"""One margin, chosen on the town’s total from past errors, then allocated to sites so that none carries the risk alone.

The risk that the territory sets is a number of short days a year for the whole town. Per-site quantiles would each be safe and together
waste: they are never added. The town’s margin is shared in proportion to the usual error of each site, which gives all sites nearly the
same chance of being short, and costs least in meals (equal tail probabilities are where the marginal costs of all sites meet). A site
that has taken more than its share for a year is given more first: without that it would be the one that is always short.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bocage.usecases.cantine_effectifs.forecast import Forecast
from bocage.usecases.cantine_effectifs.panel import Panel

YEARS = 3
"""School years of past errors that set the margin."""

WARM_UP = 100
"""First served days, whose forecasts had too little past to be judged by."""

SERVED_PER_YEAR = 36
"""Weeks of school a year (article L. 521-1 of the code de l’éducation)."""

HABIT_DAYS, HABIT_DOUBT = 365, 20
"""Last days that tell what a site takes beyond its forecast share, and the number of served days at which half of it is believed."""

LEAST_ERRORS = 60
PRIOR_Z = 2.3
"""Margin in deviations when the past is too short to choose one: about one day in a hundred, for errors that follow a normal law."""


@dataclass(frozen=True)
class Margin:
    """``z``: the town’s margin in standard deviations of its forecast; ``errors``: past days that chose it; ``allowed``: short days that
    the territory accepts on as many days; ``site_shift`` (sites): meals that each usually takes beyond its share of the town's;
    ``site_scale`` (sites): its usual error around that, in meals; ``per_year``: days served a year."""

    z: float
    errors: int
    allowed: float
    site_shift: np.ndarray
    site_scale: np.ndarray
    per_year: float


def served_per_year(panel: Panel) -> float:
    """Days served in a school year: weeks of school times days served per week."""
    weekdays = np.bincount(panel.days[: panel.past].day_of_week.to_numpy(), minlength=7)
    return float(SERVED_PER_YEAR * (weekdays > 0.3 * weekdays.max()).sum())


def judged_days(panel: Panel) -> np.ndarray:
    """Past normal days whose forecast is a fair test, the last ``YEARS`` years of them."""
    learnt = np.flatnonzero(panel.learnt)
    recent = learnt[min(WARM_UP, len(learnt) // 2) :]
    kept: np.ndarray = recent[panel.number[recent] > panel.number[panel.past - 1] - 365 * YEARS]
    return kept


def scores(panel: Panel, found: Forecast, days: np.ndarray) -> np.ndarray:
    """Past errors of the total, in deviations: positive when more meals were served than forecast."""
    served = np.nansum(panel.reel[days], axis=1)
    gaps: np.ndarray = np.log(served / found.total[days]) / found.deviation[days]
    return gaps


def choose(panel: Panel, found: Forecast, accepted: float) -> Margin:
    """The smallest margin for which the past would have had at most ``accepted`` short days a year."""
    days = judged_days(panel)
    per_year = served_per_year(panel)
    allowed = accepted * len(days) / per_year
    shift = _shift(panel, found, days)
    scale = _scale(panel, found, days, shift)
    if len(days) < LEAST_ERRORS:
        return Margin(PRIOR_Z, len(days), allowed, shift, scale, per_year)
    ordered = np.sort(scores(panel, found, days))[::-1]
    return Margin(float(ordered[min(int(np.floor(allowed)), len(ordered) - 1)]), len(days), allowed, shift, scale, per_year)


def _shift(panel: Panel, found: Forecast, days: np.ndarray) -> np.ndarray:
    """Median, over the last year, of what each site took beyond its share of the town's meals of that day; a few days are half believed."""
    recent = days[panel.number[days] > panel.number[panel.past - 1] - HABIT_DAYS]
    served = panel.reel[recent]
    town = np.nansum(served, axis=1) / found.total[recent]
    beyond = served - found.sites[recent] * town[:, None]
    seen = np.isfinite(beyond).sum(axis=0)
    median = np.array([np.nanmedian(beyond[:, s]) if seen[s] else 0.0 for s in range(beyond.shape[1])])
    return np.asarray(median * seen / (seen + HABIT_DOUBT))


def _scale(panel: Panel, found: Forecast, days: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Median error of each site, in meals; of a site with a short past, that of sites of its size."""
    gap = np.abs(panel.reel[days] - found.sites[days] - shift)
    known = np.isfinite(gap)
    usual = np.array([np.median(gap[known[:, s], s]) if known[:, s].sum() >= 20 else np.nan for s in range(gap.shape[1])])
    size = np.nanmean(np.where(panel.weight > 0, panel.weight, np.nan), axis=0)
    ratio = np.nanmedian(usual / np.sqrt(size)) if np.isfinite(usual).any() else 1.0
    return np.asarray(np.maximum(np.where(np.isfinite(usual), usual, ratio * np.sqrt(size)), 0.2))


def orders(found: Forecast, margin: Margin) -> tuple[np.ndarray, np.ndarray]:
    """Meals to order: the town’s total (days), and each site (days, sites), not rounded. They add up; a closed site gets none."""
    total = found.total * np.exp(margin.z * found.deviation)
    open_ = found.sites > 0
    scale = np.where(open_, margin.site_scale, 0.0)
    part = scale / np.maximum(scale.sum(axis=1, keepdims=True), 1e-9)
    sites = np.maximum(expected_sites(found, margin) + (total - found.total)[:, None] * part, 0.0)
    sums = sites.sum(axis=1)
    return total, sites * (total / np.maximum(sums, 1e-9))[:, None]


def expected_sites(found: Forecast, margin: Margin) -> np.ndarray:
    """Forecasts of the sites with their habits, the town's total unchanged; a closed site stays closed."""
    sites = np.where(found.sites > 0, np.maximum(found.sites + margin.site_shift, 0.0), 0.0)
    shifted: np.ndarray = sites * (found.total / np.maximum(sites.sum(axis=1), 1e-9))[:, None]
    return shifted


def rounded(values: np.ndarray) -> np.ndarray:
    """Whole meals that add up to the rounded sum (largest remainder, ties to the first): no meal is lost or made by rounding.

    ``values`` (sites), none negative. The result is each value rounded down or up.
    """
    floor = np.floor(values)
    missing = int(np.floor(values.sum() + 0.5) - floor.sum())
    order = np.argsort(-(values - floor), kind="stable")
    floor[order[:missing]] += 1
    return floor.astype(int)
