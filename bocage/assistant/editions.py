"""Pages of one name for several years (« Tarifs 2025 », « Tarifs 2026 »): the one in force answers, unless a year is asked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from bocage.assistant.documents import Document, Origin
from bocage.assistant.finding import Match
from bocage.methods.retrieval.text import fold

_YEARS = re.compile(r"\b(20\d\d)(?: ?[-/–] ?(20\d\d|\d\d))?\b")
_SCHOOL_YEAR = 8
"""The month in which « 2026-2027 » begins, as schools and associations count."""


def in_force(matches: Sequence[Match], question: str, today: date) -> tuple[Match, ...]:
    """``matches`` with, among pages of the organisation of one name but for the year, the one of ``today`` in the best of their places."""
    if _YEARS.search(question):
        return tuple(matches)
    places: dict[str, list[int]] = {}
    for at, match in enumerate(matches):
        if match.document.origin is Origin.LOCAL and _YEARS.search(match.document.title):
            places.setdefault(_name(match.document), []).append(at)
    ordered = list(matches)
    for same in places.values():
        best = sorted((matches[at] for at in same), key=lambda match: _distance(match.document, today))
        for at, match in zip(same, best, strict=True):
            # A place has its score: how likely the subject is, which the editions share.
            ordered[at] = replace(match, score=matches[at].score, confidence=matches[at].confidence)
    return tuple(ordered)


def _name(document: Document) -> str:
    return " ".join(_YEARS.sub(" ", fold(document.title)).split())


def _distance(document: Document, today: date) -> tuple[int, int]:
    """The year in force first, then the last one, then those before it; years to come last, the next one first."""
    year = _YEARS.search(document.title)
    if year is None:
        return 2, 0
    ahead = int(year[1]) - (today.year - (year[2] is not None and today.month < _SCHOOL_YEAR))
    return (0, -ahead) if ahead <= 0 else (1, ahead)
