"""A local page in HTML: its main content only. Menus, banners, scripts and what is hidden from the eye never reach the index."""

from __future__ import annotations

import re
from pathlib import Path

from bocage.assistant.documents import Document
from bocage.assistant.sources.htmlblocks import Block, Reader, build
from bocage.assistant.sources.htmlshown import shown
from bocage.assistant.sources.htmltree import parse_html, walk, words_of
from bocage.assistant.sources.nodes import Node
from bocage.assistant.sources.pages import PageBuilder, decode, page, read_bytes, refuse_menu

_ISO_DAY = re.compile(r"\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])")
_DATE_MODIFIED = re.compile(rf'"dateModified"\s*:\s*"({_ISO_DAY.pattern})')
_CHANGED = frozenset(
    {"article:modified_time", "og:updated_time", "dcterms.modified", "dc.date.modified", "last-modified", "datemodified", "revised"}
)
_PUBLISHED = frozenset({"article:published_time", "dcterms.issued", "dc.date.issued", "dc.date", "date", "datepublished"})
"""Names of the days on which a page was changed and published, in its head."""


def read_html(path: Path, root: Path | None = None) -> Document:
    """The page at ``path``; its id comes from its place under ``root``. Raises ``UnreadableFile``: not a text, no text, a menu."""
    text = decode(read_bytes(path), path.name)
    tree = parse_html(text, path.name)
    content = shown(tree)
    blocks: list[Block] = []
    for part in content.roots:
        blocks += Reader(content).read(part)
    refuse_menu(path.name, sum(block.words for block in blocks), sum(block.linked for block in blocks))
    builder = PageBuilder()
    facts = _facts(tree, text)
    named = facts.pop("title", None) or ""
    return page(path, root, build(blocks, builder) or named, builder, facts)


def _facts(tree: Node, text: str) -> dict[str, str | None]:
    """What the page says of itself: title, url, dates, licence, description; the first time that it says it."""
    facts: dict[str, str | None] = {}
    # In JSON-LD: a script, which the tree has not.
    if changed := _DATE_MODIFIED.search(text):
        facts["date"] = changed[1]
    for kind, node, _ in walk(tree):
        if kind == "start" and node.name == "title":
            facts.setdefault("title", words_of(node))
        elif kind == "start" and (found := _fact(node)) and found[1]:
            facts.setdefault(*found)
    return facts


def _fact(node: Node) -> tuple[str, str] | None:
    attributes = node.attributes
    key = next(filter(None, map(attributes.get, ("property", "name", "itemprop", "rel"))), "").casefold()
    value = attributes.get("content") or attributes.get("href") or attributes.get("datetime") or ""
    if key == "canonical":
        return "url", value
    if key == "license":
        return "licence", value
    if key == "description":
        return "description", value
    dated = _ISO_DAY.match(value)
    if dated is None or (key not in _CHANGED | _PUBLISHED and node.name != "time"):
        return None
    return "date" if key in _CHANGED else "date_fichier", dated[0]
