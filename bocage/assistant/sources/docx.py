"""A local page in DOCX (ECMA-376): headings by style, lists, tables; deleted and hidden text left out. Standard library, guarded XML."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from bocage.assistant.documents import Document
from bocage.assistant.hours_notation import MONTHS, WEEKDAYS
from bocage.assistant.opening_hours import fold
from bocage.assistant.sources.archives import bounded
from bocage.assistant.sources.grid import Cell, expanded, span
from bocage.assistant.sources.nodes import BrokenFile, Node, text_of
from bocage.assistant.sources.pages import PageBuilder, audiences_in_keywords, page, read_bytes
from bocage.assistant.sources.xmltree import parse_xml
from bocage.contract.errors import UnreadableFile

MAX_PART_BYTES = 40_000_000
MAX_NODES = 600_000
_HEADING = re.compile(r"(?:heading|titre) ?([1-6])", re.IGNORECASE)
_TITLE = re.compile(r"title|titre", re.IGNORECASE)
_REPEATED = 200
"""Characters of the longest cell that is said again on each row that it was merged over."""
_HEADER_ROWS = 4
_WRAPPERS = frozenset({"w:sdt", "w:sdtContent", "w:customXml", "w:ins", "w:smartTag"})
_OFF = frozenset({"0", "false", "off"})
_BOLD_LEVEL, _BOLD_WORDS = 6, 12
"""A heading made with bold letters alone: below those that have a style, and no longer than a title."""
_FACT = re.compile(r"\d ?(?:€|euros?\b|%|h\b|h ?\d)|\d\d[ .]\d\d[ .]\d\d|@", re.IGNORECASE)
"""« Tarif : 12 € », « 02 61 91 40 20 » in bold: what people come for, not the name of what follows."""
_SERIES = re.compile(rf"(?:{'|'.join((*WEEKDAYS, *MONTHS))})\b")
_FAMILIES = {
    "amount": re.compile(r"\d[\d .,]*(?:€|euros?\b)|gratuit"),
    "hours": re.compile(r"(?:de )?\d{1,2} ?h\b|(?:de )?\d{1,2} ?h ?\d|ferme"),
    "number": re.compile(r"(?!(?:19|20)\d\d\Z)[\d .,/+%-]*\d[\d .,/+%-]*\Z"),
}


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
        facts["public"] = audiences_in_keywords(text_of(core.child("cp:keywords")))
        modified = text_of(core.child("dcterms:modified"))[:10]
        facts["date_fichier"] = modified if re.fullmatch(r"\d{4}-\d{2}-\d{2}", modified) else None
    return page(path, root, title, builder, facts)


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
        self.bold = ""
        """A short text in bold that waits: a heading when a text follows it."""
        self.styled = False

    def read(self, body: Node) -> str:
        self.styled = any(self._level(node) for node in body.descendants("w:p"))
        self._blocks(body)
        self._close_list()
        self._leave_bold()
        self.builder.flush()
        return self.title

    def _blocks(self, node: Node) -> None:
        for child in node.elements():
            if child.name == "w:p":
                self._paragraph(child)
            elif child.name == "w:tbl":
                self._close_list()
                self._open_bold()
                self.builder.table(_with_first_header(_table(child)))
            elif child.name in _WRAPPERS:
                self._blocks(child)

    def _paragraph(self, node: Node) -> None:
        text = _words(node)
        name = self._style(node)
        if not text or name.casefold().startswith(("toc", "tm ")):
            return
        properties, level = node.child("w:pPr"), self._level(node)
        if properties is not None and properties.child("w:numPr") is not None and not _HEADING.fullmatch(name):
            self._open_bold()
            self.items.append(text)
            return
        self._close_list()
        if level:
            self._leave_bold()
            self._heading(level, text)
        elif _is_bold(node) and _may_head(text):
            self._leave_bold()
            self.bold = text
        else:
            self._open_bold()
            self.builder.paragraph(text)

    def _style(self, node: Node) -> str:
        properties = node.child("w:pPr")
        style = properties.child("w:pStyle") if properties is not None else None
        identity = style.attributes.get("w:val", "") if style is not None else ""
        return self.styles.get(identity, identity)

    def _level(self, node: Node) -> int:
        """Level of the heading that a paragraph is by its style; 0 for a text."""
        name = self._style(node)
        heading = _HEADING.fullmatch(name)
        return int(heading[1]) if heading else int(bool(_TITLE.fullmatch(name)))

    def _heading(self, level: int, text: str) -> None:
        if level == 1 and not self.title:
            self.title = text
        else:
            self.builder.heading(level, text)

    def _open_bold(self) -> None:
        """A text follows the one in bold: that was its heading, or the title where nothing has a style."""
        text, self.bold = self.bold, ""
        if text:
            self._heading(_BOLD_LEVEL if self.styled or self.title else 1, text)

    def _leave_bold(self) -> None:
        """Nothing follows the text in bold: it says something itself, « Fermé le lundi »."""
        text, self.bold = self.bold, ""
        if text:
            self.builder.paragraph(text)

    def _close_list(self) -> None:
        if self.items:
            self.builder.items(self.items)
            self.items = []


def _table(table: Node) -> list[list[Cell]]:
    """Rows of a table; a cell merged downwards is said again on each row. Headings: rows marked as header, cells that are bold."""
    above: dict[int, Cell] = {}
    rows = []
    for row in _unwrapped(table, "w:tr"):
        properties = row.child("w:trPr")
        header = _is_on(properties.child("w:tblHeader")) if properties is not None else False
        before = _value(properties.child("w:gridBefore"), "0") if properties is not None else "0"
        cells = [Cell("", columns=span(before))] if before != "0" else []
        at = sum(cell.columns for cell in cells)
        below = dict[int, Cell]()
        for node in _unwrapped(row, "w:tc"):
            cell, merge = _cell(node, header)
            if merge == "continue" and at in above:
                cell = replace(above[at], columns=cell.columns)
            if merge:
                below[at] = cell if len(cell.text) <= _REPEATED else replace(cell, text="")
            cells.append(cell)
            at += cell.columns
        above = below
        if any(cell.text for cell in cells):
            rows.append(cells)
    return rows


def _cell(node: Node, header: bool) -> tuple[Cell, str]:
    """The cell, and « restart » or « continue » when it is merged downwards."""
    properties, text = node.child("w:tcPr"), _words(node)
    columns = merge = ""
    if properties is not None:
        columns = _value(properties.child("w:gridSpan"), "1")
        merged = properties.child("w:vMerge")
        merge = _value(merged, "continue") if merged is not None else ""
    return Cell(text, heading=header or bool(text and _is_bold(node)), columns=span(columns)), merge


def _with_first_header(rows: list[list[Cell]]) -> list[list[Cell]]:
    """The rows with their headings where they name something: the first rows and the first column. A total in bold names nothing."""
    start = next((at for at, row in enumerate(rows) if len(row) > 1), len(rows))
    head = rows[start : start + 1]
    if not head:
        return rows
    marked = all(cell.heading for cell in head[0] if cell.text)
    under = rows[start + 1 :]
    if under and not marked and _names_columns(_placed(head[0]), [_placed(row) for row in under if len(row) > 1]):
        head, marked = [[replace(cell, heading=True) for cell in head[0]]], True
    if not marked:
        return [*rows[:start], *map(_first_only, rows[start:])]
    while len(head) < min(_HEADER_ROWS, len(under)) and _is_stacked(head[-1], under[len(head) - 1]):
        head.append([replace(cell, heading=True) for cell in under[len(head) - 1]])
    return [*rows[:start], *head, *map(_first_only, under[len(head) - 1 :])]


def _placed(row: list[Cell]) -> list[Cell]:
    return next(expanded([row]))


def _first_only(row: list[Cell]) -> list[Cell]:
    """A row of values: only its first cell may be a heading, and only when it names others."""
    names = len(row) > 1 and any(cell.text and not cell.heading for cell in row[1:])
    return [replace(cell, heading=cell.heading and at == 0 and names) for at, cell in enumerate(row)]


def _is_stacked(head: list[Cell], row: list[Cell]) -> bool:
    """Whether ``row`` is a second header row: marked as one, or under a merged header and without a value."""
    marked = len(row) > 1 and all(cell.heading for cell in row if cell.text)
    merged = len(row) > len(head) and any(cell.columns > 1 for cell in head)
    return (marked or merged) and not any(_family(cell.text) for cell in row)


def _names_columns(first: list[Cell], under: list[list[Cell]]) -> bool:
    """Whether a first row that nothing marks names the columns. « Lundi | 9h-12h » above « Mardi | 14h-17h » names none.

    Of two columns, one must hold values of one kind under words: « Adulte : 4 € » is true without a header, false under a wrong one.
    """
    if under and all(_SERIES.match(fold(row[0].text)) for row in (first, under[0])):
        return False
    kinds = []
    for at, cell in list(enumerate(first))[1:]:
        below = {_family(row[at].text) for row in under if at < len(row) and row[at].text}
        if (own := _family(cell.text)) and own in below:
            return False
        kinds.append(bool(cell.text) and len(below) == 1 and "" not in below)
    return any(kinds) or len(first) > 2


def _family(text: str) -> str:
    """What kind of value ``text`` is, « amount », « hours » or « number »; nothing when it is words."""
    start = fold(text[:_REPEATED])
    return next((family for family, shape in _FAMILIES.items() if shape.match(start)), "")


def _unwrapped(node: Node, name: str) -> Iterator[Node]:
    """Children named ``name``, those inside content controls and tracked insertions too."""
    for child in node.elements():
        if child.name == name:
            yield child
        elif child.name in _WRAPPERS:
            yield from _unwrapped(child, name)


def _value(node: Node | None, unsaid: str) -> str:
    return node.attributes.get("w:val", unsaid) if node is not None else unsaid


def _is_on(node: Node | None) -> bool:
    return node is not None and _value(node, "1") not in _OFF


def _may_head(text: str) -> bool:
    """Whether a text in bold may be a heading: short, no sentence, no announcement, no fact."""
    return len(text.split()) <= _BOLD_WORDS and text[-1] not in ".!;:,…" and not _FACT.search(text) and any(map(str.isalpha, text))


def _is_bold(cell: Node) -> bool:
    """Whether all that is written in ``cell``, or in a paragraph, is bold."""
    runs = [run for run in cell.descendants("w:r") if any(text_of(text) for text in run.elements("w:t"))]
    return bool(runs) and all(any(_is_on(p.child("w:b")) for p in run.elements("w:rPr")) for run in runs)


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
