"""How well search does on questions whose right sheets are known, and on questions that no sheet answers. One measure for bench and
command.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bocage.assistant.documents import Audience
from bocage.assistant.index import Index
from bocage.assistant.model import Model
from bocage.assistant.search import Found, search
from bocage.contract.errors import UnreadableFile

MAX_QUESTIONS = 20_000


@dataclass(frozen=True, slots=True)
class Case:
    """A question and the ids of the documents that answer it (none: it should be refused)."""

    question: str
    gold: frozenset[str]


def read_cases(path: Path) -> list[Case]:
    """Lines {"q": question, "gold": [ids]}; ``gold`` may be absent. Raises ``UnreadableFile`` with the line number."""
    cases = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableFile(f"« {path.name} » ne se lit pas ({error}). Attendu : un fichier JSONL en UTF-8.") from None
    for number, line in enumerate(lines[:MAX_QUESTIONS], 1):
        if not line.strip():
            continue
        try:
            data = json.loads(line)
            gold = data.get("gold") or []
            if not isinstance(data["q"], str) or not isinstance(gold, list):
                raise ValueError
            cases.append(Case(data["q"], frozenset(map(str, gold))))
        except (ValueError, KeyError, AttributeError, RecursionError):
            raise UnreadableFile(
                f'« {path.name} », ligne {number} : attendu {{"q": "question", "gold": ["F123"]}}, lu « {line[:60]} ».'
            ) from None
    if not cases:
        raise UnreadableFile(f"« {path.name} » ne contient aucune question.")
    return cases


def evaluate(
    questions_path: Path,
    refuse_path: Path | None = None,
    *,
    indexes: Sequence[Index],
    audience: Audience | None = None,
    model: Model | None = None,
) -> dict[str, Any]:
    """Ask every question of ``indexes``: recall at 1, 5 and 10, mean reciprocal rank, milliseconds; with ``refuse_path`` also the refusal.

    A question counts as found when one of its gold documents is. Raises ``UnreadableFile``.
    """
    cases = read_cases(questions_path)
    ranks, taken, inside = [], [], []
    several = refused = 0
    for case in cases:
        begun = time.perf_counter()
        found = search(case.question, indexes, audience, 10, model=model)
        taken.append((time.perf_counter() - begun) * 1000)
        ranks.append(rank_of(found, case.gold))
        inside.append(found.in_scope)
        refused += found.refused
        several += len(found.intents) > 1
    result: dict[str, Any] = {"questions": len(cases), **recalls(ranks), **times(taken)}
    result |= {"refused_in_scope": refused / len(cases), "two_intents": several}
    if refuse_path is not None:
        outside = [search(case.question, indexes, audience, 1, model=model) for case in read_cases(refuse_path)]
        scores = np.array([found.in_scope for found in outside])
        result |= {
            "out_of_scope": len(outside),
            "refusal_auc": auc(np.array(inside), scores),
            "refused_at_95_pct": 100 * refused_at(np.array(inside), scores),
            "refused_at_threshold_pct": 100 * float(np.mean([found.refused for found in outside])),
        }
    return result


def rank_of(found: Found, gold: frozenset[str]) -> int:
    """Place of the first gold document, from 1; 0 when none is among the hits."""
    return next((place for place, hit in enumerate(found.hits, 1) if hit.document_id in gold), 0)


def recalls(ranks: Sequence[int]) -> dict[str, float]:
    """Shares of questions whose first right document is at place 1, up to 5, up to 10; and the mean reciprocal rank. 0 means not found."""
    places = np.array(ranks)
    hit = places > 0
    reciprocal = np.where(hit, 1 / np.maximum(places, 1), 0)
    at = {f"recall_at_{k}": float(np.mean(hit & (places <= k))) for k in (1, 5, 10)}
    return {**at, "mrr": float(reciprocal.mean())}


def auc(inside: NDArray[np.float64], outside: NDArray[np.float64]) -> float:
    """Probability that a question in scope scores above one out of scope, ties counting half."""
    wins = (inside[:, None] > outside[None]).mean() + 0.5 * (inside[:, None] == outside[None]).mean()
    return float(wins)


def refused_at(inside: NDArray[np.float64], outside: NDArray[np.float64], accept: float = 0.95) -> float:
    """Share of out-of-scope questions below the score that ``accept`` of those in scope reach."""
    threshold = np.sort(inside)[int(np.floor((1 - accept) * len(inside)))]
    return float(np.mean(outside < threshold))


def times(taken: Sequence[float]) -> dict[str, float]:
    """Median and 95th percentile of milliseconds."""
    return {"p50_ms": float(np.quantile(taken, 0.5)), "p95_ms": float(np.quantile(taken, 0.95))}
