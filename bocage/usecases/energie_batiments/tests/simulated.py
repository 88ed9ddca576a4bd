"""Simulated public buildings: occupancy, heating with night setback, habits, noise. The example of ``data/`` is ``write_example``.

The physics is kept apart from the engine's: a building heats against a filtered outdoor temperature, with its own thermal inertia, set
points by hour, opening hours, events that nobody announces and a level that drifts slowly. The benchmark injects faults into it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from bocage.methods.calendars import public_holidays, school_holidays

KINDS = ("école", "mairie", "gymnase", "bibliothèque", "piscine", "crèche")
FAULTS = ("weekend_heating", "lost_setback", "base_load", "stuck", "unit_swap", "clock_change", "gaps")


@dataclass(frozen=True)
class Fleet:
    """``kwh`` (meters, days, 24) in local hours; ``heating`` what of it heats; ``unheated`` heating if nobody lowered it at night or when
    closed; ``open_days`` (meters, days); ``temperature`` (days, 24) in °C; ``days`` naive local midnights; ``kinds`` per meter."""

    kwh: np.ndarray
    heating: np.ndarray
    unlowered: np.ndarray
    open_days: np.ndarray
    temperature: np.ndarray
    days: pd.DatetimeIndex
    kinds: tuple[str, ...]


def weather(days: pd.DatetimeIndex, seed: int) -> np.ndarray:
    """Hourly temperature (days, 24), °C: season, passing weather of a few days, day and night."""
    drawn = np.random.default_rng(seed)
    hours = len(days) * 24
    slow, quick = _pulled(drawn, hours, 0.992, 0.42), _pulled(drawn, hours, 0.9, 0.25)
    t = np.arange(hours) / 24 + days[0].day_of_year
    season = 12.2 - 7.5 * np.cos(2 * np.pi * (t - 20) / 365.25)
    daily = -(3.0 - 1.5 * np.cos(2 * np.pi * (t - 20) / 365.25)) * np.cos(2 * np.pi * (t - 4 / 24))
    return np.asarray((season + daily + slow + quick).reshape(len(days), 24))


def _pulled(drawn: np.random.Generator, size: int, keep: float, step: float) -> np.ndarray:
    from scipy.signal import lfilter

    return np.asarray(lfilter([1.0], [1.0, -keep], drawn.standard_normal(size) * step))


def fleet(meters: int, start: str = "2022-01-01", years: float = 3.0, seed: int = 1) -> Fleet:
    """A fleet of ``meters`` buildings over ``years``, by kinds in turn."""
    drawn = np.random.default_rng(seed)
    days = pd.date_range(start, periods=round(365.25 * years), freq="D")
    temperature = weather(days, seed + 1000)
    holidays = set(public_holidays("FR", range(days[0].year, days[-1].year + 1)))
    off = np.array([stamp.date() in holidays for stamp in days])
    school = school_holidays(days, "B").astype("Float64").fillna(0.0).to_numpy(dtype=float) > 0
    kinds = tuple(KINDS[i % len(KINDS)] for i in range(meters))
    shape = (meters, len(days), 24)
    result = [np.zeros(shape, dtype=np.float32) for _ in range(3)]
    opened = np.zeros(shape[:2], dtype=bool)
    for m, kind in enumerate(kinds):
        use, opened[m] = _occupancy(kind, days, off, school, drawn)
        for array, values in zip(result, _building(use, temperature, days, drawn), strict=True):
            array[m] = values
    return Fleet(*result, opened, temperature, days, kinds)


def _occupancy(
    kind: str, days: pd.DatetimeIndex, off: np.ndarray, school: np.ndarray, drawn: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Presence (days, 24) in [0, 1] and whether the building opens."""
    weekday = days.day_of_week.to_numpy()
    first, last = {"école": (7, 18), "mairie": (8, 18), "gymnase": (8, 22), "bibliothèque": (9, 19), "piscine": (7, 21), "crèche": (7, 19)}[
        kind
    ]
    opening = {"école": weekday < 5, "mairie": weekday < 5, "gymnase": weekday < 6, "bibliothèque": (weekday > 0) & (weekday < 6)}.get(
        kind, weekday < 5 if kind == "crèche" else np.ones(len(days), dtype=bool)
    )
    opening = opening & ~off
    if kind == "école":
        opening = opening & ~school
    if kind == "crèche":
        opening = opening & ~((days.month == 8) & (days.day <= 21)) & ~((days.month == 12) & (days.day >= 24))
    hours = np.arange(24)
    shape = np.clip(np.minimum(hours - first + 1, last - hours), 0, 2) / 2
    share = np.where((weekday == 2) & (kind == "école"), 0.55, 1.0) * (1 + 0.08 * drawn.standard_normal(7))[weekday]
    use = opening[:, None] * shape[None, :] * share[:, None] * (1 + 0.05 * drawn.standard_normal((len(days), 1)))
    # Evenings and weekends that nobody announces: one day in forty.
    event = drawn.random(len(days)) < 1 / 40
    use[event, 18:22] = np.maximum(use[event, 18:22], 0.5)
    return np.clip(use, 0, 1.3), opening


def _building(
    use: np.ndarray, temperature: np.ndarray, days: pd.DatetimeIndex, drawn: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Consumption, its heating, and heating as it would be without lowering: (days, 24), kWh."""
    from scipy.signal import lfilter

    size = np.exp(drawn.normal(2.3, 0.7))
    base, busy = size * drawn.uniform(0.15, 0.3), size * drawn.uniform(0.3, 0.8)
    slope = size * drawn.choice([0.0, 0.05, 0.1], p=[0.2, 0.4, 0.4]) * drawn.uniform(0.7, 1.3)
    day_set, lowering = drawn.uniform(15.5, 18.5), drawn.uniform(3.0, 6.0)
    keep = np.exp(-1 / drawn.uniform(6, 40))
    felt = (
        lfilter([1 - keep], [1, -keep], temperature.reshape(-1) - temperature[0].mean()).reshape(temperature.shape) + temperature[0].mean()
    )
    early = np.clip(use + np.roll(use.reshape(-1), -2).reshape(use.shape), 0, 1)
    point = day_set - lowering * (1 - np.minimum(1, 2 * early))
    season = np.clip((15 - pd.Series(temperature.mean(axis=1)).rolling(7, min_periods=1).mean().to_numpy()) / 2, 0, 1)[:, None]
    heating = slope * np.maximum(point - felt, 0) * season
    unlowered = slope * np.maximum(day_set - felt, 0) * season
    cooling = size * (drawn.uniform(0.02, 0.05) if drawn.random() < 0.3 else 0.0) * np.maximum(felt - 22, 0) * use
    light = 1 + 0.12 * np.cos(2 * np.pi * (days.day_of_year.to_numpy() - 5) / 365.25)[:, None]
    level = np.exp(_pulled(drawn, len(days), 0.995, 0.0025))[:, None]
    daily = np.exp(_pulled(drawn, len(days), 0.6, drawn.uniform(0.02, 0.045)))[:, None]
    noise = np.exp(drawn.uniform(0.04, 0.09) * drawn.standard_normal(use.shape))
    factor = level * daily * noise
    return (base + busy * use * light + heating + cooling) * factor, heating * factor, unlowered * factor


def inject(found: Fleet, meter: int, fault: str, first: int, seed: int = 0) -> np.ndarray:
    """The consumption (days, 24) of ``meter`` with ``fault`` from day ``first`` on; missing values are NaN.

    ``clock_change``: a programmer that did not follow the change of hour. ``unit_swap``: half-hourly kW taken for kWh, or the reverse.
    """
    drawn = np.random.default_rng(seed)
    kwh, heating = found.kwh[meter].astype(float).copy(), found.heating[meter]
    later = np.arange(len(kwh)) >= first
    closed = ~found.open_days[meter]
    night = (np.arange(24) < 6) | (np.arange(24) >= 21)
    extra = found.unlowered[meter] - heating
    if fault == "weekend_heating":
        kwh[later & closed] += extra[later & closed]
    elif fault == "lost_setback":
        kwh += np.where(later[:, None] & night[None, :], extra, 0.0)
    elif fault == "base_load":
        kwh[later] += 0.15 * np.quantile(kwh[max(0, first - 365) : first], 0.1)
    elif fault == "stuck":
        kwh[later] = kwh[first, 0]
    elif fault == "unit_swap":
        kwh[later] *= 2.0 if drawn.random() < 0.5 else 0.5
    elif fault == "clock_change":
        kwh[later] = np.roll(kwh.reshape(-1), 1 if drawn.random() < 0.5 else -1).reshape(kwh.shape)[later]
    elif fault == "gaps":
        kwh[(drawn.random(kwh.shape) < 0.2) & later[:, None]] = np.nan
    else:
        raise ValueError(fault)
    return kwh
