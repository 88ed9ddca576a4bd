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


def read_html(path: Path, root: Path | None = None) -> Document:
    """The page at ``path``; its id comes from its place under ``root``. Raises ``UnreadableFile``: not a text, no text, a menu."""
    tree = parse_html(decode(read_bytes(path), path.name), path.name)
    content = shown(tree)
    blocks: list[Block] = []
    for part in content.roots:
        blocks += Reader(content).read(part)
    refuse_menu(path.name, sum(block.words for block in blocks), sum(block.linked for block in blocks))
    builder = PageBuilder()
    facts = _facts(tree)
    named = facts.pop("title", None) or ""
    return page(path, root, build(blocks, builder) or named, builder.passages, facts)


def _facts(tree: Node) -> dict[str, str | None]:
    """What the page says of itself: title, url, date, licence, description; the first time that it says it."""
    facts: dict[str, str | None] = {}
    for kind, node, _ in walk(tree):
        if kind == "start" and node.name == "title":
            facts.setdefault("title", words_of(node))
        elif kind == "start" and (found := _fact(node)) and found[1]:
            facts.setdefault(*found)
    date = facts.get("date") or ""
    facts["date"] = date[:10] if re.match(r"\d{4}-\d{2}-\d{2}", date) else None
    return facts


def _fact(node: Node) -> tuple[str, str] | None:
    attributes = node.attributes
    key = attributes.get("property") or attributes.get("name") or attributes.get("rel") or ""
    value = attributes.get("content") or attributes.get("href") or ""
    if key == "canonical":
        return "url", value
    if key == "license":
        return "licence", value
    if key == "description":
        return "description", value
    if key in ("article:modified_time", "dcterms.modified", "last-modified"):
        return "date", value
    return ("date", attributes["datetime"]) if node.name == "time" and "datetime" in attributes else None
