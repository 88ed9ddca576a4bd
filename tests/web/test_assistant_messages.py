"""Nothing that a citizen sends is dropped without a word, and a person stays one click away: the page, the agents' page, the widget."""

from __future__ import annotations

import html
import re

import pytest
from django.test import Client

from bocage.assistant import configuration, limits
from bocage.assistant.documents import Audience
from bocage.assistant.models import Conversation, Message
from bocage.organisations.tenancy import organisation_context
from tests.web.portal import HOME, client_of

pytestmark = pytest.mark.django_db
PAGE, WIDGET, SITE = f"{HOME}/assistant/", f"{HOME}/assistant-widget/", "https://www.brenoux.example"


@pytest.fixture(autouse=True)
def served(brenoux, settings):
    settings.ASSISTANT_ANSWERER = "tests.assistant.standin.answer"
    with organisation_context(brenoux):
        services = [{"name": "Accueil", "hours": "lundi au vendredi 9 h-17 h"}, {"name": "Urbanisme"}]
        configuration.change(None, list(Audience), 30, 60, services, [SITE])


@pytest.fixture
def citizen() -> Client:
    return Client()


def tokens(response) -> list[str]:
    """The ``jeton`` of every form of the page."""
    return re.findall(r'name="jeton" value="([^"]*)"', response.content.decode())


def options(response) -> list[str]:
    return [html.unescape(text) for text in re.findall(r'<button class="btn soft" name="texte" value="([^"]+)"', response.content.decode())]


def written(brenoux) -> list[str]:
    with organisation_context(brenoux):
        return list(Message.objects.filter(author="citoyen").order_by("pk").values_list("text", flat=True))


def opened(client: Client, **sent: str) -> str:
    return client.post(PAGE, sent).url.split("#")[0]


def test_after_an_error_of_another_form_each_message_arrives(citizen, brenoux):
    address = opened(citizen, action="personne")
    for text in ("Message numéro 1", "Message numéro 2"):
        refused = citizen.post(address, {"action": "contact", "contact": "   ", "accord": "oui"})
        (token,) = tokens(refused)
        assert refused.status_code == 422 and len(token) > 20
        citizen.post(address, {"action": "question", "texte": text, "jeton": token})
    assert written(brenoux) == ["Message numéro 1", "Message numéro 2"]


def test_two_options_of_one_answer_in_two_tabs_are_two_questions(citizen, brenoux):
    address = opened(citizen, texte="logement")
    first, second = citizen.get(address), citizen.get(address)
    tenant, owner = options(first)
    citizen.post(address, {"action": "question", "texte": tenant, "jeton": tokens(first)[0]})
    for _ in range(2):
        citizen.post(address, {"action": "question", "texte": owner, "jeton": tokens(second)[0]})
    assert written(brenoux) == ["logement", tenant, owner]


def test_a_refused_question_of_an_agent_is_sent_again_with_a_token(brenoux):
    agent = client_of(brenoux, "agent", "hugo@brenoux.example", "Hugo Marchand")
    page = f"{HOME}/assistant-agents/"
    refused = agent.post(page, {"texte": "carte grise"})
    assert refused.status_code == 422 and len(tokens(refused)[0]) > 20
    sent = agent.post(page, {"audience": "rh", "texte": "carte grise", "jeton": tokens(refused)[0]})
    agent.post(sent.url, {"action": "question", "texte": "carte de cantine", "jeton": tokens(refused)[0]})
    assert written(brenoux) == ["carte grise", "carte de cantine"]


@pytest.mark.parametrize(
    "sent",
    [
        {"action": "personne"},
        {"action": "question", "texte": "je veux parler à une personne, je me sens mal", "jeton": "zz"},
        {"action": "effacer"},
    ],
)
def test_however_much_was_asked_a_person_and_the_eraser_answer(citizen, monkeypatch, sent):
    monkeypatch.setattr(limits, "PER_CONVERSATION", 1)
    address = opened(citizen, texte="piscine")
    tries = [citizen.post(address, {"action": "question", "texte": "piscine ?"}) for _ in range(2)]
    assert [response.status_code for response in tries] == [302, 429]
    assert "toujours demander une personne" in tries[1].content.decode().replace("\u202f", " ").replace("\u00a0", " ")
    assert citizen.post(address, sent).status_code == 302


def test_somebody_who_talks_with_a_person_is_not_held_back_by_the_limit_of_the_machine(citizen, brenoux, monkeypatch):
    monkeypatch.setattr(limits, "PER_CONVERSATION", 1)
    monkeypatch.setattr(limits, "CALLS_PER_CONVERSATION", 3)
    address = opened(citizen, action="personne", service="accueil")
    codes = [citizen.post(address, {"action": "question", "texte": f"précision {n}"}).status_code for n in range(4)]
    assert codes == [302, 302, 302, 429], "and even so not without end"
    assert written(brenoux) == [f"précision {n}" for n in range(3)]


def test_an_agent_erases_a_question_however_many_were_asked(brenoux, monkeypatch):
    agent = client_of(brenoux, "agent", "hugo@brenoux.example", "Hugo Marchand")
    sent = agent.post(f"{HOME}/assistant-agents/", {"audience": "rh", "texte": "carte grise"})
    monkeypatch.setattr(limits, "PER_CONVERSATION", 1)
    codes = [agent.post(sent.url, {"action": "question", "texte": "et le permis ?"}).status_code for _ in range(2)]
    assert codes == [302, 422]
    assert agent.post(sent.url, {"action": "effacer"}).status_code == 302
    assert not Conversation.across_organisations.exists()


def test_the_widget_offers_to_reopen_as_long_as_the_conversation_lives(citizen, brenoux):
    agent = client_of(brenoux, "agent", "hugo@brenoux.example", "Hugo Marchand")

    def sent(path: str = "", **body: str) -> dict:
        return citizen.post(f"{WIDGET}{path}", body, content_type="application/json", headers={"Origin": SITE}).json()

    asked = sent(action="personne", service="accueil")
    path = f"{asked['key']}/"
    assert not asked["reopens"]
    with organisation_context(brenoux):
        box = f"{HOME}/boite/{Conversation.objects.get().pk}/"
    for action in ("prendre", "regler"):
        agent.post(box, {"action": action})
    assert sent(path, action="question", texte="Merci", jeton="un")["reopens"]
    again = sent(path, action="rouvrir")
    assert not again["reopens"] and again["state"] == "file"


@pytest.mark.parametrize(
    "body", ['{"action":"question","texte":"\\ud800 piscine"}', '{"texte":"piscine","start":"\\ud800","jeton":"\\udfff","flux":"\\ud800"}']
)
def test_the_widget_reads_half_characters_as_nothing(citizen, brenoux, body):
    said = citizen.post(WIDGET, body, content_type="application/json", headers={"Origin": SITE})
    assert said.status_code == 201 and written(brenoux) == ["piscine"]


def test_the_widget_serves_a_site_whose_name_has_accents(citizen, brenoux):
    with organisation_context(brenoux):
        configuration.change(None, list(Audience), 30, 60, [], ["https://mairie-été.example"])
    sent_by_browsers = "https://xn--mairie-t-h1ab.example"
    allowed = citizen.get(WIDGET, headers={"Origin": sent_by_browsers})
    assert allowed.status_code == 200 and allowed["Access-Control-Allow-Origin"] == sent_by_browsers
