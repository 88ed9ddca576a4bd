"""Text cells to typed columns, a chunk at a time. A converter learns the habits of its column once, then names what does not fit."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from bocage.contract.tables.cells import RawCells, absent_at, take
from bocage.contract.tables.digits import parse_numbers
from bocage.contract.tables.fields import ABSENT, Spec
from bocage.contract.tables.header import compact
from bocage.contract.tables.report import Fault, IntArray

Array = npt.NDArray[Any]
_MEMO_LIMIT = 100_000
_SAMPLE = 1_000
_MOST_SAID = 5
"""Other ways of writing the choices of a column that are told: a file has few, or is not worth it."""


@dataclass(slots=True)
class Converted:
    """A chunk of a column: ``values`` and, for each fault, the positions of its cells (whose values mean nothing)."""

    values: Array
    absent: Array
    faults: list[tuple[Fault, IntArray]] = field(default_factory=list)

    def spread(self, codes: IntArray) -> Converted:
        """The same for cells of which these were the distinct ones: ``codes`` says which each is."""
        faults = []
        for fault, where in self.faults:
            wrong = np.zeros(len(self.values), dtype=bool)
            wrong[where] = True
            faults.append((fault, np.flatnonzero(wrong[codes])))
        return Converted(self.values[codes], self.absent[codes], faults)


class Converter(Protocol):
    """Turns the cells of one column into values."""

    spec: Spec

    def convert(self, cells: Sequence[str]) -> Converted:
        """Typed values of ``cells``, with the faults found."""
        ...

    def finish(self, values: Array, absent: Array) -> pd.Series[Any]:
        """The kept values as a pandas column. ``absent`` (bool) marks cells without a value: they take the default."""
        ...


def absent_fault(spec: Spec) -> Fault:
    """A required cell is empty."""
    return Fault(spec.name, spec.expected(), "Cette valeur est obligatoire.")


class Lookup:
    """Text, Literal and bool: each distinct text is judged once."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self._values: dict[str, Any] = {}
        self._codes: dict[str, int] = {}
        self._pattern = re.compile(spec.pattern) if spec.pattern is not None else None
        self._choices = dict.fromkeys(spec.choices)
        self._written = _by_letters(spec.choices)
        self.notes: list[str] = []
        hint = partial(_nearest, choices=spec.choices) if spec.kind == "literal" else None
        self._faults = (absent_fault(spec), Fault(spec.name, spec.expected(), hint=hint))
        self._troubled = False

    def convert(self, cells: Sequence[str]) -> Converted:
        """See ``Converter``. Codes: 0 valid, 1 absent and allowed, 2 absent and required, 3 wrong."""
        if isinstance(cells, RawCells):
            known = cells.distinct()
            if known is None:
                return self._texts(cells.texts())
            return self._texts(known[1]).spread(known[0])
        return self._texts(cells)

    def _texts(self, cells: Sequence[str]) -> Converted:
        try:
            values = np.fromiter(map(self._values.__getitem__, cells), object, len(cells))
        except KeyError:
            self._meet(cells)
            values = np.fromiter(map(self._values.__getitem__, cells), object, len(cells))
        if not self._troubled:
            return Converted(values, np.zeros(len(cells), dtype=bool))
        codes = np.fromiter(map(self._codes.__getitem__, cells), np.int8, len(cells))
        faults = [(fault, np.flatnonzero(codes == code)) for code, fault in enumerate(self._faults, 2)]
        return Converted(values, codes == 1, [(fault, where) for fault, where in faults if len(where)])

    def _meet(self, cells: Sequence[str]) -> None:
        """Judge the texts that were never met."""
        new = set(cells).difference(self._codes)
        if len(self._codes) + len(new) > _MEMO_LIMIT:
            self._values, self._codes, new = {}, {}, set(cells)
            self._troubled = False
        for cell in new:
            self._values[cell], self._codes[cell] = self._judge(cell)
            self._troubled = self._troubled or self._codes[cell] > 0

    def _judge(self, cell: str) -> tuple[Any, int]:
        text = cell.strip()
        spec = self.spec
        if spec.kind == "literal" and text in self._choices:
            return text, 0
        if text in ABSENT:
            return None, 1 if spec.nullable else 2
        if spec.kind == "bool":
            value = _BOOLEANS.get(text.casefold())
            return value, 3 if value is None else 0
        if "\x00" in text:
            return None, 3
        if spec.kind == "literal":
            return self._choice(text)
        if (spec.min_length is not None and len(text) < spec.min_length) or (spec.max_length is not None and len(text) > spec.max_length):
            return None, 3
        if self._pattern is not None and not self._pattern.search(text):
            return None, 3
        return text, 0

    def _choice(self, text: str) -> tuple[Any, int]:
        """The only choice that ``text`` may mean, which is said; else it is wrong."""
        meant = self._written.get(compact(text))
        if meant is None:
            return None, 3
        if len(self.notes) < _MOST_SAID:
            self.notes.append(f"Colonne {self.spec.name} : « {text[:60]} » lu comme {meant}.")
        return meant, 0

    def finish(self, values: Array, absent: Array) -> pd.Series[Any]:
        """``str`` dtype for text and Literal; ``bool``, or ``boolean`` when values lack."""
        if absent.any():
            values[absent] = self.spec.default
        if self.spec.kind != "bool":
            return pd.Series(values, dtype="str")
        lacking = bool(absent.any()) and self.spec.default is None
        return pd.Series(values, dtype="boolean" if lacking else "bool")


_BOOLEANS = {
    **dict.fromkeys(("oui", "vrai", "true", "1", "o", "yes", "x", "t", "1.0"), True),
    **dict.fromkeys(("non", "faux", "false", "0", "n", "no", "f", "0.0"), False),
}


def _by_letters(choices: tuple[str, ...]) -> dict[str, str]:
    """The choice that each text means without case, accents or spaces; those that two choices share mean none."""
    keys = [compact(choice) for choice in choices]
    return {key: choice for key, choice in zip(keys, choices, strict=True) if key and keys.count(key) == 1}


def _nearest(read: str, choices: tuple[str, ...]) -> str:
    folded = {choice.casefold(): choice for choice in choices}
    near = difflib.get_close_matches(read.strip().casefold(), list(folded), 1, 0.6)
    return f"La valeur la plus proche est {folded[near[0]]}." if near else ""


_SPACES = " \u00a0\u202f\u2009'’"
_DROP = str.maketrans("", "", _SPACES)
_PLAIN = r"[+-]?(?:[0-9]+D?[0-9]*|D[0-9]+)(?:[eE][+-]?[0-9]+)?"
_SPACED = rf"[+-]?[0-9]{{1,3}}(?:[{_SPACES}][0-9]{{3}})+(?:D[0-9]*)?"
_MARKED = r"[+-]?[0-9]{1,3}(?:T[0-9]{3})+D[0-9]+|[+-]?[0-9]{1,3}(?:T[0-9]{3}){2,}"
_GROUPED = r"[+-]?[0-9]{1,3}T[0-9]{3}"


def _shapes(decimal: str, mark: str) -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """(plain or spaced, marked thousands, one mark of thousands only) for a decimal mark."""
    made = [text.replace("D", re.escape(decimal)).replace("T", re.escape(mark)) for text in (f"{_PLAIN}|{_SPACED}", _MARKED, _GROUPED)]
    return re.compile(made[0]), re.compile(made[1]), re.compile(made[2])


_FOR = {",": _shapes(",", "."), ".": _shapes(".", ",")}


class Number:
    """Floats and integers. The decimal mark is found from the cells; ``typed`` sources (workbooks) accept both marks."""

    def __init__(self, spec: Spec, *, typed: bool, separator: str | None) -> None:
        self.spec = spec
        self.decimal: str | None = None
        self._fallback = "." if separator == "," else ","
        self._marked = False
        self._typed = typed
        self._memo: dict[str, float | int | None] = {}
        self._absent = absent_fault(spec)
        self._bounds = Fault(spec.name, spec.expected())

    def _learn(self, cells: Sequence[str]) -> None:
        """Vote for the decimal mark. «1.234,5» settles it; «12,5» counts one; «1,234» could be thousands and counts little."""
        votes = {",": 0.0, ".": 0.0}
        for cell in cells[:: max(1, len(cells) // _SAMPLE)]:
            comma, point = cell.count(","), cell.count(".")
            if not comma and not point:
                continue
            if _FOR[","][1].fullmatch(cell.strip()):
                votes[","] += 1000
            elif _FOR["."][1].fullmatch(cell.strip()):
                votes["."] += 1000
            elif comma + point == 1 and any(char.isdigit() for char in cell):
                mark = "," if comma else "."
                votes[mark] += 0.01 if _FOR["." if comma else ","][2].fullmatch(cell.strip()) else 1
        if max(votes.values()) > 0:
            tie = votes[","] == votes["."]
            self.decimal = self._fallback if tie else max(votes, key=lambda mark: votes[mark])
            self._marked = max(votes.values()) >= 1000

    def convert(self, cells: Sequence[str]) -> Converted:
        """See ``Converter``."""
        if self.decimal is None and not self._typed:
            self._learn(cells)
        integer = self.spec.kind == "int"
        values, wrong, hopeless = parse_numbers(cells, self.decimal or self._fallback, integer=integer, typed=self._typed)
        absent = np.zeros(len(cells), dtype=bool)
        result = Converted(values, absent)
        refused = [self._slow(cells, wrong, result)] if len(wrong) else []
        if len(hopeless):
            blank = absent_at(cells, hopeless)
            self._blank(hopeless[blank], result)
            refused.append(hopeless[~blank])
        bad = np.concatenate(refused) if refused else np.empty(0, np.int64)
        if len(bad):
            mark = self.decimal or self._fallback
            hint = partial(_number_hint, decimal="" if self._typed else mark, integer=integer)
            result.faults.append((Fault(self.spec.name, self.spec.expected(), hint=hint), np.sort(bad)))
        self._check_bounds(result)
        return result

    def _blank(self, where: IntArray, result: Converted) -> None:
        """Cells without a value: absent when the field allows it, a fault otherwise."""
        if self.spec.nullable:
            result.absent[where] = True
        elif len(where):
            result.faults.append((self._absent, where))

    def _slow(self, cells: Sequence[str], wrong: IntArray, result: Converted) -> IntArray:
        """Judge one by one the cells that the fast path did not take; fills ``result`` and gives the positions refused."""
        refused: list[int] = []
        empty: list[int] = []
        if len(self._memo) > _MEMO_LIMIT:
            self._memo.clear()
        for index, cell in zip(wrong.tolist(), take(cells, wrong), strict=True):
            if cell not in self._memo:
                self._memo[cell] = self._one(cell)
            value = self._memo[cell]
            if value is not None:
                result.values[index] = value
            elif cell.strip() in ABSENT:
                empty.append(index)
            else:
                refused.append(index)
        self._blank(np.array(empty, dtype=np.int64), result)
        return np.array(refused, dtype=np.int64)

    def _one(self, cell: str) -> float | int | None:
        """The number that ``cell`` writes, or None. NaN and infinity are not numbers."""
        text = cell.strip().replace("\u2212", "-")
        if len(text) > 60:
            return None
        decimal = self.decimal or self._fallback
        if self._typed:
            decimal = "," if text.rfind(",") > text.rfind(".") else "."
        mark = "." if decimal == "," else ","
        plain, marked, grouped = _FOR[decimal]
        if not (plain.fullmatch(text) or marked.fullmatch(text) or (self._marked and grouped.fullmatch(text))):
            return None
        text = text.translate(_DROP)
        if plain.fullmatch(text) is None or decimal not in text:
            text = text.replace(mark, "")
        number = text.replace(decimal, ".")
        if self.spec.kind == "int":
            return _integer(number)
        value = float(number)
        return value if np.isfinite(value) else None

    def _check_bounds(self, result: Converted) -> None:
        spec, values = self.spec, result.values
        if spec.ge is None and spec.gt is None and spec.le is None and spec.lt is None:
            return
        outside = np.zeros(len(values), dtype=bool)
        for bound, test in ((spec.ge, np.less), (spec.gt, np.less_equal), (spec.le, np.greater), (spec.lt, np.greater_equal)):
            if bound is not None:
                outside |= test(values, bound)
        if not outside.any():
            return
        outside &= ~result.absent
        for _, where in result.faults:
            outside[where] = False
        if outside.any():
            result.faults.append((self._bounds, np.flatnonzero(outside)))

    def finish(self, values: Array, absent: Array) -> pd.Series[Any]:
        """``float64``; ``int64``, or ``Int64`` when values lack."""
        lacking = bool(absent.any())
        if self.spec.kind == "float":
            if lacking:
                values[absent] = np.nan if self.spec.default is None else self.spec.default
            return pd.Series(values, dtype="float64")
        if lacking and self.spec.default is None:
            return pd.Series(pd.arrays.IntegerArray(values, absent))
        if lacking:
            values[absent] = self.spec.default
        return pd.Series(values, dtype="int64")


def _integer(number: str) -> int | None:
    """An integer of 64 bits from «12», «12.0» or «1.2e3»; None otherwise."""
    try:
        value = int(number)
    except ValueError:
        real = float(number)
        if not np.isfinite(real) or not real.is_integer() or abs(real) > 2**53:
            return None
        value = int(real)
    return value if -(2**63) <= value < 2**63 else None


_LETTERS = str.maketrans("OoIl", "0011")
"""Letters that people, and machines that read paper, take for digits."""


def _number_hint(read: str, decimal: str, integer: bool) -> str:
    """What to do with a text that is not a number of its column."""
    text = read.strip()
    if text.casefold().lstrip("+-") in ("nan", "inf", "infinity"):
        return "Laissez la cellule vide si la valeur manque."
    if decimal:
        other = "." if decimal == "," else ","
        named = "une virgule" if decimal == "," else "un point"
        swapped = text.replace(other, decimal)
        if text.count(other) == 1 and _FOR[decimal][0].fullmatch(swapped):
            return f"La colonne est écrite avec {named} décimal{'e' if decimal == ',' else ''} : {swapped}."
    if integer and re.fullmatch(r"[+-]?\d+[.,]\d+", text):
        return "Ce nombre n’est pas entier."
    if re.search(r"\d", text) and re.search("[OoIl]", text) and re.fullmatch(r"[+-]?[\dOoIl]+(?:[.,][\dOoIl]+)?", text):
        return f"Des lettres y tiennent lieu de chiffres : {text.translate(_LETTERS)}, sans doute."
    unit = re.fullmatch(r"([+-]?\d[\d  .,]*?)\s*([^\d\s.,][^\d]{0,8})", text)
    return f"Gardez le nombre seul, sans « {unit[2].strip()} » : {unit[1].strip()}." if unit else ""
