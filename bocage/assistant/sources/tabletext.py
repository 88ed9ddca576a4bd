"""A table of an official sheet, row by row, each cell with its header: a figure alone would mean nothing once cited."""

from __future__ import annotations

from collections.abc import Iterator

from bocage.assistant.sources.grid import Cell, Names, column_names, expanded, named, span
from bocage.assistant.sources.nodes import Node


def table_rows(table: Node) -> Iterator[str]:
    """One text per row: « header : cell » on a line each, or the cell alone where the column has no header."""
    rows = list(table.elements("Rangée"))
    own = ([_cell(cell) for cell in row.elements("Cellule")] for row in rows)
    headers: list[list[Cell]] = []
    names: Names | None = None
    for row, cells in zip(rows, expanded(own, len(list(table.elements("Colonne")))), strict=True):
        if row.attributes.get("type") == "header":
            headers.append(cells)
            names = None
            continue
        names = column_names(headers) if names is None else names
        if text := named(cells, names, first_header_only=True):
            yield text


def _cell(cell: Node) -> Cell:
    merged = (span(cell.attributes.get(name, "1")) for name in ("fusionHorizontale", "fusionVerticale"))
    return Cell(cell.text(), False, *merged)
