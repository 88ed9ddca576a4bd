"""What the embedder reads of documents, and its vectors: kept beside an index from one build to the next, for they are most of its cost.

Of a national sheet, the whole; of an organisation's own pages, which have no bank of questions, each passage too: what people come for is
often one section of a page that is named after something else. A deliberation is named after what it decides, and there are thousands: the
whole stands for each of its passages.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bocage.assistant import storage
from bocage.assistant.documents import Document, Origin, Passage
from bocage.assistant.model import Model
from bocage.assistant.storage import IndexUnreadable
from bocage.methods.retrieval.embed import Embedder
from bocage.methods.retrieval.features import project
from bocage.methods.retrieval.postings import Floats

_BEGINNING, _PASSAGE = 400, 300
"""Characters that the embedder reads of a document without description, and of a passage."""
_MOST_PASSAGES = 200
"""Passages of a document that are read one by one; beyond, the whole stands for them: a long report must not hold an import."""


@dataclass(frozen=True, slots=True)
class Raw:
    """As the embedder gives them. ``documents`` (documents, 2, d): title with description, and the mean of the questions (zeros without
    any); ``passages`` (passages, d), or (0, d) for national sheets."""

    documents: Floats
    passages: Floats


def own_text(document: Document) -> str:
    """What the embedder reads of a document itself: title and description. A commune's page seldom has one: its headings and the beginning
    of its text stand for it, for its title alone (« Régie de l’eau ») says little of what people come for.
    """
    text = ". ".join(t for t in (document.title, document.description) if t)
    if document.description or document.origin is Origin.DIRECTORY:
        return text
    headings = dict.fromkeys(h for p in document.passages for h in (*p.path, *p.case))
    beginning = " ".join(passage.text for passage in document.passages[:2])
    return ". ".join(t for t in (text, *list(headings)[:6], beginning) if t)[:_BEGINNING]


def passage_text(document: Document, passage: Passage) -> str:
    """What it reads of a passage: the title, the nearest heading and the text, for « le mardi » says nothing alone."""
    return ". ".join(t for t in (document.title, " ".join((*passage.path[-1:], *passage.case[-1:])), passage.text) if t)[:_PASSAGE]


def mark(document: Document) -> str:
    """Fingerprint of all that is read of a document: the same one, the same vectors."""
    inner = () if document.origin is Origin.NATIONAL else _read_apart(document)
    return storage.fingerprint(own_text(document), *document.questions, *inner)


def _read_apart(document: Document) -> list[str]:
    """What is read of the passages that are read one by one: the first ones."""
    if document.origin is Origin.DELIBERATION:
        return []
    return [passage_text(document, passage) for passage in document.passages[:_MOST_PASSAGES]]


def raw_vectors(documents: Sequence[Document], marks: Sequence[str], folder: Path, model: Model) -> Raw:
    """Vectors of the documents and their passages; those of documents unchanged since the index that ``folder`` holds are taken from it."""
    by_passage = not any(d.origin is Origin.NATIONAL for d in documents)
    ends = np.cumsum([0, *(len(d.passages) if by_passage else 0 for d in documents)])
    size = 0 if model.embedder is None else model.dimensions
    raw = Raw(np.zeros((len(documents), 2, size), np.float32), np.zeros((int(ends[-1]) if size else 0, size), np.float32))
    if model.embedder is None:
        return raw
    former = _former(folder, model)
    missing = []
    for n, (document, own_mark) in enumerate(zip(documents, marks, strict=True)):
        known = former.get((document.id, own_mark))
        if known is None or len(known[1]) != ends[n + 1] - ends[n]:
            missing.append(n)
        else:
            raw.documents[n], raw.passages[ends[n] : ends[n + 1]] = known
    if missing:
        raw.documents[missing, 0] = model.embedder.encode([own_text(documents[n]) for n in missing])
        _add_questions(raw.documents, documents, missing, model)
    if by_passage:
        _add_passages(raw, documents, missing, ends, model.embedder)
    return raw


def _add_passages(raw: Raw, documents: Sequence[Document], missing: Sequence[int], ends: np.ndarray[Any, Any], embedder: Embedder) -> None:
    apart = {n: _read_apart(documents[n]) for n in missing}
    for n in missing:
        raw.passages[ends[n] : ends[n + 1]] = raw.documents[n, 0]
    texts = [text for n in missing for text in apart[n]]
    if texts:
        raw.passages[np.concatenate([np.arange(ends[n], ends[n] + len(apart[n])) for n in missing])] = embedder.encode(texts)


def _add_questions(raw: Floats, documents: Sequence[Document], missing: Sequence[int], model: Model) -> None:
    """The mean of each document's questions, that of the bank from the model's own file."""
    assert model.embedder is not None
    asked = [(n, q) for n in missing if (stored := model.bank_vector(documents[n])) is None for q in documents[n].questions]
    for n in missing:
        if (stored := model.bank_vector(documents[n])) is not None:
            raw[n, 1] = stored
    if asked:
        rows = np.array([n for n, _ in asked])
        sums = np.zeros_like(raw[:, 1])
        np.add.at(sums, rows, model.embedder.encode([q for _, q in asked]))
        raw[rows, 1] = sums[rows] / np.bincount(rows, minlength=len(documents))[rows, None]


def in_space(raw: Raw, questions: Floats, model: Model) -> tuple[Floats, Floats, Floats]:
    """Own and central vectors of documents, and those of passages, in the space of ``model``; ``questions``: how many each document has."""
    if model.embedder is None:
        return raw.documents[:, 0], raw.documents[:, 1], raw.passages
    sizes = questions[:, None]
    centre = (2 * raw.documents[:, 0] + sizes * raw.documents[:, 1]) / (2 + sizes)
    own, central, inner = (project(each, model.mean, model.projection) for each in (raw.documents[:, 0], centre, raw.passages))
    return own, central, inner


def save(version: Path, raw: Raw) -> None:
    """Keep raw vectors in a version of an index, two bytes a number."""
    np.save(version / "vectors.npy", raw.documents.astype(np.float16), allow_pickle=False)
    np.save(version / "inner_vectors.npy", raw.passages.astype(np.float16), allow_pickle=False)


def load(version: Path) -> Raw:
    """What ``save`` wrote; an index of an earlier format has no passages. Raises ``OSError`` or ``ValueError``."""
    documents = np.load(version / "vectors.npy", allow_pickle=False).astype(np.float32)
    inner = version / "inner_vectors.npy"
    return Raw(documents, np.load(inner, allow_pickle=False).astype(np.float32) if inner.is_file() else documents[:0, 0])


def _former(folder: Path, model: Model) -> dict[tuple[str, str], tuple[Any, Any]]:
    """Vectors of documents and of their passages in the index that ``folder`` holds, by id and mark."""
    try:
        version = storage.current_version(folder)
        meta = json.loads((version / "meta.json").read_text(encoding="utf-8"))
        if meta["embedder"] != model.embedder_name or meta["format"] != storage.FORMAT:
            return {}
        raw = load(version)
        base = storage.connect(version / "documents.sqlite")
        try:
            rows = list(storage.read_rows(base))
        finally:
            base.close()
        firsts = [*(row[3] for row in rows), len(raw.passages)]
        if not len(raw.passages):
            firsts = [0] * len(firsts)
        return {(row[0], row[4]): (raw.documents[n], raw.passages[firsts[n] : firsts[n + 1]]) for n, row in enumerate(rows)}
    except (IndexUnreadable, OSError, ValueError, KeyError, sqlite3.Error, IndexError):
        # Vectors are a saving, never a need.
        return {}
