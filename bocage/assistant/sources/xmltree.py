"""XML to ``Node`` by the standard library's expat, with everything that makes XML dangerous refused before it is read.

A document type declaration is the door to entity expansion and to files elsewhere: none is accepted, and these files need none.
"""

from __future__ import annotations

from xml.parsers import expat

from bocage.assistant.sources.nodes import MAX_DEPTH, MAX_NODES, BrokenFile, Node


class _Builder:
    def __init__(self, max_nodes: int) -> None:
        self.max_nodes = max_nodes
        self.root = Node("")
        self.stack = [self.root]
        self.count = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.count += 1
        if len(self.stack) > MAX_DEPTH:
            raise BrokenFile(f"plus de {MAX_DEPTH} éléments emboîtés")
        if self.count > self.max_nodes:
            raise BrokenFile(f"plus de {self.max_nodes} éléments")
        node = Node(name, attributes)
        self.stack[-1].children.append(node)
        self.stack.append(node)

    def end(self, name: str) -> None:
        self.stack.pop()

    def text(self, text: str) -> None:
        self.stack[-1].children.append(text)


def _refuse(*ignored: object) -> int:
    raise BrokenFile("une déclaration DOCTYPE ou d’entité s’y trouve ; ces fichiers n’en ont jamais")


def parse_xml(data: bytes, max_nodes: int = MAX_NODES) -> Node:
    """The root element of ``data``. Raises ``BrokenFile``: not well formed, a DOCTYPE or an entity, too deep, too many elements."""
    builder = _Builder(max_nodes)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.ExternalEntityRefHandler = _refuse
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise BrokenFile(f"le XML est mal formé, ligne {error.lineno}, colonne {error.offset + 1}") from None
    except (ValueError, LookupError):
        raise BrokenFile("l’encodage déclaré n’est pas connu") from None
    return next(builder.root.elements())
