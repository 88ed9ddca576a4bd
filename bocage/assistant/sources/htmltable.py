"""A table of an HTML page to cells, with what they merge and which ones are headers; a table that only lays the page out is none."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field

from bocage.assistant.sources.grid import Cell, span
from bocage.assistant.sources.htmltree import BLOCKS, HEADINGS, walk
from bocage.assistant.sources.nodes import Node, collapse

_LONG_CELL = 40
"""Words: a longer cell, in a table without headers, is a column of text."""
BOLD = frozenset({"b", "strong"})


@dataclass(slots=True)
class _Written:
    """A cell as the page writes it, while it is read."""

    node: Node
    group: int
    """``id()`` of the <thead> or <tbody> that holds it: nothing is merged beyond."""
    in_head: bool
    pieces: list[str] = field(default_factory=list)
    bold: bool = True
    blocks: int = 0
    has_title: bool = False

    @property
    def text(self) -> str:
        return collapse("".join(self.pieces))


@dataclass(frozen=True, slots=True)
class DataTable:
    """What a table says."""

    caption: str
    rows: list[list[Cell]]
    beside: str
    """Text that a faulty page puts in the table outside its cells."""


def data_table(table: Node, left_out: Container[int]) -> DataTable | None:
    """The cells of ``table``; None when it only lays out its contents, which are then read as ordinary text."""
    if table.attributes.get("role") in ("presentation", "none"):
        return None
    reading = _Reading()
    for kind, node, text in walk(table, left_out):
        if node is not table and node.name == "table":
            return None
        if kind == "text":
            reading.text(text)
        elif node is not table:
            (reading.start if kind == "start" else reading.end)(node)
    rows = [row for row in reading.rows if row]
    if _is_layout(rows):
        return None
    return DataTable(collapse("".join(reading.caption)), _cells(rows), collapse("".join(reading.beside)))


@dataclass(slots=True)
class _Reading:
    rows: list[list[_Written]] = field(default_factory=list)
    caption: list[str] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)
    _cell: _Written | None = None
    _in_caption: bool = False
    _bold: int = 0
    _group: Node | None = None

    def start(self, node: Node) -> None:
        if node.name in ("thead", "tbody", "tfoot"):
            self._group = node
        elif node.name == "tr":
            self.rows.append([])
        elif node.name in ("td", "th"):
            if not self.rows:
                self.rows.append([])
            self._cell = _Written(node, id(self._group), self._group is not None and self._group.name == "thead")
            self.rows[-1].append(self._cell)
        elif self._cell is not None:
            self._cell.blocks += node.name in ("p", "li")
            self._cell.has_title |= node.name in HEADINGS
        self._in_caption = self._in_caption or node.name == "caption"
        self._bold += node.name in BOLD
        self._blank(node)

    def end(self, node: Node) -> None:
        self._blank(node)
        self._bold -= node.name in BOLD
        if node.name in ("td", "th"):
            self._cell = None
        elif node.name == "caption":
            self._in_caption = False
        elif node is self._group:
            self._group = None

    def text(self, text: str) -> None:
        self._target().append(text)
        if self._cell is not None and text.strip() and not self._bold:
            self._cell.bold = False

    def _blank(self, node: Node) -> None:
        if node.name in BLOCKS:
            self._target().append(" ")

    def _target(self) -> list[str]:
        if self._cell is not None:
            return self._cell.pieces
        return self.caption if self._in_caption else self.beside


def _is_layout(rows: list[list[_Written]]) -> bool:
    cells = [cell for row in rows for cell in row]
    if any(cell.node.name == "th" or cell.in_head for cell in cells):
        return False
    if max((len(row) for row in rows), default=0) <= 1 or any(cell.has_title for cell in cells):
        return True
    if _all_bold(rows[0]):
        return False
    return any(cell.blocks > 1 or len(cell.text.split()) > _LONG_CELL for cell in cells)


def _cells(rows: list[list[_Written]]) -> list[list[Cell]]:
    bold = _bold_headings(rows)
    left: dict[int, int] = {}
    for row in rows:
        left[row[0].group] = left.get(row[0].group, 0) + 1
    found = []
    for row in rows:
        below = left[row[0].group]
        left[row[0].group] -= 1
        found.append([_cell(cell, below, id(cell) in bold) for cell in row])
    return found


def _cell(cell: _Written, below: int, bold: bool) -> Cell:
    attributes = cell.node.attributes
    high = below if attributes.get("rowspan") == "0" else min(below, span(attributes.get("rowspan", "1")))
    return Cell(cell.text, cell.node.name == "th" or cell.in_head or bold, span(attributes.get("colspan", "1")), high)


def _bold_headings(rows: list[list[_Written]]) -> set[int]:
    """In a table without <th>, what stands in bold as headings do: the first row, the first column, a line across."""
    if any(cell.node.name == "th" or cell.in_head for row in rows for cell in row) or all(map(_all_bold, rows)):
        return set()
    found = {id(cell) for cell in rows[0]} if len(rows[0]) > 1 and _all_bold(rows[0]) else set()
    if all(_is_bold(row[0]) for row in rows[1:] if row[0].text):
        found.update(id(row[0]) for row in rows if len(row) > 1 and _is_bold(row[0]))
    found.update(id(row[0]) for row in rows if len(row) == 1 and _is_bold(row[0]))
    return found


def _is_bold(cell: _Written) -> bool:
    return bool(cell.text) and cell.bold


def _all_bold(row: list[_Written]) -> bool:
    said = [cell for cell in row if cell.text]
    return bool(said) and all(cell.bold for cell in said)
