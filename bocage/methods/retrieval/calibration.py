"""Whether the best document answers at all: a probability, so that a question out of scope is refused rather than answered beside the
point.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bocage.methods.retrieval.postings import Floats

# What is known of a question once its candidates are ranked.
SIGNALS = (
    "best", "margin", "spread", "centre", "own", "cover", "named", "passage", "mixed", "sheet", "gram", "unknown", "length", "most_centre",
    "most_cover", "agree", "local", "inner", "most_inner", "service",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Calibration:
    """Logistic model on standardised ``SIGNALS`` followed by the question's vector. ``weights``: (signals + k,)."""

    mean: Floats
    deviation: Floats
    weights: Floats
    bias: float
    threshold: float
    """Below it the assistant refuses: 95 % of questions in scope are above."""

    def probability(self, signals: Floats) -> NDArray[np.float64]:
        """(n,) probabilities that a question is in scope, from (n, signals + k)."""
        # Without an embedder there is no vector: its part says nothing either way.
        signals = np.hstack([signals, np.broadcast_to(self.mean[signals.shape[1] :], (len(signals), len(self.mean) - signals.shape[1]))])
        z = np.clip((signals - self.mean) / self.deviation, -4, 4) @ self.weights + self.bias
        return np.asarray(1 / (1 + np.exp(-np.clip(z, -30, 30))), np.float64)

    def to_json(self) -> str:
        """Numbers with five significant digits."""
        arrays = {k: [float(f"{x:.5g}") for x in getattr(self, k)] for k in ("mean", "deviation", "weights")}
        return json.dumps({**arrays, "bias": round(self.bias, 5), "threshold": round(self.threshold, 5)}, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Calibration:
        """Read what ``to_json`` wrote."""
        data = json.loads(text)
        arrays = {k: np.array(data[k], np.float32) for k in ("mean", "deviation", "weights")}
        return cls(**arrays, bias=float(data["bias"]), threshold=float(data["threshold"]))


def signals(features: Floats, scores: Floats, names: tuple[str, ...], vector: Floats | None) -> Floats:
    """Signals of one question from its candidates' features and ranker scores, then its vector (k,); see ``SIGNALS``."""
    tail = vector if vector is not None else np.zeros(0, np.float32)
    if not len(scores):
        return np.concatenate([np.zeros(len(SIGNALS), np.float32), tail]).astype(np.float32)
    at = {name: i for i, name in enumerate(names)}
    order = np.argsort(-scores, kind="stable")
    top = features[order[0]]
    second = scores[order[min(1, len(order) - 1)]]
    spread = float(np.log(np.exp(scores - scores[order[0]]).sum()))
    length = max(float(top[at["length"]]), 1.0)
    agree = sum(float(top[at[f"{name}_rank"]] > 0.99) for name in ("body", "mixed", "centre", "sheet", "gram"))
    found = [
        float(scores[order[0]]), float(scores[order[0]] - second), spread, top[at["centre"]], top[at["own"]], top[at["cover"]],
        top[at["named"]],
        top[at["passage"]] / length, top[at["mixed"]] / length, top[at["sheet"]] / length, top[at["gram"]] / length, top[at["unknown"]],
        min(length, 12.0), features[:, at["centre"]].max(), features[:, at["cover"]].max(), agree,
        top[at["local"]], top[at["inner"]], features[:, at["inner"]].max(), top[at["service"]],
    ]  # fmt: skip
    return np.concatenate([np.array(found, np.float32), tail]).astype(np.float32)


def fit(
    inside: Floats,
    outside: Floats,
    vector_size: int,
    *,
    ridge: float = 10.0,
    vector_ridge: float = 300.0,
    accept: float = 0.95,
    judged: Floats | None = None,
) -> Calibration:
    """Ridge logistic regression by Newton's method, both classes weighing the same; the vector's weights are held down harder.

    ``inside``, ``outside``: (n, signals + ``vector_size``). The threshold lets ``accept`` of ``judged`` through (``inside`` without it).
    """
    x = np.vstack([inside, outside]).astype(np.float64)
    y = np.r_[np.ones(len(inside)), np.zeros(len(outside))]
    share = np.where(y > 0, len(y) / 2 / max(len(inside), 1), len(y) / 2 / max(len(outside), 1))
    mean, deviation = x.mean(0), x.std(0) + 1e-6
    z = np.c_[np.clip((x - mean) / deviation, -4, 4), np.ones(len(x))]
    penalty = np.r_[np.full(x.shape[1] - vector_size, ridge), np.full(vector_size, vector_ridge), 1e-6]
    weights = np.zeros(z.shape[1])
    for _ in range(30):
        p = 1 / (1 + np.exp(-np.clip(z @ weights, -30, 30)))
        gradient = z.T @ (share * (p - y)) + penalty * weights
        hessian = (z * (share * p * (1 - p) + 1e-9)[:, None]).T @ z + np.diag(penalty)
        step = np.linalg.solve(hessian, gradient)
        weights -= step
        if np.abs(step).max() < 1e-6:
            break
    made = Calibration(mean.astype(np.float32), deviation.astype(np.float32), weights[:-1].astype(np.float32), float(weights[-1]), 0.0)
    likely = made.probability((inside if judged is None else judged).astype(np.float32))
    return replace(made, threshold=float(np.quantile(likely, 1 - accept)))
