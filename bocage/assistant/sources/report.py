"""What reading a source gives: its documents, and each file that could not be read with the reason. One broken file stops nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from bocage.assistant.documents import Document


@dataclass(frozen=True, slots=True)
class FileError:
    """A file of a source that was left out: its name within the source and the reason, in French."""

    file: str
    reason: str

    def sentence(self) -> str:
        """« « F12.json » n’est pas lue : le JSON est mal formé. »"""
        return f"« {self.file} » n’a pas pu être lu : {self.reason.rstrip('.')}."


@dataclass(slots=True)
class SourceReport:
    """All that was read from one source. ``documents`` have unique ids."""

    documents: list[Document] = field(default_factory=list)
    errors: list[FileError] = field(default_factory=list)
    oldest: date | None = None
    newest: date | None = None
    """Dates of the documents, for the register."""
