"""From one tidy table of counts to grids: the rhythm found, duplicates settled, part-hours added up, missing left missing.

Counts are added, never averaged: four quarters of an hour make an hour, and an hour of which one quarter is missing is missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from bocage.contract.errors import NotEnoughData
from bocage.contract.french import count
from bocage.methods.forecasting.panel import DayGrid, to_grid

Rhythm = Literal["heure", "jour", "mois", "trimestre"]
_STEPS: dict[Rhythm, float] = {"heure": 1.0, "jour": 24.0, "mois": 730.5, "trimestre": 2191.5}
"""Hours of a step of each rhythm."""

MAX_DAYS = 1100
"""Days of history that are read, the last ones: three years hold every season, and old habits mislead."""


@dataclass(frozen=True)
class Prepared:
    """``grid``: counts kept (days, slots, places), for hours and days; ``periods``: counts (periods, places) indexed by period, for months
    and quarters; one of the two is None. ``notes``: French sentences."""

    rhythm: Rhythm
    timezone: str
    grid: DayGrid | None
    periods: pd.DataFrame | None
    notes: list[str]


def prepare(frame: pd.DataFrame) -> Prepared:
    """The grids of a table with the columns of ``FrequentationRow``. Row order does not matter.

    Raises ``NotEnoughData`` when nothing is counted, or when the rhythm cannot be told (fewer than two dates, weekly totals).
    """
    notes: list[str] = []
    known = frame.dropna(subset=["valeur"])
    if known.empty:
        raise NotEnoughData("Aucune valeur n’est renseignée : donnez au moins quatre semaines de comptages par lieu.")
    timezone = str(known["horodatage"].dt.tz)
    table = _without_duplicates(known, notes)
    rhythm, step = _rhythm(table)
    if rhythm in ("mois", "trimestre"):
        return Prepared(rhythm, timezone, None, _periods(table, rhythm), notes)
    if rhythm == "heure" and step < 1.0:
        table = _whole_hours(table, step, notes)
    grid = to_grid(table, series="lieu", time="horodatage", value="valeur", timezone=timezone, slots=24 if rhythm == "heure" else 1)
    grid = DayGrid(grid.days[-MAX_DAYS:], grid.names, grid.values[-MAX_DAYS:])
    return Prepared(rhythm, timezone, _complete(grid, notes), None, notes)


def _without_duplicates(table: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """One value per place and time: repeated lines are dropped, and those that disagree are averaged, and said."""
    kept = table[["lieu", "horodatage", "valeur"]].sort_values(["lieu", "horodatage", "valeur"], kind="stable")
    repeated = kept.duplicated(["lieu", "horodatage"])
    if not repeated.any():
        return kept.reset_index(drop=True)
    said = count(int(repeated.sum()), "comptage était en double", "comptages étaient en double")
    notes.append(f"{said} : la moyenne des valeurs différentes a été retenue.")
    return kept.drop_duplicates().groupby(["lieu", "horodatage"], as_index=False, sort=True)["valeur"].mean()


def _rhythm(table: pd.DataFrame) -> tuple[Rhythm, float]:
    """The rhythm, and the usual gap between two counts of a place, in hours."""
    times = table["horodatage"].dt.tz_convert("UTC")
    gaps = times.groupby(table["lieu"]).diff().dropna().dt.total_seconds() / 3600
    if gaps.empty:
        raise NotEnoughData("Un seul comptage par lieu : donnez au moins quatre semaines de comptages par jour ou par heure.")
    usual = float(gaps.median())
    if usual <= 1.01:
        return "heure", usual
    if usual <= 25.0:
        # A place that is open some hours a day has days of several hours, never of one.
        hours = table["horodatage"].dt.hour
        return ("jour", 24.0) if hours.nunique() <= 2 else ("heure", 1.0)
    nearest: Rhythm = min(_STEPS, key=lambda name: abs(np.log(usual / _STEPS[name])))
    if nearest == "jour" or not 0.8 <= usual / _STEPS[nearest] <= 1.25:
        if float((gaps <= 25.0).mean()) >= 0.3:
            return "jour", 24.0
        raise NotEnoughData(
            "Les comptages ne sont ni horaires, ni journaliers, ni mensuels, ni trimestriels : donnez l’un de ces pas de temps."
        )
    return nearest, usual


def _whole_hours(table: pd.DataFrame, step: float, notes: list[str]) -> pd.DataFrame:
    """Parts of hours added up; an hour that lacks one is left out."""
    parts = max(1, round(1.0 / max(step, 1 / 3600)))
    hour = table["horodatage"].dt.tz_convert("UTC").dt.floor("h")
    sums = table.groupby([table["lieu"], hour])["valeur"].agg(["sum", "size"]).reset_index()
    short = sums["size"] < parts
    if short.any():
        notes.append(f"{count(int(short.sum()), 'heure est incomplète', 'heures sont incomplètes')} : elles sont prises comme manquantes.")
    kept = sums[~short].rename(columns={"sum": "valeur"})
    kept["horodatage"] = kept["horodatage"].dt.tz_convert(table["horodatage"].dt.tz)
    return kept[["lieu", "horodatage", "valeur"]] if len(kept) else table.assign(horodatage=table["horodatage"].dt.floor("D"))


def _complete(grid: DayGrid, notes: list[str]) -> DayGrid:
    """Without its last day when that day is not over (hours missing for every place)."""
    if grid.slots == 1 or len(grid.days) < 2:
        return grid
    last = ~np.isnan(grid.values[-1]).all(axis=1)
    before = ~np.isnan(grid.values[-8:-1]).all(axis=2)
    usual_end = int(np.median([np.flatnonzero(day)[-1] for day in before if day.any()] or [0]))
    if np.flatnonzero(last)[-1] >= usual_end:
        return grid
    notes.append("Le dernier jour n’est pas fini : il est prévu en entier.")
    return grid.until(len(grid.days) - 1)


def _periods(table: pd.DataFrame, rhythm: Rhythm) -> pd.DataFrame:
    """Counts by month or quarter (a complete range of periods) and place, NaN where missing."""
    local = table["horodatage"].dt.tz_localize(None)
    # Half a day forward: a quarter written as the last midnight before it, or read through another zone, stays in its quarter.
    period = (local + pd.Timedelta(hours=12)).dt.to_period("M" if rhythm == "mois" else "Q")
    wide = table.groupby([period.rename("periode"), table["lieu"].rename("lieu")])["valeur"].sum().unstack("lieu")
    return wide.reindex(pd.period_range(wide.index.min(), wide.index.max(), freq=wide.index.freqstr)).sort_index(axis=1)
