"""What a worker says before any run: what a use case asks for, what is wrong with a file, and the wrong lines to correct.

``described``, ``inspected`` and ``corrected`` run inside the worker; ``description`` and ``reports`` check, in the parent, what it sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bocage.contract.errors import BocageError, EngineFault, MissingInput
from bocage.contract.rows import FileInput, Row
from bocage.execution.bounds import parsed

if TYPE_CHECKING:
    from bocage.contract.tables import Table, TableReport
    from bocage.contract.usecase import UseCase

MAX_ERRORS = 100_000
"""Wrong cells kept of one file; beyond, the report tells how many there are and the corrections hold every line."""
FIRST_ERRORS = 50
"""Wrong cells told at length in the report itself; all those kept are in ``details``."""

_TEXTS = ("file", "sha256", "format")
_MAYBE_TEXTS = ("encoding", "separator", "decimal", "sheet")
_COUNTS = ("lines", "kept", "errors_total")
_CELL = ("column", "read", "expected", "advice")


# Inside the worker


def described(use_case: UseCase) -> dict[str, Any]:
    """Inputs, truth and parameters, as plain data for forms."""
    return {
        "inputs": [_input(name, kind) for name, kind in use_case.inputs.items()],
        "truth": [_input(name, kind) for name, kind in use_case.truth.items()],
        "params": use_case.params.model_json_schema(),
    }


def inspected(
    declared: Mapping[str, type[Row] | FileInput], files: Mapping[str, str], names: Mapping[str, str], zone: str
) -> dict[str, Any]:
    """The report of each file, whatever is wrong with it."""
    return {
        name: _inspect(name, _kind(declared, name), Path(path), names.get(name) or Path(path).name, zone) for name, path in files.items()
    }


def corrected(kind: type[Row] | FileInput, path: Path, name: str, zone: str, scratch: Path) -> bytes:
    """The wrong lines of a table, as the CSV to correct."""
    from bocage.contract.tables import write_corrections

    if isinstance(kind, FileInput):
        raise MissingInput("Ce fichier n’est pas un tableau : il n’a pas de lignes à corriger.")
    return write_corrections(path, _read(path, kind, name, zone), kind, scratch / "corrections.csv").read_bytes()


def _kind(declared: Mapping[str, type[Row] | FileInput], name: str) -> type[Row] | FileInput:
    if name not in declared:
        raise MissingInput(f"Entrée inconnue : « {name} ». Entrées attendues : {', '.join(declared) or 'aucune'}.")
    return declared[name]


def _input(name: str, kind: type[Row] | FileInput) -> dict[str, Any]:
    if isinstance(kind, FileInput):
        suffixes = list(kind.suffixes)
        return {"name": name, "title": kind.title, "required": kind.required, "suffixes": suffixes, "max_mb": kind.max_mb, "columns": []}
    columns = []
    for field, info in kind.model_fields.items():
        extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
        said = {"title": info.description or "", "unit": str(extra.get("unit", "")), "example": str(extra.get("example", ""))}
        columns.append({"name": field, "required": info.is_required(), **said})
    table = kind.TABLE
    return {"name": name, "title": table.title, "required": table.required, "suffixes": [], "max_mb": 0, "columns": columns}


def _inspect(name: str, kind: type[Row] | FileInput, path: Path, filename: str, zone: str) -> dict[str, Any]:
    from bocage.execution.reading import check_file

    try:
        if isinstance(kind, FileInput):
            check_file(name, kind, path)
            return {"file": filename, "table": False}
        return _told(_read(path, kind, filename, zone).report)
    except BocageError as error:
        return {"file": filename, "table": not isinstance(kind, FileInput), "error": {"code": error.code, "message": error.message}}


def _read(path: Path, row: type[Row], name: str, zone: str) -> Table:
    """The table, also when no line of it is right."""
    from bocage.contract.tables import NoLineKept, read_table

    try:
        return read_table(path, row, timezone=zone, name=name)
    except NoLineKept as nothing:
        return nothing.table


def _told(report: TableReport) -> dict[str, Any]:
    """The report, and its errors in a compact form: most of them share column, expectation and advice."""
    kinds: dict[tuple[str, str, str], int] = {}
    cells = []
    for error in report.errors[:MAX_ERRORS]:
        kind = kinds.setdefault((error.column, error.expected, error.advice), len(kinds))
        cells.append([error.line, kind, error.read])
    return {**report.to_dict(limit=FIRST_ERRORS), "table": True, "details": {"kinds": [list(kind) for kind in kinds], "cells": cells}}


# In the parent


def description(blob: bytes) -> dict[str, Any]:
    """What ``described`` gave. Raises ``EngineFault`` when it has not its shape."""
    value = parsed(blob)
    right = isinstance(value, dict) and isinstance(value.get("params"), dict)
    if not right or not all(_is_inputs(value.get(name)) for name in ("inputs", "truth")):
        raise EngineFault("Le cas d’usage ne dit pas ce qu’il attend. Signalez-le à son auteur.")
    return dict(value)


def reports(blob: bytes, names: set[str]) -> dict[str, dict[str, Any]]:
    """What ``inspected`` gave. Raises ``EngineFault`` when it has not its shape."""
    value = parsed(blob)
    if not isinstance(value, dict) or set(value) != names or not all(_is_report(report) for report in value.values()):
        raise EngineFault("La lecture des fichiers a rendu un compte rendu sans forme. Signalez-le à l’auteur du cas d’usage.")
    return dict(value)


def _is_inputs(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, dict) and isinstance(item.get("name"), str) and isinstance(item.get("columns"), list) for item in value
    )


def _is_report(report: Any) -> bool:
    if not isinstance(report, dict) or not isinstance(report.get("file"), str):
        return False
    error = report.get("error")
    if error is not None:
        return isinstance(error, dict) and all(isinstance(error.get(key), str) for key in ("code", "message"))
    return report.get("table") is False or (_has_counts(report) and _has_cells(report))


def _has_counts(report: dict[str, Any]) -> bool:
    return (
        all(isinstance(report.get(key), str) for key in _TEXTS)
        and all(report.get(key) is None or isinstance(report[key], str) for key in _MAYBE_TEXTS)
        and all(type(report.get(key)) is int and report[key] >= 0 for key in _COUNTS)
        and _are_texts(report.get("notes"))
    )


def _has_cells(report: dict[str, Any]) -> bool:
    errors, details = report.get("errors"), report.get("details")
    if not isinstance(errors, list) or not isinstance(details, dict):
        return False
    kinds, cells = details.get("kinds"), details.get("cells")
    if not isinstance(kinds, list) or not isinstance(cells, list) or len(cells) > MAX_ERRORS:
        return False
    return (
        all(isinstance(e, dict) and type(e.get("line")) is int and all(isinstance(e.get(key), str) for key in _CELL) for e in errors)
        and all(_are_texts(kind) and len(kind) == 3 for kind in kinds)
        and all(_is_cell(cell, len(kinds)) for cell in cells)
    )


def _is_cell(cell: Any, kinds: int) -> bool:
    if not isinstance(cell, list) or len(cell) != 3:
        return False
    return type(cell[0]) is int and type(cell[1]) is int and 0 <= cell[1] < kinds and isinstance(cell[2], str)


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
