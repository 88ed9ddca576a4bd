"""Writing to the journal, and proving that nothing in it was changed.

Each entry's hash covers its content and the hash before it, so that changing any byte breaks the chain from there on. The head, moved in the same
transaction, shows a missing last entry; anchors published in the register show a journal rewritten as a whole.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from django.db import transaction
from django.utils import timezone

from bocage.journal.models import Anchor, Entry, Head
from bocage.organisations.models import User
from bocage.organisations.tenancy import current_organisation_id

GENESIS = "0" * 64
SYSTEM = "Bocage"


def record(event: str, actor: User | None = None, /, **data: Any) -> Entry:
    """Append one fact for the organisation in context. Must be called inside the transaction that writes the fact.

    ``event`` is a stable French code (« decision.enregistree »); ``data`` is plain JSON without personal data beyond names of agents.
    Raises ``RuntimeError`` outside a transaction: the fact and its trace stand or fall together.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("journal.record must run inside the transaction of the fact it records")
    organisation_id = current_organisation_id()
    Head.objects.get_or_create(organisation_id=organisation_id)
    # The row lock serialises writers on PostgreSQL; on SQLite the immediate transaction already does.
    head = Head.objects.select_for_update().get(organisation_id=organisation_id)
    entry = Entry(
        organisation_id=organisation_id,
        sequence=head.sequence + 1,
        at=timezone.now(),
        actor=actor,
        actor_name=actor.name if actor else SYSTEM,
        event=event,
        data=json.loads(json.dumps(data, allow_nan=False)),
        previous_hash=head.hash,
    )
    entry.hash = entry_hash(entry)
    entry.save(force_insert=True)
    head.sequence, head.hash = entry.sequence, entry.hash
    head.save()
    return entry


def entry_hash(entry: Entry) -> str:
    """SHA-256 of the entry's canonical JSON (sorted keys, no spaces, UTF-8, time in UTC to the microsecond)."""
    content = {
        "organisation": entry.organisation_id,
        "sequence": entry.sequence,
        "at": entry.at.astimezone(tz=UTC).isoformat(timespec="microseconds"),
        "actor": entry.actor_id,
        "actor_name": entry.actor_name,
        "event": entry.event,
        "data": entry.data,
        "previous_hash": entry.previous_hash,
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Verification:
    """What ``verify`` found: how many entries hold, and one French sentence per break."""

    entries: int
    breaks: tuple[str, ...]

    @property
    def sound(self) -> bool:
        """Whether the whole journal holds."""
        return not self.breaks


def verify(anchors: Iterable[Mapping[str, Any]] = ()) -> Verification:
    """Check the journal of the organisation in context against itself, its head, its published anchors, and ``anchors`` held elsewhere.

    ``anchors`` are mappings with ``sequence`` and ``hash``, as the register publishes them.
    """
    breaks: list[str] = []
    hashes: dict[int, str] = {0: GENESIS}
    expected, previous = 1, GENESIS
    for entry in Entry.objects.order_by("sequence").iterator(chunk_size=1000):
        if entry.sequence != expected:
            breaks.append(f"L’entrée {expected} manque : la suivante porte le numéro {entry.sequence}.")
        if entry.previous_hash != previous:
            breaks.append(f"L’entrée {entry.sequence} ne suit pas la précédente : l’empreinte d’avant ne correspond pas.")
        if entry_hash(entry) != entry.hash:
            breaks.append(f"L’entrée {entry.sequence} a été modifiée : son empreinte ne correspond plus à son contenu.")
        hashes[entry.sequence] = entry.hash
        expected, previous = entry.sequence + 1, entry.hash
    head = Head.objects.first()
    at_head = (head.sequence, head.hash) if head else (0, GENESIS)
    if at_head != (expected - 1, previous):
        breaks.append(
            f"La tête du journal annonce {at_head[0]} entrées, le journal en compte {expected - 1} : la fin a été coupée ou ajoutée."
        )
    published = list(Anchor.objects.values("sequence", "hash"))
    for anchor in [*published, *anchors]:
        if hashes.get(int(anchor["sequence"])) != anchor["hash"]:
            breaks.append(f"L’ancre publiée à l’entrée {anchor['sequence']} ne se retrouve pas dans le journal.")
    return Verification(len(hashes) - 1, tuple(breaks))


def publish_anchor() -> Anchor | None:
    """Publish today's head in the register; the same head is published once. None while the journal is empty."""
    with transaction.atomic():
        head = Head.objects.select_for_update().first()
        if head is None or not head.sequence:
            return None
        anchor, _ = Anchor.objects.get_or_create(
            sequence=head.sequence, defaults={"hash": head.hash, "organisation_id": head.organisation_id}
        )
        return anchor
