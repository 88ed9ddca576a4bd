"""What the worker does for the assistant: mails, questions left by a dead server, requests nobody oriented, old conversations."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import OperationalError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from bocage.assistant import handover as h
from bocage.assistant.answer_types import Author
from bocage.assistant.configuration import configuration
from bocage.assistant.conversations import answer_lost_questions
from bocage.assistant.mail import send_due
from bocage.assistant.models import Conversation, Message
from bocage.assistant.retention import purge_all
from bocage.assistant.transitions import advance
from bocage.organisations.membership import GRANTS, Membership, Permission
from bocage.organisations.tenancy import across, organisation_context

log = logging.getLogger(__name__)

ORIENT_AFTER = timedelta(minutes=2)
RELEASE_AFTER = timedelta(hours=2)
SETTLE_AFTER = timedelta(days=7)
_BATCH = 200
_PURGE_EVERY_S = 24 * 3600.0
_purged_at: float | None = None


def sweep() -> None:
    """One turn. Cheap when there is nothing to do; each part is safe to do twice or in two workers at once.

    Raises ``OperationalError`` once each part was tried: the database is away or busy.
    """
    away: OperationalError | None = None
    for part in (answer_lost_questions, time_out, _purge_daily, send_due):
        try:
            part()
        except OperationalError as error:
            away = error
        except Exception:
            # One part's fault must not keep the others, nor the runs that the same thread watches, from being looked after.
            log.exception("upkeep of the assistant failed: %s", part.__name__)
    if away is not None:
        raise away


def _purge_daily() -> None:
    global _purged_at
    if _purged_at is None or time.monotonic() - _purged_at >= _PURGE_EVERY_S:
        purge_all()
        _purged_at = time.monotonic()


def time_out() -> int:
    """Move the conversations that stayed too long in one state; returns how many moved or were called again."""
    return sum(_move(stuck, event) for stuck, event in _RULES)


def _move(stuck: Callable[[datetime], QuerySet[Conversation]], event: Callable[[Conversation], h.Event]) -> int:
    now = timezone.now()
    with across():
        found = list(stuck(now).select_related("organisation")[:_BATCH])
    moved = 0
    for conversation in found:
        with organisation_context(conversation.organisation), transaction.atomic():
            # Looked at again once it is locked: somebody may have written meanwhile.
            Conversation.objects.select_for_update().filter(pk=conversation.pk).first()
            with across():
                still = stuck(now).filter(pk=conversation.pk).exists()
            if still:
                advance(conversation, event(conversation))
                moved += 1
    return moved


def _unoriented(now: datetime) -> QuerySet[Conversation]:
    """Nobody chose a service: the first gets it."""
    return _in(h.State.ASKED).filter(state_at__lt=now - ORIENT_AFTER)


def _promise_broken(now: datetime) -> QuerySet[Conversation]:
    """The promise is broken: the service is told once more."""
    return _in(h.State.QUEUED).filter(handovers__ended_at=None, handovers__due_at__lt=now, handovers__reminded_at=None)


def _holder_gone(now: datetime) -> QuerySet[Conversation]:
    """The account of whoever holds it was closed, or may no longer answer here, in a way that told nobody: back to its queue."""
    answering = [role for role, granted in GRANTS.items() if Permission.REPONDRE in granted]
    roles = Membership.across_organisations.filter(organisation=OuterRef("organisation"), user=OuterRef("held_by"), role__in=answering)
    return _in(h.State.HUMAN).filter(Q(held_by__is_active=False) | ~Exists(roles))


def _citizen_left_waiting(now: datetime) -> QuerySet[Conversation]:
    """For two hours whoever holds it has answered neither the request nor the citizen's last words: back to its queue."""
    never_answered = Q(said=None, state_at__lt=now - RELEASE_AFTER)
    return _held().filter(never_answered | Q(said__isnull=False, asked_at__lt=now - RELEASE_AFTER))


def _quiet(now: datetime) -> QuerySet[Conversation]:
    """The agent had the last word a week ago: it is settled, and the citizen can say that it is not."""
    return _held().filter(said__isnull=False, asked_at=None, last_at__lt=now - SETTLE_AFTER)


def _in(state: h.State) -> QuerySet[Conversation]:
    found: QuerySet[Conversation] = Conversation.across_organisations.filter(state=state.value)
    return found


def _held() -> QuerySet[Conversation]:
    """Requests in somebody's hands, with ``said``, the last message of whoever holds it, and ``asked_at``, of the citizen's next one."""
    here = Message.across_organisations.filter(conversation=OuterRef("pk"))
    said = here.filter(author=Author.AGENT, created_at__gte=OuterRef("state_at")).order_by("-pk").values("pk")[:1]
    asked = here.filter(author=Author.CITIZEN, pk__gt=OuterRef("said")).order_by("pk").values("created_at")[:1]
    return _in(h.State.HUMAN).annotate(said=Subquery(said)).annotate(asked_at=Subquery(asked))


def _too_long(conversation: Conversation) -> h.Event:
    return h.TimesOut(configuration().default_service.slug)


_RULES: tuple[tuple[Callable[[datetime], QuerySet[Conversation]], Callable[[Conversation], h.Event]], ...] = (
    (_unoriented, _too_long),
    (_promise_broken, _too_long),
    (_holder_gone, lambda conversation: h.Departs(conversation.held_by_id)),
    (_citizen_left_waiting, _too_long),
    (_quiet, lambda conversation: h.GoesQuiet()),
)
