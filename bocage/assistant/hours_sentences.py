"""Opening hours said in French: the answer to « c’est ouvert samedi à 17 h ? », computed and never written by a model."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from itertools import groupby

from bocage.assistant.hours_notation import WEEKDAYS
from bocage.assistant.moments import Moment
from bocage.assistant.opening_hours import (
    DayHours,
    Ranges,
    Schedule,
    Season,
    Week,
    day_hours,
    day_openings,
    is_open,
    localise,
    next_opening,
    openings_between,
    season_of,
    week_of,
)
from bocage.assistant.periods import Period
from bocage.contract import french

MAX_DAYS = 8
"""Days that are said one by one; the hours of a longer time are said by what rules them."""

_RANKS = {1: "1er", 2: "2e", 3: "3e", 4: "4e", 5: "5e", -1: "dernier"}


def sentence(schedule: Schedule, when: datetime | Moment, now: date | None = None, yes_no: bool = True) -> str:
    """One to a few sentences: open or closed at ``when``, the hours of that day and why, and the next opening when closed.

    A naive ``datetime`` is on the clock of the service. The year is said when it is not that of ``now``. « Oui » and « Non » are left out
    when ``yes_no`` is false: « est-ce fermé ? » is not asked the same way.
    """
    return _Speaker(schedule, now.year if now else None, yes_no).say(when)


def during(schedule: Schedule, period: Period, now: date) -> str:
    """The hours that hold in ``period``, by what rules them: the week, seasons, then public holidays and exceptions."""
    said = _Speaker(schedule, now.year, yes_no=False).during(period.start, period.end)
    return f"{period.name} : {said[:1].lower()}{said[1:]}" if period.name else said


def whole(schedule: Schedule, now: date) -> str:
    """The whole schedule in one paragraph, without what is over at ``now``."""
    ahead = replace(
        schedule,
        seasons=tuple(season for season in schedule.seasons if not isinstance(season.end, date) or season.end >= now),
        exceptions=tuple(item for item in schedule.exceptions if item.end >= now),
    )
    lines = [f"Chaque semaine, {' ; '.join(week_lines(ahead.week))}"]
    lines += [f"{_season_label(season)}, {' ; '.join(week_lines(season.week))}" for season in ahead.seasons]
    return " ".join(f"{line}." for line in [*lines, *_day_rules(ahead)])


class _Speaker:
    def __init__(self, schedule: Schedule, year: int | None, yes_no: bool) -> None:
        self.schedule, self.year, self.yes_no = schedule, year, yes_no

    def say(self, when: datetime | Moment) -> str:
        if isinstance(when, datetime):
            return self._instant(localise(self.schedule, when))
        moments = (when, *when.others)
        if when.kind == "days":
            return self._days([day for moment in moments for day in self._dates(moment)])
        spans = [(localise(self.schedule, moment.start), localise(self.schedule, moment.end)) for moment in moments]
        if when.kind == "instant":
            return " ".join(self._instant(start) for start, _ in spans)
        return " ".join(self._span(start, end, when.rough) for start, end in spans)

    def during(self, first: date, last: date) -> str:
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        lines = []
        for season, group in groupby(days, key=lambda day: season_of(self.schedule, day)):
            span = list(group)
            name = f" ({season.name})" if season and season.name else ""
            week = " ; ".join(week_lines(week_of(self.schedule, span[0])))
            lines.append(f"{self._from_to(span[0], span[-1])}{name}, {week}.")
        return " ".join([*lines, *self._special(days)])

    def _special(self, days: list[date]) -> list[str]:
        """The days whose hours are not those of their week, those that follow one another for one reason together."""
        said = [(day, day_hours(self.schedule, day)) for day in days]
        ruled = [(day, hours) for day, hours in said if hours.ranges != week_of(self.schedule, day).of(day)]
        runs = groupby(enumerate(ruled), key=lambda item: (item[1][1], item[1][0] - timedelta(days=item[0])))
        lines = []
        for (hours, _), group in runs:
            span = [day for _, (day, _) in group]
            label = _capital(self._day(span[0])) if len(span) == 1 else self._from_to(span[0], span[-1])
            lines.append(f"{label}{_reason(hours)} : {_hours_of(hours.ranges)}.")
        return lines

    def _dates(self, moment: Moment) -> list[date]:
        start, end = localise(self.schedule, moment.start).date(), localise(self.schedule, moment.end).date()
        return [start + timedelta(days=number) for number in range(max(1, (end - start).days))]

    def _days(self, days: list[date]) -> str:
        if len(days) > MAX_DAYS:
            return self.during(days[0], days[-1])
        said = " ".join(self._whole_day(day) for day in days)
        if any(self._openings_of(day) for day in days):
            return said
        return f"{said} {self._next(datetime.combine(days[-1], time.max))}"

    def _whole_day(self, day: date) -> str:
        hours, spans = day_hours(self.schedule, day), self._openings_of(day)
        return f"{_capital(self._day(day))}{_reason(hours)} : {f'ouvert {_spans(spans)}' if spans else 'fermé'}."

    def _instant(self, at: datetime) -> str:
        when = f"{self._day(at.date())} à {french.hour(at)}"
        that_day = self._that_day(at.date())
        if is_open(self.schedule, at):
            return f"{self._polar('Oui', f'c’est ouvert {when}.')}{that_day}"
        why = _reason(day_hours(self.schedule, at.date()))
        return f"{self._polar('Non', f'c’est fermé {when}.')}{that_day or f' Fermé toute la journée{why}.'} {self._next(at)}"

    def _span(self, start: datetime, end: datetime, rough: bool) -> str:
        met = openings_between(self.schedule, start, end)
        label = f"{self._day(start.date())} de {french.hour(start)} à {_end(start, end)}"
        that_day = self._that_day(start.date())
        if not met:
            why = "" if that_day else _reason(day_hours(self.schedule, start.date()))
            return f"{self._polar('Non', f'c’est fermé {label}{why}.')}{that_day} {self._next(start)}"
        shut = _gaps(met, start, end)
        if not shut:
            return f"{self._polar('Oui', f'c’est ouvert {label}.')}{that_day}"
        if rough and that_day:
            return self._whole_day(start.date())
        part = f"en partie : {label}, c’est ouvert {_spans(met)}, fermé {_spans(shut)}."
        return f"{self._polar('Oui', part)}{that_day}"

    def _that_day(self, day: date) -> str:
        spans = self._openings_of(day)
        return f" Ce jour-là : {_spans(spans)}{_reason(day_hours(self.schedule, day))}." if spans else ""

    def _openings_of(self, day: date) -> list[tuple[datetime, datetime]]:
        """The openings that start that day; failing them, the end of the night before: nobody is told « fermé » of an open door."""
        midnight = datetime.combine(day, time())
        return day_openings(self.schedule, day) or openings_between(self.schedule, midnight, midnight + timedelta(days=1))

    def _polar(self, word: str, said: str) -> str:
        return f"{word}, {said}" if self.yes_no else _capital(said)

    def _next(self, after: datetime) -> str:
        found = next_opening(self.schedule, after)
        if found is None:
            return "Aucune ouverture n’est prévue dans l’année qui vient."
        return f"Prochaine ouverture : {self._day(found.date())} à {french.hour(found)}."

    def _from_to(self, first: date, last: date) -> str:
        """« Du 1er juillet au 22 août »: the year where it changes, or is not that of now."""
        if first == last:
            return _capital(self._day(first))
        start = french.day(first, weekday=False, year=self._is_far(first) and first.year != last.year)
        return f"Du {start} au {french.day(last, weekday=False, year=self._is_far(last))}"

    def _day(self, day: date) -> str:
        return french.day(day, year=self._is_far(day))

    def _is_far(self, day: date) -> bool:
        return self.year is not None and day.year != self.year


def _reason(hours: DayHours) -> str:
    return f" ({hours.reason.replace(chr(39), '’')})" if hours.reason else ""


def _gaps(met: list[tuple[datetime, datetime]], start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """What is closed from ``start`` to ``end``."""
    edges = [start, *(edge for span in met for edge in span), end]
    return [(first, last) for first, last in zip(edges[::2], edges[1::2], strict=True) if first.timestamp() < last.timestamp()]


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
        lines += [f"{_season_label(season)}, {line}" for line in week_lines(season.week)]
    return lines + _day_rules(schedule)


def _season_label(season: Season) -> str:
    edges = [
        french.day(edge, weekday=False, year=True) if isinstance(edge, date) else _month_day(*edge) for edge in (season.start, season.end)
    ]
    return f"{_capital(season.name)} (du {edges[0]} au {edges[1]})"


def _day_rules(schedule: Schedule) -> list[str]:
    """Public holidays and exceptions, a line each."""
    lines = [f"Jours fériés : {_hours_of(schedule.holidays)}"] if schedule.holidays is not None else []
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
