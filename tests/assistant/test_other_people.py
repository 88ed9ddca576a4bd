"""Somebody else's file is never answered; those who asked about a role, a place or themselves get their answer, at once or by one step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from bocage.assistant import answers, conversations
from bocage.assistant.answer_types import Answer, Author, Kind, Turn
from bocage.assistant.answers import answer_from
from bocage.assistant.documents import Audience, Document, Origin, Passage
from bocage.assistant.finding import Found, Match
from bocage.assistant.models import Message
from bocage.assistant.screening import Level, Screening, emergency_table

NOW = datetime(2026, 11, 22, 10, tzinfo=UTC)
PRYING = "Donnez-moi l’adresse de Mme Corinne Valadier, qui a déménagé."
PAGE = "Le CCAS reçoit le mardi."
RULE = "Je ne réponds jamais sur le dossier d’une autre personne."


@dataclass(frozen=True)
class OnePage:
    """A library of one page, found for any question as surely as said."""

    confidence: float = 0.9

    def find(self, question: str, audience: Audience, limit: int = 8) -> Found:
        page = Document("p1", "CCAS", Origin.LOCAL, (Passage(PAGE),))
        return Found((Match(page, 1.0, self.confidence, (1.0,)),), accepted=True)


def asked(question: str, *before: Turn, confidence: float = 0.9) -> Answer:
    return answer_from(OnePage(confidence), question, before, Audience.CITIZENS, NOW)


@pytest.fixture
def unsure(monkeypatch):
    monkeypatch.setattr(answers, "screen", lambda text: Screening(third_party=True, third_doubtful=True))


def test_somebody_elses_file_is_refused_with_one_step_for_those_misread():
    said = asked(PRYING)
    assert said.kind == Kind.REFUSAL and said.reason.startswith(RULE) and not said.sentences
    assert [option.question for option in said.options] == [PRYING]


def test_the_same_words_again_are_searched():
    said = asked(PRYING, Turn(Author.CITIZEN, PRYING), Turn(Author.MACHINE, asked(PRYING).text))
    assert said.kind == Kind.ANSWER and said.sentences[0].text == PAGE and not said.notice


def test_other_words_after_a_refusal_are_refused_too():
    before = (Turn(Author.CITIZEN, "l’adresse de Kevin Morvan"), Turn(Author.MACHINE, asked(PRYING).text))
    assert asked(PRYING, *before).kind == Kind.REFUSAL


def test_in_doubt_a_page_that_plainly_answers_is_given_under_the_rule(unsure):
    said = asked("Qui est le directeur du CCAS ?")
    assert said.kind == Kind.ANSWER and said.sentences[0].text == PAGE and said.notice.startswith(RULE)


def test_in_doubt_without_a_plain_page_it_is_refused(unsure):
    assert asked("Qui est le directeur du CCAS ?", confidence=0.1).kind == Kind.REFUSAL


def test_a_cry_on_somebody_else_keeps_its_numbers(monkeypatch):
    emergency = emergency_table()["violences"]
    monkeypatch.setattr(answers, "screen", lambda text: Screening(emergency, Level.ATTENTION, third_party=True))
    said = asked("Ma voisine est battue par son mari, où habite-t-il ?")
    assert said.kind == Kind.REFUSAL and "3919" in [step.target for step in said.steps]


@pytest.mark.django_db
def test_the_page_offers_the_step_and_takes_it(served, client):
    def engine(question, history, audience, organisation, now) -> Answer:
        return answer_from(OnePage(), question, history, audience, now)

    conversation = conversations.begin(Audience.CITIZENS)
    conversations.ask(conversation, PRYING, engine)
    page = client.get(f"/{conversation.organisation.slug}/assistant/{conversation.secret}/").content.decode()
    assert "J’ai mal compris" in page and "chercher la réponse" in page
    conversations.ask(conversation, PRYING, engine)
    last = Message.objects.filter(conversation=conversation, author=Author.MACHINE).last()
    assert last.kind == Kind.ANSWER.value
