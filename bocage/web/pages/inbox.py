"""The agents' inbox: who waits, since when, the conversation with the sources that were found, and one writer at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from bocage.assistant import curation, inbox
from bocage.assistant.configuration import configuration
from bocage.assistant.handover import State, may_write
from bocage.assistant.models import Conversation, CuratedPair, Handover, Message, OutgoingMail
from bocage.assistant.transitions import UnknownConversation, open_handover
from bocage.contract.errors import BocageError
from bocage.organisations.membership import Permission
from bocage.organisations.models import User
from bocage.web.access import page
from bocage.web.talk import lines_of


@never_cache
@require_http_methods(["GET"])
@page(Permission.REPONDRE)
def queue(request: HttpRequest) -> HttpResponse:
    """Every open request, by service, who waits longest first."""
    settings = configuration()
    lines = inbox.lines()
    wanted = request.GET.get("service", "")
    shown = [line for line in lines if not wanted or line.handover.service == wanted]
    waiting = [line for line in shown if line.conversation.state != State.HUMAN]
    groups = [{"name": "À orienter", "lines": [line for line in waiting if line.conversation.state == State.ASKED]}]
    names = list(dict.fromkeys([*(s.name for s in settings.services), *(line.service for line in waiting if line.service)]))
    groups += [{"name": name, "lines": [line for line in waiting if line.service == name]} for name in names]
    context = {
        "groups": [group for group in groups if group["lines"]],
        "held": [line for line in shown if line.conversation.state == State.HUMAN],
        "resolved": inbox.recently_resolved(),
        "waiting": len(waiting),
        "late": sum(line.late for line in waiting),
        "services": settings.services,
        "wanted": wanted,
        "to_review": CuratedPair.objects.filter(state=CuratedPair.State.TO_REVIEW).count(),
        "mail": _mail_state(),
        "in_service": bool(settings.audiences),
    }
    return render(request, "web/assistant/inbox.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
@page(Permission.REPONDRE)
def conversation(request: HttpRequest, conversation_id: int) -> HttpResponse:
    """One request: read it, take it, write, pass it on, settle it, say which answer of the machine was bad."""
    try:
        found = inbox.get(conversation_id)
    except UnknownConversation:
        raise Http404 from None
    if request.method != "POST":
        return _show(request, found)
    action = request.POST.get("action", "")
    if action not in _ACTIONS:
        return _show(request, found, "Cette action n’existe pas. Actualisez la page.")
    try:
        said = _ACTIONS[action](found, request.user, request.POST)  # type: ignore[arg-type]
    except UnknownConversation:
        raise Http404 from None
    except BocageError as error:
        return _show(request, inbox.get(conversation_id), error.message, 409 if error.code.startswith("dialogue-") else 422)
    if said:
        messages.success(request, said)
    return redirect(request.path + ("#dernier" if action == "ecrire" else ""))


@never_cache
@require_http_methods(["GET"])
@page(Permission.REPONDRE)
def pairs(request: HttpRequest) -> HttpResponse:
    """Questions and answers that wait for a review, and those in service."""
    found = CuratedPair.objects.select_related("proposed_by", "reviewed_by")
    context = {
        "to_review": found.filter(state=CuratedPair.State.TO_REVIEW).order_by("pk")[:100],
        "validated": found.filter(state=CuratedPair.State.VALIDATED)[:100],
    }
    return render(request, "web/assistant/pairs.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
@page(Permission.REPONDRE)
def pair(request: HttpRequest, pair_id: int) -> HttpResponse:
    """Review one pair: complete and validate it, or reject it."""
    found = CuratedPair.objects.select_related("proposed_by", "reviewed_by").filter(pk=pair_id).first()
    if found is None:
        raise Http404
    error, sent = "", request.POST
    if request.method == "POST":
        valid = sent.get("action") == "valider"
        try:
            fields = (sent.get(name, "") for name in ("question", "answer", "title", "url"))
            curation.review(found, request.user, valid, *fields)  # type: ignore[arg-type]
        except BocageError as refused:
            error = refused.message
        else:
            messages.success(request, "La réponse est validée : elle passe devant les autres." if valid else "La proposition est rejetée.")
            return redirect("web:inbox_pairs", organisation=request.organisation.slug)  # type: ignore[attr-defined]
    held = {"question": found.question, "answer": found.answer, "title": found.source_title, "url": found.source_url}
    typed = {name: sent.get(name, value) for name, value in held.items()} if error else held
    return render(request, "web/assistant/pair.html", {"pair": found, "typed": typed, "error": error}, status=422 if error else 200)


def _take(found: Conversation, agent: User, sent: QueryDict) -> str:
    inbox.take(found, agent)
    return "La demande est à vous : la machine se tait, et personne d’autre n’écrit."


def _write(found: Conversation, agent: User, sent: QueryDict) -> str:
    inbox.write(found, agent, sent.get("texte", ""))
    return ""


def _transfer(found: Conversation, agent: User, sent: QueryDict) -> str:
    service = sent.get("service", "")
    if found.state == State.HUMAN:
        inbox.transfer(found, agent, service)
    else:
        inbox.orient(found, agent, service)
    return f"La demande est passée au service {configuration().service(service).name}."


def _resolve(found: Conversation, agent: User, sent: QueryDict) -> str:
    inbox.resolve(found, agent)
    return "La demande est réglée. La personne peut la rouvrir."


def _not_good(found: Conversation, agent: User, sent: QueryDict) -> str:
    note_bad(found, agent, sent)
    return "C’est noté. La bonne réponse attend une relecture."


def note_bad(found: Conversation, agent: User, sent: QueryDict) -> CuratedPair:
    """« Pas bon » on one answer of the conversation, from a form. Raises ``BocageError``."""
    number = sent.get("message", "")
    message = None
    if number.isdecimal() and len(number) < 16:
        message = Message.objects.filter(conversation=found, pk=int(number)).select_related("conversation", "reply_to").first()
    if message is None:
        raise UnknownConversation("Cette réponse n’existe pas.")
    fields = {name: sent.get(name, "") for name in ("reason", "answer", "title", "url")}
    return curation.not_good(message, agent, **fields)


_ACTIONS: dict[str, Callable[[Conversation, User, QueryDict], str]] = {
    "prendre": _take,
    "ecrire": _write,
    "transferer": _transfer,
    "regler": _resolve,
    "pas-bon": _not_good,
}


def _show(request: HttpRequest, found: Conversation, error: str = "", status: int = 422) -> HttpResponse:
    settings, handover = configuration(), open_handover(found)
    agent: Any = request.user
    past = list(Handover.objects.filter(conversation=found).select_related("taken_by").order_by("pk"))
    context = {
        "found": found,
        "handover": handover,
        "line": inbox.Line(found, handover, "", "", timezone.now()) if handover else None,
        "lines": lines_of(found, agent),
        "agents": True,
        "mine": may_write(found.dialogue, agent.pk),
        "takeable": found.state in (State.ASKED, State.QUEUED),
        "service": settings.service(found.service) if found.service else None,
        "others": [service for service in settings.services if service.slug != found.service],
        "past": [{"handover": x, "service": settings.service(x.service).name if x.service else "à orienter"} for x in past],
        "reasons": curation.REASONS,
        "error": error,
        "typed": request.POST.get("texte", "") if error else "",
        "failed_mail": OutgoingMail.objects.filter(handover__conversation=found).exclude(error="").first(),
    }
    return render(request, "web/assistant/inbox_conversation.html", context, status=status if error else 200)


def _mail_state() -> dict[str, Any]:
    """Whether mails leave, for the agents to know on whom they can count."""
    from django.conf import settings as server

    failed = OutgoingMail.objects.exclude(error="").order_by("-pk").first()
    return {"enabled": server.MAIL_ENABLED, "failed": failed}


urlpatterns = [
    path("boite/", queue, name="inbox"),
    path("boite/<int:conversation_id>/", conversation, name="inbox_conversation"),
    path("boite/reponses/", pairs, name="inbox_pairs"),
    path("boite/reponses/<int:pair_id>/", pair, name="inbox_pair"),
]
