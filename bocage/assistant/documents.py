"""What every source becomes: documents cut into passages that can be cited word for word. No database, no index here.

A national sheet, a page of the commune, an entry of its directory, a curated question and answer, a deliberation: all take this shape, so
that search, answer and citation are written once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class Audience(StrEnum):
    """For whom a document is."""

    CITIZENS = "citoyens"
    COUNTER = "accueil"
    STAFF = "rh"


class Origin(StrEnum):
    """Where a document comes from. Local ones go before national ones; curated answers win."""

    NATIONAL = "national"
    LOCAL = "local"
    DIRECTORY = "annuaire"
    CURATED = "question"
    DELIBERATION = "deliberation"


class StepKind(StrEnum):
    """Kinds of next step that an answer can end with."""

    FORM = "formulaire"
    ONLINE = "demarche"
    OFFICE = "guichet"
    PHONE = "telephone"
    LETTER = "modele"
    PAGE = "page"
    """A page to read: « Pour en savoir plus », or the sheet that a guided search leads to."""


@dataclass(frozen=True, slots=True)
class Step:
    """What the person can do next: a form, an online procedure, an office, a phone number."""

    kind: StepKind
    label: str
    target: str = ""
    """URL, phone number or address; empty when the label says all."""
    case: tuple[str, ...] = ()
    """Branches for which the step holds, as in ``Passage.case``; empty: it holds for everybody."""


@dataclass(frozen=True, slots=True)
class Passage:
    """The smallest text that is cited: one paragraph, one list with its lead-in, one table row."""

    text: str
    """Verbatim, plain text, blanks collapsed; list items are separated by newlines."""
    path: tuple[str, ...] = ()
    """Headings from the top of the document down, without its title."""
    case: tuple[str, ...] = ()
    """Branches that must hold for the passage to be true, outermost first: (« Vous êtes locataire », « Bail meublé »)."""


@dataclass(frozen=True, slots=True)
class Document:
    """One page that can be found and cited."""

    id: str
    """Stable across imports and unique within its source: « F1444 », « horaires-mairie »."""
    title: str
    origin: Origin
    passages: tuple[Passage, ...]
    description: str = ""
    url: str = ""
    theme: tuple[str, ...] = ()
    """Path in the source's own classification, broadest first."""
    audiences: frozenset[Audience] = frozenset({Audience.CITIZENS, Audience.COUNTER})
    updated_on: date | None = None
    licence: str = ""
    publisher: str = ""
    questions: tuple[str, ...] = ()
    """How people really ask for it: the everyday-language bank, or the question of a curated pair."""
    steps: tuple[Step, ...] = ()
    links: tuple[str, ...] = ()
    """Ids of the other documents of its source to which its text sends the reader."""
    facts: Mapping[str, object] = field(default_factory=dict)
    """What a computation needs besides text: opening hours of a directory entry, for instance."""
