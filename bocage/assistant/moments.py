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
from bocage.assistant.named_days import DaySpan, named_days
from bocage.assistant.opening_hours import fold
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
_NUMBERS = {"un": 1, "une": 1, "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "six": 6, "sept": 7, "huit": 8, "dix": 10, "quinze": 15}
_IN = re.compile(r"\bdans (\d{1,3}|[a-z]+) (minutes?|min|heures?|h|jours?|semaines?)\b")


def read_moment(question: str, now: datetime) -> Moment | None:
    """The moment in ``question``, told on the clock of ``now`` (aware), or None when there is none that is understood.

    Raises ``ValueError``: ``now`` is naive.
    """
    if now.tzinfo is None:
        raise ValueError("now must be aware")
    text = folded(question)
    if delayed := _delay(text, now):
        return delayed
    named = named_days(without_durations(text), now.date())
    if named.spans is None or (not named.dated and names_period(named.rest)):
        return None
    times = read_times(named.rest)
    if times.one is not None:
        return _timed(named.spans, times.one, named.rest, now)
    if named.spans:
        return _together([_days(span, now) for span in named.spans])
    return Moment("instant", now, now) if _NOW.search(text) and not times.unclear else None


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
    return _days((day, day), now)
