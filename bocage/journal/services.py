"""Writing to the journal, and publishing where it stands. ``verification`` proves that nothing in it was changed.

Each entry's hash covers its content and the hash before it, so that changing any byte breaks the chain from there on. The head, moved
in the same transaction, shows a missing last entry; anchors published in the register show a journal rewritten as a whole.
"""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, OuterRef, Q, Subquery
from django.utils import timezone

from bocage.journal.canonical import canonical, digest, storable
from bocage.journal.models import Anchor, Entry, Head
from bocage.journal.verification import GENESIS, Verification, verify
from bocage.organisations.models import Organisation, User
from bocage.organisations.tenancy import across, current_organisation_id, organisation_context

__all__ = ["GENESIS", "SYSTEM", "Verification", "entry_hash", "publish_anchor", "publish_due_anchors", "record", "verify"]

SYSTEM = "Bocage"
ANCHOR_EVERY = timedelta(hours=1)


def record(event: str, actor: User | None = None, /, **data: Any) -> Entry:
    """Append one fact for the organisation in context. Must be called inside the transaction that writes the fact.

    ``event`` is a stable French code (« decision.enregistree »); ``data`` is plain JSON without personal data beyond names of agents.
    Raises ``RuntimeError`` outside a transaction: the fact and its trace stand or fall together.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("journal.record must run inside the transaction of the fact it records")
    content = canonical(data)
    organisation_id = current_organisation_id()
    # The row lock serialises writers on PostgreSQL; on SQLite the immediate transaction already does.
    locked = Head.objects.select_for_update().filter(organisation_id=organisation_id)
    head = locked.first()
    if head is None:
        Head.objects.get_or_create(organisation_id=organisation_id)
        head = locked.get()
    entry = Entry(
        organisation_id=organisation_id,
        sequence=head.sequence + 1,
        time=timezone.now().astimezone(UTC).isoformat(timespec="microseconds"),
        actor=actor,
        actor_name=storable(actor.name) if actor else SYSTEM,
        event=event,
        content=content,
        previous_hash=head.hash,
    )
    entry.hash = entry_hash(entry)
    entry.save(force_insert=True)
    head.sequence, head.hash = entry.sequence, entry.hash
    head.save()
    return entry


def entry_hash(entry: Entry) -> str:
    """SHA-256 over the canonical JSON of every column of ``entry`` but its hash. ``docs/journal.md`` gives the recipe."""
    return digest(
        canonical(
            {
                "organisation": entry.organisation_id,
                "sequence": entry.sequence,
                "time": entry.time,
                "actor": entry.actor_id,
                "actor_name": entry.actor_name,
                "event": entry.event,
                "content": entry.content,
                "previous_hash": entry.previous_hash,
            }
        )
    )


def publish_anchor() -> Anchor | None:
    """Publish the head in the register; the same head is published once. None while the journal is empty."""
    with transaction.atomic():
        head = Head.objects.select_for_update().first()
        if head is None or not head.sequence:
            return None
        anchor, _ = Anchor.objects.get_or_create(
            sequence=head.sequence, defaults={"hash": head.hash, "organisation_id": head.organisation_id}
        )
        return anchor


def publish_due_anchors() -> int:
    """Publish the head of every journal that moved since its last anchor, an hour or more ago; returns how many were published."""
    last = Anchor.across_organisations.filter(organisation_id=OuterRef("organisation_id")).order_by("-sequence")
    heads = Head.across_organisations.filter(sequence__gt=0).annotate(
        anchored=Subquery(last.values("sequence")[:1]), anchored_at=Subquery(last.values("published_at")[:1])
    )
    moved = Q(anchored__isnull=True) | Q(anchored__lt=F("sequence"), anchored_at__lte=timezone.now() - ANCHOR_EVERY)
    with across():
        due = list(heads.filter(moved).values_list("organisation_id", flat=True))
    for organisation in Organisation.objects.filter(pk__in=due):
        with organisation_context(organisation):
            publish_anchor()
    return len(due)
