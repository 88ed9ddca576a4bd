"""What answers need of search, and nothing more: matches with their documents, and whether the best one is good enough to speak."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bocage.assistant.documents import Audience, Document


@dataclass(frozen=True, slots=True)
class Match:
    """One document that search found: how well its passages match (same order), and how sure it is that it answers (0 to 1)."""

    document: Document
    score: float
    confidence: float
    passage_scores: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """What search says: matches, best first; ``accepted`` when the best passes the calibrated threshold; several lists for two requests;
    ``in_scope``, the calibrated probability that any document answers.
    """

    matches: tuple[Match, ...]
    accepted: bool
    intents: tuple[tuple[str, tuple[Match, ...]], ...] = ()
    in_scope: float = 0.0


class Finder(Protocol):
    """What answers need of search: the national index and the organisation's own, together (``library.py``)."""

    def find(self, question: str, audience: Audience, limit: int = 8) -> Found:
        """Documents that may answer, best first."""
        ...
