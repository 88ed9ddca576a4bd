"""The agents' own question pages: at the counter and for human resources. Sources side by side with a draft to copy; nothing is sent."""

from __future__ import annotations

import secrets

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from bocage.assistant import conversations, curation
from bocage.assistant.answer_types import Author
from bocage.assistant.configuration import configuration
from bocage.assistant.documents import Audience
from bocage.assistant.limits import count_erasure, count_message
from bocage.assistant.models import Conversation
from bocage.contract.errors import BocageError
from bocage.organisations.membership import Permission
from bocage.web.access import page
from bocage.web.pages.inbox import note_bad
from bocage.web.talk import draft, lines_of

AUDIENCES = (
    (Audience.COUNTER, "Accueil", "Ce qu’un habitant demande au guichet ou au téléphone"),
    (Audience.STAFF, "Ressources humaines", "Vos propres droits : congés, carrière, frais, santé"),
)


@never_cache
@require_http_methods(["GET", "POST"])
@page(Permission.VOIR)
def agent_questions(request: HttpRequest) -> HttpResponse:
    """Ask for the counter or for oneself."""
    if request.method != "POST":
        return _show(request, None)
    chosen = next((audience for audience, _, _ in AUDIENCES if audience.value == request.POST.get("audience")), None)
    try:
        if chosen is None:
            raise conversations.InvalidMessage("Choisissez pour qui vous demandez : l’accueil ou les ressources humaines.")
        count_message(request.META.get("REMOTE_ADDR", ""))
        conversations.clean_message(request.POST.get("texte", ""))
        talk = conversations.begin(chosen, request.POST.get("cle", ""), request.user)  # type: ignore[arg-type]
        conversations.ask(talk, request.POST.get("texte", ""), nonce=request.POST.get("jeton", ""))
    except BocageError as error:
        return _show(request, None, error.message)
    return redirect("web:agent_talk", organisation=request.organisation.slug, conversation_id=talk.pk)  # type: ignore[attr-defined]


@never_cache
@require_http_methods(["GET", "POST"])
@page(Permission.VOIR)
def agent_talk(request: HttpRequest, conversation_id: int) -> HttpResponse:
    """The answer to one's own question; nobody else's opens here."""
    talk = Conversation.objects.filter(pk=conversation_id, asked_by=request.user).first()
    if talk is None:
        raise Http404
    if request.method != "POST":
        return _show(request, talk)
    action, address = request.POST.get("action", "question"), request.META.get("REMOTE_ADDR", "")
    try:
        if action == "effacer":
            count_erasure(address)
            conversations.erase(talk)
            messages.success(request, "La question est effacée.")
            return redirect("web:agent_questions", organisation=request.organisation.slug)  # type: ignore[attr-defined]
        count_message(address, talk)
        if action == "pas-bon":
            note_bad(talk, request.user, request.POST)  # type: ignore[arg-type]
            messages.success(request, "C’est noté. La bonne réponse attend une relecture.")
        elif action == "relancer":
            pending = conversations.unanswered(talk)
            if pending is not None:
                conversations.answer(pending)
        else:
            conversations.ask(talk, request.POST.get("texte", ""), nonce=request.POST.get("jeton", ""))
    except BocageError as error:
        return _show(request, talk, error.message)
    return redirect("web:agent_talk", organisation=request.organisation.slug, conversation_id=talk.pk)  # type: ignore[attr-defined]


def _show(request: HttpRequest, talk: Conversation | None, error: str = "") -> HttpResponse:
    settings = configuration()
    lines = lines_of(talk, request.user) if talk else []
    answered = next((line for line in reversed(lines) if line.message.author == Author.MACHINE), None)
    question = next((line for line in reversed(lines) if line.message.author == Author.CITIZEN), None)
    recent = Conversation.objects.filter(asked_by=request.user).prefetch_related("messages").order_by("-pk")[:8]
    context = {
        "talk": talk,
        "audiences": [
            {"value": audience.value, "label": label, "hint": hint} for audience, label, hint in AUDIENCES if audience in settings.audiences
        ],
        "audience": request.POST.get("audience", "") or (talk.audience if talk else ""),
        "line": answered,
        "a": answered.answer if answered else None,
        "question": question,
        "pending": conversations.unanswered(talk) if talk else None,
        "draft": draft(answered.answer) if answered and answered.answer else "",
        "state": "bot",
        "agents": True,
        "recent": [] if talk else [{"talk": held, "first": next(iter(held.messages.all()), None)} for held in recent],
        "reasons": curation.REASONS,
        "settings": settings,
        "error": error,
        "typed": request.POST.get("texte", "") if error else "",
        "key": "" if talk else request.POST.get("cle") or conversations.new_key(),
        "nonce": (error and request.POST.get("jeton")) or secrets.token_urlsafe(16),
        "most": conversations.MAX_MESSAGE,
    }
    return render(request, "web/assistant/agent_questions.html", context, status=422 if error else 200)


urlpatterns = [
    path("assistant-agents/", agent_questions, name="agent_questions"),
    path("assistant-agents/<int:conversation_id>/", agent_talk, name="agent_talk"),
]
