"""The language model in an answer, where the operator has configured one: it words what was found, it decides nothing.

Without a model, or when it fails, the verbatim answer stands as it is.
"""

from __future__ import annotations

import logging
from collections.abc import Generator
from dataclasses import replace
from typing import TypeVar

from django.conf import settings

from bocage.assistant.answer_types import Answer, Kind, Worded
from bocage.assistant.wording import reword
from bocage.llm.client import ChatClient, ModelUnavailable

log = logging.getLogger(__name__)
Result = TypeVar("Result")


def language_model() -> ChatClient | None:
    """The model of this server, None without ``BOCAGE_LLM_URL``."""
    if not settings.LLM_URL:
        return None
    return ChatClient(settings.LLM_URL, settings.LLM_MODEL, settings.LLM_KEY, settings.LLM_JOULES_PER_TOKEN)


def improving(question: str, found: Answer) -> Generator[Worded, None, Answer]:
    """The model's sentences that hold, one by one, then the answer with them. Only an answer with passages is worded."""
    model = language_model()
    if model is None or found.kind != Kind.ANSWER or not found.sentences:
        return found
    kept: list[Worded] = []
    try:
        for sentence in reword(question, found.sentences, model):
            kept.append(sentence)
            yield sentence
    except ModelUnavailable as error:
        # What was kept so far holds by itself, and the passages are below it.
        log.warning("language model: %s", error.message)
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
