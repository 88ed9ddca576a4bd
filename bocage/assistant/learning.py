"""Learning to search again from the bank, for one embedder: the space, the ranker and the calibration (``assistant.model``).

Each question of the bank is asked of an index that does not hold it: questions are dealt into eight folds, and the index of a fold has
neither the fold's questions nor any question of an eighth of the sheets (so that sheets without a bank are learnt too). Nothing is
learnt from the tenth of the sheets that ``held_out`` names, whose questions are only asked. The questions of ``asked.jsonl``, by authors
who wrote nothing of the bank, say how far people's words are from it: those of one author on one sheet are all asked in one fold, which
holds none of them. Figures told are cross-validated by sheet.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bocage.assistant import model as package
from bocage.assistant.bank import bank, by_others, held_out
from bocage.assistant.documents import Document
from bocage.assistant.evaluation import auc, refused_at
from bocage.assistant.index import entry, own_text
from bocage.contract.errors import BocageError
from bocage.methods.retrieval import calibration, features, ranker
from bocage.methods.retrieval.collection import Collection, build_collection
from bocage.methods.retrieval.embed import Embedder, within_class_whitening
from bocage.methods.retrieval.question import read_question
from bocage.methods.retrieval.spelling import Speller

FOLDS, DIMENSIONS, SEED = 8, 256, 20261122
OTHERS, BARE, HIDDEN, DRAWS = 3, 3, 12, 4
"""How many times questions by other authors count, and those on sheets whose questions are all left out; the ranker's size and number."""
PER_FOLD = 500
_LEAST_SHEETS = 50
Say = Callable[[str], None]


class TooLittleToLearn(BocageError):
    """The national index holds too few sheets of the bank."""

    code = "trop-peu-pour-apprendre"
    exit_code = 2


@dataclass(slots=True)
class Material:
    """Documents, questions with the number of their document and of their author's visit (-1: the bank), raw vectors, who is held out."""

    documents: Sequence[Document]
    questions: list[str]
    sheet: np.ndarray[Any, Any]
    visit: np.ndarray[Any, Any]
    vectors: np.ndarray[Any, Any]
    own: np.ndarray[Any, Any]
    tenth: np.ndarray[Any, Any]
    mean: np.ndarray[Any, Any]
    projection: np.ndarray[Any, Any]


@dataclass(slots=True)
class Asked:
    """Features of the candidates of every question asked. ``rows``: (questions + 1,) where each one's candidates begin."""

    table: np.ndarray[Any, Any]
    right: np.ndarray[Any, Any]
    rows: np.ndarray[Any, Any]
    sheet: np.ndarray[Any, Any]
    bare: np.ndarray[Any, Any]
    other: np.ndarray[Any, Any]
    """Whether the question is of ``asked.jsonl``."""
    vector: np.ndarray[Any, Any]


@dataclass(slots=True)
class Learnt:
    """What ``learn`` made, and from what."""

    material: Material
    asked: Asked
    outside: list[Any]
    ranker: ranker.Ranker
    calibration: calibration.Calibration

    def save(self, folder: Path) -> None:
        """Write the files that ``model.load`` reads."""
        m = self.material
        means = {d.id: m.vectors[m.sheet == n].mean(0) for n, d in enumerate(m.documents) if (m.sheet == n).any()}
        package.save(folder, m.mean, m.projection, self.ranker, self.calibration, means)


def learn(documents: Sequence[Document], embedder: Embedder, say: Say, per_fold: int = PER_FOLD, cache: Path | None = None) -> Learnt:
    """Learn from ``documents`` (national sheets) and the bank; minutes. ``say`` gets a line for each step, and the figures.

    ``per_fold``: questions of the bank asked in each fold. ``cache``: folder of vectors to keep from one time to the next; to be emptied
    when a text changes. Raises ``TooLittleToLearn``, and what ``embedder`` raises.
    """
    m = _material(documents, embedder, cache, say)
    a, outside = _ask(m, per_fold, embedder, say)
    ranks, made, part = _cross_validate(m, a)
    tenth = m.tenth[a.sheet]
    groups = {
        "bank, one question out": ~a.bare & ~a.other, "bank of the sheet out": a.bare & ~tenth & ~a.other, "held-out tenth": tenth,
        "other authors": a.other & ~a.bare, "other authors, bank of the sheet out": a.other & a.bare,
    }  # fmt: skip
    for name, some in groups.items():
        if some.any():
            say(f"{name}: n {some.sum()}, R@1 {np.mean(ranks[some] <= 1):.3f}, R@5 {np.mean(ranks[some] <= 5):.3f}")
    last = _fit(a, np.flatnonzero(~tenth))
    return Learnt(m, a, outside, last, _calibrate(m, a, outside, made, part, last, say))


def _material(documents: Sequence[Document], embedder: Embedder, cache: Path | None, say: Say) -> Material:
    """Everything embedded, once."""
    at = {d.id: n for n, d in enumerate(documents)}
    rows = [(at[s], q) for s, questions in bank().items() if s in at for q in questions]
    if len({sheet for sheet, _ in rows}) < _LEAST_SHEETS:
        raise TooLittleToLearn(
            f"L’index national n’a que {len({sheet for sheet, _ in rows})} fiches dont la banque connaît des questions ; il en faut "
            f"{_LEAST_SHEETS} au moins. Importez d’abord les fiches nationales (bocage assistant import)."
        )
    others = [(at[s], q) for s, q in by_others() if s in at]
    visits = np.cumsum([n == 0 or sheet != others[n - 1][0] for n, (sheet, _) in enumerate(others)])
    visit = np.r_[np.full(len(rows), -1), visits].astype(np.int64)
    parts = {"bank": [q for _, q in rows], "others": [q for _, q in others], "own": [own_text(d) for d in documents]}
    encoded = {}
    for name, texts in parts.items():
        say(f"{name}: {len(texts)} texts")
        encoded[name] = _encoded(cache / f"{name}.npy" if cache else None, texts, embedder)
    vectors = np.vstack([encoded["bank"], encoded["others"]]) if others else encoded["bank"]
    own = encoded["own"]
    sheet, questions = np.array([n for n, _ in rows + others]), [q for _, q in rows + others]
    tenth = np.array([held_out(d.id) for d in documents])
    known = ~tenth[sheet]
    mean, projection = within_class_whitening(
        np.vstack([vectors[known], own[~tenth]]), np.r_[sheet[known], np.flatnonzero(~tenth)], DIMENSIONS
    )
    return Material(documents, questions, sheet, visit, vectors, own, tenth, mean, projection)


def _encoded(path: Path | None, texts: list[str], embedder: Embedder) -> np.ndarray[Any, Any]:
    if path and path.exists() and len(found := np.load(path)) == len(texts):
        return found
    made = embedder.encode(texts)
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, made)
    return made


def _collection(m: Material, keep: np.ndarray[Any, Any]) -> Collection:
    """The index of the questions kept."""
    asked: list[list[str]] = [[] for _ in m.documents]
    for n in np.flatnonzero(keep):
        asked[m.sheet[n]].append(m.questions[n])
    sums = 2 * m.own
    np.add.at(sums, m.sheet[keep], m.vectors[keep])
    centre = sums / (2 + np.bincount(m.sheet[keep], minlength=len(m.documents)))[:, None]
    entries = [entry(d, tuple(q)) for d, q in zip(m.documents, asked, strict=True)]
    own = features.project(m.own, m.mean, m.projection)
    return build_collection(entries, own, features.project(centre.astype(np.float32), m.mean, m.projection))


def _ask(m: Material, per_fold: int, embedder: Embedder, say: Say) -> tuple[Asked, list[Any]]:
    """Ask questions fold by fold; those of other authors all, the bank's ``per_fold`` at most; off-topic lines of one fold each."""
    rng = np.random.default_rng(SEED)
    fold, bare = rng.integers(0, FOLDS, len(m.questions)), rng.integers(0, FOLDS, len(m.documents))
    other = m.visit >= 0
    fold[other] = rng.integers(0, FOLDS, max(m.visit.max() + 1, 0))[m.visit[other]]
    off_topic = off_topic_lines()
    off_vectors = embedder.encode(off_topic)
    tables, right, sheets, alone, foreign, seen, outside = [], [], [], [], [], [], []
    for k in range(FOLDS):
        begun = time.perf_counter()
        held = m.tenth | (bare == k)
        index = _collection(m, (fold != k) & ~held[m.sheet])
        speller = Speller(index.words)
        chosen = np.r_[rng.permutation(np.flatnonzero((fold == k) & ~other))[:per_fold], np.flatnonzero((fold == k) & other)]
        for n in chosen:
            vector = features.project(m.vectors[n][None], m.mean, m.projection)[0]
            table, rows = _features(m.questions[n], vector, index, speller)
            tables.append(table)
            right.append(rows == m.sheet[n])
            sheets.append(m.sheet[n])
            alone.append(held[m.sheet[n]])
            foreign.append(other[n])
            seen.append(vector)
        for n in range(k, len(off_topic), FOLDS):
            vector = features.project(off_vectors[n : n + 1], m.mean, m.projection)[0]
            outside.append((_features(off_topic[n], vector, index, speller)[0], vector))
        say(f"fold {k}: {len(chosen)} questions, {time.perf_counter() - begun:.0f} s")
    rows = np.cumsum([0, *(len(t) for t in tables)]).astype(np.int64)
    flags = np.array(alone), np.array(foreign)
    return Asked(np.vstack(tables), np.concatenate(right), rows, np.array(sheets), *flags, np.stack(seen)), outside


def off_topic_lines() -> list[str]:
    """Messages that no national sheet answers (``off_topic.txt``)."""
    lines = (package.FOLDER / "off_topic.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def _features(text: str, vector: Any, index: Collection, speller: Speller) -> tuple[Any, Any]:
    question = read_question(text, speller, package.lexicon())
    scores = features.score(question, vector, index)
    rows = features.candidates(scores)
    return features.table(question, [(scores, rows, index)]), rows


def _cross_validate(m: Material, a: Asked) -> tuple[np.ndarray[Any, Any], list[ranker.Ranker], np.ndarray[Any, Any]]:
    """Rank of the right sheet for each question by a ranker that never saw the sheet, the five rankers, and each question's part."""
    part = np.random.default_rng(SEED + 1).integers(0, 5, len(m.documents))[a.sheet]
    ranks = np.full(len(a.sheet), 999)
    made = []
    for f in range(5):
        made.append(_fit(a, np.flatnonzero((part != f) & ~m.tenth[a.sheet])))
        for n in np.flatnonzero(part == f):
            some = slice(a.rows[n], a.rows[n + 1])
            scores, right = made[f].score(a.table[some]), a.right[some]
            if right.any():
                ranks[n] = (scores > scores[right].max()).sum() + 1
    return ranks, made, part


def _fit(a: Asked, questions: np.ndarray[Any, Any]) -> ranker.Ranker:
    """The mean of ``DRAWS`` rankers from some of the questions. Other authors', nearer to what will be asked, count ``OTHERS`` times; those
    on sheets left without questions ``BARE`` times: a commune's own pages have none either.
    """
    more, bare = np.repeat(questions[a.other[questions]], OTHERS - 1), np.repeat(questions[a.bare[questions]], BARE - 1)
    questions = np.r_[questions, more, bare]
    some = np.concatenate([np.arange(a.rows[n], a.rows[n + 1]) for n in questions])
    rows = np.r_[0, np.cumsum(a.rows[questions + 1] - a.rows[questions])].astype(np.int64)
    table, right = a.table[some], a.right[some]
    return ranker.average([ranker.train(features.NAMES, table, right, rows, hidden=HIDDEN, seed=SEED + n) for n in range(DRAWS)])


def _calibrate(
    m: Material, a: Asked, outside: list[Any], made: list[ranker.Ranker], part: Any, last: ranker.Ranker, say: Say
) -> calibration.Calibration:
    """Confidence from questions in scope (ranked by a ranker that never saw their sheet) and off-topic lines; says it cross-validated."""
    inside = []
    known = np.flatnonzero(~m.tenth[a.sheet])
    asked = np.r_[known, np.repeat(known[a.other[known]], OTHERS - 1)]
    for n in asked:
        table = a.table[a.rows[n] : a.rows[n + 1]]
        inside.append(calibration.signals(table, made[part[n]].score(table), features.NAMES, a.vector[n]))
    beside = [calibration.signals(table, last.score(table), features.NAMES, vector) for table, vector in outside]
    x, y = np.stack(inside), np.stack(beside)
    rng = np.random.default_rng(SEED)
    of_x, of_y = rng.integers(0, 5, len(a.sheet))[asked], rng.integers(0, 5, len(y))
    inner, outer = np.zeros(len(x)), np.zeros(len(y))
    for f in range(5):
        c = calibration.fit(x[of_x != f], y[of_y != f], m.projection.shape[1])
        inner[of_x == f], outer[of_y == f] = c.probability(x[of_x == f]), c.probability(y[of_y == f])
    say(f"refusal, cross-validated: AUC {auc(inner, outer):.3f}, refused at 95 % accepted {refused_at(inner, outer):.3f}")
    return calibration.fit(x, y, m.projection.shape[1])
