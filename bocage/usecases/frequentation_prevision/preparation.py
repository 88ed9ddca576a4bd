"""From one tidy table of counts to grids: the step of each line found, duplicates settled, parts added up, missing left missing.

Counts are added, never averaged: four quarters of an hour make an hour, two half-days make a day, and what lacks a part is missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

import numpy as np
import pandas as pd

from bocage.contract.errors import NotEnoughData
from bocage.contract.french import count, day
from bocage.methods.forecasting.panel import DayGrid, far_dates, to_grid
from bocage.usecases.frequentation_prevision.steps import kinds_of_step, step_hours, whole_days, whole_hours
from bocage.usecases.frequentation_prevision.totals import without_day_totals

Rhythm = Literal["heure", "jour", "mois", "trimestre"]

MAX_DAYS = 1100
"""Days of history that are read, the last ones: three years hold every season, and old habits mislead."""

HOURLY_DAYS = 0.9
"""Share of the counted days of a place that have hours, from which it is counted by hour; below, its hours make days."""

DAILY_LINES = 0.3
"""Share of the lines of a place that follow each other by a day, from which lines farther apart are days too (open now and then)."""


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
    known = without_day_totals(frame.dropna(subset=["valeur"]), notes)
    if known.empty:
        raise NotEnoughData("Aucune valeur n’est renseignée : donnez au moins quatre semaines de comptages par lieu.")
    timezone = str(known["horodatage"].dt.tz)
    table = without_duplicates(_without_far_dates(known, notes), notes)
    step = step_hours(table)
    kind = _kinds(table, step)
    rhythm = _rhythm(table, kind)
    table = added_up(table, step, kind, rhythm, notes)
    if rhythm in ("mois", "trimestre"):
        return Prepared(rhythm, timezone, None, _periods(table, rhythm), notes)
    grid = to_grid(table, series="lieu", time="horodatage", value="valeur", timezone=timezone, slots=24 if rhythm == "heure" else 1)
    grid = DayGrid(grid.days[-MAX_DAYS:], grid.names, grid.values[-MAX_DAYS:])
    return Prepared(rhythm, timezone, _complete(grid, notes), None, notes)


def _without_far_dates(table: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """Without the few lines whose date is months or years away from all others: one wrong year, and every place would lack a history."""
    wrong = far_dates(table["horodatage"])
    if wrong.any():
        first = table[wrong].sort_values("horodatage", kind="stable").iloc[0]
        lines = count(int(wrong.sum()), "ligne est écartée", "lignes sont écartées")
        written = day(first["horodatage"].date(), year=True)
        notes.append(
            f"{lines}, la date étant très loin de toutes les autres (« {first['lieu']} », le {written}). "
            "Corrigez-la si c’est une faute de frappe."
        )
    return table[~wrong]


def counts_of_steps(frame: pd.DataFrame, rhythm: Rhythm) -> pd.DataFrame:
    """What was counted on each step of ``rhythm``: lines ``lieu``, ``debut`` (UTC), ``valeur``, settled and added up as ``prepare`` does.

    The hour that autumn repeats is the mean of its two counts, under its first start. A place of one line is taken at its word.
    """
    table = without_duplicates(without_day_totals(frame.dropna(subset=["valeur"]), []), [])
    step = step_hours(table)
    kind = _kinds(table, step).fillna(rhythm)
    table = added_up(table, step, kind, rhythm, [])
    zone = str(table["horodatage"].dt.tz)
    local = table["horodatage"].dt.tz_localize(None)
    if rhythm in ("mois", "trimestre"):
        local = _period(local, rhythm).dt.start_time
    elif rhythm == "jour":
        local = local.dt.normalize()
    start = local.dt.tz_localize(zone, ambiguous=np.ones(len(local), dtype=bool), nonexistent="shift_forward").dt.tz_convert("UTC")
    grouped = table["valeur"].groupby([table["lieu"], start.rename("debut")], sort=True)
    return (grouped.mean() if rhythm == "heure" else grouped.sum()).reset_index()


def without_duplicates(table: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """One value per place and time: repeated lines are dropped, and those that disagree are averaged, and said."""
    kept = table[["lieu", "horodatage", "valeur"]].sort_values(["lieu", "horodatage", "valeur"], kind="stable")
    repeated = kept.duplicated(["lieu", "horodatage"])
    if not repeated.any():
        return kept.reset_index(drop=True)
    said = count(int(repeated.sum()), "comptage était en double", "comptages étaient en double")
    notes.append(f"{said} : la moyenne des valeurs différentes a été retenue.")
    return kept.drop_duplicates().groupby(["lieu", "horodatage"], as_index=False, sort=True)["valeur"].mean()


def _kinds(table: pd.DataFrame, step: pd.Series) -> pd.Series:
    """What each line covers (``steps.kinds_of_step``); lines some days apart are days where enough of the place's lines are."""
    kind = kinds_of_step(step)
    daily = kind.isin(["heure", "jour"]).groupby(table["lieu"]).transform("mean") >= DAILY_LINES
    return kind.mask((kind == "autre") & daily, "jour")


def _rhythm(table: pd.DataFrame, kind: pd.Series) -> Rhythm:
    """The step of the forecast: the coarsest that a place needs, among days and hours, or among months and quarters."""
    if kind.isna().all():
        raise NotEnoughData("Un seul comptage par lieu : donnez au moins quatre semaines de comptages par jour ou par heure.")
    # What most places have last: a table may go from months to days.
    last = kind.where(kind != "autre").groupby(table["lieu"]).last().dropna()
    if last.empty:
        raise NotEnoughData(
            "Les comptages ne sont ni horaires, ni journaliers, ni mensuels, ni trimestriels : donnez l’un de ces pas de temps."
        )
    if last.isin(["mois", "trimestre"]).mean() > 0.5:
        return "trimestre" if (last == "trimestre").any() else "mois"
    fine = kind.isin(["heure", "jour"])
    date = table.loc[fine, "horodatage"].dt.tz_localize(None).dt.normalize()
    by_day = (kind[fine] == "heure").groupby([table.loc[fine, "lieu"], date]).any()
    return "heure" if (by_day.groupby(level=0).mean() >= HOURLY_DAYS).all() else "jour"


def added_up(table: pd.DataFrame, step: pd.Series, kind: pd.Series, rhythm: Rhythm, notes: list[str]) -> pd.DataFrame:
    """The lines that can serve ``rhythm``, parts of a step added up; what is mixed, and what is left out, is said."""
    serves: dict[str, tuple[str, ...]] = {
        "heure": ("heure",),
        "jour": ("heure", "jour"),
        "mois": ("mois",),
        "trimestre": ("mois", "trimestre"),
    }
    usable = kind.isin(serves[rhythm])
    _tell_left_out(table[~usable], rhythm, notes)
    kept, step, kind = table[usable], step[usable], kind[usable]
    if rhythm in ("mois", "trimestre"):
        return kept if rhythm == "mois" else _whole_quarters(kept, kind)
    _tell_mixture(kept, step, kind, notes)
    hourly = kind == "heure"
    hours = whole_hours(kept[hourly], step[hourly], notes) if hourly.any() else kept[hourly]
    if rhythm == "heure":
        return hours
    return whole_days(pd.concat([hours, kept[~hourly]]).sort_values(["lieu", "horodatage"], ignore_index=True), notes)


def _tell_left_out(lines: pd.DataFrame, rhythm: Rhythm, notes: list[str]) -> None:
    if lines.empty:
        return
    said = count(len(lines), "ligne est laissée de côté", "lignes sont laissées de côté")
    notes.append(
        f"{said} ({_few(lines['lieu'])}) : leur pas de temps ne permet pas de les lire par {rhythm} comme le reste de la table. "
        "Déposez-les à part, ou donnez le même pas de temps partout."
    )


def _tell_mixture(kept: pd.DataFrame, step: pd.Series, kind: pd.Series, notes: list[str]) -> None:
    """Say when a place changes its step, and when places do not have the same."""
    if (kind == "heure").any() and (kind == "jour").any():
        notes.append(
            f"Des comptages sont par heure ({_few(kept.loc[kind == 'heure', 'lieu'])}), d’autres par jour ou par demi-journée "
            f"({_few(kept.loc[kind == 'jour', 'lieu'])}) : tout est additionné et prévu par jour. Pour prévoir par heure, déposez à part "
            "les comptages par heure."
        )
    minutes = (60 * step[kind == "heure"]).round()
    several = minutes.groupby(kept["lieu"]).nunique()
    several = several[several > 1]
    if len(several):
        notes.append(
            f"Le pas de temps change en cours de route ({_few(several.index.to_series())}) : les comptages sont additionnés par heure."
        )


def _few(places: pd.Series, most: int = 3) -> str:
    """« Piscine, Musée, Passerelle et 4 autres lieux »."""
    names = sorted(map(str, places.unique()))
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" et {count(rest, 'autre lieu', 'autres lieux')}" if rest > 0 else "")


def _whole_quarters(table: pd.DataFrame, kind: pd.Series) -> pd.DataFrame:
    """Without the quarters of which a month is missing: lines of months or of quarters, still to be added up."""
    quarter = _period(table["horodatage"].dt.tz_localize(None), "trimestre")
    share = kind.map({"mois": 1, "trimestre": 3}).groupby([table["lieu"], quarter]).transform("sum")
    return table[share >= 3]


def _complete(grid: DayGrid, notes: list[str]) -> DayGrid:
    """Without its last day when that day is not over: every place that was counted stops before its usual last hour of that weekday."""
    counted = ~np.isnan(grid.values)
    today = np.flatnonzero(counted[-1].any(axis=0))
    if grid.slots == 1 or len(grid.days) < 2 or not len(today):
        return grid
    for s in today:
        rows = np.arange(len(grid.days) - 8, -1, -7)
        rows = rows[counted[rows, :, s].any(axis=1)][:4]
        if not len(rows):
            rows = np.flatnonzero(counted[:-1, :, s].any(axis=1))[-7:]
        ends = [int(np.flatnonzero(counted[row, :, s])[-1]) for row in rows]
        if not ends or np.flatnonzero(counted[-1, :, s])[-1] >= int(np.median(ends)):
            return grid
    notes.append("Le dernier jour n’est pas fini : il est prévu en entier.")
    return grid.until(len(grid.days) - 1)


def _period(local: pd.Series, rhythm: Rhythm) -> pd.Series:
    # Half a day forward: a quarter written as the last midnight before it, or read through another zone, stays in its quarter.
    return cast(pd.Series, (local + pd.Timedelta(hours=12)).dt.to_period("M" if rhythm == "mois" else "Q"))


def _periods(table: pd.DataFrame, rhythm: Rhythm) -> pd.DataFrame:
    """Counts by month or quarter (a complete range of periods) and place, NaN where missing."""
    period = _period(table["horodatage"].dt.tz_localize(None), rhythm)
    wide = table.groupby([period.rename("periode"), table["lieu"].rename("lieu")])["valeur"].sum().unstack("lieu")
    return wide.reindex(pd.period_range(wide.index.min(), wide.index.max(), freq=wide.index.freqstr)).sort_index(axis=1)
