"""A local page in DOCX (ECMA-376): headings by style, lists, tables; deleted and hidden text left out. Standard library, guarded XML."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from pathlib import Path
from typing import Any

from bocage.assistant.documents import Document
from bocage.assistant.sources.archives import bounded
from bocage.assistant.sources.nodes import BrokenFile, Node, text_of
from bocage.assistant.sources.pages import PageBuilder, page, read_bytes
from bocage.assistant.sources.xmltree import parse_xml
from bocage.contract.errors import UnreadableFile

MAX_PART_BYTES = 40_000_000
MAX_NODES = 600_000
_HEADING = re.compile(r"(?:heading|titre) ?([1-6])", re.IGNORECASE)
_TITLE = re.compile(r"title|titre", re.IGNORECASE)


def read_docx(path: Path, root: Path | None = None) -> Document:
    """The document at ``path``; its id comes from its place under ``root``.

    Raises ``UnreadableFile``: not a DOCX, damaged, protected, too big once unpacked, dangerous XML, no text.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(read_bytes(path))) as archive:
            body = _part(archive, "word/document.xml")
            styles, core = _part(archive, "word/styles.xml"), _part(archive, "docProps/core.xml")
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, ValueError, RuntimeError):
        raise UnreadableFile(
            f"« {path.name} » n’est pas un document DOCX entier et sans mot de passe. Enregistrez-le de nouveau."
        ) from None
    except BrokenFile as error:
        raise UnreadableFile(f"« {path.name} » ne peut pas être lu : {error}.") from None
    content = body.child("w:body") if body is not None else None
    if content is None:
        raise UnreadableFile(f"« {path.name} » n’est pas un document Word au format DOCX. Enregistrez-le dans ce format.")
    builder = PageBuilder()
    title = _Reader(builder, _style_names(styles)).read(content)
    facts: dict[str, Any] = {}
    if core is not None:
        title = title or text_of(core.child("dc:title"))
        modified = text_of(core.child("dcterms:modified"))[:10]
        facts["date"] = modified if re.fullmatch(r"\d{4}-\d{2}-\d{2}", modified) else None
    return page(path, root, title, builder.passages, facts)


def _part(archive: zipfile.ZipFile, name: str) -> Node | None:
    if name not in archive.namelist():
        return None
    with archive.open(name) as file:
        return parse_xml(bounded(file, MAX_PART_BYTES), MAX_NODES)


def _style_names(styles: Node | None) -> dict[str, str]:
    """Style id → its name: « Titre1 » → « heading 1 »."""
    names = {}
    for style in styles.elements("w:style") if styles is not None else ():
        name = style.child("w:name")
        names[style.attributes.get("w:styleId", "")] = name.attributes.get("w:val", "") if name is not None else ""
    return names


class _Reader:
    def __init__(self, builder: PageBuilder, styles: dict[str, str]) -> None:
        self.builder, self.styles = builder, styles
        self.title = ""
        self.items: list[str] = []

    def read(self, body: Node) -> str:
        self._blocks(body)
        self._close_list()
        self.builder.flush()
        return self.title

    def _blocks(self, node: Node) -> None:
        for child in node.elements():
            if child.name == "w:p":
                self._paragraph(child)
            elif child.name == "w:tbl":
                self._close_list()
                rows = [[_words(cell) for cell in row.elements("w:tc")] for row in child.elements("w:tr")]
                self.builder.rows([row for row in rows if any(row)])
            elif child.name in ("w:sdt", "w:sdtContent"):
                self._blocks(child)

    def _paragraph(self, node: Node) -> None:
        text = _words(node)
        properties = node.child("w:pPr")
        style = properties.child("w:pStyle") if properties is not None else None
        identity = style.attributes.get("w:val", "") if style is not None else ""
        name = self.styles.get(identity, identity)
        if not text or name.casefold().startswith(("toc", "tm ")):
            return
        heading = _HEADING.fullmatch(name)
        if properties is not None and properties.child("w:numPr") is not None and not heading:
            self.items.append(text)
            return
        self._close_list()
        if (_TITLE.fullmatch(name) or (heading and heading[1] == "1")) and not self.title:
            self.title = text
        elif heading:
            self.builder.heading(int(heading[1]), text)
        else:
            self.builder.paragraph(text)

    def _close_list(self) -> None:
        if self.items:
            self.builder.items(self.items)
            self.items = []


def _words(node: Node) -> str:
    """Visible words: tabs and breaks are blanks, deleted and hidden runs are nothing."""
    return " ".join("".join(_runs(node)).split())


def _runs(node: Node) -> list[str]:
    pieces: list[str] = []
    for child in node.elements():
        if child.name == "w:t":
            pieces.append("".join(part for part in child.children if isinstance(part, str)))
        elif child.name in ("w:tab", "w:br", "w:cr"):
            pieces.append(" ")
        elif child.name not in ("w:del", "w:pPr", "mc:Fallback") and not _hidden(child):
            pieces += _runs(child)
            if child.name == "w:p":
                pieces.append(" ")
    return pieces


def _hidden(node: Node) -> bool:
    return node.name == "w:r" and any(properties.child("w:vanish") is not None for properties in node.elements("w:rPr"))
