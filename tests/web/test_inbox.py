"""The agents' inbox as they use it: who holds a request, who may take it over, what is theirs to read, what the citizen can reopen."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db.models import F
from django.test import Client

from bocage.assistant import configuration, upkeep
from bocage.assistant.documents import Audience
from bocage.assistant.models import Conversation, Message
from bocage.organisations.models import User
from bocage.organisations.tenancy import organisation_context
from tests.web.portal import HOME, client_of

pytestmark = pytest.mark.django_db
PAGE, BOX = f"{HOME}/assistant/", f"{HOME}/boite/"
REOPEN, TAKE_OVER = 'value="rouvrir"', 'value="reprendre"'


@pytest.fixture(autouse=True)
def served(brenoux, settings):
    settings.ASSISTANT_ANSWERER = "tests.assistant.standin.answer"
    with organisation_context(brenoux):
        configuration.change(None, list(Audience), 30, 60, [{"name": "Accueil"}], [])


@pytest.fixture
def hugo(brenoux) -> Client:
    return client_of(brenoux, "agent", "hugo@brenoux.example", "Hugo Marchand")


@pytest.fixture
def nadia(brenoux) -> Client:
    return client_of(brenoux, "decideur", "nadia@brenoux.example", "Nadia Le Goff")


@pytest.fixture
def citizen() -> Client:
    return Client()


@pytest.fixture
def talk(citizen) -> str:
    """The address of a conversation in which a person was asked for."""
    return citizen.post(PAGE, {"action": "question", "texte": "je veux parler à quelqu'un"}).url.split("#")[0]


@pytest.fixture
def box(brenoux, talk) -> str:
    """The same, as agents open it."""
    with organisation_context(brenoux):
        return f"{BOX}{Conversation.objects.get().pk}/"


def text(response) -> str:
    return re.sub("[\u202f\u00a0]", " ", re.sub(r"<[^>]+>", "", response.content.decode()))


def set_back(brenoux, hours: int) -> None:
    """What was said and done, as if ``hours`` hours before."""
    earlier = timedelta(hours=hours)
    with organisation_context(brenoux):
        Message.objects.update(created_at=F("created_at") - earlier)
        Conversation.objects.update(last_at=F("last_at") - earlier, state_at=F("state_at") - earlier)


def test_a_colleague_sees_who_holds_the_request_and_takes_it_over_when_nothing_comes(brenoux, talk, box, citizen, hugo, nadia):
    hugo.post(box, {"action": "prendre"})
    hugo.post(box, {"action": "ecrire", "texte": "Je regarde."})
    assert TAKE_OVER not in nadia.get(box).content.decode()
    refused = nadia.post(box, {"action": "reprendre"})
    assert refused.status_code == 409 and "Hugo Marchand a pris cette demande" in text(refused)
    set_back(brenoux, 3)
    page = nadia.get(box)
    assert TAKE_OVER in page.content.decode() and "Hugo Marchand n’a rien écrit depuis 3 h." in text(page)
    assert TAKE_OVER not in hugo.get(box).content.decode(), "whoever holds it has nothing to take over"
    assert "que tenait Hugo Marchand, est à vous" in text(nadia.post(box, {"action": "reprendre"}, follow=True))
    lost = hugo.post(box, {"action": "ecrire", "texte": "Voici enfin la réponse"})
    assert lost.status_code == 409 and "Voici enfin la réponse" in text(lost)
    assert "Hugo Marchand ne suit plus votre demande." in text(citizen.get(talk)) and "Nadia Le Goff" in text(citizen.get(talk))


def test_all_roles_taken_away_the_request_is_back_in_its_queue_for_the_colleagues(brenoux, talk, box, citizen, hugo, nadia):
    hugo.post(box, {"action": "prendre"})
    hugo.post(box, {"action": "ecrire", "texte": "Je regarde."})
    administrator = client_of(brenoux, "administrateur", "yann@brenoux.example", "Yann Perrin")
    gone = User.objects.get(email="hugo@brenoux.example")
    assert administrator.post(f"{HOME}/membres/personnes/{gone.pk}/", {"action": "retirer"}).status_code == 302
    assert "Votre demande attend : Accueil." in text(citizen.get(talk))
    assert nadia.post(box, {"action": "prendre"}).status_code == 302
    assert nadia.post(box, {"action": "regler"}).status_code == 302


@pytest.mark.parametrize("words", [(), ("Merci",), ("Merci", "et la déchetterie ?")])
def test_the_button_that_was_promised_is_there_as_long_as_the_conversation(brenoux, talk, box, citizen, hugo, words):
    assert REOPEN not in citizen.get(talk).content.decode()
    for action in ("prendre", "regler"):
        hugo.post(box, {"action": action})
    set_back(brenoux, 72)
    upkeep.time_out()
    for said in words:
        citizen.post(talk, {"action": "question", "texte": said, "jeton": said})
    page = citizen.get(talk)
    assert "« Ce n’est pas réglé »" in text(page) and REOPEN in page.content.decode()
    assert 'value="personne"' in page.content.decode(), "another matter: another request"
    citizen.post(talk, {"action": "rouvrir"})
    assert "N’était pas réglé" in text(hugo.get(BOX)) and REOPEN not in citizen.get(talk).content.decode()


def test_a_button_of_a_page_left_open_says_what_is_true(talk, citizen):
    refused = citizen.post(talk, {"action": "rouvrir"})
    assert refused.status_code == 409 and "encore ouverte" in text(refused)
    citizen.post(talk, {"action": "retirer"})
    refused = citizen.post(talk, {"action": "rouvrir"})
    assert refused.status_code == 409 and "Aucune demande n’a été réglée ici" in text(refused)


@pytest.mark.parametrize("end", ["retirer", "regler"])
def test_what_is_asked_of_the_machine_after_the_request_is_not_read_and_the_page_says_so(brenoux, talk, box, citizen, hugo, end):
    if end == "retirer":
        citizen.post(talk, {"action": "retirer"})
    else:
        for action in ("prendre", "regler"):
            hugo.post(box, {"action": action})
    citizen.post(talk, {"action": "question", "texte": "Mon mari a perdu son emploi : déchetterie ?"})
    page = text(hugo.get(box))
    assert "perdu son emploi" not in page and "ce que la personne lui demande depuis ne se lit pas ici" in page
    assert "je veux parler" in page
    with organisation_context(brenoux):
        machine = Message.objects.get(author="machine")
    assert hugo.post(box, {"action": "pas-bon", "message": machine.pk, "reason": "faux"}).status_code == 404
    citizen.post(talk, {"action": "personne"})
    assert "perdu son emploi" in text(hugo.get(box)), "asked again, a person reads what led to it"
