"""The third reader of a message: what it means as a whole, by a multinomial logistic regression on its sentence vector.

Words of other authors than those learnt from are what the two other readers miss; the encoder, which has read a great deal, brings them
near. Weights: one small file, two bytes a weight (``data/screening_sense.npz``), made with the others by
``python -m bocage.assistant.screening``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from bocage.assistant.model import default_model
from bocage.assistant.screening_words import DATA
from bocage.methods.retrieval.postings import Floats

WEIGHTS = DATA / "screening_sense.npz"
_PENALTY = 3e-5
_LONG, _BLOCK, _MOST = 60, 25, 16
_SENTENCE = re.compile(r"[^.!?\n]+[.!?\n]*")


def scores(text: str) -> tuple[tuple[str, ...], Floats] | None:
    """Kind names and their log-probabilities (parts, kinds), one line for the whole message and, when it is long, one for each part of it.

    None without an embedder.
    """
    embedder = default_model().embedder
    if embedder is None:
        return None
    names, mean, weights = _stored()
    return names, logs(embedder.encode(parts(text)), mean, weights)


def parts(text: str) -> list[str]:
    """The message; a cry drowns in the vector of a long one, so its sentences too, glued to some twenty-five words."""
    if len(text.split()) <= _LONG:
        return [text]
    blocks = [""]
    for sentence in _SENTENCE.findall(text):
        if len(blocks[-1].split()) >= _BLOCK:
            blocks.append("")
        blocks[-1] += sentence
    kept = [block for block in blocks if block.strip()]
    return [text, *(kept if len(kept) <= _MOST else (*kept[: _MOST // 2], *kept[-_MOST // 2 :]))]


def logs(vectors: Floats, mean: Floats, weights: Floats) -> Floats:
    """Log-probabilities (n, kinds) of (n, d) vectors. ``weights``: (d + 1, kinds), the bias last."""
    found = (vectors - mean) @ weights[:-1] + weights[-1]
    return np.asarray(found - np.logaddexp.reduce(found, axis=1, keepdims=True), np.float32)


def fit(names: Sequence[str], vectors: Floats, targets: np.ndarray[Any, Any]) -> tuple[Floats, Floats]:
    """Mean (d,) and weights (d + 1, kinds) by penalised maximum likelihood; a kind weighs as the square root of its number of lines."""
    from scipy.optimize import minimize

    mean = vectors.mean(axis=0)
    table = np.column_stack([vectors - mean, np.ones(len(vectors))]).astype(np.float64)
    counts = np.bincount(targets, minlength=len(names))
    weight = (counts**0.5 / (counts**0.5).sum() / counts)[targets]
    one_hot, shape = np.eye(len(names))[targets], (table.shape[1], len(names))

    def loss(flat: np.ndarray[Any, Any]) -> tuple[float, np.ndarray[Any, Any]]:
        both = flat.reshape(shape)
        found = table @ both
        found -= np.logaddexp.reduce(found, axis=1, keepdims=True)
        gradient = table.T @ ((np.exp(found) - one_hot) * weight[:, None])
        gradient[:-1] += 2 * _PENALTY * both[:-1]
        return float(-(weight * found[np.arange(len(targets)), targets]).sum() + _PENALTY * (both[:-1] ** 2).sum()), gradient.ravel()

    best = minimize(loss, np.zeros(shape).ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 300}).x.reshape(shape)
    return mean.astype(np.float32), best.astype(np.float32)


def store(names: Sequence[str], mean: Floats, weights: Floats, made_from: str) -> None:
    """Write what ``fit`` found."""
    np.savez_compressed(
        WEIGHTS, names=np.array(names), mean=mean.astype(np.float16), weights=weights.astype(np.float16), made_from=np.array(made_from)
    )
    _stored.cache_clear()


@lru_cache(maxsize=1)
def _stored() -> tuple[tuple[str, ...], Floats, Floats]:
    with np.load(WEIGHTS, allow_pickle=False) as found:
        names = tuple(str(name) for name in found["names"])
        return names, found["mean"].astype(np.float32), found["weights"].astype(np.float32)
