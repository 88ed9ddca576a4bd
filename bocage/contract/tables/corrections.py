"""The wrong lines of a file, as a CSV that a person corrects in a spreadsheet and drops again."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bocage.contract.errors import UnreadableFile
from bocage.contract.rows import Row
from bocage.contract.tables.facts import examine
from bocage.contract.tables.fields import specs_of
from bocage.contract.tables.read import open_source
from bocage.contract.tables.report import ErrorStore, Table
from bocage.contract.tables.sources import Chunk, Source

_PLAIN_NUMBER = re.compile(r"[+-]?[0-9][0-9 \u00a0\u202f]*(?:[.,][0-9]+)?(?:[eE][+-]?[0-9]+)?")


def write_corrections(path: Path, table: Table, row: type[Row], destination: Path) -> Path:
    """Write the wrong lines of ``path`` to ``destination``: UTF-8 with BOM, «;», columns ``ligne``, those of the file, ``probleme``.

    Cells that a spreadsheet would run as a formula are prefixed with an apostrophe. The file is written whole or not at all.
    Raises ``UnreadableFile`` when ``path`` is no longer the file that was read.
    """
    facts = examine(path, table.report.file, max_mb=100_000)
    if facts.sha256 != table.report.sha256:
        raise UnreadableFile(f"« {facts.name} » a changé depuis sa lecture. Lisez-le de nouveau.")
    source = open_source(facts, specs_of(row), max_mb=100_000)
    part = destination.with_name(destination.name + ".part")
    try:
        with part.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
            writer.writerow(["ligne", *map(safe_cell, source.header), "probleme"])
            for line, cells, problem in _WrongLines(source, table):
                writer.writerow([line, *map(safe_cell, cells), safe_cell(problem)])
        part.replace(destination)
    finally:
        part.unlink(missing_ok=True)
    return destination


def safe_cell(cell: str) -> str:
    """``cell`` so that no spreadsheet takes it for a formula: plain numbers as they are, the rest behind an apostrophe."""
    dangerous = cell[:1] in ("=", "+", "-", "@", "\t", "\r") or cell.lstrip()[:1] in ("=", "+", "-", "@")
    return "'" + cell if dangerous and not _PLAIN_NUMBER.fullmatch(cell) else cell


class _WrongLines:
    """The wrong lines of a source: (line, cells, problem), a chunk in memory at a time."""

    def __init__(self, source: Source, table: Table) -> None:
        self.source, self.errors = source, table.report.errors
        store = self.errors
        self.numbers = store.lines() if isinstance(store, ErrorStore) else np.array([error.line for error in store], dtype=np.int64)

    def __iter__(self) -> Iterator[tuple[int, list[str], str]]:
        for chunk in self.source.chunks(range(len(self.source.header))):
            yield from self._of(chunk)

    def _of(self, chunk: Chunk) -> list[tuple[int, list[str], str]]:
        broken = [(line, [text], self._problem(line)) for line, text, _ in chunk.broken]
        kept = np.flatnonzero(np.isin(chunk.lines, self.numbers)).tolist()
        wrong = [(int(chunk.lines[i]), [column[i] for column in chunk.columns], self._problem(int(chunk.lines[i]))) for i in kept]
        return sorted(broken + wrong, key=lambda item: item[0])

    def _problem(self, line: int) -> str:
        first, last = np.searchsorted(self.numbers, [line, line + 1]).tolist()
        return " ".join(self.errors[i].sentence() for i in range(first, last))
