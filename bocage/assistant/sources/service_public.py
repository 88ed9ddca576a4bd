"""National sheets from the official archive of DILA (« vosdroits-latest.zip »): one XML file a sheet.

Source: « Fiches pratiques et ressources de Service-Public », DILA, Licence Ouverte 2.0, published every day.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from bocage.assistant.documents import Document
from bocage.assistant.sources.archives import read_members
from bocage.assistant.sources.nodes import BrokenFile
from bocage.assistant.sources.report import FileError
from bocage.assistant.sources.sheets import document_of
from bocage.assistant.sources.xmltree import parse_xml

# Sheets only: « R12345.xml » (forms, links) and « N123.xml » (folders) are pieces that the sheets already name.
_WANTED = re.compile(r"(?:[\w.-]{1,100}/){0,3}F\d{1,7}\.xml")


def read_service_public(path: Path, errors: list[FileError] | None = None) -> Iterator[Document]:
    """The sheets of the ZIP at ``path``, of its unpacked folder, or the one sheet of an XML file.

    A broken sheet is named in ``errors`` and skipped. Raises ``UnreadableFile`` when the archive itself cannot be read.
    """
    for name, content in read_members(path, _WANTED):
        try:
            if isinstance(content, BrokenFile):
                raise content
            yield document_of(parse_xml(content))
        except BrokenFile as error:
            if errors is not None:
                errors.append(FileError(name, str(error)))
