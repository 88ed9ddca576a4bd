"""The moment that a question speaks of: « samedi à 17 h », « demain », « le 24 et le 31 décembre », « entre 12 h et 14 h », « ce soir ».

Rules and no statistics: what is not understood gives None, and the answer then shows the whole schedule. ``named_days`` reads the days,
``clock_times`` the hours, ``periods`` the months, seasons and school holidays, which are no moment.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Literal

from bocage.assistant.clock_times import ClockTime, is_of_any_day, read_times, without_durations
from bocage.assistant.delays import read_delay
from bocage.assistant.feasts import DaySpan
from bocage.assistant.named_days import named_days
from bocage.assistant.opening_hours import Schedule, fold
from bocage.assistant.periods import names_period

MAX_QUESTION = 2000
_MAX_TIMED_DAYS = 3
"""« la semaine prochaine à 17 h »: beyond so many days, the hours of each say more than as many sentences."""


@dataclass(frozen=True, slots=True)
class Moment:
    """``instant``: at ``start``; ``span``: part of a day; ``days``: whole days, ``end`` excluded. Aware, on the clock of ``now``."""

    kind: Literal["instant", "span", "days"]
    start: datetime
    end: datetime
    rough: bool = False
    """A span whose edges are not the person’s own: « ce matin », « avant 9 h »."""
    others: tuple[Moment, ...] = ()
    """The same on the other days that are named: « lundi et jeudi »."""

    def whole_days(self) -> Moment:
        """The days of this moment, whatever its hours."""
        return replace(
            self,
            kind="days",
            start=_at(self.start.date(), 0, self.start),
            end=self.end if self.kind == "days" else _at(self.start.date(), 1440, self.start),
            rough=False,
            others=tuple(other.whole_days() for other in self.others),
        )


_NOW = re.compile(r"\b(?:maintenant|en ce moment|actuellement|tout de suite|a cette heure(?:-ci)?|la maintenant|dans l'immediat)\b")


def read_moment(question: str, now: datetime, schedule: Schedule | None = None) -> Moment | None:
    """The moment in ``question``, told on the clock of ``now`` (aware), or None when there is none that is understood.

    ``schedule`` is that of the service asked about: the days that it names itself are known by these names.
    Raises ``ValueError``: ``now`` is naive.
    """
    if now.tzinfo is None:
        raise ValueError("now must be aware")
    text = folded(question)
    delay = read_delay(text)
    today = now.date()
    named = named_days(without_durations(delay.rest if delay else text), today, schedule)
    if named.spans is None or (not named.dated and names_period(named.rest)):
        return None
    if delay is not None and named.spans not in ((), ((today, today),)):
        return None
    if delay is not None and delay.minutes is not None:
        return _later(delay.minutes, now)
    spans = named.spans
    if delay is not None and delay.days is not None:
        spans = ((today + timedelta(days=delay.days[0]), today + timedelta(days=delay.days[1])),)
    times = read_times(named.rest)
    if times.one is not None:
        return _timed(spans, times.one, named.rest, now)
    if spans:
        return _together([_days(span, now) for span in spans])
    return Moment("instant", now, now) if _NOW.search(text) and not times.unclear else None


def names_unclear_day(question: str, now: datetime, schedule: Schedule) -> bool:
    """Whether ``question`` names a day that could not be found and that its date would tell: « lundi de la braderie »."""
    return named_days(without_durations(folded(question)), now.date(), schedule).unclear


def folded(question: str) -> str:
    """``question`` as the readers of days and hours compare it, no longer than they accept."""
    return fold(question[:MAX_QUESTION]).replace("–", "-").replace("‑", "-").replace("- ", "-")


def _timed(spans: tuple[DaySpan, ...], asked: ClockTime, text: str, now: datetime) -> Moment | None:
    days = [first + timedelta(days=n) for first, last in spans for n in range((last - first).days + 1)]
    if len(days) > _MAX_TIMED_DAYS:
        return _together([_days(span, now) for span in spans])
    if days:
        return _together([_of_day(day, asked, now) for day in days])
    if is_of_any_day(text):
        return None
    today = _of_day(now.date(), asked, now)
    return today if today.end > now else _of_day(now.date() + timedelta(days=1), asked, now)


def _of_day(day: date, asked: ClockTime, now: datetime) -> Moment:
    return Moment(asked.kind, _at(day, asked.start, now), _at(day, asked.end, now), asked.rough)


def _days(span: DaySpan, now: datetime) -> Moment:
    return Moment("days", _at(span[0], 0, now), _at(span[1], 1440, now))


def _together(moments: list[Moment]) -> Moment:
    return replace(moments[0], others=tuple(moments[1:]))


def _at(day: date, minutes: int, now: datetime) -> datetime:
    return datetime.combine(day, time(), tzinfo=now.tzinfo) + timedelta(minutes=minutes)


def _later(minutes: int, now: datetime) -> Moment:
    # Elapsed time, not clock time: through UTC, so that a night of 25 hours counts right.
    later = datetime.fromtimestamp(now.timestamp() + 60 * minutes, tz=now.tzinfo)
    return Moment("instant", later, later)
