"""Opening hours said in French: the answer to « c’est ouvert samedi à 17 h ? », computed and never written by a model."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from bocage.assistant.hours_notation import WEEKDAYS
from bocage.assistant.moments import Moment
from bocage.assistant.opening_hours import Ranges, Schedule, Week, day_hours, day_openings, is_open, localise, next_opening
from bocage.contract import french

MAX_DAYS = 7
"""A moment of more days than a week is answered by its first seven."""

_RANKS = {1: "1er", 2: "2e", 3: "3e", 4: "4e", 5: "5e", -1: "dernier"}


def sentence(schedule: Schedule, when: datetime | Moment, now: date | None = None) -> str:
    """One to a few sentences: open or closed at ``when``, the hours of that day and why, and the next opening when closed.

    A naive ``datetime`` is on the clock of the service. The year is said when it is not that of ``now``.
    """
    return _Speaker(schedule, now.year if now else None).say(when)


class _Speaker:
    def __init__(self, schedule: Schedule, year: int | None) -> None:
        self.schedule, self.year = schedule, year

    def say(self, when: datetime | Moment) -> str:
        if isinstance(when, datetime):
            return self._instant(localise(self.schedule, when))
        start, end = localise(self.schedule, when.start), localise(self.schedule, when.end)
        if when.kind == "instant":
            return self._instant(start)
        if when.kind == "span":
            return self._span(start, end)
        count = max(1, min((end.date() - start.date()).days, MAX_DAYS))
        days = [start.date() + timedelta(days=number) for number in range(count)]
        said = " ".join(self._whole_day(day) for day in days)
        if any(day_openings(self.schedule, day) for day in days):
            return said
        return f"{said} {self._next(datetime.combine(days[-1], time.max))}"

    def _whole_day(self, day: date) -> str:
        hours, spans = day_hours(self.schedule, day), day_openings(self.schedule, day)
        why = f" ({hours.reason})" if hours.reason else ""
        return f"{_capital(self._day(day))}{why} : {f'ouvert {_spans(spans)}' if spans else 'fermé'}."

    def _instant(self, at: datetime) -> str:
        hours, spans = day_hours(self.schedule, at.date()), day_openings(self.schedule, at.date())
        why = f" ({hours.reason})" if hours.reason else ""
        when = f"{self._day(at.date())} à {french.hour(at)}"
        that_day = f" Ce jour-là : {_spans(spans)}{why}." if spans else ""
        if is_open(self.schedule, at):
            return f"Oui, c’est ouvert {when}.{that_day}"
        return f"Non, c’est fermé {when}.{that_day or f' Fermé toute la journée{why}.'} {self._next(at)}"

    def _span(self, start: datetime, end: datetime) -> str:
        day, spans = start.date(), day_openings(self.schedule, start.date())
        met = [(max(first, start), min(last, end)) for first, last in spans if first < end and last > start]
        why = f" ({reason})" if (reason := day_hours(self.schedule, day).reason) else ""
        label = f"{self._day(day)} de {french.hour(start)} à {_end(start, end)}"
        if not met:
            that_day = f" Ce jour-là : {_spans(spans)}." if spans else ""
            return f"Non, c’est fermé {label}{why}.{that_day} {self._next(end)}"
        if met == [(start, end)]:
            return f"Oui, c’est ouvert {label}."
        return f"{_capital(self._day(day))}{why} : ouvert {_spans(spans)}."

    def _next(self, after: datetime) -> str:
        found = next_opening(self.schedule, after)
        if found is None:
            return "Aucune ouverture n’est prévue dans l’année qui vient."
        return f"Prochaine ouverture : {self._day(found.date())} à {french.hour(found)}."

    def _day(self, day: date) -> str:
        return french.day(day, year=self.year is not None and day.year != self.year)


def week_lines(week: Week) -> list[str]:
    """The week as people read it, days of the same hours together: « du lundi au vendredi : de 9 h à 12 h »."""
    lines, number = [], 0
    while number < 7:
        last = number
        while last < 6 and week.days[last + 1] == week.days[number]:
            last += 1
        lines.append(f"{_day_names(number, last)} : {_hours_of(week.days[number])}")
        number = last + 1
    return lines + [f"{_RANKS[rule.rank]} {WEEKDAYS[rule.weekday]} du mois : {_hours_of(rule.ranges)}" for rule in week.nth]


def describe(schedule: Schedule) -> list[str]:
    """The whole schedule, a line a rule: the week, seasons, public holidays, exceptions."""
    lines = [_capital(line) for line in week_lines(schedule.week)]
    for season in schedule.seasons:
        edges = [
            french.day(edge, weekday=False, year=True) if isinstance(edge, date) else _month_day(*edge)
            for edge in (season.start, season.end)
        ]
        lines += [f"{_capital(season.name)} (du {edges[0]} au {edges[1]}), {line}" for line in week_lines(season.week)]
    if schedule.holidays is not None:
        lines.append(f"Jours fériés : {_hours_of(schedule.holidays)}")
    lines += [f"{_capital(n)} : {_hours_of(r) if r is not None else 'horaires habituels'}" for n, r in schedule.named_holidays.items()]
    for item in schedule.exceptions:
        first, last = (french.day(edge, year=True) for edge in (item.start, item.end))
        span = _capital(first) if first == last else f"Du {first} au {last}"
        lines.append(f"{span}{f' ({item.reason})' if item.reason else ''} : {_hours_of(item.ranges)}")
    return lines


def _month_day(month: int, day: int) -> str:
    return french.day(date(2024, month, day), weekday=False)


def _day_names(first: int, last: int) -> str:
    if first == last:
        return WEEKDAYS[first]
    if (first, last) == (0, 6):
        return "tous les jours"
    joint = "et" if last == first + 1 else "au"
    return f"{WEEKDAYS[first]} et {WEEKDAYS[last]}" if joint == "et" else f"du {WEEKDAYS[first]} au {WEEKDAYS[last]}"


def _hours_of(ranges: Ranges) -> str:
    if not ranges:
        return "fermé"
    if [(r.start, r.end) for r in ranges] == [(0, 1440)]:
        return "ouvert 24 heures sur 24"
    return _list([f"de {_minutes(r.start)} à {_minutes(r.end)}" for r in ranges])


def _minutes(minutes: int) -> str:
    return "minuit" if minutes == 1440 else french.hour(datetime(2024, 1, 1) + timedelta(minutes=minutes))


def _list(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} et {parts[-1]}"


def _spans(spans: list[tuple[datetime, datetime]]) -> str:
    if len(spans) == 1 and spans[0][0].hour == 0 and spans[0][1] - spans[0][0] >= timedelta(hours=23):
        return "24 heures sur 24"
    return _list([f"de {french.hour(start)} à {_end(start, end)}" for start, end in spans])


def _end(start: datetime, end: datetime) -> str:
    return "minuit" if (end.hour, end.minute) == (0, 0) and end.date() > start.date() else french.hour(end)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
