"""Learning to search again from the bank, for one embedder: the space, the ranker and the calibration (``assistant.model``).

What is asked of what is told in ``rehearsal``. Nothing is learnt from the tenth of the sheets that ``bank.held_out`` names, whose questions
are only asked. Figures told are cross-validated by sheet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bocage.assistant import model as package
from bocage.assistant.documents import Document
from bocage.assistant.evaluation import auc, refused_at
from bocage.assistant.rehearsal import PER_FOLD, SEED, Asked, Material, Place, Say, Stranger, ask, gather
from bocage.methods.retrieval import calibration, features, ranker
from bocage.methods.retrieval.embed import Embedder

HIDDEN, DRAWS, PARTS = 12, 4, 3
"""The rankers' size and number (half of it in the cross-validation), and the parts of the cross-validation."""
OTHERS = 3
"""How many times questions by other authors count: they are nearer to what will be asked than the bank's."""
BARE = 2
"""How many times those count whose sheet was left without questions in an index full of them."""
TOWNS, TOWNS_REFUSED = 4, 8
"""How many times what was asked in a town counts, in ranking and in refusal: it is what will be asked, and little of it."""


@dataclass(slots=True)
class Learnt:
    """What ``learn`` made, and from what."""

    material: Material
    asked: Asked
    outside: list[Stranger]
    ranker: ranker.Ranker
    calibrations: tuple[calibration.Calibration, calibration.Calibration]

    def save(self, folder: Path) -> None:
        """Write the files that ``model.load`` reads."""
        m = self.material
        means = {d.id: m.vectors[m.sheet == n].mean(0) for n, d in enumerate(m.documents) if (m.sheet == n).any()}
        package.save(folder, m.mean, m.projection, self.ranker, self.calibrations, means)


def learn(documents: Sequence[Document], embedder: Embedder, say: Say, per_fold: int = PER_FOLD, cache: Path | None = None) -> Learnt:
    """Learn from ``documents`` (national sheets) and the bank; minutes. ``say`` gets a line for each step, and the figures.

    ``per_fold``: questions of the bank asked in each fold. ``cache``: folder of vectors to keep from one time to the next; to be emptied
    when a text changes. Raises ``TooLittleToLearn``, and what ``embedder`` raises.
    """
    m = gather(documents, embedder, cache, say)
    a, outside = ask(m, per_fold, embedder, say)
    ranks, made, part = _cross_validate(m, a)
    tenth = _held_out(m, a)
    groups = {"held-out tenth": tenth & (a.place == Place.BARE)}
    for place in Place:
        here = (a.place == place) & ~tenth
        groups |= {f"bank, {place.name.lower()}": here & ~a.other, f"other authors, {place.name.lower()}": here & a.other}
    for name, some in groups.items():
        if some.any():
            say(f"{name}: n {some.sum()}, R@1 {np.mean(ranks[some] <= 1):.3f}, R@5 {np.mean(ranks[some] <= 5):.3f}")
    last = _fit(a, ~tenth, DRAWS)
    return Learnt(m, a, outside, last, _calibrate(m, a, outside, made, part, last, say))


def _cross_validate(m: Material, a: Asked) -> tuple[np.ndarray[Any, Any], list[ranker.Ranker], np.ndarray[Any, Any]]:
    """Rank of the right sheet for each question by a ranker that never saw the sheet (or the town), the rankers, and each question's
    part.
    """
    sheets = len(m.documents)
    drawn = np.random.default_rng(SEED + 1).integers(0, PARTS, sheets)
    part = np.where(a.subject < sheets, drawn[np.minimum(a.subject, sheets - 1)], (a.subject - sheets) % PARTS)
    ranks = np.full(len(a.subject), 999)
    made = []
    for f in range(PARTS):
        made.append(_fit(a, (part != f) & ~_held_out(m, a), DRAWS // 2))
        for n in np.flatnonzero(part == f):
            some = slice(a.rows[n], a.rows[n + 1])
            scores, right = made[f].score(a.table[some]), a.right[some]
            if right.any():
                ranks[n] = (scores > scores[right].max()).sum() + 1
    return ranks, made, part


def _held_out(m: Material, a: Asked) -> np.ndarray[Any, Any]:
    """Whether each question is on a sheet of the tenth from which nothing is learnt."""
    return np.r_[m.tenth, np.zeros(max(a.subject.max() + 1 - len(m.tenth), 0), bool)][a.subject]


def _fit(a: Asked, questions: np.ndarray[Any, Any], draws: int) -> ranker.Ranker:
    """The mean of ``draws`` rankers, from the questions that a mask names."""
    national = a.place <= Place.BARE
    times = np.where(a.other & national, OTHERS, np.where(a.place == Place.TOWN, TOWNS, 1)) + np.where(a.place == Place.BARE, BARE - 1, 0)
    drawn = [
        ranker.train(features.NAMES, a.table, a.right, a.rows, times=times * questions, hidden=HIDDEN, seed=SEED + n) for n in range(draws)
    ]
    return ranker.average(drawn)


def _calibrate(
    m: Material, a: Asked, outside: Sequence[Stranger], made: list[ranker.Ranker], part: Any, last: ranker.Ranker, say: Say
) -> tuple[calibration.Calibration, calibration.Calibration]:
    """Confidence among the national sheets alone, and beside an organisation's own pages, from questions in scope (ranked by a ranker that
    never saw their sheet or town) and off-topic lines; says them cross-validated.
    """
    known = ~_held_out(m, a)
    town, national = a.place >= Place.TOWN, a.place <= Place.BARE
    strangers = [s for s in outside if not s.town]

    def of_question(n: int) -> np.ndarray[Any, Any]:
        table = a.table[a.rows[n] : a.rows[n + 1]]
        return calibration.signals(table, made[part[n]].score(table), features.NAMES, a.vector[n])

    def of_stranger(s: Stranger) -> np.ndarray[Any, Any]:
        return calibration.signals(s.table, (made[s.line % PARTS] if s.town else last).score(s.table), features.NAMES, s.vector)

    def fitted(name: str, some: np.ndarray[Any, Any], lines: Sequence[Stranger], in_towns: bool) -> calibration.Calibration:
        asked = np.repeat(np.flatnonzero(some), np.where(town, TOWNS_REFUSED, np.where(a.other, OTHERS, 1))[some])
        beside = [s for s in lines for _ in range(TOWNS_REFUSED if s.town else 1)]
        x, of_x = _each(of_question, asked), part[asked]
        y, of_y = _each(of_stranger, beside), np.array([s.line % PARTS for s in beside])
        size = m.projection.shape[1]
        inner, outer = np.zeros(len(x)), np.zeros(len(y))
        for f in range(PARTS):
            c = calibration.fit(x[of_x != f], y[of_y != f], size)
            inner[of_x == f], outer[of_y == f] = c.probability(x[of_x == f]), c.probability(y[of_y == f])
        inner, outer = inner[(town == in_towns)[asked]], outer[[s.town == in_towns for s in beside]]
        told = f"AUC {auc(inner, outer):.3f}, refused at 95 % accepted {refused_at(inner, outer):.3f}"
        say(f"refusal {name}, cross-validated: {told}")
        # The threshold is set on what is hardest to find: what a town is asked, and sheets whose questions nobody wrote.
        return calibration.fit(x, y, size, judged=x[(town if in_towns else a.place == Place.BARE)[asked]])

    return (
        fitted("among national sheets", known & national, strangers, in_towns=False),
        fitted("in towns", known & ~national & (a.place != Place.ALONE), outside, in_towns=True),
    )


def _each(signals: Callable[[Any], np.ndarray[Any, Any]], some: Sequence[Any]) -> np.ndarray[Any, Any]:
    """Signals of each, in order; of one that comes again, once computed."""
    found: dict[int, np.ndarray[Any, Any]] = {}
    keys = [int(one) if isinstance(one, np.integer) else id(one) for one in some]
    for key, one in zip(keys, some, strict=True):
        if key not in found:
            found[key] = signals(one)
    return np.stack([found[key] for key in keys])
