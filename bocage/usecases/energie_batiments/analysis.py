"""One batch of meters, from readings to what is known of each: the unit of work that is spread over processes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from bocage.methods.calendars import SchoolZone
from bocage.methods.regression import median_known
from bocage.usecases.energie_batiments import daily, detect, economics, grids, savings
from bocage.usecases.energie_batiments.daily import Calendar

SHOWN_DAYS = 92
MIN_REFERENCE = 90
"""Known days before the watched window without which a meter is not judged."""

RECENT_DAYS = 30

BEFORE_ALARM = 9
"""Days before its first alarm in which the beginning of a drift is looked for."""

QUIET = 30
"""Days without alarm after which a new one is another event."""

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


@dataclass(frozen=True)
class Action:
    """An action on one meter, days included."""

    point: str
    first: pd.Timestamp
    last: pd.Timestamp
    label: str


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
    alarms: tuple[str, ...] = ()
    band_shares: dict[str, float] = field(default_factory=dict)
    factor: float | None = None
    missing: float = 0.0
    usual_drift: float | None = None
    usual_share: float | None = None
    yearly_kwh: float | None = None
    adjusted_kwh: float | None = None
    profile: dict[str, float] = field(default_factory=dict)
    balance: dict[str, float | None] = field(default_factory=dict)
    days: tuple[str, ...] = ()
    actual: tuple[float | None, ...] = ()
    expected: tuple[float | None, ...] = ()
    heat_map: tuple[pd.DatetimeIndex, np.ndarray] | None = None
    saved: list[tuple[str, float, float, float, float, int]] = field(default_factory=list)


def analyse(
    table: pd.DataFrame, weather: pd.DataFrame | None, choices: Choices, actions: tuple[Action, ...] = ()
) -> tuple[list[Found], list[str]]:
    """Everything about the meters of a long table (``readers.COLUMNS``), and French notes."""
    readings = grids.sort(table)
    found: list[Found] = []
    notes = list(readings.notes)
    for kind, curves in grids.curves(readings, choices.timezone).items():
        temperature, drawn = grids.temperature_grid(weather, curves.days, choices.timezone)
        if weather is not None and temperature is None:
            notes.append("La météo couvre moins de la moitié des jours : elle n’est pas prise en compte.")
        elif temperature is not None and drawn > 0.02:
            notes.append(f"La météo manque {round(100 * drawn)} jours sur 100 : la moyenne de la saison en tient lieu.")
        if kind == "sparse":
            found += [_sparse(curves, i) for i in range(len(curves.names))]
            continue
        found += _dense(kind, curves, temperature, choices, actions)
    return found, notes


def _sparse(curves: grids.Curves, i: int) -> Found:
    known = np.flatnonzero(np.isfinite(curves.energy[i]))
    last = curves.days[known[-1]].date().isoformat() if len(known) else ""
    recent = curves.energy[i][-economics.YEAR :]
    used = float(np.nansum(recent)) if len(curves.days) >= 330 else None
    return Found(curves.names[i], "sparse", last, "relevés trop espacés pour y voir une dérive", yearly_kwh=used)


def _dense(
    kind: grids.Resolution, curves: grids.Curves, temperature: np.ndarray | None, choices: Choices, actions: tuple[Action, ...]
) -> list[Found]:
    if choices.usual:
        return _usual(kind, curves, temperature)
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
        part = grids.Curves([curves.names[i] for i in chosen], curves.days, values[chosen], curves.energy[chosen])
        watch = detect.from_hours if kind == "hourly" else detect.from_days
        watched = watch(part.values, known, temperature, reference)
        for place, one in zip(chosen, _each(kind, part, watched, known, temperature, reference), strict=True):
            result[int(place)] = one
    wanted = {action.point for action in actions}
    for i, one in result.items():
        if one.point in wanted:
            one.saved = _saved(one.point, curves, i, known, temperature, actions)
    return [result[i] for i in sorted(result)]


def _usual(kind: grids.Resolution, curves: grids.Curves, temperature: np.ndarray | None) -> list[Found]:
    """The usual method alone: no model."""
    drift, share = last_year(standard_days(curves.values), temperature)
    result = []
    for i, name in enumerate(curves.names):
        one = Found(name, kind, _last(curves, np.isfinite(curves.energy[i])))
        one.usual_drift, one.usual_share = _number(drift[i]), _number(share[i])
        result.append(one)
    return result


def standard_days(values: np.ndarray) -> np.ndarray:
    """kWh of standard days (meters, days), from hours or days; NaN where over half of the hours are missing."""
    if values.ndim == 2:
        return values
    count = np.isfinite(values).sum(axis=2)
    result: np.ndarray = np.where(count >= 12, np.nansum(values, axis=2) * 24 / np.maximum(count, 1), np.nan)
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
    drifts = drift(watched, reference)
    used, adjusted = economics.yearly(part.energy, watched.expected)
    usual, usual_share = last_year(watched.actual, temperature)
    points = daily.change_points(temperature.mean(axis=1), watched.actual) if temperature is not None else None
    profile = economics.profile(part.values, known) if kind == "hourly" else None
    result = []
    for i, name in enumerate(part.names):
        one = Found(name, kind, _last(part, np.isfinite(watched.actual[i])))
        _fill(one, i, watched, drifts, reference)
        one.yearly_kwh, one.adjusted_kwh = _number(used[i]), _number(adjusted[i])
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


def _fill(one: Found, i: int, watched: detect.Watched, drifts: Drifts, reference: int) -> None:
    """State, alarms, and drift since its beginning."""
    alarms = {name: np.flatnonzero(days[i]) for name, days in watched.alarms.items()}
    start = int(drifts.start[i])
    recent = watched.actual.shape[1] - 14
    lasting = [name for name, at in alarms.items() if len(at) and (at[-1] >= recent or (name in detect.LEVELS and at[-1] >= start - 3))]
    one.alarms = tuple(sorted(lasting))
    one.drift, one.share = _number(drifts.kwh[i]), _number(drifts.share[i])
    bounds = (_number(drifts.low[i]), _number(drifts.high[i]))
    one.drift_bounds = (bounds[0], bounds[1]) if bounds[0] is not None and bounds[1] is not None else None
    first = min((int(alarms[name][0]) for name in lasting if name not in detect.LEVELS), default=start)
    one.since = str((drifts.days[first]).date().isoformat()) if 0 <= first < len(drifts.days) else None
    one.band_shares = {key: value for key, values in drifts.bands.items() if (value := _number(values[i])) is not None}
    factors = watched.factor[i][np.isfinite(watched.factor[i])]
    one.factor = _number(factors[-1]) if len(factors) else None
    one.missing = round(float(np.isnan(watched.actual[i, -14:]).mean()), 4)


@dataclass(frozen=True)
class Drifts:
    """Per meter: day index where the drift begins, kWh per day since, its 90 % bounds, share of the expected; shares by band."""

    start: np.ndarray
    kwh: np.ndarray
    low: np.ndarray
    high: np.ndarray
    share: np.ndarray
    bands: dict[str, np.ndarray]
    days: pd.DatetimeIndex


def drift(watched: detect.Watched, reference: int) -> Drifts:
    """The change of level that best divides the watched days in two (largest mean over its error), and how much it is since.

    The level just before it is taken off: what the year before had not, but the weeks before already had, is no news.
    """
    gap = watched.actual - watched.expected
    past, later = gap[:, :reference], gap[:, reference:]
    seen = np.isfinite(later)
    memory = savings.correlation_time(past[:, -economics.YEAR :])
    low, high = (median_known(past, share)[:, None] for share in (0.01, 0.99))
    noise = np.sqrt(np.nanmean(np.clip(past, low, high) ** 2, axis=1))
    total = np.cumsum(np.where(seen, later, 0.0)[:, ::-1], axis=1)[:, ::-1]
    count = np.cumsum(seen[:, ::-1], axis=1)[:, ::-1]
    before, days_before = total[:, :1] - total, count[:, :1] - count
    level = before / (days_before + 14)  # fourteen days of « no change » steady the first days
    mean = np.divide(total, count, out=np.zeros_like(total), where=count > 0) - level
    strength = np.where(count > 0, np.abs(mean) * np.sqrt(count), -1.0)
    first = _first_alarm(watched)[:, None] - reference
    day = np.arange(later.shape[1])
    # An alarm dates the change to some days; only where it comes from no level is the whole period searched.
    strength = np.where((first >= 0) & ((day > first) | (day < first - BEFORE_ALARM)), -1.0, strength)
    at = strength.argmax(axis=1)
    pick = at[:, None]
    n = np.maximum(np.take_along_axis(count, pick, 1)[:, 0], 1)
    size = np.take_along_axis(mean, pick, 1)[:, 0]
    reach = 1.645 * noise * np.sqrt(np.minimum(memory, n) / n)
    expected = np.array([np.nanmean(np.where(seen[i, a:], watched.expected[i, reference + a :], np.nan)) for i, a in enumerate(at)])
    bands = {
        name: np.array([_share_since(a[i], e[i], reference + int(at[i])) for i in range(len(at))]) for name, (a, e) in watched.bands.items()
    }
    return Drifts(at + reference, size, size - reach, size + reach, size / np.maximum(expected, 1e-9), bands, watched.days)


def _first_alarm(watched: detect.Watched) -> np.ndarray:
    """Day of the first level alarm of the last run of alarms that reaches the last weeks; -1 without one."""
    days = np.any([watched.alarms[name] for name in detect.LEVELS if name in watched.alarms], axis=0)
    result = np.full(len(days), -1)
    for i in np.flatnonzero(days.any(axis=1)):
        at = np.flatnonzero(days[i])
        new = np.flatnonzero(np.diff(at, prepend=-1000) > QUIET)
        result[i] = at[new[-1]]
    return result


def _share_since(actual: np.ndarray, expected: np.ndarray, start: int) -> float:
    known = np.isfinite(actual[start:])
    foreseen = float(expected[start:][known].sum())
    return float(actual[start:][known].sum() / foreseen - 1) if foreseen > 0 else float("nan")


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


def _saved(
    point: str, curves: grids.Curves, i: int, known: Calendar, temperature: np.ndarray | None, actions: tuple[Action, ...]
) -> list[tuple[str, float, float, float, float, int]]:
    """(label, kWh saved, low, high, share, days) of each action on the meter that has a year before and four weeks after."""
    day = standard_days(curves.values[i : i + 1])
    result = []
    for action in actions:
        first, last = (int(curves.days.searchsorted(stamp)) for stamp in (action.first, action.last))
        if action.point != point or first < savings.LEAST_BASE or last + 1 >= len(curves.days):
            continue
        before, after = slice(max(0, first - savings.BASE_DAYS), first), slice(last + 1, min(len(curves.days), last + 1 + economics.YEAR))
        found = savings.savings(day, known, temperature, before, after)
        if np.isfinite(found.kwh[0]):
            numbers = (found.kwh[0], found.low[0], found.high[0], found.share[0])
            result.append((action.label, *(round(float(x), 4) for x in numbers), int(found.days[0])))
    return result


def _number(value: float, digits: int = 4) -> float | None:
    return round(float(value), digits) if np.isfinite(value) else None
