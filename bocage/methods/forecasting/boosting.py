"""Gradient boosting (LightGBM) of what a base forecast leaves: one model for all series, or one per series.

Targets are the base's own out-of-sample errors, in units of each series' usual error, so that series of any size share
one model. The base may
be anything rolling: a weekly profile makes this a plain direct LightGBM; Gaussian processes make it a second opinion.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from bocage.methods.forecasting.profiles import rolling_profile


@dataclass(frozen=True)
class BoostSettings:
    """LightGBM's parameters; ``days`` of history; ``half_life`` of a day's weight, in days; ``share`` of days drawn for each far horizon;
    ``max_rows`` per model; ``clip``: errors beyond it, in usual errors, are accidents; ``per_series``: a model each;
    ``objective``: "l2" for means, "l1" for medians."""

    rounds: int = 150
    rate: float = 0.05
    leaves: int = 31
    leaf_rows: int = 200
    feature_share: float = 0.3
    ridge: float = 50.0
    days: int = 420
    half_life: float = 200.0
    share: float = 0.35
    max_rows: int = 400_000
    clip: float = 5.0
    per_series: bool = False
    objective: str = "l2"


@dataclass(frozen=True)
class BoostTask:
    """What a model learns from; a top-level function takes it to another process.

    ``values`` (days, slots, series) with NaN, ``filled`` without, ``rolling`` (horizon, days + horizon, slots,
    series), ``day_type`` and ``calendar``
    (days + horizon, any) with covariates known for the coming days: ``by_day`` (days + horizon, p), ``by_slot`` (days + horizon, slots, p),
    ``by_series`` (days + horizon, p, series).
    ``ahead``: the horizons, in days, that this model serves.
    """

    values: np.ndarray
    filled: np.ndarray
    rolling: np.ndarray
    day_type: np.ndarray
    calendar: np.ndarray
    by_day: np.ndarray
    by_slot: np.ndarray
    by_series: np.ndarray
    ahead: tuple[int, ...]
    seed: int = 0
    settings: BoostSettings = field(default_factory=BoostSettings)


def trimmed(task: BoostTask) -> BoostTask:
    """The same task with only the days that it needs: what travels to another process."""
    from dataclasses import replace

    drop = max(0, len(task.values) - task.settings.days - 35)
    return replace(
        task,
        values=task.values[drop:],
        filled=task.filled[drop:],
        rolling=task.rolling[:, drop:].astype(np.float32),
        day_type=task.day_type[drop:],
        calendar=task.calendar[drop:],
        by_day=task.by_day[drop:],
        by_slot=task.by_slot[drop:],
        by_series=task.by_series[drop:],
    )


def corrections(task: BoostTask) -> dict[int, np.ndarray]:
    """What to add to the base, per horizon of ``ahead``: arrays (slots, series). Zero where history is too short to learn."""
    days, slots, count = task.values.shape
    unit = _usual_error(task)
    drawn = np.random.default_rng((task.seed, *task.ahead))
    rows, targets, weights = [], [], []
    recency = np.exp2((np.arange(days) - days + 1) / task.settings.half_life)
    coming = {}
    profile = rolling_profile(task.filled, task.day_type, len(task.rolling), 2.0)
    share = 1.0 if len(task.ahead) == 1 else task.settings.share
    share *= min(1.0, task.settings.max_rows / (max(1.0, len(task.ahead) * share) * days * slots * count))
    for k in task.ahead:
        table = _features(task, k, unit, profile[k - 1])
        target = (task.values - task.rolling[k - 1, :days]) / unit
        usable = ~np.isnan(target) & (np.arange(days) >= days - task.settings.days)[:, None, None]
        usable &= (drawn.random(days) < share)[:, None, None]
        rows.append(table[:days][usable])
        targets.append(np.clip(target[usable], -task.settings.clip, task.settings.clip))
        weights.append(np.broadcast_to(recency[:, None, None], target.shape)[usable])
        coming[k] = table[days + k - 1]
    features, target, weight = np.concatenate(rows), np.concatenate(targets), np.concatenate(weights)
    result = {k: np.zeros((slots, count)) for k in task.ahead}
    series = features[:, SERIES].astype(int)
    for chosen in [np.array([s]) for s in range(count)] if task.settings.per_series else [np.arange(count)]:
        at = np.isin(series, chosen)
        if at.sum() < 5 * task.settings.leaf_rows:
            continue
        model = _train(features[at], target[at], weight[at], task)
        for k in task.ahead:
            asked = coming[k][:, chosen].reshape(slots * len(chosen), -1)
            result[k][:, chosen] = model.predict(asked, num_threads=1).reshape(slots, -1) * unit[chosen]
    return result


SERIES, CATEGORIES = 0, [0]


def _train(features: np.ndarray, target: np.ndarray, weight: np.ndarray, task: BoostTask):  # type: ignore[no-untyped-def]
    import lightgbm

    chosen = task.settings
    parameters = {
        "objective": chosen.objective,
        "learning_rate": chosen.rate,
        "num_leaves": chosen.leaves,
        "min_data_in_leaf": chosen.leaf_rows,
        "feature_fraction": chosen.feature_share,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "lambda_l2": chosen.ridge,
        "max_bin": 63,
        "seed": task.seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbosity": -1,
    }
    return lightgbm.train(parameters, lightgbm.Dataset(features, target, weight=weight, categorical_feature=CATEGORIES), chosen.rounds)


def _usual_error(task: BoostTask) -> np.ndarray:
    """Standard deviation (series) of the day-ahead errors of the base over the last 200 days."""
    errors = (task.filled - task.rolling[0, : len(task.filled)])[-200:]
    return np.nan_to_num(np.nanstd(errors, axis=(0, 1))) + 1e-9


def _lagged(array: np.ndarray, lag: int, total: int) -> np.ndarray:
    """``array`` of the past days, seen ``lag`` days later: (total, ...), NaN where it is not known."""
    result = np.full((total, *array.shape[1:]), np.nan)
    end = min(total, len(array) + lag)
    result[lag:end] = array[: end - lag]
    return result


def _running_mean(array: np.ndarray, width: int) -> np.ndarray:
    total = np.cumsum(np.concatenate([np.zeros((1, *array.shape[1:])), array]), axis=0)
    result = np.full(array.shape, np.nan)
    result[width - 1 :] = (total[width:] - total[:-width]) / width
    return result


def _features(task: BoostTask, k: int, unit: np.ndarray, profile: np.ndarray) -> np.ndarray:
    """(days + horizon, slots, series, p) as float32: only what is known ``k`` days before, and the covariates of the day itself.

    ``profile``: the weekly profile as known ``k`` days before.
    """
    days, slots, count = task.values.shape
    total = task.rolling.shape[1]
    base = task.rolling[k - 1]
    week = 7 * -(-k // 7)  # the last same weekday that is known
    error = np.nan_to_num((task.filled - task.rolling[0, :days]) / unit)
    late, part = slots - 1, max(1, slots // 4)
    shape = (total, slots, count)

    def apart(values: np.ndarray) -> np.ndarray:
        return np.clip((values - base) / unit, -6, 6)

    def of_day(values: np.ndarray) -> np.ndarray:
        return np.broadcast_to(_lagged(values, k, total)[:, None, :], shape)

    def of_all(values: np.ndarray) -> np.ndarray:
        return np.broadcast_to(np.asarray(values, dtype=float)[:, None, None], shape)

    error_week = _running_mean(error, 7)
    columns = [
        np.broadcast_to(np.arange(count, dtype=float), shape),
        np.broadcast_to(np.arange(slots, dtype=float)[None, :, None], shape),
        np.full(shape, float(k)),
        base / (base.mean(axis=1, keepdims=True) + 1e-9),
        _lagged(error, k, total),
        _lagged(error, week, total),
        _lagged(error_week, k, total),
        _lagged(_running_mean(error, 28), k, total),
        *(apart(_lagged(task.filled, lag, total)) for lag in (k, week, week + 7, week + 14)),
        *(apart(_lagged(_running_mean(task.filled, width), k, total)) for width in (7, 28)),
        apart(profile),
        *(of_day(error[:, max(0, late - back)]) for back in (0, 1)),
        of_day(error[:, -part:].mean(axis=1)),
        of_day(error[:, : slots // 5 + 1].mean(axis=1)),
        of_day(error.mean(axis=1)),
        of_day(error_week.mean(axis=1)),
        of_all(task.day_type),
        *(of_all(column) for column in task.calendar.T),
        *(of_all(column) for column in task.by_day.T),
        *(of_all(column - _lagged(column[:days], k, total)) for column in task.by_day.T),
        *(np.broadcast_to(column[:, None, :], shape) for column in np.moveaxis(task.by_series, 1, 0)),
        *(np.broadcast_to(column[:, :, None], shape) for column in np.moveaxis(task.by_slot, -1, 0)),
    ]
    return np.stack([np.asarray(column, dtype=np.float32) for column in columns], axis=-1)
