"""Delimited text: separator and header line found by themselves, every line accounted for."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from io import TextIOWrapper

import numpy as np
import numpy.typing as npt

from bocage.contract.errors import UnreadableFile
from bocage.contract.tables.cells import Block
from bocage.contract.tables.facts import MAX_LINE, Facts
from bocage.contract.tables.fields import Spec
from bocage.contract.tables.header import is_units_line, match_header, require_columns, score
from bocage.contract.tables.report import Format, IntArray
from bocage.contract.tables.sources import CHUNK_LINES, Chunk, check_width

SEPARATORS = {";": "point-virgule", ",": "virgule", "\t": "tabulation", "|": "barre verticale"}
_BLOCK = 1 << 18
_HEADER_LINES = 60
_Span = tuple[int, int, int]
_RUNAWAY = 500
"""Lines that a quoted cell may span; beyond, its opening quote is taken as text."""


class CsvSource:
    """A delimited text file (see ``Source``). Lines of blank cells are skipped; comments and units below the header too, and said."""

    format: Format = "csv"
    sheet: str | None = None
    separator: str | None
    typed = False

    def __init__(self, facts: Facts, specs: Sequence[Spec]) -> None:
        """Raises ``MissingColumns`` and ``UnreadableFile``."""
        self._facts = facts
        self.encoding = facts.encoding
        self.notes: list[str] = []
        self._skip: set[int] = set()
        self._mark, self.header, self._data_line = self._find_header(specs)
        self.separator = self._mark if len(self.header) > 1 else None
        check_width(len(self.header), facts.name)
        self.match = match_header(self.header, specs)
        require_columns(self.match, self.header, specs, facts.name)
        self._units(specs)
        self._comments = 0

    def _open(self) -> TextIOWrapper:
        return self._facts.path.open(encoding=self.encoding, errors="replace", newline=None)

    def _first_lines(self) -> list[str]:
        lines: list[str] = []
        size = 0
        with self._open() as file:
            while len(lines) < _HEADER_LINES and size < 4 * MAX_LINE and (line := file.readline(MAX_LINE + 2)):
                if len(line) > MAX_LINE:
                    raise UnreadableFile(
                        f"« {self._facts.name} » a une ligne de plus d’un million de caractères : ce n’est pas un tableau."
                    )
                lines.append(line)
                size += len(line)
        return lines

    def _find_header(self, specs: Sequence[Spec]) -> tuple[str, list[str], int]:
        """(separator, header cells, line number of the first line after the header), with the most fields named."""
        lines = self._first_lines()
        best: tuple[int, int, int, str, list[str], int] | None = None
        for rank, separator in enumerate(SEPARATORS):
            if best is not None and best[0] == len(specs):
                break
            for number, cells, after in _records(lines, separator):
                found = score(cells, specs)
                key = (found, -number if found else len([c for c in cells if c.strip()]), -rank)
                if best is None or key > best[:3]:
                    best = (*key, separator, cells, after)
                    if found == len(specs):
                        break
        if best is None:
            raise UnreadableFile(f"« {self._facts.name} » n’a aucune ligne lisible.")
        header, after = list(best[4]), best[5]
        while header and not header[-1].strip():
            header.pop()
        if best[0] and best[1] < -1:
            self.notes.append(f"Titres des colonnes trouvés à la ligne {-best[1]}.")
        return best[3], header, after

    def _units(self, specs: Sequence[Spec]) -> None:
        """Skip the line of units below the header, and say so; warn when it names another unit than the schema's."""
        with self._open() as file:
            for _ in range(self._data_line - 1):
                file.readline()
            number = self._data_line
            line = file.readline(MAX_LINE)
            while line and (not line.strip() or line.startswith("#")) and number < self._data_line + 5:
                number, line = number + 1, file.readline(MAX_LINE)
        for _, cells, _ in _records([line], self._mark):
            if is_units_line(cells, self.match, specs):
                self._skip.add(number)
                shown = ", ".join(cell.strip() for cell in cells if cell.strip())[:120]
                self.notes.append(f"Ligne {number} passée : unités ou formats ({shown}).")

    def chunks(self, selected: Sequence[int]) -> Iterator[Chunk]:
        """All data lines (see ``Source``)."""
        self._comments = 0
        stream = self._quoted(selected) if self._facts.quotes else self._plain(selected)
        yield from stream
        if self._comments:
            said = f"{self._comments} lignes de commentaire passées." if self._comments > 1 else "Une ligne de commentaire passée."
            if said not in self.notes:
                self.notes.append(said)

    def _plain(self, selected: Sequence[int]) -> Iterator[Chunk]:
        """Lines without any quote: split by blocks, about 0.3 µs a cell."""
        with self._open() as file:
            for _ in range(self._data_line - 1):
                file.readline()
            number, carry = self._data_line, ""
            while block := file.read(_BLOCK):
                cut = block.rfind("\n")
                if cut < 0:
                    carry += block
                    continue
                text, carry = carry + block[: cut + 1], block[cut + 1 :]
                chunk, count = self._lines(text, number, selected, self._fraction(file))
                number += count
                yield chunk
            if carry:
                yield self._lines(carry + "\n", number, selected, 1.0)[0]

    def _fraction(self, file: TextIOWrapper) -> float:
        with suppress(OSError, ValueError):
            return min(1.0, os.lseek(file.fileno(), 0, os.SEEK_CUR) / max(1, self._facts.size))
        return 1.0

    def _lines(self, text: str, number: int, selected: Sequence[int], fraction: float) -> tuple[Chunk, int]:
        """The chunk of the lines of ``text`` (each ended by a line feed, the first is line ``number``), and how many lines these are."""
        width, data = len(self.header), text.encode("utf-8", "replace")
        lines = _Lines(data, self._mark)
        count = len(lines.ends)
        numbers = np.arange(number, number + count, dtype=np.int64)
        broken: list[tuple[int, str, int]] = []
        long = lines.too_long(width)
        for line in self._skip:
            if 0 <= line - number < count:
                long[line - number] = False
        if long.any():
            broken = lines.texts(long, numbers)
            numbers = numbers[~long]
            lines = lines.without(long)
        odd = (lines.found != width) | (lines.sizes <= width - 1) | np.isin(numbers, list(self._skip))
        if odd.any():
            places = np.flatnonzero(odd)
            spans = zip(numbers[places].tolist(), lines.starts[places].tolist(), lines.ends[places].tolist(), strict=True)
            data, kept = self._mend(lines.data, list(spans), broken)
            odd[places[kept]] = False
            numbers = numbers[~odd]
            lines = _Lines(data, self._mark)
        block = Block(lines.data, lines.marks.reshape(len(numbers), width), self._mark)
        return Chunk(numbers, [block.column(i) for i in selected], broken, fraction), count

    def _mend(self, data: bytes, odd: list[_Span], broken: list[tuple[int, str, int]]) -> tuple[bytes, npt.NDArray[np.bool_]]:
        """``data`` with its ``odd`` lines (number, start, end) brought to the header's width or taken out; which were kept."""
        mark, done = self._mark, 0
        kept = np.zeros(len(odd), dtype=bool)
        parts: list[bytes] = []
        for index, (number, start, end) in enumerate(odd):
            if start > done:
                parts.append(data[done:start])
            done = end + 1
            line = data[start:end].decode("utf-8")
            fixed = self._fit(line.split(mark), number, broken)
            if fixed is not None:
                kept[index] = True
                parts.append((mark.join(fixed) + "\n").encode("utf-8"))
        return b"".join([*parts, data[done:]]), kept

    def _fit(self, cells: list[str], number: int, broken: list[tuple[int, str, int]]) -> list[str] | None:
        """``cells`` at the header's width; None for a blank, comment, units or broken line (the last is recorded)."""
        width = len(self.header)
        if number in self._skip or not any(cell.strip() for cell in cells):
            return None
        if len(cells) == width:
            return cells
        if cells[0].lstrip().startswith(("#", "//")):
            self._comments += 1
            return None
        if len(cells) < width:
            return cells + [""] * (width - len(cells))
        if not any(cell.strip() for cell in cells[width:]):
            return cells[:width]
        broken.append((number, self._mark.join(cells), len(cells)))
        return None

    def _quoted(self, selected: Sequence[int]) -> Iterator[Chunk]:
        """Lines with quotes somewhere: the standard library's reader, which knows the line where each record starts."""
        width = len(self.header)
        with self._open() as file:
            for _ in range(self._data_line - 1):
                file.readline()
            numbers: list[int] = []
            rows: list[list[str]] = []
            broken: list[tuple[int, str, int]] = []
            for number, cells in self._csv_records(file):
                if len(cells) == width and number not in self._skip and any(cells):
                    fixed: list[str] | None = cells
                else:
                    fixed = self._fit(cells, number, broken) if cells else None
                if fixed is not None:
                    numbers.append(number)
                    rows.append(fixed)
                if len(rows) + len(broken) >= CHUNK_LINES:
                    yield _chunk(numbers, rows, selected, broken, self._fraction(file))
                    numbers, rows, broken = [], [], []
            yield _chunk(numbers, rows, selected, broken, 1.0)

    def _csv_records(self, file: TextIOWrapper) -> Iterator[tuple[int, list[str]]]:
        """(first line, cells) of each record. A quote that never closes is taken as text, on its line only."""
        pending: list[str] = []
        source = iter(file)
        number = self._data_line
        while True:
            held: list[str] = []
            reader = csv.reader(_held(pending, source, held), delimiter=self._mark, strict=True)
            try:
                for cells in reader:
                    span = len(held)
                    held.clear()
                    yield number, cells
                    number += span
                return
            except csv.Error:
                yield number, [cell.strip().strip('"') for cell in held[0].rstrip("\n").split(self._mark)]
                said = f"Ligne {number} : guillemet non refermé ou mal placé, lu comme du texte."
                if said not in self.notes and len(self.notes) < 30:
                    self.notes.append(said)
                pending[:0] = held[1:]
                number += 1


class _Lines:
    """Where the lines of some UTF-8 text start and end, and how many cells each has. Each line ends with a line feed."""

    def __init__(self, data: bytes, mark: str) -> None:
        self.data, self._mark = data, mark
        self.raw = np.frombuffer(data, np.uint8)
        self.marks: IntArray = np.flatnonzero((self.raw == ord(mark)) | (self.raw == 10))
        feeds = np.flatnonzero(self.raw[self.marks] == 10)
        self.ends = self.marks[feeds]
        self.found = np.diff(feeds, prepend=-1)
        self.sizes = np.diff(self.ends, prepend=-1) - 1
        self.starts = self.ends - self.sizes
        self._first = feeds - self.found + 1

    def too_long(self, width: int) -> npt.NDArray[np.bool_]:
        """Lines with more than ``width`` cells, the first one too many plainly not blank, that are not comments."""
        long = self.found > width
        if long.any():
            rows = np.flatnonzero(long)
            extra = self.raw[self.marks[self._first[rows] + width - 1] + 1]
            plain = (extra > 32) & (extra != ord(self._mark))
            long[rows] = plain & ~np.isin(self.raw[self.starts[rows]], np.frombuffer(b"#/ \t", np.uint8))
        return long

    def texts(self, which: npt.NDArray[np.bool_], numbers: IntArray) -> list[tuple[int, str, int]]:
        """(number, text, cells) of the lines ``which``."""
        texts = self.raw[np.repeat(which, self.sizes + 1)].tobytes().decode("utf-8").split("\n")[:-1]
        return list(zip(numbers[which].tolist(), texts, self.found[which].tolist(), strict=True))

    def without(self, which: npt.NDArray[np.bool_]) -> _Lines:
        """The other lines."""
        return _Lines(self.raw[np.repeat(~which, self.sizes + 1)].tobytes(), self._mark)


def _held(pending: list[str], source: Iterator[str], held: list[str]) -> Iterator[str]:
    """Lines of ``pending`` then ``source``, each noted in ``held``, which the caller empties at each record."""
    while True:
        if pending:
            line = pending.pop(0)
        else:
            got = next(source, None)
            if got is None:
                return
            line = got
        held.append(line)
        if len(held) > _RUNAWAY:
            raise csv.Error("runaway quote")
        yield line


def _records(lines: Sequence[str], separator: str) -> Iterator[tuple[int, list[str], int]]:
    """(line, cells, next line) of the first records, blank ones left out; stops at a quote that never closes."""
    reader = csv.reader(lines, delimiter=separator)
    before = 0
    with suppress(csv.Error):
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield before + 1, cells, reader.line_num + 1
            before = reader.line_num


def _chunk(
    numbers: list[int], rows: list[list[str]], selected: Sequence[int], broken: list[tuple[int, str, int]], fraction: float
) -> Chunk:
    columns = list(zip(*rows, strict=True)) if rows else []
    return Chunk(np.array(numbers, np.int64), [list(columns[i]) if rows else [] for i in selected], broken, fraction)
