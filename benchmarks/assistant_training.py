"""Makes ``bocage/assistant/model`` again from the bank: ``python -m benchmarks.assistant_training --cache FOLDER [--write]``.

Each question of the bank is asked of an index that does not hold it: questions are dealt into eight folds, and the index of a fold has
neither the fold's questions nor any question of an eighth of the sheets (so that sheets without a bank are learnt too). Nothing is
learnt from the tenth of the sheets that ``held_out`` names, whose questions are only asked. The questions of ``asked.jsonl``, by authors
who wrote nothing of the bank, say how far people's words are from it: those of one author on one sheet are all asked in one fold, which
holds none of them. Figures printed are cross-validated by sheet. The files shipped were made with the default ``--per-fold``.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.assistant import auc, national_documents, refused_at
from bocage.assistant import model as package
from bocage.assistant.bank import bank, by_others, held_out
from bocage.assistant.documents import Document
from bocage.assistant.index import entry, own_text
from bocage.methods.retrieval import calibration, features, ranker
from bocage.methods.retrieval.collection import Collection, build_collection
from bocage.methods.retrieval.embed import UniversalSentenceEncoder, within_class_whitening
from bocage.methods.retrieval.question import read_question
from bocage.methods.retrieval.spelling import Speller

FOLDS, DIMENSIONS, SEED = 8, 256, 20261122
OTHERS, HIDDEN, DRAWS = 3, 12, 4


@dataclass(slots=True)
class Material:
    """Documents, questions with the number of their document and of their author's visit (-1: the bank), raw vectors, who is held out."""

    documents: list[Document]
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


def material(data: Path, cache: Path) -> Material:
    """Read and embed everything, once."""
    documents = national_documents(data)
    at = {d.id: n for n, d in enumerate(documents)}
    rows = [(at[s], q) for s, questions in bank().items() if s in at for q in questions]
    others = [(at[s], q) for s, q in by_others() if s in at]
    visits = np.cumsum([n == 0 or sheet != others[n - 1][0] for n, (sheet, _) in enumerate(others)])
    visit = np.r_[np.full(len(rows), -1), visits].astype(np.int64)
    vectors = np.vstack([_encoded(cache / "bank.npy", [q for _, q in rows]), _encoded(cache / "others.npy", [q for _, q in others])])
    sheet, questions = np.array([n for n, _ in rows + others]), [q for _, q in rows + others]
    own = _encoded(cache / "own.npy", [own_text(d) for d in documents])
    tenth = np.array([held_out(d.id) for d in documents])
    known = ~tenth[sheet]
    mean, projection = within_class_whitening(
        np.vstack([vectors[known], own[~tenth]]), np.r_[sheet[known], np.flatnonzero(~tenth)], DIMENSIONS
    )
    return Material(documents, questions, sheet, visit, vectors, own, tenth, mean, projection)


def _encoded(path: Path, texts: list[str]) -> np.ndarray[Any, Any]:
    if path.exists() and len(found := np.load(path)) == len(texts):
        return found
    made = UniversalSentenceEncoder().encode(texts)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, made)
    return made


def collection(m: Material, keep: np.ndarray[Any, Any]) -> Collection:
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


def ask(m: Material, per_fold: int, off_topic: list[str]) -> tuple[Asked, list[Any]]:
    """Ask questions fold by fold; those of other authors all, the bank's ``per_fold`` at most; off-topic lines of one fold each."""
    rng = np.random.default_rng(SEED)
    fold, bare = rng.integers(0, FOLDS, len(m.questions)), rng.integers(0, FOLDS, len(m.documents))
    other = m.visit >= 0
    fold[other] = rng.integers(0, FOLDS, m.visit.max() + 1)[m.visit[other]]
    off_vectors = UniversalSentenceEncoder().encode(off_topic)
    tables, right, sheets, alone, foreign, seen, outside = [], [], [], [], [], [], []
    for k in range(FOLDS):
        begun = time.perf_counter()
        held = m.tenth | (bare == k)
        index = collection(m, (fold != k) & ~held[m.sheet])
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
        print(f"fold {k}: {len(chosen)} questions, {time.perf_counter() - begun:.0f} s", file=sys.stderr, flush=True)
    rows = np.cumsum([0, *(len(t) for t in tables)]).astype(np.int64)
    flags = np.array(alone), np.array(foreign)
    return Asked(np.vstack(tables), np.concatenate(right), rows, np.array(sheets), *flags, np.stack(seen)), outside


def _features(text: str, vector: Any, index: Collection, speller: Speller) -> tuple[Any, Any]:
    question = read_question(text, speller, package.lexicon())
    scores = features.score(question, vector, index)
    rows = features.candidates(scores)
    return features.table(question, [(scores, rows, index)]), rows


def cross_validate(m: Material, a: Asked) -> tuple[np.ndarray[Any, Any], list[ranker.Ranker], np.ndarray[Any, Any]]:
    """Rank of the right sheet for each question by a ranker that never saw the sheet, the five rankers, and each question's part."""
    part = np.random.default_rng(SEED + 1).integers(0, 5, len(m.documents))[a.sheet]
    ranks = np.full(len(a.sheet), 999)
    made = []
    for f in range(5):
        made.append(fit(a, np.flatnonzero((part != f) & ~m.tenth[a.sheet])))
        for n in np.flatnonzero(part == f):
            some = slice(a.rows[n], a.rows[n + 1])
            scores, right = made[f].score(a.table[some]), a.right[some]
            if right.any():
                ranks[n] = (scores > scores[right].max()).sum() + 1
    return ranks, made, part


def fit(a: Asked, questions: np.ndarray[Any, Any]) -> ranker.Ranker:
    """The mean of ``DRAWS`` rankers from some of the questions; other authors', nearer to what will be asked, count ``OTHERS`` times."""
    questions = np.r_[questions, np.repeat(questions[a.other[questions]], OTHERS - 1)]
    some = np.concatenate([np.arange(a.rows[n], a.rows[n + 1]) for n in questions])
    rows = np.r_[0, np.cumsum(a.rows[questions + 1] - a.rows[questions])].astype(np.int64)
    table, right = a.table[some], a.right[some]
    return ranker.average([ranker.train(features.NAMES, table, right, rows, hidden=HIDDEN, seed=SEED + n) for n in range(DRAWS)])


def calibrate(
    m: Material, a: Asked, outside: list[Any], made: list[ranker.Ranker], part: Any, last: ranker.Ranker
) -> calibration.Calibration:
    """Confidence from questions in scope (ranked by a ranker that never saw their sheet) and off-topic lines; prints it cross-validated."""
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
        c = calibration.fit(x[of_x != f], y[of_y != f], DIMENSIONS)
        inner[of_x == f], outer[of_y == f] = c.probability(x[of_x == f]), c.probability(y[of_y == f])
    print(f"refusal, cross-validated: AUC {auc(inner, outer):.3f}, refused at 95 % accepted {refused_at(inner, outer):.3f}")
    return calibration.fit(x, y, DIMENSIONS)


def main() -> None:
    """Train, print cross-validated figures, and with ``--write`` replace the model's files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "data")
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--per-fold", type=int, default=500, help="questions of the bank asked in each fold")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    m = material(given.data, given.cache)
    lines = (package.FOLDER / "off_topic.txt").read_text(encoding="utf-8").splitlines()
    a, outside = ask(m, given.per_fold, [line for line in lines if line and not line.startswith("#")])
    np.savez(
        given.cache / "asked.npz", table=a.table, right=a.right, rows=a.rows, sheet=a.sheet, bare=a.bare, other=a.other, vector=a.vector
    )
    beside = [table for table, _ in outside]
    np.savez(
        given.cache / "outside.npz",
        table=np.vstack(beside),
        rows=np.cumsum([0, *map(len, beside)]),
        vector=np.stack([v for _, v in outside]),
    )
    ranks, made, part = cross_validate(m, a)
    tenth = m.tenth[a.sheet]
    groups = {
        "bank, one question out": ~a.bare & ~a.other, "bank of the sheet out": a.bare & ~tenth & ~a.other, "held-out tenth": tenth,
        "other authors": a.other & ~a.bare, "other authors, bank of the sheet out": a.other & a.bare,
    }  # fmt: skip
    for name, some in groups.items():
        print(f"{name}: n {some.sum()}, R@1 {np.mean(ranks[some] <= 1):.3f}, R@5 {np.mean(ranks[some] <= 5):.3f}")
    last = fit(a, np.flatnonzero(~tenth))
    sure = calibrate(m, a, outside, made, part, last)
    if given.write:
        np.save(package.FOLDER / "projection.npy", np.vstack([m.mean[None], m.projection.T]).astype(np.float16), allow_pickle=False)
        (package.FOLDER / "ranker.json").write_text(last.to_json(), encoding="utf-8")
        (package.FOLDER / "calibration.json").write_text(sure.to_json(), encoding="utf-8")
        means = {d.id: m.vectors[m.sheet == n].mean(0) for n, d in enumerate(m.documents) if (m.sheet == n).any()}
        package.write_bank_vectors(means)


if __name__ == "__main__":
    main()
