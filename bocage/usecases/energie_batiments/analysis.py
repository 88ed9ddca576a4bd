"""One batch of meters, from readings to what is known of each: the unit of work that is spread over processes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
import pandas as pd

from bocage.contract import french
from bocage.methods.calendars import SchoolZone
from bocage.usecases.energie_batiments import cleaning, daily, detect, drifts, economics, grids, hourly, sorting, unit_faults
from bocage.usecases.energie_batiments.actions import Action, Saved, judge, too_rare
from bocage.usecases.energie_batiments.daily import Calendar

SHOWN_DAYS = 92
MIN_REFERENCE = 90
"""Known days before the watched window without which a meter is not judged."""

RECENT_DAYS = 30

LATEST = 14
"""Days in which a fault of the meter is one of today, and of which the missing hours are told."""

MAPS = 3
"""Heat maps kept per batch, the largest drifts first."""


@dataclass(frozen=True)
class Choices:
    """What the workers need of the parameters; plain data that travels."""

    territory: str
    zones: tuple[SchoolZone, ...]
    watched: int
    timezone: str = "Europe/Paris"
    usual: bool = False


@dataclass
class Found:
    """What is known of one meter. Energies in kWh per standard day unless said; shares from 0 to 1; None where nothing can be said."""

    point: str
    resolution: str
    last_day: str
    state: str = "suivi"
    drift: float | None = None
    drift_bounds: tuple[float, float] | None = None
    share: float | None = None
    since: str | None = None
    turned: tuple[str, float] | None = None
    """First day from which a drift that lasts is another, and what it used before, kWh per day."""
    over: tuple[str, str, float] | None = None
    """First and last day of a drift that is over, and what it used, kWh."""
    alarms: tuple[str, ...] = ()
    fault_since: str | None = None
    band_shares: dict[str, float] = field(default_factory=dict)
    factor: float | None = None
    doubled: bool = False
    """The excess may as well be a unit that doubled."""
    missing: float = 0.0
    usual_drift: float | None = None
    usual_share: float | None = None
    yearly_kwh: float | None = None
    adjusted_kwh: float | None = None
    completed: float | None = None
    profile: dict[str, float] = field(default_factory=dict)
    balance: dict[str, float | None] = field(default_factory=dict)
    days: tuple[str, ...] = ()
    actual: tuple[float | None, ...] = ()
    expected: tuple[float | None, ...] = ()
    heat_map: tuple[pd.DatetimeIndex, np.ndarray] | None = None
    saved: list[Saved] = field(default_factory=list)


def analyse(
    table: pd.DataFrame, weather: pd.DataFrame | None, choices: Choices, actions: tuple[Action, ...] = ()
) -> tuple[list[Found], list[str]]:
    """Everything about the meters of a long table (``lines.COLUMNS``), and French notes."""
    readings = sorting.sort(table, choices.timezone)
    found = [Found(name, "sparse", last, f"aucun relevé depuis le {_written(last)}") for name, last in readings.silent.items()]
    notes = list(readings.notes)
    for kind, curves in grids.curves(readings, choices.timezone).items():
        temperature, drawn = grids.temperature_grid(weather, curves.days, choices.timezone)
        if weather is not None and temperature is None:
            notes.append("La météo couvre moins de la moitié des jours : elle n’est pas prise en compte.")
        elif temperature is not None and drawn > 0.02:
            notes.append(f"La météo manque {round(100 * drawn)} jours sur 100 : la moyenne de la saison en tient lieu.")
        if kind == "sparse":
            found += _sparse(curves)
            notes += too_rare(action for action in actions if action.point in curves.names)
            continue
        sound, said = cleaning.cleaned(curves)
        more, unjudged = _dense(kind, sound, temperature, choices, actions)
        found += more
        notes += said + unjudged
    return found, notes


def _written(day: str) -> str:
    return french.day(date.fromisoformat(day), weekday=False, year=True)


def _sparse(curves: grids.Curves) -> list[Found]:
    used, _, completed = economics.yearly(curves.energy, curves.covered)
    result = []
    for i, name in enumerate(curves.names):
        one = Found(name, "sparse", _last(curves, curves.covered[i] > 0), "relevés trop espacés pour y voir une dérive")
        one.yearly_kwh, one.completed = _number(used[i]), _number(completed[i])
        result.append(one)
    return result


def _dense(
    kind: grids.Resolution, curves: grids.Curves, temperature: np.ndarray | None, choices: Choices, actions: tuple[Action, ...]
) -> tuple[list[Found], list[str]]:
    """What is known of each meter, and French notes on actions that cannot be judged."""
    if choices.usual:
        return _usual(kind, curves, temperature), []
    known = daily.calendar(curves.days, choices.territory, choices.zones, choices.timezone)
    days = len(curves.days)
    reference = days - choices.watched
    values = curves.values
    covered = np.isfinite(values).any(axis=2) if values.ndim == 3 else np.isfinite(values)
    judged = covered[:, : max(reference, 0)].sum(axis=1) >= MIN_REFERENCE
    result: dict[int, Found] = {
        i: Found(curves.names[i], kind, _last(curves, covered[i]), "historique trop court") for i in np.flatnonzero(~judged)
    }
    if judged.any():
        chosen = np.flatnonzero(judged)
        part = curves.of(chosen)
        watch = detect.from_hours if kind == "hourly" else detect.from_days
        watched = watch(part.values, known, temperature, reference)
        for place, one in zip(chosen, _each(kind, part, watched, known, temperature, reference), strict=True):
            result[int(place)] = one
    notes: list[str] = []
    for i, one in result.items():
        own = [action for action in actions if action.point == one.point]
        if own:
            one.saved, said = judge(own, hourly.standard_days(curves.values[i : i + 1]), known, temperature)
            notes += said
    return [result[i] for i in sorted(result)], notes


def _usual(kind: grids.Resolution, curves: grids.Curves, temperature: np.ndarray | None) -> list[Found]:
    """The usual method alone: no model."""
    drift, share = last_year(hourly.standard_days(curves.values), temperature)
    result = []
    for i, name in enumerate(curves.names):
        one = Found(name, kind, _last(curves, np.isfinite(curves.energy[i])))
        one.usual_drift, one.usual_share = _number(drift[i]), _number(share[i])
        result.append(one)
    return result


def _last(curves: grids.Curves, covered: np.ndarray) -> str:
    known = np.flatnonzero(covered)
    return str(curves.days[known[-1]].date().isoformat()) if len(known) else ""


def _each(
    kind: grids.Resolution,
    part: grids.Curves,
    watched: detect.Watched,
    known: Calendar,
    temperature: np.ndarray | None,
    reference: int,
) -> list[Found]:
    """A ``Found`` per judged meter."""
    moves = drifts.drift(watched, reference)
    sound = _without(part, watched.faulty)
    used, adjusted, completed = economics.yearly(sound.energy, sound.covered, watched.expected)
    usual, usual_share = last_year(watched.actual, temperature)
    points = daily.change_points(temperature.mean(axis=1), watched.actual) if temperature is not None else None
    profile = economics.profile(sound.values, known) if kind == "hourly" else None
    result = []
    for i, name in enumerate(part.names):
        one = Found(name, kind, _last(part, np.isfinite(watched.actual[i])))
        _fill(one, i, watched, moves)
        one.yearly_kwh, one.adjusted_kwh, one.completed = _number(used[i]), _number(adjusted[i]), _number(completed[i])
        one.usual_drift, one.usual_share = _number(usual[i]), _number(usual_share[i])
        if points is not None:
            one.balance = {
                key: _number(getattr(points, key)[i]) for key in ("base", "heating", "heating_point", "cooling", "cooling_point")
            }
        if profile is not None:
            one.profile = {key: value for key in profile.__dataclass_fields__ if (value := _number(getattr(profile, key)[i])) is not None}
        one.days = tuple(str(day.date().isoformat()) for day in part.days[-SHOWN_DAYS:])
        one.actual = tuple(_number(x, 2) for x in watched.actual[i, -SHOWN_DAYS:])
        one.expected = tuple(_number(x, 2) for x in watched.expected[i, -SHOWN_DAYS:])
        result.append(one)
    if kind == "hourly":
        # A map weighs nine thousand numbers: those of the batch's largest drifts only.
        for i in sorted(range(len(result)), key=lambda i: (-len(result[i].alarms), -(result[i].drift or 0.0), result[i].point))[:MAPS]:
            result[i].heat_map = _heat_map(part, i)
    return result


def _without(part: grids.Curves, faulty: np.ndarray) -> grids.Curves:
    """The curves without the days (meters, days) whose values no figure of the year may be drawn from, nor their neighbours."""
    if not faulty.any():
        return part
    faulty = unit_faults.around(faulty)
    days = faulty[:, :, None] if part.values.ndim == 3 else faulty
    energy, covered = np.where(faulty, np.nan, part.energy), np.where(faulty, 0.0, part.covered)
    return replace(part, values=np.where(days, np.nan, part.values), energy=energy, covered=covered)


def _fill(one: Found, i: int, watched: detect.Watched, moves: drifts.Drifts) -> None:
    """State, alarms, and drift since its beginning, or until its end."""
    alarms = {name: at for name, days in watched.alarms.items() if len(at := np.flatnonzero(days[i]))}
    start, end, latest = int(moves.start[i]), int(moves.end[i]), watched.actual.shape[1] - LATEST
    faults = [name for name, at in alarms.items() if name not in detect.LEVELS and at[-1] >= latest]
    levels = [name for name, at in alarms.items() if name in detect.LEVELS and at[-1] >= start - 3]
    one.alarms = tuple(sorted(faults + (levels if end < 0 else [])))
    one.drift, one.share = _number(moves.kwh[i]), _number(moves.share[i])
    bounds = (_number(moves.low[i]), _number(moves.high[i]))
    one.drift_bounds = (bounds[0], bounds[1]) if bounds[0] is not None and bounds[1] is not None else None
    one.since = _iso(moves.days[start])
    if moves.turn[i] >= 0:
        one.turned = (_iso(moves.days[int(moves.turn[i])]), float(moves.before[i]))
    if levels and end >= 0 and one.drift is not None:
        one.over = (one.since, _iso(moves.days[end - 1]), one.drift * (end - start))
    if faults:
        one.fault_since = _iso(moves.days[min(_began(alarms[name], watched.faulty[i]) for name in faults)])
    one.band_shares = {key: value for key, values in moves.bands.items() if (value := _number(values[i])) is not None}
    factors = watched.factor[i, latest:][np.isfinite(watched.factor[i, latest:])]
    one.factor = _number(factors[-1]) if len(factors) else None
    one.doubled = bool(watched.doubled[i, latest:].any()) and one.factor is None
    one.missing = round(float(watched.missing[i, latest:].mean()), 4)


def _began(alarm: np.ndarray, faulty: np.ndarray) -> int:
    """First day of the last run of alarms, or of the faulty days that lead to it: a fault takes a day or more to be proven."""
    first = int(alarm[np.flatnonzero(np.diff(alarm, prepend=-1000) > LATEST)[-1]])
    while first > 0 and faulty[first] and faulty[first - 1]:
        first -= 1
    return first


def _iso(day: pd.Timestamp) -> str:
    return str(day.date().isoformat())


def last_year(actual: np.ndarray, temperature: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """The usual method: the last 30 days against the same a year before, corrected in proportion of the degree days (base 18 °C).

    Excess in kWh per day and as a share of what was awaited; NaN without the year before. The correction is left out when there is no
    weather, or too few degree days (30) for a proportion to mean something.
    """
    if actual.shape[1] < 365 + RECENT_DAYS:
        nothing = np.full(len(actual), np.nan)
        return nothing, nothing
    now, then = slice(-RECENT_DAYS, None), slice(-RECENT_DAYS - 364, -364)
    with np.errstate(invalid="ignore"):
        recent, before = _mean(actual[:, now]), _mean(actual[:, then])
    ratio = 1.0
    if temperature is not None:
        degrees = np.maximum(daily.DJU_BASE - temperature.mean(axis=1), 0.0)
        if min(degrees[now].sum(), degrees[then].sum()) >= 30:
            ratio = float(degrees[now].sum() / degrees[then].sum())
    awaited = before * ratio
    return recent - awaited, (recent - awaited) / np.maximum(awaited, 1e-9)


def _mean(values: np.ndarray) -> np.ndarray:
    known = np.isfinite(values)
    count = known.sum(axis=1)
    result: np.ndarray = np.where(count > values.shape[1] / 2, np.where(known, values, 0.0).sum(axis=1) / np.maximum(count, 1), np.nan)
    return result


def _heat_map(part: grids.Curves, i: int) -> tuple[pd.DatetimeIndex, np.ndarray]:
    """Days and hours (days, 24) of the last year; plain arrays, written out only if they are shown."""
    return part.days[-economics.YEAR :], part.values[i, -economics.YEAR :].astype(np.float32)


def _number(value: float, digits: int = 4) -> float | None:
    return round(float(value), digits) if np.isfinite(value) else None
