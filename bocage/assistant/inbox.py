"""What an agent does with requests: see the queues, take one, write, pass it on, settle it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from bocage.assistant import handover as h
from bocage.assistant.answer_types import Author
from bocage.assistant.configuration import configuration
from bocage.assistant.conversations import InvalidMessage, clean_message
from bocage.assistant.models import Conversation, Handover, Message
from bocage.assistant.transitions import UnknownConversation, advance
from bocage.contract import french
from bocage.organisations.models import User

_RECENT = timedelta(days=7)
_MOST = 200


@dataclass(frozen=True, slots=True)
class Line:
    """One request in the inbox."""

    conversation: Conversation
    handover: Handover
    excerpt: str
    service: str
    now: datetime

    @property
    def waited(self) -> str:
        """« 25 min », « 3 h 05 », « 2 jours » since the citizen asked."""
        return duration(self.now - self.handover.requested_at)

    @property
    def late(self) -> bool:
        """Whether the promise was broken."""
        return bool(self.handover.due_at and self.handover.answered_at is None and self.now > self.handover.due_at)

    @property
    def overdue(self) -> str:
        """By how much."""
        return duration(self.now - self.handover.due_at) if self.handover.due_at else ""


def duration(span: timedelta) -> str:
    """A wait as one says it."""
    minutes = max(0, int(span.total_seconds() // 60))
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60:02d}" if minutes % 60 else f"{minutes // 60} h"
    return french.count(minutes // 1440, "jour")


def lines(states: tuple[h.State, ...] = (h.State.ASKED, h.State.QUEUED, h.State.HUMAN)) -> list[Line]:
    """The open requests, who waits longest first."""
    settings, now = configuration(), timezone.now()
    found = (
        Handover.objects.filter(ended_at=None, conversation__state__in=[state.value for state in states])
        .select_related("conversation", "conversation__held_by")
        .order_by("requested_at")[:_MOST]
    )
    handovers = list(found)
    excerpts = _excerpts([handover.conversation_id for handover in handovers])
    return [
        Line(x.conversation, x, excerpts.get(x.conversation_id, ""), settings.service(x.service).name if x.service else "", now)
        for x in handovers
    ]


def waiting_count() -> int:
    """How many requests nobody has taken yet."""
    return Conversation.objects.filter(state__in=[h.State.ASKED.value, h.State.QUEUED.value]).count()


def recently_resolved() -> list[Handover]:
    """The requests settled in the last seven days, the latest first."""
    since = timezone.now() - _RECENT
    found = Handover.objects.filter(end=Handover.End.RESOLVED, ended_at__gt=since).select_related("conversation", "taken_by")
    return list(found.order_by("-ended_at")[:50])


def get(conversation_id: int) -> Conversation:
    """The citizen's conversation of that number, if a person was ever asked for in it. Raises ``UnknownConversation``."""
    found: Conversation | None = (
        Conversation.objects.filter(pk=conversation_id, asked_by=None, handovers__isnull=False).select_related("held_by").distinct().first()
    )
    if found is None:
        raise UnknownConversation("Cette demande n’existe pas ici, ou elle a été effacée.")
    return found


def take(conversation: Conversation, agent: User) -> None:
    """Take the request: one agent, and the machine is silent from now on. Raises ``HeldByAnother`` naming who was first."""
    try:
        with transaction.atomic():
            current = Conversation.objects.select_for_update().filter(pk=conversation.pk).first()
            if current is not None and current.state == h.State.ASKED:
                advance(conversation, h.Assigned(configuration().default_service.slug), agent)
            advance(conversation, h.TakesOver(agent.pk), agent)
    except h.HeldByAnother:
        held = Conversation.objects.select_related("held_by").get(pk=conversation.pk)
        name = held.held_by.name if held.held_by else "Une autre personne"
        when = french.hour(timezone.localtime(held.state_at))
        raise h.HeldByAnother(f"{name} a pris cette demande à {when}. Vous pouvez la lire, pas y écrire.") from None


def write(conversation: Conversation, agent: User, text: str) -> Message:
    """Write to the citizen. Raises ``HeldByAnother``, ``NotNow`` or ``InvalidMessage``; nothing is then sent."""
    clean = clean_message(text)
    with transaction.atomic():
        advance(conversation, h.AgentWrites(agent.pk), agent)
        message = Message(conversation=conversation, author=Author.AGENT, person=agent, text=clean, turn=conversation.turn)
        message.save()
    return message


def orient(conversation: Conversation, agent: User, service: str) -> None:
    """Give a request that nobody holds to a service. Raises ``InvalidMessage`` or ``NotNow``."""
    _check_service(service)
    with transaction.atomic():
        advance(conversation, h.Assigned(service), agent)


def transfer(conversation: Conversation, agent: User, service: str) -> None:
    """Pass the request that one holds to a service. Raises ``InvalidMessage``, ``HeldByAnother`` or ``NotNow``."""
    _check_service(service)
    with transaction.atomic():
        advance(conversation, h.Transfers(agent.pk, service), agent)


def resolve(conversation: Conversation, agent: User) -> None:
    """Settle the request that one holds. Raises ``HeldByAnother`` or ``NotNow``."""
    with transaction.atomic():
        advance(conversation, h.Resolves(agent.pk), agent)


def _check_service(service: str) -> None:
    if not configuration().knows(service):
        raise InvalidMessage("Ce service n’existe pas ici. Choisissez-en un dans la liste.")


def _excerpts(conversations: list[int]) -> dict[int, str]:
    """The last words of each citizen, short."""
    latest: dict[int, str] = {}
    for number, text in (
        Message.objects.filter(conversation__in=conversations, author=Author.CITIZEN).order_by("pk").values_list("conversation", "text")
    ):
        latest[number] = " ".join(text.split())
    return {number: text if len(text) <= 120 else f"{text[:117].rstrip()}…" for number, text in latest.items()}
