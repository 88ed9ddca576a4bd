"""When a person will answer: the sentence that promises it, from the opening hours of a service. Times are aware, in the commune's time
zone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bocage.assistant.hours_notation import WEEKDAYS
from bocage.assistant.opening_hours import Schedule, is_open, next_closing, next_opening
from bocage.contract import french

_MOST_OPENINGS = 60


@dataclass(frozen=True, slots=True)
class Promise:
    """What the citizen is told, and the moment before which it must be kept (None when no hours are known)."""

    sentence: str
    due_at: datetime | None


def promise(schedule: Schedule | None, now: datetime, within: timedelta) -> Promise:
    """The promise made at ``now`` (aware, local) for an answer ``within`` so much time of opening."""
    opening = _opening(schedule, now) if schedule else None
    if schedule is None or opening is None:
        return Promise("Une personne lira votre demande et vous répondra ici. Le service n’a pas indiqué ses heures.", None)
    if opening <= now:
        due = _within_hours(schedule, now, within)
        if due.date() == now.date():
            return Promise(f"Le service est ouvert : nous vous répondrons ici avant {french.hour(due)}.", due)
        return Promise(f"Le service ferme bientôt : nous vous répondrons ici au plus tard {_when(due, now)} à {french.hour(due)}.", due)
    due = _within_hours(schedule, opening, within)
    return Promise(f"Le service est fermé : nous vous répondrons {_when(opening, now)} à partir de {french.hour(opening)}.", due)


def _opening(schedule: Schedule, when: datetime) -> datetime | None:
    """``when`` itself while open, else the next moment of opening; None when it never opens."""
    return when if is_open(schedule, when) else next_opening(schedule, when)


def _within_hours(schedule: Schedule, start: datetime, within: timedelta) -> datetime:
    """``within`` so much opening time from ``start``, which lies in an opening. Whole quarters of an hour: nobody promises 10 h 37."""
    here, left = start, within
    for _ in range(_MOST_OPENINGS):
        end = next_closing(schedule, here)
        if end is None or left <= end.astimezone(UTC) - here.astimezone(UTC):
            break
        left -= end.astimezone(UTC) - here.astimezone(UTC)
        following = _opening(schedule, end)
        if following is None:
            return end
        here = following
    # On the clock that counts hours, not on the wall: a night when clocks move is longer or shorter.
    due = (here.astimezone(UTC) + left).astimezone(here.tzinfo)
    late = (due.minute % 15) * 60 + due.second
    rounded = due.replace(second=0, microsecond=0) + timedelta(minutes=-(due.minute % 15) + (15 if late or due.microsecond else 0))
    last = next_closing(schedule, here)
    return min(rounded, last) if last and last >= due else rounded


def _when(moment: datetime, now: datetime) -> str:
    """« aujourd’hui », « demain », « lundi », or with its date beyond a week."""
    distance = (moment.date() - now.date()).days
    if distance < 2:
        return ("aujourd’hui", "demain")[distance]
    return WEEKDAYS[moment.weekday()] if distance < 7 else french.day(moment.date())
