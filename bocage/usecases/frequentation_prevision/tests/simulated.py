"""Simulated places: habits, seasons, closures and chance. The example of ``data/`` is ``write_example`` of this file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

START, ZONE = "2022-09-05", "Europe/Paris"
PLACES: dict[str, tuple[float, tuple[float, ...], float]] = {
    # usual count of a day, weekly habit (Monday first; 0: shut), summer's share
    "Piscine Léo-Lagrange": (420.0, (0.0, 0.8, 1.3, 0.8, 0.9, 1.5, 1.3), 0.3),
    "Médiathèque Simone-Veil": (310.0, (0.0, 0.9, 1.4, 0.7, 0.9, 1.6, 0.0), -0.3),
    "Passerelle du Port": (600.0, (1.1, 1.1, 1.1, 1.1, 1.2, 0.8, 0.6), 0.2),
    "Passerelle des Îles": (450.0, (1.0, 1.1, 1.1, 1.0, 1.1, 0.9, 0.8), 0.2),
    "Maison du tourisme": (250.0, (0.8, 0.9, 0.9, 0.9, 1.0, 1.4, 1.2), 0.3),
    "Musée des Forges": (180.0, (0.7, 0.8, 0.9, 0.8, 0.9, 1.5, 1.6), 0.2),
    "Ludothèque": (120.0, (0.6, 0.8, 1.5, 0.7, 0.9, 1.6, 1.1), -0.2),
}
EVENT = "marché de nuit"


def tables(days: int = 200, seed: int = 11, future: int = 14) -> dict[str, pd.DataFrame]:
    """``frequentation`` (all days, the future included), ``evenements`` and ``meteo``: the caller cuts where it likes."""
    drawn = np.random.default_rng(seed)
    dates = pd.date_range(START, periods=days + future, freq="D")
    season = np.sin(2 * np.pi * (dates.day_of_year.to_numpy() - 110) / 365.25)
    warm = 12 + 8 * season + _walk(drawn, len(dates), 1.6, 0.8)
    rain = np.where(drawn.random(len(dates)) < 0.35, drawn.exponential(4.0, len(dates)), 0.0)
    events = [{"debut": d.date(), "fin": d.date(), "lieu": "", "type": "evenement", "intitule": EVENT} for d in dates if d.day == 12]
    emptied = [pd.Timestamp("2023-02-14"), pd.Timestamp("2023-03-28")]
    events += [
        {
            "debut": d.date(),
            "fin": (d + pd.Timedelta(days=1)).date(),
            "lieu": "Piscine Léo-Lagrange",
            "type": "fermeture",
            "intitule": "vidange",
        }
        for d in emptied
    ]
    frames = []
    for name, (level, habit, summer) in PLACES.items():
        week = np.array(habit)[dates.day_of_week]
        mood = np.exp(_walk(drawn, len(dates), 0.05, 0.7))
        party = np.where(dates.day == 12, 1.5, 1.0)
        weather = np.exp(0.02 * (warm - 12) * np.sign(summer) - 0.015 * rain)
        mean = level * week * (1 + summer * np.maximum(season, -0.6) * 0.6) * mood * party * weather
        counts = drawn.negative_binomial(40, 40 / (40 + np.maximum(mean, 1e-6))).astype(float)
        shut = np.zeros(len(dates), dtype=bool)
        if name.startswith("Piscine"):
            for d in emptied:
                shut |= (dates >= d) & (dates < d + pd.Timedelta(days=2))
        frame = pd.DataFrame({"horodatage": dates.tz_localize(ZONE), "lieu": name, "valeur": np.where(shut | (week == 0), 0.0, counts)})
        # The library does not write its shut days; the others write a zero.
        frames.append(frame[week > 0] if name.startswith("Médiathèque") else frame)
    sky = pd.DataFrame({"horodatage": dates.tz_localize(ZONE), "temperature_c": warm.round(1), "pluie_mm": rain.round(1)})
    return {"frequentation": pd.concat(frames, ignore_index=True), "evenements": pd.DataFrame(events), "meteo": sky}


def hourly(weeks: int = 16, seed: int = 5, start: str = "2024-01-08", places: int = 1) -> pd.DataFrame:
    """Hourly counts of ``places`` counters, open all day."""
    drawn = np.random.default_rng(seed)
    hours = pd.date_range(pd.Timestamp(start, tz=ZONE), periods=weeks * 168, freq="h")
    hour, rest = hours.hour.to_numpy(), hours.day_of_week.to_numpy() >= 5
    habit = 0.02 + np.exp(-(((hour - 8.5) / 1.6) ** 2)) * np.where(rest, 0.3, 1.0) + np.exp(-(((hour - 17.5) / 2.4) ** 2))
    frames = [
        pd.DataFrame({"horodatage": hours, "lieu": f"Compteur {i + 1}", "valeur": drawn.poisson(300 * (1 + i) * habit).astype(float)})
        for i in range(places)
    ]
    return pd.concat(frames, ignore_index=True)


def quarterly(years: int = 12, places: int = 12, seed: int = 3) -> pd.DataFrame:
    """Quarterly counts: a level that walks, a season, and noise."""
    drawn = np.random.default_rng(seed)
    periods = pd.period_range("2008Q1", periods=4 * years, freq="Q")
    frames = []
    for i in range(places):
        season = np.tile(drawn.normal(0, 0.25, 4), years)
        level = 100 * (1 + i) * np.exp(_walk(drawn, len(periods), 0.03, 0.98))
        counts = level * np.exp(season + 0.15 * drawn.standard_normal(len(periods)))
        frames.append(
            pd.DataFrame({"horodatage": periods.start_time.tz_localize(ZONE), "lieu": f"Commune {i + 1:02d}", "valeur": counts.round(1)})
        )
    return pd.concat(frames, ignore_index=True)


def _walk(drawn: np.random.Generator, size: int, step: float, keep: float) -> np.ndarray:
    """A walk that is pulled back to zero."""
    result = np.zeros(size)
    for i, kick in enumerate(drawn.standard_normal(size) * step):
        result[i] = keep * result[i - 1] + kick if i else kick
    return result


def write_example(folder: Path, days: int = 200) -> None:
    """Write the files of ``data/``."""
    made = tables(days, future=7)
    end = pd.Timestamp(START, tz=ZONE) + pd.DateOffset(days=days)
    (folder / "verite").mkdir(parents=True, exist_ok=True)
    counts = made["frequentation"]
    truth = counts[counts["horodatage"] >= end].sort_values(["horodatage", "lieu"])
    named = {"frequentation": counts[counts["horodatage"] < end], "meteo": made["meteo"], "verite/frequentation_constatee": truth}
    for name, table in named.items():
        stamped = table.assign(horodatage=table["horodatage"].dt.strftime("%Y-%m-%d"))
        stamped.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
    made["evenements"].to_csv(folder / "evenements.csv", index=False, lineterminator="\n")
