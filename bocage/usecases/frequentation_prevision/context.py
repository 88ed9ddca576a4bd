"""What is known of each day, past and coming: calendar, events, weather, as the forecasting methods read them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from bocage.contract.errors import InvalidParams
from bocage.methods.calendars import SchoolZone, day_features
from bocage.methods.forecasting.kernels import Part, weather_parts
from bocage.methods.forecasting.panel import DayGrid, to_grid
from bocage.methods.forecasting.pipeline import Context

NEAR = 6
"""Days of working life within which the end or the beginning of school holidays is felt."""


@dataclass(frozen=True)
class Agenda:
    """Declared days of the grid and of the horizon: ``closed`` (days, places; bool), ``why`` (day, place) → title; ``events``
    (days, kinds): the share of places concerned; ``titles`` of the kinds, the titles met at least twice."""

    closed: np.ndarray
    why: dict[tuple[int, int], str]
    events: np.ndarray
    titles: tuple[str, ...]


def calendar_of(days: pd.DatetimeIndex, territory: str, timezone: str, zone: SchoolZone | None) -> pd.DataFrame:
    """``calendars.day_features`` of ``days``. Raises ``InvalidParams`` on an unknown territory."""
    try:
        return day_features(days[0].date(), days[-1].date(), territory, school_zone=zone, timezone=timezone)
    except ValueError:
        raise InvalidParams(f"Le territoire « {territory} » est inconnu : donnez FR, FR-57, FR-6AE, FR-971… ou un autre pays.") from None


def read_agenda(events: pd.DataFrame | None, days: pd.DatetimeIndex, names: tuple[str, ...]) -> Agenda:
    """Closures and events of ``days``. A title that marks fewer than two days of the past teaches nothing and is left out."""
    closed = np.zeros((len(days), len(names)), dtype=bool)
    why: dict[tuple[int, int], str] = {}
    marks: dict[str, np.ndarray] = {}
    if events is not None and len(events):
        place = {name: s for s, name in enumerate(names)}
        for line in events.sort_values(["debut", "type", "intitule"], kind="stable").itertuples():
            at = _span(line.debut, line.fin, days)
            where = list(range(len(names))) if not _text(line.lieu) else [place[_text(line.lieu)]] if _text(line.lieu) in place else []
            if not len(at) or not where:
                continue
            if line.type == "fermeture":
                closed[np.ix_(at, where)] = True
                why.update({(int(d), s): _text(line.intitule) for d in at for s in where})
            else:
                mark = marks.setdefault(_text(line.intitule).casefold() or "événement", np.zeros(len(days)))
                mark[at] = np.maximum(mark[at], len(where) / len(names))
    kept = tuple(sorted(title for title, mark in marks.items() if (mark > 0).sum() >= 2))
    table = np.column_stack([marks[title] for title in kept]) if kept else np.zeros((len(days), 0))
    return Agenda(closed, why, table, kept)


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _as_day(value: object) -> date | None:
    stamp = pd.Timestamp(value) if value is not None else pd.NaT  # type: ignore[call-overload]
    return None if stamp is pd.NaT else stamp.date()


def _span(first: object, last: object, days: pd.DatetimeIndex) -> np.ndarray:
    start = _as_day(first)
    if start is None:
        return np.zeros(0, dtype=int)
    end = max(start, _as_day(last) or start)
    end = min(end, days[-1].date() + timedelta(days=1))
    return np.flatnonzero((days >= pd.Timestamp(start)) & (days <= pd.Timestamp(end)))


def weather_of(frame: pd.DataFrame | None, days: pd.DatetimeIndex, timezone: str) -> tuple[np.ndarray | None, int]:
    """Mean temperature and rain (logarithm) of each day, standardised: (days, 2), and the days at the end that repeat the last known one.

    None when there is no weather, or when it covers less than half of the days.
    """
    if frame is None or frame.empty:
        return None, 0
    columns, guessed = [], 0
    for name in ("temperature_c", "pluie_mm"):
        known = frame.dropna(subset=[name]) if name in frame else frame.iloc[:0]
        if known.empty:
            if name == "temperature_c":
                return None, 0
            columns.append(np.zeros(len(days)))
            continue
        grid = to_grid(known.assign(lieu=""), series="lieu", time="horodatage", value=name, timezone=timezone, slots=1)
        placed = pd.Series(grid.values[:, 0, 0], index=grid.days).reindex(days)
        if name == "temperature_c" and placed.isna().mean() > 0.5:
            return None, 0
        last = placed.last_valid_index()
        guessed = max(guessed, int((days > last).sum()) if last is not None else len(days))
        filled = placed.interpolate(limit_direction="both").to_numpy(dtype=float)
        columns.append(np.log1p(np.nan_to_num(filled)) if name == "pluie_mm" else filled)
    table = np.column_stack(columns)
    return (table - table.mean(axis=0)) / (table.std(axis=0) + 1e-9), guessed


def build(grid: DayGrid, calendar: pd.DataFrame, agenda: Agenda, weather: np.ndarray | None) -> Context:
    """The context of the forecasting methods: ``calendar`` covers the grid's days and the horizon."""
    days = pd.DatetimeIndex(calendar.index)
    weekday = calendar["weekday"].to_numpy()
    holiday = calendar["holiday"].to_numpy()
    off = calendar["school_holiday"].fillna(False).to_numpy(dtype=bool)
    covariates: dict[str, np.ndarray] = {}
    parts: tuple[Part, ...] = ()
    if off.any():
        covariates["school"] = off[:, None].astype(float)
        parts += (weather_parts("school", 0.4, 400.0, 0.4),)
    if agenda.events.shape[1]:
        covariates["events"] = agenda.events
        parts += (weather_parts("events", 0.4, 600.0, 0.4),)
    if weather is not None:
        covariates["weather"] = weather
        parts += (weather_parts("weather", 0.2, 300.0, 2.0),)
    known = [agenda.events] + ([weather] if weather is not None else [])
    columns = [weekday, holiday, calendar["eve"], calendar["morrow"], calendar["bridge"], days.day_of_year, days.day]
    columns += [off, *_edges(off)]
    return Context(
        weekday=weekday,
        day_type=np.where(holiday, 6, weekday),
        clock_shift=calendar["clock_shift"].to_numpy(),
        year_phase=2 * np.pi * days.day_of_year.to_numpy() / 365.25,
        calendar=np.column_stack([np.asarray(column, dtype=float) for column in columns]),
        covariates=covariates,
        parts=parts,
        by_day=np.hstack(known),
    )


def _edges(off: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Days since the last school holiday and until the next one, ``NEAR`` at most: the last days of a term are unlike the others."""

    def since(flags: np.ndarray) -> np.ndarray:
        result, gap = np.full(len(flags), float(NEAR)), float(NEAR)
        for d, flag in enumerate(flags):
            gap = 0.0 if flag else min(NEAR, gap + 1)
            result[d] = gap
        return result

    return since(off), since(off[::-1])[::-1]
