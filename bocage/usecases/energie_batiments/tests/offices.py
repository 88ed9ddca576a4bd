"""Offices written without a line of the engine's code nor of ``simulated.py``: the truth that intervals and alarms are held to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

ZONE = "Europe/Paris"


@dataclass(frozen=True)
class Offices:
    """``kwh`` (meters, days, 24) in local hours, ``temperature`` (days, 24) in °C, ``days`` naive local midnights."""

    kwh: np.ndarray
    temperature: np.ndarray
    days: pd.DatetimeIndex


def offices(meters: int, days: int, last: str, seed: int) -> Offices:
    """Base load, office hours and heating; habits that wander by a few percent, a day's own level, and noise by the hour."""
    drawn = np.random.default_rng(seed)
    calendar = pd.date_range(end=last, periods=days, freq="D")
    hours = np.arange(24)
    season = 11.5 - 8.5 * np.cos(2 * np.pi * (calendar.day_of_year.to_numpy() - 20) / 365.25)
    temperature = (season + _remembered(drawn, days, 0.8, 1.8))[:, None] - 4 * np.cos(2 * np.pi * (hours - 3) / 24)
    busy = (calendar.day_of_week.to_numpy() < 5)[:, None] & (hours >= 7) & (hours < 18)
    result = []
    for _ in range(meters):
        base, use, slope = drawn.uniform(1, 6), drawn.uniform(2, 12), drawn.uniform(0.2, 1.0)
        noise, balance = drawn.uniform(0.04, 0.1), drawn.uniform(14, 18)
        heating = slope * np.maximum(balance - temperature, 0) * np.where(busy, 1.0, 0.45)
        level = np.exp(_remembered(drawn, days, 0.99, 0.004) + _remembered(drawn, days, 0.5, 0.6 * noise))[:, None]
        result.append((base + use * busy + heating) * level * np.exp(noise * drawn.standard_normal((days, 24))))
    return Offices(np.array(result), temperature, calendar)


def _remembered(drawn: np.random.Generator, size: int, keep: float, step: float) -> np.ndarray:
    result = np.zeros(size)
    for i in range(1, size):
        result[i] = keep * result[i - 1] + step * drawn.standard_normal()
    return result


def tables(kwh: np.ndarray, temperature: np.ndarray, days: pd.DatetimeIndex, **site: object) -> dict[str, pd.DataFrame]:
    """The inputs of the use case for one meter, ``p``, whose hours (days, 24) are read in local time; NaN are readings not received."""
    hours = days.repeat(24) + pd.to_timedelta(np.tile(np.arange(24), len(days)), unit="h")
    local = hours.tz_localize(ZONE, ambiguous=np.ones(len(hours), dtype=bool), nonexistent="NaT")
    table = pd.DataFrame({"horodatage": local, "valeur": kwh.reshape(-1), "temperature_c": temperature.reshape(-1)})
    table = table.dropna(subset="horodatage")
    readings = table[["horodatage", "valeur"]].dropna().assign(point_de_mesure="p", unite="kWh")
    sites = pd.DataFrame([{"point_de_mesure": "p", "nom": "Mairie", "prix_eur_kwh": 0.2, **site}])
    return {"sites": sites, "releves": readings, "meteo": table[["horodatage", "temperature_c"]]}
