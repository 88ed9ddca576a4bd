"""Changes of state, written: one locked row, one conditional UPDATE, and all that follows from it in the same transaction.

``advance`` is the only writer of a conversation's state. On PostgreSQL the row is locked; on SQLite the immediate transaction already
serialises writers; in both, the UPDATE holds only if the turn has not moved, so that two agents never both take over.
"""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from bocage.assistant import mail
from bocage.assistant.answer_types import Author
from bocage.assistant.configuration import configuration
from bocage.assistant.handover import (
    Assigned,
    Departs,
    Dialogue,
    Effect,
    Event,
    GoesQuiet,
    NotNow,
    Reopens,
    State,
    TimesOut,
    WantsPerson,
    apply,
)
from bocage.assistant.models import Conversation, DayCount, Handover, Message
from bocage.assistant.promise import promise, standing
from bocage.assistant.wants_person import says_not_settled
from bocage.journal.services import record
from bocage.organisations.models import Organisation, User
from bocage.organisations.tenancy import current_organisation_id

_NOBODY_SPOKE = (TimesOut, Departs, GoesQuiet)
"""Events of the clock or of the house: how long a conversation is kept is counted from what people do in it."""


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
    event, reason = _as_meant(held, before, event, reason)
    after, effects = apply(before, event)
    if Effect.ERASE in effects:
        return effects
    _write(held, before, after, spoken=not isinstance(event, _NOBODY_SPOKE))
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


def add_to_day(audience: str, day: date | None = None, **numbers: float) -> None:
    """Add ``numbers`` to the counts of ``day`` (today without it). Only numbers: they stay when the conversations go."""
    row, _ = DayCount.objects.get_or_create(
        day=day or local_now().date(), audience=audience, defaults={"organisation_id": current_organisation_id()}
    )
    DayCount.objects.filter(pk=row.pk).update(**{name: F(name) + number for name, number in numbers.items()})


def open_handover(conversation: Conversation) -> Handover | None:
    """The passage that is under way."""
    found: Handover | None = Handover.objects.filter(conversation=conversation, ended_at=None).first()
    return found


def _as_meant(held: Conversation, before: Dialogue, event: Event, reason: str) -> tuple[Event, str]:
    """``event`` and ``reason``; words such as « ce n’est pas réglé » reopen what was settled rather than open something else."""
    if isinstance(event, WantsPerson) and reason == Handover.Reason.WORDS and before.state == State.BOT and before.settled:
        spoken = Message.objects.filter(conversation=held, author=Author.CITIZEN).order_by("-pk").values_list("text", flat=True).first()
        if spoken and says_not_settled(spoken):
            return Reopens(), Handover.Reason.REOPENED
    return event, reason


def _write(held: Conversation, before: Dialogue, after: Dialogue, spoken: bool) -> None:
    now = timezone.now()
    values: dict[str, object] = {"turn": after.turn}
    if spoken:
        values |= {"last_at": now}
    if after != before:
        values |= {"state": after.state.value, "service": after.service, "held_by": after.holder, "state_at": now}
    if not Conversation.objects.filter(pk=held.pk, turn=before.turn, state=before.state.value).update(**values):
        raise NotNow("La conversation a changé pendant votre geste. Relisez-la, puis recommencez.")


def _opened(conversation: Conversation, by: User | None, reason: str) -> None:
    if reason != Handover.Reason.REOPENED:
        _forget_contact(conversation)
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
    """The request enters a queue: promise, mail, and a line for the citizen. Passed on, it keeps the deadline that was promised first."""
    settings = configuration()
    service, now = settings.service(conversation.service), local_now()
    handover = open_handover(conversation)
    if handover is None:
        raise RuntimeError("a queued conversation has an open handover")
    if handover.due_at is None:
        handover.due_at = promise(settings.schedule(service), now, settings.within).due_at
    late = handover.due_at is not None and handover.due_at < now
    handover.service = service.slug
    # A mail that already says « en retard » is the reminder.
    handover.notified_at, handover.reminded_at = None, now if late else None
    handover.save()
    say(conversation, f"Votre demande est transmise : {service.name}. {standing(handover.due_at, now)}")
    mail.to_service(handover, service, late=late)


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
    """The agent let go, or was replaced: this passage ends, the next begins at the hour at which the citizen asked.

    Nobody has answered yet: the deadline goes along. Somebody has: that promise was kept, and the next wait has its own.
    """
    handover = open_handover(conversation)
    if handover is None or handover.taken_by is None:
        raise RuntimeError("a held conversation has an open handover and an agent")
    handover.ended_at = timezone.now()
    handover.end = Handover.End.RELEASED if by is None else Handover.End.TRANSFERRED
    handover.save()
    following = Handover(conversation=conversation, reason=handover.reason, service=handover.service, requested_at=handover.requested_at)
    if handover.answered_at is None:
        following.due_at = handover.due_at
    following.save()
    if by != handover.taken_by:
        say(conversation, f"{handover.taken_by.name} ne suit plus votre demande.")
    held_by, to = handover.taken_by.name, conversation.service
    record("assistant.transfert", by, conversation=conversation.pk, de=handover.service, vers=to, tenue_par=held_by)


def _resolved(conversation: Conversation, by: User | None, reason: str) -> None:
    done = "Votre demande est réglée."
    if by is None:
        done = "Plus personne n’a écrit ici depuis plusieurs jours : votre demande est tenue pour réglée."
    # Said before the passage ends: agents read up to its end.
    say(conversation, f"{done} Si ce n’est pas le cas, dites-le avec le bouton « Ce n’est pas réglé ».")
    _end(conversation, Handover.End.RESOLVED)
    record("assistant.resolution", by, conversation=conversation.pk, service=conversation.service)


def _withdrawn(conversation: Conversation, by: User | None, reason: str) -> None:
    say(conversation, "Vous avez retiré votre demande. La machine vous répond de nouveau.")
    _end(conversation, Handover.End.WITHDRAWN)
    _forget_contact(conversation)


def _forget_contact(conversation: Conversation) -> None:
    """The contact was given for one request, the page said: another begins without it."""
    Conversation.objects.filter(pk=conversation.pk).update(contact="", consent_at=None)
    conversation.contact, conversation.consent_at = "", None


def _end(conversation: Conversation, end: str) -> None:
    Handover.objects.filter(conversation=conversation, ended_at=None).update(ended_at=timezone.now(), end=end)


def _remind(conversation: Conversation, by: User | None, reason: str) -> None:
    handover = open_handover(conversation)
    if handover is not None and handover.reminded_at is None:
        handover.reminded_at = timezone.now()
        handover.save()
        mail.to_service(handover, configuration().service(conversation.service), late=True)


def _tell_citizen(conversation: Conversation, by: User | None, reason: str) -> None:
    """The first word of a person, since the take-over or since the citizen agreed to it, is also told by mail."""
    handover = open_handover(conversation)
    if handover is None or handover.taken_at is None:
        raise RuntimeError("an agent writes in a request that was taken")
    if handover.answered_at is None:
        handover.answered_at = timezone.now()
        handover.save()
    since = max(handover.taken_at, conversation.consent_at or handover.taken_at)
    if not Message.objects.filter(conversation=conversation, author=Author.AGENT, created_at__gte=since).exists():
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
