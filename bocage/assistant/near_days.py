"""Days told by another one: « la veille de Noël », « la semaine du 14 », « le pont de l’Ascension », « le samedi avant Pâques »."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from bocage.assistant.feasts import DaySpan
from bocage.assistant.hours_notation import WEEKDAYS

REACH = timedelta(days=7)
"""How far the day that is told may be from the one that tells it."""

_OF = r"(?:de la |de l'|des |de |du |d')"
_THE = r"(?:le |la |l'|les )?"
_LONGEST = 50
_DAY = rf"(?:{'|'.join(WEEKDAYS)})"
_SHIFTS = {"avant-veille": -2, "veille": -1, "jour avant": -1, "jour apres": 1, "lendemain": 1, "surlendemain": 2}
# From the day of the week of a feast to the first and last days that it makes free: from a Thursday to Sunday. A Wednesday makes none.
_LONG_WEEKENDS = {0: (-2, 0), 1: (-3, 0), 3: (0, 3), 4: (0, 2), 5: (0, 1), 6: (-1, 0)}

_Teller = Callable[[re.Match[str], DaySpan], "DaySpan | None"]


@dataclass(frozen=True, slots=True)
class Near:
    """What stands before a day and tells another by it."""

    found: re.Match[str]
    tell: _Teller

    @property
    def start(self) -> int:
        """Where it begins in the text."""
        return self.found.start()

    def of(self, span: DaySpan) -> DaySpan | None:
        """The days that are told by ``span``; None when that cannot be known."""
        return self.tell(self.found, span)


def near_before(text: str, end: int) -> Near | None:
    """What tells a day by the one that is named at ``end`` of ``text`` (folded); None when nothing does."""
    for pattern, tell in _TELLERS:
        if found := pattern.search(text, max(0, end - _LONGEST), end):
            return Near(found, tell)
    return None


def _shifted(found: re.Match[str], span: DaySpan) -> DaySpan:
    name = re.sub(r"(?<=^jour )(?:d'|juste )", "", found[1]).replace("avant veille", "avant-veille")
    days = timedelta(days=_SHIFTS[name])
    return ((span[0] if days < timedelta() else span[1]) + days,) * 2


def _week(found: re.Match[str], span: DaySpan) -> DaySpan | None:
    """« la semaine de Pâques »: for some the one that a Sunday ends, for others the one that it begins."""
    if span[0].weekday() == 6:
        return None
    monday = span[0] - timedelta(days=span[0].weekday())
    return monday, monday + timedelta(days=6)


def _long_weekend(found: re.Match[str], span: DaySpan) -> DaySpan | None:
    edges = _LONG_WEEKENDS.get(span[0].weekday())
    return (span[0] + timedelta(days=edges[0]), max(span[1], span[0] + timedelta(days=edges[1]))) if edges else None


def _weekday_by(found: re.Match[str], span: DaySpan) -> DaySpan:
    """« le samedi avant Noël »: the last before it; « le lundi après »: the first after it."""
    wanted = WEEKDAYS.index(found[1])
    if found[2] in ("avant", "precedant", "qui precede"):
        return (span[0] - timedelta(days=(span[0].weekday() - wanted - 1) % 7 + 1),) * 2
    return (span[1] + timedelta(days=(wanted - span[1].weekday() - 1) % 7 + 1),) * 2


def _same(found: re.Match[str], span: DaySpan) -> DaySpan:
    return span


def _unknown(found: re.Match[str], span: DaySpan) -> None:
    """« avant Noël », « tous les jours sauf lundi »: no day that can be answered for."""


_TELLERS: tuple[tuple[re.Pattern[str], _Teller], ...] = tuple(
    (re.compile(pattern), tell)
    for pattern, tell in (
        (rf"\b(avant[- ]veille|veille|lendemain|surlendemain) {_OF}{_THE}$", _shifted),
        (rf"\b(jour (?:d'|juste )?(?:avant|apres)) {_THE}$", _shifted),
        (rf"\b({_DAY}) (?:d'|juste )?(avant|apres|precedant|suivant|qui precede|qui suit) {_THE}$", _weekday_by),
        (rf"\bsemaine {_OF}$", _week),
        (rf"\b(?:week[- ]?end|we|pont) (?:prolonge )?{_OF}$", _long_weekend),
        (rf"\breveillon {_OF}$", _same),
        (rf"\b(?:avant|apres|sauf|hormis|excepte|hors) {_THE}$", _unknown),
    )
)
