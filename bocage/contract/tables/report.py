"""What reading a table gives: the valid lines (``Table``) and what was found and refused (``TableReport``, ``LineError``)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast, overload

import numpy as np
import numpy.typing as npt
import pandas as pd

from bocage.contract.errors import NoValidLine

Format = Literal["csv", "xlsx", "ods", "parquet", "geojson"]
IntArray = npt.NDArray[np.int64]

READ_LIMIT = 80
"""Characters of a faulty cell that an error keeps."""


def thousands(number: int) -> str:
    """``number`` as a French reader expects it: ``1 005`` with a narrow no-break space."""
    return f"{number:,}".replace(",", "\u202f")


@dataclass(frozen=True, slots=True)
class LineError:
    """One fault: where (``line`` of the file from 1, ``column``), what was read, what was expected, what to do.

    ``column`` is empty when the whole line is at fault. ``read`` is the text of the file, cut at 80 characters.
    """

    line: int
    column: str
    read: str
    expected: str
    advice: str = ""

    def sentence(self) -> str:
        """«Ligne 587, colonne horodatage. Lu : … Attendu : … Conseil.»"""
        where = f"Ligne {self.line}, colonne {self.column}." if self.column else f"Ligne {self.line}."
        read = " ".join(self.read.replace("\x00", "\u2400").split()) or "(vide)"
        return " ".join(part for part in (where, f"Lu : {read}.", f"Attendu : {self.expected}.", self.advice) if part)


@dataclass(frozen=True, slots=True)
class Fault:
    """A way for a cell to be wrong. ``advice`` is fixed, or ``hint`` makes it from the text read, when someone asks."""

    column: str
    expected: str
    advice: str = ""
    hint: Callable[[str], str] | None = field(default=None, compare=False)


class ErrorStore(Sequence[LineError]):
    """Every wrong cell of a file in columnar form: about 20 bytes and its text each. Looks like a list of ``LineError``.

    ``add`` takes faults in any order; ``sort`` puts them by line, then by column of the schema.
    """

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._ids: dict[Fault, int] = {}
        self._parts: list[tuple[npt.NDArray[np.int32], int, npt.NDArray[np.int32]]] = []
        self._text = bytearray()
        self._lines: npt.NDArray[np.int32] = np.empty(0, np.int32)
        self._kinds: npt.NDArray[np.int32] = np.empty(0, np.int32)
        self._ends: IntArray = np.empty(0, np.int64)
        self._sizes: npt.NDArray[np.int32] = np.empty(0, np.int32)

    def add(self, fault: Fault, lines: Iterable[int] | IntArray, reads: Sequence[str]) -> None:
        """Store one error per line of ``lines``; ``reads`` are the texts of the file, as long as ``lines``."""
        if not len(reads):
            return
        kind = self._kind(fault)
        sizes = np.fromiter(map(len, reads), np.int32, len(reads))
        text = "".join(reads) if sizes.max() <= READ_LIMIT else "é"
        if text.isascii():
            self._text += text.encode("ascii")
        else:
            cut = [read[:READ_LIMIT].encode("utf-8", "replace") for read in reads]
            sizes = np.fromiter(map(len, cut), np.int32, len(cut))
            self._text += b"".join(cut)
        self._parts.append((np.asarray(lines, np.int32), kind, sizes))

    def add_packed(self, fault: Fault, lines: IntArray, text: bytes, sizes: npt.NDArray[np.int32]) -> None:
        """The same as ``add`` for texts already in UTF-8, end to end in ``text``: ``sizes`` bytes each, at most ``READ_LIMIT``."""
        self._text += text
        self._parts.append((np.asarray(lines, np.int32), self._kind(fault), sizes))

    def _kind(self, fault: Fault) -> int:
        kind = self._ids.setdefault(fault, len(self._faults))
        if kind == len(self._faults):
            self._faults.append(fault)
        return kind

    def sort(self, columns: Sequence[str]) -> None:
        """Order the errors by line, then by rank in ``columns`` (faults of a whole line first)."""
        if self._parts:
            lines = np.concatenate([self._lines, *(part[0] for part in self._parts)])
            kinds = np.concatenate([self._kinds, *(np.full(len(part[0]), part[1], np.int32) for part in self._parts)])
            sizes = np.concatenate([part[2] for part in self._parts])
            start = int(self._sizes.sum())
            self._ends = np.concatenate([self._ends, start + np.cumsum(sizes, dtype=np.int64)])
            self._lines, self._kinds, self._sizes = lines, kinds, np.concatenate([self._sizes, sizes])
            self._parts = []
        if not len(self._lines):
            return
        rank_of = {name: rank for rank, name in enumerate(columns, 1)}
        rank = np.array([rank_of.get(fault.column, 0) for fault in self._faults])
        order = np.lexsort((rank[self._kinds], self._lines))
        self._lines, self._kinds = self._lines[order], self._kinds[order]
        self._sizes, self._ends = self._sizes[order], self._ends[order]

    def lines(self) -> IntArray:
        """Line numbers of the errors, sorted; a line with two wrong cells stands twice."""
        return self._lines.astype(np.int64)

    def __len__(self) -> int:
        return len(self._lines)

    @overload
    def __getitem__(self, index: int) -> LineError: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[LineError]: ...
    def __getitem__(self, index: int | slice) -> LineError | Sequence[LineError]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        fault, end = self._faults[int(self._kinds[index])], int(self._ends[index])
        read = self._text[end - int(self._sizes[index]) : end].decode("utf-8")
        advice = fault.hint(read) if fault.hint else fault.advice
        return LineError(int(self._lines[index]), fault.column, read, fault.expected, advice)

    def __iter__(self) -> Iterator[LineError]:
        for index in range(len(self)):
            yield self[index]


@dataclass(frozen=True, slots=True)
class TableReport:
    """What was found in a file: its format, what was guessed, how many lines were kept, every error, French ``notes``.

    ``lines`` counts the data lines (neither header nor blank ones), ``kept`` the valid ones; ``decimal`` is the mark found in numbers.
    """

    file: str
    sha256: str
    format: Format
    encoding: str | None
    separator: str | None
    decimal: str | None
    sheet: str | None
    lines: int
    kept: int
    errors: Sequence[LineError] = ()
    notes: tuple[str, ...] = ()

    def summary(self) -> str:
        """«1 005 lignes gardées, 3 à corriger»."""
        wrong = self.lines - self.kept
        kept = f"{thousands(self.kept)} ligne gardée" if self.kept < 2 else f"{thousands(self.kept)} lignes gardées"
        return f"{kept}, {thousands(wrong)} à corriger" if wrong else f"{kept}, aucune à corriger"

    def to_dict(self, limit: int | None = None) -> dict[str, Any]:
        """Plain JSON data. At most ``limit`` errors are written; ``errors_total`` says how many there are."""
        shown = self.errors if limit is None else self.errors[:limit]
        return {
            "file": self.file,
            "sha256": self.sha256,
            "format": self.format,
            "encoding": self.encoding,
            "separator": self.separator,
            "decimal": self.decimal,
            "sheet": self.sheet,
            "lines": self.lines,
            "kept": self.kept,
            "errors_total": len(self.errors),
            "errors": [{"line": e.line, "column": e.column, "read": e.read, "expected": e.expected, "advice": e.advice} for e in shown],
            "notes": list(self.notes),
        }

    @staticmethod
    def from_dict(data: dict[str, Any]) -> TableReport:
        """The report that ``to_dict`` wrote, with the errors it kept. Raises ``KeyError`` on a missing key."""
        return TableReport(
            file=str(data["file"]),
            sha256=str(data["sha256"]),
            format=cast(Format, data["format"]),
            encoding=data["encoding"],
            separator=data["separator"],
            decimal=data["decimal"],
            sheet=data["sheet"],
            lines=int(data["lines"]),
            kept=int(data["kept"]),
            errors=tuple(LineError(**error) for error in data["errors"]),
            notes=tuple(data["notes"]),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The valid lines of a file. ``frame`` has one column per field of the Row and the index 0..n-1.

    ``lines[i]`` is the line of the file (from 1, as an editor shows it) where row ``i`` of ``frame`` starts.
    """

    frame: pd.DataFrame
    report: TableReport
    lines: IntArray


class NoLineKept(NoValidLine):
    """No line is valid: ``table`` has an empty frame and the whole report, so that every error can still be shown."""

    def __init__(self, message: str, table: Table) -> None:
        super().__init__(message)
        self.table = table
