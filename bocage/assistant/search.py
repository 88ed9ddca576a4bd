"""Finding the documents that answer a question, in several indexes at once: the national one and one organisation's own.

The indexes to search are given by the caller: what is not given cannot be found, which is how one organisation's pages never show in
another's answers. That a document is local is one of the things that the ranker has learnt to weigh; a curated question that is asked
again wins.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bocage.assistant.documents import Audience, Origin, Passage
from bocage.assistant.index import Index
from bocage.assistant.model import Model, default_model
from bocage.llm.client import ModelUnavailable
from bocage.methods.retrieval import features
from bocage.methods.retrieval.calibration import Calibration, signals
from bocage.methods.retrieval.features import Scores
from bocage.methods.retrieval.postings import Floats
from bocage.methods.retrieval.question import Question, parts, read_question
from bocage.methods.retrieval.spelling import JointSpeller

log = logging.getLogger(__name__)
MAX_QUESTION = 2_000
# In the ranker's units, where 1 means e times likelier.
CURATED, PRIVATE_WORK, PRIVATE_WORK_FOR_STAFF = 4.0, 0.35, 2.0
# Two sheets that fit a question alike: the one to which more other sheets send their readers, as a logarithm, is the more likely.
CITED = 0.15
# A curated question is asked again when its words and the question's agree that much (Jaccard on stems).
SAME_QUESTION = 0.7
_BEST_PASSAGES = 5


@dataclass(frozen=True, slots=True)
class RankedPassage:
    """A passage of a hit. ``number``: its place in its document."""

    passage: Passage
    number: int
    score: float


@dataclass(frozen=True, slots=True)
class Hit:
    """A document that may answer, best first. ``confidence``: probability that the question is in scope and that this is its document."""

    document_id: str
    origin: Origin
    score: float
    confidence: float
    passages: tuple[RankedPassage, ...]
    index: Index
    intent: int = 0
    """Which of the question's intents it answers, from 0."""


@dataclass(frozen=True, slots=True)
class Found:
    """The answer to a search. ``in_scope``: calibrated probability that any document answers; ``refused``: below the threshold."""

    hits: tuple[Hit, ...]
    in_scope: float
    refused: bool
    intents: tuple[str, ...]
    """The questions found in the question, in order; more than one only when each has its own answer."""
    words: tuple[str, ...] = ()
    """The words of the whole question as it was read: folded, spelling corrected, text-message French made plain."""


@dataclass(slots=True)
class _Ranking:
    """Candidates of one question over all indexes, best first."""

    where: list[tuple[int, int]]
    scores: Floats
    in_scope: float
    found: list[Scores]
    words: tuple[str, ...]


def search(
    question: str,
    indexes: Sequence[Index],
    audience: Audience | None = None,
    limit: int = 5,
    *,
    origins: Iterable[Origin] | None = None,
    model: Model | None = None,
) -> Found:
    """Search ``indexes`` for a question, at most ``limit`` documents. Only documents for ``audience`` (None: all) and of ``origins`` are
    found.

    A question longer than 2,000 characters is cut there. With two intents, hits of both alternate.
    """
    if not indexes:
        return Found((), 0.0, True, (question[:MAX_QUESTION],))
    model = model or default_model()
    question = " ".join(question[:MAX_QUESTION].split())
    allowed = [_allowed(index, audience, origins) for index in indexes]
    whole = _rank(question, indexes, allowed, audience, model)
    pieces = parts(question)
    rankings = [whole]
    texts: tuple[str, ...] = (question,)
    if len(pieces) > 1:
        each = [(piece, _rank(piece, indexes, allowed, audience, model)) for piece in pieces[:4]]
        kept = _distinct(each, _calibration(indexes, model))
        if len(kept) > 1:
            texts, rankings = tuple(text for text, _ in kept), [ranking for _, ranking in kept]
    in_scope = max([whole.in_scope, *(r.in_scope for r in rankings)])
    calibration = _calibration(indexes, model)
    threshold = calibration.threshold if calibration else 0.0
    hits = _merge([_hits(r, indexes, limit, number) for number, r in enumerate(rankings)], limit)
    return Found(hits, in_scope, in_scope < threshold or not hits, texts, whole.words)


def _allowed(index: Index, audience: Audience | None, origins: Iterable[Origin] | None) -> NDArray[np.bool_]:
    mask = index.allowed(audience)
    if origins is not None:
        wanted = frozenset(origins)
        mask &= np.array([origin in wanted for origin in index.origins], bool)
    return mask


def read(question: str, indexes: Sequence[Index], model: Model) -> tuple[Question, Floats | None]:
    """The question analysed with the words of all indexes, and its projected vector (None without embedder, or when it does not answer)."""
    largest, *others = sorted(indexes, key=lambda index: -index.collection.size)
    speller = JointSpeller(largest.speller, [index.speller for index in others]) if others else largest.speller
    read_ = read_question(question, speller, model.lexicon)
    if model.embedder is None:
        return read_, None
    try:
        raw = model.embedder.encode([read_.text])
    except ModelUnavailable as error:
        # Words alone find less, and more than nobody.
        log.warning("sentence vectors: %s", error.message)
        return read_, None
    return read_, features.project(raw, model.mean, model.projection)[0]


def _rank(
    question: str, indexes: Sequence[Index], allowed: Sequence[NDArray[np.bool_]], audience: Audience | None, model: Model
) -> _Ranking:
    asked, vector = read(question, indexes, model)
    found = [features.score(asked, vector if index.embedder == model.embedder_name else None, index.collection) for index in indexes]
    rows = [features.candidates(scores, mask) for scores, mask in zip(found, allowed, strict=True)]
    where = [(i, int(n)) for i, some in enumerate(rows) for n in some]
    several = len(indexes) > 1
    parts = [
        features.Part(f, r, index.collection, several and not index.national) for f, r, index in zip(found, rows, indexes, strict=True)
    ]
    table = features.table(asked, parts)
    if not where or not asked.weights:
        return _Ranking([], np.zeros(0, np.float32), 0.0, found, asked.words)
    learnt = model.ranker.score(table) if model.ranker else table[:, 0]
    in_scope = 1.0
    if calibration := _calibration(indexes, model):
        in_scope = float(calibration.probability(signals(table, learnt, features.NAMES, vector)[None])[0])
    scores = learnt + _priors(asked, where, indexes, audience)
    order = np.argsort(-scores, kind="stable")
    return _Ranking([where[i] for i in order], scores[order], in_scope, found, asked.words)


def _calibration(indexes: Sequence[Index], model: Model) -> Calibration | None:
    """What is asked of a commune is asked in other words than of the national sheets alone, and so is what it cannot answer."""
    return model.calibration if all(index.national for index in indexes) else model.beside


def _priors(asked: Question, where: Sequence[tuple[int, int]], indexes: Sequence[Index], audience: Audience | None) -> Floats:
    """What the ranker does not learn from the bank: whose document it is, and for whom."""
    out = np.zeros(len(where), np.float32)
    words = frozenset(asked.weights)
    for at, (i, n) in enumerate(where):
        index = indexes[i]
        origin = index.origins[n]
        if origin is Origin.NATIONAL:
            out[at] += CITED * np.log1p(index.collection.cited[n])
            if index.collection.private_work[n]:
                out[at] -= PRIVATE_WORK_FOR_STAFF if audience is Audience.STAFF else PRIVATE_WORK
        elif origin is Origin.CURATED:
            out[at] += CURATED * _same(words, index, n)
    return out


def _same(words: frozenset[str], index: Index, n: int) -> float:
    return 1.0 if any(len(words & own) >= SAME_QUESTION * max(len(words | own), 1) for own in index.asked(n)) else 0.0


def _distinct(each: Sequence[tuple[str, _Ranking]], calibration: Calibration | None) -> list[tuple[str, _Ranking]]:
    """The pieces that are questions of their own: in scope, and each with a first document that the others do not have among their first
    three.
    """
    sure = calibration.threshold if calibration else 0.0
    kept: list[tuple[str, _Ranking]] = []
    for text, ranking in each:
        if not ranking.where or ranking.in_scope < max(sure, 0.5):
            continue
        if all(ranking.where[0] not in other.where[:3] and other.where[0] not in ranking.where[:3] for _, other in kept):
            kept.append((text, ranking))
    return kept


def _hits(ranking: _Ranking, indexes: Sequence[Index], limit: int, intent: int) -> list[Hit]:
    if not ranking.where:
        return []
    raised = np.exp(ranking.scores - ranking.scores[0])
    share = raised / raised.sum()
    hits = []
    for (i, n), score, part in zip(ranking.where[:limit], ranking.scores, share, strict=False):
        index = indexes[i]
        numbers = np.array(index.passage_numbers(n), np.int64)
        best = numbers[np.argsort(-ranking.found[i].passages[numbers], kind="stable")[:_BEST_PASSAGES]]
        texts = index.passages(best)
        passages = tuple(RankedPassage(texts[p], int(p - numbers[0]), float(ranking.found[i].passages[p])) for p in best.tolist())
        hits.append(Hit(index.ids[n], index.origins[n], float(score), ranking.in_scope * float(part), passages, index, intent))
    return hits


def _merge(lists: Sequence[list[Hit]], limit: int) -> tuple[Hit, ...]:
    """The lists in turn, each document once."""
    out: list[Hit] = []
    seen: set[tuple[int, str]] = set()
    for rank in range(max((len(some) for some in lists), default=0)):
        for some in lists:
            if rank < len(some) and (key := (id(some[rank].index), some[rank].document_id)) not in seen:
                seen.add(key)
                out.append(replace(some[rank]))
    return tuple(out[:limit])
