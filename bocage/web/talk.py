"""What the pages of the assistant share: a conversation made ready to draw, and what a form or the widget may do with it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from bocage.assistant import conversations
from bocage.assistant.answer_types import Answer, Author, Cited
from bocage.assistant.configuration import Configuration, configuration
from bocage.assistant.documents import Audience, Origin, Step, StepKind
from bocage.assistant.handover import State
from bocage.assistant.limits import count_call, count_erasure, count_message
from bocage.assistant.models import Conversation, Feedback, Handover, Message
from bocage.assistant.promise import promise, standing
from bocage.assistant.transitions import local_now, open_handover
from bocage.contract import french
from bocage.organisations.models import Organisation
from bocage.organisations.tenancy import organisation_context
from bocage.web.typography import french as french_text

_STEPS = {
    StepKind.FORM: "Formulaire",
    StepKind.ONLINE: "Démarche en ligne",
    StepKind.OFFICE: "Au guichet",
    StepKind.PHONE: "Par téléphone",
    StepKind.LETTER: "Modèle de lettre",
    StepKind.PAGE: "Page à lire",
}
_ORIGINS = {
    Origin.NATIONAL: "Fiche nationale",
    Origin.LOCAL: "Page de la collectivité",
    Origin.DIRECTORY: "Annuaire de la collectivité",
    Origin.CURATED: "Réponse relue par un agent",
    Origin.DELIBERATION: "Délibération",
}
_PHONE = re.compile(r"(?:\+33\s?|0)[1-9](?:[\s.]?\d\d){4}")


@dataclass(frozen=True, slots=True)
class Quote:
    """Sentences that follow one another in one source, and that source."""

    sentences: tuple[str, ...]
    source: Cited

    @property
    def origin(self) -> str:
        """What kind of source it is, in words."""
        return _ORIGINS[self.source.origin]

    @property
    def url(self) -> str:
        """Its address, if it is one that a browser may follow."""
        return self.source.url if self.source.url.startswith(("https://", "http://")) else ""

    @property
    def dated(self) -> str:
        """When it was last brought up to date."""
        return f"Mise à jour le {french.day(self.source.updated_on, weekday=False, year=True)}" if self.source.updated_on else "Sans date"

    @property
    def place(self) -> str:
        """Title and headings, as one line."""
        return ", ".join((self.source.title, *self.source.path))


@dataclass(frozen=True, slots=True)
class NextStep:
    """What the person can do next, with where it leads if that is a link."""

    kind: str
    label: str
    target: str
    href: str


@dataclass(frozen=True, slots=True)
class Line:
    """One message, ready to draw."""

    message: Message
    who: str
    answer: Answer | None = None
    quotes: tuple[Quote, ...] = ()
    near: tuple[Quote, ...] = ()
    steps: tuple[NextStep, ...] = ()
    last: bool = False
    rated: bool | None = None
    """What the citizen said of it."""
    judged: str = ""
    """What the agent who looks said of it."""
    worded: tuple[tuple[str, int], ...] = ()
    """Sentences of the language model, each with the number of the quote that entails it, from 1."""
    asked: str = ""
    """The words that this message answers: what tells the buttons of one answer from those of another."""


def lines_of(conversation: Conversation, viewer: Any = None) -> list[Line]:
    """The messages of ``conversation``, oldest first; ``viewer`` is the agent who looks, None for the citizen."""
    found = list(Message.objects.filter(conversation=conversation).select_related("person").order_by("pk"))
    opinions = {(opinion.message_id, opinion.person_id): opinion for opinion in Feedback.objects.filter(message__conversation=conversation)}
    last = next((message.pk for message in reversed(found) if message.author != Author.SYSTEM), None)
    words = {message.pk: message.text for message in found}
    lines = []
    for message in found:
        answer = message.said
        by_citizen = opinions.get((message.pk, None))
        by_viewer = opinions.get((message.pk, viewer.pk)) if viewer else None
        lines.append(
            Line(
                message,
                _who(message, viewer is not None),
                answer,
                quotes(answer.sentences) if answer else (),
                quotes(answer.near) if answer else (),
                tuple(map(_step, answer.steps)) if answer else (),
                last=message.pk == last,
                rated=by_citizen.good if by_citizen else None,
                judged=by_viewer.reason if by_viewer else "",
                worded=_worded(answer) if answer else (),
                asked=words.get(message.reply_to_id, ""),
            )
        )
    return lines


def quotes(sentences: tuple[Cited, ...]) -> tuple[Quote, ...]:
    """Consecutive sentences of one place of one source, together."""
    found: list[Quote] = []
    for sentence in sentences:
        before = found[-1] if found else None
        same = before and (before.source.title, before.source.path, before.source.url, before.source.case) == (
            sentence.title,
            sentence.path,
            sentence.url,
            sentence.case,
        )
        if before and same:
            found[-1] = Quote((*before.sentences, sentence.text), before.source)
        else:
            found.append(Quote((sentence.text,), sentence))
    return tuple(found)


def _worded(answer: Answer) -> tuple[tuple[str, int], ...]:
    """Each sentence of the model with the number of the quote, as drawn, that holds its passage."""
    numbers = [n for n, quote in enumerate(quotes(answer.sentences), start=1) for _ in quote.sentences]
    return tuple((sentence.text, numbers[sentence.source]) for sentence in answer.worded if 0 <= sentence.source < len(numbers))


def draft(answer: Answer) -> str:
    """The answer as an agent copies it into a letter or a mail: sentences word for word, each group with its source, then the steps."""
    parts = [answer.notice] if answer.notice else []
    for quote in quotes(answer.sentences):
        dated = f", mise à jour le {french.day(quote.source.updated_on, False, True)}" if quote.source.updated_on else ""
        address = f"\n{quote.url}" if quote.url else ""
        parts.append("\n".join(f"« {text} »" for text in quote.sentences) + f"\nSource : {quote.place}{dated}.{address}")
    steps = [
        f"– {step.kind} : {step.label}{f' ({step.target})' if step.target and step.target != step.label else ''}"
        for step in map(_step, answer.steps)
    ]
    return "\n\n".join([*parts, *(["\n".join(["Pour continuer :", *steps])] if steps else [])])


def talk_context(conversation: Conversation | None) -> dict[str, Any]:
    """All that a citizen's page shows of a conversation; of none, before the first question."""
    settings = configuration()
    if conversation is None:
        return {"settings": settings, "state": State.BOT.value, "lines": [], "expected": _expected(settings), "promise": ""}
    handover = open_handover(conversation)
    pending = conversations.unanswered(conversation)
    return {
        "settings": settings,
        "conversation": conversation,
        "state": conversation.state,
        "lines": lines_of(conversation),
        "handover": handover,
        "holder": conversation.held_by,
        "service": settings.service(conversation.service) if conversation.service else None,
        "pending": pending,
        "alive": conversation.waits or pending is not None,
        "expected": _expected(settings) if handover is None else "",
        "promise": _promise(conversation, handover),
        "shown_at": timezone.now(),
        "several": len(settings.services) > 1,
        "calm": conversations.seen_as_emergency(conversation) is not None,
    }


def version(conversation: Conversation) -> str:
    """Changes whenever the page of the conversation would: an entity tag."""
    last = Message.objects.filter(conversation=conversation).order_by("-pk").values_list("pk", flat=True).first()
    opinions = Feedback.objects.filter(message__conversation=conversation).count()
    # With time alone, a promise becomes late, and an hour of today gets its day.
    late = Handover.objects.filter(conversation=conversation, ended_at=None, due_at__lt=timezone.now()).exists()
    return f"{conversation.pk}-{conversation.turn}-{last}-{opinions}-{bool(conversation.contact)}-{timezone.localdate()}-{late}"


def phone_of(contact: str) -> tuple[str, str]:
    """The phone number in the organisation's public contact, as written and as a browser dials it; two empty texts without one."""
    found = _PHONE.search(contact)
    return (found.group(), re.sub(r"[^\d+]", "", found.group())) if found else ("", "")


def open_talk(key: str, action: str, sent: Mapping[str, str], address: str) -> Conversation:
    """The conversation opened by the first question, or by asking for a person before any. Raises ``BocageError`` and writes nothing."""
    _count(action, sent, address)
    if action == "question":
        conversations.clean_message(sent.get("texte", ""))
    elif action != "personne":
        raise conversations.InvalidMessage("Cette action n’existe pas. Actualisez la page.")
    conversation = conversations.begin(Audience.CITIZENS, key)
    _ACTIONS[action](conversation, sent)
    return conversation


def perform(conversation: Conversation, action: str, sent: Mapping[str, str], address: str) -> None:
    """Do what the citizen asks. Raises ``BocageError`` with the sentence to show; an unknown action is one."""
    if action not in _ACTIONS:
        raise conversations.InvalidMessage("Cette action n’existe pas. Actualisez la page.")
    _count(action, sent, address, conversation)
    _ACTIONS[action](conversation, sent)


def _count(action: str, sent: Mapping[str, str], address: str, conversation: Conversation | None = None) -> None:
    """Count what is sent, each kind apart. Raises ``TooManyMessages``."""
    if action == "effacer":
        count_erasure(address)
    elif action in _FOR_A_PERSON or (action == "question" and conversations.for_person(conversation, sent.get("texte", ""))):
        count_call(address, conversation)
    else:
        count_message(address, conversation)


def _question(conversation: Conversation, sent: Mapping[str, str]) -> None:
    if sent.get("flux"):
        # The page asks for the answer next, and shows it as it comes (``stream``).
        conversations.receive(conversation, sent.get("texte", ""), sent.get("jeton", ""))
    else:
        conversations.ask(conversation, sent.get("texte", ""), nonce=sent.get("jeton", ""))


def _again(conversation: Conversation, sent: Mapping[str, str]) -> None:
    """Ask the machine once more: its server died before the answer."""
    question = conversations.unanswered(conversation)
    if question is not None:
        conversations.answer(question)


def stream(organisation: Organisation, conversation: Conversation) -> Iterator[bytes]:
    """Server-sent events: one « phrase » for each sentence of the language model that holds, then « fin » once the answer is written.

    The tenant's context is entered here: the view that returned this stream has left it.
    """
    with organisation_context(organisation), timezone.override(organisation.time_zone):
        question = conversations.unanswered(conversation)
        if question is not None:
            for sentence in conversations.answering(question):
                yield _event("phrase", {"texte": french_text(sentence.text), "passage": sentence.source + 1})
    yield _event("fin", {})


def _event(name: str, data: Mapping[str, Any]) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


def _contact(conversation: Conversation, sent: Mapping[str, str]) -> None:
    conversations.give_contact(conversation, sent.get("contact", ""), bool(sent.get("accord")))


def _opinion(conversation: Conversation, sent: Mapping[str, str]) -> None:
    number = sent.get("message", "")
    found = Message.objects.filter(conversation=conversation, pk=int(number)).first() if number.isdecimal() and len(number) < 16 else None
    if found is None:
        raise conversations.InvalidMessage("Cette réponse n’existe pas.")
    conversations.rate(found, sent.get("avis") == "bon")


_ACTIONS: dict[str, Callable[[Conversation, Mapping[str, str]], None]] = {
    "question": _question,
    "relancer": _again,
    "personne": lambda conversation, sent: conversations.request_person(conversation, sent.get("service", "")),
    "service": lambda conversation, sent: conversations.choose_service(conversation, sent.get("service", "")),
    "contact": _contact,
    "retirer": lambda conversation, sent: conversations.withdraw(conversation),
    "pas-urgence": lambda conversation, sent: conversations.no_emergency(conversation),
    "rouvrir": lambda conversation, sent: conversations.reopen(conversation),
    "avis": _opinion,
    "effacer": lambda conversation, sent: conversations.erase(conversation),
}
_FOR_A_PERSON = frozenset({"personne", "service", "contact", "retirer", "rouvrir"})
"""Actions that ask nothing of the machine. « pas-urgence » asks it again."""


def _who(message: Message, to_agent: bool) -> str:
    at = _said_at(message.created_at)
    match message.author:
        case Author.CITIZEN:
            return f"{'La personne' if to_agent else 'Vous'}, {at}"
        case Author.AGENT:
            return f"{message.person.name if message.person else 'Un agent'}, {at}"
        case Author.MACHINE:
            return f"La machine, {at}"
    return at[0].upper() + at[1:]


def _said_at(moment: datetime) -> str:
    """« à 9 h 04 » today, « samedi 21 novembre à 9 h 04 » before, with its year when that is another."""
    local, today = timezone.localtime(moment), timezone.localdate()
    day = "" if local.date() == today else f"{french.day(local, year=local.year != today.year)} "
    return f"{day}à {french.hour(local)}"


def _step(step: Step) -> NextStep:
    target, href = step.target, ""
    if target.startswith(("https://", "http://")):
        href = target
    elif step.kind == StepKind.PHONE and (digits := re.sub(r"[^\d+]", "", target)):
        href = f"tel:{digits}"
    return NextStep(_STEPS[step.kind], step.label, target, href)


def _expected(settings: Configuration) -> str:
    """What a request made now would be promised."""
    return promise(settings.schedule(settings.default_service), local_now(), settings.within).sentence


def _promise(conversation: Conversation, handover: Handover | None) -> str:
    """What the citizen who waits in a queue may count on now."""
    return standing(handover.due_at, local_now()) if handover and conversation.state == State.QUEUED else ""
