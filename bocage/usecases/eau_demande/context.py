"""What is known of each day: calendar of the territory and weather, as the forecasting methods read them."""

from __future__ import annotations

from concurrent.futures import Executor
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from bocage.methods.calendars import SchoolZone, day_features
from bocage.methods.forecasting.kernels import weather_parts
from bocage.methods.forecasting.panel import DayGrid, to_grid
from bocage.methods.forecasting.pipeline import FULL, Context, Plan, Prediction, forecast

if TYPE_CHECKING:
    from collections.abc import Callable

WEATHER = ("temperature_c", "pluie_mm", "humidite_pct")
"""Columns that are read; only the temperature is needed."""


def calendar_context(
    days: pd.DatetimeIndex, territory: str, timezone: str, school_zone: SchoolZone | None, weather: np.ndarray | None
) -> Context:
    """The context of ``days`` (past and coming). ``weather``: (days, 24, 3) in the order of ``WEATHER``, without NaN, or None."""
    table = day_features(days[0].date(), days[-1].date(), territory, school_zone=school_zone, timezone=timezone)
    weekday = table["weekday"].to_numpy()
    columns = [weekday, table["eve"], table["morrow"], days.day_of_year]
    if school_zone is not None:
        columns.append(table["school_holiday"].astype("Float64").to_numpy(dtype=float, na_value=np.nan))
    context = Context(
        weekday=weekday,
        day_type=np.where(table["holiday"].to_numpy(), 6, weekday),
        clock_shift=table["clock_shift"].to_numpy(),
        year_phase=2 * np.pi * days.day_of_year.to_numpy() / 365.25,
        calendar=np.column_stack([np.asarray(column, dtype=float) for column in columns]),
    )
    return context if weather is None else _with_weather(context, weather)


def _with_weather(context: Context, weather: np.ndarray) -> Context:
    """Warmth acts within weeks and wetness within months: gardens are watered on what the last days were."""
    from dataclasses import replace

    temperature, rain, humidity = np.moveaxis(weather, -1, 0)
    mean, rained = temperature.mean(axis=1), np.log1p(rain[:, 5:23].sum(axis=1))
    before = [_lag(mean, k) for k in (1, 2, 3)]
    rained_before = [_lag(rained, k) for k in (1, 2, 3)]
    warmth = np.column_stack([temperature.max(axis=1), mean, np.mean(before, axis=0)])
    wetness = np.column_stack([rained, rained_before[0], np.mean(rained_before, axis=0), humidity[:, 8:20].mean(axis=1)])
    warmth, wetness = warmth / (warmth.std(axis=0) + 1e-9), wetness / (wetness.std(axis=0) + 1e-9)
    return replace(
        context,
        covariates={"warmth": warmth, "wetness": wetness},
        parts=(weather_parts("warmth", 0.3, 200.0, 2.0), weather_parts("wetness", 0.1, 400.0, 3.0)),
        by_day=np.hstack([warmth, wetness]),
        by_slot=np.stack([temperature, humidity, np.log1p(rain)], axis=-1),
    )


def _lag(column: np.ndarray, days: int) -> np.ndarray:
    return np.concatenate([np.repeat(column[:1], days), column[:-days]])


def weather_grid(frame: pd.DataFrame | None, days: pd.DatetimeIndex, timezone: str) -> tuple[np.ndarray | None, int]:
    """Weather (days, 24, 3) of ``days``, and how many of the last days had to be guessed by repeating the last known one.

    Short holes are drawn between hours; a column that is absent is zero throughout (it then says nothing). None when
    there is no weather, or
    when it covers less than half of the days.
    """
    if frame is None or frame.empty:
        return None, 0
    result = np.zeros((len(days), 24, len(WEATHER)))
    guessed = 0
    for i, name in enumerate(WEATHER):
        known = frame.dropna(subset=[name]) if name in frame else frame.iloc[:0]
        if known.empty:
            if name == "temperature_c":
                return None, 0
            continue
        grid = to_grid(known.assign(lieu=""), series="lieu", time="horodatage", value=name, timezone=timezone)
        placed = np.full((len(days), 24), np.nan)
        at = days.get_indexer(grid.days)
        placed[at[at >= 0]] = grid.values[at >= 0, :, 0]
        empty = np.isnan(placed).all(axis=1)
        if i == 0 and empty.mean() > 0.5:
            return None, 0
        last = int(np.flatnonzero(~empty)[-1]) if (~empty).any() else 0
        guessed = max(guessed, len(days) - 1 - last)
        result[:, :, i] = _filled(placed, last)
    return result, guessed


def _filled(placed: np.ndarray, last: int) -> np.ndarray:
    """Days after the last known one repeat it, hour by hour; the other holes are drawn between the hours around."""
    flat = placed.reshape(-1)
    known = np.flatnonzero(~np.isnan(flat))
    drawn = np.interp(np.arange(len(flat)), known, flat[known]).reshape(placed.shape)
    drawn[last + 1 :] = drawn[last]
    return drawn


def predict(
    flows: DayGrid,
    weather: pd.DataFrame | None,
    horizon: int,
    *,
    territory: str = "FR",
    timezone: str = "Europe/Paris",
    school_zone: SchoolZone | None = None,
    plan: Plan = FULL,
    seed: int = 0,
    pool: Executor | None = None,
    progress: Callable[[float, str], None] | None = None,
) -> tuple[Prediction, bool, int]:
    """Forecast the ``horizon`` days after ``flows``: the prediction, whether weather was used, and how many days of it were guessed.

    The engine and the benchmark both take this path.
    """
    days = pd.date_range(flows.days[0], periods=len(flows.days) + horizon, freq="D")
    sky, guessed = weather_grid(weather, days, timezone)
    context = calendar_context(days, territory, timezone, school_zone, sky)
    return forecast(flows, context, horizon, plan, seed=seed, pool=pool, progress=progress), sky is not None, guessed
