"""What is known of each day, past and coming: calendar, events, weather, as the forecasting methods read them."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from difflib import get_close_matches

import numpy as np
import pandas as pd

from bocage.contract.errors import InvalidParams
from bocage.contract.french import count, day
from bocage.methods.calendars import SchoolZone, day_features
from bocage.methods.forecasting.kernels import Part, weather_parts
from bocage.methods.forecasting.panel import DayGrid, to_grid
from bocage.methods.forecasting.pipeline import Context

NEAR = 6
"""Days of working life within which the end or the beginning of school holidays is felt."""


@dataclass(frozen=True)
class Agenda:
    """Declared days of the grid and of the horizon: ``closed`` (days, places; bool), ``why`` (day, place) → title; ``events``
    (days, titles, places): 1 where the event concerns the place; ``notes``: what was declared and could not be followed."""

    closed: np.ndarray
    why: dict[tuple[int, int], str]
    events: np.ndarray
    notes: list[str]


def calendar_of(days: pd.DatetimeIndex, territory: str, timezone: str, zone: SchoolZone | None) -> pd.DataFrame:
    """``calendars.day_features`` of ``days``. Raises ``InvalidParams`` on an unknown territory."""
    try:
        return day_features(days[0].date(), days[-1].date(), territory, school_zone=zone, timezone=timezone)
    except ValueError:
        raise InvalidParams(f"Le territoire « {territory} » est inconnu : donnez FR, FR-57, FR-6AE, FR-971… ou un autre pays.") from None


def read_agenda(events: pd.DataFrame | None, days: pd.DatetimeIndex, names: tuple[str, ...], counted: tuple[str, ...]) -> Agenda:
    """Closures and events of ``days`` at the places ``names``; ``counted``: all the places of the counts, forecast or not.

    A title that marks fewer than two days of a place teaches nothing there and is left out there.
    """
    closed = np.zeros((len(days), len(names)), dtype=bool)
    why: dict[tuple[int, int], str] = {}
    marks: dict[str, np.ndarray] = {}
    notes: list[str] = []
    if events is not None and len(events):
        rows = {name: s for s, name in enumerate(names)}
        known = _places_of(events, counted, notes)
        _tell_reversed(events, notes)
        for line in events.sort_values(["debut", "type", "intitule"], kind="stable").itertuples():
            said = _text(line.lieu)
            where = [rows[known[said]]] if known.get(said) in rows else list(range(len(names))) * (not said)
            at = _span(line.debut, line.fin, days)
            if not len(at) or not where:
                continue
            if line.type == "fermeture":
                closed[np.ix_(at, where)] = True
                why.update({(int(d), s): _text(line.intitule) for d in at for s in where})
            else:
                marks.setdefault(_text(line.intitule).casefold() or "événement", np.zeros(closed.shape))[np.ix_(at, where)] = 1.0
    taught = {title: mark * (mark.sum(axis=0) >= 2) for title, mark in sorted(marks.items())}
    kept = [mark for mark in taught.values() if mark.any()]
    return Agenda(closed, why, np.stack(kept, axis=1) if kept else np.zeros((len(days), 0, len(names))), notes)


def _places_of(events: pd.DataFrame, counted: tuple[str, ...], notes: list[str]) -> dict[str, str]:
    """The counted place that each name of the events means: the same name, or the same but for accents, capitals and signs."""
    folded: dict[str, list[str]] = {}
    for name in counted:
        folded.setdefault(_folded(name), []).append(name)
    found: dict[str, str] = {}
    for said in sorted({_text(value) for value in events["lieu"]} - {""}):
        alike = [said] if said in counted else folded.get(_folded(said), [])
        if len(alike) == 1:
            found[said] = alike[0]
            if said != alike[0]:
                notes.append(f"« evenements » : le lieu « {said} » a été compris comme « {alike[0]} ».")
            continue
        lines = int(sum(_text(value) == said for value in events["lieu"]))
        near = get_close_matches(_folded(said), folded, n=1, cutoff=0.7)
        hint = f" Le plus proche est « {folded[near[0]][0]} »." if near else ""
        notes.append(
            f"« evenements » : le lieu « {said} » n’est pas dans les comptages, {count(lines, 'ligne n’a', 'lignes n’ont')} servi à rien."
            f"{hint} Écrivez le nom comme dans « frequentation », ou laissez la case vide si tous les lieux sont concernés."
        )
    return found


def _tell_reversed(events: pd.DataFrame, notes: list[str]) -> None:
    """Say which lines end before they begin: only their first day is sure."""
    for line in events.itertuples():
        start, end = _as_day(line.debut), _as_day(line.fin)
        if start and end and end < start:
            title = f"« {_text(line.intitule)} »" if _text(line.intitule) else "une ligne"
            notes.append(
                f"« evenements » : {title} finit le {day(end, False, True)}, avant de commencer le {day(start, False, True)} ; seul le "
                "premier jour est retenu. Corrigez « debut » ou « fin »."
            )


def _folded(name: str) -> str:
    """Letters and figures only, without accents or capitals."""
    plain = unicodedata.normalize("NFKD", name.replace("œ", "oe").replace("Œ", "oe")).casefold()
    return "".join(sign for sign in plain if sign.isalnum())


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
        by_day=weather,
        by_series=agenda.events,
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
