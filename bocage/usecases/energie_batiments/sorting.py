"""Readings of many meters put in order: doubles averaged, impossible dates set aside, steps that tell the same hours told apart."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property

import numpy as np
import pandas as pd

from bocage.contract.french import count
from bocage.contract.french import day as french_day

FINE, MEDIUM = 1.01, 26.0
"""Hours: a step up to the first tells its hour, up to the second its day; a longer one is a few days or a bill."""

LAYERS = (FINE, MEDIUM, 80.0, 45 * 24.0, 100 * 24.0, np.inf)
"""Longest step (hours) of each layer. A layer serves the hours that the finer ones lack."""

_HOUR = 3_600_000_000
_DAY = 24 * _HOUR
_LONELY = 60 * _DAY
"""Silence on both sides of a few readings from which their date is doubted."""

_FAR = 400 * _DAY


@dataclass(frozen=True)
class Sorted:
    """Readings by meter and time: ``code`` of ``names``, ``start`` µs since 1970 UTC, ``hours``, ``kwh``; French ``notes``; ``silent``:
    last day of the meters that stopped long before the others, whose readings are left out."""

    names: list[str]
    code: np.ndarray
    start: np.ndarray
    hours: np.ndarray
    kwh: np.ndarray
    notes: list[str] = field(default_factory=list)
    silent: dict[str, str] = field(default_factory=dict)

    def only(self, rows: np.ndarray, notes: list[str]) -> Sorted:
        """The same with those of ``rows`` (a mask, or places), and ``notes`` added."""
        parts = {name: getattr(self, name)[rows] for name in ("code", "start", "hours", "kwh")}
        return replace(self, **parts, notes=[*self.notes, *notes])

    @cached_property
    def end(self) -> np.ndarray:
        """End of each step, µs since 1970 UTC."""
        return self.start + np.rint(self.hours * _HOUR).astype(np.int64)

    def layer(self) -> np.ndarray:
        """Place in ``LAYERS`` of each step."""
        return np.searchsorted(LAYERS, self.hours)


def sort(table: pd.DataFrame, zone: str) -> Sorted:
    """The readings of a long table (``lines.COLUMNS``), in order and without doubles. Set aside, with a note: negatives, steps that end
    before they begin, dates that cannot be, and coarse steps where a finer one of the same kind tells the same hours. Notes give
    days of ``zone``."""
    names, code = _codes(table["point"])
    start = table["debut"].dt.tz_convert("UTC").dt.tz_localize(None).astype("datetime64[us]").astype("int64").to_numpy()
    hours, kwh = table["heures"].to_numpy(dtype=float), table["kwh"].to_numpy(dtype=float)
    notes: list[str] = []
    sound = np.isfinite(hours) & (hours > 0) & np.isfinite(kwh)
    backwards = int((np.isfinite(kwh) & (hours <= 0)).sum())
    if backwards:
        notes.append(f"{count(backwards, 'relevé finit avant de commencer', 'relevés finissent avant de commencer')} : vérifiez « fin ».")
    negative = sound & (kwh < 0)
    if negative.any():
        notes.append(f"{count(int(negative.sum()), 'valeur négative a été écartée', 'valeurs négatives ont été écartées')}.")
    keep = np.flatnonzero(sound & ~negative)
    in_order = (np.diff(code[keep]) > 0) | ((np.diff(code[keep]) == 0) & (np.diff(start[keep]) > 0))
    order = keep if in_order.all() else keep[np.lexsort((kwh[keep], hours[keep], start[keep], code[keep]))]
    found = Sorted(names, code[order], start[order], hours[order], kwh[order], notes)
    if not in_order.all():
        found = _averaged(found)
    return _without_silent(_without_overlaps(_without_impossible_dates(found, zone)), zone)


def _averaged(found: Sorted) -> Sorted:
    """Readings of one meter, instant and length become their mean."""
    alike = np.abs(np.diff(found.hours)) <= 0.05 * found.hours[:-1]
    new = np.concatenate([[True], (np.diff(found.code) != 0) | (np.diff(found.start) != 0) | ~alike])[: len(found.code)]
    if new.all():
        return found
    at = np.flatnonzero(new)
    size = np.diff(np.append(at, len(new)))
    note = f"{count(int((~new).sum()), 'mesure était en double', 'mesures étaient en double')} : leur moyenne a été retenue."
    kwh, hours = np.add.reduceat(found.kwh, at) / size, np.add.reduceat(found.hours, at) / size
    return replace(found.only(at, [note]), kwh=kwh, hours=hours)


def _codes(points: pd.Series) -> tuple[list[str], np.ndarray]:
    """Sorted names and the place of each row's; fast where the column is a category already."""
    category = points.astype(str).astype("category") if not isinstance(points.dtype, pd.CategoricalDtype) else points
    category = category.cat.remove_unused_categories()
    names = [str(name) for name in category.cat.categories]
    order = sorted(range(len(names)), key=names.__getitem__)
    place = np.empty(len(names), dtype=np.int64)
    place[order] = np.arange(len(names))
    return [names[i] for i in order], place[category.cat.codes.to_numpy()]


def _without_impossible_dates(found: Sorted, zone: str) -> Sorted:
    """Without the few readings that a long silence parts from all others of their meter, nor meters that begin long after the others end:
    one date with a wrong year would stretch the calendar of all meters over decades."""
    if not len(found.code):
        return found
    silence = found.start[1:] - found.end[:-1]
    new = np.concatenate([[True], (np.diff(found.code) != 0) | (silence > _LONELY)])
    part = np.cumsum(new) - 1
    covered, readings = np.bincount(part, found.hours), np.bincount(part)
    owner = found.code[new]
    body = np.zeros(len(found.names))
    np.maximum.at(body, owner, covered)
    main = np.zeros(len(found.names), dtype=np.int64)
    np.maximum.at(main, owner, np.where(covered == body[owner], readings, 0))
    brief = (covered < 48) & (body[owner] >= 30 * 24)
    bills = (readings <= 3) & (covered <= body[owner] / 2) & (_silence_around(found, new) > 2 * 365 * _DAY)
    lonely = (brief | bills)[part]
    begins, ends = _extent(found.only(~lonely, []) if lonely.any() else found)
    sure = np.isfinite(ends)
    late = np.zeros(len(found.names), dtype=bool)
    if sure.sum() >= 3:
        late = begins > np.quantile(ends[sure], 0.75, method="lower") + _FAR
    wrong = lonely | late[found.code]
    if not wrong.any():
        return found
    example = np.flatnonzero(wrong)[0]
    written = french_day(_day(found.start[example], zone), weekday=False, year=True)
    said = count(int(wrong.sum()), "mesure a une date très éloignée", "mesures ont une date très éloignée")
    note = (
        f"{said} de toutes les autres (compteur {found.names[found.code[example]]}, le {written}) : "
        "mise de côté ; corrigez la date si elle est fausse."
    )
    return found.only(~wrong, [note if wrong.sum() == 1 else note.replace("mise de côté", "mises de côté")])


def _silence_around(found: Sorted, new: np.ndarray) -> np.ndarray:
    """µs between each part of a meter's readings and the nearest other part; 0 for a meter in one part."""
    at = np.flatnonzero(new)
    last = np.append(at[1:], len(new)) - 1
    owner = found.code[at]
    apart = found.start[at[1:]] - found.end[last[:-1]]
    same = np.diff(owner) == 0
    none = np.iinfo(np.int64).max
    before = np.concatenate([[none], np.where(same, apart, none)])
    after = np.concatenate([np.where(same, apart, none), [none]])
    nearest = np.minimum(before, after)
    result: np.ndarray = np.where(nearest == none, 0, nearest)
    return result


def _extent(found: Sorted) -> tuple[np.ndarray, np.ndarray]:
    """First start and last end (µs) of each meter; infinite without readings."""
    begins, ends = np.full(len(found.names), np.inf), np.full(len(found.names), -np.inf)
    if len(found.code):
        at = np.flatnonzero(np.diff(found.code, prepend=-1))
        begins[found.code[at]] = found.start[at]
        ends[found.code[at]] = np.maximum.reduceat(found.end, at)
    return begins, ends


def _without_silent(found: Sorted, zone: str) -> Sorted:
    """Meters that stopped over a year before the last one have nothing to be watched: only their last day is kept."""
    if not len(found.code):
        return found
    _, ends = _extent(found)
    stopped = np.isfinite(ends) & (ends < ends.max() - _FAR)
    if not stopped.any():
        return found
    silent = {found.names[i]: _day(int(ends[i]) - 1, zone).isoformat() for i in np.flatnonzero(stopped)}
    return replace(found.only(~stopped[found.code], []), silent=silent)


def _without_overlaps(found: Sorted) -> Sorted:
    """One step per hour within each layer, the finest; told for all layers."""
    if len(found.code) < 2:
        return found
    mixed = np.zeros(len(found.names), dtype=bool)
    mixed[found.code[1:][_overlapped(found)]] = True
    if not mixed.any():
        return found
    rows = np.flatnonzero(mixed[found.code])
    layer = found.layer()[rows]
    kept = np.ones(len(found.code), dtype=bool)
    for one in np.unique(layer):
        some = rows[layer == one]
        kept[some[~_finest(found.only(some, []))]] = False
    names = [name for name, several in zip(found.names, mixed, strict=True) if several]
    note = (
        f"{count(len(names), 'compteur donne', 'compteurs donnent')} les mêmes heures à plusieurs pas (dont {names[0]}) : "
        "le plus fin est retenu, les autres ne servent que là où il manque."
    )
    return found.only(kept, [note])


def _overlapped(found: Sorted) -> np.ndarray:
    """Rows but the first: whether a step of the same meter that began before ends well after this one begins (a tenth of the shorter)."""
    origin = int(found.start.min())
    width = int(found.end.max()) - origin + 1
    base = found.code.astype(float) * width
    reach = np.maximum.accumulate(base + (found.end - origin))[:-1]
    allowed = 0.1 * np.minimum(found.hours[1:], found.hours[:-1]) * _HOUR
    result: np.ndarray = reach - (base + (found.start - origin))[1:] > np.maximum(allowed, 1e6)
    return result


def _finest(found: Sorted) -> np.ndarray:
    """Steps kept among those of a layer: none overlaps a shorter one, nor the one kept before it."""
    kept = np.zeros(len(found.code), dtype=bool)
    size = np.rint(np.log(found.hours) / np.log(1.3)).astype(int)
    for one in np.unique(size):
        rows = np.flatnonzero(size == one)
        free = rows[~_touches(found, rows, np.flatnonzero(kept))]
        if len(free) > 1:
            late = np.concatenate([[False], _overlapped(found.only(free, []))])
            # In a run of steps that overlap, every other one is kept: those of one of the two sources.
            run = np.cumsum(~late)
            place = np.arange(len(free)) - np.flatnonzero(~late)[run - 1]
            free = free[place % 2 == 0]
        kept[free] = True
    return kept


def _touches(found: Sorted, rows: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Which of ``rows`` share over a tenth of a kept step with the ``kept`` ones, which do not overlap one another."""
    if not len(kept):
        return np.zeros(len(rows), dtype=bool)
    seconds = 1_000_000
    origin = int(found.start.min())
    width = (int(found.end.max()) - origin) // seconds + 1
    base = found.code * width
    start, end = (base + (x - origin) // seconds for x in (found.start, found.end))
    slack = 0.1 * found.hours * 3600
    place = np.searchsorted(start[kept], end[rows] - slack[rows]) - 1
    near = kept[np.maximum(place, 0)]
    result: np.ndarray = (place >= 0) & (found.code[near] == found.code[rows]) & (end[near] - slack[near] > start[rows])
    return result


def _day(micros: int, zone: str) -> date:
    return pd.Timestamp(int(micros), unit="us", tz="UTC").tz_convert(zone).date()
