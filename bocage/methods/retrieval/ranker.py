"""A small ranker: one hidden layer and a straight path beside it, trained to put the right document first (listwise softmax).

Weights are a few thousand numbers in a JSON file that can be read, compared and reviewed; no library at answer time.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bocage.methods.retrieval.postings import Floats

_CLIP = 5.0


@dataclass(frozen=True, slots=True)
class Ranker:
    """score = relu(z·hidden + bias)·out + z·straight, with z the standardised features clipped to ±5."""

    names: tuple[str, ...]
    mean: Floats
    deviation: Floats
    hidden: Floats
    bias: Floats
    out: Floats
    straight: Floats

    def score(self, features: Floats) -> Floats:
        """Scores (n,) of candidates (n, features); only differences within one question mean something."""
        z = np.clip((features - self.mean) / self.deviation, -_CLIP, _CLIP)
        return np.asarray(np.maximum(z @ self.hidden + self.bias, 0) @ self.out + z @ self.straight, np.float32)

    def to_json(self) -> str:
        """Numbers with five significant digits."""
        arrays = {key: _rounded(getattr(self, key)) for key in ("mean", "deviation", "hidden", "bias", "out", "straight")}
        return json.dumps({"names": list(self.names), **arrays}, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Ranker:
        """Read what ``to_json`` wrote. Raises ``ValueError`` when shapes do not agree."""
        data = json.loads(text)
        arrays = {key: np.array(data[key], np.float32) for key in ("mean", "deviation", "hidden", "bias", "out", "straight")}
        found = cls(tuple(data["names"]), **arrays)
        n, h = len(found.names), len(found.bias)
        if found.hidden.shape != (n, h) or any(len(a) != n for a in (found.mean, found.deviation, found.straight)) or len(found.out) != h:
            raise ValueError("ranker: shapes do not agree")
        return found


def _rounded(array: Floats) -> list[object]:
    return json.loads(json.dumps(np.vectorize(lambda x: float(f"{x:.5g}"))(array).tolist())) if array.size else []


def train(
    names: Sequence[str], features: Floats, right: NDArray[np.bool_], starts: NDArray[np.int64], *,
    times: NDArray[np.int64] | None = None, hidden: int = 24, epochs: int = 12, rate: float = 0.01, decay: float = 1e-4, seed: int = 0,
) -> Ranker:  # fmt: skip
    """Fit by Adam on questions, each a run of candidates.

    ``features``: (candidates, features); ``right``: whether a candidate answers; ``starts``: (questions + 1,) where each question's run
    begins; ``times``: how often each question is shown (once without it; nothing is learnt of one shown 0 times). Questions without a
    right candidate are left out. The loss is the cross-entropy between softmax(scores) and the right ones.
    """
    rng = np.random.default_rng(seed)
    times = np.ones(len(starts) - 1, np.int64) if times is None else times
    mean, deviation = _moments(features[np.repeat(times > 0, np.diff(starts))])
    z = np.clip((features - mean) / deviation, -_CLIP, _CLIP).astype(np.float32)
    n = z.shape[1]
    weights = [rng.normal(0, n**-0.5, (n, hidden)), np.zeros(hidden), rng.normal(0, hidden**-0.5, hidden), np.zeros(n)]
    weights = [w.astype(np.float32) for w in weights]
    first, second = [np.zeros_like(w) for w in weights], [np.zeros_like(w) for w in weights]
    useful = np.array([i for i in range(len(starts) - 1) if right[starts[i] : starts[i + 1]].any()], np.int64)
    useful = np.repeat(useful, times[useful])
    batches = epochs * (-(-len(useful) // 64))
    step = 0
    for _ in range(epochs):
        shuffled = rng.permutation(useful)
        for at in range(0, len(shuffled), 64):
            step += 1
            gradients = _gradients(z, right, starts, shuffled[at : at + 64], weights, decay)
            pace = rate * (1 - (step - 1) / batches)
            for w, m, v, g in zip(weights, first, second, gradients, strict=True):
                m += 0.1 * (g - m)
                v += 0.01 * (g * g - v)
                w -= pace * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.99**step)) + 1e-8)
    hid, bias, out, straight = weights
    return Ranker(tuple(names), mean.astype(np.float32), deviation.astype(np.float32), hid, bias, out, straight)


def _moments(shown: Floats) -> tuple[Floats, Floats]:
    return shown.mean(0), shown.std(0) + 1e-6


def average(rankers: Sequence[Ranker]) -> Ranker:
    """One ranker that scores as the mean of ``rankers``, trained on the same features: what one draw of first weights owes to luck goes."""
    first = rankers[0]
    return Ranker(
        first.names, first.mean, first.deviation,
        np.hstack([r.hidden for r in rankers]), np.concatenate([r.bias for r in rankers]),
        np.concatenate([r.out for r in rankers]) / len(rankers), np.mean([r.straight for r in rankers], axis=0),
    )  # fmt: skip


def _gradients(
    z: Floats, right: NDArray[np.bool_], starts: NDArray[np.int64], batch: NDArray[np.int64], weights: list[Floats], decay: float
) -> list[Floats]:
    rows = np.concatenate([np.arange(starts[i], starts[i + 1]) for i in batch])
    group = np.repeat(np.arange(len(batch)), starts[batch + 1] - starts[batch])
    hidden, bias, out, straight = weights
    x, y = z[rows], right[rows].astype(np.float32)
    y /= np.bincount(group, y)[group]
    before = x @ hidden + bias
    active = np.maximum(before, 0)
    scores = active @ out + x @ straight
    top = np.full(len(batch), -np.inf)
    np.maximum.at(top, group, scores)
    raised = np.exp(scores - top[group])
    slope = ((raised / np.bincount(group, raised)[group] - y) / len(batch)).astype(np.float32)
    back = np.outer(slope, out) * (before > 0)
    return [x.T @ back + decay * hidden, back.sum(0), active.T @ slope + decay * out, x.T @ slope + decay * straight]
