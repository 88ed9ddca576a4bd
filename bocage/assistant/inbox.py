"""What an agent does with requests: see the queues, take one, write, pass it on, settle it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from bocage.assistant import handover as h
from bocage.assistant.answer_types import Author
from bocage.assistant.configuration import configuration
from bocage.assistant.conversations import InvalidMessage, clean_message
from bocage.assistant.models import Conversation, Handover, Message
from bocage.assistant.transitions import UnknownConversation, advance
from bocage.contract import french
from bocage.organisations.membership import Permission, permissions_of
from bocage.organisations.models import Organisation, User
from bocage.organisations.tenancy import current_organisation_id

REPLACE_AFTER = timedelta(hours=2)
"""How long the one who holds a request may write nothing before a colleague may take it over."""
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


def read_until(conversation: Conversation) -> datetime | None:
    """The moment up to which agents read: while a request is open all is for them (None), afterwards its end.

    What is then said to the machine is no agent's business, until the citizen asks for a person again.
    """
    if conversation.waits:
        return None
    ended: datetime | None = Handover.objects.filter(conversation=conversation).order_by("-pk").values_list("ended_at", flat=True).first()
    return ended


def readable(conversation: Conversation) -> QuerySet[Message]:
    """The messages of ``conversation`` that agents may read."""
    found: QuerySet[Message] = Message.objects.filter(conversation=conversation)
    until = read_until(conversation)
    return found.filter(created_at__lte=until) if until else found


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
        raise h.HeldByAnother(f"{_taken_by(held)}. Vous pouvez la lire, pas y écrire.") from None


def silent_since(conversation: Conversation) -> datetime | None:
    """The last word, in this request, of the agent who holds it, or else the take-over; None when nobody holds it."""
    if conversation.state != h.State.HUMAN:
        return None
    words = Message.objects.filter(conversation=conversation, author=Author.AGENT, created_at__gte=conversation.state_at)
    return words.order_by("-pk").values_list("created_at", flat=True).first() or conversation.state_at


def replaceable(conversation: Conversation) -> bool:
    """Whether the one who holds the request has been silent for so long that a colleague may take it over."""
    since = silent_since(conversation)
    return since is not None and timezone.now() - since >= REPLACE_AFTER


def replace(conversation: Conversation, agent: User) -> str:
    """Take over what a colleague holds without a word; returns the colleague's name. Raises ``NotNow`` or ``HeldByAnother``.

    The row is locked before the silence is looked at: of two who replace at once, and of a colleague who writes meanwhile, one is first.
    """
    with transaction.atomic():
        held = Conversation.objects.select_for_update(of=("self",)).select_related("held_by").filter(pk=conversation.pk).first()
        if held is None:
            raise UnknownConversation("Cette demande n’existe pas ici, ou elle a été effacée.")
        if held.held_by is None:
            raise h.NotNow("Personne ne tient plus cette demande. Prenez-la si elle attend encore.")
        if held.held_by != agent and not replaceable(held):
            hours = french.count(REPLACE_AFTER // timedelta(hours=1), "heure")
            raise h.HeldByAnother(f"{_taken_by(held)} et s’en occupe : elle se reprend après {hours} sans un mot de sa part.")
        advance(conversation, h.Replaces(agent.pk, held.held_by.pk), agent)
    name: str = held.held_by.name
    return name


def give_back(agent: User) -> None:
    """Give every request that ``agent`` holds here back to its queue, unless they may still answer."""
    owner = Organisation.objects.select_related("administered_by").get(pk=current_organisation_id())
    if Permission.REPONDRE in permissions_of(agent, owner):
        return
    for conversation in Conversation.objects.filter(held_by=agent, state=h.State.HUMAN.value):
        with transaction.atomic():
            advance(conversation, h.Departs(agent.pk))


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


def _taken_by(held: Conversation) -> str:
    """« Nadia Le Goff a pris cette demande à 9 h 04 », with the day when it is not today."""
    at = timezone.localtime(held.state_at)
    day = "" if at.date() == timezone.localdate() else f"{french.day(at, year=at.year != timezone.localdate().year)} "
    return f"{held.held_by.name if held.held_by else 'Une autre personne'} a pris cette demande {day}à {french.hour(at)}"


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
