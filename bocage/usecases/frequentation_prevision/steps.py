"""The step of each count, place by place and period by period, and counts of a finer step added up to a coarser one.

A counter that goes from hours to quarters of an hour, a half-day tally, a site counted by day among sites counted by hour: each line says
by the distance to its neighbours what it covers. Counts are added, never averaged, and a sum that lacks a part is missing.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from bocage.contract.french import count
from bocage.methods.forecasting.panel import to_grid
from bocage.usecases.frequentation_prevision.hours import USUAL, share_counted

HOUR, DAY, MONTH, QUARTER = 1.0, 24.0, 730.5, 2191.5
"""Hours of a step."""

NEIGHBOURS = 15
"""Lines around a line that tell its step: an outage leaves lonely lines, which are no daily counts."""


def step_hours(table: pd.DataFrame) -> pd.Series:
    """Hours that each line covers: the usual distance to the nearest line of its place; NaN for the only line of a place.

    ``table``: ``lieu``, ``horodatage``, ``valeur``, sorted by place and time, one line per time.
    """
    place = table["lieu"]
    before = table["horodatage"].dt.tz_convert("UTC").groupby(place).diff().dt.total_seconds() / 3600
    nearest = pd.Series(np.fmin(before, before.groupby(place).shift(-1)), index=table.index)
    around = nearest.groupby(place, sort=False).rolling(NEIGHBOURS, center=True, min_periods=1).median()
    return around.droplevel(0).reindex(table.index)


def kinds_of_step(step: pd.Series) -> pd.Series:
    """« heure » (an hour or less), « jour » (a day or parts of it), « mois », « trimestre », « autre » (weeks, a few days); NaN stays."""
    bounds = [0.0, 1.25 * HOUR, 1.5 * DAY, 0.8 * MONTH, 1.25 * MONTH, 0.8 * QUARTER, 1.25 * QUARTER, np.inf]
    labels = ["heure", "jour", "autre", "mois", "autre", "trimestre", "autre"]
    return pd.cut(step, bounds, labels=labels, ordered=False).astype(object)


def whole_hours(table: pd.DataFrame, step: pd.Series, notes: list[str]) -> pd.DataFrame:
    """Parts of hours added up, in lines ``lieu``, ``horodatage`` (start of the hour), ``valeur``; an hour that lacks a part is left out."""
    zone = table["horodatage"].dt.tz
    # Local hours: some countries are half an hour off, and the hour that autumn repeats stays two hours.
    local = table["horodatage"]
    hour = local - pd.to_timedelta(local.dt.minute * 60 + local.dt.second, unit="s")
    parts = (HOUR / step.clip(lower=1 / 3600)).round().clip(lower=1.0)
    grouped = pd.DataFrame({"lieu": table["lieu"], "horodatage": hour.dt.tz_convert("UTC"), "valeur": table["valeur"], "parts": parts})
    sums = grouped.groupby(["lieu", "horodatage"], sort=True).agg(valeur=("valeur", "sum"), size=("valeur", "size"), parts=("parts", "max"))
    short = sums["size"] < sums["parts"]
    if short.any():
        notes.append(f"{count(int(short.sum()), 'heure est incomplète', 'heures sont incomplètes')} : elles sont prises comme manquantes.")
    kept = sums[~short].reset_index()
    return kept.assign(horodatage=kept["horodatage"].dt.tz_convert(zone))[["lieu", "horodatage", "valeur"]]


def whole_days(table: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """Hours and parts of days added up, in lines of a day; a day that lacks a part that its weekday usually has is left out.

    ``table``: lines of an hour or more. A line a day is a whole day.
    """
    zone = str(table["horodatage"].dt.tz)
    grid = to_grid(table, series="lieu", time="horodatage", value="valeur", timezone=zone)
    counted = ~np.isnan(grid.values)
    weekday = grid.days.day_of_week.to_numpy()
    expected = share_counted(counted, weekday, weekday) > USUAL
    lacking = counted.any(axis=1) & (expected & ~counted).any(axis=1)
    # The hour of a daily line may change (midnight, then noon): one line a day lacks nothing.
    lacking &= ~((counted.sum(axis=1) == 1) & (expected.sum(axis=1) <= 1))
    day = table["horodatage"].dt.tz_localize(None).dt.normalize()
    rows, columns = grid.days.get_indexer(pd.DatetimeIndex(day)), pd.Index(grid.names).get_indexer(table["lieu"].astype(str))
    kept = table[~lacking[rows, columns]]
    if lacking.any():
        said = count(int(lacking.sum()), "jour est incomplet", "jours sont incomplets")
        notes.append(f"{said} (il y manque une heure ou une demi-journée qui est comptée d’habitude) : ils sont pris comme manquants.")
    sums = kept.groupby([kept["lieu"], day[kept.index].rename("horodatage")], sort=True)["valeur"].sum().reset_index()
    return sums.assign(horodatage=sums["horodatage"].dt.tz_localize(zone, ambiguous=True, nonexistent="shift_forward"))
