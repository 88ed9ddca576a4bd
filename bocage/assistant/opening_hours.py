"""When a service is open, by computation: weeks, seasons, public holidays, dated exceptions, clock changes. Nothing here is guessed.

What rules a day, strongest first: a dated exception; the rule of a named public holiday; the rule of public holidays; the season; the week.
An opening lasts from the first instant at which the local clock shows its start to the first at which it shows its end: on the night when
clocks move, nothing opens twice. ``hours_notation`` reads the TOML, ``moments`` reads « samedi à 17 h » in a question.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bocage.methods.calendars import holiday_territory, public_holidays

HORIZON_DAYS = 400
"""How far ahead an opening is looked for: a yearly service still finds its next day."""

MonthDay = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Range:
    """Minutes after midnight: ``start`` from 0 to 1439, ``end`` after it and at most 24 h later (past midnight when over 1440)."""

    start: int
    end: int


Ranges = tuple[Range, ...]


@dataclass(frozen=True, slots=True)
class NthDay:
    """« 1er samedi », « dernier lundi » of the month: ``rank`` from 1 to 5, or -1; ``weekday`` 0 for Monday."""

    rank: int
    weekday: int
    ranges: Ranges

    def holds(self, day: date) -> bool:
        """Whether ``day`` is that one of its month."""
        if day.weekday() != self.weekday:
            return False
        return (day + timedelta(days=7)).month != day.month if self.rank == -1 else (day.day - 1) // 7 + 1 == self.rank


@dataclass(frozen=True, slots=True)
class Week:
    """Openings from Monday to Sunday, and the days of the month that go before them."""

    days: tuple[Ranges, Ranges, Ranges, Ranges, Ranges, Ranges, Ranges]
    nth: tuple[NthDay, ...] = ()

    def of(self, day: date) -> Ranges:
        """Openings of that day."""
        return next((rule.ranges for rule in self.nth if rule.holds(day)), self.days[day.weekday()])


@dataclass(frozen=True, slots=True)
class Season:
    """A part of the year with its own week: both ends included; every year when given as (month, day), over New Year if need be."""

    name: str
    start: date | MonthDay
    end: date | MonthDay
    week: Week

    def holds(self, day: date) -> bool:
        """Whether ``day`` is in the season."""
        if isinstance(self.start, date) and isinstance(self.end, date):
            return self.start <= day <= self.end
        start, end, at = _month_day(self.start), _month_day(self.end), (day.month, day.day)
        return start <= at <= end if start <= end else at >= start or at <= end


@dataclass(frozen=True, slots=True)
class DatedException:
    """Openings (none: closed) of some days, both ends included, whatever the rest says."""

    start: date
    end: date
    ranges: Ranges
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The opening hours of one service. ``holidays`` None: public holidays are days like others."""

    week: Week
    seasons: tuple[Season, ...] = ()
    exceptions: tuple[DatedException, ...] = ()
    holidays: Ranges | None = ()
    named_holidays: Mapping[str, Ranges | None] = field(default_factory=dict)
    """Name of a public holiday, as the calendar of the territory writes it → its openings, None for those of an ordinary day."""
    timezone: str = "Europe/Paris"
    territory: str = "FR"
    """For public and school holidays: ``FR``, ``FR-67`` (a department; Alsace also as ``FR-6AE``), ``FR-974``, ``FR-988``, ``BE``…"""


@dataclass(frozen=True, slots=True)
class DayHours:
    """Openings of one day and what set them: « jour férié : Noël », « travaux », « horaires d’été »; empty for the ordinary week."""

    ranges: Ranges
    reason: str = ""


def fold(text: str) -> str:
    """Lower case, without accents, apostrophes straight, blanks single: how names and questions are compared."""
    bare = "".join(c for c in unicodedata.normalize("NFD", text.casefold().replace("’", "'")) if not unicodedata.combining(c))
    return " ".join(bare.replace("œ", "oe").split())


def day_hours(schedule: Schedule, day: date) -> DayHours:
    """Openings that start on ``day``, by order of the rules."""
    for exception in schedule.exceptions:
        if exception.start <= day <= exception.end:
            return DayHours(exception.ranges, exception.reason)
    season = season_of(schedule, day)
    ranges, reason = week_of(schedule, day).of(day), season.name if season else ""
    name = holiday_name(schedule.territory, day)
    if not name:
        return DayHours(ranges, reason)
    rule = named_rule(schedule, name)
    return DayHours(ranges if rule is None else rule, f"jour férié : {name}")


def season_of(schedule: Schedule, day: date) -> Season | None:
    """The season that ``day`` is in; None in the ordinary part of the year."""
    return next((season for season in schedule.seasons if season.holds(day)), None)


def week_of(schedule: Schedule, day: date) -> Week:
    """The week that ``day`` follows when neither an exception nor a public holiday rules it."""
    season = season_of(schedule, day)
    return season.week if season else schedule.week


def named_rule(schedule: Schedule, name: str) -> Ranges | None:
    """Openings of the public holiday ``name``; None for those of an ordinary day."""
    return schedule.named_holidays.get(name, schedule.holidays)


def holiday_name(territory: str, day: date) -> str:
    """Name of the public holiday, or nothing."""
    return public_holidays(holiday_territory(territory), [day.year]).get(day, "").split("; ")[0]


def is_open(schedule: Schedule, when: datetime) -> bool:
    """Whether the service is open at ``when`` (naive: on the service's own clock)."""
    at = localise(schedule, when).astimezone(UTC)
    return any(start <= at < end for start, end in _openings(schedule, at, days=1))


def next_opening(schedule: Schedule, when: datetime) -> datetime | None:
    """The first instant after ``when`` at which the service opens, having been closed just before; None within ``HORIZON_DAYS``."""
    at = localise(schedule, when).astimezone(UTC)
    found = next((start for start, _ in _openings(schedule, at) if start > at), None)
    return found.astimezone(ZoneInfo(schedule.timezone)) if found else None


def next_closing(schedule: Schedule, when: datetime) -> datetime | None:
    """When the opening in course ends, or else the next one; None within ``HORIZON_DAYS``."""
    at = localise(schedule, when).astimezone(UTC)
    found = next((end for _, end in _openings(schedule, at) if end > at), None)
    return found.astimezone(ZoneInfo(schedule.timezone)) if found else None


def localise(schedule: Schedule, when: datetime) -> datetime:
    """``when`` on the clock of the service."""
    zone = ZoneInfo(schedule.timezone)
    return when.replace(tzinfo=zone) if when.tzinfo is None else when.astimezone(zone)


def day_openings(schedule: Schedule, day: date) -> list[tuple[datetime, datetime]]:
    """Openings that start on ``day``, as local instants, those that touch made one."""
    zone = ZoneInfo(schedule.timezone)
    return [(start.astimezone(zone), end.astimezone(zone)) for start, end in _merged(_instants(schedule, day))]


def openings_between(schedule: Schedule, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """Openings from ``start`` to ``end``, cut to them, as local instants: one of the day before may last past midnight."""
    zone = ZoneInfo(schedule.timezone)
    first, last = localise(schedule, start), localise(schedule, end)
    days = (last.date() - first.date()).days
    spans = _merged(span for offset in range(-2, days + 1) for span in _instants(schedule, first.date() + timedelta(days=offset)))
    # In UTC: Python holds two instants of one zone to be as their clocks show, also in the hour that comes twice.
    early, late = first.astimezone(UTC), last.astimezone(UTC)
    return [
        (max(opens, early).astimezone(zone), min(closes, late).astimezone(zone))
        for opens, closes in spans
        if opens < late and closes > early
    ]


def _openings(schedule: Schedule, at: datetime, days: int = HORIZON_DAYS) -> Iterator[tuple[datetime, datetime]]:
    """Openings in UTC around ``at`` and after, in order; those that touch or overlap (over midnight too) are one."""
    today = at.astimezone(ZoneInfo(schedule.timezone)).date()
    ahead = (span for offset in range(-2, days + 1) for span in _instants(schedule, today + timedelta(days=offset)))
    yield from _merged(ahead)


def _merged(spans: Iterator[tuple[datetime, datetime]]) -> Iterator[tuple[datetime, datetime]]:
    held: tuple[datetime, datetime] | None = None
    for start, end in spans:
        if held is not None and start <= held[1]:
            held = (held[0], max(held[1], end))
            continue
        if held is not None:
            yield held
        held = (start, end)
    if held is not None:
        yield held


def _instants(schedule: Schedule, day: date) -> Iterator[tuple[datetime, datetime]]:
    zone = ZoneInfo(schedule.timezone)
    for span in sorted(day_hours(schedule, day).ranges, key=lambda r: (r.start, r.end)):
        start, end = (_first_instant(day, minutes, zone) for minutes in (span.start, span.end))
        if start < end:
            yield start, end


def _first_instant(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """The first instant, in UTC, at which the clock of ``zone`` shows that time of that day or later."""
    wall = datetime.combine(day, time()) + timedelta(minutes=minutes)
    early, late = sorted(wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if early == late or early.astimezone(zone).replace(tzinfo=None) == wall:
        return early
    # The clock jumps over this time: the first instant is the jump itself, less than a few hours away.
    at = early
    while at < late and at.astimezone(zone).replace(tzinfo=None) < wall:
        at += timedelta(minutes=1)
    return at


def _month_day(value: date | MonthDay) -> MonthDay:
    return (value.month, value.day) if isinstance(value, date) else value
