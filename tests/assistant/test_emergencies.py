"""Distress is answered with numbers and a person; those whose words were only words get their answer by one step, numbers above it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from bocage.assistant import conversations, inbox
from bocage.assistant.answer_types import Answer, Author, Kind, Turn
from bocage.assistant.answers import answer_from
from bocage.assistant.documents import Audience, Document, Origin, Passage
from bocage.assistant.finding import Found, Match
from bocage.assistant.handover import NotNow
from bocage.assistant.models import Handover, Message

CRY = "Je veux mourir de rire, non : je veux mourir."
NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)


@dataclass(frozen=True)
class OnePage:
    """A library of one page, found for any question as surely as said."""

    confidence: float = 0.9

    def find(self, question: str, audience: Audience, limit: int = 8) -> Found:
        page = Document("p1", "Haies et arbres", Origin.LOCAL, (Passage("Les haies se taillent avant mars."),))
        return Found((Match(page, 1.0, self.confidence, (1.0,)),), accepted=True)


def asked(question: str, *before: Turn, confidence: float = 0.9) -> Answer:
    return answer_from(OnePage(confidence), question, before, Audience.CITIZENS, NOW)


def said_by_machine(text: str) -> tuple[Turn, Turn]:
    return Turn(Author.CITIZEN, text), Turn(Author.MACHINE, asked(text).text)


def test_a_cry_is_answered_with_numbers_and_nothing_else():
    said = asked(CRY)
    assert said.kind == Kind.EMERGENCY and not said.sentences
    assert "3114" in [step.target for step in said.steps]
    assert [option.question for option in said.options] == [CRY]


def test_the_same_words_again_are_answered_with_the_numbers_above():
    said = asked(CRY, *said_by_machine(CRY))
    assert said.kind == Kind.ANSWER and said.sentences[0].text == "Les haies se taillent avant mars."
    assert "3114" in [step.target for step in said.steps] and asked(CRY).text in said.notice


@pytest.mark.parametrize(
    "before",
    [
        (Turn(Author.CITIZEN, "Bonjour"), Turn(Author.MACHINE, "Écrivez votre question en quelques mots.")),
        (Turn(Author.CITIZEN, CRY), Turn(Author.MACHINE, "Je ne trouve pas de réponse sûre.")),
        (*said_by_machine(CRY), Turn(Author.CITIZEN, "merci"), Turn(Author.MACHINE, "Écrivez votre question en quelques mots.")),
        said_by_machine("jveu mourir"),
    ],
    ids=["other words", "another answer", "long ago", "another cry"],
)
def test_a_cry_that_was_not_just_answered_is_a_cry(before):
    assert asked(CRY, *before).kind == Kind.EMERGENCY


def test_a_doubt_is_said_where_no_page_plainly_answers():
    doubts = [
        "ma voisine crie tout le temps sur ses enfants le matin", "le petit d'a coté pleure beaucoup le soir", "mon pere oublie de manger",
        "je suis fatigué de tout ça", "ma mère est tombée deux fois ce mois ci", "il y a une odeur bizarre dans la cave",
    ]  # fmt: skip
    told = {confidence: [bool(asked(text, confidence=confidence).notice) for text in doubts] for confidence in (0.9, 0.1)}
    assert all(unsure or not sure for sure, unsure in zip(told[0.9], told[0.1], strict=True))
    assert any(told[0.1])


def engine(question, history, audience, organisation, now) -> Answer:
    return answer_from(OnePage(), question, history, audience, now)


@pytest.fixture
def cried(served):
    conversation = conversations.begin(Audience.CITIZENS)
    conversations.ask(conversation, CRY, engine)
    return conversation


@pytest.mark.django_db
def test_by_one_step_the_request_is_taken_back_and_the_question_answered(cried):
    assert cried.waits and conversations.seen_as_emergency(cried).text == CRY
    conversations.no_emergency(cried, engine)
    assert cried.state == "bot" and Handover.objects.get(conversation=cried).ended_at
    last = Message.objects.filter(conversation=cried, author=Author.MACHINE).last()
    assert last.kind == Kind.ANSWER.value and "3114" in str(last.answer["steps"])
    assert conversations.seen_as_emergency(cried) is None
    with pytest.raises(conversations.InvalidMessage, match="de nouveau"):
        conversations.no_emergency(cried, engine)


@pytest.mark.django_db
def test_once_a_person_has_taken_over_nothing_is_taken_back(cried, nadia):
    conversations.choose_service(cried, "accueil")
    inbox.take(cried, nadia)
    cried.refresh_from_db()
    with pytest.raises((NotNow, conversations.InvalidMessage)):
        conversations.no_emergency(cried, engine)
    assert Message.objects.filter(conversation=cried, author=Author.MACHINE).count() == 1


@pytest.mark.django_db
def test_page_and_widget_offer_the_step(cried, client):
    owner = cried.organisation.slug
    page = f"/{owner}/assistant/{cried.secret}/"
    assert 'value="pas-urgence"' in client.get(page).content.decode()
    site = {"Origin": "https://www.brenoux.example"}
    given = client.get(f"/{owner}/assistant-widget/{cried.secret}/", headers=site).json()
    assert given["calm"] and not given["messages"][-1].get("options") and not given["messages"][1]["options"]
    client.post(page, {"action": "pas-urgence"})
    cried.refresh_from_db()
    assert Message.objects.filter(conversation=cried, author=Author.CITIZEN).count() == 2
