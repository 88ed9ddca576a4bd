"""From the tables of a deposit to a prediction: the one path of the engine and of its benchmark."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bocage.contract import french
from bocage.contract.errors import NotEnoughData
from bocage.contract.french import count
from bocage.methods.calendars import SchoolZone
from bocage.methods.forecasting.panel import DayGrid
from bocage.methods.forecasting.pipeline import FULL, Plan, Prediction, plan_for
from bocage.usecases.eau_demande.cleaning import clean
from bocage.usecases.eau_demande.context import predict

LEAST_DAYS = 14
HORIZON_HOURS = 168


@dataclass(frozen=True)
class Answer:
    """``grid``: measures kept, m³/h; ``prediction`` for the days from ``start`` (naive local midnight); ``end``: time after the last
    measure; ``notes``: French sentences on the data; ``weather``: whether it was used; ``plan``: the work that was done."""

    grid: DayGrid
    prediction: Prediction
    start: pd.Timestamp
    end: pd.Timestamp
    timezone: str
    notes: list[str]
    weather: bool
    plan: Plan

    @property
    def reference(self) -> np.ndarray:
        """Flows measured at the same hour of the last known week (horizon, 24, sectors): NaN where nothing was."""
        values, days = self.grid.values, len(self.grid.days)
        rows = np.array([self.day_before(d) for d in range(len(self.prediction.value))])
        return np.where((rows >= 0)[:, None, None], values[np.clip(rows, 0, days - 1)], np.nan)

    def day_before(self, d: int) -> int:
        """The day of the grid that stands for day ``d`` to come in the usual method: seven days before it, or fourteen where those seven
        lead to a day to come."""
        return len(self.grid.days) + d - 7 * (d // 7 + 1)


def answer(
    flows: pd.DataFrame,
    weather: pd.DataFrame | None,
    *,
    territory: str = "FR",
    school_zone: SchoolZone | None = None,
    seconds: float = 60.0,
    seed: int = 0,
    pool: Executor | None = None,
    progress: Callable[[float, str], None] | None = None,
    plan: Plan | None = None,
) -> Answer:
    """Clean the tables and forecast the week that follows the last measure, sectors with two weeks of measures at least.

    A last day that is not over is forecast whole, and only what follows the last measure is told. ``plan`` is chosen from ``seconds``
    unless given. Raises ``NotEnoughData`` when no sector has two weeks.
    """
    if flows.empty:
        raise NotEnoughData("Aucun débit n’est renseigné : donnez au moins deux semaines de mesures horaires.")
    timezone = str(flows["horodatage"].dt.tz)
    grid, end, notes = clean(flows, timezone)
    known = _complete_days(grid, end, timezone)
    grid, dropped = _with_enough(grid.until(known))
    notes += dropped
    start = grid.days[0] + pd.Timedelta(days=known)
    last_hour = (end + pd.Timedelta(hours=HORIZON_HOURS - 1)).tz_convert(timezone).tz_localize(None)
    horizon = int((last_hour.normalize() - start) / pd.Timedelta(days=1)) + 1
    chosen = plan or plan_for(seconds, len(grid.names), known)
    prediction, used, guessed = predict(
        grid,
        weather,
        horizon,
        territory=territory,
        timezone=timezone,
        school_zone=school_zone,
        plan=chosen,
        seed=seed,
        pool=pool,
        progress=progress,
    )
    notes += _method_notes(grid, prediction, chosen, used, guessed)
    return Answer(grid, prediction, start, end, timezone, notes, used, chosen)


def _complete_days(grid: DayGrid, end: pd.Timestamp, timezone: str) -> int:
    """Days that are over when the last measure ends."""
    local = end.tz_convert(timezone).tz_localize(None)
    return int((local.normalize() - grid.days[0]) / pd.Timedelta(days=1))


def _with_enough(grid: DayGrid) -> tuple[DayGrid, list[str]]:
    """The sectors that have at least ``LEAST_DAYS`` measured days, the last one less than four weeks ago; a note for each other."""
    measured = (~pd.isna(grid.values)).sum(axis=1) >= 12
    kept, notes = [], []
    for s, name in enumerate(grid.names):
        days = int(measured[:, s].sum())
        if days >= LEAST_DAYS and measured[-28:, s].any():
            kept.append(s)
        else:
            why = (
                f"{count(days, 'jour mesuré', 'jours mesurés')} seulement" if days < LEAST_DAYS else "plus de mesure depuis quatre semaines"
            )
            notes.append(f"Secteur {name} : {why}, aucune prévision (il faut {LEAST_DAYS} jours, dont un récent).")
    if not kept:
        raise NotEnoughData(
            f"Aucun secteur n’a {LEAST_DAYS} jours de mesures récentes : donnez au moins deux semaines de débits horaires par secteur."
        )
    return DayGrid(grid.days, tuple(grid.names[s] for s in kept), grid.values[:, :, kept]), notes


def _method_notes(grid: DayGrid, prediction: Prediction, plan: Plan, weather: bool, guessed: int) -> list[str]:
    notes = _series_notes(grid, prediction)
    for operation in prediction.operations:
        day = french.WEEKDAYS[operation.weekday]
        notes.append(
            f"Secteur {grid.names[operation.series]} : une opération programmée paraît avoir lieu chaque {day} à {operation.slot} h "
            "(purge, remplissage) ; elle est prévue à part."
        )
    simple = [name for name, learnt in zip(grid.names, prediction.learnt, strict=True) if not learnt]
    if simple and plan != Plan(None, None):
        notes.append(f"Historique court, méthode simple (profil de la semaine) pour : {', '.join(simple)}.")
    if plan is not FULL and plan != FULL:
        notes.append("Le temps accordé est court : une version allégée de la méthode a été employée, un peu moins précise.")
    if not weather:
        notes.append("La météo n’a pas été donnée, ou trop peu : la prévision s’en passe.")
    elif guessed:
        said = count(guessed, "dernier jour", "derniers jours")
        notes.append(f"La météo manque pour {said} à prévoir : celle du dernier jour connu est répétée.")
    return notes


def _series_notes(grid: DayGrid, prediction: Prediction) -> list[str]:
    """What was not learnt from, the sectors that fell silent, and those whose days have no interval."""
    notes = []
    for s, name in enumerate(grid.names):
        hours = int(prediction.accidents[:, :, s].sum())
        if hours:
            said = count(hours, "heure d’un débit hors norme n’a pas servi", "heures d’un débit hors norme n’ont pas servi")
            notes.append(f"Secteur {name} : {said} à apprendre (incendie, fuite ; trois jours de suite au plus).")
        silent = int(prediction.silent[s])
        if silent:
            last = french.day(grid.days[len(grid.days) - 1 - silent].date(), weekday=False, year=True)
            notes.append(
                f"Secteur {name} : presque aucune mesure depuis le {last} ({count(silent, 'jour')}). La prévision part de là, et son "
                "intervalle est plus large d’autant."
            )
    without = [name for s, name in enumerate(grid.names) if np.isnan(prediction.daily[1:, :, s]).any()]
    if without:
        notes.append(
            f"Pas d’intervalle pour le volume du jour, il faut une vingtaine de jours passés pour le juger : {', '.join(without)}."
        )
    return notes
