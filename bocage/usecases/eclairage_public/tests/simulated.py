"""Simulated streets: passages of a Poisson process whose rate follows the clock.

The example of ``data/`` is ``write_example`` of this file.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

ZONE, START = "Europe/Paris", "2024-02-05"
STREETS: dict[str, float] = {
    # passages in the busiest hour
    "Boulevard de la Gare": 9000.0,
    "Chemin du Lavoir": 4.0,
    "Parc des Tilleuls": 30.0,
    "Place du Marché": 60.0,
    "Rue du Port": 25.0,
}
DEAD = "Place du Marché"


def segments() -> pd.DataFrame:
    """The table ``segments``."""
    lines = []
    for name, busiest in STREETS.items():
        busy = busiest > 500
        lines.append(
            {
                "segment": name,
                "classe": "C2" if busy else "P2",
                "classe_creuse": "C3" if busy else "P3",
                "classe_vide": "C5" if busy else "P6",
                "niveau_installe": 24.0 if busy else 12.5,
                "points_lumineux": 24,
                "puissance_w": 75.0 if busy else 42.0,
                "detecteurs": 6,
                "delai_s": 1.0,
                "anticipation_s": 3.0,
                "categorie": "parc" if name.startswith("Parc") else "voirie",
                "fermeture_h": 22.0 if name.startswith("Parc") else None,
            }
        )
    return pd.DataFrame(lines)


def presence(
    nights: int = 31, seed: int = 4, step: str = "h", dead_after: int | None = 24, streets: dict[str, float] | None = None
) -> pd.DataFrame:
    """The table ``presence``: counts per ``step``, zone-aware."""
    drawn = np.random.default_rng(seed)
    first = pd.Timestamp(START, tz=ZONE) + pd.Timedelta(hours=16)
    stamps = pd.date_range(first, first + pd.DateOffset(days=nights), freq=step, inclusive="left")
    stamps = stamps[(stamps.hour >= 16) | (stamps.hour < 10)]
    clock = stamps.hour.to_numpy() + stamps.minute.to_numpy() / 60
    day = (
        np.exp(-(((clock - 17.5) / 2.8) ** 2))
        + 0.5 * np.exp(-(((clock - 8.5) / 1.2) ** 2))
        + 0.5 * np.exp(-(((clock - 21) / 2.2) ** 2))
        + 0.012
    )
    night = stamps - pd.Timedelta(hours=12)
    party = np.where(np.isin(night.day_of_week, (4, 5)), 1.6, 1.0)
    share = pd.Timedelta(1, step) / pd.Timedelta(hours=1) if step == "h" else pd.Timedelta(step) / pd.Timedelta(hours=1)
    frames = []
    for name, busiest in (streets or STREETS).items():
        mood = np.exp(0.3 * drawn.standard_normal(nights + 1))[(night.normalize() - night[0].normalize()).days]
        count = drawn.poisson(busiest * day * party * mood * share)
        if name == DEAD and dead_after is not None:
            count = np.where(stamps >= first + pd.DateOffset(days=dead_after - 5), 0, count)
        frames.append(pd.DataFrame({"horodatage": stamps, "segment": name, "passages": count}))
    return pd.concat(frames, ignore_index=True)


def write_example(folder: Path, nights: int = 24) -> None:
    """Write the files of ``data/``."""
    (folder / "verite").mkdir(parents=True, exist_ok=True)
    counts = presence()
    end = pd.Timestamp(START, tz=ZONE) + pd.DateOffset(days=nights, hours=12)
    later = counts[counts["horodatage"] >= end].sort_values(["horodatage", "segment"], kind="stable")
    segments().to_csv(folder / "segments.csv", index=False, lineterminator="\n")
    for name, table in {"presence": counts[counts["horodatage"] < end], "verite/presence_constatee": later}.items():
        stamped = table.assign(horodatage=table["horodatage"].map(lambda stamp: stamp.isoformat(timespec="minutes")))
        stamped.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
