"""The forecast of a panel: the town’s total first, then what each site does apart, then the agents’ own forecast blended in.

Every figure of a day comes from days at least ``lead`` days older, for past days too: the errors that set the margin are honest ones.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bocage.methods.forecasting.causal import Filtered, Pairs, filtered, known_before, learn, season_unrest
from bocage.methods.forecasting.kernels import Covariance
from bocage.usecases.cantine_effectifs.cleaning import out_of_proportion
from bocage.usecases.cantine_effectifs.kernels import AGENTS_SITES, AGENTS_TOWN, SITES, TOWN, town_covariance
from bocage.usecases.cantine_effectifs.panel import Panel

TEACH_TOWN, TEACH_SITES = 560, 320
"""Last days from which the parameters of the covariances are learnt; the forecast itself uses all the days kept."""

BLEND_DAYS = 300
"""Last served days on which the agents’ weight is learnt."""

LEAST_BLEND = 60
SEASON_DAYS, SITE_DAYS = 20, 100
"""Days’ worth of the agents’ usual weight against which those of a time of the year, then those of one site, are heard."""

OUTING, ACCIDENT = 1.5, 2.5
"""Deviations beyond which a day apart moves no further the forecast of a site (judged by absolute errors, it keeps near its median: an
outing is no habit), and that of the agents’ error on the town (its total follows the mean)."""

SEASON_ERRORS = 60
"""Days' worth of the usual gain from the agents against which that of a time of the year is heard."""

FAR_LEVEL, ACCIDENT_TOWN = 2.5, 4.0
"""Deviations of the town's level beyond which a day weighs no more in the search of parameters, and moves no further the days that follow:
an unlisted strike is no habit."""

DOUBTS = (0.0, 0.125, 0.25, 0.5, 1.0)
"""Parts of a squared disagreement between machine and agents that may be added to the variance of a day."""


@dataclass(frozen=True)
class Effort:
    """How much work to do: iterations of the searches of parameters (0: the prior)."""

    town: int = 20
    sites: int = 20


@dataclass(frozen=True)
class Forecast:
    """``total`` (days) and ``sites`` (days, sites): expected meals, of which the sites wanted or present add up to the total; ``deviation``
    (days): standard deviation of the total’s logarithm. ``agents_weight``: part of the agents in the total and, on the
    mean of the days to order, in the sites.
    ``factors``: for each day to order, what each part of ``TOWN`` adds, as a ratio (0.03 is +3 %)."""

    total: np.ndarray
    sites: np.ndarray
    deviation: np.ndarray
    agents_weight: tuple[float, float]
    factors: list[dict[str, float]]


def effort_for(seconds: float, days: int) -> Effort:
    """The work that should hold in ``seconds`` on one slow core; it looks at no clock."""
    spare = seconds - 1.0 - 6.0 * (min(days, 1000) / 1000) ** 2.6
    town, sites = (0.02 + cost * (min(days, most) / most) ** 2.6 for cost, most in ((0.6, TEACH_TOWN), (0.2, TEACH_SITES)))
    return Effort(int(np.clip(0.5 * spare / town, 0, 20)), int(np.clip(0.15 * spare / sites, 0, 20)))


def forecast(
    panel: Panel,
    pairs: Pairs,
    *,
    agents: bool,
    lead: int | None = None,
    effort: Effort | None = None,
    tell: Callable[[float, str], None] | None = None,
) -> Forecast:
    """Forecast every day of ``panel`` as of ``lead`` days before it (``panel.lead`` by default). ``agents``: blend theirs in."""
    say = tell or (lambda done, what: None)
    work = effort or Effort()
    past = _Past(panel, pairs, np.flatnonzero(panel.learnt), np.flatnonzero(panel.learnt | panel.later), lead or panel.lead)
    present = np.isfinite(panel.reel)
    present[panel.past :] = panel.wanted
    usual = np.where(present, panel.weight, 0.0).sum(axis=1)
    level = _safe_log(np.nansum(panel.reel, axis=1)) - np.log(np.maximum(usual, 1e-9))
    level[~(panel.learnt | panel.later)] = np.nan
    say(0.1, "Total de la ville")
    mean, deviation, process, scale = _town(past, level, work.town)
    say(0.6, "Sites")
    apart = _safe_log(panel.reel) - _safe_log(panel.weight) - level[:, None]
    apart[~(panel.learnt | panel.later)] = np.nan
    own = _rolling(past, Covariance(SITES), apart, work.sites, by_season=True)
    weight = (0.0, 0.0)
    if agents:
        say(0.8, "Prévision des agents")
        mean, deviation, own, weight = _blended(past, usual, level, apart, mean, deviation, own, work)
    total = np.exp(mean) * usual
    raw = np.where(present, panel.weight * np.exp(own), 0.0)
    sites = raw * (total / np.maximum(raw.sum(axis=1), 1e-9))[:, None]
    return Forecast(total, sites, deviation, weight, _factors(past, process, scale))


def _safe_log(values: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(values > 0, np.log(values), np.nan)


@dataclass(frozen=True)
class _Past:
    """``taught``: days from which parameters are learnt; ``used``: days whose figures are used, in the order of time."""

    panel: Panel
    pairs: Pairs
    taught: np.ndarray
    used: np.ndarray
    lead: int

    def known(self) -> np.ndarray:
        """For each day, how many of ``used`` were known ``lead`` days before."""
        return known_before(self.panel.number, self.used, np.arange(len(self.panel.days)), self.lead)


def _town(past: _Past, level: np.ndarray, iterations: int) -> tuple[np.ndarray, np.ndarray, Filtered, float]:
    """Mean and deviation (days) of the logarithm of total over usual, the process, and the scale of its targets."""
    centre = float(np.median(level[past.taught]))
    scale = float(np.clip(np.std(np.clip(level[past.taught] - centre, -0.3, 0.3)), 0.02, 0.3))
    target = ((level - centre) / scale)[:, None]
    covariance = town_covariance()
    theta = learn(covariance, past.pairs, np.clip(target, -FAR_LEVEL, FAR_LEVEL), past.taught[-TEACH_TOWN:], iterations)
    process = _by_season(past, covariance, theta, target, ACCIDENT_TOWN)
    mean, deviation = process.forecast(np.arange(len(past.panel.days)), past.known())
    return centre + scale * mean[:, 0], scale * deviation, process, scale


def _steady(past: _Past, covariance: Covariance, theta: np.ndarray, target: np.ndarray, clip: float) -> Filtered:
    """The process of ``target``, whose noise is the same all year."""
    return filtered(covariance, theta, past.pairs, target, past.used, clip)


def _by_season(past: _Past, covariance: Covariance, theta: np.ndarray, target: np.ndarray, clip: float) -> Filtered:
    """The process of ``target``, learnt twice: the second time with the noise that the first found at each time of the year. A day of
    June, when classes go out, teaches less than a day of November and its forecast is less sure."""
    once = _steady(past, covariance, theta, target, clip)
    unrest = season_unrest(once, np.isfinite(target), past.pairs["season"], past.taught)
    return filtered(covariance, theta, past.pairs, target, past.used, clip, unrest)


def _rolling(
    past: _Past, covariance: Covariance, values: np.ndarray, iterations: int, clip: float = OUTING, *, by_season: bool = False
) -> np.ndarray:
    """Forecast (days, outputs) of ``values``, each output in units of its own usual spread; ``by_season``: of its noise too."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # an output never seen has no median
        centre = np.nanmedian(values[past.taught], axis=0)
        spread = 1.4826 * np.nanmedian(np.abs(values[past.taught] - centre), axis=0)
    centre = np.where(np.isfinite(centre), centre, 0.0)
    scale = np.where(np.isfinite(spread), np.maximum(spread, 0.02), 0.05)
    target = np.clip((values - centre) / scale, -6, 6)
    theta = learn(covariance, past.pairs, target, past.taught[-TEACH_SITES:], iterations)
    learnt = _by_season if by_season else _steady
    mean, _ = learnt(past, covariance, theta, target, clip).forecast(np.arange(len(past.panel.days)), past.known())
    return centre + scale * mean


def _blended(
    past: _Past,
    usual: np.ndarray,
    level: np.ndarray,
    apart: np.ndarray,
    mean: np.ndarray,
    deviation: np.ndarray,
    own: np.ndarray,
    work: Effort,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[float, float]]:
    """The machine’s forecasts and the agents’, corrected of their usual error, weighed as they would have been best on past days."""
    panel = past.panel
    meals = np.where(out_of_proportion(panel.prevision), np.nan, panel.prevision)
    said = np.isfinite(meals)
    share = np.where(said, panel.weight, 0.0).sum(axis=1)
    enough = share > 0.5 * np.maximum(usual, 1e-9)
    told = np.where(enough, _safe_log(np.nansum(meals, axis=1)) - _safe_log(share), np.nan)
    recent = np.flatnonzero(panel.learnt & enough)[-BLEND_DAYS:]
    if len(recent) < LEAST_BLEND or not enough[panel.past :].any():
        return mean, deviation, own, (0.0, 0.0)
    corrected = told + _rolling(past, Covariance(AGENTS_TOWN), (level - told)[:, None], work.sites, ACCIDENT)[:, 0]
    w_town = _weight(level[recent] - mean[recent], corrected[recent] - mean[recent])
    apart_told = _safe_log(meals) - _safe_log(panel.weight) - told[:, None]
    corrected_sites = apart_told + _rolling(past, Covariance(AGENTS_SITES), apart - apart_told, work.sites)
    w_sites = _site_weights(apart - own, corrected_sites - own, past.pairs["season"], recent)
    step = np.where(np.isfinite(corrected), corrected - mean, 0.0)
    blended = mean + w_town * step
    narrower = _narrower((level - mean)[recent], (level - blended)[recent], past.pairs["season"][:, recent])
    narrowed = deviation * np.where(np.isfinite(corrected), narrower, 1.0)
    doubt = _doubt((level - blended)[recent], narrowed[recent], step[recent])
    sites = np.where(np.isfinite(corrected_sites), own + w_sites * (corrected_sites - own), own)
    asked = np.zeros_like(said)
    asked[panel.past :] = panel.wanted & np.isfinite(corrected_sites[panel.past :])
    return blended, np.sqrt(narrowed**2 + doubt * step**2), sites, (w_town, float(w_sites[asked].mean()) if asked.any() else 0.0)


def _narrower(alone: np.ndarray, blended: np.ndarray, near: np.ndarray) -> np.ndarray:
    """(days) How much smaller the errors of recent days are once blended, around that time of the year: 1 at most. ``near`` (days, recent
    days): likeness of two times of the year."""
    before, after = (np.clip(error, -0.3, 0.3) ** 2 for error in (alone, blended))
    around = [near @ square + SEASON_ERRORS * square.mean() for square in (after, before)]
    return np.asarray(np.sqrt(np.minimum(1.0, around[0] / np.maximum(around[1], 1e-12))))


def _doubt(error: np.ndarray, deviation: np.ndarray, step: np.ndarray) -> float:
    """How much of a disagreement between machine and agents, squared, to add to the variance: the likeliest of a few, accidents clipped."""

    def surprise(doubt: float) -> float:
        variance = deviation**2 + doubt * step**2
        return float((np.log(variance) + np.minimum(error**2 / variance, 9.0)).sum())

    return min(DOUBTS, key=surprise)


def _weight(error: np.ndarray, step: np.ndarray) -> float:
    """The part w in [0, 1] for which ``step * w`` best follows ``error``, by least squares of clipped values (six median gaps)."""
    both = np.isfinite(error) & np.isfinite(step)
    y, x = error[both], step[both]
    limit = 6 * float(np.median(np.abs(y))) + 1e-9
    y, x = np.clip(y, -limit, limit), np.clip(x, -limit, limit)
    # Twenty days' worth of no confidence keeps a lucky short past from deciding.
    return float(np.clip((x * y).sum() / ((x * x).sum() * (1 + 20 / max(len(y), 1)) + 1e-12), 0.0, 1.0))


def _site_weights(error: np.ndarray, step: np.ndarray, season: np.ndarray, recent: np.ndarray) -> np.ndarray:
    """The part in [0, 1] (days, sites) for which ``step`` best follows ``error``, both (days, sites), as ``_weight`` finds it on the days
    ``recent``: of all sites together, then around that time of the year (agents know the outings of June, and little of September), then
    of each site (some agents know theirs better). ``season`` (days, days): likeness of two times of the year."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a site that the agents never told has no median
        scale = np.nanmedian(np.abs(error[recent]), axis=0)
    scale = np.where(np.isfinite(scale), np.maximum(scale, 1e-6), 1.0)
    known = np.isfinite(error[recent]) & np.isfinite(step[recent])
    y, x = (np.where(known, np.clip(values[recent] / scale, -6, 6), 0.0) for values in (error, step))
    products, squares = (x * y).sum(axis=1), (x * x).sum(axis=1)
    common = products.sum() / (squares.sum() * (1 + 20 / len(recent)) + 1e-12)
    near, prior = season[:, recent], SEASON_DAYS * squares.mean() + 1e-12
    weight = np.clip((near @ products + prior * common) / (near @ squares + prior), 0.0, 1.0)[:, None]
    heard = (x * x).sum(axis=0)
    own = (x * (y - weight[recent] * x)).sum(axis=0) / (heard + SITE_DAYS * float(np.median(heard)) / len(recent) + 1e-12)
    return np.asarray(np.clip(weight + own, 0.0, 1.0))


def _factors(past: _Past, process: Filtered, scale: float) -> list[dict[str, float]]:
    """What each part adds to the total of each day to order, as a ratio."""
    known = past.known()
    told = []
    for day in range(past.panel.past, len(past.panel.days)):
        parts = process.contributions(day, int(known[day]))[:, 0] * scale
        told.append({name: float(np.expm1(value)) for name, value in zip(TOWN, parts, strict=True)})
    return told
