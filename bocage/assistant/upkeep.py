"""What the worker does for the assistant: mails, questions left by a dead server, requests nobody oriented, old conversations."""

from __future__ import annotations

import logging
import time
from datetime import timedelta

from django.db import OperationalError, transaction
from django.db.models import Q
from django.utils import timezone

from bocage.assistant import handover as h
from bocage.assistant.answer_types import Author
from bocage.assistant.configuration import configuration
from bocage.assistant.conversations import answer_lost_questions
from bocage.assistant.mail import send_due
from bocage.assistant.models import Conversation, Message
from bocage.assistant.retention import purge_all
from bocage.assistant.transitions import advance
from bocage.organisations.tenancy import across, organisation_context

log = logging.getLogger(__name__)

ORIENT_AFTER = timedelta(minutes=2)
RELEASE_AFTER = timedelta(hours=2)
CLOSE_AFTER = timedelta(hours=24)
_PURGE_EVERY_S = 24 * 3600.0
_purged_at: float | None = None


def sweep() -> None:
    """One turn. Cheap when there is nothing to do; each part is safe to do twice or in two workers at once."""
    for part in (answer_lost_questions, time_out, _purge_daily, send_due):
        try:
            part()
        except OperationalError:
            raise
        except Exception:
            # One part's fault must not keep the others, nor the runs that the same thread watches, from being looked after.
            log.exception("upkeep of the assistant failed: %s", part.__name__)


def _purge_daily() -> None:
    global _purged_at
    if _purged_at is None or time.monotonic() - _purged_at >= _PURGE_EVERY_S:
        purge_all()
        _purged_at = time.monotonic()


def time_out() -> int:
    """Move the conversations that stayed too long in one state; returns how many moved or were called again.

    Nobody chose a service: the first gets it. The promise is broken: the service is told once more. An agent took a request and left the
    last word to the citizen for two hours: it goes back to its queue. Settled for a day: the machine answers again.
    """
    now = timezone.now()
    stuck = (
        Q(state=h.State.ASKED.value, state_at__lt=now - ORIENT_AFTER)
        | Q(state=h.State.QUEUED.value, handovers__ended_at=None, handovers__due_at__lt=now, handovers__reminded_at=None)
        | Q(state=h.State.HUMAN.value, last_at__lt=now - RELEASE_AFTER)
        | Q(state=h.State.RESOLVED.value, state_at__lt=now - CLOSE_AFTER)
    )
    with across():
        found = list(Conversation.across_organisations.filter(stuck).select_related("organisation").distinct()[:200])
    moved = 0
    for conversation in found:
        with organisation_context(conversation.organisation), transaction.atomic():
            if conversation.state == h.State.HUMAN and not _left_waiting(conversation):
                continue
            try:
                advance(conversation, h.TimesOut(configuration().default_service.slug))
                moved += 1
            except h.NotNow:
                continue
    return moved


def _left_waiting(conversation: Conversation) -> bool:
    """Whether the citizen, or the request itself, has had the last word."""
    last = Message.objects.filter(conversation=conversation).exclude(author=Author.SYSTEM).order_by("-pk").first()
    return last is None or last.author != Author.AGENT
