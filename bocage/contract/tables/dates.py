"""Dates and times by their shape: digits become ``0``, each distinct shape is understood once, numbers are read column-wise."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from bocage.contract.tables.cells import RawCells
from bocage.contract.tables.report import IntArray

Array = npt.NDArray[Any]
WIDTH = 40
"""Characters of the longest text that is looked at; no known layout is that long."""

DAY = 86_400_000_000
"""Microseconds in a day."""

_SHAPE = re.compile(
    r"(?:(?P<Y>0000)(?P<s>[-/.])(?P<p>00?)(?P=s)(?P<q>00?)|(?P<Yc>0000)(?P<pc>00)(?P<qc>00)"
    r"|(?P<a>00?)(?P<t>[-/.])(?P<b>00?)(?P=t)(?P<Z>0000|00))"
    r"(?:(?:[Tt]|,? +|_)(?P<h>00?)(?:[:hH](?P<m>00)?(?::(?P<sec>00)(?:[.,](?P<f>0{1,9}))?)?)?"
    r"(?P<off> ?(?:[Zz]|UTC|(?P<sign>[+-])(?P<oh>00)(?::?(?P<om>00))?))?)?"
)
_SERIAL = re.compile(r"0{5}(?:\.0{1,12})?")
_NEXT_ALLOWED = frozenset(b"0-/.:TtZzUCHh+, _")


@dataclass(frozen=True, slots=True)
class Plan:
    """Where the numbers stand in a shape: (start, end) by name. ``family``: «ymd» year first, «dmy» year last, «serial»."""

    family: str
    spans: dict[str, tuple[int, int]]
    label: str
    swapped: str
    sign: int | None = None


@dataclass(slots=True)
class Parsed:
    """``family`` 0 none, 1 year first, 2 year last, 3 Excel serial; ``y p q`` in the order written; ``clock`` µs in the day."""

    family: npt.NDArray[np.int8]
    y: Array
    p: Array
    q: Array
    clock: IntArray
    offset: IntArray
    aware: npt.NDArray[np.bool_]
    labels: dict[tuple[str, str], int]

    def put(self, rows: IntArray, other: Parsed) -> None:
        """Replace ``rows`` by ``other``, which was parsed from their texts alone."""
        for name in ("family", "y", "p", "q", "clock", "offset", "aware"):
            getattr(self, name)[rows] = getattr(other, name)
        for pair, count in other.labels.items():
            self.labels[pair] = self.labels.get(pair, 0) + count


@lru_cache(maxsize=4096)
def plan_of(shape: str) -> Plan | None:
    """The plan of a shape such as ``0000-00-00 00:00``, or None when it is not a date."""
    if _SERIAL.fullmatch(shape):
        return Plan("serial", {}, "AAAA-MM-JJ", "AAAA-MM-JJ")
    found = _SHAPE.fullmatch(shape)
    if found is None:
        return None
    year_first = found["a"] is None
    names = {"Y": "y", "Yc": "y", "Z": "y", "p": "p", "pc": "p", "a": "p", "q": "q", "qc": "q", "b": "q"}
    names.update({key: key for key in ("h", "m", "sec", "f", "oh", "om")})
    spans = {new: found.span(old) for old, new in names.items() if found[old] is not None}
    label = _label(shape, spans, found, "MJ" if year_first else "JM")
    swapped = _label(shape, spans, found, "JM" if year_first else "MJ")
    sign = found.start("sign") if found["sign"] else None
    return Plan("ymd" if year_first else "dmy", spans, label, swapped, sign)


def _label(shape: str, spans: dict[str, tuple[int, int]], found: re.Match[str], order: str) -> str:
    """«AAAA-MM-JJ HH:MM» for a shape; ``order`` says what p and q are."""
    letters = {"y": "A", "p": order[0], "q": order[1], "h": "H", "m": "M", "sec": "S", "f": "f"}
    made = list(shape)
    for name, letter in letters.items():
        if name in spans:
            start, end = spans[name]
            width = end - start if name in ("y", "f") else 2
            made[start:end] = [letter * width] + [""] * (end - start - 1)
    end = found.start("off") if found["off"] else len(made)
    return "".join(made[:end])


def parse(cells: Sequence[str]) -> Parsed:
    """Read the numbers of each cell, without judging the calendar. Shapes not understood get family 0."""
    total = len(cells)
    matrix = _matrix(cells)
    shapes = np.where((matrix >= 48) & (matrix <= 57), np.uint8(48), matrix)
    keys = np.ascontiguousarray(shapes).view(f"S{matrix.shape[1]}").ravel()
    zeros = np.zeros(total, np.int64)
    result = Parsed(np.zeros(total, np.int8), zeros, zeros.copy(), zeros.copy(), zeros.copy(), zeros.copy(), np.zeros(total, bool), {})
    todo = np.arange(total)
    for turn in range(24):
        if not len(todo):
            return result
        hit = keys[todo] == keys[todo[0]]
        _apply(matrix, todo[hit], keys[todo[0]], result, cells)
        todo = todo[~hit]
        if turn == 3 and len(todo):
            allowed = np.zeros(256, bool)
            allowed[[0, *_NEXT_ALLOWED]] = True
            todo = todo[allowed[shapes[todo]].all(axis=1)]
    if len(todo):
        distinct, inverse = np.unique(keys[todo], return_inverse=True)
        order = np.argsort(inverse, kind="stable")
        for key, rows in zip(distinct, np.split(todo[order], np.cumsum(np.bincount(inverse))[:-1]), strict=True):
            _apply(matrix, rows, key, result, cells)
    return result


def _matrix(cells: Sequence[str]) -> npt.NDArray[np.uint8]:
    """The cells as ASCII bytes, (n, width); other characters become ``?`` except no-break spaces."""
    if isinstance(cells, RawCells):
        return cells.matrix(20 if int(cells.sizes.max(initial=0)) < 20 else WIDTH)
    width = WIDTH if any(len(cell) >= 20 for cell in cells[:50]) else 20
    plain: list[str] = []
    try:
        array = np.array(cells, dtype=f"S{width}")
    except UnicodeEncodeError:
        plain = [c if c.isascii() else c.replace("\u00a0", " ").replace("\u202f", " ").encode("ascii", "replace").decode() for c in cells]
        array = np.array(plain, dtype=f"S{width}")
    matrix = array.view(np.uint8).reshape(len(cells), width)
    return matrix if width == WIDTH or not matrix[:, -1].any() else np.array(plain or cells, f"S{WIDTH}").view(np.uint8).reshape(-1, WIDTH)


def _apply(matrix: npt.NDArray[np.uint8], rows: IntArray, key: bytes, result: Parsed, cells: Sequence[str]) -> None:
    """Fill ``result`` for ``rows``, which share the shape ``key``."""
    plan = plan_of(key.decode("latin-1"))
    if plan is None:
        return
    if plan.family == "serial":
        _serial(rows, result, cells)
        return
    part = matrix[rows] if len(rows) < len(matrix) else matrix
    digits = np.ascontiguousarray(part.T).astype(np.int32) - 48

    def number(name: str) -> Array:
        if name not in plan.spans:
            return np.zeros(len(rows), np.int32)
        start, end = plan.spans[name]
        value = digits[start].copy()
        for place in range(start + 1, end):
            value = value * 10 + digits[place]
        return np.asarray(value)

    year = number("y")
    if plan.spans["y"][1] - plan.spans["y"][0] == 2:
        year = np.where(year < 70, 2000 + year, 1900 + year)
    hour, minute, second = number("h"), number("m"), number("sec")
    fraction = number("f").astype(np.int64) * 10 ** (9 - _width(plan, "f")) // 1000
    clock = (hour * 3600 + minute * 60 + second) * np.int64(1_000_000) + fraction
    right = ((hour < 24) | ((hour == 24) & (minute + second == 0) & (fraction == 0))) & (minute < 60) & (second < 60)
    if plan.sign is not None:
        away = (number("oh") * 60 + number("om")).astype(np.int64)
        right &= away <= 14 * 60
        result.offset[rows] = np.where(part[:, plan.sign] == ord("-"), -away, away) * 60_000_000
    result.family[rows] = np.where(right, 1 if plan.family == "ymd" else 2, -1 if plan.family == "ymd" else -2)
    result.y[rows], result.p[rows], result.q[rows], result.clock[rows] = year, number("p"), number("q"), clock
    result.aware[rows] = b"Z" in key.upper() or b"UTC" in key or plan.sign is not None
    pair = (plan.label, plan.swapped)
    result.labels[pair] = result.labels.get(pair, 0) + len(rows)


def _width(plan: Plan, name: str) -> int:
    start, end = plan.spans.get(name, (0, 0))
    return end - start


def _serial(rows: IntArray, result: Parsed, cells: Sequence[str]) -> None:
    """Excel's day numbers from 30 December 1899, to the second."""
    values = np.array([float(cells[i]) for i in rows.tolist()])
    seconds = np.rint(values * 86_400).astype("timedelta64[s]")
    moment = np.datetime64("1899-12-30T00:00:00", "s") + seconds
    days = moment.astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    result.y[rows] = months.astype("datetime64[Y]").astype(np.int64) + 1970
    result.p[rows] = months.astype(np.int64) % 12 + 1
    result.q[rows] = (days - months).astype(np.int64) + 1
    result.clock[rows] = (moment - days).astype(np.int64) * 1_000_000
    result.family[rows] = 3


def calendar(year: Array, month: Array, day: Array) -> tuple[IntArray, npt.NDArray[np.bool_]]:
    """(days since 1970, whether the date exists) for years 1 to 9999."""
    safe_month = np.clip(month, 1, 12)
    months = (year.astype(np.int64) - 1970) * 12 + safe_month - 1
    first = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    length = (months + 1).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) - first
    real = (month == safe_month) & (day >= 1) & (day <= length) & (year >= 1)
    return first + day - 1, real


def date_hint(read: str, family: str, label: str, day_first: bool) -> str:
    """What seems wrong with a date, and the value proposed in the layout of its column."""
    text = read.strip()
    plan = plan_of(re.sub(r"[0-9]", "0", text)) if text.isascii() else None
    if plan is None or plan.family == "serial":
        return ""
    p, q = (int(text[slice(*plan.spans[name])]) for name in ("p", "q"))
    if plan.family != family:
        own = p if plan.family == "dmy" and day_first else q
        return f"La colonne est écrite {label}." if own else ""
    month, day = (q, p) if family == "dmy" and day_first else (p, q)
    if month > 12 and 1 <= day <= 12:
        (ps, pe), (qs, qe) = plan.spans["p"], plan.spans["q"]
        return (
            f"Le jour et le mois semblent inversés : {text[:ps] + text[qs:qe] + text[pe:qs] + text[ps:pe] + text[qe:]}." if ps < qs else ""
        )
    if 1 <= month <= 12:
        return "Cette date n’existe pas." if day else "Le jour est zéro."
    return "Ce mois n’existe pas."
