"""How long conversations are kept: past the organisation's own limit they are erased. Those in which somebody waits for a person are masked
then, and erased a month later: nobody is forgotten over a week-end, and nothing is kept without end.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from bocage.assistant import mail
from bocage.assistant.answer_types import Author
from bocage.assistant.configuration import configuration
from bocage.assistant.handover import OPEN, State
from bocage.assistant.masking import mask
from bocage.assistant.models import Conversation, CuratedPair, Message
from bocage.assistant.transitions import open_handover
from bocage.journal.services import record
from bocage.organisations.models import Organisation
from bocage.organisations.tenancy import organisation_context
from bocage.organisations.throttle import forget_old

WAITING_KEPT = timedelta(days=30)
"""How much longer a request is kept that no person has answered."""
_BATCH = 200


@dataclass(frozen=True, slots=True)
class Purge:
    """What was erased and what was masked."""

    erased: int = 0
    masked: int = 0


def purge(organisation: Organisation, now: datetime | None = None) -> Purge:
    """Erase the conversations of ``organisation`` without a word for longer than it keeps them. Doing it twice changes nothing.

    Where the citizen waits for a person, nobody is forgotten: the personal data in what was said are masked, the contact is kept, the
    service is told once more, and the conversation is erased ``WAITING_KEPT`` later.
    """
    now = now or timezone.now()
    with organisation_context(organisation):
        kept = timedelta(days=configuration().retention_days)
        erased = _erase(_waiting(False).filter(last_at__lt=now - kept))
        # ``state_at`` too: what comes back to a queue after a long time is not erased as it comes.
        unanswered = _erase(_waiting(True).filter(last_at__lt=now - kept - WAITING_KEPT, state_at__lt=now - WAITING_KEPT))
        masked = 0
        for conversation in _waiting(True).filter(Q(masked_at=None) | Q(masked_at__lt=F("last_at")), last_at__lt=now - kept):
            _mask(conversation, now)
            masked += 1
        limit = now - kept
        with transaction.atomic():
            pairs, _ = CuratedPair.objects.filter(state=CuratedPair.State.REJECTED, reviewed_at__lt=limit).delete()
            if erased or unanswered or masked or pairs:
                told = {"effacees": erased + unanswered, "masquees": masked, "sans_reponse": unanswered}
                record("assistant.purge", None, **told, paires=pairs)
    return Purge(erased + unanswered, masked)


def purge_all(now: datetime | None = None) -> Purge:
    """``purge`` for every organisation, and the counts of the rate limits that are over."""
    done = [purge(organisation, now) for organisation in Organisation.objects.all()]
    forget_old()
    return Purge(sum(one.erased for one in done), sum(one.masked for one in done))


def _waiting(somebody: bool) -> QuerySet[Conversation]:
    """The conversations in which a citizen waits for a person's word, or the others. Whom an agent answered last waits for nothing."""
    spoken = Message.objects.filter(conversation=OuterRef("pk")).exclude(author=Author.SYSTEM).order_by("-pk").values("author")[:1]
    answered = Q(state=State.HUMAN.value, last_author=Author.AGENT.value)
    waiting = Q(state__in=[state.value for state in OPEN]) & ~answered
    found: QuerySet[Conversation] = Conversation.objects.annotate(last_author=Subquery(spoken)).filter(waiting if somebody else ~waiting)
    return found


def _erase(conversations: QuerySet[Conversation]) -> int:
    erased = 0
    while old := list(conversations.values_list("pk", flat=True)[:_BATCH]):
        with transaction.atomic():
            Conversation.objects.filter(pk__in=old).delete()
            erased += len(old)
    return erased


def _mask(conversation: Conversation, now: datetime) -> None:
    with transaction.atomic():
        handover = open_handover(conversation)
        if handover is not None and conversation.state == State.QUEUED:
            mail.to_service(handover, configuration().service(conversation.service), late=True)
        for message in Message.objects.filter(conversation=conversation):
            if (masked := mask(message.text)) != message.text:
                Message.objects.filter(pk=message.pk).update(text=masked)
        Conversation.objects.filter(pk=conversation.pk).update(masked_at=now)
