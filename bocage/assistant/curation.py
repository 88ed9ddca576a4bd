"""« Pas bon »: what an agent says of an answer becomes a question and answer that a person reviews, and that wins over every search."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from bocage.assistant.answer_types import Author
from bocage.assistant.conversations import InvalidMessage, rate
from bocage.assistant.documents import Audience, Document, Origin, Passage
from bocage.assistant.handover import NotNow
from bocage.assistant.masking import mask
from bocage.assistant.models import CuratedPair, Message
from bocage.journal.services import record
from bocage.organisations.models import User

MAX_ANSWER = 4000
REASONS = (
    ("hors-sujet", "Le passage ne répond pas à la question"),
    ("faux", "L’information est fausse ici"),
    ("perime", "L’information n’est plus à jour"),
    ("incomplet", "Il manque l’essentiel"),
    ("obscur", "Ce n’est pas compréhensible"),
    ("aurait-du-refuser", "Il ne fallait pas répondre"),
)


def not_good(message: Message, agent: User, reason: str, answer: str = "", title: str = "", url: str = "") -> CuratedPair:
    """Note the answer as bad, and propose the right one for review. Personal data are masked. Raises ``InvalidMessage``."""
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
    """Validate the pair as now written, or reject it. Raises ``InvalidMessage``, or ``NotNow`` when somebody did it meanwhile."""
    values = _checked(answer, title, url) | {"question": mask(" ".join(question.replace("\x00", "").split()))}
    if valid and not (values["question"] and values["answer"] and values["source_title"]):
        raise InvalidMessage("Une paire validée a une question, une réponse et sa source : page, délibération, service qui l’affirme.")
    if len(values["question"]) > 2000:
        raise InvalidMessage("La question dépasse 2 000 caractères.")
    state = CuratedPair.State.VALIDATED if valid else CuratedPair.State.REJECTED
    kept = values if valid else {}
    with transaction.atomic():
        changed = CuratedPair.objects.filter(pk=pair.pk, state=CuratedPair.State.TO_REVIEW).update(
            state=state, reviewed_by=person, reviewed_at=timezone.now(), **kept
        )
        if not changed:
            raise NotNow("Cette paire a été relue entre-temps par une autre personne.")
        record("assistant.paire", person, paire=pair.pk, verdict=state.value, public=pair.audience)
    pair.refresh_from_db()


def validated_documents() -> list[Document]:
    """The validated pairs of the organisation in context, as documents of origin « question »: what the index takes."""
    return [
        Document(
            id=f"paire-{pair.pk}",
            title=pair.question,
            origin=Origin.CURATED,
            passages=tuple(Passage(" ".join(part.split())) for part in pair.answer.split("\n\n") if part.strip()),
            description=pair.source_title,
            url=pair.source_url,
            audiences=frozenset({Audience(pair.audience)}),
            updated_on=timezone.localtime(pair.reviewed_at).date() if pair.reviewed_at else None,
            publisher=pair.organisation.name,
            questions=(pair.question,),
        )
        for pair in CuratedPair.objects.filter(state=CuratedPair.State.VALIDATED).select_related("organisation").order_by("pk")
    ]


def _checked(answer: str, title: str, url: str) -> dict[str, str]:
    answer = answer.replace("\x00", "").replace("\r\n", "\n").strip()
    title, url = " ".join(title.replace("\x00", "").split()), url.replace("\x00", "").strip()
    if len(answer) > MAX_ANSWER or len(title) > 200 or len(url) > 500:
        raise InvalidMessage(f"La réponse tient en {MAX_ANSWER} caractères, la source en 200, son adresse en 500.")
    if url and not url.startswith(("https://", "http://")):
        raise InvalidMessage("L’adresse de la source commence par https:// ; laissez vide si elle n’en a pas.")
    return {"answer": mask(answer), "source_title": title, "source_url": url}
