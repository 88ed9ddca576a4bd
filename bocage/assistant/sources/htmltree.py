"""An HTML page to a tree of ``Node``, as browsers understand it where end tags are left out. What a hostile page costs stays bounded."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from html.parser import HTMLParser
from typing import Literal

from bocage.assistant.sources.nodes import MAX_NODES, Node, collapse
from bocage.contract.errors import UnreadableFile

MAX_DEPTH = 500
MAX_UNENDED = 100
_LOOK_BACK = 50
"""How far up an end tag looks for its element."""
_UNENDED = re.compile(r"<[a-zA-Z/!?][^<>]*(?=<|\Z)")
_CUTS = [
    (re.compile("<!--"), re.compile("-->")),
    (re.compile(r"<script\b", re.IGNORECASE), re.compile(r"</script[^<>]*>", re.IGNORECASE)),
    (re.compile(r"<style\b", re.IGNORECASE), re.compile(r"</style[^<>]*>", re.IGNORECASE)),
]
HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
BLOCKS = (
    HEADINGS
    | {"address", "article", "aside", "blockquote", "body", "br", "center", "details", "dialog", "div", "fieldset", "figcaption", "figure"}
    | {"footer", "form", "header", "hr", "html", "main", "nav", "p", "pre", "section", "summary", "ul", "ol", "li", "dl", "dt", "dd"}
    | {"table", "caption", "thead", "tbody", "tfoot", "tr", "td", "th"}
)
"""Elements that stand on lines of their own."""
_VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
_TOLD = frozenset({"br", "hr", "link", "meta"})
"""Void elements that mean something here; the others are blanks."""
_INLINE = frozenset(
    {"a", "abbr", "b", "bdi", "big", "cite", "code", "em", "font", "i", "ins", "label", "mark", "q", "s", "small", "span", "strong", "sub"}
    | {"sup", "time", "tt", "u"}
)
_IN_HEAD = frozenset({"base", "link", "meta", "noscript", "script", "style", "template", "title"})
_SECTIONS = frozenset({"tbody", "tfoot", "thead"})
_ENDS = {
    "li": {"p", "li"},
    "dt": {"p", "dt", "dd"},
    "dd": {"p", "dt", "dd"},
    "td": {"p", "td", "th", "caption"},
    "th": {"p", "td", "th", "caption"},
    "tr": {"p", "td", "th", "tr", "caption"},
    "a": {"a"},
    "body": {"head"},
} | {section: {"p", "td", "th", "tr", "caption", *_SECTIONS} for section in _SECTIONS}
"""Elements that the start of another ends: many pages leave their end tags out. Every block ends a paragraph, a heading ends a heading."""
_TABLE_PARTS = frozenset({"caption", "td", "th", "tr"}) | _SECTIONS
_CELLS = frozenset({"caption", "table", "td", "th"})

Event = tuple[Literal["start", "text", "end"], Node, str]


def parse_html(text: str, name: str) -> Node:
    """The tree of the page ``name``. Raises ``UnreadableFile``: a heap of tags that never end, too deep, too many elements."""
    parser = _Parser(name)
    parser.feed(_tame(text, name))
    parser.close()
    return parser.stack[0]


def walk(root: Node, left_out: Container[int] = frozenset()) -> Iterator[Event]:
    """Elements and texts of ``root`` in reading order; a text comes with the element that holds it. Never recursive.

    Nothing is told of an element whose ``id()`` is in ``left_out``; one that the caller adds there when it starts is neither entered nor
    ended.
    """
    yield "start", root, ""
    stack = [(root, iter(root.children))]
    while stack:
        node, children = stack[-1]
        child = next(children, None)
        if child is None:
            stack.pop()
            yield "end", node, ""
        elif isinstance(child, str):
            yield "text", node, child
        elif id(child) not in left_out:
            yield "start", child, ""
            if id(child) not in left_out:
                stack.append((child, iter(child.children)))


def words_of(node: Node, left_out: Container[int] = frozenset()) -> str:
    """All the text of an element on one line, a blank between its blocks."""
    return collapse("".join(text if kind == "text" else " " if inner.name in BLOCKS else "" for kind, inner, text in walk(node, left_out)))


class _Parser(HTMLParser):
    def __init__(self, name: str) -> None:
        super().__init__(convert_charrefs=True)
        self.stack = [Node("page")]
        self._name = name
        self._count = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._end_unended(tag)
        if tag in _VOID - _TOLD:
            self.stack[-1].children.append(" ")
            return
        self._count += 1
        if self._count > MAX_NODES:
            raise UnreadableFile(f"« {self._name} » a plus de {MAX_NODES} éléments. Découpez cette page en plusieurs.")
        node = Node(tag, {name: value or "" for name, value in attrs})
        self.stack[-1].children.append(node)
        if tag in _VOID:
            return
        if len(self.stack) > MAX_DEPTH:
            raise UnreadableFile(f"La page a plus de {MAX_DEPTH} éléments emboîtés.")
        self.stack.append(node)

    def _end_unended(self, tag: str) -> None:
        ends = _ENDS.get(tag, {"p"} if tag in BLOCKS and tag != "br" else set())
        if tag in HEADINGS:
            ends = ends | HEADINGS
        if tag not in _IN_HEAD and self.stack[-1].name == "head":
            self.stack.pop()
        keep = len(self.stack)
        for at in range(len(self.stack) - 1, max(0, len(self.stack) - _LOOK_BACK), -1):
            name = self.stack[at].name
            if name in ends:
                keep = at
            elif name not in _INLINE:
                break
        del self.stack[keep:]

    def handle_endtag(self, tag: str) -> None:
        walls = {"table"} if tag in _TABLE_PARTS else set() if tag == "table" else _CELLS
        for at in range(len(self.stack) - 1, max(0, len(self.stack) - _LOOK_BACK), -1):
            name = self.stack[at].name
            if name == tag:
                # A <form> often ends in the middle of the blocks that it opened: they go on.
                del self.stack[at : at + 1 if tag == "form" else None]
                return
            if name in walls:
                return

    def handle_data(self, data: str) -> None:
        self.stack[-1].children.append(data)


def _tame(text: str, name: str) -> str:
    """The page without comments, scripts and styles, in one pass. Raises ``UnreadableFile`` on a heap of tags that never end.

    The parser of Python 3.11 takes quadratic time on these (CVE-2025-6069).
    """
    for opening, closing in _CUTS:
        kept, at = [], 0
        while found := opening.search(text, at):
            kept.append(text[at : found.start()])
            end = closing.search(text, found.end())
            at = end.end() if end else len(text)
        text = "".join([*kept, text[at:]])
    if sum(1 for _ in _UNENDED.finditer(text)) > MAX_UNENDED:
        raise UnreadableFile(
            f"« {name} » n’est pas une page HTML bien formée : trop de balises n’y sont pas fermées. Enregistrez-la de nouveau."
        )
    return text
