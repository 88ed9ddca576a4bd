"""What a person who asks can do: ask, have a person called, leave a contact, take the request back, say what was bad, erase.

A question is written before it is answered, and answered outside any transaction: a server that dies in between loses nothing, and the
worker answers what was left (``answer_lost_questions``).
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Generator
from datetime import timedelta
from typing import cast

from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner
from django.db import DataError, IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.module_loading import import_string

from bocage.assistant import handover as h
from bocage.assistant.answer_types import Answer, Answerer, Author, Kind, Turn, Worded
from bocage.assistant.configuration import configuration
from bocage.assistant.documents import Audience
from bocage.assistant.figures import counted
from bocage.assistant.handover import Effect
from bocage.assistant.improving import finished, improving
from bocage.assistant.models import Conversation, Feedback, Handover, Message
from bocage.assistant.transitions import UnknownConversation, add_to_day, advance, local_now
from bocage.assistant.wants_person import wants_person
from bocage.contract.errors import BocageError
from bocage.contract.text_checks import storable
from bocage.journal.services import record
from bocage.organisations.models import Organisation, User
from bocage.organisations.tenancy import across, current_organisation_id, organisation_context

log = logging.getLogger(__name__)

MAX_MESSAGE, MAX_CONTACT = 2000, 200
MOST_MESSAGES, MOST_WITH_A_PERSON = 500, 2000
"""Messages in a conversation, of everybody: beyond the first the machine answers no more, beyond the second nobody can write."""
LOST_AFTER = timedelta(seconds=30)
_HISTORY = 12
_KEY_AGE = timedelta(days=2)
_UNAVAILABLE = Answer(
    Kind.REFUSAL, reason="La recherche ne répond pas en ce moment. Votre question est gardée ; une personne peut y répondre."
)


class NotInService(BocageError):
    """The assistant does not serve this audience here."""

    code = "assistant-hors-service"


class InvalidMessage(BocageError):
    """A message that is empty, too long, or one too many."""

    code = "message-invalide"


def start(audience: Audience, person: User | None = None, secret: str = "") -> Conversation:
    """A new conversation, empty. Raises ``NotInService``."""
    if audience not in configuration().audiences:
        raise NotInService("L’assistant n’est pas en service ici. Adressez-vous directement à la collectivité.")
    now = timezone.now()
    conversation = Conversation(audience=audience.value, asked_by=person, last_at=now, state_at=now)
    conversation.secret = secret or conversation.secret
    conversation.save()
    return conversation


def find(key: str) -> Conversation:
    """The citizen's conversation at this address. Raises ``UnknownConversation``."""
    found: Conversation | None = Conversation.objects.filter(secret=key[:64], asked_by=None).first() if key.isascii() else None
    if found is None:
        raise UnknownConversation(
            "Cette conversation n’existe pas, ou n’existe plus : elle a été effacée, ou sa durée de garde est passée."
        )
    return found


def ask(conversation: Conversation, text: str, answerer: Answerer | None = None, nonce: str = "") -> None:
    """The person writes; the machine answers if it is its turn. The same text under one ``nonce`` is one message.

    Raises ``InvalidMessage``.
    """
    question = receive(conversation, text, nonce)
    if question.for_machine and not question.replies.exists():
        answer(question, answerer)


def new_key() -> str:
    """An unguessable key, signed: put in the form of the first question, so that a question sent again is not a second conversation."""
    return _signer().sign(secrets.token_urlsafe(32))


def begin(audience: Audience, key: str = "", person: User | None = None) -> Conversation:
    """The conversation that ``key`` (from ``new_key``) began, or a new one. Raises ``NotInService``."""
    try:
        secret = _signer().unsign(key, max_age=_KEY_AGE) if key and key.isascii() else ""
    except BadSignature:
        secret = ""
    held = Conversation.objects.filter(secret=secret, asked_by=person, audience=audience.value).first() if secret else None
    if held:
        return held
    try:
        with transaction.atomic():
            return start(audience, person, secret)
    except IntegrityError:
        # The same form, sent twice at once: the other one has just begun it.
        return cast(Conversation, Conversation.objects.get(secret=secret, asked_by=person))


def receive(conversation: Conversation, text: str, nonce: str = "") -> Message:
    """Write what the person says. In their own words or by the state, it may be for a person rather than for the machine."""
    clean = clean_message(text)
    stamp = _stamp(nonce, clean)
    with transaction.atomic():
        # The row is locked before the stamp is looked up: of the same message sent twice at once, one waits and finds the other.
        locked = Conversation.objects.select_for_update().filter(pk=conversation.pk).first()
        sent = stamp and locked and Message.objects.filter(conversation=conversation, nonce=stamp).first()
        if sent:
            return sent
        effects = advance(conversation, h.CitizenWrites())
        calls = not conversation.waits and for_person(conversation, clean)
        message = Message(
            conversation=conversation,
            author=Author.CITIZEN,
            text=clean,
            turn=conversation.turn,
            nonce=stamp,
            for_machine=Effect.ANSWER in effects and not calls,
        )
        _check_room(message)
        message.save()
        if message.for_machine:
            add_to_day(conversation.audience, questions=1)
        if calls:
            advance(conversation, h.WantsPerson(), reason=Handover.Reason.WORDS)
    return message


def for_person(conversation: Conversation | None, text: str) -> bool:
    """Whether ``text`` is for a person and asks nothing of the machine: somebody was asked for already, or these words ask for one."""
    if conversation is not None and (conversation.waits or conversation.asked_by_id is not None):
        return conversation.waits
    return wants_person(text)


def answer(question: Message, answerer: Answerer | None = None) -> Message | None:
    """Have the engine answer ``question``, and write its answer unless a person has been asked for meanwhile (None)."""
    return finished(answering(question, answerer))


def answering(question: Message, answerer: Answerer | None = None) -> Generator[Worded, None, Message | None]:
    """The same, telling each sentence of the language model as it comes. Left before its end, nothing is written: the question waits."""
    found = yield from improving(question.text, _engine_answer(question, question.conversation, answerer))
    try:
        return _write_answer(question, found)
    except (DataError, ValueError):
        # Nobody can mend it by asking again: the person is shown the way to a human, and the question is no longer lost.
        log.exception("the database cannot keep the answer to question %s", question.pk)
        return _write_answer(question, _UNAVAILABLE)


def _write_answer(question: Message, found: Answer) -> Message | None:
    """Keep ``found``, unless the machine may no longer speak (None). Raises ``DataError`` or ``ValueError`` for what no database keeps."""
    conversation = question.conversation
    message = Message(
        conversation=conversation,
        author=Author.MACHINE,
        text=storable(found.text),
        kind=found.kind.value,
        answer=found.to_json(),
        joules=found.joules,
        reply_to=question,
    )
    try:
        with transaction.atomic():
            advance(conversation, h.MachineWrites(question.turn))
            message.turn = conversation.turn
            message.save()
            add_to_day(conversation.audience, joules=found.joules, **counted(found))
            if found.kind in (Kind.EMERGENCY, Kind.PERSON) and conversation.asked_by_id is None:
                reason = Handover.Reason.EMERGENCY if found.kind == Kind.EMERGENCY else Handover.Reason.MACHINE
                advance(conversation, h.WantsPerson(), reason=reason)
    except (h.NotNow, IntegrityError):
        # A person was asked for, the conversation was erased, or another process has answered: this answer is thrown away.
        return None
    return message


def unanswered(conversation: Conversation) -> Message | None:
    """The question that still waits for the machine, if there is one."""
    if conversation.state != h.State.BOT:
        return None
    found: Message | None = (
        Message.objects.filter(conversation=conversation, for_machine=True, replies=None, turn=conversation.turn).order_by("-pk").first()
    )
    return found


def answer_lost_questions() -> int:
    """Answer the questions of any organisation whose server died before the answer, each on its own; returns how many were answered."""
    limit = timezone.now() - LOST_AFTER
    with across():
        lost = list(
            Message.across_organisations.filter(
                for_machine=True, replies=None, created_at__lt=limit, turn=F("conversation__turn"), conversation__state=h.State.BOT.value
            )
            .select_related("organisation")
            .order_by("pk")[:50]
        )
    done = 0
    for message in lost:
        with organisation_context(message.organisation):
            question = Message.objects.filter(pk=message.pk).select_related("conversation").first()
            try:
                done += question is not None and answer(question) is not None
            except Exception:
                # One question that fails must not leave those of other people unanswered.
                log.exception("lost question %s could not be answered", message.pk)
    return done


def request_person(conversation: Conversation, service: str = "") -> None:
    """Ask for a person, in one step; ``service`` orients the request when the citizen chose one."""
    with transaction.atomic():
        advance(conversation, h.WantsPerson())
        if service:
            choose_service(conversation, service)


def choose_service(conversation: Conversation, service: str) -> None:
    """Orient a request that waits. Raises ``InvalidMessage`` for a service that does not exist, or ``NotNow``."""
    if not configuration().knows(service):
        raise InvalidMessage("Ce service n’existe pas ici. Choisissez-en un dans la liste.")
    with transaction.atomic():
        advance(conversation, h.Assigned(service))


def give_contact(conversation: Conversation, contact: str, consents: bool) -> None:
    """Keep where the citizen may be reached; without consent nothing is kept. Raises ``InvalidMessage``."""
    clean = " ".join(storable(contact).split())
    if not clean or len(clean) > MAX_CONTACT:
        raise InvalidMessage(f"Écrivez un téléphone ou une adresse électronique, en {MAX_CONTACT} caractères au plus.")
    if not consents:
        raise InvalidMessage("Cochez la case : sans votre accord, nous ne gardons pas vos coordonnées.")
    with transaction.atomic():
        advance(conversation, h.GivesContact())
        Conversation.objects.filter(pk=conversation.pk).update(contact=clean, consent_at=timezone.now())
    conversation.refresh_from_db()


def withdraw(conversation: Conversation) -> None:
    """Take the request for a person back. Raises ``NotNow`` once a person has taken over."""
    with transaction.atomic():
        advance(conversation, h.Leaves())


def seen_as_emergency(conversation: Conversation) -> Message | None:
    """The citizen's last words, when the machine has just answered them with the numbers to call and nobody has taken over."""
    if conversation.state == h.State.HUMAN:
        return None
    last = Message.objects.filter(conversation=conversation).exclude(author=Author.SYSTEM).order_by("-pk").first()
    return last.reply_to if last is not None and last.kind == Kind.EMERGENCY.value else None


def no_emergency(conversation: Conversation, answerer: Answerer | None = None) -> None:
    """Those were only words, the person says: the request made in their name is taken back, and the same words are asked again.

    Raises ``InvalidMessage`` when no emergency was seen last, ``NotNow`` once a person has taken over.
    """
    words = seen_as_emergency(conversation)
    if words is None:
        raise InvalidMessage("Cette réponse n’est plus la dernière. Posez votre question de nouveau.")
    with transaction.atomic():
        # Both or neither: a request that is taken back leaves its question with the machine.
        if conversation.waits:
            withdraw(conversation)
        question = receive(conversation, words.text, f"calme-{words.pk}")
    if question.for_machine and not question.replies.exists():
        answer(question, answerer)


def reopen(conversation: Conversation) -> None:
    """Say that it is not settled: the same service gets it again."""
    with transaction.atomic():
        advance(conversation, h.Reopens(), reason=Handover.Reason.REOPENED)


def erase(conversation: Conversation) -> None:
    """Erase the conversation and all that hangs on it, for ever. The journal keeps its number and nothing that was said."""
    with transaction.atomic():
        advance(conversation, h.Erases())
        number = conversation.pk
        Conversation.objects.filter(pk=number).delete()
        record("assistant.effacement", None, conversation=number)


def rate(message: Message, good: bool, reason: str = "", person: User | None = None) -> Feedback:
    """« Ce passage répond » or « pas bon » on one answer of the machine; said twice, the last word holds. Raises ``InvalidMessage``."""
    if message.author != Author.MACHINE:
        raise InvalidMessage("Seule une réponse de la machine se note.")
    clean = " ".join(storable(reason).split())[:300]
    with transaction.atomic():
        before = Feedback.objects.select_for_update().filter(message=message, person=person).first()
        feedback = before or Feedback(message=message, person=person)
        was = before.good if before else None
        feedback.good, feedback.reason = good, clean
        feedback.save()
        if was != good:
            moves = {"good" if good else "bad": 1}
            if was is not None:
                moves["good" if was else "bad"] = -1
            # Counted where the first opinion was: a count never goes below zero on a day that did not hold it.
            add_to_day(message.conversation.audience, feedback.created_at.astimezone(local_now().tzinfo).date(), **moves)
    return feedback


def clean_message(text: str) -> str:
    """``text`` as it can be kept, without outer blanks. Raises ``InvalidMessage`` when nothing or too much is left."""
    clean = storable(text).replace("\r\n", "\n").strip()
    if not clean:
        raise InvalidMessage("Écrivez votre message avant de l’envoyer.")
    if len(clean) > MAX_MESSAGE:
        raise InvalidMessage(f"Votre message compte {len(clean)} caractères ; la limite est {MAX_MESSAGE}. Gardez l’essentiel.")
    return clean


def _stamp(nonce: str, clean: str) -> str:
    """What two sendings of one message share: the form's nonce and the words. Other words under an old nonce are another message.

    Keyed, because what a message held must not be guessed from it once the message is masked.
    """
    if not nonce:
        return ""
    return salted_hmac("bocage.assistant.message", f"{storable(nonce)}\n{clean}", algorithm="sha256").hexdigest()[:40]


def _check_room(message: Message) -> None:
    """Raises ``InvalidMessage`` when the conversation is too long for one more message; for a person there is more room."""
    held = Message.objects.filter(conversation=message.conversation).count()
    if message.for_machine and held >= MOST_MESSAGES:
        raise InvalidMessage("Cette conversation est très longue. Commencez-en une autre, ou demandez une personne.")
    if held >= MOST_WITH_A_PERSON:
        raise InvalidMessage("Cette conversation ne peut plus recevoir de message : elle est trop longue. Appelez la collectivité.")


def _signer() -> TimestampSigner:
    return TimestampSigner(salt="bocage.assistant.key")


def _engine_answer(question: Message, conversation: Conversation, answerer: Answerer | None) -> Answer:
    """What the engine says; any fault of its own becomes an answer that shows the way to a person."""
    earlier = Message.objects.filter(conversation=conversation, pk__lt=question.pk).exclude(author=Author.SYSTEM).order_by("-pk")[:_HISTORY]
    history = [Turn(Author(message.author), message.text) for message in reversed(earlier)]
    organisation = Organisation.objects.get(pk=current_organisation_id())
    try:
        engine = answerer or cast(Answerer, import_string(settings.ASSISTANT_ANSWERER))
        return engine(question.text, history, Audience(conversation.audience), organisation, local_now())
    except Exception:
        # Whatever goes wrong in the engine, the person is shown the way to a human; the operator finds the cause in the log.
        log.exception("the answering engine failed")
        return _UNAVAILABLE
