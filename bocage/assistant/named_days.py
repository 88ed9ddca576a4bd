"""The days that a question names: « demain », « lundi et mardi », « le 24 et le 31 décembre », « entre Noël et le jour de l’an ».

Each day is found by the first reader that knows it (the service’s own names first: « foire de printemps »), then days are joined into lists
and ranges. Days of the week and dates without a year are the next ones to come. A day that is named but not understood (« le 31/02 »,
« lundi de la braderie », « un samedi sur deux ») makes the whole unread: answering the rest would be answering something else.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from bocage.assistant.feasts import NAMES, DaySpan, feast
from bocage.assistant.hours_notation import MONTHS, WEEKDAYS
from bocage.assistant.near_days import REACH, Near, near_before
from bocage.assistant.opening_hours import DatedException, Schedule, fold

MAX_LISTED = 8
"""Days of a list that are answered one by one; « entre Noël et le jour de l’an » has eight."""
_LONGEST_RANGE = timedelta(days=366)
_YEARS_AROUND = 10
_TRIES = 4

_SHORT = ("janv", "fevr", "mars", "avr", "mai", "juin", "juil", "aout", "sept", "oct", "nov", "dec")

_DAY = rf"(?:{'|'.join(WEEKDAYS)})"
_NUMBER = r"(?:\d{1,2}|1 ?er|premier)"
_MONTH = rf"({'|'.join(MONTHS)}|{'|'.join(_SHORT)})\b\.?(?: (\d{{4}})\b)?"
_JOINT = r" ?(?:,|et|ou|au|a|-|jusqu'au) ?(?:le |les )?"
# A number alone is a day of the month when nothing is counted by it: « le 25 ? », « le 2 à 9 h », « du 21 au 24 ».
_END = r"\b(?= ?(?:$|[?!.,;]|a \d|de \d|au matin|matin|midi|soir|apres|vers))"
_NOT_TIME = r"(?! ?(?:h|:|/)\b|[/.-]\d)"
_WAYS = "rue|place|avenue|boulevard|bd|square|cours|quai|allee|impasse"
# « le 1/2 tarif », « au 3-5 rue des Halles », « 14-16 h »: no date.
_COUNTED = rf"(?! ?(?:h|heures?|ans?|mois|euros?|km|kg|m2?|min|mn|personnes?|journees?|tarifs?|bis|ter|chemin|route|{_WAYS})\b| ?[€%])"
_EIGHT = ("huit", "8")
_PLACES = "mairie|dechett?erie|piscine|mediatheque|bibliotheque|ludotheque|musee|ccas|creche|ecole|poste|maison|accueil|service"
# With a dot or a dash and no year, an article, a day of the week or another date tells a date from a price or hours.
_DOTTED = rf"(?P<day>\d{{1,2}})\.(?P<month>0?[1-9]|1[0-2])(?!\w| ?[/.-] ?\d){_COUNTED}"
_DASHED = rf"(?P<day>\d{{1,2}})-(?P<month>0?[1-9]|1[0-2])(?!\w| ?[/.-] ?\d){_COUNTED}"
_AFTER_DATE = r"(?:(?<=\x00 et )|(?<=\x00 ou )|(?<=\x00 au )|(?<=\x00, ))"

_STREET = re.compile(rf"\b(?:{_WAYS}|salle|stade|ecole|gymnase) (?:de la |de l'|du |des |de |d')(?:{_NUMBER} ?{_MONTH}|{NAMES})")
_NIGHT_BETWEEN = re.compile(rf"\bnuit (?:de |du )({_DAY}) (?:a|au) {_DAY}\b")
_NOT_A_DAY = re.compile(
    r"\b(?:vacances|conges|pere|marche|repas|fetes?|arbre|sapins?|gouter|spectacles?|colis|concert|illuminations?) (?:scolaires )?"
    r"(?:de la |de l'|de |d'|du )?$"
)
_RANGE = re.compile(r" ?(?:au|a|-|jusqu'au|jusqu'a) ?(?:le |la |l')?")
_AND = re.compile(r" ?et (?:le |la |l')?")
_BETWEEN = re.compile(r"\bentre (?:le |la |l')?$")
# A label of one word (« travaux », « foire ») names days only where the question says when: « pendant les travaux », « à la foire ».
_WHEN = (
    r"\b(?:(?:pendant|durant|lors) (?:les? |la |l'|des? |du |de la |de l')?|jours? (?:de la |de l'|des |de |du |d')|au |a la |a l'"
    r"|pour (?:le |la |l'))"
)
_TOO_WIDE = re.compile(r"\b(?:vacances|conges|feries?)\b")


@dataclass(frozen=True, slots=True)
class NamedDays:
    """The days of a question, in order; None when one is named but not understood, empty when none is named."""

    spans: tuple[DaySpan, ...] | None
    rest: str
    """The text without what names days: « le 24/12 » is not read again as an hour, nor « 5 décembre » as a month."""
    dated: bool
    """Whether a day is told by more than its name in the week: « samedi » may be any Saturday of July, « demain » may not."""
    unclear: bool = False
    """Whether one is named that could not be found: its date would help. « les samedis » and « hier » need none."""


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
    near: Near | None
    """What tells another day by this one: « la veille de »."""

    @property
    def start(self) -> int:
        return self.near.start if self.near else self.found.start()

    @property
    def end(self) -> int:
        return self.found.end()

    @property
    def is_weekday(self) -> bool:
        return self.read is _weekday and self.near is None

    def days(self, asked: _Asked) -> DaySpan | None:
        """The days meant; None when they are not understood."""
        return self.read(self.found, asked) if self.near is None else self._told(self.near, asked)

    def _told(self, near: Near, asked: _Asked) -> DaySpan | None:
        """On the 24th, « la semaine de Noël » is this one; on the 25th, « la veille de Noël » is that of next year."""
        span, since = None, asked.since - REACH
        for _ in range(_TRIES):
            named = self.read(self.found, _Asked(asked.today, since))
            if named is None:
                return None
            span = near.of(named)
            if (span or named)[1] >= asked.since:
                break
            since = named[0] + timedelta(days=1)
        return span if span is None or span[1] < asked.today else (max(span[0], asked.today), span[1])


def named_days(text: str, today: date, schedule: Schedule | None = None) -> NamedDays:
    """The days that ``text`` (folded) names, seen from ``today``; ``schedule`` gives the names that the service has for its own."""
    text = _NIGHT_BETWEEN.sub(r"\1 nuit", _STREET.sub(" ", text))
    own = _own_names([item for item in schedule.exceptions if item.end >= today] if schedule else [])
    mentions, rest = _mentions(text, (*own, *_READERS))
    unread = [mention for mention in mentions if mention.days(_Asked(today, today)) is None]
    return NamedDays(
        _joined(text, mentions, today),
        re.sub(r"\x00+", " ", rest),
        dated=any(not mention.is_weekday for mention in mentions),
        unclear=bool(unread) and all(mention.read is not _habit for mention in unread),
    )


def _mentions(text: str, readers: tuple[tuple[re.Pattern[str], _Reader], ...]) -> tuple[list[_Mention], str]:
    """What names days, from left to right, and the text with blanks (NUL) in its place."""
    found: list[_Mention] = []
    rest = text
    for pattern, read in readers:
        seen = rest
        for match in pattern.finditer(seen):
            if read is _holiday and _NOT_A_DAY.search(text[max(0, match.start() - 40) : match.start()]):
                continue
            mention = _Mention(match, read, near_before(rest, match.start()))
            found.append(mention)
            rest = f"{rest[: mention.start]}{chr(0) * (mention.end - mention.start)}{rest[mention.end :]}"
    return sorted(found, key=lambda mention: mention.start), rest


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
    gap = text[before.end : after.start]
    if _RANGE.fullmatch(gap):
        return True
    return bool(_AND.fullmatch(gap) and _BETWEEN.search(text[max(0, before.start - 10) : before.start]))


def _resolved(mention: _Mention, before: _Mention | None, last: DaySpan | None, ranged: bool, today: date) -> DaySpan | None:
    if last is not None and ranged:
        return mention.days(_Asked(today, last[0]))
    if last is not None and before is not None and before.is_weekday and mention.is_weekday:
        # On a Tuesday, « lundi et mardi » is next Monday and the day after, not today.
        following = mention.days(_Asked(today, last[1]))
        if following is not None and following[0] - last[1] == timedelta(days=1):
            return following
    return mention.days(_Asked(today, today))


def _in_order(spans: list[DaySpan]) -> tuple[DaySpan, ...] | None:
    """Sorted, those that touch made one; None when a list is too long to be answered day by day."""
    merged = _merged(spans)
    count = sum((last - first).days + 1 for first, last in merged)
    return tuple(merged) if len(merged) <= 1 or count <= MAX_LISTED else None


def _merged(spans: list[DaySpan]) -> list[DaySpan]:
    merged: list[DaySpan] = []
    for first, last in sorted(spans):
        if merged and first <= merged[-1][1] + timedelta(days=1):
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return merged


def _own_names(exceptions: list[DatedException]) -> list[tuple[re.Pattern[str], _Reader]]:
    """The reader of the days that a service names in its exceptions: « foire de printemps », « pendant les travaux »."""
    named: dict[str, list[DaySpan]] = {}
    for item in exceptions:
        label = fold(item.reason).strip(" .,!")
        # « samedi matin » and « congés » are read as in any other question.
        if len(label) > 3 and not _TOO_WIDE.search(label) and all(m.read in (_holiday, _unclear) for m in _mentions(label, _READERS)[0]):
            named.setdefault(label, []).append((item.start, item.end))
    if not named:
        return []

    def read(found: re.Match[str], asked: _Asked) -> DaySpan | None:
        ahead = [span for span in sorted(named[found[1] or found[2]]) if span[1] >= asked.since]
        first = _merged(ahead)[:1]
        return first[0] if first else None

    words = [re.escape(label) for label in sorted(named, key=len, reverse=True)]
    alone, several = ("|".join(w for w in words if (r"\ " in w) is wanted) or r"(?!)" for wanted in (False, True))
    return [(re.compile(rf"(?:{_WHEN}({alone})|(?<!\w)({several}))(?! \d{{4}}\b)(?!\w)"), read)]


def _holiday(found: re.Match[str], asked: _Asked) -> DaySpan | None:
    if found[2]:
        return feast(found[1], int(found[2])) if abs(int(found[2]) - asked.today.year) <= _YEARS_AROUND else None
    this = feast(found[1], asked.since.year)
    return this if this[1] >= asked.since else feast(found[1], asked.since.year + 1)


def _iso(found: re.Match[str], asked: _Asked) -> DaySpan | None:
    return _one(_date(int(found[1]), int(found[3]), int(found[4]), asked))


def _in_words(found: re.Match[str], asked: _Asked) -> DaySpan | None:
    names = MONTHS if found[2] in MONTHS else _SHORT
    return _dated(_rank(found[1]), names.index(found[2]) + 1, found[3], asked)


def _in_digits(found: re.Match[str], asked: _Asked) -> DaySpan | None:
    said = found.groupdict()
    span = _dated(int(said["day"]), int(said["month"]), said.get("year"), asked)
    # « samedi 8.12 », a Tuesday: hours, perhaps.
    weekday = said.get("weekday")
    return span if span is None or not weekday or span[0].weekday() == WEEKDAYS.index(weekday) else None


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


def _in_weeks(found: re.Match[str], asked: _Asked) -> DaySpan:
    """« aujourd’hui en huit », « demain en quinze »."""
    return (asked.today + timedelta(days=(found[1] == "demain") + (7 if found[2] in _EIGHT else 14)),) * 2


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


def _weekday(found: re.Match[str], asked: _Asked) -> DaySpan | None:
    wanted, which = WEEKDAYS.index(found[2]), found[3] or found[1]
    if which and which.endswith("semaine prochaine"):
        return (asked.today + timedelta(days=7 - asked.today.weekday() + wanted),) * 2
    ahead = (wanted - asked.since.weekday()) % 7
    if which and which.startswith("en "):
        # On a Monday, « lundi en huit » is in one week for some, in two for others.
        return (asked.since + timedelta(days=ahead + (7 if which[3:] in _EIGHT else 14)),) * 2 if ahead else None
    return (asked.since + timedelta(days=ahead + (7 if which and ahead == 0 else 0)),) * 2


def _day_of_month(found: re.Match[str], asked: _Asked) -> DaySpan | None:
    """« le 25 », « vendredi 25 »: in the first month to come where it is that day of the week."""
    weekday, number = found[1], _rank(found[2])
    months = (asked.since.month - 1 + ahead for ahead in range(13))
    days = (_date(asked.since.year + month // 12, month % 12 + 1, number, asked) for month in months)
    return _one(
        next((day for day in days if day and day >= asked.since and (not weekday or day.weekday() == WEEKDAYS.index(weekday))), None)
    )


def _unclear(found: re.Match[str], asked: _Asked) -> None:
    """A day, but which?"""


def _habit(found: re.Match[str], asked: _Asked) -> None:
    """Days that no date would tell better: « les samedis », « hier »."""


def _one(day: date | None) -> DaySpan | None:
    return (day, day) if day else None


def _rank(text: str) -> int:
    return 1 if text.endswith("er") else int(text)


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
        # « la nuit de Noël »: the one that ends that morning, or the one that begins that evening?
        (r"\b(?:soir|soiree|nuit) (?:de |du )(?:noel|nouvel an|jour de l'an|premier de l'an)\b", _unclear),
        (rf"\b({NAMES})\b(?: (\d{{4}})\b)?", _holiday),
        (r"(?<!\d[/.-])\b(\d{4})([/.-])(\d{1,2})\2(\d{1,2})(?!\w|[/.-]\d)", _iso),
        (rf"\b(?:{_DAY},? )?({_NUMBER})\b(?=(?:{_JOINT}(?:{_DAY} )?{_NUMBER}){{1,7}} ?{_MONTH})", _in_words),
        (rf"\b(?:{_DAY},? )?({_NUMBER}) ?{_MONTH}", _in_words),
        # « le 24 et le 31/12 », « du 24 au 31.12.2026 »: the month and the year are said once.
        (
            rf"(?<!\d[/.-])\b(?:{_DAY},? |(?<=\ble )|(?<=\bles )|(?<=\bdu )|(?<=\bau )|(?<=, )|(?=\d[^./]{{0,60}}/))(?P<day>\d{{1,2}})\b"
            rf"(?=(?:{_JOINT}(?:{_DAY} )?\d{{1,2}}){{0,6}}{_JOINT}(?:{_DAY} )?\d{{1,2}}"
            rf"[/.](?P<month>0?[1-9]|1[0-2])(?:[/.](?P<year>\d{{4}}|\d{{2}}))?(?!\w|[/.]\d){_COUNTED})",
            _in_digits,
        ),
        (
            rf"(?<!\d[/.-])\b(?:{_DAY},? )?(?P<day>\d{{1,2}})(?P<mark>[/.-])(?P<month>\d{{1,2}})(?P=mark)(?P<year>\d{{4}}|\d{{2}})"
            r"(?!\w|[/.-]\d)",
            _in_digits,
        ),
        (rf"(?<!\d/)\b(?:{_DAY},? |(?<=\ble )|(?!24/24|7/7))(?P<day>\d{{1,2}})/(?P<month>\d{{1,2}})(?!\w|/\d){_COUNTED}", _in_digits),
        (rf"(?:(?<=\bles )|(?<=\ble )|(?<=\bau )|(?<=\bdu )|\b(?P<weekday>{_DAY}),? ){_DOTTED}", _in_digits),
        (rf"(?:(?<=\ble )|(?<=\bdu )(?=\d+-\d+ au )){_DASHED}", _in_digits),
        (rf"{_AFTER_DATE}{_DOTTED}", _in_digits),
        (rf"{_AFTER_DATE}{_DASHED}", _in_digits),
        (rf"(?:(?<=\ble )|(?<=\bau )|(?<=\bdu ))\d{{1,2}}[ .-]\d{{1,2}}(?!\w|[.-]\d| \d\d\b){_COUNTED}", _unclear),
        (r"\b(?:avant[- ])?hier\b", _habit),
        (r"\b(aujourd'? ?hui|demain) en (huit|8|quinze|15)\b", _in_weeks),
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
            _habit,
        ),
        (rf"\b({_DAY}) ({_NUMBER}){_NOT_TIME}(?:{_END}|\b(?={_JOINT}(?:{_DAY} )?{_NUMBER}{_END}))", _day_of_month),
        # « lundi de la braderie », « samedi d’après », « samedi 14-18 »: some Monday, some Saturday, not the next one.
        (
            rf"\b{_DAY} (?:gras|saint|ferie|suivant|precedent|d'avant|d'apres(?![- ]midi))\b"
            rf"|\b{_DAY} (?:des |de |du |d')(?!\d|(?:la |l')?(?:midi|minuit|matin|apres[- ]midi|bonne heure|semaine prochaine|{_PLACES})\b)"
            rf"|\b{_DAY} \d{{1,2}}(?!\d| ?h| ?(?:-|a|et) ?\d{{1,2}} ?h)",
            _unclear,
        ),
        (
            rf"\b(?:(prochain) )?({_DAY})(?: (prochain|en (?:huit|8|quinze|15)|qui vient|qui suit|(?:de la )?semaine prochaine))?\b",
            _weekday,
        ),
        (r"\b(?:cette semaine|(semaine prochaine|prochaine semaine))\b", _week),
        (r"\b(?:week[- ]?end|we)\b( prochain)?(?! (?:du|des|de l'|de [a-z]))", _weekend),
        (rf"(?<=\ble |\bdu |\bau )()({_NUMBER}){_NOT_TIME}(?:{_END}|\b(?={_JOINT}{_NUMBER}{_END}))", _day_of_month),
        (r"\b(?:avant[- ]veille|veille|lendemain|surlendemain|reveillon|chandeleur|epiphanie)\b", _unclear),
    )
)
