"""A tiny tree that the XML of the official sheets, their JSON twin, the parts of a DOCX and a page of HTML all become."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

MAX_DEPTH = 64
"""Deepest nesting accepted; the deepest official sheet of 2020 has 21 levels."""
MAX_NODES = 200_000
"""Most elements in one file."""

INLINE = frozenset(
    {
        "LienInterne",
        "LienExterne",
        "LienIntra",
        "Valeur",
        "MiseEnEvidence",
        "Exposant",
        "Indice",
        "Expression",
        "Citation",
        "Variable",
        "TermeEtranger",
    }
)
"""Elements of the official vocabulary that stand inside a sentence; around any other one there is a blank."""


class BrokenFile(Exception):
    """One file of a source cannot be read: the sentence, in French, goes to the report and the other files are kept."""


@dataclass(slots=True)
class Node:
    """An element: its name (with its prefix, « dc:title »), its attributes, its children in order."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Node | str] = field(default_factory=list)

    def elements(self, *names: str) -> Iterator[Node]:
        """Child elements, of the given names when there are any."""
        for child in self.children:
            if isinstance(child, Node) and (not names or child.name in names):
                yield child

    def child(self, *names: str) -> Node | None:
        """The first child element of one of these names."""
        return next(self.elements(*names), None)

    def descendants(self, *names: str) -> Iterator[Node]:
        """Elements of these names at any depth, in document order."""
        for child in self.elements():
            if child.name in names:
                yield child
            yield from child.descendants(*names)

    def text(self) -> str:
        """All the text, every run of blanks (no-break ones too) made one space."""
        return collapse("".join(self._pieces()))

    def _pieces(self) -> Iterator[str]:
        for child in self.children:
            if isinstance(child, str):
                yield child
            elif child.name in INLINE:
                yield from child._pieces()
            else:
                yield " "
                yield from child._pieces()
                yield " "


def collapse(text: str) -> str:
    """Every run of blanks, no-break ones too, made one space."""
    return " ".join(text.split())


def text_of(node: Node | None) -> str:
    """``node.text()``, or nothing."""
    return node.text() if node is not None else ""
