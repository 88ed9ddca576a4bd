"""Reads the files of a run inside the worker: tables by their schema, other files by their kind and size."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bocage.contract.errors import MissingInput, UnreadableFile
from bocage.contract.rows import FileInput, Row

if TYPE_CHECKING:
    import pandas as pd

Declared = Mapping[str, type[Row] | FileInput]


def read_inputs(
    declared: Declared, files: Mapping[str, str], timezone: str, names: Mapping[str, str]
) -> tuple[dict[str, pd.DataFrame | Path], dict[str, Any]]:
    """What the engine receives, and the report of each table. Raises ``MissingInput`` and what ``read_table`` raises.

    ``names`` are what people call the files, by input: reports and sentences say them, and the file's own name where there is none.
    """
    _check_names(declared, files)
    inputs: dict[str, pd.DataFrame | Path] = {}
    reports: dict[str, Any] = {}
    for name, kind in declared.items():
        if name not in files:
            _require(name, kind)
        elif isinstance(kind, FileInput):
            inputs[name] = check_file(name, kind, Path(files[name]))
        else:
            from bocage.contract.tables import read_table

            table = read_table(Path(files[name]), kind, timezone=timezone, name=names.get(name))
            inputs[name] = table.frame
            reports[name] = table.report.to_dict()
    return inputs, reports


def read_truth(
    declared: Mapping[str, type[Row]], files: Mapping[str, str], timezone: str, names: Mapping[str, str]
) -> dict[str, pd.DataFrame]:
    """What ``evaluate`` receives; ``names`` as for ``read_inputs``."""
    inputs, _ = read_inputs(declared, files, timezone, names)
    return {name: frame for name, frame in inputs.items() if not isinstance(frame, Path)}


def _check_names(declared: Declared, files: Mapping[str, str]) -> None:
    unknown = sorted(set(files) - set(declared))
    if unknown:
        raise MissingInput(f"Entrée inconnue : « {unknown[0]} ». Entrées attendues : {', '.join(declared) or 'aucune'}.")


def _require(name: str, kind: type[Row] | FileInput) -> None:
    title, required = (kind.title, kind.required) if isinstance(kind, FileInput) else (kind.TABLE.title, kind.TABLE.required)
    if required:
        raise MissingInput(f"Il manque l’entrée « {name} »{f' ({title})' if title else ''}. Déposez ce fichier, puis relancez le calcul.")


def check_file(name: str, kind: FileInput, path: Path) -> Path:
    """``path`` itself, of the right kind and size. Raises ``UnreadableFile``."""
    if kind.suffixes and not path.name.lower().endswith(tuple(suffix.lower() for suffix in kind.suffixes)):
        raise UnreadableFile(f"Entrée « {name} » : lu un fichier « {path.suffix or path.name} », attendu {' ou '.join(kind.suffixes)}.")
    size = path.stat().st_size
    if size > kind.max_mb * 1024 * 1024:
        raise UnreadableFile(f"Entrée « {name} » : le fichier pèse {size / 1024**2:.0f} Mo, au-delà des {kind.max_mb} Mo admis.")
    if size == 0:
        raise UnreadableFile(f"Entrée « {name} » : le fichier est vide. Déposez-le à nouveau.")
    return path
