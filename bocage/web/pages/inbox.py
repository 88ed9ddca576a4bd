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
from bocage.assistant.models import Conversation, CuratedPair, Handover, OutgoingMail
from bocage.assistant.promise import promised
from bocage.assistant.transitions import UnknownConversation, local_now, open_handover
from bocage.contract.errors import BocageError
from bocage.organisations.membership import Permission
from bocage.organisations.models import User
from bocage.web.access import page
from bocage.web.pages import pairs
from bocage.web.talk import Line, lines_of


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
    # The browser would keep the fragment that the page had: what is said at the top would be out of sight.
    return redirect(request.path + ("#dernier" if action == "ecrire" else "#contenu"))


def _take(found: Conversation, agent: User, sent: QueryDict) -> str:
    inbox.take(found, agent)
    return "La demande est à vous : la machine se tait, et personne d’autre n’écrit."


def _replace(found: Conversation, agent: User, sent: QueryDict) -> str:
    before = inbox.replace(found, agent)
    return f"La demande, que tenait {before}, est à vous : personne d’autre n’y écrit."


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
        message = inbox.readable(found).filter(pk=int(number)).select_related("conversation", "reply_to").first()
    if message is None:
        raise UnknownConversation("Cette réponse n’existe pas.")
    fields = {name: sent.get(name, "") for name in ("reason", "answer", "title", "url")}
    return curation.not_good(message, agent, **fields)


_ACTIONS: dict[str, Callable[[Conversation, User, QueryDict], str]] = {
    "prendre": _take,
    "reprendre": _replace,
    "ecrire": _write,
    "transferer": _transfer,
    "regler": _resolve,
    "pas-bon": _not_good,
}


def _show(request: HttpRequest, found: Conversation, error: str = "", status: int = 422) -> HttpResponse:
    settings, handover = configuration(), open_handover(found)
    agent: Any = request.user
    past = list(Handover.objects.filter(conversation=found).select_related("taken_by").order_by("pk"))
    silent = inbox.silent_since(found)
    context = {
        "found": found,
        "handover": handover,
        "promised": promised(handover.due_at, local_now()) if handover else "",
        "line": inbox.Line(found, handover, "", "", timezone.now()) if handover else None,
        "lines": _lines(found, agent),
        "agents": True,
        "mine": may_write(found.dialogue, agent.pk),
        "replaceable": inbox.replaceable(found) and found.held_by != agent,
        "silent": inbox.duration(timezone.now() - silent) if silent else "",
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


def _lines(found: Conversation, agent: User) -> list[Line]:
    until = inbox.read_until(found)
    return [line for line in lines_of(found, agent) if until is None or line.message.created_at <= until]


def _mail_state() -> dict[str, Any]:
    """Whether mails leave, for the agents to know on whom they can count."""
    from django.conf import settings as server

    failed = OutgoingMail.objects.exclude(error="").order_by("-pk").first()
    return {"enabled": server.MAIL_ENABLED, "failed": failed}


urlpatterns = [
    path("boite/", queue, name="inbox"),
    path("boite/<int:conversation_id>/", conversation, name="inbox_conversation"),
    *pairs.urlpatterns,
]
