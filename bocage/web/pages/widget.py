"""What the widget on a commune's own site talks to: the same conversations as JSON, for the sites that the organisation names.

No cookie is read or set: the conversation is known by its key alone, so that no other page can act in somebody's name.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from bocage.assistant import conversations
from bocage.assistant.configuration import configuration
from bocage.assistant.documents import Audience
from bocage.assistant.handover import State
from bocage.assistant.models import Conversation
from bocage.assistant.transitions import UnknownConversation
from bocage.contract.errors import BocageError
from bocage.web.access import public_page
from bocage.web.talk import Line, Quote, open_talk, perform, phone_of, talk_context

_MAX_BODY = 20_000
_PREFLIGHT_S = 600
View = Callable[..., HttpResponse]


def _for_sites(view: View) -> View:
    """Answers only pages of the sites that the organisation allows, and says so to the browser."""

    @wraps(view)
    def guarded(request: HttpRequest, **kwargs: Any) -> HttpResponse:
        origin = request.headers.get("Origin", "")
        settings = configuration()
        if origin not in settings.widget_origins or Audience.CITIZENS not in settings.audiences:
            response: HttpResponse = _refused(403, "site-non-autorise", "Ce site n’est pas autorisé à afficher l’assistant.")
        elif request.method == "OPTIONS":
            response = HttpResponse(status=204)
        else:
            response = _answer(view, request, kwargs)
        if origin in settings.widget_origins:
            response["Access-Control-Allow-Origin"] = origin
            response["Access-Control-Allow-Methods"] = "GET, POST"
            response["Access-Control-Allow-Headers"] = "Content-Type"
            response["Access-Control-Max-Age"] = str(_PREFLIGHT_S)
        response["Vary"] = "Origin"
        response["Cache-Control"] = "no-store, private"
        return response

    return guarded


def _answer(view: View, request: HttpRequest, kwargs: dict[str, Any]) -> HttpResponse:
    try:
        return view(request, **kwargs)
    except UnknownConversation as error:
        return _refused(404, error.code, error.message)
    except BocageError as error:
        return _refused(429 if error.code == "trop-de-messages" else 422, error.code, error.message)


@csrf_exempt
@require_http_methods(["GET", "POST", "OPTIONS"])
@public_page
@_for_sites
def widget(request: HttpRequest) -> HttpResponse:
    """GET: what the widget says before the first question. POST: the first question, or a request for a person."""
    owner = request.organisation  # type: ignore[attr-defined]
    if request.method == "GET":
        settings = configuration()
        written, dialled = phone_of(owner.contact)
        first = {"name": owner.name, "days": settings.retention_days, "phone": written, "tel": dialled, "start": conversations.new_key()}
        return JsonResponse(first | {"expected": talk_context(None)["expected"], "most": conversations.MAX_MESSAGE})
    sent = _body(request)
    conversation = open_talk(sent.get("start", ""), sent.get("action", "question"), sent, request.META.get("REMOTE_ADDR", ""))
    return JsonResponse(_document(request, conversation), status=201)


@csrf_exempt
@require_http_methods(["GET", "POST", "OPTIONS"])
@public_page
@_for_sites
def widget_talk(request: HttpRequest, key: str) -> HttpResponse:
    """The conversation, and what the citizen does in it."""
    conversation = conversations.find(key)
    if request.method == "POST":
        sent = _body(request)
        perform(conversation, sent.get("action", ""), sent, request.META.get("REMOTE_ADDR", ""))
        if sent.get("action") == "effacer":
            return JsonResponse({"erased": True})
    return JsonResponse(_document(request, conversations.find(key)))


def _body(request: HttpRequest) -> dict[str, str]:
    """The JSON object that was sent, its texts only. Raises ``InvalidMessage``."""
    if request.content_type != "application/json" or len(request.body) > _MAX_BODY:
        raise conversations.InvalidMessage("La demande n’a pas la forme attendue : un objet JSON de 20 ko au plus.")
    try:
        found = json.loads(request.body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise conversations.InvalidMessage("La demande n’a pas la forme attendue : un objet JSON.")
    return {str(name): value for name, value in found.items() if isinstance(value, str)}


def _document(request: HttpRequest, conversation: Conversation) -> dict[str, Any]:
    conversation.refresh_from_db()
    context = talk_context(conversation)
    return {
        "key": conversation.secret,
        "state": conversation.state,
        "alive": context["alive"],
        "pending": context["pending"] is not None,
        "expected": context["expected"],
        "promise": context["promise"],
        "person": conversation.held_by.name if conversation.held_by else "",
        "services": [{"slug": s.slug, "name": s.name} for s in context["settings"].services] if context["several"] else [],
        "contact": bool(conversation.contact),
        "calm": context["calm"],
        "reopens": bool(conversation.settled_by) and not conversation.waits,
        "messages": [_message(line, conversation.state == State.BOT) for line in context["lines"]],
    }


def _message(line: Line, machine_speaks: bool) -> dict[str, Any]:
    answer = line.answer
    choices = answer.options if answer and line.last and machine_speaks else ()
    return {
        "id": line.message.pk,
        "author": line.message.author,
        "who": line.who,
        "at": timezone.localtime(line.message.created_at).isoformat(timespec="seconds"),
        "kind": line.message.kind,
        "text": "" if answer and answer.sentences else line.message.text,
        "lang": answer.lang if answer else "",
        "notice": answer.notice if answer else "",
        "quotes": [_quote(quote) for quote in line.quotes],
        "worded": [{"text": text, "passage": number} for text, number in line.worded],
        "options": [{"label": o.label, "question": o.question or o.label} for o in choices],
        "steps": [{"kind": step.kind, "label": step.label, "href": step.href, "target": step.target} for step in line.steps],
    }


def _quote(quote: Quote) -> dict[str, Any]:
    source = quote.source
    return {
        "sentences": list(quote.sentences),
        "place": quote.place,
        "origin": quote.origin,
        "url": quote.url,
        "date": source.updated_on.isoformat() if source.updated_on else "",
        "publisher": source.publisher,
        "licence": source.licence,
        "stale": source.stale,
        "case": list(source.case),
    }


def _refused(status: int, code: str, message: str) -> JsonResponse:
    return JsonResponse({"error": {"code": code, "message": message}}, status=status)


urlpatterns = [
    path("assistant-widget/", widget, name="widget"),
    path("assistant-widget/<str:key>/", widget_talk, name="widget_talk"),
]
