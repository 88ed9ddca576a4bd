"""When a person will answer: the deadline, in opening hours, and the sentence that tells it. Times are aware, in the commune’s zone.

A sentence is often read later than it is written: in a mail, on paper, in a page left open. It names the day by its date, never « demain ».
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from bocage.assistant.opening_hours import HORIZON_DAYS, Schedule, openings_between
from bocage.contract import french

_QUARTER_S = 15 * 60
_NO_DEADLINE = "Une personne lira votre demande et vous répondra ici ; aucun délai n’est promis."


@dataclass(frozen=True, slots=True)
class Promise:
    """What the citizen is told, and the moment before which it must be kept (None when no moment can be promised)."""

    sentence: str
    due_at: datetime | None


def promise(schedule: Schedule | None, now: datetime, within: timedelta) -> Promise:
    """The promise made at ``now`` for an answer ``within`` so much opening time; no moment without hours, or over ``HORIZON_DAYS`` away."""
    due = _deadline(schedule, now, within) if schedule else None
    return Promise(promised(due, now), due)


def promised(due_at: datetime | None, now: datetime) -> str:
    """What was promised, whenever it is read. ``now`` gives the clock, and the year that goes without saying."""
    return _NO_DEADLINE if due_at is None else f"Nous vous répondrons ici au plus tard le {_date_and_hour(due_at, now)}."


def standing(due_at: datetime | None, now: datetime) -> str:
    """What is true at ``now`` of a promise that still waits to be kept: the promise, or that it is late."""
    # In UTC: Python holds two instants of one zone to be as their clocks show, also in the hour that comes twice.
    if due_at is None or due_at.astimezone(UTC) >= now.astimezone(UTC):
        return promised(due_at, now)
    return f"Nous devions vous répondre au plus tard le {_date_and_hour(due_at, now)} : nous sommes en retard. Votre demande reste ouverte."


def _date_and_hour(moment: datetime, now: datetime) -> str:
    local = moment.astimezone(now.tzinfo)
    return f"{french.day(local, year=local.year != now.year)} à {french.hour(local)}"


def _deadline(schedule: Schedule, now: datetime, within: timedelta) -> datetime | None:
    """When the service will have been open for ``within`` since ``now``; None when that is over ``HORIZON_DAYS`` away.

    On the next quarter of an hour, since nobody promises 10 h 37, but not after the door is shut.
    """
    left = within
    for opens, closes in _openings(schedule, now):
        # On the clock that counts hours, not on the wall: a night when clocks move is longer or shorter.
        start, end = opens.astimezone(UTC), closes.astimezone(UTC)
        if left <= end - start:
            return min(_quarter_after(start + left), end).astimezone(now.tzinfo)
        left -= end - start
    return None


def _openings(schedule: Schedule, now: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The openings from ``now`` on, in order, week by week: most promises hold in the first. One that lasts over a midnight may be cut."""
    start = now
    for _ in range(HORIZON_DAYS // 7):
        end = datetime.combine(start.date() + timedelta(days=7), time(), start.tzinfo)
        yield from openings_between(schedule, start, end)
        start = end


def _quarter_after(moment: datetime) -> datetime:
    seconds = moment.timestamp()
    return datetime.fromtimestamp(-(-seconds // _QUARTER_S) * _QUARTER_S, UTC)
