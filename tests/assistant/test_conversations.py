"""What is promised to whoever asks: nothing lost, nothing said twice, nobody written over, and gone when it should be."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from bocage.assistant import configuration, conversations, curation, inbox, upkeep
from bocage.assistant import handover as h
from bocage.assistant.answer_types import Answer, Author, Kind
from bocage.assistant.documents import Audience, Origin
from bocage.assistant.models import Conversation, CuratedPair, DayCount, Feedback, Handover, Message
from bocage.assistant.transitions import UnknownConversation, advance
from bocage.journal.models import Entry
from tests.assistant.standin import OPENING
from tests.assistant.standin import answer as standin
from tests.assistant.talks import begun, older, queued, said

pytestmark = pytest.mark.django_db


def test_an_answer_keeps_its_citations_word_for_word(served):
    conversation = begun("carte grise")
    kept = Message.objects.get(conversation=conversation, author=Author.MACHINE)
    assert kept.said == standin("carte grise", [], Audience.CITIZENS, served, timezone.now())
    assert json.loads(json.dumps(kept.answer)) == kept.answer and kept.joules == 0.8
    assert Answer.from_json(kept.answer).sentences[0].stale


def test_out_of_service_until_an_administrator_puts_it_in_service(in_brenoux):
    with pytest.raises(conversations.NotInService):
        conversations.begin(Audience.CITIZENS)
    assert not Conversation.objects.exists()


def test_the_same_form_sent_twice_is_one_message_and_one_answer(served):
    key = conversations.new_key()
    for _ in range(2):
        conversation = conversations.begin(Audience.CITIZENS, key)
        conversations.ask(conversation, "déchetterie", nonce="abc")
    assert Conversation.objects.count() == 1
    assert said(conversation, Author.CITIZEN) == ["déchetterie"] and len(said(conversation, Author.MACHINE)) == 1


def test_a_key_that_the_server_did_not_make_opens_nothing(served):
    first = conversations.begin(Audience.CITIZENS, "a" * 43)
    assert first.secret != "a" * 43 and len(first.secret) >= 43
    signed = conversations.new_key()
    second = conversations.begin(Audience.CITIZENS, signed[:-1] + ("A" if signed[-1] != "A" else "B"))
    assert second.secret != signed.split(":")[0]


def test_a_fault_of_the_engine_loses_nothing_and_shows_the_way_to_a_person(served, caplog):
    conversation = begun("panne totale")
    machine = Message.objects.get(conversation=conversation, author=Author.MACHINE)
    assert machine.kind == Kind.REFUSAL and "une personne peut y répondre" in machine.text
    assert said(conversation, Author.CITIZEN) == ["panne totale"]
    assert "the answering engine failed" in caplog.text


def test_a_question_whose_server_died_is_answered_by_the_worker_once(served):
    conversation = conversations.begin(Audience.CITIZENS)
    question = conversations.receive(conversation, "déchetterie")
    assert conversations.unanswered(conversation) == question
    assert conversations.answer_lost_questions() == 0, "too early: a server may be answering"
    Message.objects.filter(pk=question.pk).update(created_at=timezone.now() - timedelta(minutes=1))
    assert conversations.answer_lost_questions() == 1
    assert conversations.answer_lost_questions() == 0
    assert conversations.answer(question) is None, "a second answer to one question"
    assert len(said(conversation, Author.MACHINE)) == 1


def test_a_lost_question_that_fails_leaves_no_other_unanswered(served, monkeypatch, caplog):
    questions = [conversations.receive(conversations.begin(Audience.CITIZENS), words) for words in ("déchetterie", "carte", "logement")]
    Message.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    real = conversations.advance

    def failing(conversation, event, *more, **others):
        if conversation == questions[0].conversation:
            raise RuntimeError("a fault of ours")
        return real(conversation, event, *more, **others)

    monkeypatch.setattr(conversations, "advance", failing)
    assert conversations.answer_lost_questions() == 2
    assert [question.replies.count() for question in questions] == [0, 1, 1]
    assert f"lost question {questions[0].pk}" in caplog.text


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite keeps a NUL")
def test_an_answer_that_the_database_cannot_keep_becomes_the_way_to_a_person(served, caplog):
    conversation = conversations.begin(Audience.CITIZENS)
    question = conversations.receive(conversation, "déchetterie")
    written = conversations.answer(question, lambda *given: Answer(Kind.ANSWER, (replace(OPENING, title="Déchet\x00terie"),)))
    assert written.kind == Kind.REFUSAL and "une personne peut y répondre" in written.text
    assert conversations.unanswered(conversation) is None and "cannot keep" in caplog.text


def test_asking_for_a_person_in_words_is_one_step(served):
    conversation = begun("jveux parler a klkun svp")
    assert conversation.state == "demande"
    assert not said(conversation, Author.MACHINE)
    assert Handover.objects.get(conversation=conversation).reason == Handover.Reason.WORDS


def test_a_single_service_gets_the_request_at_once(served):
    configuration.change(None, list(Audience), 30, 60, [{"name": "Mairie"}], [])
    conversation = begun("un humain")
    assert (conversation.state, conversation.service) == ("file", "mairie")


def test_a_request_that_nobody_oriented_goes_to_the_first_service(served):
    conversation = begun("un humain")
    assert upkeep.time_out() == 0
    older(conversation, minutes=3)
    assert upkeep.time_out() == 1
    conversation.refresh_from_db()
    assert (conversation.state, conversation.service) == ("file", "accueil")
    assert "Votre demande est transmise : Accueil" in said(conversation, Author.SYSTEM)[-1]


@pytest.mark.parametrize(("text", "reason"), [("suicide", "urgence"), ("dossier de mon voisin", "machine")])
def test_distress_and_files_of_persons_go_to_a_human_at_once(served, text, reason):
    conversation = begun(text)
    assert conversation.waits and Handover.objects.get(conversation=conversation).reason == reason
    assert said(conversation, Author.MACHINE)


def test_the_machine_that_was_thinking_when_an_agent_took_over_says_nothing(served, nadia):
    conversation = conversations.begin(Audience.CITIZENS)

    def slow(*asked):
        conversations.request_person(conversation, "accueil")
        inbox.take(Conversation.objects.get(pk=conversation.pk), nadia)
        return standin(*asked)

    conversations.ask(conversation, "déchetterie", slow)
    assert not said(conversation, Author.MACHINE)


def test_a_contact_is_kept_with_consent_only(served):
    conversation = queued()
    with pytest.raises(conversations.InvalidMessage, match="Cochez la case"):
        conversations.give_contact(conversation, "02 99 00 00 00", False)
    conversations.give_contact(conversation, " 02 99 00 00 00 ", True)
    conversation.refresh_from_db()
    assert conversation.contact == "02 99 00 00 00" and conversation.consent_at


def test_a_contact_serves_the_request_it_was_given_for_and_no_other(served, nadia):
    conversation = begun("je veux parler à quelqu'un")
    conversations.give_contact(conversation, "jeanne@exemple.fr", consents=True)
    conversations.withdraw(conversation)
    conversation.refresh_from_db()
    assert not conversation.contact and conversation.consent_at is None, "taken back, it takes the contact along"
    conversations.request_person(conversation, "accueil")
    conversations.give_contact(conversation, "jeanne@exemple.fr", consents=True)
    inbox.take(conversation, nadia)
    inbox.write(conversation, nadia, "C’est fait.")
    inbox.resolve(conversation, nadia)
    conversations.reopen(conversation)
    conversation.refresh_from_db()
    assert conversation.contact == "jeanne@exemple.fr", "the same request, which was not settled"
    inbox.take(conversation, nadia)
    inbox.resolve(conversation, nadia)
    conversations.request_person(conversation, "accueil")
    conversation.refresh_from_db()
    assert not conversation.contact, "another request"


@pytest.mark.parametrize("text", ["", "   \n ", "\x00", "a" * 2001])
def test_a_message_is_bounded(served, text):
    conversation = conversations.begin(Audience.CITIZENS)
    with pytest.raises(conversations.InvalidMessage):
        conversations.ask(conversation, text)
    assert not Message.objects.exists()


def test_erased_means_erased(served, nadia):
    conversation = begun("MARQUE secrète")
    machine = Message.objects.get(author=Author.MACHINE)
    conversations.rate(machine, False)
    conversations.request_person(conversation, "accueil")
    key = conversation.secret
    conversations.erase(conversation)
    assert not any(model.objects.exists() for model in (Conversation, Message, Handover, Feedback))
    with pytest.raises(UnknownConversation):
        conversations.find(key)
    with pytest.raises(UnknownConversation), transaction.atomic():
        advance(conversation, h.TakesOver(nadia.pk), nadia)
    assert not Entry.objects.filter(content__contains="MARQUE").exists()
    assert Entry.objects.filter(event="assistant.effacement").count() == 1


def test_bad_answers_become_reviewed_pairs_without_personal_data(served, nadia, hugo):
    conversation = begun("hors sujet, mon numéro est 06 12 34 56 78")
    machine = Message.objects.get(conversation=conversation, author=Author.MACHINE)
    pair = curation.not_good(machine, hugo, "hors-sujet", "Adressez-vous au guichet.", "Guichet unique")
    assert pair.question == "hors sujet, mon numéro est [téléphone]" and not curation.validated_documents()
    curation.review(pair, nadia, True, "Où m’adresser ?", "Adressez-vous au guichet.", "Guichet unique", "https://brenoux.example/guichet")
    with pytest.raises(h.NotNow):
        curation.review(pair, hugo, False)
    (document,) = curation.validated_documents()
    assert (document.origin, document.questions) == (Origin.CURATED, ("Où m’adresser ?",))
    assert [p.text for p in document.passages] == ["Adressez-vous au guichet."]


@pytest.mark.parametrize("missing", ["question", "answer", "title"])
def test_a_pair_without_source_answer_or_question_is_not_validated(served, nadia, missing):
    pair = CuratedPair(audience="citoyens", question="?")
    pair.save()
    given = {"question": "Q", "answer": "R", "title": "S", missing: ""}
    with pytest.raises(conversations.InvalidMessage):
        curation.review(pair, nadia, True, **given)


def test_what_is_counted(served):
    conversation = begun()
    conversations.ask(conversation, "hors sujet")
    conversations.ask(conversation, "logement")
    good = Message.objects.filter(kind="reponse").get()
    conversations.rate(good, True)
    conversations.rate(good, False)
    conversations.request_person(conversation)
    day = DayCount.objects.get()
    counted = (day.questions, day.answers, day.refusals, day.clarifications, day.requests, day.good, day.bad)
    assert counted == (3, 1, 1, 1, 1, 0, 1) and day.joules == pytest.approx(0.7)


def test_an_agents_own_question_is_no_request_and_is_nobody_elses(served, hugo):
    talk = conversations.begin(Audience.STAFF, person=hugo)
    conversations.ask(talk, "je veux parler à quelqu'un")
    assert talk.state == "bot" and not Handover.objects.exists()
    with pytest.raises(UnknownConversation):
        inbox.get(talk.pk)
    with pytest.raises(UnknownConversation):
        conversations.find(talk.secret)


def test_the_database_itself_refuses_a_second_answer_and_a_second_open_request(served):
    conversation = begun("un humain")
    question = Message.objects.filter(author=Author.CITIZEN).get()
    with pytest.raises(IntegrityError), transaction.atomic():
        for _ in range(2):
            Message(conversation=conversation, author=Author.MACHINE, text="", reply_to=question).save()
    with pytest.raises(IntegrityError), transaction.atomic():
        Handover(conversation=conversation, requested_at=timezone.now()).save()


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("services", [{"name": "A", "email": "pas une adresse"}], "adresse électronique"),
        ("services", [{"name": "A", "hours": "quand on veut"}], "ne donne pas d’heures"),
        ("services", [{"name": "A"}, {"name": "a"}], "Deux services"),
        ("origins", ["http://brenoux.example"], "adresse d’un site"),
        ("origins", ["https://*.brenoux.example"], "adresse d’un site"),
        ("origins", ["https://x.example/page"], "adresse d’un site"),
        ("days", "0", "entre 1 et 365"),
        ("days", "²", "entre 1 et 365"),
        ("audiences", ["tous"], "n’est pas un public"),
    ],
)
def test_settings_teach(served, field, value, said):
    values = {"audiences": [], "days": "30", "minutes": "60", "services": [], "origins": []} | {field: value}
    with pytest.raises(Exception) as refused:
        configuration.change(None, *values.values())
    assert said in refused.value.message
    assert configuration.configuration().retention_days == 30
