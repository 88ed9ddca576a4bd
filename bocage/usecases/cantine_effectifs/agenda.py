"""The school calendar around each day, and the days that will be served. Only calendars and the past are read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import cast

import numpy as np
import pandas as pd

from bocage.methods.calendars import SchoolZone, public_holidays, school_holidays
from bocage.usecases.cantine_effectifs.rows import CantineEffectifsParams

SUMMER = (7, 8)
FAR = 400
LONG_GAP = 9
"""Days from one meal to the next beyond which the gap may be a school holiday."""

RECENT = 250
"""Last served days that tell the zone."""

ZONES: tuple[SchoolZone, ...] = ("A", "B", "C")

MAINLAND = ("FR", "FR-57", "FR-6AE")
"""Territories that the calendar of the zones may hold for; overseas each rector sets another."""

SAME_WEEK = 364
"""Days from a day to the same weekday of the same week, a year later."""


@dataclass(frozen=True)
class Agenda:
    """Per day: ``since`` and ``until`` the nearest school holidays, ``since_summer`` and ``until_summer`` (days, ``FAR`` when not known),
    ``flags`` (days, p) of 0 to 1 named by ``FLAGS``."""

    since: np.ndarray
    until: np.ndarray
    since_summer: np.ndarray
    until_summer: np.ndarray
    flags: np.ndarray


FLAGS = (
    *("back_1", "back_2", "back_3", "back_4", "back_5", "first_days", "first_of_year", "first_weeks", "last_week", "last_friday"),
    *("last_thursday", "christmas_meal", "christmas_week", "july", "july_near", "last_of_year", "eve", "morrow", "bridge", "long_after"),
    *("long_before", "eid", "eid_morrow", "eid_eve", "ramadan"),
)


def school_zone(known: pd.DatetimeIndex, choice: str, territory: str = "FR") -> SchoolZone | None:
    """The zone asked for; for « auto », the one in whose holidays the fewest meals were lately served; None for « aucune », outside
    mainland France, and when all three disagree with the days served (zones moved in 2015, hence « lately »)."""
    if choice in ZONES:
        return cast(SchoolZone, choice)
    if choice == "aucune" or territory not in MAINLAND:
        return None
    shares: list[tuple[float, SchoolZone]] = []
    for zone in ZONES:
        closed = school_holidays(known[-RECENT:], zone).dropna()
        if len(closed) >= 20:
            shares.append((float(closed.astype(float).mean()), zone))
    return min(shares)[1] if shares and min(shares)[0] <= 0.08 else None


@lru_cache(maxsize=8)
def _eids(first: int, last: int) -> tuple[tuple[pd.Timestamp, ...], tuple[pd.Timestamp, ...]]:
    """First days of both Eids, and of Eid al-Fitr alone, as estimated by ``holidays`` (moon calendar)."""
    import holidays

    found = holidays.country_holidays("TR", years=range(first, last + 1), language="en_US").items()
    days = [sorted(pd.Timestamp(day) for day, name in found if word in name) for word in ("Eid", "Fitr")]
    one = pd.Timedelta(days=1)
    both, fitr = (tuple(day for day in some if day - one not in some) for some in days)
    return both, fitr


def read_agenda(days: pd.DatetimeIndex, past: int, zone: SchoolZone | None, territory: str) -> Agenda:
    """The facts of ``days`` (in the order of time, the first ``past`` served). Raises ``ValueError`` for an unknown territory."""
    span = pd.date_range(days[0] - pd.Timedelta(days=FAR), days[-1] + pd.Timedelta(days=FAR))
    school = school_breaks(span, days[:past], zone, territory)
    names = public_holidays(territory, range(span[0].year, span[-1].year + 1))
    holiday = np.array([day.date() in names for day in span])
    at = span.get_indexer(days)
    summer = school & np.isin(span.month, SUMMER)
    # A summer is one break: the days of late June or early September that belong to it are joined to it.
    for _ in range(10):
        summer |= school & (np.roll(summer, 1) | np.roll(summer, -1))
    since, until = _since(school)[at], _since(school[::-1])[::-1][at]
    since_summer, until_summer = _since(summer)[at], _since(summer[::-1])[::-1][at]
    flags = _flags(days, span, at, school, holiday, (since, until, since_summer, until_summer))
    return Agenda(since, until, since_summer, until_summer, flags)


def school_breaks(span: pd.DatetimeIndex, known: pd.DatetimeIndex, zone: SchoolZone | None, territory: str) -> np.ndarray:
    """(span) school holidays: the long gaps between served days in the past, the calendar of the zone before and after. Without a zone,
    the days that come are on holiday when the same week was, the year before.

    A gap counts when a zone of the country was then on holiday: a month whose figures were lost is no holiday. Where no calendar is
    known, every long gap counts.
    """
    past = (span >= known[0]) & (span <= known[-1])
    told = school_holidays(span[~past], zone).fillna(False).to_numpy(dtype=bool)
    breaks = np.zeros(len(span), dtype=bool)
    breaks[~past] = told
    for left, right in pairwise(known):
        if (right - left).days > LONG_GAP:
            inside = span[(span > left) & (span < right)]
            anywhere = [school_holidays(inside, other) for other in ZONES if territory in MAINLAND]
            unknown = not anywhere or not anywhere[0].notna().any()
            if unknown or max(days.fillna(False).astype(float).mean() for days in anywhere) > 0.5:
                breaks |= (span > left) & (span < right)
    if zone is None:
        for i in np.flatnonzero(span > known[-1]):
            # A day more than a year ahead follows one that this loop has already filled.
            breaks[i] = i >= SAME_WEEK and breaks[i - SAME_WEEK]
    return breaks


def _since(mask: np.ndarray) -> np.ndarray:
    """Days since the last true day, ``FAR`` before the first."""
    place = np.where(mask, np.arange(len(mask)), -FAR * 10)
    gaps: np.ndarray = np.minimum(np.arange(len(mask)) - np.maximum.accumulate(place), FAR)
    return gaps


def _flags(
    days: pd.DatetimeIndex,
    span: pd.DatetimeIndex,
    at: np.ndarray,
    school: np.ndarray,
    holiday: np.ndarray,
    gaps: tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray],
) -> np.ndarray:
    since, until, since_summer, until_summer = gaps
    weekday = days.day_of_week.to_numpy()
    december = np.asarray(days.month == 12)
    off = school | holiday | np.asarray(span.day_of_week >= 5)
    after, before = _run_after(off)[at], _run_after(off[::-1])[::-1][at]
    short_after, short_before = (after >= 3) & (after < 9), (before >= 3) & (before < 9)
    # Only days off that touch a day count: a holiday on a Sunday moves nobody, a Monday is no eve of Wednesday.
    bridge = (after >= 1) & (before >= 1) & (after + before <= 4)
    eids, fitr = _eids(int(days[0].year) - 1, int(days[-1].year) + 1)
    one = pd.Timedelta(days=1)
    columns = [
        *(since == k for k in range(1, 6)),
        np.exp(1.0 - since),
        np.exp((1.0 - since_summer) / 1.5),
        np.exp((1.0 - since_summer) / 10),
        until <= 7,
        (until <= 3) & (weekday == 4),
        (until <= 4) & (weekday == 3),
        (until <= 3) & (weekday == 3) & december,
        (until <= 7) & december,
        until_summer <= 12,
        np.exp(-until_summer / 5),
        until_summer <= 2,
        (after == 1) & ~bridge,
        (before == 1) & ~bridge,
        bridge,
        short_after,
        short_before,
        days.isin(eids),
        days.isin([day + one for day in eids]),
        days.isin([day - one for day in eids]),
        np.array([any(0 < (feast - day).days <= 30 for feast in fitr) for day in days]),
    ]
    return np.column_stack([np.asarray(column, dtype=float) for column in columns])


def _run_after(off: np.ndarray) -> np.ndarray:
    """How many days off follow each day."""
    runs = np.zeros(len(off), dtype=int)
    for i in range(len(off) - 2, -1, -1):
        runs[i] = runs[i + 1] + 1 if off[i + 1] else 0
    return runs


def forbidden(days: pd.DatetimeIndex, params: CantineEffectifsParams) -> np.ndarray:
    """(days) public holidays, and Wednesdays when the person says that none is served."""
    names = public_holidays(params.territoire, sorted(set(days.year)))
    holiday = np.array([day.date() in names for day in days], dtype=bool)
    found: np.ndarray = holiday | (np.asarray(days.day_of_week == 2) & (params.mercredi == "non"))
    return found


def _usual_days(days: pd.DatetimeIndex, known: pd.DatetimeIndex, params: CantineEffectifsParams) -> np.ndarray:
    """(days) those of the weekdays lately served, Wednesday as the person says, that are not public holidays."""
    counts = np.bincount(known[known > known[-1] - pd.Timedelta(days=70)].day_of_week, minlength=7)
    served = counts >= 0.3 * max(1, counts.max())
    if params.mercredi != "auto":
        served[2] = params.mercredi == "oui"
    usual: np.ndarray = served[days.day_of_week] & ~forbidden(days, params)
    return usual


def open_days(days: pd.DatetimeIndex, known: pd.DatetimeIndex, params: CantineEffectifsParams) -> np.ndarray:
    """(days, all after ``known``) usual days of service out of school holidays."""
    span = pd.date_range(known[0], days[-1], freq="D").as_unit(known.unit)
    closed = school_breaks(span, known, school_zone(known, params.zone_scolaire, params.territoire), params.territoire)
    opened: np.ndarray = _usual_days(days, known, params) & ~closed[span.get_indexer(days)]
    return opened


def coming_days(
    known: pd.DatetimeIndex, menus: pd.DataFrame | None, params: CantineEffectifsParams
) -> tuple[pd.DatetimeIndex, pd.DatetimeIndex]:
    """The next days to order from the deadline on: those of the menus when they reach that far, else those that the calendar opens; and
    the days of the menus passed over on the way, public holidays or weekdays without service."""
    first = known[-1] + pd.Timedelta(days=params.delai_jours)
    if menus is not None and len(menus):
        published = pd.DatetimeIndex(sorted(set(pd.to_datetime(menus["date"])))).as_unit(known.unit)
        published = published[(published >= first) & (published <= first + pd.Timedelta(days=FAR))]
        usual = _usual_days(published, known, params)
        if usual.any():
            kept = published[usual][: params.jours_a_prevoir]
            return kept, published[~usual & (published <= kept[-1])]
    span = pd.date_range(first, periods=FAR, freq="D").as_unit(known.unit)
    opened = open_days(span, known, params)
    return (span[opened] if opened.any() else span)[: params.jours_a_prevoir], span[:0]
