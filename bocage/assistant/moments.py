"""The moment that a question speaks of: « samedi à 17 h », « demain », « le 24 décembre », « le lundi de Pentecôte », « ce soir ».

Rules and no statistics: what is not understood gives None, and the answer then shows the whole week. Days of the week and dates without a
year are the next ones to come.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Literal

from bocage.assistant.hours_notation import WEEKDAYS
from bocage.assistant.opening_hours import fold
from bocage.methods.calendars import public_holidays


@dataclass(frozen=True, slots=True)
class Moment:
    """``instant``: at ``start``; ``span``: part of a day; ``days``: whole days, ``end`` excluded. Both aware, on the clock of ``now``."""

    kind: Literal["instant", "span", "days"]
    start: datetime
    end: datetime


_MONTHS = ("janvier", "fevrier", "mars", "avril", "mai", "juin", "juillet", "aout", "septembre", "octobre", "novembre", "decembre")
_SHORT = ("janv", "fevr", "mars", "avr", "mai", "juin", "juil", "aout", "sept", "oct", "nov", "dec")
_NUMBERS = {"un": 1, "une": 1, "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "six": 6, "sept": 7, "huit": 8, "dix": 10, "quinze": 15}

# Holidays and eves that people name: days after Easter Sunday, or (month, day).
_EASTER_DAYS = {
    "vendredi saint": -2,
    "dimanche de paques": 0,
    "lundi de paques": 1,
    "pont de l'ascension": 40,
    "ascension": 39,
    "dimanche de pentecote": 49,
    "lundi de pentecote": 50,
    "pentecote": 49,
    "paques": 0,
}
_FIXED_DAYS = {
    "veille de noel": (12, 24),
    "reveillon de noel": (12, 24),
    "lendemain de noel": (12, 26),
    "saint-etienne": (12, 26),
    "noel": (12, 25),
    "reveillon du nouvel an": (12, 31),
    "veille du jour de l'an": (12, 31),
    "saint-sylvestre": (12, 31),
    "jour de l'an": (1, 1),
    "nouvel an": (1, 1),
    "premier de l'an": (1, 1),
    "fete du travail": (5, 1),
    "premier mai": (5, 1),
    "fete de la victoire": (5, 8),
    "victoire 1945": (5, 8),
    "fete nationale": (7, 14),
    "assomption": (8, 15),
    "toussaint": (11, 1),
    "armistice": (11, 11),
}
_PARTS = {
    "matin": (6, 12),
    "matinee": (6, 12),
    "entre midi et deux": (12, 14),
    "apres-midi": (12, 18),
    "apres midi": (12, 18),
    "aprem": (12, 18),
    "soiree": (18, 23),
    "soir": (18, 23),
    "nuit": (22, 24),
}
_NOW = re.compile(r"\b(?:maintenant|en ce moment|actuellement|tout de suite|a cette heure(?:-ci)?|la maintenant|dans l'immediat)\b")
_TODAY = re.compile(
    r"\b(?:aujourd'? ?hui|aujourdhui|ajd|auj|ce jour|ce (?:matin|midi|soir)|cet(?:te)? (?:apres[- ]midi|aprem|soiree|matinee|nuit))\b"
)
_AFTER_TOMORROW = re.compile(r"\bapres[- ]?demain\b")
_TOMORROW = re.compile(r"\b(?:demain|2main|dmain|demin)\b")
_IN = re.compile(r"\bdans (\d{1,3}|[a-z]+) (minutes?|min|heures?|h|jours?|semaines?)\b")
_WEEKDAY = re.compile(rf"\b({'|'.join(WEEKDAYS)})s?(?: (prochain|en huit|qui vient|qui suit))?\b")
_WEEKEND = re.compile(r"\b(?:week[- ]?end|we)( prochain)?\b")
_WEEK = re.compile(r"\b(?:cette semaine|(semaine prochaine))\b")
_MONTH = rf"({'|'.join(_MONTHS)}|{'|'.join(_SHORT)})"
_DATE_WORDS = re.compile(rf"\b(\d{{1,2}}|1er|premier) ?{_MONTH}\b\.?(?: (\d{{4}}))?")
_DATE_DIGITS = re.compile(r"\b(\d{1,2})/(\d{1,2})(?:/(\d{4}|\d{2}))?\b(?!\s*h)")
_DATE_ISO = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
_DAY_ALONE = re.compile(r"\ble (\d{1,2}|1er)\b(?=\s*(?:$|[?!.,;]|a \d|de \d|au matin|matin|midi|soir|apres|vers))")
_CLOCK = r"(\d{1,2}) ?(?:h(?:eures?|rs?)?|:)(?: ?(\d{2})\b)?"
_TIME = re.compile(rf"\b{_CLOCK}(?! ?/ ?24)(?: (?:du|de l'|le) ?(matin|mat|apres[- ]midi|aprem|soir))?")
_SPAN = re.compile(rf"\bde {_CLOCK} ?(?:a|-|jusqu'a) ?{_CLOCK}")
_NOON = re.compile(r"\b(?:a |de |vers |le |ce )?midi\b(?! et deux)")
_MIDNIGHT = re.compile(r"\bminuit\b")


def read_moment(question: str, now: datetime) -> Moment | None:
    """The moment in ``question``, told on the clock of ``now`` (aware), or None when there is none that is understood."""
    if now.tzinfo is None:
        raise ValueError("now must be aware")
    text = fold(question[:2000]).replace("- ", "-")
    if delayed := _delay(text, now):
        return delayed
    days, text = _days(text, now.date())
    hours, precise = _hours(text)
    if _NOW.search(text) and hours is None:
        return Moment("instant", now, now)
    if days is not None and hours is None:
        return Moment("days", _at(days[0], 0, now), _at(days[1] + timedelta(days=1), 0, now))
    if hours is None:
        return None
    first = days[0] if days else now.date()
    start, end = (_at(first, minutes, now) for minutes in hours)
    if days is None and end <= now:
        start, end = (_at(first + timedelta(days=1), minutes, now) for minutes in hours)
    return Moment("instant", start, start) if precise else Moment("span", start, end)


def _at(day: date, minutes: int, now: datetime) -> datetime:
    return datetime.combine(day, time(), tzinfo=now.tzinfo) + timedelta(minutes=minutes)


def _delay(text: str, now: datetime) -> Moment | None:
    found = _IN.search(text)
    number = (int(found[1]) if found[1].isdigit() else _NUMBERS.get(found[1])) if found else None
    if found is None or number is None:
        return None
    if found[2].startswith(("min", "h")):
        step = timedelta(minutes=number) if found[2].startswith("min") else timedelta(hours=number)
        # Elapsed time, not clock time: through UTC, so that a night of 25 hours counts right.
        later = datetime.fromtimestamp(now.timestamp() + step.total_seconds(), tz=now.tzinfo)
        return Moment("instant", later, later)
    day = now.date() + timedelta(days=number * (7 if found[2].startswith("s") else 1))
    return Moment("days", _at(day, 0, now), _at(day + timedelta(days=1), 0, now))


Days = tuple[date, date]


def _days(text: str, today: date) -> tuple[Days | None, str]:
    """First and last day named, and the text without what named them, so that « le 24/12 » is not read again as an hour."""
    for read in (_named, _written, _digits, _relative, _weekend, _weekday, _day_alone):
        found = read(text, today)
        if found is not None:
            days, span = found
            return days, f"{text[: span[0]]} {text[span[1] :]}"
    return None, text


Found = tuple[Days, tuple[int, int]] | None


def _named(text: str, today: date) -> Found:
    plain = text.replace("saint ", "saint-").replace("vendredi saint-", "vendredi saint ")
    rules: dict[str, Callable[[int], date]] = {name: partial(_easter_day, offset) for name, offset in _EASTER_DAYS.items()}
    rules |= {name: partial(_fixed_day, *month_day) for name, month_day in _FIXED_DAYS.items()}
    for name, rule in rules.items():
        if (at := plain.find(name)) >= 0 and _whole(plain, at, len(name)):
            year = re.match(r" (\d{4})\b", plain[at + len(name) :])
            found = rule(int(year[1])) if year else _next(today, rule)
            return (found, found), (at, at + len(name) + (5 if year else 0))
    return None


def _easter_day(offset: int, year: int) -> date:
    return easter(year) + timedelta(days=offset)


def _fixed_day(month: int, day: int, year: int) -> date:
    return date(year, month, day)


def _whole(text: str, at: int, length: int) -> bool:
    """A word of its own, and not a holiday season: « les vacances de Noël » name no day."""
    before, after = text[:at], text[at + length : at + length + 1]
    return (
        not before[-1:].isalnum() and not after.isalnum() and not re.search(r"\b(?:vacances|marche|repas|fetes?) (?:de |d'|du )?$", before)
    )


def _next(today: date, of_year: Callable[[int], date]) -> date:
    """The first such day from today on."""
    this = of_year(today.year)
    return this if this >= today else of_year(today.year + 1)


def easter(year: int) -> date:
    """Easter Sunday, from the calendar of public holidays."""
    return next(day for day, name in public_holidays("FR", [year]).items() if "Lundi de Pâques" in name) - timedelta(days=1)


def _written(text: str, today: date) -> Found:
    if iso := _DATE_ISO.search(text):
        day = _date(int(iso[1]), int(iso[2]), int(iso[3]))
        return ((day, day), iso.span()) if day else None
    found = _DATE_WORDS.search(text)
    if not found:
        return None
    names = _MONTHS if found[2] in _MONTHS else _SHORT
    return _dated(_number(found[1]), names.index(found[2]) + 1, found[3], today, found.span())


def _digits(text: str, today: date) -> Found:
    found = _DATE_DIGITS.search(text)
    if not found or found[0] == "24/24":
        return None
    return _dated(int(found[1]), int(found[2]), found[3], today, found.span())


def _dated(number: int, month: int, year: str | None, today: date, span: tuple[int, int]) -> Found:
    if year:
        day = _date(int(year) + (2000 if len(year) == 2 else 0), month, number)
    else:
        # « le 29 février » is looked for as far as the next leap year.
        years = (_date(today.year + ahead, month, number) for ahead in range(9))
        day = next((found for found in years if found and found >= today), None)
    return ((day, day), span) if day else None


def _relative(text: str, today: date) -> Found:
    for pattern, ahead in ((_AFTER_TOMORROW, 2), (_TOMORROW, 1)):
        if found := pattern.search(text):
            day = today + timedelta(days=ahead)
            return (day, day), found.span()
    if found := _TODAY.search(text):
        # « ce soir » keeps « soir » for the hours.
        kept = found.end() if found[0].startswith(("aujourd", "ajd", "auj", "ce jour")) else found.start() + len(found[0].split()[0])
        return (today, today), (found.start(), kept)
    if found := _WEEK.search(text):
        monday = today - timedelta(days=today.weekday()) + timedelta(days=7 if found[1] else 0)
        return (max(monday, today), monday + timedelta(days=6)), found.span()
    return None


def _weekend(text: str, today: date) -> Found:
    if not (found := _WEEKEND.search(text)):
        return None
    saturday = today + timedelta(days=(5 - today.weekday()) % 7 if today.weekday() < 6 else -1)
    if found[1] and today.weekday() >= 5:
        saturday += timedelta(days=7)
    return (max(saturday, today), saturday + timedelta(days=1)), found.span()


def _weekday(text: str, today: date) -> Found:
    if not (found := _WEEKDAY.search(text)):
        return None
    ahead = (WEEKDAYS.index(found[1]) - today.weekday()) % 7
    if found[2] == "en huit" or (found[2] and ahead == 0):
        ahead += 7
    day = today + timedelta(days=ahead)
    return (day, day), found.span()


def _day_alone(text: str, today: date) -> Found:
    if not (found := _DAY_ALONE.search(text)):
        return None
    number = _number(found[1])
    for ahead in range(13):
        month = today.month - 1 + ahead
        day = _date(today.year + month // 12, month % 12 + 1, number)
        if day and day >= today:
            return (day, day), found.span()
    return None


def _number(text: str) -> int:
    return 1 if text in ("1er", "premier") else int(text)


def _date(year: int, month: int, number: int) -> date | None:
    try:
        return date(year, month, number)
    except ValueError:
        return None


def _hours(text: str) -> tuple[tuple[int, int] | None, bool]:
    """Minutes after midnight named in the text, and whether they are one instant."""
    if found := _SPAN.search(text):
        start, end = _clock(found[1], found[2], None), _clock(found[3], found[4], None)
        if start is not None and end is not None and start < end:
            return (start, end), False
    for found in _TIME.finditer(text):
        minutes = _clock(found[1], found[2], found[3])
        if minutes is not None:
            return (minutes, minutes), True
    if "entre midi et deux" in text:
        return (720, 840), False
    if _MIDNIGHT.search(text):
        return (1440, 1440), True
    for name, (first, last) in _PARTS.items():
        if re.search(rf"\b{name}\b", text):
            return (first * 60, last * 60), False
    return ((720, 720), True) if _NOON.search(text) else (None, False)


def _clock(hours: str, minutes: str | None, half: str | None) -> int | None:
    hour, minute = int(hours), int(minutes or 0)
    if half and half.startswith(("soir", "apr")) and hour < 12:
        hour += 12
    return hour * 60 + minute if hour <= 24 and minute < 60 and hour * 60 + minute <= 1440 else None
