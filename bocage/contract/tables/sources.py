"""What every kind of file gives to the reader: a header, then chunks of text cells with their line numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bocage.contract.errors import UnreadableFile
from bocage.contract.tables.header import Match
from bocage.contract.tables.report import Format, IntArray

MAX_COLUMNS = 4096
CHUNK_LINES = 16_384

Cell = str
Columns = Sequence[Sequence[str]]


@dataclass(slots=True)
class Chunk:
    """Consecutive lines: ``columns`` are those asked for, each as long as ``lines``; ``broken`` are (line, text, fields found).

    ``fraction`` of the file read so far, 0 to 1. ``objects`` holds what is not text (GeoJSON geometries), by line.
    """

    lines: IntArray
    columns: Columns
    broken: list[tuple[int, str, int]] = field(default_factory=list)
    fraction: float = 0.0
    objects: list[object] | None = None


class Source(Protocol):
    """A file whose header was matched. ``typed``: cells come from typed values, so a point is always a decimal mark."""

    format: Format
    encoding: str | None
    separator: str | None
    sheet: str | None
    header: list[str]
    match: Match
    notes: list[str]
    typed: bool

    def chunks(self, selected: Sequence[int]) -> Iterator[Chunk]:
        """All data lines, with the columns at the indexes ``selected`` of ``header``."""
        ...


def check_width(columns: int, name: str) -> None:
    """Raise ``UnreadableFile`` over 4,096 columns."""
    if columns > MAX_COLUMNS:
        raise UnreadableFile(f"« {name} » a {columns} colonnes ; la limite est {MAX_COLUMNS}. Gardez les colonnes utiles.")


def damaged(name: str) -> UnreadableFile:
    """The error for bytes on which a well-kept library gave up."""
    return UnreadableFile(f"« {name} » est endommagé ou incomplet. Enregistrez-le de nouveau et redéposez-le.")
