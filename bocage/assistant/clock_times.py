"""The hours of the day that a question names: « à 17 h 30 », « entre 12 h et 14 h », « avant 9 h », « le matin ».

A length of time is no hour: « 2 h de salle », « pendant trois heures ».
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

_SPELT = ("deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze", "douze", "treize", "quatorze", "quinze", "seize",
          "dix-sept", "dix-huit", "dix-neuf", "vingt", "vingt-et-une", "vingt-deux", "vingt-trois")  # fmt: skip
_SPELT_HOUR = re.compile(rf"\b({'|'.join(sorted(_SPELT, key=len, reverse=True))}) heures?\b")
# « à 8.30 »: a date would have its article, a price its euros.
_DOT = re.compile(r"\b(a|vers|des|de|entre|avant|apres|jusqu'a) ([01]?\d|2[0-3])\.([0-5][05])\b(?!\.?\d| ?(?:€|euros?))")
_COLON = re.compile(r"\b(\d{1,2}) ?:(\d{2})\b")
_QUARTER = re.compile(r"\b(\d{1,2}) ?h(?:eures?|rs?)? (et demie?|et quart|moins le quart)\b")
_NOON_TO_TWO = re.compile(r"\bentre midi et (?:deux|14 ?h|2 ?h)\b(?: heures)?")
_NOON = re.compile(r"(?<!apres[ -])\bmidi\b(?: (et demie?|et quart))?")
_MIDNIGHT = re.compile(r"\bminuit\b")

_UNIT = r" ?h(?:eures?|rs?)?(?![a-z])"
_CLOCK = rf"(\d{{1,2}}){_UNIT}(?: ?(\d{{2}})\b)?"
# « de 9 à 17 h »: the first may go without its unit.
_FIRST = rf"(\d{{1,2}})(?:{_UNIT}(?: ?(\d{{2}})\b)?)?"
_SPAN = re.compile(rf"\b(?:de|entre) {_FIRST} ?(?:a|-|et|jusqu'a) ?{_CLOCK}|\b{_FIRST} ?- ?{_CLOCK}")
_BOUND = re.compile(rf"\b(avant|apres|jusqu'a) {_CLOCK}")
_TIME = re.compile(rf"\b{_CLOCK}(?! ?/ ?24)(?: (?:du|de l'|le) ?(matin|mat|apres[- ]midi|aprem|soir))?")

_LENGTH = rf"\d{{1,3}}(?:{_UNIT}(?: ?\d{{2}}\b)?| ?min(?:utes?)?\b)"
# A length that no « à », « vers », « de »… makes an hour.
_BARE_LENGTH = rf"(?<!\ba )(?<!\bde )(?<!vers )(?<!\bet )(?<!des )(?<!avant )(?<!apres )(?<!entre )\b{_LENGTH}"
_DURATION = re.compile(
    r"\b(?:pour|pendant|durant|durees?|combien|en|par|depuis|dans|sous|d'ici|il y a|toutes les|plus de|moins de|au moins|forfait|ticket"
    rf"|carte|abonnement|location|louer|tarif)(?: (?:de|d'|les|la|une?|environ|pour))? {_LENGTH}(?: (?:ou|et|a) {_LENGTH})?"
    rf"|{_BARE_LENGTH} (?:avant|apres(?![- ]?(?:demain|midi))|par|gratuite?s?|d'|de (?!l')[a-z])"
    rf"|\bcombien [^?!.;]{{0,60}}?{_BARE_LENGTH}"
)
_PARTS = {
    "matin": (360, 720),
    "matinee": (360, 720),
    "apres[- ]midi": (720, 1080),
    "aprem": (720, 1080),
    "soiree": (1080, 1380),
    "soir": (1080, 1380),
    "nuit": (1320, 1800),
}
_PART = re.compile(rf"\b({'|'.join(_PARTS)})\b")
_ANY_DAY = re.compile(r"\b(?:le (?:matin|midi|soir)|l'(?:apres[- ]midi|aprem)|la nuit|en (?:matinee|soiree|journee|apres[- ]midi))\b")


@dataclass(frozen=True, slots=True)
class ClockTime:
    """Minutes after midnight, ``end`` over 1440 past the next one. ``rough``: its edges are not the person’s own (« ce matin »)."""

    kind: Literal["instant", "span"]
    start: int
    end: int
    rough: bool = False


@dataclass(frozen=True, slots=True)
class ClockTimes:
    """What a question says of the hours: one time, or none, and whether some were said that make no single time."""

    one: ClockTime | None = None
    unclear: bool = False


def is_of_any_day(text: str) -> bool:
    """« le soir », « l’après-midi »: a habit and no day, when no day is named."""
    return bool(_ANY_DAY.search(text))


def without_durations(text: str) -> str:
    """``text`` (folded) without the lengths of time: « combien pour 2 h de salle ? » names no hour."""
    return _DURATION.sub(" ", _in_figures(text))


def read_times(text: str) -> ClockTimes:
    """The one time of day in ``text`` (folded, without durations): « à 9 h ou à 14 h » and « à 25 h » are unclear."""
    text = _NOON.sub(lambda found: "12h" + {"et demie": "30", "et demi": "30", "et quart": "15"}.get(found[1] or "", ""), text)
    text = _MIDNIGHT.sub("24h", text)
    times: set[ClockTime | None] = set()
    for pattern, read in ((_SPAN, _span), (_BOUND, _bound), (_TIME, _instant)):
        times |= {read(found) for found in pattern.finditer(text)}
        text = pattern.sub(" ", text)
    parts = {_part(found[1]) for found in _PART.finditer(text)}
    if not times:
        return ClockTimes(next(iter(parts))) if len(parts) == 1 else ClockTimes(unclear=bool(parts))
    if len(times) > 1 or len(parts) > 1 or None in times:
        return ClockTimes(unclear=True)
    (one,) = times
    assert one is not None
    return ClockTimes(_in_part(one, next(iter(parts))) if parts else one)


def _in_figures(text: str) -> str:
    text = _NOON_TO_TWO.sub("de 12h a 14h", text)
    text = _SPELT_HOUR.sub(lambda found: f"{_SPELT.index(found[1]) + 2}h", text)
    text = _DOT.sub(r"\1 \2h\3", text)
    return _QUARTER.sub(_quarter, _COLON.sub(r"\1h\2", text))


def _quarter(found: re.Match[str]) -> str:
    if found[2] == "moins le quart":
        return f"{(int(found[1]) - 1) % 24}h45"
    return f"{found[1]}h{15 if found[2] == 'et quart' else 30}"


def _span(found: re.Match[str]) -> ClockTime | None:
    first, last = (found[1], found[2]), (found[3], found[4])
    if found[1] is None:
        first, last = (found[5], found[6]), (found[7], found[8])
    start, end = _minutes(*first), _minutes(*last)
    if start is None or end is None or start == end or start == 1440:
        return None
    return ClockTime("span", start, end if end > start else end + 1440)


def _bound(found: re.Match[str]) -> ClockTime | None:
    """« jusqu’à 19 h ? » asks when it closes, not whether it is open then: the hours of the day say it."""
    minutes = _minutes(found[2], found[3])
    if minutes in (None, 0, 1440) or found[1] == "jusqu'a":
        return None
    assert minutes is not None
    return ClockTime("span", 0, minutes, rough=True) if found[1] == "avant" else ClockTime("span", minutes, 1440, rough=True)


def _instant(found: re.Match[str]) -> ClockTime | None:
    minutes = _minutes(found[1], found[2])
    if minutes is None:
        return None
    if found[3] and found[3].startswith(("soir", "apr")) and minutes < 720:
        minutes += 720
    return ClockTime("instant", minutes, minutes)


def _part(name: str) -> ClockTime:
    start, end = next(edges for pattern, edges in _PARTS.items() if re.fullmatch(pattern, name))
    return ClockTime("span", start, end, rough=True)


def _in_part(time: ClockTime, part: ClockTime) -> ClockTime:
    """« ce soir à 8 h » is 20 h."""
    later = time.start + 720
    if time.kind == "instant" and time.start < 720 and part.start <= later < part.end and part.start >= 720:
        return ClockTime("instant", later, later)
    return time


def _minutes(hours: str, minutes: str | None) -> int | None:
    total = int(hours) * 60 + int(minutes or 0)
    return total if int(minutes or 0) < 60 and total <= 1440 else None
