"""« Pas bon »: what an agent says of an answer becomes a question and answer that a person reviews, and that wins over every search."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from bocage.assistant.answer_types import Author
from bocage.assistant.conversations import InvalidMessage, rate
from bocage.assistant.documents import Audience, Document, Origin, Passage
from bocage.assistant.handover import NotNow
from bocage.assistant.masking import mask
from bocage.assistant.models import CuratedPair, Message
from bocage.contract import french
from bocage.journal.services import record
from bocage.methods.retrieval.text import stems, tokens
from bocage.organisations.membership import Permission, members_who_may
from bocage.organisations.models import User

MAX_ANSWER = 4000
PAIR_ID = "paire-"
"""What ids of documents begin with, when they are validated pairs and nothing else."""
REASONS = (
    ("hors-sujet", "Le passage ne répond pas à la question"),
    ("faux", "L’information est fausse ici"),
    ("perime", "L’information n’est plus à jour"),
    ("incomplet", "Il manque l’essentiel"),
    ("obscur", "Ce n’est pas compréhensible"),
    ("aurait-du-refuser", "Il ne fallait pas répondre"),
)
_NAMED = 3
"""People that a sentence names; a city has more."""
_BLANK_LINES = re.compile(r"\n\s*\n")
_MASKED = re.compile(r"\[([^\[\]]+)\]")


def not_good(message: Message, agent: User, reason: str, answer: str = "", title: str = "", url: str = "") -> CuratedPair:
    """Note the answer as bad, and propose the right one for review. The question is masked. Raises ``InvalidMessage``."""
    label = dict(REASONS).get(reason)
    if label is None:
        raise InvalidMessage("Dites ce qui ne va pas : choisissez une raison dans la liste.")
    if message.author != Author.MACHINE or message.reply_to is None:
        raise InvalidMessage("Seule une réponse de la machine se note.")
    with transaction.atomic():
        rate(message, False, label, agent)
        pair = CuratedPair(
            audience=message.conversation.audience,
            question=mask(message.reply_to.text),
            reason=label,
            proposed_by=agent,
            **_checked(answer, title, url),
        )
        pair.save()
    return pair


def review(pair: CuratedPair, person: User, valid: bool, question: str = "", answer: str = "", title: str = "", url: str = "") -> None:
    """Validate the pair as now written, or reject it; one that was put aside may be validated after all. ``library.serve_pairs`` then puts
    it in service, as after ``correct`` and ``withdraw``.

    Whoever proposed it validates it only where nobody else here may, and the journal says so.

    Raises ``InvalidMessage``, or ``NotNow`` when somebody did it meanwhile.
    """
    alone = _by_a_second_person(pair, person, "de la relire et de la mettre en service") if valid else False
    known = (CuratedPair.State.TO_REVIEW, CuratedPair.State.REJECTED) if valid else (CuratedPair.State.TO_REVIEW,)
    written = _complete(pair, question, answer, title, url) if valid else {}
    state = CuratedPair.State.VALIDATED if valid else CuratedPair.State.REJECTED
    _decide(pair, person, known, state, state.value, alone, **written)


def _by_a_second_person(pair: CuratedPair, person: User, to_do: str, meanwhile: str = "") -> bool:
    """Whether who proposed the pair puts its words in service alone, since nobody else here may. Raises ``InvalidMessage`` where
    somebody may: ``to_do`` is theirs; ``meanwhile``, what ``person`` may do.
    """
    others = other_reviewers(pair, person)
    if others:
        raise InvalidMessage(
            f"Vous avez proposé cette réponse : c’est à une autre personne {to_do}. Demandez à {_named(others)}.{meanwhile}"
        )
    return others is not None


def other_reviewers(pair: CuratedPair, person: User) -> list[User] | None:
    """Who may review, in the place of ``person``, the pair that ``person`` proposed: nobody, in a town hall of one agent; None for a pair
    that somebody else proposed.
    """
    if pair.proposed_by_id is None or pair.proposed_by_id != person.pk:
        return None
    return list(members_who_may(Permission.REPONDRE).exclude(pk=person.pk))


def _named(people: list[User]) -> str:
    names = [each.name for each in people[:_NAMED]]
    more = len(people) - len(names)
    if more:
        return f"{', '.join(names)} ou {french.count(more, 'autre personne')}"
    return " ou ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def correct(pair: CuratedPair, person: User, question: str, answer: str, title: str, url: str = "") -> None:
    """Replace what a validated pair says, under the rule of ``review``: other words in service are a second decision. Raises
    ``InvalidMessage``, or ``NotNow`` when somebody changed it meanwhile.
    """
    alone = _by_a_second_person(pair, person, "de la corriger", " Si elle est fausse, retirez-la du service : cela, vous le pouvez.")
    written = _complete(pair, question, answer, title, url)
    _decide(pair, person, (CuratedPair.State.VALIDATED,), CuratedPair.State.VALIDATED, "corrigee", alone, **written)


def withdraw(pair: CuratedPair, person: User) -> None:
    """Put a validated pair aside: it answers nobody any more. Raises ``NotNow`` when somebody changed it meanwhile."""
    _decide(pair, person, (CuratedPair.State.VALIDATED,), CuratedPair.State.REJECTED, "retiree")


def version(pair: CuratedPair) -> str:
    """Changes with each decision on the pair: what a form carries, so that nobody decides on what they have not read."""
    return f"{pair.state}-{pair.reviewed_at.isoformat() if pair.reviewed_at else ''}"


def check_unchanged(pair: CuratedPair, read: str) -> None:
    """Raises ``NotNow``, with who decided what, when ``read`` is not the pair's version any more."""
    if read != version(pair):
        raise NotNow(_meanwhile(pair))


def private_shapes(answer: str) -> tuple[str, ...]:
    """Kinds of numbers and addresses in ``answer`` that may be a person's. It is a public text, where a service's belong: nothing is
    masked, the reviewer is told.
    """
    return tuple(Counter(_MASKED.findall(mask(answer))) - Counter(_MASKED.findall(answer)))


def validated_documents() -> list[Document]:
    """The validated pairs of the organisation in context, as documents of origin « question »: what the index takes.

    The answer is one passage, blank lines included: what a person validated is never shown in part. Its source stands as its heading, and
    is shown wherever it is cited.
    """
    pairs = CuratedPair.objects.filter(state=CuratedPair.State.VALIDATED).select_related("organisation").order_by("pk")
    return [
        Document(
            id=f"{PAIR_ID}{pair.pk}",
            title=pair.question,
            origin=Origin.CURATED,
            passages=(Passage(_BLANK_LINES.sub("\n\n", pair.answer), (pair.source_title,)),),
            url=pair.source_url,
            audiences=frozenset({Audience(pair.audience)}),
            updated_on=pair.reviewed_at.astimezone(ZoneInfo(pair.organisation.time_zone)).date() if pair.reviewed_at else None,
            publisher=pair.organisation.name,
            questions=(pair.question,),
        )
        for pair in pairs
    ]


def _decide(
    pair: CuratedPair,
    person: User,
    known: Iterable[CuratedPair.State],
    state: CuratedPair.State,
    verdict: str,
    alone: bool = False,
    **written: str,
) -> None:
    """Move the pair from one of the states ``known`` to ``state``, if it still is as the caller read it. ``alone``: by who proposed it."""
    as_read = CuratedPair.objects.filter(pk=pair.pk, state=pair.state, reviewed_at=pair.reviewed_at)
    with transaction.atomic():
        changed = pair.state in known and as_read.update(state=state, reviewed_by=person, reviewed_at=timezone.now(), **written)
        if changed:
            said = {"seule": True} if alone else {}
            record("assistant.paire", person, paire=pair.pk, verdict=verdict, public=pair.audience, **said)
    pair.refresh_from_db()
    if not changed:
        raise NotNow(_meanwhile(pair))


def _meanwhile(pair: CuratedPair) -> str:
    if pair.reviewed_by is None or pair.reviewed_at is None:
        return "Cette page a changé depuis que vous l’avez ouverte. Relisez, puis décidez."
    at = timezone.localtime(pair.reviewed_at)
    now = "mise en service" if pair.state == CuratedPair.State.VALIDATED else "écartée"
    return (
        f"Entre-temps, {pair.reviewed_by.name} a relu cette réponse : elle a été {now} le {french.day(at, weekday=False)} "
        f"à {french.hour(at)}. Relisez-la, puis décidez."
    )


def _complete(pair: CuratedPair, question: str, answer: str, title: str, url: str) -> dict[str, str]:
    """What a validated pair says. Only the question, which a citizen wrote, is masked. Raises ``InvalidMessage``."""
    values = _checked(answer, title, url) | {"question": mask(" ".join(question.replace("\x00", "").split()))}
    if not (values["question"] and values["answer"] and values["source_title"]):
        raise InvalidMessage("Une paire validée a une question, une réponse et sa source : page, délibération, service qui l’affirme.")
    if len(values["question"]) > 2000:
        raise InvalidMessage("La question dépasse 2 000 caractères.")
    others = CuratedPair.objects.filter(audience=pair.audience, state=CuratedPair.State.VALIDATED).exclude(pk=pair.pk)
    asked = set(stems(tokens(values["question"])))
    if asked and any(set(stems(tokens(other.question))) == asked for other in others):
        raise InvalidMessage("Une autre réponse est déjà en service pour cette question : corrigez-la, ou retirez-la d’abord.")
    return values


def _checked(answer: str, title: str, url: str) -> dict[str, str]:
    answer = answer.replace("\x00", "").replace("\r\n", "\n").replace("\r", "\n").strip()
    title, url = " ".join(title.replace("\x00", "").split()), url.replace("\x00", "").strip()
    if len(answer) > MAX_ANSWER or len(title) > 200 or len(url) > 500:
        raise InvalidMessage(f"La réponse tient en {MAX_ANSWER} caractères, la source en 200, son adresse en 500.")
    if url and not url.startswith(("https://", "http://")):
        raise InvalidMessage("L’adresse de la source commence par https:// ; laissez vide si elle n’en a pas.")
    return {"answer": answer, "source_title": title, "source_url": url}
