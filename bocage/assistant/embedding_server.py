"""Sentence vectors by an OpenAI-compatible server, in place of those that Bocage computes itself (``methods.retrieval.embed``)."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from hashlib import blake2b

import numpy as np

from bocage.llm.client import ChatClient, ModelUnavailable
from bocage.methods.retrieval.embed import unit
from bocage.methods.retrieval.postings import Floats

PROBE = "Où faut-il aller pour refaire sa carte d’identité ?"
"""The sentence by which a server is recognised: its vector is kept with what was learnt."""
_BATCH, _LONGEST = 64, 1_200
_FIRST_S, _EACH_S, _REST_S = 5.0, 2.0, 30.0
_SAME = 0.999


class EmbeddingServer:
    """An ``Embedder`` over HTTP. ``probe``: the unit vector of ``PROBE`` when search was learnt; a server that gives another one has
    changed its model under the same name, and its vectors compare with nothing that is kept.
    """

    def __init__(self, url: str, model: str, key: str = "", prefix: str = "", probe: Floats | None = None) -> None:
        self.name = f"{model}-{blake2b(f'{model}|{prefix}'.encode(), digest_size=4).hexdigest()}"
        self._url, self._model, self._key, self._prefix = url, model, key, prefix
        self._probe = probe
        self._checked = probe is None
        self._size = None if probe is None else len(probe)
        self._silent_until = 0.0
        self._lock = threading.Lock()

    def encode(self, texts: Sequence[str]) -> Floats:
        """See ``Embedder``. A text is cut at 1,200 characters. Raises ``ModelUnavailable``; for half a minute after a failure, at once: a
        visitor does not wait again for a server that is down.
        """
        if time.monotonic() < self._silent_until:
            raise ModelUnavailable("Le serveur de vecteurs ne répondait pas il y a moins d’une demi-minute.")
        try:
            self._check()
            return np.vstack([self._some(texts[at : at + _BATCH]) for at in range(0, len(texts), _BATCH)] or [self._some([PROBE])[:0]])
        except ModelUnavailable:
            self._silent_until = time.monotonic() + _REST_S
            raise

    def _check(self) -> None:
        with self._lock:
            if self._checked:
                return
            assert self._probe is not None
            found = self._some([PROBE])[0]
            if float(found @ self._probe) < _SAME:
                raise ModelUnavailable(
                    f"Le serveur de vecteurs ne donne plus les mêmes vecteurs pour « {self._model} » : lancez bocage assistant train."
                )
            self._checked = True

    def _some(self, texts: Sequence[str]) -> Floats:
        seconds = _FIRST_S + _EACH_S * len(texts)
        client = ChatClient(self._url, self._model, self._key, seconds=seconds, settings="BOCAGE_EMBEDDINGS")
        rows = client.embed([f"{self._prefix}{text[:_LONGEST] or ' '}" for text in texts])
        vectors = np.array(rows, np.float32)
        if vectors.ndim != 2 or not vectors.shape[1] or not np.isfinite(vectors).all():
            raise ModelUnavailable("Le serveur de vecteurs a rendu des vecteurs vides ou infinis.")
        if vectors.shape[1] != (self._size or vectors.shape[1]):
            raise ModelUnavailable(
                f"Le serveur de vecteurs rend {vectors.shape[1]} nombres par texte au lieu de {self._size} : lancez bocage assistant train."
            )
        self._size = vectors.shape[1]
        return unit(vectors)
