"""A local page in HTML: its main content only. Menus, banners, scripts and what is hidden from the eye never reach the index."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path

from bocage.assistant.documents import Document
from bocage.assistant.sources.pages import PageBuilder, decode, page, read_bytes, refuse_menu
from bocage.contract.errors import UnreadableFile

MAX_DEPTH = 500
MAX_UNENDED = 100
_UNENDED = re.compile(r"<[a-zA-Z/!?][^<>]*(?=<|\Z)")
_CUTS = [
    (re.compile("<!--"), re.compile("-->")),
    (re.compile(r"<script\b", re.IGNORECASE), re.compile(r"</script[^<>]*>", re.IGNORECASE)),
    (re.compile(r"<style\b", re.IGNORECASE), re.compile(r"</style[^<>]*>", re.IGNORECASE)),
]
_VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
_SKIPPED = frozenset(
    {"script", "style", "nav", "header", "footer", "aside", "form", "noscript", "template", "svg", "iframe", "select", "button", "head"}
)
_BLOCKS = frozenset(
    {"p", "div", "section", "article", "main", "li", "ul", "ol", "table", "tr", "td", "th", "dl", "dt", "dd", "blockquote"}
    | {"figure", "figcaption", "address", "pre", "hr", "br", "body"}
)
_ENDS = {
    "li": {"p", "li"},
    "dt": {"p", "dt", "dd"},
    "dd": {"p", "dt", "dd"},
    "td": {"p", "td", "th"},
    "th": {"p", "td", "th"},
    "tr": {"p", "td", "th", "tr"},
}
"""Elements that the start of another ends: many pages leave their end tags out. Every block ends a paragraph."""
_MENU = re.compile(r"\b(?:menu|nav|navbar|breadcrumb|fil-d-?ariane|cookie|footer|sidebar|share|partage|skip-?link)s?\b", re.IGNORECASE)
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0|opacity\s*:\s*0(?![.\d])", re.IGNORECASE)


@dataclass(slots=True)
class _Element:
    name: str
    skipped: bool
    main: bool


@dataclass(slots=True)
class _Block:
    """A run of text: kind is « h1 » to « h6 », « li », « row » (cells apart) or « p »."""

    kind: str
    text: str
    linked: int
    main: bool
    cells: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.stack: list[_Element] = []
        self.blocks: list[_Block] = []
        self.title = self.url = self.date = self.licence = self.description = ""
        self._pieces: list[str] = []
        self._linked = 0
        self._cells: list[str] = []
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self._facts(tag, attributes)
        self._in_title = self._in_title or tag == "title"
        if tag in _BLOCKS or _is_heading(tag):
            self._close_block()
        if tag in _VOID:
            self._pieces.append(" ")
            return
        ends = _ENDS.get(tag, {"p"} if tag in _BLOCKS or _is_heading(tag) else set())
        while self.stack and self.stack[-1].name in ends:
            self.stack.pop()
        if tag == "tr":
            self._close_row()
        outer = self.stack[-1] if self.stack else _Element("", False, False)
        if len(self.stack) >= MAX_DEPTH:
            raise UnreadableFile(f"La page a plus de {MAX_DEPTH} éléments emboîtés.")
        main = outer.main or tag in ("main", "article") or attributes.get("role") == "main"
        self.stack.append(_Element(tag, outer.skipped or _is_skipped(tag, attributes, main), main))

    def handle_endtag(self, tag: str) -> None:
        self._in_title = self._in_title and tag != "title"
        if tag in _BLOCKS or _is_heading(tag):
            self._close_block(tag)
        for at in range(len(self.stack) - 1, max(-1, len(self.stack) - 50), -1):
            if self.stack[at].name == tag:
                del self.stack[at:]
                return

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title += data
        elif not (self.stack and self.stack[-1].skipped):
            self._pieces.append(data)
            if any(element.name == "a" for element in self.stack[-8:]):
                self._linked += len(data.split())

    def _close_block(self, ended: str = "") -> None:
        text, linked = " ".join("".join(self._pieces).split()), self._linked
        self._pieces, self._linked = [], 0
        names = [element.name for element in self.stack[-12:]]
        main = bool(self.stack) and self.stack[-1].main
        if ended in ("td", "th") or (text and names[-1:] and names[-1] in ("td", "th")):
            self._cells.append(text)
        elif text:
            kind = next((name for name in reversed(names) if _is_heading(name)), "li" if "li" in names else "p")
            self.blocks.append(_Block(kind, text, linked, main))
        if ended in ("tr", "table"):
            self._close_row()
        if ended in ("table", "ul", "ol"):
            self.blocks.append(_Block("end", "", 0, main))

    def _close_row(self) -> None:
        if self._cells:
            main = bool(self.stack) and self.stack[-1].main
            self.blocks.append(_Block("row", " ".join(self._cells), 0, main, self._cells))
            self._cells = []

    def _facts(self, tag: str, attributes: dict[str, str]) -> None:
        key = attributes.get("property") or attributes.get("name") or attributes.get("rel") or ""
        value = attributes.get("content") or attributes.get("href") or ""
        if key == "canonical":
            self.url = self.url or value
        elif key == "license":
            self.licence = self.licence or value
        elif key == "description":
            self.description = self.description or value
        elif key in ("article:modified_time", "dcterms.modified", "last-modified"):
            self.date = self.date or value
        elif tag == "time" and "datetime" in attributes:
            self.date = self.date or attributes["datetime"]


def _is_heading(tag: str) -> bool:
    return len(tag) == 2 and tag[0] == "h" and tag[1] in "123456"


def _is_skipped(tag: str, attributes: dict[str, str], main: bool) -> bool:
    if "hidden" in attributes or attributes.get("aria-hidden") == "true" or _HIDDEN.search(attributes.get("style", "")):
        return True
    # A <header> inside the article holds its title; outside, the banner of the site.
    if tag in _SKIPPED and not (tag == "header" and main):
        return True
    return not main and tag not in ("body", "html") and bool(_MENU.search(f"{attributes.get('class', '')} {attributes.get('id', '')}"))


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


def read_html(path: Path, root: Path | None = None) -> Document:
    """The page at ``path``; its id comes from its place under ``root``. Raises ``UnreadableFile``: not a text, no text, a menu."""
    reader = _Reader()
    reader.feed(_tame(decode(read_bytes(path), path.name), path.name))
    reader.close()
    reader._close_block()
    blocks = [b for b in reader.blocks if b.main] if any(b.main and b.text for b in reader.blocks) else reader.blocks
    refuse_menu(path.name, sum(len(b.text.split()) for b in blocks), sum(b.linked for b in blocks))
    builder = PageBuilder()
    title = _build(blocks, builder) or " ".join(reader.title.split())
    date = reader.date[:10] if re.match(r"\d{4}-\d{2}-\d{2}", reader.date) else None
    facts = {"url": reader.url, "date": date, "licence": reader.licence, "description": reader.description}
    return page(path, root, title, builder.passages, facts)


def _build(blocks: list[_Block], builder: PageBuilder) -> str:
    title = ""
    items: list[_Block] = []
    rows: list[_Block] = []

    def close() -> None:
        if items:
            # A list of links alone is a menu that lost its <nav>.
            if sum(block.linked for block in items) < 0.9 * sum(len(block.text.split()) for block in items):
                builder.items([block.text for block in items])
            items.clear()
        if rows:
            builder.rows([block.cells for block in rows])
            rows.clear()

    for block in blocks:
        if block.kind == "li":
            items.append(block)
        elif block.kind == "row":
            rows.append(block)
        else:
            close()
            if block.kind == "h1" and not title:
                title = block.text
            elif _is_heading(block.kind):
                builder.heading(int(block.kind[1]), block.text)
            elif block.text:
                builder.paragraph(block.text)
    close()
    builder.flush()
    return title
