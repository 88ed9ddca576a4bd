"""The language model in an answer, where the operator has configured one: it words what was found, it decides nothing.

Without a model, or when it fails, the verbatim answer stands as it is.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Generator
from dataclasses import replace
from typing import TypeVar

from django.conf import settings

from bocage.assistant.answer_types import Answer, Kind, Worded
from bocage.assistant.wording import reword
from bocage.llm.client import ChatClient, ModelUnavailable

log = logging.getLogger(__name__)
Result = TypeVar("Result")
AT_ONCE = 2
"""Answers that the model words at once, in one process: a server answers with a few threads, and a slow model must leave some of them."""
_places = threading.BoundedSemaphore(AT_ONCE)
_REST_S = 30.0
_silent_until: dict[str, float] = {}


def language_model() -> ChatClient | None:
    """The model of this server, None without ``BOCAGE_LLM_URL``."""
    if not settings.LLM_URL:
        return None
    return ChatClient(settings.LLM_URL, settings.LLM_MODEL, settings.LLM_KEY, settings.LLM_JOULES_PER_TOKEN)


def improving(question: str, found: Answer) -> Generator[Worded, None, Answer]:
    """The model's sentences that hold, one by one, then the answer with them. Only an answer with passages is worded, and only while the
    model words fewer than ``AT_ONCE`` others and has not failed for half a minute: nobody waits for a model that is busy or down.
    """
    model = language_model()
    if model is None or found.kind != Kind.ANSWER or not found.sentences:
        return found
    if time.monotonic() < _silent_until.get(model.url, 0.0) or not _places.acquire(blocking=False):
        return found
    try:
        return (yield from _worded_by(model, question, found))
    finally:
        _places.release()


def _worded_by(model: ChatClient, question: str, found: Answer) -> Generator[Worded, None, Answer]:
    kept: list[Worded] = []
    try:
        for sentence in reword(question, found.sentences, model):
            kept.append(sentence)
            yield sentence
    except ModelUnavailable as error:
        # What was kept so far holds by itself, and the passages are below it.
        log.warning("language model: %s", error.message)
        _silent_until[model.url] = time.monotonic() + _REST_S
    except Exception:
        # What a model writes is hostile: if reading it shows a fault of ours, the person has the passages all the same.
        log.exception("what the language model wrote could not be used")
    return replace(
        found,
        worded=tuple(kept),
        model=model.model,
        joules=found.joules + model.joules,
        energy_partial=not model.joules_per_token,
    )


def improved(question: str, found: Answer) -> Answer:
    """``found`` worded by the model, all at once."""
    return finished(improving(question, found))


def finished(steps: Generator[Worded, None, Result]) -> Result:
    """What ``steps`` returns, its sentences not listened to."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: Result = end.value
            return result
