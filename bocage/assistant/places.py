"""Several services of one kind (« Déchetterie de Brenoux », « Déchetterie de Marsanne »): the one that the question names, else which one.

« Non, c’est fermé » of one recycling centre sends nobody to the other, which is open: where the question names neither, it is asked back.
"""

from __future__ import annotations

from collections.abc import Sequence

from bocage.assistant.documents import Document, Origin
from bocage.assistant.finding import Match
from bocage.methods.retrieval.text import both_spellings, stems, tokens

_SECONDARY = frozenset(stems(tokens("annexe antenne déléguée")))
"""« La mairie » is not its annexe, unless one says so."""
_ANY_KIND = frozenset(stems(tokens("service direction pôle")))
"""First words of names that say nothing of the kind: « quel service… » asks for none of them."""


def of_one_kind(matches: Sequence[Match], question: str, last: bool = False) -> tuple[Match, ...]:
    """The services of the directory, of the kind of the first match, that ``question`` may be about, best first; none where the first
    match is no such service. More than one: it does not say which. ``last``: ``question`` holds several messages, and of the places that
    they name the last is meant.
    """
    if not matches or matches[0].document.origin is not Origin.DIRECTORY:
        return ()
    asked = _words(question)
    kind = kind_of(matches[0].document) & asked - _ANY_KIND
    alike = [match for match in matches if match.document.origin is Origin.DIRECTORY and kind_of(match.document) & kind]
    if not asked & _SECONDARY:
        alike = [match for match in alike if not _words(match.document.title) & (_SECONDARY - asked)] or alike
    named = [len(_words(match.document.title) & asked) for match in alike]
    likely = [match for match, count in zip(alike, named, strict=True) if count == max(named)]
    if not last:
        return tuple(likely)
    said = [_last_said(match.document, question) for match in likely]
    return tuple(match for match, at in zip(likely, said, strict=True) if at == max(said))


def _last_said(document: Document, question: str) -> int:
    """Where in ``question`` the last word of the document's name stands."""
    words = _words(document.title)
    return max((n for n, word in enumerate(tokens(question)) if words & _words(word)), default=-1)


def kind_of(document: Document) -> frozenset[str]:
    """The first word of its name, in its spellings."""
    return frozenset(both_spellings(stems(tokens(document.title))[:1]))


def _words(text: str) -> frozenset[str]:
    return frozenset(both_spellings(stems(tokens(text))))
