"""Totals of days that stand beside the hours they add up: two exports of the same visitors, counted once."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bocage.contract.french import count

CLOSE = 0.02
"""How near, in share of a total, the sum of the hours must be to it."""

RECOGNISED, FEWEST_DAYS = 0.8, 3
"""Share of the days of a place that have a line at midnight and other lines, and least number of them, where that line is the sum of the
others: one such day may be chance."""


HOURLY_DAYS = 0.9
"""Share of the counted days of a place that have hours, from which its hours are kept rather than its totals."""


def without_day_totals(table: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """``table`` (``lieu``, ``horodatage``, ``valeur``) where no day is given twice: of a place that gives totals and hours, what covers its
    days is kept."""
    day = table["horodatage"].dt.tz_localize(None).dt.normalize()
    midnight = table["horodatage"].dt.tz_localize(None) == day
    of_day = table["valeur"].groupby([table["lieu"], day])
    several = of_day.transform("size") >= 3
    others = of_day.transform("sum") - table["valeur"]
    beside = midnight & several & (table["valeur"] > 0)
    total = beside & ((table["valeur"] - others).abs() <= CLOSE * table["valeur"])
    days = _sum_by_place(beside, table)
    given_twice = beside & (_sum_by_place(total, table) >= RECOGNISED * days) & (days >= FEWEST_DAYS)
    if not given_twice.any():
        return table
    first = ~table.assign(day=day).duplicated(["lieu", "day"])
    by_hour = _sum_by_place(first & several, table) >= HOURLY_DAYS * _sum_by_place(first, table)
    of_twice = given_twice.groupby([table["lieu"], day]).transform("any")
    dropped = np.where(by_hour, given_twice & total, of_twice & ~given_twice)
    places = ", ".join(f"« {name} »" for name in sorted(table.loc[given_twice, "lieu"].unique())[:5])
    told = count(int(given_twice.sum()), "jour était donné", "jours étaient donnés")
    notes.append(f"{told} à la fois en total et en heures pour {places} : compté une fois.")
    return table[~dropped]


def _sum_by_place(some: pd.Series, table: pd.DataFrame) -> pd.Series:
    return some.groupby(table["lieu"]).transform("sum")
