"""What a SCADA export brings besides flows, put right or set aside, and said: duplicates, gaps, stopped sensors, wrong units.

Nothing is corrected silently: each rule that acted leaves one French sentence, with the sector and the amount. What is set aside is missing
to the methods, never invented.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from bocage.contract.french import count, day, number
from bocage.methods.forecasting.panel import DayGrid, to_grid

FROZEN_HOURS = 8
"""Hours of exactly the same non-zero flow from which a sensor is taken to be stopped."""

DRY_HOURS = 24
"""Hours of exactly zero flow, in a sector that normally flows, from which the measure is taken to be lost."""

UNIT_SLIP = 3.6
"""1 L/s is 3.6 m³/h: a level that jumps by that factor and stays is an export whose unit changed."""

_SLIP_RANGE = (3.0, 4.3)


def clean(frame: pd.DataFrame, timezone: str) -> tuple[DayGrid, pd.Timestamp, list[str]]:
    """The hourly grid of the sectors in m³/h, the time after the last measure (zone-aware, on the hour), and French notes.

    ``frame`` has the columns of ``DebitRow``. Days with fewer or more than 24 hours follow the local clock. Row order does not matter.
    """
    notes: list[str] = []
    table = frame.dropna(subset=["debit_m3h"]).sort_values(["secteur", "horodatage", "debit_m3h"], kind="stable").reset_index(drop=True)
    table = _set_aside_duplicates(table, notes)
    table = _set_aside_negatives(table, notes)
    grid = to_grid(table, series="secteur", time="horodatage", value="debit_m3h", timezone=timezone)
    end = table["horodatage"].max().floor("h") + pd.Timedelta(hours=1)
    values = grid.values
    for s, name in enumerate(grid.names):
        flat = values[:, :, s].reshape(-1)
        for rule in (_stopped, _dry):
            rule(flat, name, notes)
        values[:, :, s] = flat.reshape(values.shape[:2])
        _same_unit(values[:, :, s], name, grid.days, notes)
        _tell_gaps(values[:, :, s], name, notes)
    _tell_clock_changes(grid, timezone, notes)
    return grid, end, notes


def _set_aside_duplicates(table: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    repeated = table.duplicated(["secteur", "horodatage"], keep=False)
    if not repeated.any():
        return table
    extra = int(table.duplicated(["secteur", "horodatage"]).sum())
    notes.append(f"{count(extra, 'mesure était en double', 'mesures étaient en double')} : leur moyenne a été retenue.")
    return table.groupby(["secteur", "horodatage"], as_index=False, sort=True)["debit_m3h"].mean()


def _set_aside_negatives(table: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    negative = table["debit_m3h"] < 0
    for name, lines in table[negative].groupby("secteur", sort=True):
        said = count(len(lines), "débit négatif a été écarté", "débits négatifs ont été écartés")
        notes.append(f"Secteur {name} : {said} (retour d’eau ou capteur à vérifier).")
    return table[~negative]


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
    """In place: whole days at zero in a sector that flows."""
    known = ~np.isnan(flat)
    runs = _runs(flat, known & (flat == 0), DRY_HOURS)
    if not runs or np.median(flat[known]) == 0:
        return
    hours = sum(run.stop - run.start for run in runs)
    for run in runs:
        flat[run] = np.nan
    notes.append(f"Secteur {name} : débit nul pendant {count(hours, 'heure')}, pris comme une absence de mesure.")


def _same_unit(curve: np.ndarray, name: str, days: pd.DatetimeIndex, notes: list[str]) -> None:
    """In place: days whose level is 3.6 times that of the others, entered and left by a jump, are put back in the unit of the others."""
    known = ~np.isnan(curve).all(axis=1)
    if known.sum() < 10:
        return
    level = np.full(len(curve), np.nan)
    level[known] = np.nanmedian(curve[known], axis=1)
    usual = np.nanmedian(level)
    if not usual > 0:
        return
    ratio = np.nan_to_num(level / usual, nan=1.0)
    for factor, slipped in ((UNIT_SLIP, _near(ratio, lambda r: r)), (1 / UNIT_SLIP, _near(ratio, lambda r: 1 / np.maximum(r, 1e-9)))):
        edges = np.flatnonzero(np.diff(np.concatenate([[False], slipped, [False]]).astype(int)))
        for start, stop in zip(edges[::2], edges[1::2], strict=True):
            if not _jumps(level, known, start, stop):
                continue
            curve[start:stop] /= factor
            first, last = day(days[start].date(), weekday=False, year=True), day(days[stop - 1].date(), weekday=False, year=True)
            read, meant = ("des L/s", "multipliés") if factor < 1 else ("une autre unité", "divisés")
            notes.append(
                f"Secteur {name} : du {first} au {last}, les débits semblent être {read} ; ils ont été {meant} par {number(UNIT_SLIP, 1)}."
            )


def _near(ratio: np.ndarray, turned: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    value = turned(ratio)
    return (value >= _SLIP_RANGE[0]) & (value <= _SLIP_RANGE[1])


def _jumps(level: np.ndarray, known: np.ndarray, start: int, stop: int) -> bool:
    """Whether the level changes at once, by about the factor, at each end that has a neighbour: a season does not."""
    before, after = np.flatnonzero(known[:start]), np.flatnonzero(known[stop:])
    pairs = []
    if len(before):
        pairs.append((level[before[-1]], level[start]))
    if len(after):
        pairs.append((level[stop + after[0]], level[stop - 1]))
    return bool(pairs) and all(2.5 <= max(a, b) / max(min(a, b), 1e-9) <= 5.2 for a, b in pairs)


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
