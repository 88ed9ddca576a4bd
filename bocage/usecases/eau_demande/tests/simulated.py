"""Simulated sectors: habits, weekends, warmth and noise. The example of ``data/`` is ``write_example`` of this file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

START, ZONE = "2024-01-15", "Europe/Paris"
SECTORS = {"Bourg": 42.0, "Hauts de Vilaine": 16.0}


def tables(
    weeks: int = 13, sectors: dict[str, float] | None = None, seed: int = 7, future_weeks: int = 1
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """``debits`` and ``meteo`` of ``weeks`` weeks, and ``future_weeks`` more of both: the caller cuts where it likes."""
    drawn = np.random.default_rng(seed)
    first = pd.Timestamp(START, tz=ZONE)
    hours = pd.date_range(first, first + pd.DateOffset(weeks=weeks + future_weeks), freq="h", inclusive="left")
    hour, day = hours.hour.to_numpy(), np.arange(len(hours)) / 24
    warm = 9 + 6 * np.sin(2 * np.pi * (day - 30) / 365) + 4 * np.sin(2 * np.pi * (hour - 9) / 24) + _walk(drawn, len(hours), 0.25)
    rain = np.where(drawn.random(len(hours)) < 0.06, drawn.exponential(1.2, len(hours)), 0.0)
    habit = (
        0.55
        + 0.5 * np.exp(-(((hour - 8) / 2.2) ** 2))
        + 0.45 * np.exp(-(((hour - 19.5) / 2.5) ** 2))
        + 0.25 * np.exp(-(((hour - 13) / 4) ** 2))
    )
    rest = hours.day_of_week.to_numpy() >= 5
    habit = np.where(rest, 0.55 + 0.8 * np.roll(habit - 0.55, 1), habit)
    flows = []
    for name, level in (sectors or SECTORS).items():
        slow = np.exp(_walk(drawn, len(hours), 0.0015) + 0.012 * (warm - 9))
        noise = np.exp(0.05 * drawn.standard_normal(len(hours)))
        flows.append(pd.DataFrame({"horodatage": hours, "secteur": name, "debit_m3h": (level * habit * slow * noise).round(2)}))
    weather = {
        "horodatage": hours,
        "temperature_c": warm.round(1),
        "pluie_mm": rain.round(1),
        "humidite_pct": (75 - 1.2 * (warm - 9)).round(),
    }
    return pd.concat(flows, ignore_index=True), pd.DataFrame(weather)


def _walk(drawn: np.random.Generator, size: int, step: float) -> np.ndarray:
    """A walk that is pulled back to zero."""
    result = np.zeros(size)
    for i, kick in enumerate(drawn.standard_normal(size) * step):
        result[i] = 0.995 * result[i - 1] + kick if i else kick
    return result


def write_example(folder: Path, weeks: int = 13) -> None:
    """Write the files of ``data/``."""
    flows, weather = tables(weeks)
    end = pd.Timestamp(START, tz=ZONE) + pd.DateOffset(weeks=weeks)
    (folder / "verite").mkdir(parents=True, exist_ok=True)
    known = flows["horodatage"] < end
    for name, table in (("debits", flows[known]), ("meteo", weather), ("verite/debits_constates", flows[~known])):
        stamped = table.assign(horodatage=table["horodatage"].map(lambda stamp: stamp.isoformat(timespec="minutes")))
        stamped.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
