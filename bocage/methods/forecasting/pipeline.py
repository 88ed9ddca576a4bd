"""From a grid of past days to the coming days, with intervals: the path that every use case and every benchmark takes.

1. scheduled operations are taken out; accidents are no longer learnt from;
2. each series is forecast from every past origin: day curves when its history allows, else a weekly profile;
3. gradient boosting corrects the common errors, for half (a mean of the two opinions);
4. the past errors of step 2 give the intervals, per slot and per day.

A series that fell silent before the others is forecast from its own last day, so its intervals are those of its true lead.

Only the grid's own days are known, and the coming days enter by the context (calendar, weather forecast) alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np

from bocage.methods.forecasting.boosting import BoostSettings, BoostTask, corrections, trimmed
from bocage.methods.forecasting.conformal import Band, IntervalSettings, calibrate
from bocage.methods.forecasting.curves import CurveSettings, CurveTask, rolling_curves
from bocage.methods.forecasting.kernels import Part
from bocage.methods.forecasting.operations import Operation, Separated, clock_lag, separate
from bocage.methods.forecasting.panel import DayGrid, fill_gaps
from bocage.methods.forecasting.peaks import accidents
from bocage.methods.forecasting.profiles import coming_days, rolling_profile, same_days_before

CURVES_FROM_DAYS = 84
"""Measured days under which a series is forecast by its weekly profile."""

ACCIDENT = 12.0
"""Robust deviations above the usual level of these weeks from which a value is an accident (a burst, a fire hydrant): never learnt from."""

T = TypeVar("T")


@dataclass(frozen=True)
class Context:
    """What is known of each day, past and coming (first axis: days + horizon).

    ``weekday`` 0 to 6; ``day_type`` the same with holidays as Sundays; ``clock_shift`` in hours; ``year_phase`` in
    radians; ``calendar``: columns for
    boosting; ``covariates``: standardised matrices for ``parts``, (days + horizon, p), or (days + horizon, p, series) where
    each series has its own; ``by_day`` (days + horizon, p), ``by_slot`` (days + horizon, slots, p) and ``by_series`` (days + horizon,
    p, series): columns for boosting.
    """

    weekday: np.ndarray
    day_type: np.ndarray
    clock_shift: np.ndarray
    year_phase: np.ndarray
    calendar: np.ndarray
    covariates: dict[str, np.ndarray] = field(default_factory=dict)
    parts: tuple[Part, ...] = ()
    by_day: np.ndarray | None = None
    by_slot: np.ndarray | None = None
    by_series: np.ndarray | None = None

    def until(self, total: int) -> Context:
        """The same, for the first ``total`` days."""
        return replace(
            self,
            weekday=self.weekday[:total],
            day_type=self.day_type[:total],
            clock_shift=self.clock_shift[:total],
            year_phase=self.year_phase[:total],
            calendar=self.calendar[:total],
            covariates={name: matrix[:total] for name, matrix in self.covariates.items()},
            by_day=None if self.by_day is None else self.by_day[:total],
            by_slot=None if self.by_slot is None else self.by_slot[:total],
            by_series=None if self.by_series is None else self.by_series[:total],
        )


@dataclass(frozen=True)
class Plan:
    """How much work to do. ``curves`` None: weekly profiles only; ``boost`` None: no correction; ``boost_weight``: its part in the mean.
    ``accident``: robust deviations from which a value is one (``peaks``); None for series whose daily peak is many times their median (a
    station at 8 a.m.)."""

    curves: CurveSettings | None = field(default_factory=CurveSettings)
    boost: BoostSettings | None = field(default_factory=BoostSettings)
    boost_weight: float = 0.5
    intervals: IntervalSettings = field(default_factory=IntervalSettings)
    accident: float | None = ACCIDENT


FULL = Plan(boost=BoostSettings(rounds=300, leaf_rows=80, ridge=20.0, feature_share=0.5))
PLANS: tuple[tuple[float, float, Plan], ...] = (
    (3.4, 22.0, FULL),
    (1.0, 0.0, Plan(CurveSettings(fit_days=180, iterations=12), None)),
    (0.3, 0.0, Plan(CurveSettings(iterations=0), None)),
    (0.0, 0.0, Plan(None, None)),
)
"""From the fullest to the lightest: seconds per series of 560 days, then seconds per ten series once, on one core (measured)."""


def plan_for(seconds: float, series: int, days: int) -> Plan:
    """The fullest plan that should hold in ``seconds`` on one core. It looks at no clock: the same question has the
    same answer anywhere."""
    scale = min(1.0, (days / 560) ** 2)
    for per_series, per_ten, plan in PLANS:
        if 1.0 + series * (per_series * scale + per_ten / 10 * min(1.0, days / 420)) <= seconds:
            return plan
    return PLANS[-1][2]


@dataclass(frozen=True)
class Prediction:
    """Arrays (horizon, slots, series): ``value``, ``lower`` and ``upper``, and ``usual`` (same day last week, its gaps filled from other
    weeks). ``daily``: sums over slots, (3, horizon, series): value, lower, upper. ``rolling`` and ``values`` let the caller judge past
    days (operations and accidents taken out); ``band`` is the interval's half-width; ``learnt`` (series): learnt, or by a weekly profile
    for want of history; ``operations``: what was found; ``accidents`` (days, slots, series): what was never learnt from; ``silent``
    (series): days since the last one that was measured."""

    value: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    usual: np.ndarray
    daily: np.ndarray
    rolling: np.ndarray
    values: np.ndarray
    band: Band
    learnt: np.ndarray
    operations: tuple[Operation, ...]
    accidents: np.ndarray
    silent: np.ndarray


def forecast(
    grid: DayGrid,
    context: Context,
    horizon: int,
    plan: Plan = FULL,
    *,
    seed: int = 0,
    pool: Executor | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> Prediction:
    """Forecast the ``horizon`` days after the grid's last. ``context`` covers days + horizon. The same with and without ``pool``."""
    tell = progress or (lambda done, what: None)
    context = context.until(len(grid.days) + horizon)
    strange = accidents(grid.values, plan.accident) if plan.accident is not None else np.zeros(grid.values.shape, dtype=bool)
    split = separate(np.where(strange, np.nan, grid.values), context.weekday, clock_lag(context.clock_shift))
    filled = _whole(fill_gaps(split.values, context.day_type))
    silent = silent_days(grid.values)
    own = _profiles(filled, context, horizon, silent)
    able = _able(split.values)
    if plan.curves:
        tasks = _curve_tasks(split.values, filled, context, horizon, plan.curves, able, silent)
        for done, (s, curves) in enumerate(zip(able, _spread(pool, rolling_curves, tasks), strict=True), start=1):
            own[s] = _rounded(curves)
            tell(0.7 * done / len(tasks), f"Prévision des séries : {done} sur {len(tasks)}")
    rolling = _common(own, horizon)
    value = coming_days(rolling)
    if plan.boost and len(able):
        value[:, :, able] += plan.boost_weight * _boosted(split.values, filled, rolling, context, able, plan.boost, seed, pool)
    tell(0.95, "Intervalles")
    band = _band(split.values, own, silent, plan.intervals)
    lower, upper = band.around(value)
    return Prediction(
        value=value + split.coming,
        lower=lower + split.coming,
        upper=upper + split.coming,
        usual=same_days_before(_whole(fill_gaps(grid.values, context.weekday)), horizon),
        daily=_daily(value, split, own, silent, plan.intervals),
        rolling=rolling,
        values=split.values,
        band=band,
        learnt=np.isin(np.arange(len(grid.names)), able) & bool(plan.curves or plan.boost),
        operations=split.found,
        accidents=strange,
        silent=silent,
    )


def silent_days(values: np.ndarray) -> np.ndarray:
    """Days (series) at the end of ``values`` (days, slots, series) of which less than half of the slots is known; 0 for a series that has
    no other."""
    known = (~np.isnan(values)).sum(axis=1) * 2 >= values.shape[1]
    silent: np.ndarray = np.where(known.any(axis=0), np.argmax(known[::-1], axis=0), 0)
    return silent


def _profiles(filled: np.ndarray, context: Context, horizon: int, silent: np.ndarray) -> list[np.ndarray]:
    """The weekly profile of each series from every origin that it measured: (horizon + silent days, days + horizon, slots) each."""
    together = rolling_profile(filled, context.day_type, horizon)
    own = [together[:, :, :, s] for s in range(filled.shape[2])]
    for s in np.flatnonzero(silent):
        own[s] = rolling_profile(filled[: len(filled) - silent[s], :, s], context.day_type, horizon + silent[s])
    return own


def _common(own: list[np.ndarray], horizon: int) -> np.ndarray:
    """One array (horizon, days + horizon, slots, series) of what each series has; the coming days from the last day that each measured."""
    rolling = np.stack([array[:horizon] for array in own], axis=-1)
    days = rolling.shape[1] - horizon
    for s, array in enumerate(own):
        for k in range(horizon):
            rolling[k, days + k, :, s] = array[len(array) - horizon + k, days + k]
    return rolling


def _whole(filled: np.ndarray) -> np.ndarray:
    """What neighbours of the same day cannot fill is drawn between slots; a series never measured is zero."""
    result = filled.copy()
    for s in range(result.shape[2]):
        flat = result[:, :, s].reshape(-1)
        known = np.flatnonzero(~np.isnan(flat))
        if len(known) < len(flat):
            drawn = np.interp(np.arange(len(flat)), known, flat[known]) if len(known) else np.zeros(len(flat))
            result[:, :, s] = np.where(np.isnan(flat), drawn, flat).reshape(result.shape[:2])
    return result


def _able(values: np.ndarray) -> np.ndarray:
    """The series whose history allows learning: a day counts when two thirds of its slots were measured."""
    able: np.ndarray = np.flatnonzero(_measured(values).sum(axis=0) >= CURVES_FROM_DAYS)
    return able


def _measured(values: np.ndarray) -> np.ndarray:
    measured: np.ndarray = (~np.isnan(values)).sum(axis=1) * 3 >= 2 * values.shape[1]
    return measured


def _curve_tasks(
    values: np.ndarray,
    filled: np.ndarray,
    context: Context,
    horizon: int,
    settings: CurveSettings,
    able: np.ndarray,
    silent: np.ndarray,
) -> list[CurveTask]:
    measured = _measured(values)
    tasks = []
    for s in able:
        own = {name: matrix[:, :, s] if matrix.ndim == 3 else matrix for name, matrix in context.covariates.items()}
        last = len(values) - silent[s]
        base = (context.day_type, context.year_phase, horizon + silent[s], own, context.parts, settings)
        tasks.append(CurveTask(filled[:last, :, s], measured[:last, s], *base))
    return tasks


def _boosted(
    values: np.ndarray,
    filled: np.ndarray,
    rolling: np.ndarray,
    context: Context,
    able: np.ndarray,
    settings: BoostSettings,
    seed: int,
    pool: Executor | None,
) -> np.ndarray:
    """Corrections (horizon, slots, able series): one model for tomorrow, one for the days after."""
    total, horizon = rolling.shape[1], len(rolling)
    empty = np.zeros((total, 0))
    task = BoostTask(
        values=values[:, :, able],
        filled=filled[:, :, able],
        rolling=rolling[:, :, :, able],
        day_type=context.day_type,
        calendar=context.calendar,
        by_day=empty if context.by_day is None else context.by_day,
        by_slot=empty[:, None, :].repeat(values.shape[1], axis=1) if context.by_slot is None else context.by_slot,
        by_series=np.zeros((total, 0, len(able))) if context.by_series is None else context.by_series[:, :, able],
        ahead=(1,),
        seed=seed,
        settings=settings,
    )
    tasks = [trimmed(replace(task, ahead=ahead)) for ahead in (tuple(range(2, horizon + 1)), (1,)) if ahead]
    found: dict[int, np.ndarray] = {}
    for part in _spread(pool, corrections, tasks):
        found |= part
    return np.stack([found[k] for k in range(1, horizon + 1)])


def _band(values: np.ndarray, own: list[np.ndarray], silent: np.ndarray, settings: IntervalSettings) -> Band:
    """The band of each series for the days that come, by its errors as many days ahead of its last measured day."""
    bands = []
    for s, array in enumerate(own):
        found = calibrate(values[: len(values) - silent[s], :, s : s + 1], array[:, :, :, None], settings)
        bands.append(Band(found.reach[silent[s] :], found.logarithm))
    return Band(np.concatenate([band.reach for band in bands], axis=2), np.concatenate([band.logarithm for band in bands]))


def _daily(value: np.ndarray, split: Separated, own: list[np.ndarray], silent: np.ndarray, settings: IntervalSettings) -> np.ndarray:
    """Sums over the slots of a day with the interval that past daily sums ask for: (3, horizon, series)."""
    days = len(split.values)
    totals, rolled = np.full((days, 1, len(own)), np.nan), []
    for s, array in enumerate(own):
        known = ~np.isnan(split.values[:, :, s])
        # A day with holes is judged on the hours that it has, when they are most of it, brought to a whole day.
        share = np.where(known.sum(axis=1) * 2 >= known.shape[1], known.shape[1] / np.maximum(known.sum(axis=1), 1), np.nan)
        totals[:, 0, s] = np.where(known, split.values[:, :, s], 0.0).sum(axis=1) * share
        rolled.append((np.where(known, array[:, :days], 0.0).sum(axis=2) * share)[:, :, None])
    sums = value.sum(axis=1, keepdims=True)
    lower, upper = _band(totals, rolled, silent, settings).around(sums)
    extra = split.coming.sum(axis=1, keepdims=True)
    return np.stack([sums + extra, lower + extra, upper + extra])[:, :, 0, :]


def _rounded(array: np.ndarray) -> np.ndarray:
    """Seven significant digits: machines that differ in the last bit then grow the same trees."""
    with np.errstate(divide="ignore", invalid="ignore"):
        size = 10.0 ** (6 - np.floor(np.log10(np.abs(array))))
        rounded = np.round(array * size) / size
    return np.where(np.isfinite(rounded), rounded, array)


def _spread(pool: Executor | None, work: Callable[[Any], T], tasks: Sequence[Any]) -> Iterator[T]:
    """``work`` on each task, in order: here, or in the pool."""
    if pool is None:
        yield from (work(task) for task in tasks)
        return
    for future in [pool.submit(work, task) for task in tasks]:
        yield future.result()
