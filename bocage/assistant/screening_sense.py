"""The third reader of a message: what it means as a whole, by a small neural network on its sentence vector.

Words of other authors than those learnt from are what the two other readers miss; the encoder, which has read a great deal, brings them
near. One hidden layer, since « le chien du voisin crie » and « le voisin crie sur sa femme » lie on no two sides of a plane. Weights: one
small file, two bytes a weight (``data/screening_sense.npz``), made with the others by ``python -m bocage.assistant.screening``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

import numpy as np

from bocage.assistant.model import default_model
from bocage.assistant.screening_words import DATA
from bocage.methods.retrieval.postings import Floats

WEIGHTS = DATA / "screening_sense.npz"
_HIDDEN, _EPOCHS, _BATCH, _SEED = 128, 30, 256, 20261122
_RATE, _DECAY, _DROPPED, _WARM_UP = 2e-3, 1.0, 0.3, 200
_LONG, _BLOCK, _MOST = 60, 25, 16
_SENTENCE = re.compile(r"[^.!?\n]+[.!?\n]*")


@dataclass(frozen=True, slots=True)
class Net:
    """``centre`` (d,) and ``scale`` (1,) of vectors; ``inner`` (d, h) and ``inner_bias`` (h,) of the hidden layer (ReLU); ``outer``
    (h, kinds) and ``outer_bias`` (kinds,) of the scores.
    """

    centre: Floats
    scale: Floats
    inner: Floats
    inner_bias: Floats
    outer: Floats
    outer_bias: Floats


def scores(text: str) -> tuple[tuple[str, ...], Floats] | None:
    """Kind names and their log-probabilities (parts, kinds), one line for the whole message and, when it is long, one for each part of it.

    None without an embedder.
    """
    embedder = default_model().embedder
    if embedder is None:
        return None
    names, net = _stored()
    return names, logs(embedder.encode(parts(text)), net)


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


def logs(vectors: Floats, net: Net) -> Floats:
    """Log-probabilities (n, kinds) of (n, d) vectors."""
    hidden = np.maximum((vectors - net.centre) / net.scale @ net.inner + net.inner_bias, 0)
    found = hidden @ net.outer + net.outer_bias
    return np.asarray(found - np.logaddexp.reduce(found, axis=1, keepdims=True), np.float32)


def fit(kinds: int, vectors: Floats, targets: np.ndarray[Any, Any], times: Floats) -> Net:
    """By stochastic descent (Adam with decoupled decay, Loshchilov and Hutter, 2019; dropout), always the same draws.

    ``vectors`` (n, d), ``targets`` (n,) numbers of kinds, ``times`` (n,): for how many lines each counts. A kind weighs as the square root
    of its lines.
    """
    rng = np.random.default_rng(_SEED)
    centre, scale = vectors.mean(axis=0), np.float32(vectors.std())
    x = ((vectors - centre) / scale).astype(np.float32)
    lines = np.bincount(targets, weights=times, minlength=kinds)
    chance = times * (np.maximum(lines, 1) ** -0.5)[targets]
    chance /= chance.sum()
    d = x.shape[1]
    inner, outer = rng.normal(0, (2 / d) ** 0.5, (d, _HIDDEN)), rng.normal(0, 0.1 / _HIDDEN**0.5, (_HIDDEN, kinds))
    weights = [w.astype(np.float32) for w in (inner, np.zeros(_HIDDEN), outer, np.zeros(kinds))]
    first, second = [np.zeros_like(w) for w in weights], [np.zeros_like(w) for w in weights]
    steps = max(_EPOCHS * len(x) // _BATCH, 1)
    for step in range(1, steps + 1):
        batch = rng.choice(len(x), _BATCH, p=chance)
        kept = (rng.random((_BATCH, _HIDDEN)) > _DROPPED).astype(np.float32) / (1 - _DROPPED)
        rate = _RATE * min(1.0, step / _WARM_UP) * (1 - 0.95 * step / steps)
        for w, slope, m, v in zip(weights, _slopes(weights, x[batch], targets[batch], kept), first, second, strict=True):
            m += 0.1 * (slope - m)
            v += 0.001 * (slope * slope - v)
            w -= rate * (m / (1 - 0.9**step) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8) + (_DECAY * w if w.ndim > 1 else 0))
    return Net(centre.astype(np.float32), np.array([scale]), *weights)


def _slopes(weights: Sequence[Floats], x: Floats, targets: np.ndarray[Any, Any], kept: Floats) -> list[Floats]:
    """Gradient of the mean negative log-likelihood of a batch, hidden values thinned by ``kept``."""
    inner, inner_bias, outer, outer_bias = weights
    hidden = np.maximum(x @ inner + inner_bias, 0)
    thinned = hidden * kept
    found = thinned @ outer + outer_bias
    slope = np.exp(found - np.logaddexp.reduce(found, axis=1, keepdims=True))
    slope[np.arange(len(x)), targets] -= 1
    slope /= len(x)
    back = (slope @ outer.T) * kept * (hidden > 0)
    return [x.T @ back, back.sum(axis=0), thinned.T @ slope, slope.sum(axis=0)]


def store(names: Sequence[str], net: Net, made_from: str) -> None:
    """Write what ``fit`` found."""
    arrays = {field.name: getattr(net, field.name).astype(np.float16) for field in fields(net)}
    np.savez_compressed(WEIGHTS, names=np.array(names), made_from=np.array(made_from), **arrays)
    _stored.cache_clear()


@lru_cache(maxsize=1)
def _stored() -> tuple[tuple[str, ...], Net]:
    with np.load(WEIGHTS, allow_pickle=False) as found:
        names = tuple(str(name) for name in found["names"])
        return names, Net(*(found[field.name].astype(np.float32) for field in fields(Net)))
