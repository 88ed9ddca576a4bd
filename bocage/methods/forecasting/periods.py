"""Months and quarters: many short seasonal series, forecast together by Gaussian processes of the movements that they share.

A short series (tens of values) cannot teach its own memory; many together can. The panel is rotated to its principal movements (as
``curves`` does with the hours of a day): first what all series do together, then what a few do, then the rest. Each group of movements has
its own covariance (how long a level lasts, how long a season lasts, how much is noise), learnt by marginal likelihood (``kernels``). One
series alone is its own movement. Intervals come from the errors that the same parameters made at past origins; where errors grow with the
forecast (the noise of a summer is larger than that of a winter), so do they. Accidents (a year of closed doors) are left out.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from bocage.methods.forecasting.kernels import Covariance, Part

PARTS = (
    Part(0.5, memory=200.0),  # a level that lasts
    Part(0.3, memory=20.0),  # a level of some years
    Part(0.1, memory=3.0),  # last period
    Part(0.3, match="same_season", memory=200.0),  # a season that lasts
    Part(0.1, match="same_season", memory=20.0),  # a season that drifts
)
LEAST_SEASONS = 3
"""Whole seasons (years) under which nothing can be said of both a season and its noise."""

GROUPS = (1, 3, 10)
"""Ends of the groups of movements; the rest is the last group."""

CALIBRATION = 16
"""Past origins whose errors make the intervals."""


POWERS = (0.0, 0.5, 1.0)
"""How errors may grow with the forecast: not at all, as its square root (counts), in proportion."""

BETTER = 0.8
"""Share of the method's own past error under which last year's value takes its place: a level that fell for good is learnt slowly."""

NEAR_YEARS = 3
"""Years before, and years after, that judge a period."""

ACCIDENT, TWICE = 6.0, float(np.log(2.0))
"""Usual gaps to those years, and least logarithm, from which a period is an accident."""


@dataclass(frozen=True)
class PeriodForecast:
    """Arrays (horizon, series): ``value``, ``lower``, ``upper``, and ``usual``: the same period of the year before. ``accidents``
    (periods, series; bool): what was not learnt from; ``repeated`` (series; bool): series whose value is last year's, which did better."""

    value: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    usual: np.ndarray
    accidents: np.ndarray
    repeated: np.ndarray


def forecast_periods(values: np.ndarray, season: int, horizon: int, *, level: float = 0.8, iterations: int = 40) -> PeriodForecast:
    """Forecast the ``horizon`` periods after ``values`` (periods, series; NaN where missing; counts, never negative).

    ``season``: periods in a year (4 or 12). ``level``: coverage of the intervals. Raises ``ValueError`` under ``LEAST_SEASONS`` seasons.
    """
    periods = len(values)
    if periods < LEAST_SEASONS * season:
        raise ValueError(f"{periods} periods, fewer than {LEAST_SEASONS * season}")
    strange = accidents(values, season)
    filled = _filled(np.where(strange, np.nan, values), season)
    pairs = _geometry(periods + horizon, season)
    learnt = [_learn(part, pairs, iterations) for part in _split(_shared(filled)[0])]
    value = _forecast(filled, learnt, horizon)
    sound = np.where(strange, np.nan, values)
    told, before = _past_forecasts(sound, season, learnt, horizon)
    repeated = _better(before, told, sound)
    value = np.where(repeated, same_period_before(filled, season, horizon), value)
    lower, upper = _bounds(value, np.where(repeated, before, told), sound, filled, level)
    return PeriodForecast(value, lower, upper, same_period_before(_filled(values, season), season, horizon), strange, repeated)


def accidents(values: np.ndarray, season: int) -> np.ndarray:
    """Periods far below, or far above, the same period of the years before *and* of the years after: (periods, series), bool.

    A level that changed for good is no accident, and the last year, which nothing follows yet, has none.
    """
    strange = np.ones((2, *values.shape), dtype=bool)
    logs = np.log(values + 1e-3 * np.nanmean(values, axis=0) + 1e-9)
    # In counts and in ratios: a small count is often far from another in ratio, a summer from another in count.
    for measure, least in ((values, 0.0), (logs, TWICE)):
        gaps = np.stack([measure - _same_period_around(measure, season, side) for side in (-1, 1)])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # a series without two years has no usual gap: nothing is judged
            usual = 1.4826 * np.nanmedian(np.abs(gaps), axis=(0, 1))
        far = (np.abs(gaps) > np.maximum(ACCIDENT * usual, least)) & (usual > 0)  # a series mostly at zero has no usual gap either
        strange &= np.stack([(far & (gaps > 0)).all(axis=0), (far & (gaps < 0)).all(axis=0)])
    return np.asarray(strange.any(axis=0))


def _same_period_around(measure: np.ndarray, season: int, side: int) -> np.ndarray:
    """Median of the same period of the ``NEAR_YEARS`` years before (``side`` -1) or after (1); NaN where there is none."""
    around = np.full((NEAR_YEARS, *measure.shape), np.nan)
    for year in range(1, min(NEAR_YEARS, (len(measure) - 1) // season) + 1):
        back = year * season
        if side < 0:
            around[year - 1, back:] = measure[:-back]
        else:
            around[year - 1, :-back] = measure[back:]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.asarray(np.nanmedian(around, axis=0))


@dataclass(frozen=True)
class _Learnt:
    """What a group of movements taught: covariance of all periods, the coming ones included, and noise."""

    whole: np.ndarray
    noise: float


def _shared(filled: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The movements that the series share, largest first: scores (periods, movements), axes (movements, series), centre, scale."""
    centre, scale = filled.mean(axis=0), filled.std(axis=0) + 1e-9
    left, size, axes = np.linalg.svd((filled - centre) / scale, full_matrices=False)
    return left * size, axes, centre, scale


def _split(scores: np.ndarray) -> list[np.ndarray]:
    """Groups of movements: each has a memory of its own, for what all series share lasts longer than what one alone does."""
    ends = [*(end for end in GROUPS if end < scores.shape[1]), scores.shape[1]]
    return [scores[:, start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]


def _learn(scores: np.ndarray, pairs: dict[str, np.ndarray], iterations: int) -> _Learnt:
    covariance = Covariance(PARTS)
    theta, moving = covariance.prior, scores.std(axis=0) > 1e-9
    if iterations and moving.any():
        unit = scores[:, moving] / scores[:, moving].std(axis=0)
        theta = covariance.fit(_upto(pairs, len(scores)), np.clip(unit, -5, 5), iterations)
    return _Learnt(covariance.matrix(theta, pairs), covariance.noise(theta))


def _forecast(past: np.ndarray, learnt: list[_Learnt], horizon: int) -> np.ndarray:
    """Forecasts (horizon, series) after ``past``, whose movements are its own; the memories are those learnt."""
    from scipy.linalg import cho_factor, cho_solve

    scores, axes, centre, scale = _shared(past)
    known, ahead = len(past), []
    for part, group in zip(_split(scores), learnt, strict=False):
        factor = cho_factor(group.whole[:known, :known] + group.noise * np.eye(known), lower=True, check_finite=False)
        ahead.append(group.whole[known : known + horizon, :known] @ cho_solve(factor, part, check_finite=False))
    forecast: np.ndarray = np.maximum(centre + scale * (np.hstack(ahead) @ axes), 0.0)
    return forecast


def same_period_before(filled: np.ndarray, season: int, horizon: int) -> np.ndarray:
    """The same period of the last known year (seasonal naive): (horizon, series)."""
    rows = [len(filled) - season + k % season for k in range(horizon)]
    return np.asarray(filled[rows])


def _geometry(total: int, season: int) -> dict[str, np.ndarray]:
    position = np.arange(total)
    gap = position[:, None] - position[None]
    return {"gap": np.abs(gap), "same_season": (gap % season == 0).astype(float)}


def _upto(pairs: dict[str, np.ndarray], periods: int) -> dict[str, np.ndarray]:
    return {name: matrix[:periods, :periods] for name, matrix in pairs.items()}


def _filled(values: np.ndarray, season: int) -> np.ndarray:
    """NaN replaced by the mean of the same season's nearest known values, else by the series' mean."""
    filled = values.copy()
    for s in range(values.shape[1]):
        for t in np.flatnonzero(np.isnan(values[:, s])):
            alike = np.arange(t % season, len(values), season)
            alike = alike[~np.isnan(values[alike, s])]
            near = alike[np.argsort(np.abs(alike - t), kind="stable")[:2]]
            known = values[~np.isnan(values[:, s]), s]
            filled[t, s] = values[near, s].mean() if len(near) else (known.mean() if len(known) else 0.0)
    return filled


def _past_forecasts(values: np.ndarray, season: int, learnt: list[_Learnt], horizon: int) -> tuple[np.ndarray, np.ndarray]:
    """Forecasts of the last origins, ours and last year's value: (origins, horizon, series), NaN after the end."""
    periods = len(values)
    told = np.full((CALIBRATION, horizon, values.shape[1]), np.nan)
    before = told.copy()
    for i, known in enumerate(range(max(periods - CALIBRATION, periods // 2), periods)):
        steps, past = min(horizon, periods - known), _filled(values[:known], season)
        told[i, :steps] = _forecast(past, learnt, steps)
        before[i, :steps] = same_period_before(past, season, steps)
    return told, before


def _errors(told: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Absolute errors of ``_past_forecasts``, NaN where nothing is known."""
    periods, errors = len(values), np.full(told.shape, np.nan)
    for i, known in enumerate(range(max(periods - CALIBRATION, periods // 2), periods)):
        steps = min(told.shape[1], periods - known)
        errors[i, :steps] = np.abs(values[known : known + steps] - told[i, :steps])
    return errors


def _better(before: np.ndarray, told: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Series (bool) of which last year's value was clearly closer."""
    return np.asarray(np.nansum(_errors(before, values), axis=(0, 1)) < BETTER * np.nansum(_errors(told, values), axis=(0, 1)))


def _bounds(value: np.ndarray, told: np.ndarray, values: np.ndarray, filled: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Bounds from past errors: each series has its scale, half shared with the others; each horizon has its quantile."""
    errors = _errors(told, values)
    usual, floor = filled.std(axis=0) + 1e-9, 0.05 * filled.mean(axis=0) + 1e-9
    power = _growth(errors, told, floor)
    errors = errors / _relative(told, floor, power)
    own = np.sqrt(np.nan_to_num(np.nanmean(errors**2, axis=(0, 1)), nan=1.0)) / usual
    unit = usual * np.sqrt(0.75 * own**2 + 0.25 * np.median(own) ** 2) + 1e-12  # a series that never moves has no error
    reach = np.empty_like(value)
    pooled = errors / unit
    everything = pooled[~np.isnan(pooled)]
    for k in range(len(value)):
        known_errors = pooled[:, k][~np.isnan(pooled[:, k])]
        reach[k] = np.quantile(known_errors if len(known_errors) >= 20 else everything, level)
    reach = np.maximum.accumulate(reach, axis=0) * unit * _relative(value, floor, power)
    return np.maximum(value - reach, 0.0), value + reach


def _relative(level: np.ndarray, floor: np.ndarray, power: float) -> np.ndarray:
    """How much larger errors are at ``level`` than at the mean of its series (twenty times ``floor``)."""
    return np.asarray((np.maximum(level, floor) / (20.0 * floor)) ** power)


def _growth(errors: np.ndarray, told: np.ndarray, floor: np.ndarray) -> float:
    """The power of ``POWERS`` that makes past errors likeliest, exponential of a scale per series that grows with the forecast."""
    best, chosen = np.inf, POWERS[0]
    for power in POWERS:
        size = _relative(told, floor, power)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            scale = np.nanmean(errors / size, axis=(0, 1)) + 1e-9
        loss = float(np.nansum(np.log(scale * size) + errors / (scale * size)))
        if loss < best - 1e-9:
            best, chosen = loss, power
    return chosen
