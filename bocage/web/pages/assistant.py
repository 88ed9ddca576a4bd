"""The citizen's pages: ask, read the answer with its sources, have a person called, erase. They work without JavaScript."""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_http_methods

from bocage.assistant import conversations
from bocage.assistant.configuration import configuration
from bocage.assistant.documents import Audience
from bocage.assistant.limits import count_message
from bocage.assistant.models import Conversation
from bocage.assistant.transitions import UnknownConversation
from bocage.contract.errors import BocageError
from bocage.web.access import public_page
from bocage.web.errors import error_page
from bocage.web.talk import open_talk, perform, phone_of, stream, talk_context, version


@require_http_methods(["GET", "POST"])
@public_page
def assistant(request: HttpRequest) -> HttpResponse:
    """Before the first question. Sending it, or asking for a person, opens a conversation at an address of its own."""
    if Audience.CITIZENS not in configuration().audiences:
        return _out_of_service(request)
    if request.method != "POST":
        return _show(request, None)
    sent, address = request.POST, request.META.get("REMOTE_ADDR", "")
    try:
        conversation = open_talk(sent.get("cle", ""), sent.get("action", "question"), sent, address)
    except BocageError as error:
        return _show(request, None, error)
    return redirect(_address(request, conversation))


@require_http_methods(["GET", "POST"])
@public_page
def assistant_talk(request: HttpRequest, key: str) -> HttpResponseBase:
    """One conversation. Whoever has its address reads it: it is not listed anywhere, and says so."""
    try:
        conversation = conversations.find(key)
    except UnknownConversation as error:
        return _private(_gone(request, error.message))
    if request.method != "POST":
        if request.headers.get("X-Bocage-Vivant"):
            # The page asks whether anything is new: mostly there is not.
            tag = f'"{version(conversation)}"'
            known = get_conditional_response(request, etag=tag)
            if known is not None:
                return _private(known)
            response = _show(request, conversation)
            response["ETag"] = tag
            return response
        return _show(request, conversation)
    action = request.POST.get("action", "question")
    try:
        if action == "relancer" and "text/event-stream" in request.headers.get("Accept", ""):
            return _stream(request, conversation)
        perform(conversation, action, request.POST, request.META.get("REMOTE_ADDR", ""))
    except UnknownConversation as error:
        return _private(_gone(request, error.message))
    except BocageError as error:
        return _show(request, conversations.find(key), error)
    if action == "effacer":
        messages.success(request, "La conversation est effacée. Il n’en reste rien ici.")
        return redirect("web:assistant", organisation=request.organisation.slug)
    return redirect(_address(request, conversation))


def _stream(request: HttpRequest, conversation: Conversation) -> HttpResponseBase:
    count_message(request.META.get("REMOTE_ADDR", ""), conversation)
    response = StreamingHttpResponse(
        stream(request.organisation, conversation),  # type: ignore[attr-defined]
        content_type="text/event-stream; charset=utf-8",
        # Neither compression here nor a buffer of the proxy in front may hold the sentences back.
        headers={"Content-Encoding": "identity", "X-Accel-Buffering": "no"},
    )
    return _private(response)


def _address(request: HttpRequest, conversation: Conversation) -> str:
    slug = request.organisation.slug  # type: ignore[attr-defined]
    return reverse("web:assistant_talk", kwargs={"organisation": slug, "key": conversation.secret}) + "#dernier"


def _show(request: HttpRequest, conversation: Conversation | None, error: BocageError | None = None) -> HttpResponse:
    owner = request.organisation  # type: ignore[attr-defined]
    written, dialled = phone_of(owner.contact)
    context: dict[str, Any] = {
        **talk_context(conversation),
        "error": error.message if error else "",
        "typed": request.POST.get("texte", "") if error else "",
        "typed_contact": request.POST.get("contact", "") if error else "",
        "key": "" if conversation else request.POST.get("cle") or conversations.new_key(),
        "nonce": (error and request.POST.get("jeton")) or secrets.token_urlsafe(16),
        "phone": written,
        "dialled": dialled,
        "most": conversations.MAX_MESSAGE,
    }
    status = 200 if error is None else 429 if error.code == "trop-de-messages" else 409 if error.code.startswith("dialogue-") else 422
    return _private(render(request, "web/assistant/talk.html", context, status=status))


def _private(response: Any) -> Any:
    """Neither kept by a cache nor found by a search engine."""
    response["Cache-Control"] = "no-store, private"
    response["X-Robots-Tag"] = "noindex"
    return response


def _gone(request: HttpRequest, message: str) -> HttpResponse:
    steps = ["Vérifiez l’adresse : elle doit être entière.", "Posez de nouveau votre question depuis la page de l’assistant."]
    return error_page(request, 404, "Cette conversation n’existe pas", message, steps, "Une conversation effacée ne se retrouve pas.")


def _out_of_service(request: HttpRequest) -> HttpResponse:
    contact = request.organisation.contact  # type: ignore[attr-defined]
    steps = [f"Adressez-vous à la collectivité : {contact}" if contact else "Adressez-vous directement à la collectivité."]
    lede = "La collectivité n’a pas mis l’assistant en service pour les habitants."
    return error_page(request, 404, "L’assistant n’est pas en service ici", lede, steps, "Rien n’a été gardé.")


urlpatterns = [
    path("assistant/", assistant, name="assistant"),
    path("assistant/<str:key>/", assistant_talk, name="assistant_talk"),
]
