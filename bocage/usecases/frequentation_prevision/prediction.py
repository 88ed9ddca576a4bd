"""From the tables of a deposit to a prediction: the one path of the engine and of its benchmark."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from bocage.contract.errors import NotEnoughData
from bocage.contract.french import count
from bocage.methods.calendars import SchoolZone
from bocage.methods.forecasting.boosting import BoostSettings
from bocage.methods.forecasting.conformal import IntervalSettings, calibrate
from bocage.methods.forecasting.curves import CurveSettings
from bocage.methods.forecasting.panel import DayGrid
from bocage.methods.forecasting.pipeline import Plan, Prediction, forecast
from bocage.usecases.frequentation_prevision import context
from bocage.usecases.frequentation_prevision.openings import OPEN, SHUT, Openings, read_openings
from bocage.usecases.frequentation_prevision.preparation import Prepared

LEAST_DAYS = 28
"""Counted and open days under which a place is not forecast."""

SLEEPING = 75
"""Days without a count after which a place is not forecast: more than a summer holiday of schools, nobody knows if it still opens."""

HOURLY = Plan(CurveSettings(fit_days=250, iterations=20), BoostSettings(rounds=300, leaf_rows=80, ridge=20.0, feature_share=0.5))
DAILY = Plan(
    CurveSettings(max_days=1000, fit_days=300, iterations=15),
    BoostSettings(rounds=200, rate=0.04, leaves=15, leaf_rows=20, ridge=5.0, feature_share=0.5, days=1000, half_life=400.0, share=1.0),
)
MARGIN = 0.015
"""Added to the level of intervals: past errors flatter (set on periods before the evaluation: docs/bench/frequentation_prevision.md)."""


@dataclass(frozen=True)
class Answer:
    """Arrays (horizon, slots, places) ``value``, ``lower``, ``upper``, ``usual``; ``daily`` (3, horizon, places): value, lower, upper of
    day totals; ``state`` (horizon, places): OPEN, SHUT, UNCOUNTED; ``why`` (day of the horizon, place): title of the closure; ``grid``:
    counts kept."""

    grid: DayGrid
    calendar: pd.DataFrame
    value: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    usual: np.ndarray
    daily: np.ndarray
    state: np.ndarray
    why: dict[tuple[int, int], str]
    learnt: np.ndarray
    notes: list[str]

    @property
    def days(self) -> pd.DatetimeIndex:
        """The days forecast (naive local midnights)."""
        return pd.DatetimeIndex(self.calendar.index[len(self.grid.days) :])


def answer(
    prepared: Prepared,
    horizon: int,
    *,
    events: pd.DataFrame | None = None,
    weather: pd.DataFrame | None = None,
    territory: str = "FR",
    school_zone: SchoolZone | None = None,
    level: float = 0.8,
    seconds: float = 60.0,
    seed: int = 0,
    pool: Executor | None = None,
    progress: Callable[[float, str], None] | None = None,
    plan: Plan | None = None,
) -> Answer:
    """Forecast ``horizon`` days after the last one of an hourly or daily grid.

    ``plan`` is chosen from ``seconds`` unless given. Raises ``NotEnoughData`` when no place has ``LEAST_DAYS`` open days, ``InvalidParams``
    on an unknown territory.
    """
    assert prepared.grid is not None
    grid, notes = _with_enough(prepared.grid, list(prepared.notes))
    days = pd.date_range(grid.days[0], periods=len(grid.days) + horizon, freq="D")
    calendar = context.calendar_of(days, territory, prepared.timezone, school_zone)
    agenda = context.read_agenda(events, days, grid.names)
    opened = read_openings(grid, calendar, agenda.closed, agenda.why)
    sky, guessed = context.weather_of(weather, days, prepared.timezone)
    around = context.build(grid, calendar, agenda, sky)
    chosen = plan or plan_for(seconds, grid)
    chosen = replace(chosen, intervals=IntervalSettings(level=level, margin=MARGIN, window=168, half_life=56.0), accident=None)
    learning = replace(grid, values=opened.values)
    found = forecast(learning, around, horizon, chosen, seed=seed, pool=pool, progress=progress)
    notes += opened.notes + _method_notes(grid, found, chosen, weather is not None, sky is not None, guessed)
    return _answer(grid, opened, found, chosen, calendar, horizon, notes)


def plan_for(seconds: float, grid: DayGrid) -> Plan:
    """The fullest plan that should hold in ``seconds`` on one core, without looking at a clock (measured: docs/bench)."""
    full = DAILY if grid.slots == 1 else HOURLY
    places, scale = len(grid.names), min(1.0, (len(grid.days) / 560) ** 2)
    if 1.0 + places * (4.0 * scale + 1.5) <= seconds:
        return full
    if 1.0 + places * 1.2 * scale <= seconds:
        return Plan(CurveSettings(fit_days=180, iterations=12), None)
    if 1.0 + places * 0.4 * scale <= seconds:
        return Plan(CurveSettings(iterations=0), None)
    return Plan(None, None)


def last_same_weekday(values: np.ndarray, horizon: int) -> np.ndarray:
    """The field's usual method: the same weekday of the week before, or of the last week that has it. (horizon, slots, places) from counts
    (days, slots, places) with NaN; NaN where the eight weeks before have none."""
    days = len(values)
    result = np.full((horizon, *values.shape[1:]), np.nan)
    for k in range(horizon):
        for week in range(8):
            row = days + k - 7 * (k // 7 + 1 + week)
            if row >= 0:
                result[k] = np.where(np.isnan(result[k]), values[row], result[k])
    return result


def _answer(
    grid: DayGrid, opened: Openings, found: Prediction, plan: Plan, calendar: pd.DataFrame, horizon: int, notes: list[str]
) -> Answer:
    value = np.maximum(found.value, 0.0)
    lower, upper = _bounds(found.values, found.rolling, value, plan.intervals)
    totals = value.sum(axis=1, keepdims=True)
    low, high = _bounds(found.values.sum(axis=1, keepdims=True), found.rolling.sum(axis=2, keepdims=True), totals, plan.intervals)
    usual = last_same_weekday(opened.values, horizon)
    usual = np.where(np.isnan(usual), value, usual)
    shut = (opened.coming == SHUT)[:, None, :]
    value, usual = np.where(shut, 0.0, value), np.where(shut, 0.0, usual)
    lower, upper = np.where(shut, 0.0, lower), np.where(shut, 0.0, upper)
    daily = np.where(shut[:, 0], 0.0, np.stack([totals, low, high])[:, :, 0])
    first = len(grid.days)
    why = {(day - first, place): title for (day, place), title in opened.why.items() if day >= first}
    return Answer(grid, calendar, value, lower, upper, usual, daily, opened.coming, why, found.learnt, notes)


def _bounds(values: np.ndarray, rolling: np.ndarray, centre: np.ndarray, settings: IntervalSettings) -> tuple[np.ndarray, np.ndarray]:
    """Intervals of counts: errors are those of square roots, whose spread hardly depends on the count (Anscombe, 1948)."""
    # Intervals judged on square roots less a constant that keeps them from being positive: differences of roots, never ratios.
    with np.errstate(invalid="ignore"):
        band = calibrate(np.sqrt(values) - _SHIFT, np.sqrt(np.maximum(rolling, 0.0)) - _SHIFT, settings)
    root = np.sqrt(centre)
    return np.maximum(root - band.reach, 0.0) ** 2, (root + band.reach) ** 2


_SHIFT = 1e6


def _with_enough(grid: DayGrid, notes: list[str]) -> tuple[DayGrid, list[str]]:
    """The places that have enough counted days above zero, the last one recent; a note for each other."""
    busy = np.nan_to_num(grid.values).sum(axis=1) > 0
    kept, most = [], 0
    for s, name in enumerate(grid.names):
        days = int(busy[:, s].sum())
        most = max(most, days)
        asleep = len(grid.days) - 1 - int(np.flatnonzero(busy[:, s])[-1]) if days else 0
        if days >= LEAST_DAYS and asleep <= SLEEPING:
            kept.append(s)
            continue
        why = f"{count(days, 'jour compté', 'jours comptés')} seulement" if days < LEAST_DAYS else f"plus de comptage depuis {asleep} jours"
        notes.append(f"{name} : {why}, aucune prévision (il faut {LEAST_DAYS} jours ouverts et comptés, dont un récent).")
    if not kept:
        raise NotEnoughData(
            f"Aucun lieu n’a un historique récent de {LEAST_DAYS} jours ouverts et comptés (au mieux {count(most, 'jour')}) : "
            "donnez au moins quatre semaines de comptages par lieu ; douze semaines permettent la méthode complète."
        )
    return DayGrid(grid.days, tuple(grid.names[s] for s in kept), grid.values[:, :, kept]), notes


def _method_notes(grid: DayGrid, found: Prediction, plan: Plan, given: bool, used: bool, guessed: int) -> list[str]:
    notes = []
    simple = [name for name, learnt in zip(grid.names, found.learnt, strict=True) if not learnt]
    if simple and plan.curves is not None:
        notes.append(f"Historique court, méthode simple (profil de la semaine) pour : {', '.join(simple)}.")
    if plan.boost is None:
        notes.append("Le temps accordé est court : une version allégée de la méthode a été employée, un peu moins précise.")
    if given and not used:
        notes.append("La météo couvre moins de la moitié des jours : la prévision s’en passe.")
    elif guessed:
        notes.append(f"La météo manque pour {count(guessed, 'dernier jour', 'derniers jours')} : celle du dernier jour connu est répétée.")
    return notes


__all__ = ["OPEN", "SHUT", "Answer", "answer", "last_same_weekday", "plan_for"]
