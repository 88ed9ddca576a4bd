"""Excel and LibreOffice workbooks, through calamine: the sheet whose header fits is read, typed cells keep their exact value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import numpy as np
import python_calamine as calamine

from bocage.contract.errors import UnreadableFile
from bocage.contract.tables.facts import Facts
from bocage.contract.tables.fields import Spec
from bocage.contract.tables.header import is_units_line, match_header, require_columns, score
from bocage.contract.tables.report import Format
from bocage.contract.tables.sources import CHUNK_LINES, Chunk, check_width, damaged
from bocage.contract.tables.zipguard import inspect_zip

_HEADER_LINES = 60
_MAX_SHEETS = 200
_MAX_XLS_MB = 50


class WorkbookSource:
    """One sheet of a workbook (see ``Source``). Old .xls files are reported with the format ``xlsx`` and a note."""

    format: Format
    sheet: str | None
    encoding: str | None = None
    separator: str | None = None
    typed = True

    def __init__(self, facts: Facts, specs: Sequence[Spec], max_mb: int) -> None:
        """Raises ``UnreadableFile`` and ``MissingColumns``."""
        self._facts = facts
        self.notes: list[str] = []
        if facts.kind == "xls":
            self.format = "xlsx"
            self.notes.append("Ancien classeur Excel (.xls).")
            if facts.size > _MAX_XLS_MB * 1_000_000:
                raise UnreadableFile(f"« {facts.name} » pèse plus de {_MAX_XLS_MB} Mo au format .xls. Enregistrez-le en .xlsx ou en CSV.")
        else:
            self.format = inspect_zip(facts.path, facts.name, max_mb)
        self._book = _guarded(facts.name, lambda: calamine.CalamineWorkbook.from_path(str(facts.path)))
        self._name, self.header, self._row = self._find_header(specs)
        self.sheet = self._name
        check_width(len(self.header), facts.name)
        self.match = match_header(self.header, specs)
        require_columns(self.match, self.header, specs, facts.name)
        self._skip_units(specs)

    def _rows(self, sheet: str) -> Iterator[list[Any]]:
        rows = _guarded(self._facts.name, lambda: self._book.get_sheet_by_name(sheet).iter_rows())
        while True:
            row = _guarded(self._facts.name, lambda: next(rows, None))
            if row is None:
                return
            yield row

    def _find_header(self, specs: Sequence[Spec]) -> tuple[str, list[str], int]:
        """(sheet, header cells, header row from 1): the first with the most fields named, whatever the sheet."""
        names = list(self._book.sheet_names)[:_MAX_SHEETS]
        kinds = {meta.name: meta.typ for meta in self._book.sheets_metadata}
        names = [name for name in names if kinds.get(name) in (None, calamine.SheetTypeEnum.WorkSheet)]
        best: tuple[int, str, list[str], int] | None = None
        most = (-1, 0)
        for name in names:
            for number, row in enumerate(self._rows(name), 1):
                if number > _HEADER_LINES:
                    break
                cells = [text_of(cell) for cell in row]
                found = score(cells, specs)
                # Where nothing is named, the widest line shows best what was found instead: a title is one cell.
                key = (found, 0 if found else sum(bool(cell.strip()) for cell in cells))
                if any(cells) and key > most:
                    most, best = key, (found, name, cells, number)
            if best is not None and best[0] == len(specs):
                break
        if best is None:
            raise UnreadableFile(f"« {self._facts.name} » n’a aucune cellule remplie.")
        if len(names) > 1:
            self.notes.append(f"Feuille « {best[1]} » lue, parmi {len(names)}.")
        if best[3] > 1 and best[0]:
            self.notes.append(f"Titres des colonnes trouvés à la ligne {best[3]}.")
        return best[1], best[2], best[3]

    def _skip_units(self, specs: Sequence[Spec]) -> None:
        self._skip = 0
        for number, row in enumerate(self._rows(self._name), 1):
            if number > self._row:
                cells = [text_of(cell) for cell in row]
                if is_units_line(cells, self.match, specs):
                    self._skip = number
                    self.notes.append(f"Ligne {number} passée : unités ou formats ({', '.join(c for c in cells if c)[:120]}).")
                return

    def chunks(self, selected: Sequence[int]) -> Iterator[Chunk]:
        """All rows below the header (see ``Source``)."""
        lines: list[int] = []
        columns: list[list[str]] = [[] for _ in selected]
        total = max(1, self._book.get_sheet_by_name(self._name).total_height)
        for number, row in enumerate(self._rows(self._name), 1):
            if number <= self._row or number == self._skip or not any(cell != "" and cell is not None for cell in row):
                continue
            lines.append(number)
            for column, index in zip(columns, selected, strict=True):
                column.append(text_of(row[index]))
            if len(lines) >= CHUNK_LINES:
                yield Chunk(np.array(lines, np.int64), columns, [], number / total)
                lines, columns = [], [[] for _ in selected]
        yield Chunk(np.array(lines, np.int64), columns, [], 1.0)


def text_of(cell: Any) -> str:
    """A typed cell as text: point for decimals, ISO for dates, «vrai» and «faux»."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "vrai" if cell else "faux"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        if cell.microsecond:
            cell = (cell + timedelta(milliseconds=1)).replace(microsecond=0) if _near_second(cell) else cell
        return str(cell.isoformat(sep=" "))
    if isinstance(cell, (date, time)):
        return cell.isoformat()
    return "" if cell is None else str(cell)


def _near_second(cell: datetime) -> bool:
    """Excel stores fractions of days: a time within a millisecond of a second is that second."""
    return cell.microsecond < 1000 or cell.microsecond >= 999_000


def _guarded(name: str, action: Any) -> Any:
    """``action()``; any failure of the parser, its panics included, as a ``BocageError``."""
    try:
        return action()
    except calamine.PasswordError:
        raise UnreadableFile(f"« {name} » est protégé par un mot de passe. Enregistrez-le sans protection.") from None
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException:  # a Rust panic is not an Exception
        raise damaged(name) from None
