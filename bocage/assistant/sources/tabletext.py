"""A table of an official sheet, row by row, each cell with its header: a figure alone would mean nothing once cited."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bocage.assistant.sources.nodes import Node

MAX_SPAN = 50


@dataclass(frozen=True, slots=True)
class _Cell:
    text: str
    number: int
    """Identity of the cell: a merged one stands at several places of the grid and is cited once."""


def table_rows(table: Node) -> Iterator[str]:
    """One text per row: « header : cell » on a line each, or the cell alone where the column has no header."""
    columns = len(list(table.elements("Colonne")))
    headers: list[list[str]] = []
    for row, cells in zip(table.elements("Rangée"), _grid(table, columns), strict=True):
        if row.attributes.get("type") == "header":
            headers.append([cell.text for cell in cells])
        else:
            text = _row_text(cells, _joined(headers))
            if text:
                yield text


def _grid(table: Node, columns: int) -> Iterator[list[_Cell]]:
    """Rows with merged cells repeated wherever they stand."""
    carried: dict[int, tuple[_Cell, int]] = {}
    number = 0
    for row in table.elements("Rangée"):
        own = list(row.elements("Cellule"))
        # Some sheets declare a merge that their next rows do not honour: a full row needs nothing from above.
        if columns and sum(_span(cell, "fusionHorizontale") for cell in own) >= columns:
            carried = {}
        cells: list[_Cell] = []
        below: dict[int, tuple[_Cell, int]] = {}
        queue = iter(own)
        while True:
            at = len(cells)
            if at in carried:
                cell, left = carried[at]
                cells.append(cell)
                if left > 1:
                    below[at] = (cell, left - 1)
                continue
            node = next(queue, None)
            if node is None:
                break
            number += 1
            cell = _Cell(node.text(), number)
            for offset in range(_span(node, "fusionHorizontale")):
                if (rows := _span(node, "fusionVerticale")) > 1:
                    below[at + offset] = (cell, rows - 1)
                cells.append(cell)
        carried = below
        yield cells


def _span(cell: Node, attribute: str) -> int:
    value = cell.attributes.get(attribute, "1")
    return max(1, min(int(value), MAX_SPAN)) if value.isascii() and value.isdigit() and len(value) < 4 else 1


def _joined(headers: list[list[str]]) -> list[str]:
    """Header rows one above the other make one header per column, without saying the same twice."""
    width = max((len(row) for row in headers), default=0)
    stacked = [[row[column] for row in headers if column < len(row) and row[column]] for column in range(width)]
    return [", ".join(dict.fromkeys(texts)) for texts in stacked]


def _row_text(cells: list[_Cell], headers: list[str]) -> str:
    lines, seen = [], set()
    for column, cell in enumerate(cells):
        if not cell.text or cell.number in seen:
            continue
        seen.add(cell.number)
        spans = sum(other.number == cell.number for other in cells)
        header = headers[column] if column < len(headers) and spans < len(cells) else ""
        lines.append(f"{header} : {cell.text}" if header else cell.text)
    return "\n".join(lines)
