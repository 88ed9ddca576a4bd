"""The time axis of charts: which dates carry a tick, and what is written under them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import accumulate, pairwise
from statistics import median

_MONTHS = ("janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc.")
_DAYS = ("lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim.")
_CHAR = 6.6
_GAP = 14
HOLE = 4.0
"""Times the usual distance between two dates from which nothing is known in between; from Friday to Tuesday there are four."""


@dataclass(slots=True)
class Tick:
    """One tick: the index it stands at, its words, how they hang under it, whether it is what the page is about."""

    index: int
    text: str
    anchor: str = "middle"
    marked: bool = False

    def span(self, x: Callable[[float], float]) -> tuple[float, float]:
        """From where to where the words run."""
        at, width = x(self.index), label_width(self.text) * (1.08 if self.marked else 1)
        left = {"start": at, "middle": at - width / 2, "end": at - width}[self.anchor]
        return left, left + width


def label_width(text: str) -> float:
    """About how wide ``text`` is at 13 px."""
    return _CHAR * len(text)


def axis_label(x: str) -> str:
    """« sam. 21 nov. » for an ISO date, « sam. 21 nov., 8 h » for an ISO time, the label itself otherwise."""
    when = _read(x)
    if when is None:
        return x
    day = f"{_DAYS[when.weekday()]} {_rank(when)} {_MONTHS[when.month - 1]}"
    if not isinstance(when, datetime):
        return day
    return f"{day}, {when.hour} h {when.minute:02d}" if when.minute else f"{day}, {when.hour} h"


def positions(xs: Sequence[str]) -> tuple[list[float], frozenset[int]]:
    """Where each label stands on the axis, in steps from the first, and the labels before which something is missing.

    Dates and times that are ``HOLE`` times further apart than most are not joined: their distance is that of the calendar, cut so that a
    hole never takes more than a quarter of the drawing. Weekends that a series of working days leaves out are no hole.
    """
    when = [_read(text) for text in xs]
    same = [float(i) for i in range(len(xs))]
    if len(xs) < 3 or any(w is None for w in when):
        return same, frozenset()
    instants = [datetime(w.year, w.month, w.day, *((w.hour, w.minute) if isinstance(w, datetime) else ())) for w in when if w is not None]
    apart = [(b - a).total_seconds() for a, b in pairwise(instants)]
    usual = median(apart)
    if usual <= 0:
        return same, frozenset()
    holes = frozenset(i + 1 for i, gap in enumerate(apart) if gap > HOLE * usual)
    widths = [min(gap / usual, len(xs) / 4 + 1) if i + 1 in holes else 1.0 for i, gap in enumerate(apart)]
    return [0.0, *accumulate(widths)], holes


def time_ticks(xs: Sequence[str], mark: str, x: Callable[[float], float], width: float) -> list[Tick]:
    """Ticks that do not touch, within ``width``: at day, week or month starts for dates and times, evenly for other labels.

    The date ``mark`` always has its tick, and the neighbours that it would touch give way.
    """
    when = [_read(text) for text in xs]
    if any(w is None for w in when):
        ticks = [Tick(i, text) for i, text in enumerate(xs)]
        return _thinned(ticks, x, width, range(1, len(xs) + 1))
    starts = _day_starts([w for w in when if w is not None])
    if not starts:
        ticks = [Tick(i, f"{w.hour} h") for i, w in enumerate(when) if isinstance(w, datetime) and not w.minute]
        return _thinned(ticks, x, width, (1, 2, 3, 6, 12, 24))
    marked = [i for i in starts if mark and xs[i][:10] == mark]
    mondays = [i for i in starts if when[i].weekday() == 0]  # type: ignore[union-attr]
    long = len(starts) > 10 and len(mondays) >= 2
    chosen = mondays if long else starts
    ticks = [Tick(i, "") for i in chosen]

    def tell(some: list[Tick]) -> None:
        _tell(some, when)  # type: ignore[arg-type]

    kept = _thinned(ticks, x, width, (1, 2, 4, 8, 13, 26, 52) if long else range(1, len(ticks) + 1), tell)
    return _with_mark(kept, [Tick(i, "", marked=True) for i in marked[:1]], x, width, tell)


def _tell(ticks: list[Tick], when: Sequence[date]) -> None:
    """Write each tick's day; its month where the tick before has another one, and its year likewise. Ticks are in order."""
    before: date | None = None
    for tick in ticks:
        tick.text = _short(when[tick.index], before)
        before = when[tick.index]


def _with_mark(
    ticks: list[Tick], marked: list[Tick], x: Callable[[float], float], width: float, tell: Callable[[list[Tick]], None]
) -> list[Tick]:
    """``ticks`` and the marked one; those that touch it give way, and so do those that touch once their month is written."""
    if not marked:
        return ticks
    kept = sorted((*(t for t in ticks if t.index != marked[0].index), *marked), key=lambda t: t.index)
    while True:
        tell(kept)
        for tick in kept:
            _hang(tick, x, width)
        touching = next(((a, b) for a, b in pairwise(kept) if a.span(x)[1] + 6 >= b.span(x)[0]), None)
        if touching is None:
            return kept
        kept.remove(touching[0] if touching[1].marked else touching[1])


def _thinned(
    ticks: list[Tick], x: Callable[[float], float], width: float, steps: Sequence[int], tell: Callable[[list[Tick]], None] = lambda _: None
) -> list[Tick]:
    """Every k-th tick, for the first k of ``steps`` at which no two touch. ``tell`` writes the words of those that are kept."""
    for step in steps:
        kept = ticks[::step]
        tell(kept)
        for tick in kept:
            _hang(tick, x, width)
        spans = [tick.span(x) for tick in kept]
        if all(a[1] + _GAP <= b[0] for a, b in pairwise(spans)):
            return kept
    return ticks[:1]


def _hang(tick: Tick, x: Callable[[float], float], width: float) -> None:
    """Words hang from their middle, or from a side where they would leave the drawing."""
    tick.anchor = "middle"
    left, right = tick.span(x)
    if left < 0:
        tick.anchor = "start"
    elif right > width:
        tick.anchor = "end"


def _day_starts(when: Sequence[date]) -> list[int]:
    """The first index of each day; the first day counts when it begins at its start. Empty within a single day."""
    starts = [i for i, w in enumerate(when) if i and _day(w) != _day(when[i - 1])]
    first = when[0]
    if not isinstance(first, datetime) or (starts and first.hour == 0):
        starts = [0, *starts]
    return starts


def _short(when: date, before: date | None) -> str:
    said = f"{_DAYS[when.weekday()]} {_rank(when)}"
    if before is None or (before.year, before.month) != (when.year, when.month):
        said += f" {_MONTHS[when.month - 1]}"
    return f"{said} {when.year}" if before is not None and before.year != when.year else said


def _rank(when: date) -> str:
    return "1er" if when.day == 1 else str(when.day)


def _day(when: date) -> date:
    return when.date() if isinstance(when, datetime) else when


def _read(x: str) -> date | None:
    try:
        return datetime.fromisoformat(x) if len(x) > 10 else date.fromisoformat(x)
    except ValueError:
        return None
