"""What a SCADA export brings besides flows, put right or set aside, and said: duplicates, gaps, stopped sensors, wrong units.

Nothing is corrected silently: each rule that acted leaves one French sentence, with the sector and the amount. What is set aside is missing
to the methods, never invented.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from bocage.contract.french import count, day, number
from bocage.methods.forecasting.panel import DayGrid, far_dates, to_grid
from bocage.usecases.eau_demande.unit_slips import same_unit

FROZEN_HOURS = 8
"""Hours of exactly the same non-zero flow from which a sensor is taken to be stopped."""

DRY_HOURS = 24
"""Hours of exactly zero flow, in a sector that normally flows, from which the measure is taken to be lost."""

_WEEK = 168
_OTHER_WEEKS = 6
"""Weeks before and after in which a stretch at zero is looked for again: a closed Sunday comes back."""


def clean(frame: pd.DataFrame, timezone: str) -> tuple[DayGrid, pd.Timestamp, list[str]]:
    """The hourly grid of the sectors in m³/h, the time after the last measure (zone-aware, on the hour), and French notes.

    ``frame`` has the columns of ``DebitRow``. Days with fewer or more than 24 hours follow the local clock. Row order does not matter.
    """
    notes: list[str] = []
    table = frame.dropna(subset=["debit_m3h"]).sort_values(["secteur", "horodatage", "debit_m3h"], kind="stable").reset_index(drop=True)
    table = _set_aside_far_dates(table, timezone, notes)
    table = _set_aside_duplicates(table, notes)
    grid = to_grid(table, series="secteur", time="horodatage", value="debit_m3h", timezone=timezone)
    last = table["horodatage"].max()  # « floor » would ask which of the two hours of autumn is meant
    end = last - pd.Timedelta(minutes=last.minute, seconds=last.second, microseconds=last.microsecond) + pd.Timedelta(hours=1)
    values = grid.values
    for s, name in enumerate(grid.names):
        flat = values[:, :, s].reshape(-1)
        for rule in (_negative, _stopped, _dry):
            rule(flat, name, notes)
        values[:, :, s] = flat.reshape(values.shape[:2])
        same_unit(values[:, :, s], name, grid.days, notes)
        _tell_gaps(values[:, :, s], name, notes)
    _tell_clock_changes(grid, timezone, notes)
    return grid, end, notes


def _set_aside_far_dates(table: pd.DataFrame, timezone: str, notes: list[str]) -> pd.DataFrame:
    """Without the few lines whose date is years or months away from all others: one wrong year, and nothing could be forecast."""
    wrong = far_dates(table["horodatage"])
    if not wrong.any():
        return table
    first = table[wrong].sort_values("horodatage", kind="stable").iloc[0]
    written = day(first["horodatage"].tz_convert(timezone).date(), weekday=False, year=True)
    said, done = (
        ("1 mesure a une date très éloignée", "elle a été écartée")
        if wrong.sum() == 1
        else (f"{number(int(wrong.sum()))} mesures ont une date très éloignée", "elles ont été écartées")
    )
    notes.append(f"{said} de toutes les autres (secteur {first['secteur']}, le {written}) : {done} ; corrigez la date si elle est fausse.")
    return table.loc[~wrong].reset_index(drop=True)


def _set_aside_duplicates(table: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    repeated = table.duplicated(["secteur", "horodatage"], keep=False)
    if not repeated.any():
        return table
    extra = int(table.duplicated(["secteur", "horodatage"]).sum())
    notes.append(f"{count(extra, 'mesure était en double', 'mesures étaient en double')} : leur moyenne a été retenue.")
    return table.groupby(["secteur", "horodatage"], as_index=False, sort=True)["debit_m3h"].mean()


def _negative(flat: np.ndarray, name: str, notes: list[str]) -> None:
    """In place: hours whose mean is below zero. Steps are averaged first: small sectors swing around zero, and their mean is right."""
    below = flat < 0
    if below.any():
        flat[below] = np.nan
        said = count(int(below.sum()), "heure de débit négatif a été écartée", "heures de débit négatif ont été écartées")
        notes.append(f"Secteur {name} : {said} (retour d’eau ou capteur à vérifier).")


def _runs(flat: np.ndarray, chosen: np.ndarray, least: int) -> list[slice]:
    """Stretches of equal values, where ``chosen``, of at least ``least`` slots."""
    same = np.zeros(len(flat), dtype=bool)
    same[1:] = chosen[1:] & chosen[:-1] & (flat[1:] == flat[:-1])
    edges = np.flatnonzero(np.diff(np.concatenate([[False], same, [False]]).astype(int)))
    return [slice(max(0, a - 1), b) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a + 1 >= least]


def _stopped(flat: np.ndarray, name: str, notes: list[str]) -> None:
    """In place: a sensor that repeats one value for hours. Coarse meters, which repeat values all the time, are left alone."""
    known = ~np.isnan(flat)
    runs = _runs(flat, known & (flat != 0), FROZEN_HOURS)
    hours = sum(run.stop - run.start for run in runs)
    if not runs or hours > 0.2 * known.sum():
        return
    for run in runs:
        flat[run] = np.nan
    said = count(hours, "heure écartée", "heures écartées")
    notes.append(f"Secteur {name} : capteur figé {count(len(runs), 'fois')}, {said} (même valeur {FROZEN_HOURS} heures de suite ou plus).")


def _dry(flat: np.ndarray, name: str, notes: list[str]) -> None:
    """In place: whole days at zero in a sector that flows, unless they come back week after week (a business park on Sundays)."""
    known = ~np.isnan(flat)
    runs = _runs(flat, known & (flat == 0), DRY_HOURS)
    if not runs or np.median(flat[known]) == 0:
        return
    lost = [run for run in runs if not _weekly(flat, run)]
    if not lost:
        return
    hours = sum(run.stop - run.start for run in lost)
    for run in lost:
        flat[run] = np.nan
    notes.append(f"Secteur {name} : débit nul pendant {count(hours, 'heure')}, pris comme une absence de mesure.")


def _weekly(flat: np.ndarray, run: slice) -> bool:
    """Whether the same hours of the week are at zero too in half of the weeks around (those in which the stretch itself is not)."""
    hours = np.arange(run.start, run.stop)
    around = hours[:, None] + _WEEK * np.r_[-_OTHER_WEEKS:0, 1 : _OTHER_WEEKS + 1]
    inside = (around >= 0) & (around < len(flat)) & ~((around >= run.start) & (around < run.stop))
    other = flat[around[inside]]
    other = other[~np.isnan(other)]
    return bool(len(other) >= 2 * DRY_HOURS and (other == 0).mean() >= 0.5)


def _tell_gaps(curve: np.ndarray, name: str, notes: list[str]) -> None:
    missing = np.isnan(curve)
    begun = np.flatnonzero(~missing.all(axis=1))
    if len(begun):
        missing = missing[begun[0] : begun[-1] + 1]
    share = float(missing.mean())
    if share > 0.005:
        notes.append(
            f"Secteur {name} : {number(100 * share, 1)} % des heures manquent ou ont été écartées ; elles n’ont pas été inventées."
        )


def _tell_clock_changes(grid: DayGrid, timezone: str, notes: list[str]) -> None:
    from bocage.methods.calendars import clock_shift

    moved = np.flatnonzero(clock_shift(grid.days, timezone))
    if len(moved):
        said = count(len(moved), "changement d’heure a été suivi", "changements d’heure ont été suivis")
        notes.append(f"{said} (jours de 23 ou 25 heures) ; le dernier est le {day(grid.days[moved[-1]].date(), year=True)}.")
