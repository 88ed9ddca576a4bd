"""What is shown of an HTML page to passages: headings, titles of panels and terms never part from what they announce."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from bocage.assistant.sources.grid import Cell, glued, is_label
from bocage.assistant.sources.htmlshown import Shown, is_panel_title
from bocage.assistant.sources.htmltable import BOLD, data_table
from bocage.assistant.sources.htmltree import BLOCKS, HEADINGS, walk
from bocage.assistant.sources.nodes import Node, collapse
from bocage.assistant.sources.pages import PageBuilder

_LABEL_WORDS = 12
_TITLE_WORDS = 30
"""A longer « title » of a panel is a paragraph."""
_RANKS = 6
_NO_LEVEL = 99


@dataclass(slots=True)
class Block:
    """A run of text. Kinds: « h1 » to « h6 », « li », « p », « table »; « label » or « term » and its « close »; « end » of a list."""

    kind: str
    text: str = ""
    linked: int = 0
    """Words that are links."""
    bold: bool = False
    owner: int = 0
    """``id()`` of the element in which a label or a term holds."""
    level: int = _NO_LEVEL
    """Of a label that is a heading: it ends those at its level and below."""
    rows: list[list[Cell]] = field(default_factory=list)

    @property
    def words(self) -> int:
        return len(self.text.split()) + sum(len(cell.text.split()) for row in self.rows for cell in row)


class Reader:
    """One walk through one part of the page."""

    def __init__(self, content: Shown) -> None:
        self._left_out, self._panels = content.left_out, content.panels
        self._blocks: list[Block] = []
        self._open: list[Node] = []
        self._title: Node | None = None
        """The heading or the label that is being read."""
        self._names_panel = False
        """That title is the one of the panel that follows it."""
        self._awaiting: Block | None = None
        """The title of a panel that has not started yet."""
        self._owners: set[int] = set()
        self._pieces: list[str] = []
        self._linked = self._links = self._bold = self._items = 0
        self._said, self._all_bold = False, True

    def read(self, part: Node) -> list[Block]:
        """Its blocks in reading order."""
        for kind, node, text in walk(part, self._left_out):
            if kind == "start":
                self._start(node)
            elif kind == "end":
                self._end(node)
            else:
                self._text(text)
        self._close_text()
        self._give_up_awaiting()
        return self._blocks

    def _start(self, node: Node) -> None:
        if node.name in BLOCKS:
            self._break(node)
        if title := self._panels.title_of(node):
            self._close_text()
            self._label(Block("label", title), node)
        if node.name == "table" and self._table(node):
            return
        self._open.append(node)
        self._count(node, 1)
        if _is_title(node) and (self._title is None or node.name == "h1"):
            self._close_text()
            self._give_up_awaiting()
            self._title, self._names_panel = node, False
        if self._title is not None and node.name != "h1":
            self._names_panel = self._names_panel or is_panel_title(node) or self._panels.names_one(node)

    def _end(self, node: Node) -> None:
        if node is self._title or (node.name in BLOCKS and self._title is None):
            self._close_text()
        elif node.name in BLOCKS:
            self._pieces.append(" ")
        self._title = None if node is self._title else self._title
        self._open.pop()
        self._count(node, -1)
        if id(node) in self._owners:
            self._close_label(id(node))
        if node.name in ("ul", "ol"):
            self._blocks.append(Block("end"))

    def _count(self, node: Node, step: int) -> None:
        self._links += step * (node.name == "a" and "href" in node.attributes)
        self._bold += step * (node.name in BOLD)
        self._items += step * (node.name == "li")

    def _text(self, text: str) -> None:
        if not text.strip():
            self._pieces.append(" " if text else "")
            return
        self._give_up_awaiting()
        self._pieces.append(text)
        self._said = True
        self._linked += len(text.split()) if self._links else 0
        self._all_bold = self._all_bold and self._bold > 0

    def _break(self, node: Node) -> None:
        """A block starts. Inside a title that says nothing yet it is part of it; after its words, the title was left open and ends."""
        if self._title is not None and (node.name == "br" or not self._said):
            self._pieces.append(" ")
            return
        self._close_text()
        if self._awaiting and node.name != "br" and not _is_title(node):
            title, self._awaiting = self._awaiting, None
            level = int(title.kind[1]) if title.kind in HEADINGS else _NO_LEVEL
            self._label(Block("label", title.text, level=level), node)

    def _close_text(self) -> None:
        text, linked, bold = collapse("".join(self._pieces)), self._linked, self._all_bold
        self._pieces, self._linked, self._said, self._all_bold = [], 0, False, True
        title = self._title
        if not text:
            return
        self._title = None
        if title is None or (title.name not in HEADINGS and len(text.split()) > _TITLE_WORDS):
            self._blocks.append(Block("li" if self._items else "p", text, linked, bold))
        elif title.name in ("summary", "dt"):
            self._label(Block("term" if title.name == "dt" else "label", text, linked), self._parent(title))
        else:
            self._awaiting = Block(title.name if title.name in HEADINGS else "p", text, linked)
            if not self._names_panel:
                self._give_up_awaiting()

    def _parent(self, node: Node) -> Node:
        """The element around a title that is still open."""
        at = next(at for at in range(len(self._open) - 1, -1, -1) if self._open[at] is node)
        return self._open[max(0, at - 1)]

    def _label(self, label: Block, owner: Node) -> None:
        last = self._blocks[-1] if self._blocks else None
        if last is not None and last.kind == label.kind == "term" and last.owner == id(owner):
            last.text = f"{last.text}, {label.text}"
            return
        self._close_label(id(owner))
        label.owner = id(owner)
        self._owners.add(label.owner)
        self._blocks.append(label)

    def _close_label(self, owner: int) -> None:
        if owner in self._owners:
            self._owners.discard(owner)
            self._blocks.append(Block("close", owner=owner))

    def _give_up_awaiting(self) -> None:
        if self._awaiting is not None:
            self._blocks.append(self._awaiting)
            self._awaiting = None

    def _table(self, node: Node) -> bool:
        """Read a table of data whole, so that the walk does not enter it; False when it only lays out its contents."""
        table = data_table(node, self._left_out)
        if table is None:
            return False
        self._left_out.add(id(node))
        if table.beside:
            self._blocks.append(Block("p", table.beside))
        if table.caption:
            self._label(Block("label", table.caption), node)
        self._blocks.append(Block("table", rows=table.rows))
        self._close_label(id(node))
        return True


def _is_title(node: Node) -> bool:
    return node.name in HEADINGS or node.name in ("summary", "dt") or is_panel_title(node)


class _Trail:
    """Headings in force. A label holds in its own element: headings inside stand under it, and it ends with it."""

    def __init__(self, builder: PageBuilder) -> None:
        self._builder = builder
        self._entries: list[tuple[int, str, int]] = []

    def heading(self, level: int, text: str) -> None:
        self._end_headings(level)
        self._push(level, text, 0)

    def label(self, level: int, text: str, owner: int) -> None:
        self._end_headings(level)
        self._push(level, text, owner)

    def _end_headings(self, level: int) -> None:
        entries = self._entries
        while entries and not entries[-1][2] and entries[-1][0] >= level:
            entries.pop()

    def _push(self, level: int, text: str, owner: int) -> None:
        said = bool(self._entries) and self._entries[-1][1] == text
        if not said or owner:
            self._entries.append((level, text, owner))
        # A panel whose button repeats its heading says it once.
        self._builder.heading(min(len(self._entries), _RANKS), "" if said and owner else text)

    def close(self, owner: int) -> None:
        ranks = range(len(self._entries) - 1, -1, -1)
        at = next((at for at in ranks if self._entries[at][2] == owner), None)
        if at is not None:
            del self._entries[at:]
            self._builder.heading(min(at + 1, _RANKS), "")


def build(blocks: list[Block], builder: PageBuilder) -> str:
    """Passages to ``builder``. Returns the title: the first « h1 », or nothing."""
    building = _Building(builder)
    for block in _glued_terms(blocks):
        building.add(block)
    building.finish()
    return building.title


def _glued_terms(blocks: list[Block]) -> Iterator[Block]:
    """A term with one paragraph of explanation makes one text, « Ligne A : toutes les 30 minutes »; with more, it is their heading."""
    at = 0
    while at < len(blocks):
        kinds = [block.kind for block in blocks[at : at + 3]]
        if kinds == ["term", "p", "close"]:
            yield Block("p", glued(blocks[at].text, blocks[at + 1].text), blocks[at + 1].linked)
            at += 3
        else:
            yield blocks[at]
            at += 1


class _Building:
    """Blocks to passages: a paragraph that is only a label waits for what it announces."""

    def __init__(self, builder: PageBuilder) -> None:
        self.title = ""
        self._builder, self._trail = builder, _Trail(builder)
        self._items: list[Block] = []
        self._announced_by = ""

    def add(self, block: Block) -> None:
        if block.kind == "li":
            self._items.append(block)
            return
        self._close_items()
        if block.kind == "p":
            self._paragraph(block)
        elif block.kind == "table":
            self._table(block)
        elif block.kind != "end":
            self._leave_label()
            self._heading(block)

    def finish(self) -> None:
        self._close_items()
        self._leave_label()
        self._builder.flush()

    def _heading(self, block: Block) -> None:
        if block.kind == "close":
            self._trail.close(block.owner)
        elif block.kind in ("label", "term"):
            self._trail.label(block.level, block.text, block.owner)
        elif block.kind == "h1" and not self.title:
            self.title = block.text
        else:
            self._trail.heading(int(block.kind[1]), block.text)

    def _paragraph(self, block: Block) -> None:
        if _is_label(block):
            self._leave_label()
            self._announced_by = block.text
        elif self._announced_by:
            label, self._announced_by = self._announced_by, ""
            self._builder.paragraph(glued(label, block.text))
        else:
            self._builder.paragraph(block.text)

    def _table(self, block: Block) -> None:
        label = self._announced_by
        self._announced_by = label if not label or label.endswith(":") else f"{label} :"
        self._leave_label()
        self._builder.table(block.rows)

    def _leave_label(self) -> None:
        """The label introduces a list or a table, or stands alone."""
        label, self._announced_by = self._announced_by, ""
        if label:
            self._builder.paragraph(label)

    def _close_items(self) -> None:
        items, self._items = self._items, []
        # A list of links alone is a menu that lost its <nav>.
        if items and sum(block.linked for block in items) < 0.9 * sum(block.words for block in items):
            self._leave_label()
            self._builder.items([block.text for block in items])


def _is_label(block: Block) -> bool:
    """A paragraph that only announces: it ends with « : », or is a few words in bold that are no sentence."""
    if block.text.endswith(":"):
        return len(block.text.split()) <= _LABEL_WORDS
    return block.bold and is_label(block.text) and " : " not in block.text
