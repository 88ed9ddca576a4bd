"""Changes of state, written: one locked row, one conditional UPDATE, and all that follows from it in the same transaction.

``advance`` is the only writer of a conversation's state. On PostgreSQL the row is locked; on SQLite the immediate transaction already
serialises writers; in both, the UPDATE holds only if the turn has not moved, so that two agents never both take over.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from bocage.assistant import mail
from bocage.assistant.answer_types import Author
from bocage.assistant.configuration import configuration
from bocage.assistant.handover import Assigned, Dialogue, Effect, Event, NotNow, apply
from bocage.assistant.models import Conversation, DayCount, Handover, Message
from bocage.assistant.promise import promise
from bocage.journal.services import record
from bocage.organisations.models import Organisation, User
from bocage.organisations.tenancy import current_organisation_id


class UnknownConversation(NotNow):
    """No conversation has this address or number, here; or it has been erased."""

    code = "conversation-inconnue"


def advance(conversation: Conversation, event: Event, by: User | None = None, reason: str = Handover.Reason.BUTTON) -> tuple[Effect, ...]:
    """Apply ``event`` to the row, carry out its effects, and refresh ``conversation``. Must be called inside a transaction.

    Raises what ``handover.apply`` raises, or ``UnknownConversation``; nothing is then written.
    """
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("advance() must run inside the transaction of what it allows")
    held = Conversation.objects.select_for_update().filter(pk=conversation.pk).first()
    if held is None:
        raise UnknownConversation("Cette conversation n’existe plus : elle a été effacée.")
    before = held.dialogue
    after, effects = apply(before, event)
    if Effect.ERASE in effects:
        return effects
    _write(held, before, after)
    conversation.refresh_from_db()
    for effect in effects:
        _CARRY_OUT.get(effect, _nothing)(conversation, by, reason)
    return effects


def say(conversation: Conversation, text: str) -> Message:
    """A line that neither machine nor person writes: what happens to the request."""
    message = Message(conversation=conversation, author=Author.SYSTEM, text=text, turn=conversation.turn)
    message.save()
    return message


def local_now() -> datetime:
    """Now, in the time zone of the organisation in context."""
    zone = Organisation.objects.values_list("time_zone", flat=True).get(pk=current_organisation_id())
    return timezone.now().astimezone(ZoneInfo(zone))


def add_to_day(audience: str, **numbers: float) -> None:
    """Add ``numbers`` to the counts of today. Only numbers: they stay when the conversations go."""
    row, _ = DayCount.objects.get_or_create(
        day=local_now().date(), audience=audience, defaults={"organisation_id": current_organisation_id()}
    )
    DayCount.objects.filter(pk=row.pk).update(**{name: F(name) + number for name, number in numbers.items()})


def open_handover(conversation: Conversation) -> Handover | None:
    """The passage that is under way."""
    found: Handover | None = Handover.objects.filter(conversation=conversation, ended_at=None).first()
    return found


def _write(held: Conversation, before: Dialogue, after: Dialogue) -> None:
    now = timezone.now()
    values: dict[str, object] = {"last_at": now}
    if after != before:
        values |= {"state": after.state.value, "turn": after.turn, "service": after.service, "held_by": after.holder, "state_at": now}
    if not Conversation.objects.filter(pk=held.pk, turn=before.turn, state=before.state.value).update(**values):
        raise NotNow("La conversation a changé pendant votre geste. Relisez-la, puis recommencez.")


def _opened(conversation: Conversation, by: User | None, reason: str) -> None:
    Handover(conversation=conversation, reason=reason, requested_at=timezone.now()).save()
    add_to_day(conversation.audience, requests=1)
    settings = configuration()
    if settings.knows(conversation.service):
        advance(conversation, Assigned(conversation.service), by)
    elif len(settings.services) == 1:
        advance(conversation, Assigned(settings.default_service.slug), by)
    else:
        say(conversation, "Votre demande est enregistrée. Vous pouvez choisir le service ; sinon, l’accueil l’oriente.")


def _to_service(conversation: Conversation, by: User | None, reason: str) -> None:
    """The request enters a queue: promise, mail, and a line for the citizen."""
    settings = configuration()
    service = settings.service(conversation.service)
    made = promise(settings.schedule(service), local_now(), settings.within)
    handover = open_handover(conversation)
    if handover is None:
        raise RuntimeError("a queued conversation has an open handover")
    handover.service, handover.due_at, handover.promise = service.slug, made.due_at, made.sentence
    handover.notified_at = handover.reminded_at = None
    handover.save()
    say(conversation, f"Votre demande est transmise : {service.name}. {made.sentence}")
    mail.to_service(handover, service)


def _taken(conversation: Conversation, by: User | None, reason: str) -> None:
    handover = open_handover(conversation)
    if handover is None or by is None:
        raise RuntimeError("a take-over needs a request and an agent")
    handover.taken_at, handover.taken_by = timezone.now(), by
    handover.save()
    say(conversation, f"{by.name} ({configuration().service(conversation.service).name}) prend votre demande. La machine se tait.")
    waited = round((handover.taken_at - handover.requested_at).total_seconds() / 60)
    record("assistant.prise_en_charge", by, conversation=conversation.pk, service=conversation.service, attente_min=waited)


def _released(conversation: Conversation, by: User | None, reason: str) -> None:
    """The agent let go: this passage ends, the next begins at the hour at which the citizen asked."""
    handover = open_handover(conversation)
    if handover is None:
        raise RuntimeError("a held conversation has an open handover")
    handover.ended_at = timezone.now()
    handover.end = Handover.End.RELEASED if by is None else Handover.End.TRANSFERRED
    handover.save()
    Handover(conversation=conversation, reason=handover.reason, requested_at=handover.requested_at).save()
    record("assistant.transfert", by, conversation=conversation.pk, de=handover.service, vers=conversation.service)


def _resolved(conversation: Conversation, by: User | None, reason: str) -> None:
    _end(conversation, Handover.End.RESOLVED)
    say(conversation, "Votre demande est réglée. Si ce n’est pas le cas, dites-le avec le bouton « Ce n’est pas réglé ».")
    record("assistant.resolution", by, conversation=conversation.pk, service=conversation.service)


def _withdrawn(conversation: Conversation, by: User | None, reason: str) -> None:
    _end(conversation, Handover.End.WITHDRAWN)
    say(conversation, "Vous avez retiré votre demande. La machine vous répond de nouveau.")


def _end(conversation: Conversation, end: str) -> None:
    Handover.objects.filter(conversation=conversation, ended_at=None).update(ended_at=timezone.now(), end=end)


def _remind(conversation: Conversation, by: User | None, reason: str) -> None:
    handover = open_handover(conversation)
    if handover is not None and handover.reminded_at is None:
        handover.reminded_at = timezone.now()
        handover.save()
        mail.to_service(handover, configuration().service(conversation.service), late=True)


def _tell_citizen(conversation: Conversation, by: User | None, reason: str) -> None:
    """The first word of a person is also sent by mail to whoever asked for it."""
    handover = open_handover(conversation)
    if handover is not None and handover.answered_at is None:
        handover.answered_at = timezone.now()
        handover.save()
        mail.to_citizen(handover, conversation)


def _nothing(conversation: Conversation, by: User | None, reason: str) -> None:
    return


_CARRY_OUT = {
    Effect.REQUEST_OPENED: _opened,
    Effect.NOTIFY_SERVICE: _to_service,
    Effect.REMIND_SERVICE: _remind,
    Effect.TAKEN: _taken,
    Effect.RELEASED: _released,
    Effect.REQUEST_RESOLVED: _resolved,
    Effect.REQUEST_WITHDRAWN: _withdrawn,
    Effect.NOTIFY_CITIZEN: _tell_citizen,
}
