"""The questions of the bank asked of indexes that do not hold them, laid out as they are where Bocage runs: what ``learning`` learns from.

Questions are dealt into eight folds, and so are sheets; nothing asked in a layout is held by its index:

- the national index: a fold's questions are left out, and all those of an eighth of the sheets, which are asked bare;
- beside a commune's own: that eighth, or some of it, stands in a collection of its own, without any question, as a commune's pages do;
- alone: collections of several sizes in which no sheet has a question, as a commune's pages without the national sheets;
- in a town (``towns``): its pages and directory beside the national sheets, asked what its people ask.

The questions of ``asked.jsonl`` say how far people's words are from the bank's: those of one author on one sheet are in one fold.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Any

import numpy as np

from bocage.assistant import model as package
from bocage.assistant.bank import bank, by_others, held_out
from bocage.assistant.documents import Document
from bocage.assistant.index import entry
from bocage.assistant.towns import Town, towns
from bocage.assistant.vectors import own_text, passage_text
from bocage.contract.errors import BocageError
from bocage.methods.retrieval import features
from bocage.methods.retrieval.collection import Collection, build_collection
from bocage.methods.retrieval.embed import Embedder, within_class_whitening
from bocage.methods.retrieval.question import read_question
from bocage.methods.retrieval.spelling import JointSpeller, Speller

FOLDS, DIMENSIONS, SEED = 8, 256, 20261122
PER_FOLD = 500
_LEAST_SHEETS = 50
# Pages of the communes' own collections, a fold each (None: the whole eighth); questions asked there by others and of the bank, and
# questions on national sheets asked beside them.
_OWN_PAGES = (None, None, None, 120, 120, 120, 40, 40)
_BESIDE = (400, 100, 250)
# Collections without questions: share of the sheets, questions by others and of the bank.
_ALONE = ((1.0, 1200, 600), *[(0.25, 300, 150)] * 4, *[(0.06, 100, 50)] * 8)
Array = np.ndarray[Any, Any]
Say = Callable[[str], None]


class TooLittleToLearn(BocageError):
    """The national index holds too few sheets of the bank."""

    code = "trop-peu-pour-apprendre"
    exit_code = 2


class Place(IntEnum):
    """Where the sheet that answers a question stood when it was asked."""

    KNOWN = 0
    """In an index that holds other questions of that sheet."""
    BARE = 1
    """Its questions all left out of an index that holds those of others."""
    LOCAL = 2
    """In a commune's own collection, without questions, beside the national one."""
    NATIONAL = 3
    """In the national collection, beside a commune's own."""
    ALONE = 4
    """In a collection where no sheet has a question."""
    TOWN = 5
    """Among a town's own pages and services, beside the national sheets."""
    ELSEWHERE = 6
    """In a town, a question that a national sheet answers, which one is not said: it tells the scope."""


@dataclass(slots=True)
class Material:
    """Documents, questions with the number of their document and of their author's visit (-1: the bank), raw vectors, who is held out.

    ``inner``: raw vectors of all passages; ``firsts`` (documents + 1,): where those of each document begin.
    """

    documents: Sequence[Document]
    questions: list[str]
    sheet: Array
    visit: Array
    vectors: Array
    own: Array
    inner: Array
    firsts: Array
    tenth: Array
    mean: Array
    projection: Array


@dataclass(slots=True)
class Asked:
    """Features of the candidates of every question asked. ``rows``: (questions + 1,) where each one's candidates begin."""

    table: Array
    right: Array
    rows: Array
    subject: Array
    """Number of the sheet that answers; of the town, from the number of sheets on, for what was asked in a town."""
    place: Array
    """``Place`` of what answers each question."""
    other: Array
    """Whether the question is of ``asked.jsonl``."""
    vector: Array


@dataclass(frozen=True, slots=True)
class Stranger:
    """An off-topic line asked: its features, its projected vector and its number (a town's lines have that of the town)."""

    table: Array
    vector: Array
    line: int
    town: bool = False


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked: ``right`` are the numbers of the documents that answer, none when they are not known."""

    text: str
    raw: Array
    right: Array
    subject: int
    place: Place
    other: bool = False


def gather(documents: Sequence[Document], embedder: Embedder, cache: Path | None, say: Say) -> Material:
    """Everything embedded, once. ``cache``: folder of vectors. Raises ``TooLittleToLearn``, and what ``embedder`` raises."""
    at = {d.id: n for n, d in enumerate(documents)}
    rows = [(at[s], q) for s, questions in bank().items() if s in at for q in questions]
    if (known := len({sheet for sheet, _ in rows})) < _LEAST_SHEETS:
        raise TooLittleToLearn(
            f"L’index national n’a que {known} fiches dont la banque connaît des questions ; il en faut {_LEAST_SHEETS} au moins. "
            "Importez d’abord les fiches nationales (bocage assistant import)."
        )
    others = [(at[s], q) for s, q in by_others() if s in at]
    visits = np.cumsum([n == 0 or sheet != others[n - 1][0] for n, (sheet, _) in enumerate(others)])
    visit = np.r_[np.full(len(rows), -1), visits].astype(np.int64)
    parts = {"bank": [q for _, q in rows], "others": [q for _, q in others], "own": [own_text(d) for d in documents]}
    parts["passages"] = [passage_text(d, p) for d in documents for p in d.passages]
    encoded = {}
    for name, texts in parts.items():
        say(f"{name}: {len(texts)} texts")
        encoded[name] = _encoded(cache / f"{name}.npy" if cache else None, texts, embedder)
    vectors = np.vstack([encoded["bank"], encoded["others"]]) if others else encoded["bank"]
    own = encoded["own"]
    sheet, questions = np.array([n for n, _ in rows + others]), [q for _, q in rows + others]
    tenth = np.array([held_out(d.id) for d in documents])
    learnt = ~tenth[sheet]
    mean, projection = within_class_whitening(
        np.vstack([vectors[learnt], own[~tenth]]), np.r_[sheet[learnt], np.flatnonzero(~tenth)], DIMENSIONS
    )
    firsts = np.cumsum([0, *(len(d.passages) for d in documents)])
    return Material(documents, questions, sheet, visit, vectors, own, encoded["passages"], firsts, tenth, mean, projection)


def _encoded(path: Path | None, texts: list[str], embedder: Embedder) -> Array:
    if path and path.exists() and len(found := np.load(path)) == len(texts):
        return found
    made = embedder.encode(texts)
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, made)
    return made


class Layout:
    """Collections searched together, with the numbers of their documents; a town's are numbered after the sheets."""

    def __init__(self, m: Material) -> None:
        self.material = m
        self.parts: list[tuple[Array, Collection]] = []

    def add_sheets(self, sheets: Array, keep: Array) -> None:
        """Add a collection of ``sheets`` with the questions that ``keep`` says; without any, it is read by passage, as a town's is."""
        m = self.material
        at = np.full(len(m.documents), -1)
        at[sheets] = np.arange(len(sheets))
        kept = np.flatnonzero(keep & (at[m.sheet] >= 0))
        asked: list[list[str]] = [[] for _ in sheets]
        for n in kept:
            asked[at[m.sheet[n]]].append(m.questions[n])
        inner = None if len(kept) else np.concatenate([m.inner[m.firsts[d] : m.firsts[d + 1]] for d in sheets])
        self._add(sheets, [m.documents[d] for d in sheets], asked, m.own[sheets], at[m.sheet[kept]], m.vectors[kept], inner)

    def add_town(self, town: Town, embedder: Embedder) -> None:
        """Add a town's pages and services."""
        asked = [list(d.questions) for d in town.documents]
        whose = np.array([n for n, questions in enumerate(asked) for _ in questions], np.int64)
        vectors = embedder.encode([q for questions in asked for q in questions])
        numbers = len(self.material.documents) + np.arange(len(town.documents))
        own = embedder.encode([own_text(d) for d in town.documents])
        inner = embedder.encode([passage_text(d, p) for d in town.documents for p in d.passages])
        self._add(numbers, town.documents, asked, own, whose, vectors, inner)

    def _add(
        self,
        numbers: Array,
        documents: Sequence[Document],
        asked: Sequence[Sequence[str]],
        own: Array,
        whose: Array,
        vectors: Array,
        inner: Array | None,
    ) -> None:
        """``whose``: the document, in order, of each vector of a question. A second collection counts words as the first one does."""
        m = self.material
        sums = 2 * own
        np.add.at(sums, whose, vectors)
        centre = sums / (2 + np.bincount(whose, minlength=len(documents)))[:, None]
        entries = [entry(d, tuple(q)) for d, q in zip(documents, asked, strict=True)]
        base = self.parts[0][1] if self.parts else None
        own, centre = (features.project(each.astype(np.float32), m.mean, m.projection) for each in (own, centre))
        if inner is not None:
            inner = features.project(inner, m.mean, m.projection)
        self.parts.append((numbers, build_collection(entries, own, centre, base, inner)))

    def speller(self) -> Speller | JointSpeller:
        """The spelling of all the words of its collections."""
        first, *more = [Speller(collection.words) for _, collection in self.parts]
        return JointSpeller(first, more) if more else first


@dataclass(slots=True)
class _Rehearsal:
    """What has been asked so far."""

    material: Material
    tables: list[Array] = field(default_factory=list)
    right: list[Array] = field(default_factory=list)
    asked: list[tuple[_Question, Array]] = field(default_factory=list)
    outside: list[Stranger] = field(default_factory=list)

    def ask(self, layout: Layout, questions: Iterable[_Question]) -> None:
        """Ask questions in a layout."""
        speller = layout.speller()
        for question in questions:
            vector = self._projected(question.raw)
            table, numbers = _features(question.text, vector, layout, speller)
            self.tables.append(table)
            self.right.append(np.isin(numbers, question.right))
            self.asked.append((question, vector))

    def ask_strangers(self, layout: Layout, lines: Iterable[tuple[int, str, Array]], town: bool = False) -> None:
        """Ask off-topic lines (number, text, raw vector)."""
        speller = layout.speller()
        for line, text, raw in lines:
            vector = self._projected(raw)
            self.outside.append(Stranger(_features(text, vector, layout, speller)[0], vector, line, town))

    def of_bank(self, numbers: Iterable[int], place: Callable[[int], Place]) -> Iterator[_Question]:
        """Questions of the bank and of others, by number."""
        m = self.material
        for n in numbers:
            yield _Question(m.questions[n], m.vectors[n], m.sheet[n : n + 1], int(m.sheet[n]), place(n), bool(m.visit[n] >= 0))

    def result(self) -> Asked:
        """All that was asked, as arrays."""
        questions = [q for q, _ in self.asked]
        rows = np.cumsum([0, *(len(t) for t in self.tables)]).astype(np.int64)
        columns = [np.array([getattr(q, name) for q in questions]) for name in ("subject", "place", "other")]
        return Asked(np.vstack(self.tables), np.concatenate(self.right), rows, *columns, np.stack([v for _, v in self.asked]))

    def _projected(self, raw: Array) -> Array:
        return features.project(raw[None], self.material.mean, self.material.projection)[0]


def _features(text: str, vector: Array, layout: Layout, speller: Speller | JointSpeller) -> tuple[Array, Array]:
    """Features of the candidates and the numbers of their documents."""
    question = read_question(text, speller, package.lexicon())
    parts = []
    for at, (_, collection) in enumerate(layout.parts):
        scores = features.score(question, vector, collection)
        parts.append(features.Part(scores, features.candidates(scores), collection, local=at > 0))
    return features.table(question, parts), np.concatenate([numbers[p.rows] for p, (numbers, _) in zip(parts, layout.parts, strict=True)])


def ask(m: Material, per_fold: int, embedder: Embedder, say: Say) -> tuple[Asked, list[Stranger]]:
    """Ask everything: others' questions all, the bank's ``per_fold`` a fold at most, off-topic lines once in each kind of layout that
    holds the national sheets and their questions.
    """
    rng = np.random.default_rng(SEED)
    fold, group = rng.integers(0, FOLDS, len(m.questions)), rng.integers(0, FOLDS, len(m.documents))
    other = m.visit >= 0
    fold[other] = rng.integers(0, FOLDS, max(m.visit.max() + 1, 0))[m.visit[other]]
    lines = off_topic_lines()
    strangers = list(zip(range(len(lines)), lines, embedder.encode(lines), strict=True))
    done = _Rehearsal(m)
    for k in range(FOLDS):
        begun, before = time.perf_counter(), len(done.asked)
        _ask_national(done, fold == k, group == k, per_fold, strangers[k::FOLDS], rng)
        if (group == k).any():
            _ask_beside(done, fold == k, group == k, _OWN_PAGES[k], strangers[k::FOLDS], rng)
        say(f"fold {k}: {len(done.asked) - before} questions, {time.perf_counter() - begun:.0f} s")
    for share, by_other, of_bank in _ALONE:
        _ask_alone(done, share, by_other, of_bank, rng)
    for number, town in enumerate(towns()):
        _ask_in_town(done, number, town, embedder)
    say(f"alone and in towns: {sum(q.place >= Place.ALONE for q, _ in done.asked)} questions")
    return done.result(), done.outside


def _ask_national(
    done: _Rehearsal, left_out: Array, bare: Array, per_fold: int, strangers: Sequence[Any], rng: np.random.Generator
) -> None:
    m = done.material
    other, held = m.visit >= 0, m.tenth | bare
    layout = Layout(m)
    layout.add_sheets(np.arange(len(m.documents)), ~left_out & ~held[m.sheet])
    chosen = np.r_[rng.permutation(np.flatnonzero(left_out & ~other))[:per_fold], np.flatnonzero(left_out & other)]
    done.ask(layout, done.of_bank(chosen, lambda n: Place.BARE if held[m.sheet[n]] else Place.KNOWN))
    done.ask_strangers(layout, strangers)


def _ask_beside(
    done: _Rehearsal, left_out: Array, apart: Array, pages: int | None, strangers: Sequence[Any], rng: np.random.Generator
) -> None:
    m = done.material
    other, own = m.visit >= 0, np.sort(rng.permutation(np.flatnonzero(apart))[:pages])
    layout = Layout(m)
    layout.add_sheets(np.flatnonzero(~apart), ~left_out & ~m.tenth[m.sheet])
    layout.add_sheets(own, np.zeros(len(m.questions), bool))
    here = np.isin(m.sheet, own)
    there = left_out & other & ~apart[m.sheet] & ~m.tenth[m.sheet]
    groups = (here & other, here & ~other, there)
    chosen = np.concatenate([rng.permutation(np.flatnonzero(some))[:most] for some, most in zip(groups, _BESIDE, strict=True)])
    done.ask(layout, done.of_bank(chosen, lambda n: Place.LOCAL if here[n] else Place.NATIONAL))
    done.ask_strangers(layout, strangers)


def _ask_alone(done: _Rehearsal, share: float, by_other: int, of_bank: int, rng: np.random.Generator) -> None:
    m = done.material
    sheets = np.sort(rng.permutation(len(m.documents))[: max(round(share * len(m.documents)), 1)])
    layout = Layout(m)
    layout.add_sheets(sheets, np.zeros(len(m.questions), bool))
    here, other = np.isin(m.sheet, sheets), m.visit >= 0
    groups = ((here & other, by_other), (here & ~other, of_bank))
    chosen = np.concatenate([rng.permutation(np.flatnonzero(some))[:most] for some, most in groups])
    done.ask(layout, done.of_bank(chosen, lambda n: Place.ALONE))


def _ask_in_town(done: _Rehearsal, number: int, town: Town, embedder: Embedder) -> None:
    m = done.material
    sheets, none = len(m.documents), np.zeros(0, np.int64)
    layout = Layout(m)
    layout.add_sheets(np.arange(sheets), ~m.tenth[m.sheet])
    layout.add_town(town, embedder)
    asked = [(text, sheets + np.array(sorted(right)), Place.TOWN) for text, right in town.questions]
    asked += [(text, none, Place.ELSEWHERE) for text in town.national]
    raw = embedder.encode([text for text, _, _ in asked])
    done.ask(layout, (_Question(text, v, right, sheets + number, place) for v, (text, right, place) in zip(raw, asked, strict=True)))
    lines = [(number, text, v) for text, v in zip(town.off_topic, embedder.encode(list(town.off_topic)), strict=True)]
    done.ask_strangers(layout, lines, town=True)


def off_topic_lines() -> list[str]:
    """Messages that no national sheet answers (``off_topic.txt``)."""
    lines = (package.FOLDER / "off_topic.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]
