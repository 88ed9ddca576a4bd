"""What a question and a document have in common, as numbers: the ranker's features. Raw scores here; comparisons between candidates in
``table``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bocage.methods.retrieval.collection import FIELDS, Collection
from bocage.methods.retrieval.embed import unit
from bocage.methods.retrieval.postings import Floats
from bocage.methods.retrieval.question import Question

# Scores of which the candidates' rank and distance to the best also count.
COMPARED = (*FIELDS, "sheet", "theme", "cover", "named", "centre", "own", "inner")
ALONE = ("bank_size", "private_work", "length", "unknown", "local", "service", "practical")
NAMES = tuple(f"{name}{kind}" for name in COMPARED for kind in ("", "_gap", "_rank")) + ALONE
# What proposes candidates, and how many each.
PROPOSERS, EACH = ("body", "passage", "mixed", "gram", "centre", "sheet", "own", "inner", "bank"), 30


@dataclass(frozen=True, slots=True)
class Scores:
    """Raw scores of every document of one collection, by name, and of every passage."""

    documents: dict[str, Floats]
    passages: Floats
    unknown: float
    """Share of the question's words that the collection has never seen."""


def score(question: Question, vector: Floats | None, collection: Collection) -> Scores:
    """Score all documents. ``vector``: the question's projected vector (k,), or None without embedder."""
    n = collection.size
    query = {at: w for word, w in question.weights.items() if (at := collection.vocabulary.get(word)) is not None}
    small = {at: w for gram, w in question.grams.items() if (at := collection.gram_vocabulary.get(gram)) is not None}
    found = {name: collection.postings[name].score(small if name == "gram" else query) for name in FIELDS if name != "passage"}
    passages = collection.postings["passage"].score(query)
    best = np.zeros(n, np.float32)
    np.maximum.at(best, collection.owner, passages)
    found["passage"] = best
    theme = collection.postings["theme"].score(query)
    found["theme"] = np.where(collection.themes >= 0, theme[np.maximum(collection.themes, 0)], 0).astype(np.float32)
    mass = sum(query.values())
    smoothing = np.log1p(collection.bank_words / 30.0) * mass
    found["sheet"] = (collection.postings["sheet"].score(query) + found["theme"] - smoothing).astype(np.float32)
    found["cover"], found["named"] = _coverage(query, collection)
    if vector is not None and collection.centre.shape[1]:
        found["centre"], found["own"] = collection.centre @ vector, collection.own @ vector
        found["inner"] = _nearest_passage(vector, collection) if len(collection.inner) else found["own"]
    else:
        found["centre"] = found["own"] = found["inner"] = np.zeros(n, np.float32)
    asked = [w for w, weight in question.weights.items() if weight >= 0.5]
    lost = sum(w not in collection.vocabulary for w in asked) / max(len(asked), 1)
    return Scores(found, passages, lost)


def _nearest_passage(vector: Floats, collection: Collection) -> Floats:
    """For each document, the likeness of its passage that is nearest to the question."""
    best = np.full(collection.size, -1, np.float32)
    np.maximum.at(best, collection.owner, (collection.inner @ vector).astype(np.float32))
    return best


def _coverage(query: dict[int, float], collection: Collection) -> tuple[Floats, Floats]:
    """Share of the question's information found in the document, and share of the title's words found in the question."""
    idf = collection.stats["body"].idf()
    cover = _present(query, collection, "body", {t: w * float(idf[t]) for t, w in query.items()})
    named = _present(query, collection, "title", dict.fromkeys(query, 1.0))
    total = sum(w * float(idf[t]) for t, w in query.items())
    return cover / max(total, 1e-6), named / np.maximum(collection.title_sizes, 1)


def _present(query: dict[int, float], collection: Collection, field: str, values: dict[int, float]) -> Floats:
    postings = collection.postings[field]
    out = np.zeros(collection.size, np.float32)
    for term in query:
        if term + 1 < len(postings.starts):
            out[postings.rows[postings.starts[term] : postings.starts[term + 1]]] += np.float32(values[term])
    return out


def candidates(scores: Scores, allowed: NDArray[np.bool_] | None = None, each: int = EACH) -> NDArray[np.int64]:
    """Documents that at least one proposer puts among its ``each`` best, in order of number; only ``allowed`` ones."""
    chosen: set[int] = set()
    for name in PROPOSERS:
        values = scores.documents[name]
        if allowed is not None:
            values = np.where(allowed, values, -np.inf)
        if len(values) > each:
            chosen.update(np.argpartition(-values, each)[:each].tolist())
        else:
            chosen.update(range(len(values)))
    kept = np.array(sorted(chosen), np.int64)
    return kept if allowed is None else kept[allowed[kept]]


@dataclass(frozen=True, slots=True)
class Part:
    """The candidates of one collection. ``local``: it is an organisation's own, beside the national one."""

    scores: Scores
    rows: NDArray[np.int64]
    collection: Collection
    local: bool = False


def table(question: Question, parts: Sequence[Part]) -> Floats:
    """Features (candidates, ``NAMES``) of candidates of several collections, compared together in one list."""
    columns: list[Floats] = []
    for name in COMPARED:
        raw = np.concatenate([p.scores.documents[name][p.rows] for p in parts]).astype(np.float32)
        above = len(raw) - 1 - np.argsort(np.argsort(raw, kind="stable"), kind="stable")
        columns += [raw, raw - raw.max(initial=-np.inf) if len(raw) else raw, (1 / (1 + above / 3)).astype(np.float32)]
    columns.append(np.minimum(np.concatenate([p.collection.bank_sizes[p.rows] for p in parts]), 10))
    columns.append(np.concatenate([p.collection.private_work[p.rows] for p in parts]))
    total = len(columns[0])
    columns.append(np.full(total, min(len(question.weights), 30), np.float32))
    columns.append(np.full(total, min((p.scores.unknown for p in parts), default=1.0), np.float32))
    columns.append(np.concatenate([np.full(len(p.rows), p.local, np.float32) for p in parts]))
    columns.append(np.concatenate([p.collection.services[p.rows] for p in parts]))
    columns.append(np.full(total, question.practical, np.float32))
    return np.stack(columns, axis=1).astype(np.float32) if total else np.zeros((0, len(NAMES)), np.float32)


def project(vectors: Floats, mean: Floats, projection: Floats) -> Floats:
    """Unit vectors in the learnt space: (n, d) → (n, k)."""
    return unit((vectors - mean) @ projection)
