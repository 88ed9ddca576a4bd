"""A sheet in the official vocabulary, written for these tests: branches, lists, tables, boxes, steps, conditions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bocage.assistant.sources.nodes import Node
from bocage.assistant.sources.xmltree import parse_xml

SHEET = (Path(__file__).parent / "data" / "F900.xml").read_text(encoding="utf-8")


def sheet(number: int = 900, body: str | None = None) -> bytes:
    """The sheet under another number, or a small one whose text is ``body``."""
    if body is None:
        return SHEET.replace("F900", f"F{number}").encode()
    return (
        f'<Publication xmlns:dc="http://purl.org/dc/elements/1.1/" ID="F{number}"><dc:title>Titre {number}</dc:title>{body}</Publication>'
    ).encode()


def as_json(xml: bytes) -> bytes:
    """The same sheet as the npm package writes it: blanks between elements dropped, one object per node."""

    def convert(node: Node) -> dict[str, Any]:
        children = [
            {"type": "text", "text": child} if isinstance(child, str) else convert(child)
            for child in node.children
            if not isinstance(child, str) or child.strip()
        ]
        return {"type": "element", "name": node.name, "attributes": node.attributes, "children": children}

    root = parse_xml(xml)
    return json.dumps({"id": root.attributes["ID"], "children": [convert(root)]}).encode()
