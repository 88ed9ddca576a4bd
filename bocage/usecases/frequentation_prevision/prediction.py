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
from bocage.methods.forecasting.panel import DayGrid, fill_gaps
from bocage.methods.forecasting.pipeline import Plan, Prediction, forecast
from bocage.usecases.frequentation_prevision import context
from bocage.usecases.frequentation_prevision.hours import Hours, read_hours
from bocage.usecases.frequentation_prevision.openings import OPEN, SHUT, Openings, kinds_of, read_openings
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
    day totals; ``state`` (horizon, places): OPEN, SHUT, UNCOUNTED; ``doubtful`` (horizon, places): perhaps shut, a holiday never seen;
    ``why`` (day of the horizon, place): title of the closure; ``grid``: counts kept."""

    grid: DayGrid
    calendar: pd.DataFrame
    value: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    usual: np.ndarray
    daily: np.ndarray
    state: np.ndarray
    doubtful: np.ndarray
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
    agenda = context.read_agenda(events, days, grid.names, prepared.grid.names)
    hours = read_hours(grid.values, calendar["weekday"].to_numpy(), kinds_of(calendar))
    notes += agenda.notes + _hours_notes(grid, hours)
    grid = replace(grid, values=np.where(hours.closed[: len(grid.days)], 0.0, grid.values))
    opened = read_openings(grid, calendar, agenda.closed, agenda.why)
    sky, guessed = context.weather_of(weather, days, prepared.timezone)
    around = context.build(grid, calendar, agenda, sky)
    chosen = plan or plan_for(seconds, grid)
    chosen = replace(chosen, intervals=IntervalSettings(level=level, margin=MARGIN, window=168, half_life=56.0), accident=None)
    learning = replace(grid, values=_to_learn(opened.values, hours, around.day_type))
    found = forecast(learning, around, horizon, chosen, seed=seed, pool=pool, progress=progress)
    notes += opened.notes
    notes += _method_notes(grid, found, chosen, weather is not None, sky is not None, guessed)
    return _answer(grid, opened, hours, found, chosen, calendar, notes)


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
    grid: DayGrid, opened: Openings, hours: Hours, found: Prediction, plan: Plan, calendar: pd.DataFrame, notes: list[str]
) -> Answer:
    """The forecast with closed hours and shut days at zero, and the hours of the day that no place opens put back."""
    days, horizon = len(grid.days), len(found.value)
    closed = hours.closed[:, hours.open_slots]
    value = np.where(closed[days:], 0.0, np.maximum(found.value, 0.0))
    learnt = np.where(closed[:days], np.nan, found.values)  # a closed hour is no success of the forecast
    lower, upper = _bounds(learnt, found.rolling, value, plan.intervals)
    totals = value.sum(axis=1, keepdims=True)
    counted = _opened_sums(found.values, closed[:days])
    low, high = _bounds(counted, _opened_sums(found.rolling, closed), totals, plan.intervals)
    shut = (opened.coming == SHUT)[:, None, :]
    value, lower, upper = (_all_day(np.where(shut | closed[days:], 0.0, array), hours, grid.slots) for array in (value, lower, upper))
    usual = last_same_weekday(opened.values, horizon)
    usual = np.where(shut | hours.closed[days:], 0.0, np.where(np.isnan(usual), value, usual))
    daily = np.where(shut[:, 0], 0.0, np.stack([totals, low, high])[:, :, 0])
    notes = notes + _interval_notes(grid, daily, opened.coming)
    why = {(day - days, place): title for (day, place), title in opened.why.items() if day >= days}
    return Answer(grid, calendar, value, lower, upper, usual, daily, opened.coming, opened.doubtful, why, found.learnt, notes)


def _to_learn(values: np.ndarray, hours: Hours, day_type: np.ndarray) -> np.ndarray:
    """Counts (days, open slots, places) to learn from: a closed hour has the value of the same hour of other days, never a zero; an hour
    that this place never opens, and another does, has the mean of the day.

    Days then have one shape, and a short Sunday does not bend the curve of the other days; what is forecast there is thrown away.
    """
    closed, counts = hours.closed[: len(values), hours.open_slots], values[:, hours.open_slots]
    if not closed.any():
        return counts
    filled = fill_gaps(np.where(closed, np.nan, counts), day_type)
    known = ~np.isnan(filled)
    mean = np.where(known, filled, 0.0).sum(axis=1, keepdims=True) / np.maximum(known.sum(axis=1, keepdims=True), 1)
    shut = np.isnan(values).all(axis=1, keepdims=True)
    return np.where(closed & ~shut, np.where(known, filled, mean), counts)


def _opened_sums(values: np.ndarray, closed: np.ndarray) -> np.ndarray:
    """Day totals (..., days, 1, places) over the hours that were open; NaN where one of them is missing."""
    return np.where(closed & ~np.isnan(values), 0.0, values).sum(axis=-2, keepdims=True)


def _all_day(array: np.ndarray, hours: Hours, slots: int) -> np.ndarray:
    """(horizon, open slots, places) → (horizon, slots, places), zero where no place ever opens."""
    result = np.zeros((len(array), slots, array.shape[2]))
    result[:, hours.open_slots] = array
    return result


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


def _hours_notes(grid: DayGrid, hours: Hours) -> list[str]:
    """What was taken as closed hours, said once: an hour that is never counted may also be a counter that sleeps."""
    written = (grid.values == 0).any(axis=0)  # a closed hour that has its zeros is said by the table itself
    coming = hours.closed[len(grid.days) :] & ~written
    mean = {name: float(coming[:, :, s].sum(axis=1).mean()) for s, name in enumerate(grid.names) if coming[:, :, s].any()}
    if not mean:
        return []
    told = [f"{name} ({count(round(closed), 'heure')} par jour en moyenne)" for name, closed in sorted(mean.items())]
    more = f" et {count(len(told) - 3, 'autre lieu', 'autres lieux')}" if len(told) > 3 else ""
    return [
        f"Les heures sans aucune ligne, semaine après semaine, sont prises comme fermées (zéro) : {', '.join(told[:3])}{more}. "
        "Si le lieu était ouvert et le compteur arrêté à ces heures, la prévision ne compte que les autres."
    ]


def _interval_notes(grid: DayGrid, daily: np.ndarray, state: np.ndarray) -> list[str]:
    """The places of which some open day has no interval, and why."""
    without = (np.isnan(daily[1:]).any(axis=0) & (state == OPEN)).any(axis=0)
    if not without.any():
        return []
    names = ", ".join(name for name, flag in zip(grid.names, without, strict=True) if flag)
    return [f"Pas d’intervalle pour le total du jour, il en faut vingt passés où aucune heure ne manque : {names}."]


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
