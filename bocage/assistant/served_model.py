"""The model that this server searches with: that of the package, or what was learnt here for the server of vectors of the settings."""

from __future__ import annotations

import logging
import re
import secrets
import shutil
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
from django.conf import settings

from bocage.assistant.embedding_server import PROBE, EmbeddingServer
from bocage.assistant.index import Index
from bocage.assistant.learning import learn
from bocage.assistant.model import Model, default_model, load
from bocage.assistant.rehearsal import PER_FOLD
from bocage.contract.errors import BocageError

log = logging.getLogger(__name__)
_PROBE = "probe.npy"


class NoEmbeddingServer(BocageError):
    """``bocage assistant train`` without a server of vectors."""

    code = "sans-serveur-de-vecteurs"
    exit_code = 2


def served_model() -> Model:
    """What was learnt for the server of vectors of the settings; the model of the package without one, or before it was learnt for."""
    if not settings.EMBEDDINGS_URL:
        return default_model()
    folder = _folder()
    where = (settings.EMBEDDINGS_URL, settings.EMBEDDINGS_MODEL, settings.EMBEDDINGS_KEY)
    return _learnt(where, folder, _mark(folder)) or default_model()


def learning_is_missing() -> bool:
    """Whether the settings name a server of vectors for which nothing was learnt yet."""
    return bool(settings.EMBEDDINGS_URL) and served_model() is default_model()


def train(national: Callable[[], Index], say: Callable[[str], None], per_fold: int = PER_FOLD) -> Path:
    """Learn to search with the vectors of the settings' server, from the sheets of ``national()``; returns the folder written, in one step.

    Raises ``NoEmbeddingServer``, ``IndexUnreadable``, ``ModelUnavailable``, ``TooLittleToLearn``; what was learnt before then stays.
    """
    if not settings.EMBEDDINGS_URL or not settings.EMBEDDINGS_MODEL:
        raise NoEmbeddingServer(
            "Aucun serveur de vecteurs n’est réglé : donnez BOCAGE_EMBEDDINGS_URL et BOCAGE_EMBEDDINGS_MODEL. Sans eux, Bocage cherche "
            "avec ses propres vecteurs et n’a rien à apprendre."
        )
    documents = list(national().documents())
    server, folder = _server(), _folder()
    probe = server.encode([PROBE])
    learnt = learn(documents, server, say, per_fold)
    made = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    made.mkdir(parents=True)
    try:
        learnt.save(made)
        np.save(made / _PROBE, probe[0], allow_pickle=False)
        # A folder cannot replace a full one: the former steps aside first, and what is open stays open.
        former = made.with_name(f"{made.name}.old")
        if folder.exists():
            folder.rename(former)
        made.rename(folder)
        shutil.rmtree(former, ignore_errors=True)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return folder


def _server(probe: np.ndarray | None = None) -> EmbeddingServer:
    return EmbeddingServer(settings.EMBEDDINGS_URL, settings.EMBEDDINGS_MODEL, settings.EMBEDDINGS_KEY, settings.EMBEDDINGS_PREFIX, probe)


def _folder() -> Path:
    name = re.sub(r"[^A-Za-z0-9.-]+", "-", _server().name).lstrip(".")
    return Path(settings.HOME) / "assistant" / "models" / name


def _mark(folder: Path) -> int:
    """Changes when the model was learnt again; 0 when it never was."""
    try:
        return (folder / "ranker.json").stat().st_mtime_ns
    except OSError:
        return 0


@lru_cache(maxsize=2)
def _learnt(where: tuple[str, str, str], folder: Path, mark: int) -> Model | None:
    """The model of ``folder``; None when there is none, a damaged one or another version's.

    ``where`` and ``mark``: what it depends on besides.
    """
    if not mark:
        return None
    try:
        return load(folder, _server(np.load(folder / _PROBE, allow_pickle=False)))
    except (OSError, ValueError, KeyError) as error:
        log.warning("the model of %s cannot be used (%s: %s): run bocage assistant train", folder, type(error).__name__, error)
        return None
