"""No message is lost and none is kept twice; a person and the eraser stay within reach whatever was sent before; odd input is told so."""

from __future__ import annotations

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bocage.assistant import configuration, conversations, inbox, limits
from bocage.assistant.answer_types import Author
from bocage.assistant.documents import Audience
from bocage.assistant.models import Conversation, Message
from bocage.organisations.models import SignInAttempt

pytestmark = pytest.mark.django_db
HOME, NEXT_DOOR = "203.0.113.7", "198.51.100.4"


def begun() -> Conversation:
    return conversations.begin(Audience.CITIZENS)


def written(conversation: Conversation) -> list[str]:
    return list(Message.objects.filter(conversation=conversation, author=Author.CITIZEN).values_list("text", flat=True))


def lengthen(conversation: Conversation, lines: int) -> None:
    Message.objects.bulk_create(
        Message(
            organisation_id=conversation.organisation_id,
            conversation=conversation,
            author=Author.SYSTEM,
            text=f"ligne {n}",
            turn=conversation.turn,
        )
        for n in range(lines)
    )


@given(st.lists(st.tuples(st.sampled_from(["", "None", "formulaire", "a" * 60]), st.sampled_from(["oui", "non", " oui ", "ou\x00i"]))))
@settings(max_examples=25, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_other_words_are_another_message_and_the_same_words_of_one_form_are_one(served, sent):
    with transaction.atomic():
        conversation = begun()
        conversations.request_person(conversation)
        expected, known = [], set()
        for nonce, text in sent:
            conversations.receive(conversation, text, nonce)
            words = "non" if text == "non" else "oui"
            if not nonce or (nonce, words) not in known:
                expected.append(words)
            known.add((nonce, words))
        assert written(conversation) == expected


def test_what_a_form_sent_cannot_be_guessed_from_its_stamp(served):
    conversation = begun()
    message = conversations.receive(conversation, "mon numéro est le 06 12 34 56 78", "formulaire")
    assert len(message.nonce) == 40 and "formulaire" not in message.nonce
    assert conversations.receive(begun(), "mon numéro est le 06 12 34 56 79", "formulaire").nonce != message.nonce


def test_a_very_long_conversation_is_closed_to_the_machine_never_to_a_person(served, nadia):
    conversation = begun()
    lengthen(conversation, conversations.MOST_MESSAGES)
    with pytest.raises(conversations.InvalidMessage, match="demandez une personne"):
        conversations.receive(conversation, "et la piscine ?")
    conversations.receive(conversation, "je veux parler à une personne, je me sens mal")
    conversations.choose_service(conversation, "accueil")
    inbox.take(conversation, nadia)
    inbox.write(conversation, nadia, "Je vous écoute.")
    conversations.receive(conversation, "Voici ma réponse")
    assert written(conversation) == ["je veux parler à une personne, je me sens mal", "Voici ma réponse"]


def test_even_with_a_person_a_conversation_has_an_end(served, monkeypatch):
    monkeypatch.setattr(conversations, "MOST_WITH_A_PERSON", 5)
    conversation = begun()
    conversations.request_person(conversation, "accueil")
    lengthen(conversation, 5)
    with pytest.raises(conversations.InvalidMessage, match="Appelez la collectivité"):
        conversations.receive(conversation, "encore un mot")


@pytest.mark.parametrize(("sent", "kept"), [("\ud800 piscine", "piscine"), ("l’é\udfffté\x00", "l’été"), ("🌳\r\n🌳", "🌳\n🌳")])
def test_what_no_database_keeps_is_left_out_of_a_message(served, sent, kept):
    conversation = conversations.begin(Audience.CITIZENS, "\ud800")
    conversations.receive(conversation, sent, "\ud800")
    conversations.request_person(conversation)
    conversations.give_contact(conversation, f"{sent} 02 61 91 40 12", True)
    assert written(conversation) == [kept] and conversation.contact.endswith("02 61 91 40 12")


def test_half_a_character_is_no_message(served):
    with pytest.raises(conversations.InvalidMessage, match="Écrivez votre message"):
        conversations.receive(begun(), "\ud800 \x00")


def test_whoever_has_asked_much_still_reaches_a_person_and_the_eraser(served, monkeypatch):
    monkeypatch.setattr(limits, "PER_CONVERSATION", 2)
    conversation = begun()
    for _ in range(2):
        limits.count_message(HOME, conversation)
    with pytest.raises(limits.TooManyMessages, match="toujours demander une personne"):
        limits.count_message(HOME, conversation)
    limits.count_call(HOME, conversation)
    limits.count_erasure(HOME)


@pytest.mark.parametrize(
    ("bound", "count"),
    [("PER_NETWORK", limits.count_message), ("CALLS_PER_NETWORK", limits.count_call), ("ERASURES_PER_NETWORK", limits.count_erasure)],
)
def test_a_flood_from_one_network_is_stopped_and_takes_nothing_from_the_others(served, monkeypatch, bound, count):
    monkeypatch.setattr(limits, bound, 3)
    refused = 0
    for _ in range(10):
        try:
            count(HOME)
        except limits.TooManyMessages:
            refused += 1
    assert refused == 7
    assert SignInAttempt.objects.get(key__contains=f"organisation {served.pk}").failures == 3
    count(NEXT_DOOR)


def test_calls_of_one_conversation_are_bounded(served, monkeypatch):
    monkeypatch.setattr(limits, "CALLS_PER_CONVERSATION", 1)
    conversation = begun()
    limits.count_call(HOME, conversation)
    with pytest.raises(limits.TooManyMessages):
        limits.count_call(HOME, conversation)
    limits.count_call(HOME, begun())


@pytest.mark.parametrize(
    ("waits", "own", "text", "expected"),
    [
        (False, False, "la piscine ?", False),
        (False, False, "un humain", True),
        (True, False, "la piscine ?", True),
        (False, True, "un humain", False),
    ],
)
def test_what_is_written_for_a_person(served, hugo, waits, own, text, expected):
    conversation = conversations.begin(Audience.COUNTER if own else Audience.CITIZENS, "", hugo if own else None)
    if waits:
        conversations.request_person(conversation)
    assert conversations.for_person(conversation, text) is expected
    message = conversations.receive(conversation, text)
    assert message.for_machine is not expected


@pytest.mark.parametrize("number", ["9" * 5000, "0" * 5000 + "30", "３０", "30.5", "-1", ""])
@pytest.mark.parametrize(("days", "minutes"), [(True, False), (False, True)])
def test_a_number_that_is_none_is_told_so_however_long_it_is(served, number, days, minutes):
    with pytest.raises(configuration.InvalidAssistantSettings, match="il faut un nombre entier"):
        configuration.change(None, [], number if days else 30, number if minutes else 60, [], [])


@pytest.mark.parametrize(
    ("written", "sent_by_browsers"),
    [
        ("https://é.example", "https://xn--9ca.example"),
        ("https://Mairie-Bœuf.example/", "https://xn--mairie-buf-t5b.example"),
        ("https://xn--9ca.example:443", "https://xn--9ca.example"),
        ("https://www.brenoux.example:8443", "https://www.brenoux.example:8443"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_a_site_is_kept_as_browsers_name_it(served, written, sent_by_browsers):
    changed = configuration.change(None, [Audience.CITIZENS], 30, 60, [], [written, sent_by_browsers])
    assert changed.widget_origins == (sent_by_browsers,)


@pytest.mark.parametrize(
    "site", ["https://a..b", "https://faß.example", "https://a.example'", "https://" + "é" * 70 + ".example", "https://a%20b"]
)
def test_a_site_that_no_browser_can_name_is_refused(served, site):
    with pytest.raises(configuration.InvalidAssistantSettings, match="adresse d’un site"):
        configuration.change(None, [], 30, 60, [], [site])
