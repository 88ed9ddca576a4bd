"""The assistant for other software of the organisation: the same answers, with the same citations. What is asked is counted, never kept."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema
from pydantic import Field

from bocage.api.auth import READ, REFUSALS
from bocage.assistant.answer_types import Author, Turn
from bocage.assistant.answers import MAX_QUESTION, answer
from bocage.assistant.configuration import configuration
from bocage.assistant.conversations import NotInService
from bocage.assistant.documents import Audience
from bocage.assistant.figures import count_answer
from bocage.assistant.improving import improved
from bocage.assistant.library import sources_of

router = Router(tags=["assistant"])


class TurnIn(Schema):
    """An earlier line of the conversation."""

    author: Author
    text: str = Field(max_length=MAX_QUESTION)


class QuestionIn(Schema):
    """A question, for whom, and what was said before (oldest first)."""

    question: str = Field(min_length=1, max_length=MAX_QUESTION)
    audience: Audience = Audience.CITIZENS
    history: list[TurnIn] = Field(default_factory=list, max_length=20)


class CitedOut(Schema):
    """One passage, word for word, and where it stands."""

    text: str
    title: str
    path: list[str]
    case: list[str]
    url: str
    updated_on: str | None
    origin: str
    licence: str
    publisher: str
    document: str
    stale: bool


class StepOut(Schema):
    """What the person can do next."""

    kind: str
    label: str
    target: str


class OptionOut(Schema):
    """A branch to choose when the assistant asks back; ``question`` is what to ask then."""

    label: str
    question: str


class WordedOut(Schema):
    """One sentence of the language model, and the place in ``sentences`` of the passage that entails it."""

    text: str
    source: int


class AnswerOut(Schema):
    """An answer, its sentences and their sources. ``kind``: reponse, precision, refus, urgence or humain."""

    kind: str
    sentences: list[CitedOut]
    options: list[OptionOut]
    steps: list[StepOut]
    notice: str
    reason: str
    joules: float
    confidence: float
    near: list[CitedOut]
    worded: list[WordedOut]
    model: str
    energy_partial: bool
    lang: str


@router.post(
    "/assistant/answers", auth=READ, response={200: AnswerOut, **REFUSALS}, summary="Poser une question : passages cités mot pour mot"
)
def create_answer(request: HttpRequest, body: QuestionIn) -> dict[str, Any]:
    """One answer. The conversation is the caller's to keep: only numbers are written here. Raises ``NotInService``."""
    _check_in_service(body.audience)
    organisation = request.api_token.organisation  # type: ignore[attr-defined]
    now = timezone.localtime(timezone.now(), ZoneInfo(organisation.time_zone))
    history = [Turn(turn.author, turn.text) for turn in body.history]
    given = improved(body.question, answer(body.question, history, body.audience, organisation, now))
    count_answer(body.audience, given)
    return given.to_json()


@router.get("/assistant/sources", auth=READ, response={200: list[dict[str, Any]], **REFUSALS}, summary="D’où viennent les réponses")
def list_sources(request: HttpRequest) -> Any:
    """The organisation's own sources, then the national ones."""
    return sources_of(request.api_token.organisation)  # type: ignore[attr-defined]


def _check_in_service(audience: Audience) -> None:
    served = sorted(configuration().audiences)
    if audience not in served:
        raise NotInService(
            f"L’assistant n’est pas en service ici pour le public « {audience} ». Publics en service : {', '.join(served) or 'aucun'}. "
            "Un administrateur les choisit dans les réglages de l’assistant."
        )
