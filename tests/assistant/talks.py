"""Conversations made in one line, as citizens and agents make them, for the tests."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from bocage.assistant import conversations, inbox
from bocage.assistant.documents import Audience
from bocage.assistant.models import Conversation, Message
from bocage.organisations.models import User


def begun(text: str = "déchetterie ouverte samedi ?") -> Conversation:
    conversation = conversations.begin(Audience.CITIZENS)
    conversations.ask(conversation, text)
    return conversation


def said(conversation: Conversation, *authors: str) -> list[str]:
    found = Message.objects.filter(conversation=conversation)
    return list((found.filter(author__in=authors) if authors else found).values_list("text", flat=True))


def queued(text: str = "je veux parler à quelqu'un") -> Conversation:
    conversation = begun(text)
    if conversation.state == "demande":
        conversations.choose_service(conversation, "accueil")
    return conversation


def older(conversation: Conversation, **ago: float) -> None:
    past = timezone.now() - timedelta(**ago)
    Conversation.objects.filter(pk=conversation.pk).update(last_at=past, state_at=past, started_at=past)
    Message.objects.filter(conversation=conversation).update(created_at=past)


def held_by(agent: User, *words: str) -> Conversation:
    """A request that ``agent`` took, and what the agent wrote in it."""
    conversation = queued()
    inbox.take(conversation, agent)
    for text in words:
        inbox.write(conversation, agent, text)
    return conversation


def settled_by(agent: User, service: str = "accueil") -> Conversation:
    conversation = queued()
    if service != "accueil":
        inbox.orient(conversation, agent, service)
    inbox.take(conversation, agent)
    inbox.write(conversation, agent, "C’est fait.")
    inbox.resolve(conversation, agent)
    return conversation


def stands(conversation: Conversation) -> tuple[str, User | None]:
    conversation.refresh_from_db()
    return conversation.state, conversation.held_by
