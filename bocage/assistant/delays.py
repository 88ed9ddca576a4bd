"""How far from now: « dans 2 h », « dans une heure et demie », « dans trois quarts d’heure », « dans quinze jours ».

« dans les deux heures », « d’ici lundi » and « sous 48 h » name no moment.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_NUMBERS = {
    "un": 1, "une": 1, "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "six": 6, "sept": 7, "huit": 8, "neuf": 9, "dix": 10, "douze": 12,
    "quinze": 15, "vingt": 20, "vingt-cinq": 25, "trente": 30, "quarante": 40, "quarante-cinq": 45, "cinquante": 50,
}  # fmt: skip
_MINUTES_AFTER = {"demi": 30, "demie": 30, "quart": 15}
_FRACTIONS = {"demi": 30, "1/2": 30, "un quart": 15, "quart": 15, "1/4": 15, "trois quarts": 45, "3 quarts": 45, "3/4": 45}

_WORD = "|".join(sorted(_NUMBERS, key=len, reverse=True))
_COUNT = rf"(?:(?P<count>\d{{1,3}}) ?|(?P<word>{_WORD}) )"
_REST = rf"(?: ?(?:et )?(?:un )?(?P<rest>\d{{1,2}}|demie?|quart|{_WORD})\b(?: ?(?:minutes?|min|mn)\b)?)?(?! ?[\d/])"
_DELAY = re.compile(
    r"\bdans (?:environ |a peu pres )?(?:"
    rf"(?:une |1 )?(?P<fraction>{'|'.join(sorted(_FRACTIONS, key=len, reverse=True))})e?[ -](?:d')?(?:h|heure)\b"
    rf"|{_COUNT}(?:(?P<minutes>minutes?|min|mn)\b|(?P<days>jours?|semaines?)\b|(?:heures?|h)(?![a-z]){_REST}))"
)
# « huit jours » is one week and « quinze jours » two, for who does not count.
_ROUND_WEEKS = (8, 15)


@dataclass(frozen=True, slots=True)
class Delay:
    """``minutes`` of elapsed time, or ``days`` (first and last, from today); ``rest`` is the text without it."""

    minutes: int | None
    days: tuple[int, int] | None
    rest: str


def read_delay(text: str) -> Delay | None:
    """The delay that ``text`` (folded) names, or None."""
    found = _DELAY.search(text)
    if found is None:
        return None
    rest = f"{text[: found.start()]} {text[found.end() :]}"
    if found["fraction"]:
        return Delay(_FRACTIONS[found["fraction"]], None, rest)
    count = _number(found["count"] or found["word"])
    if found["days"]:
        last = count * (7 if found["days"].startswith("s") else 1)
        return Delay(None, (last - (last in _ROUND_WEEKS), last), rest)
    return Delay(count if found["minutes"] else 60 * count + _number(found["rest"] or "0"), None, rest)


def _number(text: str) -> int:
    return int(text) if text.isdigit() else _MINUTES_AFTER.get(text) or _NUMBERS[text]
