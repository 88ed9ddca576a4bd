"""The days that a question names: « demain », « lundi et mardi », « le 24 et le 31 décembre », « entre Noël et le jour de l’an ».

Each day is found by the first reader that knows it, then days are joined into lists and ranges. Days of the week and dates without a year
are the next ones to come. A day that is named but not understood (« hier », « le 31/02 », « un samedi sur deux ») makes the whole unread:
answering the rest would be answering something else.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from bocage.assistant.hours_notation import MONTHS, WEEKDAYS
from bocage.methods.calendars import public_holidays

DaySpan = tuple[date, date]
"""First and last day, both included."""

MAX_LISTED = 8
"""Days of a list that are answered one by one; « entre Noël et le jour de l’an » has eight."""
_LONGEST_RANGE = timedelta(days=366)
_YEARS_AROUND = 10

_SHORT = ("janv", "fevr", "mars", "avr", "mai", "juin", "juil", "aout", "sept", "oct", "nov", "dec")

# Holidays and eves that people name: first and last day, after Easter Sunday.
_EASTER_DAYS = {
    "vendredi saint": (-2, -2),
    "week-end de paques": (-1, 1),
    "dimanche de paques": (0, 0),
    "lundi de paques": (1, 1),
    "paques": (0, 0),
    "jeudi de l'ascension": (39, 39),
    "week-end de l'ascension": (39, 42),
    "pont de l'ascension": (40, 40),
    "ascension": (39, 39),
    "week-end de pentecote": (48, 50),
    "week-end de la pentecote": (48, 50),
    "dimanche de pentecote": (49, 49),
    "lundi de pentecote": (50, 50),
    "pentecote": (49, 49),
}
_FIXED_DAYS = {
    "veille de noel": (12, 24),
    "reveillon de noel": (12, 24),
    "jour de noel": (12, 25),
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
_NAMES = "|".join(
    re.escape(name).replace(r"\-", "[- ]").replace("week[- ]end", "week[- ]?end")
    for name in sorted([*_EASTER_DAYS, *_FIXED_DAYS], key=len, reverse=True)
)
_DAY = rf"(?:{'|'.join(WEEKDAYS)})"
_NUMBER = r"(?:\d{1,2}|1er|premier)"
_MONTH = rf"({'|'.join(MONTHS)}|{'|'.join(_SHORT)})\b\.?(?: (\d{{4}})\b)?"
_JOINT = r" ?(?:,|et|ou|au|a|-|jusqu'au) ?(?:le |les )?"
# A number alone is a day of the month when nothing is counted by it: « le 25 ? », « le 2 à 9 h », « du 21 au 24 ».
_END = r"\b(?= ?(?:$|[?!.,;]|a \d|de \d|au matin|matin|midi|soir|apres|vers))"
_NOT_TIME = r"(?! ?(?:h|:|/)\b)"

_STREET = re.compile(
    r"\b(?:rue|place|avenue|boulevard|bd|square|cours|quai|allee|impasse|salle|stade|ecole|gymnase|pont)"
    rf" (?:de la |de l'|du |des |de |d')(?:{_NUMBER} ?{_MONTH}|{_NAMES})"
)
_NIGHT_BETWEEN = re.compile(rf"\bnuit (?:de |du )({_DAY}) (?:a|au) {_DAY}\b")
_NOT_A_DAY = re.compile(
    r"\b(?:vacances|conges|marche|repas|fetes?|arbre|sapins?|gouter|spectacles?|colis|concert|illuminations?) (?:scolaires )?"
    r"(?:de la |de l'|de |d'|du )?$"
)
_RANGE = re.compile(r" ?(?:au|a|-|jusqu'au|jusqu'a) ?(?:le |la |l')?")
_AND = re.compile(r" ?et (?:le |la |l')?")
_BETWEEN = re.compile(r"\bentre (?:le |la |l')?$")


@dataclass(frozen=True, slots=True)
class NamedDays:
    """The days of a question, in order; None when one is named but not understood, empty when none is named."""

    spans: tuple[DaySpan, ...] | None
    rest: str
    """The text without what names days: « le 24/12 » is not read again as an hour, nor « 5 décembre » as a month."""
    dated: bool
    """Whether a day is told by more than its name in the week: « samedi » may be any Saturday of July, « demain » may not."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """``today``, and the day from which a day is looked for: that of the question, or the one said just before."""

    today: date
    since: date


_Reader = Callable[[re.Match[str], _Asked], "DaySpan | None"]


@dataclass(frozen=True, slots=True)
class _Mention:
    found: re.Match[str]
    read: _Reader

    @property
    def is_weekday(self) -> bool:
        return self.read is _weekday


def named_days(text: str, today: date) -> NamedDays:
    """The days that ``text`` (folded) names, seen from ``today``."""
    text = _NIGHT_BETWEEN.sub(r"\1 nuit", _STREET.sub(" ", text))
    mentions, rest = _mentions(text)
    return NamedDays(_joined(text, mentions, today), rest, any(not mention.is_weekday for mention in mentions))


def _mentions(text: str) -> tuple[list[_Mention], str]:
    """What names days, from left to right, and the text without it."""
    found: list[_Mention] = []
    rest = text
    for pattern, read in _READERS:
        for match in pattern.finditer(rest):
            if read is _holiday and _NOT_A_DAY.search(text[max(0, match.start() - 40) : match.start()]):
                continue
            found.append(_Mention(match, read))
        for mention in (m for m in found if m.read is read):
            start, end = mention.found.span()
            rest = f"{rest[:start]}{chr(0) * (end - start)}{rest[end:]}"
    return sorted(found, key=lambda mention: mention.found.start()), re.sub(r"\x00+", " ", rest)


def _joined(text: str, mentions: list[_Mention], today: date) -> tuple[DaySpan, ...] | None:
    if len(mentions) > MAX_LISTED:
        return None
    spans: list[DaySpan] = []
    for number, mention in enumerate(mentions):
        before = mentions[number - 1] if number else None
        ranged = before is not None and _is_range(text, before, mention)
        span = _resolved(mention, before, spans[-1] if spans else None, ranged, today)
        if span is None:
            return None
        if ranged:
            span = (spans.pop()[0], span[1])
            if not timedelta() <= span[1] - span[0] <= _LONGEST_RANGE:
                return None
        spans.append(span)
    return _in_order(spans)


def _is_range(text: str, before: _Mention, after: _Mention) -> bool:
    """« du 21 au 24 », « de lundi à jeudi », « entre Noël et le jour de l’an »: not « lundi et mardi »."""
    gap = text[before.found.end() : after.found.start()]
    if _RANGE.fullmatch(gap):
        return True
    return bool(_AND.fullmatch(gap) and _BETWEEN.search(text[max(0, before.found.start() - 10) : before.found.start()]))


def _resolved(mention: _Mention, before: _Mention | None, last: DaySpan | None, ranged: bool, today: date) -> DaySpan | None:
    if last is not None and ranged:
        return mention.read(mention.found, _Asked(today, last[0]))
    if last is not None and before is not None and before.is_weekday and mention.is_weekday:
        # On a Tuesday, « lundi et mardi » is next Monday and the day after, not today.
        following = mention.read(mention.found, _Asked(today, last[1]))
        if following is not None and following[0] - last[1] == timedelta(days=1):
            return following
    return mention.read(mention.found, _Asked(today, today))


def _in_order(spans: list[DaySpan]) -> tuple[DaySpan, ...] | None:
    """Sorted, those that touch made one; None when a list is too long to be answered day by day."""
    merged: list[DaySpan] = []
    for first, last in sorted(spans):
        if merged and first <= merged[-1][1] + timedelta(days=1):
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    count = sum((last - first).days + 1 for first, last in merged)
    return tuple(merged) if len(merged) <= 1 or count <= MAX_LISTED else None


def easter(year: int) -> date:
    """Easter Sunday, from the calendar of public holidays."""
    return next(day for day, name in public_holidays("FR", [year]).items() if "Lundi de Pâques" in name) - timedelta(days=1)


def _holiday(found: re.Match[str], asked: _Asked) -> DaySpan | None:
    name = found[1].replace("saint ", "saint-").replace("weekend", "week-end").replace("week end", "week-end")
    if found[2]:
        return _of_year(name, int(found[2])) if abs(int(found[2]) - asked.today.year) <= _YEARS_AROUND else None
    this = _of_year(name, asked.since.year)
    return this if this[1] >= asked.since else _of_year(name, asked.since.year + 1)


def _of_year(name: str, year: int) -> DaySpan:
    if name in _FIXED_DAYS:
        return (date(year, *_FIXED_DAYS[name]),) * 2
    first, last = _EASTER_DAYS[name]
    return easter(year) + timedelta(days=first), easter(year) + timedelta(days=last)


def _iso(found: re.Match[str], asked: _Asked) -> DaySpan | None:
    return _one(_date(int(found[1]), int(found[2]), int(found[3]), asked))


def _in_words(found: re.Match[str], asked: _Asked) -> DaySpan | None:
    names = MONTHS if found[2] in MONTHS else _SHORT
    return _dated(_rank(found[1]), names.index(found[2]) + 1, found[3], asked)


def _in_digits(found: re.Match[str], asked: _Asked) -> DaySpan | None:
    return _dated(int(found[1]), int(found[2]), found[3], asked)


def _dated(number: int, month: int, year: str | None, asked: _Asked) -> DaySpan | None:
    if year:
        return _one(_date(int(year) + (2000 if len(year) == 2 else 0), month, number, asked))
    # « le 29 février » is looked for as far as the next leap year.
    years = (_date(asked.since.year + ahead, month, number, asked) for ahead in range(9))
    return _one(next((day for day in years if day and day >= asked.since), None))


def _after_tomorrow(found: re.Match[str], asked: _Asked) -> DaySpan:
    return (asked.today + timedelta(days=2),) * 2


def _tomorrow(found: re.Match[str], asked: _Asked) -> DaySpan:
    return (asked.today + timedelta(days=1),) * 2


def _today(found: re.Match[str], asked: _Asked) -> DaySpan:
    return asked.today, asked.today


def _week(found: re.Match[str], asked: _Asked) -> DaySpan:
    monday = asked.today - timedelta(days=asked.today.weekday()) + timedelta(days=7 if found[1] else 0)
    return max(monday, asked.today), monday + timedelta(days=6)


def _weekend(found: re.Match[str], asked: _Asked) -> DaySpan:
    today = asked.today
    saturday = today + timedelta(days=(5 - today.weekday()) % 7 if today.weekday() < 6 else -1)
    if found[1] and today.weekday() >= 5:
        saturday += timedelta(days=7)
    return max(saturday, today), saturday + timedelta(days=1)


def _weekday(found: re.Match[str], asked: _Asked) -> DaySpan:
    wanted, which = WEEKDAYS.index(found[1]), found[2]
    if which and which.endswith("semaine prochaine"):
        return (asked.today + timedelta(days=7 - asked.today.weekday() + wanted),) * 2
    ahead = (wanted - asked.since.weekday()) % 7
    if which == "en huit" or (which and ahead == 0):
        ahead += 7
    return (asked.since + timedelta(days=ahead),) * 2


def _day_of_month(found: re.Match[str], asked: _Asked) -> DaySpan | None:
    """« le 25 », « vendredi 25 »: in the first month to come where it is that day of the week."""
    weekday, number = found[1], _rank(found[2])
    months = (asked.since.month - 1 + ahead for ahead in range(13))
    days = (_date(asked.since.year + month // 12, month % 12 + 1, number, asked) for month in months)
    return _one(
        next((day for day in days if day and day >= asked.since and (not weekday or day.weekday() == WEEKDAYS.index(weekday))), None)
    )


def _not_understood(found: re.Match[str], asked: _Asked) -> None:
    return None


def _one(day: date | None) -> DaySpan | None:
    return (day, day) if day else None


def _rank(text: str) -> int:
    return 1 if text in ("1er", "premier") else int(text)


def _date(year: int, month: int, number: int, asked: _Asked) -> date | None:
    """A date of these years; none for « 8 mai 1945 », which names a street."""
    try:
        return date(year, month, number) if abs(year - asked.today.year) <= _YEARS_AROUND else None
    except ValueError:
        return None


# In order: what one reader takes, the next ones do not see.
_READERS: tuple[tuple[re.Pattern[str], _Reader], ...] = tuple(
    (re.compile(pattern), read)
    for pattern, read in (
        (rf"\b({_NAMES})\b(?: (\d{{4}})\b)?", _holiday),
        (r"\b(\d{4})-(\d{2})-(\d{2})\b", _iso),
        (rf"\b(?:{_DAY},? )?({_NUMBER})\b(?=(?:{_JOINT}(?:{_DAY} )?{_NUMBER}){{1,7}} ?{_MONTH})", _in_words),
        (rf"\b(?:{_DAY},? )?({_NUMBER}) ?{_MONTH}", _in_words),
        (rf"\b(?:{_DAY},? )?(?!24/24|7/7)(\d{{1,2}})/(\d{{1,2}})(?:/(\d{{4}}|\d{{2}}))?\b(?! ?h)", _in_digits),
        (r"\b(?:avant[- ])?hier\b", _not_understood),
        (r"\bapres[- ]?demain\b", _after_tomorrow),
        (r"\b(?:demain|2main|dmain|demin)\b", _tomorrow),
        # « ce soir » keeps « soir » for the hours.
        (
            r"\b(?:aujourd'? ?hui|ajd|auj|ce jour)\b"
            r"|\b(?:ce|cet|cette) (?=(?:matin|midi|soir|apres[- ]midi|aprem|soiree|matinee|nuit)\b)",
            _today,
        ),
        (
            rf"\b(?:chaque|tous les|toutes les|un|1er|premier|2e|2eme|deuxieme|3e|3eme|troisieme|4e|4eme|quatrieme|dernier) {_DAY}s?\b"
            rf"|\b{_DAY}s\b|\b{_DAY} (?:dernier|passe|sur deux|du mois)\b",
            _not_understood,
        ),
        (rf"\b({_DAY}) ({_NUMBER}){_NOT_TIME}(?:{_END}|\b(?={_JOINT}(?:{_DAY} )?{_NUMBER}{_END}))", _day_of_month),
        (rf"\b({_DAY})(?: (prochain|en huit|qui vient|qui suit|(?:de la )?semaine prochaine))?\b", _weekday),
        (r"\b(?:cette semaine|(semaine prochaine))\b", _week),
        (r"\b(?:week[- ]?end|we)\b( prochain)?(?! (?:du|des|de l'|de [a-z]))", _weekend),
        (rf"(?<=\ble |\bdu |\bau )()({_NUMBER}){_NOT_TIME}(?:{_END}|\b(?={_JOINT}{_NUMBER}{_END}))", _day_of_month),
    )
)
