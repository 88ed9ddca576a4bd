"""When a person will answer: opening hours of a service, and the sentence that promises. Times are aware, in the commune's time zone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Protocol

from bocage.contract import french
from bocage.contract.errors import BocageError
from bocage.methods.calendars import public_holidays

_DAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
_LOOK_AHEAD = 400
Ranges = tuple[tuple[time, time], ...]


class InvalidHours(BocageError):
    """Opening hours that cannot be read."""

    code = "horaires-illisibles"


class Schedule(Protocol):
    """What a promise needs to know. The directory's own opening hours have this shape too."""

    def next_opening(self, when: datetime) -> datetime | None:
        """``when`` itself while open, else the next moment of opening; None when it never opens."""

    def closing(self, when: datetime) -> datetime | None:
        """The end of the opening that holds ``when``; None while closed."""


@dataclass(frozen=True, slots=True)
class WeeklyHours:
    """The same hours every week, closed on public holidays of ``territory``."""

    days: Mapping[int, Ranges]
    """Weekday (0 Monday) → ranges, in order."""
    territory: str = "FR"

    def next_opening(self, when: datetime) -> datetime | None:
        """``when`` itself while open, else the next moment of opening; None when no day has hours."""
        if self.closing(when):
            return when
        for offset in range(_LOOK_AHEAD if any(self.days.values()) else 0):
            day = when.date() + timedelta(days=offset)
            for start, _ in self._ranges(day):
                opening = datetime.combine(day, start, tzinfo=when.tzinfo)
                if opening > when:
                    return opening
        return None

    def closing(self, when: datetime) -> datetime | None:
        """The end of the opening that holds ``when``; None while closed."""
        for start, end in self._ranges(when.date()):
            if start <= when.time().replace(tzinfo=None) < end:
                return datetime.combine(when.date(), end, tzinfo=when.tzinfo)
        return None

    def _ranges(self, day: date) -> Ranges:
        if day in public_holidays(self.territory, [day.year]):
            return ()
        return self.days.get(day.weekday(), ())


def parse_hours(text: str) -> WeeklyHours | None:
    """« lundi au vendredi 9 h-12 h, 14 h-17 h 30 ; samedi 9 h-12 h ». None for an empty text. Raises ``InvalidHours``."""
    if not text.strip():
        return None
    days: dict[int, Ranges] = {}
    for part in re.split(r"[;\n]+", text):
        if part.strip():
            weekdays, ranges = _part(" ".join(part.lower().split()))
            for weekday in weekdays:
                days[weekday] = tuple(sorted((*days.get(weekday, ()), *ranges)))
    for weekday, ranges in days.items():
        if any(earlier[1] > later[0] for earlier, later in pairwise(ranges)):
            raise InvalidHours(f"Deux plages du {_DAYS[weekday]} se recouvrent. Écrivez-les l’une après l’autre.")
    return WeeklyHours(days)


_CLOCK = r"(\d{1,2})\s*(?:h|:)\s*(\d{2})?"
_RANGE = re.compile(rf"(?:de\s+)?{_CLOCK}\s*(?:-|–|à|a)\s*{_CLOCK}")


def _part(part: str) -> tuple[list[int], Ranges]:
    found = list(_RANGE.finditer(part))
    if not found:
        raise InvalidHours(f"« {part[:60]} » ne donne pas d’heures. Exemple : lundi au vendredi 9 h-12 h, 14 h-17 h ; samedi 9 h-12 h")
    rest = _RANGE.sub(" ", part[found[0].start() :])
    if re.sub(r"\bet\b|[,\s]", "", rest):
        raise InvalidHours(f"« {rest.strip()[:60]} » n’a pas été compris après les heures. Séparez les jours par un point-virgule.")
    weekdays = _weekdays(part[: found[0].start()].strip(" :,"))
    ranges = []
    for match in found:
        hours = [int(group or 0) for group in match.groups()]
        if hours[0] > 23 or hours[2] > 23 or hours[1] > 59 or hours[3] > 59 or hours[:2] >= hours[2:]:
            raise InvalidHours(f"« {match.group().strip()} » n’est pas une plage d’heures d’un même jour.")
        ranges.append((time(hours[0], hours[1]), time(hours[2], hours[3])))
    return weekdays, tuple(ranges)


def _weekdays(text: str) -> list[int]:
    text = text.removeprefix("du ").removeprefix("le ")
    if text in ("tous les jours", "chaque jour"):
        return list(range(7))
    chosen: list[int] = []
    for piece in re.split(r",|\bet\b", text):
        ends = [_weekday(word.strip(), text) for word in re.split(r"\bau\b|\bà\b|-", piece) if word.strip()]
        if not 1 <= len(ends) <= 2:
            raise InvalidHours(f"« {text[:60]} » ne donne pas de jours. Exemple : lundi au vendredi")
        chosen += range(ends[0], ends[-1] + 1)
    if not chosen:
        raise InvalidHours(f"« {text[:60]} » ne donne pas de jours. Exemple : lundi au vendredi")
    return chosen


def _weekday(word: str, text: str) -> int:
    name = word.removeprefix("le ").removesuffix("s")
    found = next((number for number, day in enumerate(_DAYS) if day == name or (len(name) >= 3 and day.startswith(name))), None)
    if found is None:
        raise InvalidHours(f"« {word[:30]} » n’est pas un jour dans « {text[:60]} ». Écrivez lundi, mardi, mercredi…")
    return found


@dataclass(frozen=True, slots=True)
class Promise:
    """What the citizen is told, and the moment before which it must be kept (None when no hours are known)."""

    sentence: str
    due_at: datetime | None


def promise(schedule: Schedule | None, now: datetime, within: timedelta) -> Promise:
    """The promise made at ``now`` (aware, local) for an answer ``within`` so much time of opening."""
    opening = schedule.next_opening(now) if schedule else None
    if schedule is None or opening is None:
        return Promise("Une personne lira votre demande et vous répondra ici. Le service n’a pas indiqué ses heures.", None)
    if opening <= now:
        due = _within_hours(schedule, now, within)
        if due.date() == now.date():
            return Promise(f"Le service est ouvert : nous vous répondrons ici avant {french.hour(due)}.", due)
        return Promise(f"Le service ferme bientôt : nous vous répondrons ici au plus tard {_when(due, now)} à {french.hour(due)}.", due)
    due = _within_hours(schedule, opening, within)
    return Promise(f"Le service est fermé : nous vous répondrons {_when(opening, now)} à partir de {french.hour(opening)}.", due)


def _within_hours(schedule: Schedule, start: datetime, within: timedelta) -> datetime:
    """``within`` so much opening time from ``start``, which lies in an opening. Whole quarters of an hour: nobody promises 10 h 37."""
    here, left = start, within
    for _ in range(60):
        end = schedule.closing(here)
        if end is None or here + left <= end:
            break
        left -= end - here
        following = schedule.next_opening(end)
        if following is None:
            return end
        here = following
    due = here + left
    late = (due.minute % 15) * 60 + due.second
    rounded = due.replace(second=0, microsecond=0) + timedelta(minutes=-(due.minute % 15) + (15 if late or due.microsecond else 0))
    last = schedule.closing(here)
    return min(rounded, last) if last and last >= due else rounded


def _when(moment: datetime, now: datetime) -> str:
    """« aujourd’hui », « demain », « lundi », or with its date beyond a week."""
    distance = (moment.date() - now.date()).days
    if distance < 2:
        return ("aujourd’hui", "demain")[distance]
    return _DAYS[moment.weekday()] if distance < 7 else french.day(moment.date())
