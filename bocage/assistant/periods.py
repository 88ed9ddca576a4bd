"""The part of the year that a question speaks of: « en juillet », « cet été », « pendant les vacances de Noël ».

A season that the service itself names goes first (« horaires d’été »): it knows when its summer starts. Else months and seasons of the
calendar, and the school holidays of the ministry.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, timedelta

import pandas as pd

from bocage.assistant.clock_times import without_durations
from bocage.assistant.hours_notation import MONTHS
from bocage.assistant.named_days import named_days
from bocage.assistant.opening_hours import Schedule, Season, fold
from bocage.methods.calendars import SchoolZone, school_holidays, school_zone_of_department

MAX_PERIODS = 3
"""Periods that are answered of those that a question names."""


@dataclass(frozen=True, slots=True)
class Period:
    """First and last day, both included; ``name`` when the dates alone do not say what it is."""

    start: date
    end: date
    name: str = ""


@dataclass(frozen=True, slots=True)
class _School:
    """A school holiday: how people call it, how it is said, the days between which it is looked for."""

    words: tuple[str, ...]
    name: str
    earliest: tuple[int, int]
    days: int


_SCHOOL = (
    _School(("toussaint", "automne", "octobre"), "Vacances de la Toussaint", (10, 10), 40),
    _School(("noel", "fin d'annee", "decembre"), "Vacances de Noël", (12, 10), 40),
    _School(("hiver", "fevrier", "ski"), "Vacances d’hiver", (2, 1), 50),
    _School(("printemps", "paques", "avril"), "Vacances de printemps", (4, 1), 36),
    _School(("ete", "juillet", "aout"), "Vacances d’été", (7, 1), 66),
)
_SCHOOL_WORDS = "|".join(word for school in _SCHOOL for word in school.words)
_HOLIDAYS = re.compile(rf"\b(?:vacances|conges)\b(?: scolaires)?(?: (?:de la |de l'|de |d'|du )?({_SCHOOL_WORDS})\b)?")
_HOLIDAYS_OF_MONTH = re.compile(rf"\b(?:vacances|conges)\b(?: scolaires)? (?:de |d')((?!(?:{_SCHOOL_WORDS})\b)(?:{'|'.join(MONTHS)}))\b")
# « été » without its accent is a past participle: « la demande a été reçue » names no season.
_SEASON = re.compile(
    r"\b(?:(?:cet|en|l'|d'|horaires?|saison|debut|fin|prochain) ?(ete)|(ete) (?:prochain|\d{4})"
    r"|(hiver)|(?:ce|au|le|du|de) (printemps)|(automne))\b"
)
_MONTH = re.compile(rf"\b({'|'.join(MONTHS)})\b(?: (\d{{4}})\b)?")
_CALENDAR = {
    "printemps": ((3, 20), (6, 20)),
    "ete": ((6, 21), (9, 21)),
    "automne": ((9, 22), (12, 20)),
    "hiver": ((12, 21), (3, 19)),
}
_SOUTHERN = frozenset({"FR-974", "FR-976", "FR-986", "FR-987", "FR-988"})
"""La Réunion, Mayotte, Wallis-et-Futuna, la Polynésie, la Nouvelle-Calédonie: « cet été » begins in December."""
_OPPOSITE = {"printemps": "automne", "automne": "printemps", "ete": "hiver", "hiver": "ete"}
_TO = re.compile(r" ?(?:a|au|-|jusqu'a|jusqu'en) ?")
_DEPARTMENT_OF_LAW = {"6AE": "67"}


def names_period(text: str) -> bool:
    """Whether ``text`` (folded, without the days that it names) speaks of a month, a season or holidays."""
    return any(pattern.search(text) for pattern in (_HOLIDAYS, _SEASON, _MONTH))


def read_periods(text: str, today: date, schedule: Schedule) -> tuple[Period, ...]:
    """The periods that ``text`` (folded) names, the next ones to come, ``MAX_PERIODS`` at most; none when it is not understood."""
    rest = named_days(without_durations(text), today, schedule).rest
    found: list[Period] = []
    for holiday in _HOLIDAYS_OF_MONTH.finditer(rest):
        # « les vacances de janvier » are those that the service names, in that month; without any, the month.
        month = _months(holiday[1], today)
        own = [period for period in _own(schedule, (), "vacances", today) if month and _meet(period, month[0])]
        found += own or month
    rest = _HOLIDAYS_OF_MONTH.sub(" ", rest)
    for holiday in _HOLIDAYS.finditer(rest):
        found += _school_periods(holiday[1], today, schedule)
    rest = _HOLIDAYS.sub(" ", rest)
    for season in _SEASON.finditer(rest):
        word = next(filter(None, season.groups()))
        found += _own(schedule, (word,), "", today) or [_next(*_calendar(word, schedule.territory), today)]
    found += _months(_SEASON.sub(" ", rest), today)
    to_come = (replace(period, start=max(period.start, today)) for period in found)
    return tuple(dict.fromkeys(period for period in to_come if period.start <= period.end))[:MAX_PERIODS]


def _calendar(season: str, territory: str) -> tuple[tuple[int, int], tuple[int, int]]:
    return _CALENDAR[_OPPOSITE[season] if territory in _SOUTHERN else season]


def _meet(one: Period, other: Period) -> bool:
    return one.start <= other.end and other.start <= one.end


def _own(schedule: Schedule, words: tuple[str, ...], needed: str, today: date) -> list[Period]:
    """The seasons that the service names so, those that are not over."""
    wanted = re.compile(rf"\b(?:{'|'.join(words)})\b" if words else "")
    names = [(season, fold(season.name)) for season in schedule.seasons]
    periods = [_of_season(season, today) for season, name in names if wanted.search(name) and needed in name]
    return [period for period in periods if period.end >= today]


def _of_season(season: Season, today: date) -> Period:
    if isinstance(season.start, date) and isinstance(season.end, date):
        return Period(season.start, season.end)
    assert isinstance(season.start, tuple) and isinstance(season.end, tuple)
    return _next(season.start, season.end, today)


def _next(start: tuple[int, int], end: tuple[int, int], today: date) -> Period:
    """The period of every year that is in course or comes next."""
    periods = (Period(_day(year, start), _day(year + (end < start), end)) for year in range(today.year - 1, today.year + 3))
    return next(period for period in periods if period.end >= today)


def _day(year: int, month_day: tuple[int, int]) -> date:
    """29 February is 28 February in the years that lack it."""
    month, day = month_day
    try:
        return date(year, month, day)
    except ValueError:
        return date(year, month, day - 1)


def _months(text: str, today: date) -> list[Period]:
    """« en juillet », « juillet et août », « de juin à septembre »: months that follow one another are one period."""
    found = list(_MONTH.finditer(text))[: 2 * MAX_PERIODS]
    periods: list[Period] = []
    for number, match in enumerate(found):
        gap = text[found[number - 1].end() : match.start()] if number else ""
        period = _month(match, today)
        if period is None:
            return []
        if periods and (_TO.fullmatch(gap) or period.start == periods[-1].end + timedelta(days=1)):
            later = _month(match, periods[-1].start) or period
            periods[-1] = Period(periods[-1].start, later.end)
        else:
            periods.append(period)
    return periods


def _month(found: re.Match[str], today: date) -> Period | None:
    month = MONTHS.index(found[1]) + 1
    year = int(found[2]) if found[2] else today.year + (month < today.month)
    if not today.year <= year <= today.year + 2:
        return None
    return Period(date(year, month, 1), date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1))


def _school_periods(word: str | None, today: date, schedule: Schedule) -> list[Period]:
    """The seasons of the service that are such holidays; else those of the calendar, over the zones that the commune may be in."""
    school = next((school for school in _SCHOOL if word in school.words), None)
    if own := _own(schedule, school.words if school else (), "vacances", today):
        return own
    if school is None or not schedule.territory.startswith("FR"):
        return []
    zones = _zones(schedule.territory)
    for year in (today.year - 1, today.year, today.year + 1):
        found = [_school_days(school, year, zone) for zone in zones]
        known = [period for period in found if period is not None]
        if known and len(known) == len(found) and max(period.end for period in known) >= today:
            name = school.name if len(set(known)) == 1 else f"{school.name}, selon la zone"
            return [Period(min(period.start for period in known), max(period.end for period in known), name)]
    return []


def _zones(territory: str) -> tuple[SchoolZone, ...]:
    """The school zones where such a territory may be; none overseas, whose rectors set their own calendars."""
    if territory == "FR":
        return ("A", "B", "C")
    code = territory.removeprefix("FR-")
    zone = school_zone_of_department(_DEPARTMENT_OF_LAW.get(code, code))
    return (zone,) if zone else ()


def _school_days(school: _School, year: int, zone: SchoolZone) -> Period | None:
    """The first days off in the window of that holiday; None where the calendar is not published."""
    days = pd.date_range(date(year, *school.earliest), periods=school.days)
    off = school_holidays(days, zone)
    if off.isna().any() or not off.any():
        return None
    first = int(off.to_numpy(dtype=bool).argmax())
    after = off.to_numpy(dtype=bool)[first:]
    length = len(after) if after.all() else int(after.argmin())
    return Period(days[first].date(), days[first + length - 1].date(), "")
