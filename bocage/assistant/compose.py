"""From one document to an answer: which passages are shown, word for word, and which branch must be asked back first.

Nothing is rewritten. A passage that holds for some people only (« Vous êtes locataire ») is shown when the question says so, or after
the person has chosen; two branches are never laid flat side by side.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bocage.assistant.documents import Document, Origin, Passage, Step, StepKind
from bocage.methods.retrieval.text import fold, stems, tokens

MOST_PASSAGES, MOST_CHARACTERS, MOST_STEPS, MOST_OPTIONS = 4, 1200, 4, 8
WHOLE_SECTION = 700
"""Characters of a section of the organisation's own page that is shown whole: beside « le bois se demande », where and until when."""
_CLEARLY = 0.8
_WAY = re.compile(
    r"(en ligne|par (courrier|courriel|telephone|internet|correspondance|mail|fax)|sur (place|internet)|au guichet|a distance)\b"
)
_ORDINARY = re.compile(r"(cas general|en france|demande en france|dans le cas general|en metropole|situation (generale|courante))\b")
_STEP_ORDER = tuple(StepKind)


@dataclass(frozen=True, slots=True)
class Composition:
    """What a document says to a question: passages in the document's order, and the branches that are left to choose from.

    Without passages, the branch must be asked back first.
    """

    passages: tuple[Passage, ...] = ()
    branches: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()


def compose(document: Document, asked: str, scores: Sequence[float] | None = None) -> Composition:
    """Passages of ``document`` that answer ``asked`` (the question, with what was chosen before).

    ``scores``: how well each passage matches, same order as ``document.passages``; computed from shared words when absent.
    """
    words = frozenset(stems(tokens(asked)))
    found = list(scores) if scores is not None else [_overlap(passage, words) for passage in document.passages]
    cases = [_situation(passage.case) for passage in document.passages]
    held: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    while True:
        within = [i for i, case in enumerate(cases) if _compatible(case, held)]
        branches = tuple(dict.fromkeys(cases[i][len(held)] for i in within if len(cases[i]) > len(held)))
        chosen = _choice(branches, words)
        if chosen is None and branches:
            common = [i for i in within if len(cases[i]) <= len(held)]
            if _outweighs(common, within, found):
                return _show(document, common, found, held, branches)
            return Composition(branches=branches[:MOST_OPTIONS], steps=_steps(document, held))
        if chosen is None:
            return _show(document, within, found, held, others)
        if _named(branches, words) != [chosen]:
            # Taken because it is the ordinary case: the others stay one click away.
            others = (*others, *(branch for branch in branches if branch != chosen))
        held = (*held, chosen)


def _situation(case: tuple[str, ...]) -> tuple[str, ...]:
    """Branches about who the person is. Ways of doing the same thing (« En ligne », « Par courrier ») exclude nobody."""
    return tuple(label for label in case if not _WAY.match(fold(label)))


def _compatible(case: tuple[str, ...], held: tuple[str, ...]) -> bool:
    return case[: len(held)] == held[: len(case)]


def _choice(branches: Sequence[str], words: frozenset[str]) -> str | None:
    """The branch to follow without asking: the only one, the one that the question names, or the ordinary case."""
    if len(branches) < 2:
        return branches[0] if branches else None
    named = _named(branches, words)
    if len(named) == 1:
        return named[0]
    ordinary = [branch for branch in branches if _ORDINARY.match(fold(branch))]
    return ordinary[0] if ordinary and not named else None


def _outweighs(common: Sequence[int], within: Sequence[int], scores: Sequence[float]) -> bool:
    """Whether what holds for everybody answers about as well as what depends on the situation."""
    best = max((scores[i] for i in common), default=0.0)
    return best > 0 and best >= _CLEARLY * max((scores[i] for i in within if i not in set(common)), default=0.0)


def _named(branches: Sequence[str], words: frozenset[str]) -> list[str]:
    """The branches that the question names by a word of their own, those that share most words with it."""
    cut = {branch: frozenset(stems(tokens(branch))) for branch in branches}
    common = frozenset.intersection(*cut.values())
    shared = {branch: len((own - common) & words) for branch, own in cut.items()}
    most = max(shared.values())
    return [branch for branch in branches if most and shared[branch] == most]


def _overlap(passage: Passage, words: frozenset[str]) -> float:
    heading = frozenset(stems(tokens(" ".join((*passage.path, *passage.case)))))
    body = frozenset(stems(tokens(passage.text)))
    return len(words & body) / (1.0 + len(body) ** 0.5) + 0.5 * len(words & heading)


def _show(
    document: Document, allowed: Sequence[int], scores: Sequence[float], held: tuple[str, ...], others: Sequence[str] = ()
) -> Composition:
    ranked = sorted(allowed, key=lambda i: (-scores[i], i))
    kept = _short_section(document, allowed, ranked)
    length = sum(len(document.passages[i].text) for i in kept)
    for i in ranked[: 3 * MOST_PASSAGES]:
        if i in kept:
            continue
        size = len(document.passages[i].text)
        if kept and (len(kept) == MOST_PASSAGES or length + size > MOST_CHARACTERS or scores[i] < 0.3 * scores[ranked[0]]):
            continue
        kept.append(i)
        length += size
    return Composition(tuple(document.passages[i] for i in sorted(kept)), tuple(others)[:MOST_OPTIONS], _steps(document, held))


def _short_section(document: Document, allowed: Sequence[int], ranked: Sequence[int]) -> list[int]:
    """The passages under the same headings as the best one, when they are few and short, on a page of the organisation; else none."""
    if document.origin is not Origin.LOCAL or not ranked:
        return []
    best = document.passages[ranked[0]]
    section = [i for i in allowed if (document.passages[i].path, document.passages[i].case) == (best.path, best.case)]
    size = sum(len(document.passages[i].text) for i in section)
    return section if len(section) <= MOST_PASSAGES and size <= WHOLE_SECTION else []


def _steps(document: Document, held: tuple[str, ...]) -> tuple[Step, ...]:
    fitting = [step for step in dict.fromkeys(document.steps) if _situation(step.case) == held[: len(_situation(step.case))]]
    return tuple(sorted(fitting, key=lambda step: _STEP_ORDER.index(step.kind))[:MOST_STEPS])
