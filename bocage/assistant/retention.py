"""How long conversations are kept: past the organisation's own limit they are erased, or masked while somebody still waits in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from bocage.assistant.configuration import configuration
from bocage.assistant.handover import OPEN
from bocage.assistant.masking import mask
from bocage.assistant.models import Conversation, CuratedPair, Message
from bocage.journal.services import record
from bocage.organisations.models import Organisation
from bocage.organisations.tenancy import organisation_context
from bocage.organisations.throttle import forget_old

_BATCH = 200


@dataclass(frozen=True, slots=True)
class Purge:
    """What was erased and what was masked."""

    erased: int = 0
    masked: int = 0


def purge(organisation: Organisation, now: datetime | None = None) -> Purge:
    """Erase the conversations of ``organisation`` without a word for longer than it keeps them. Doing it twice changes nothing.

    A request that still waits is kept, so that nobody is forgotten; the personal data in what was said are masked, the contact is kept.
    """
    now = now or timezone.now()
    with organisation_context(organisation):
        limit = now - timedelta(days=configuration().retention_days)
        waiting = [state.value for state in OPEN]
        erased = 0
        while old := list(Conversation.objects.filter(last_at__lt=limit).exclude(state__in=waiting).values_list("pk", flat=True)[:_BATCH]):
            with transaction.atomic():
                Conversation.objects.filter(pk__in=old).delete()
                erased += len(old)
        masked = 0
        for conversation in Conversation.objects.filter(last_at__lt=limit, state__in=waiting, masked_at=None):
            _mask(conversation, now)
            masked += 1
        CuratedPair.objects.filter(state=CuratedPair.State.REJECTED, reviewed_at__lt=limit).delete()
        if erased or masked:
            with transaction.atomic():
                record("assistant.purge", None, effacees=erased, masquees=masked)
    return Purge(erased, masked)


def purge_all(now: datetime | None = None) -> Purge:
    """``purge`` for every organisation, and the counts of the rate limits that are over."""
    done = [purge(organisation, now) for organisation in Organisation.objects.all()]
    forget_old()
    return Purge(sum(one.erased for one in done), sum(one.masked for one in done))


def _mask(conversation: Conversation, now: datetime) -> None:
    with transaction.atomic():
        for message in Message.objects.filter(conversation=conversation):
            if (masked := mask(message.text)) != message.text:
                Message.objects.filter(pk=message.pk).update(text=masked)
        Conversation.objects.filter(pk=conversation.pk).update(masked_at=now)
