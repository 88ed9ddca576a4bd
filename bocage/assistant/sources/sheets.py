"""One official sheet, as a tree, to one ``Document``. Shared by the reader of the XML and the reader of its JSON twin."""

from __future__ import annotations

import re
from datetime import date

from bocage.assistant.documents import Audience, Document, Origin, Passage
from bocage.assistant.sources.nodes import BrokenFile, Node, text_of
from bocage.assistant.sources.steps import SHEET_URL, safe_url
from bocage.assistant.sources.walker import Walker

LICENCE = "Licence Ouverte 2.0"
PUBLISHER = "Direction de l’information légale et administrative (DILA)"

_ID = re.compile(r"F\d{1,7}")
_DATE = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
_CIVIL_SERVICE = re.compile(r"fonction publique|fonctionnaire|agents? (?:public|contractuel|territorial)", re.IGNORECASE)


def document_of(publication: Node) -> Document:
    """The sheet as a document: passages, steps, date, theme, audiences.

    Raises ``BrokenFile``: not a « Publication », no identifier « F… », no title, or not one word of text.
    """
    if publication.name != "Publication":
        raise BrokenFile(f"la racine est « {publication.name[:40]} », pas « Publication »")
    sheet = publication.attributes.get("ID", "")
    if not _ID.fullmatch(sheet):
        raise BrokenFile(f"l’identifiant « {sheet[:40]} » n’est pas celui d’une fiche (F suivi de chiffres)")
    title = text_of(publication.child("dc:title"))
    if not title:
        raise BrokenFile("la fiche n’a pas de titre")
    description = text_of(publication.child("dc:description"))
    walker = Walker(publication)
    walker.walk()
    passages = _once(walker.passages) or ([Passage(description)] if description else [])
    if not passages:
        raise BrokenFile("la fiche n’a aucun texte")
    theme = _theme(publication, title)
    return Document(
        id=sheet,
        title=title,
        origin=Origin.NATIONAL,
        passages=tuple(passages),
        description=description,
        url=safe_url(publication.attributes.get("spUrl", "")) or SHEET_URL + sheet,
        theme=theme,
        audiences=_audiences(title, theme),
        updated_on=_date(text_of(publication.child("dc:date"))),
        licence=LICENCE,
        publisher=PUBLISHER,
        steps=walker.steps.all(),
        links=_links(publication, sheet),
        facts={"type": publication.attributes.get("type", "")},
    )


def _once(passages: list[Passage]) -> list[Passage]:
    """The same words under the same headings and branches are cited once."""
    return list(dict.fromkeys(passages))


def _links(publication: Node, sheet: str) -> tuple[str, ...]:
    """The other sheets that the text names, in order, each once."""
    found: dict[str, None] = {}
    waiting = [publication]
    while waiting:
        node = waiting.pop()
        target = node.attributes.get("LienPublication", "")
        if target != sheet and _ID.fullmatch(target):
            found[target] = None
        waiting.extend(child for child in reversed(node.children) if isinstance(child, Node))
    return tuple(found)


def _theme(publication: Node, title: str) -> tuple[str, ...]:
    """The breadcrumb without its first level (« Accueil particuliers ») and without the sheet itself."""
    trail = publication.child("FilDAriane")
    levels = [level.text() for level in trail.elements("Niveau")] if trail is not None else []
    return tuple(level for level in levels[1:] if level and level != title)


def _audiences(title: str, theme: tuple[str, ...]) -> frozenset[Audience]:
    """Citizens and the counter for every sheet; the staff too for those on the civil service."""
    for_staff = any(_CIVIL_SERVICE.search(text) for text in (title, *theme))
    return frozenset({Audience.CITIZENS, Audience.COUNTER} | ({Audience.STAFF} if for_staff else set()))


def _date(text: str) -> date | None:
    """``modified 2018-11-27`` → that day."""
    found = _DATE.search(text)
    try:
        return date(*(int(part) for part in found.groups())) if found else None
    except ValueError:
        return None
