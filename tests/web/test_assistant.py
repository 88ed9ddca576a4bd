"""The assistant's pages as a citizen and an agent use them without JavaScript."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db.models import F
from django.test import Client
from django.utils import timezone

from bocage.assistant import configuration, conversations
from bocage.assistant.answer_types import Answer, Cited, Kind
from bocage.assistant.documents import Audience, Origin, Step, StepKind
from bocage.assistant.hours_line import parse_hours
from bocage.assistant.models import Conversation, Feedback, Handover, Message
from bocage.assistant.promise import standing
from bocage.contract import french
from bocage.organisations.tenancy import organisation_context
from tests.web.portal import HOME, client_of

pytestmark = pytest.mark.django_db
PAGE, BOX = f"{HOME}/assistant/", f"{HOME}/boite/"
SITE = "https://www.brenoux.example"
EVIL = '<script>alert(1)</script><img src=x onerror=1> & "q"'


@pytest.fixture(autouse=True)
def served(brenoux, settings):
    settings.ASSISTANT_ANSWERER = "tests.assistant.standin.answer"
    brenoux.contact = "Accueil, 02 61 91 40 12, du lundi au vendredi"
    brenoux.save()
    with organisation_context(brenoux):
        services = [{"name": "Accueil", "hours": "lundi au vendredi 9 h-17 h"}, {"name": "Urbanisme"}]
        configuration.change(None, list(Audience), 30, 60, services, [SITE])


@pytest.fixture
def citizen() -> Client:
    return Client(enforce_csrf_checks=False)


@pytest.fixture
def agent(brenoux) -> Client:
    return client_of(brenoux, "agent", "hugo@brenoux.example", "Hugo Marchand")


def text(response) -> str:
    return plain(re.sub(r"<[^>]+>", "", response.content.decode()))


def plain(said: str) -> str:
    return re.sub("[\u202f\u00a0]", " ", said)


def asked(client: Client, question: str = "déchetterie ouverte ?"):
    first = client.post(PAGE, {"action": "question", "texte": question})
    assert first.status_code == 302, first.content.decode()[:2000]
    return first.url.split("#")[0]


def number(brenoux) -> int:
    with organisation_context(brenoux):
        return Conversation.objects.get().pk


def test_it_says_at_once_what_it_is_and_that_a_person_is_one_click_away(citizen):
    page = citizen.get(PAGE)
    shown = text(page)
    assert "Vous parlez à une machine" in shown and "Demander une personne" in shown and "02 61 91 40 12" in shown
    assert "gardée 30 jours" in shown and "tel:0261914012" in page.content.decode()
    assert "no-store" in page["Cache-Control"] and page["X-Robots-Tag"] == "noindex"


def test_a_question_gets_its_passage_word_for_word_with_source_date_and_link(citizen):
    address = asked(citizen)
    page = citizen.get(address)
    assert "La déchetterie de Brenoux est ouverte du mardi au samedi, de 9 h à 12 h et de 14 h à 18 h." in page.content.decode()
    assert "Mise à jour le 1er septembre 2026" in text(page) and 'href="https://brenoux.example/dechetterie"' in page.content.decode()
    assert "Déchetterie, Horaires, Été" in text(page)
    assert Client().get(address).status_code == 200, "found again by its address alone, without a cookie"


def test_an_old_sheet_says_so_and_names_its_case(citizen):
    shown = text(citizen.get(asked(citizen, "carte grise")))
    assert "Plus de douze mois" in shown and "Si : Vous achetez à un particulier" in shown
    assert "Démarche en ligne : Demander la carte grise" in shown


def test_asking_back_offers_buttons_that_ask(citizen, brenoux):
    address = asked(citizen, "logement")
    page = citizen.get(address).content.decode()
    choice = re.search(r'<button class="btn soft" name="texte" value="([^"]+)"', page).group(1)
    citizen.post(address, {"action": "question", "texte": choice})
    assert "carte pour un locataire" in text(citizen.get(address))


def test_a_refusal_says_why(citizen):
    assert "Je préfère ne pas répondre" in text(citizen.get(asked(citizen, "hors sujet")))


def test_another_language_is_marked_for_those_who_hear_the_page(citizen, settings):
    settings.ASSISTANT_ANSWERER = "bocage.assistant.answers.answer"
    page = citizen.get(asked(citizen, "متى تفتح البلدية")).content.decode()
    assert re.search(r'<p class="note" dir="auto" lang="ar">لا أقرأ', page) and 'lang="fr"' in page


def test_distress_shows_the_numbers_and_calls_a_person(citizen):
    shown = text(citizen.get(asked(citizen, "suicide")))
    assert "3114" in shown and "112" in shown and "Votre demande est enregistrée" in shown


def test_nothing_that_is_typed_is_ever_markup(citizen, agent, brenoux):
    address = asked(citizen, EVIL)
    for page in (
        citizen.get(address),
        citizen.post(address, {"action": "contact", "contact": EVIL}),
        citizen.post(address, {"action": EVIL}),
    ):
        assert b"<script>alert" not in page.content and b"<img src=x" not in page.content
    citizen.post(address, {"action": "personne"})
    citizen.post(address, {"action": "contact", "contact": EVIL, "accord": "oui"})
    for page in (agent.get(BOX), agent.get(f"{BOX}{number(brenoux)}/")):
        assert b"&lt;script&gt;alert" in page.content
        assert b"<script>alert" not in page.content and b"<img src=x" not in page.content


@pytest.mark.parametrize(("sent", "status"), [({"texte": ""}, 422), ({"texte": "a" * 2001}, 422), ({}, 422)])
def test_what_cannot_be_sent_is_said_and_kept_in_the_field(citizen, sent, status):
    page = citizen.post(PAGE, sent)
    assert page.status_code == status and 'role="alert"' in page.content.decode()
    assert sent.get("texte", "")[:100] in page.content.decode()
    assert not Conversation.across_organisations.exists()


def test_one_click_asks_for_a_person_even_before_a_question(citizen, agent, brenoux):
    address = citizen.post(PAGE, {"action": "personne"}).url.split("#")[0]
    assert "Quel service ?" in text(citizen.get(address))
    assert "À orienter" in text(agent.get(BOX))
    citizen.post(address, {"action": "service", "service": "accueil"})
    assert "Votre demande attend : Accueil." in text(citizen.get(address))


def test_from_the_queue_to_the_end(citizen, agent, brenoux):
    address = asked(citizen, "je veux parler à quelqu'un de mon permis")
    box = f"{BOX}{number(brenoux)}/"
    assert "permis" in text(agent.get(BOX)) and "Attend depuis 0 min" in text(agent.get(BOX))
    assert agent.post(box, {"action": "prendre"}).status_code == 302
    assert "Hugo Marchand" in text(citizen.get(address)) and "La machine se tait" in text(citizen.get(address))
    agent.post(box, {"action": "ecrire", "texte": "Bonjour, c'est fait."})
    assert "Bonjour, c'est fait." in citizen.get(address).content.decode().replace("&#x27;", "'")
    citizen.post(address, {"action": "question", "texte": "merci"})
    with organisation_context(brenoux):
        assert not Message.objects.filter(author="machine").exists()
    agent.post(box, {"action": "regler"})
    assert "Ce n’est pas réglé" in text(citizen.get(address))
    citizen.post(address, {"action": "rouvrir"})
    assert "N’était pas réglé" in text(agent.get(BOX))


def test_two_agents_one_writer(citizen, agent, brenoux):
    other = client_of(brenoux, "decideur", "nadia@brenoux.example", "Nadia Le Goff")
    asked(citizen, "un humain")
    box = f"{BOX}{number(brenoux)}/"
    agent.post(box, {"action": "prendre"})
    refused = other.post(box, {"action": "prendre"})
    assert refused.status_code == 409 and "Hugo Marchand a pris cette demande" in text(refused)
    lost = other.post(box, {"action": "ecrire", "texte": "Un long texte à ne pas perdre"})
    assert lost.status_code == 409 and "Un long texte à ne pas perdre" in text(lost)


def test_the_citizen_says_whether_the_passage_answers(citizen, brenoux):
    address = asked(citizen)
    with organisation_context(brenoux):
        machine = Message.objects.get(author="machine")
    citizen.post(address, {"action": "avis", "message": machine.pk, "avis": "pas-bon"})
    assert "ce n’est pas ma question" in text(citizen.get(address))
    with organisation_context(brenoux):
        assert not Feedback.objects.get().good


def test_erasing_leaves_nothing_and_the_address_says_so(citizen, brenoux):
    address = asked(citizen)
    assert citizen.post(address, {"action": "effacer"}).url == PAGE
    assert "est effacée" in text(citizen.get(PAGE))
    gone = citizen.get(address)
    assert gone.status_code == 404 and "n’existe pas" in text(gone)
    assert citizen.post(address, {"action": "question", "texte": "encore"}).status_code == 404
    assert not Message.across_organisations.exists()


def test_a_page_that_waits_is_told_when_nothing_is_new(citizen, agent, brenoux):
    address = asked(citizen, "un humain")
    first = citizen.get(address, headers={"X-Bocage-Vivant": "1"})
    again = citizen.get(address, headers={"X-Bocage-Vivant": "1", "If-None-Match": first["ETag"]})
    assert again.status_code == 304
    agent.post(f"{BOX}{number(brenoux)}/", {"action": "prendre"})
    assert citizen.get(address, headers={"X-Bocage-Vivant": "1", "If-None-Match": first["ETag"]}).status_code == 200


def set_back(days: int) -> None:
    """What is in the base, as if it had all happened ``days`` days before."""
    earlier = timedelta(days=days)
    Message.objects.update(created_at=F("created_at") - earlier)
    Handover.objects.update(requested_at=F("requested_at") - earlier, due_at=F("due_at") - earlier)


def test_a_promise_read_days_later_gives_its_date_and_says_that_it_is_late(citizen, agent, brenoux):
    address = asked(citizen, "un humain")
    citizen.post(address, {"action": "service", "service": "accueil"})
    waiting = citizen.get(address, headers={"X-Bocage-Vivant": "1"})
    with organisation_context(brenoux), timezone.override(brenoux.time_zone):
        made = plain(standing(Handover.objects.get().due_at, timezone.localtime()))
        assert made.startswith("Nous vous répondrons ici au plus tard le ") and made in text(waiting)
        assert f"« {made} »" in text(agent.get(f"{BOX}{number(brenoux)}/")), "agents read what was promised, word for word"
        set_back(9)
        late = plain(standing(Handover.objects.get().due_at, timezone.localtime()))
    page = citizen.get(address, headers={"X-Bocage-Vivant": "1", "If-None-Match": waiting["ETag"]})
    assert page.status_code == 200, "the open page hears of it, though nobody wrote"
    assert "nous sommes en retard" in late and late in text(page)
    embedded = citizen.get(address.replace("/assistant/", "/assistant-widget/"), headers={"Origin": SITE}).json()
    assert plain(embedded["promise"]) == late, "the same sentence on the commune's own site"
    assert not re.search(r"\b(demain|aujourd’hui)\b", text(page).replace("'", "’"))


def test_a_line_of_another_day_bears_its_day_and_paper_says_which_day_it_is(citizen, agent, brenoux):
    address = asked(citizen, "un humain")
    with organisation_context(brenoux), timezone.override(brenoux.time_zone):
        today = Message.objects.earliest("pk")
        assert f"Vous, à {plain(french.hour(timezone.localtime(today.created_at)))}" in text(citizen.get(address))
        assert f"Page du {plain(french.day(timezone.localdate(), year=True))}" in text(citizen.get(address))
        set_back(3)
        then = timezone.localtime(Message.objects.earliest("pk").created_at)
        said = plain(f"{french.day(then, year=then.year != timezone.localdate().year)} à {french.hour(then)}")
    assert f"Vous, {said}" in text(citizen.get(address)) and f"La personne, {said}" in text(agent.get(f"{BOX}{number(brenoux)}/"))
    assert f"{said[0].upper()}{said[1:]} : Votre demande est enregistrée." in text(citizen.get(address))


def test_too_many_messages_are_refused_kindly(citizen, monkeypatch, brenoux):
    monkeypatch.setattr("bocage.assistant.limits.PER_CONVERSATION", 2)
    address = asked(citizen)
    answers = [citizen.post(address, {"action": "question", "texte": "encore"}).status_code for _ in range(4)]
    assert answers == [302, 302, 429, 429]
    monkeypatch.setattr("bocage.assistant.limits.PER_NETWORK", 3)
    assert citizen.post(PAGE, {"texte": "et ailleurs ?"}).status_code == 429


def test_the_network_address_of_a_citizen_is_not_written_down(citizen):
    from bocage.organisations.models import SignInAttempt

    asked(citizen)
    keys = list(SignInAttempt.objects.values_list("key", flat=True))
    assert keys and not any("127.0.0.1" in key for key in keys)


def test_out_of_service_there_is_no_page_and_no_menu_entry(citizen, brenoux):
    with organisation_context(brenoux):
        configuration.change(None, [], 30, 60, [], [])
    assert citizen.get(PAGE).status_code == 404 and "n’est pas en service" in text(citizen.get(PAGE))
    assert "Poser une question" not in text(citizen.get(f"{HOME}/"))


def test_who_may_open_the_inbox(citizen, brenoux):
    assert citizen.get(BOX).status_code == 302
    assert client_of(brenoux, "lecteur", "l@brenoux.example", "Lectrice").get(BOX).status_code == 403


def test_an_agents_own_questions_show_sources_and_a_draft_and_stay_their_own(agent, brenoux):
    page = f"{HOME}/assistant-agents/"
    assert "Accueil" in text(agent.get(page))
    sent = agent.post(page, {"audience": "rh", "texte": "carte grise"})
    shown = agent.get(sent.url)
    assert "Brouillon à copier" in text(shown) and "« La demande de carte grise se fait en ligne. »" in text(shown)
    assert client_of(brenoux, "agent", "o@brenoux.example", "Autre").get(sent.url).status_code == 404
    assert agent.post(page, {"audience": "citoyens", "texte": "x"}).status_code == 422
    assert agent.post(sent.url, {"action": "effacer"}).status_code == 302
    assert not Message.across_organisations.exists()


def test_the_settings_page_teaches_and_keeps_what_was_typed(brenoux):
    admin = client_of(brenoux, "administrateur", "y@brenoux.example", "Yann Perrin")
    page = f"{HOME}/reglages/assistant/"
    assert "Accueil" in text(admin.get(page))
    sent = {"audiences": ["citoyens"], "retention_days": "15", "answer_minutes": "45", "origins": SITE}
    services = {"service_name": ["Mairie"], "service_email": ["m@brenoux.example"], "service_hours": ["quand on veut"]}
    wrong = admin.post(page, sent | services)
    assert wrong.status_code == 422 and "quand on veut" in wrong.content.decode()
    services["service_hours"] = ["lundi 9 h-12 h"]
    assert admin.post(page, sent | services).status_code == 302
    with organisation_context(brenoux):
        held = configuration.configuration()
    assert (held.retention_days, held.answer_minutes, held.services[0].slug) == (15, 45, "mairie")
    assert held.schedule(held.services[0]) == parse_hours("lundi 9 h-12 h", held.time_zone)


def widget(client: Client, method: str, path: str = "", origin: str = SITE, **sent):
    headers = {"Origin": origin} if origin else {}
    return getattr(client, method)(f"{HOME}/assistant-widget/{path}", sent or None, content_type="application/json", headers=headers)


def test_the_widget_speaks_to_the_named_sites_only(citizen):
    for origin in ("", "https://evil.example", "null", SITE + ".evil.example", "http://www.brenoux.example"):
        refused = widget(citizen, "get", origin=origin)
        assert refused.status_code == 403 and "Access-Control-Allow-Origin" not in refused
        assert widget(citizen, "post", origin=origin, texte="x").status_code == 403
    allowed = citizen.get(f"{HOME}/assistant-widget/", headers={"Origin": SITE})
    assert allowed["Access-Control-Allow-Origin"] == SITE and "Origin" in allowed["Vary"]
    assert "Access-Control-Allow-Credentials" not in allowed and not allowed.cookies
    assert citizen.options(f"{HOME}/assistant-widget/", headers={"Origin": SITE}).status_code == 204


def test_the_widget_has_the_same_conversation_with_the_same_citations(citizen, agent, brenoux):
    start = citizen.get(f"{HOME}/assistant-widget/", headers={"Origin": SITE}).json()["start"]
    for _ in range(2):
        said = widget(citizen, "post", texte="déchetterie ?", start=start, jeton="un").json()
    (question, machine) = said["messages"]
    assert question["author"] == "citoyen" and machine["quotes"][0]["date"] == "2026-09-01"
    assert machine["quotes"][0]["sentences"] == [
        "La déchetterie de Brenoux est ouverte du mardi au samedi, de 9 h à 12 h et de 14 h à 18 h."
    ]
    key = said["key"]
    assert widget(citizen, "post", f"{key}/", action="personne", service="accueil").json()["state"] == "file"
    agent.post(f"{BOX}{number(brenoux)}/", {"action": "prendre"})
    heard = citizen.get(f"{HOME}/assistant-widget/{key}/", headers={"Origin": SITE}).json()
    assert heard["person"] == "Hugo Marchand"
    assert widget(citizen, "post", f"{key}/", action="effacer").json() == {"erased": True}
    assert citizen.get(f"{HOME}/assistant-widget/{key}/", headers={"Origin": SITE}).status_code == 404


@pytest.mark.parametrize("body", ["", "[]", "{", "null", '{"texte": 3}', '{"texte": {"a": 1}}', "[" * 9000, "x" * 30_000])
def test_the_widget_takes_any_body(citizen, body):
    path = f"{HOME}/assistant-widget/"
    assert citizen.post(path, body, content_type="application/json", headers={"Origin": SITE}).status_code == 422
    assert citizen.post(path, {"texte": "form"}, headers={"Origin": SITE}).status_code == 422


def test_forms_need_their_token(brenoux):
    assert Client(enforce_csrf_checks=True).post(PAGE, {"texte": "x"}).status_code == 403


def test_a_question_left_by_a_dead_server_is_asked_again_with_one_button(citizen, brenoux):
    with organisation_context(brenoux):
        conversation = conversations.begin(Audience.CITIZENS)
        conversations.receive(conversation, "déchetterie")
    address = f"{PAGE}{conversation.secret}/"
    assert "Relancer la recherche" in text(citizen.get(address))
    citizen.post(address, {"action": "relancer"})
    assert "Passage trouvé" in text(citizen.get(address))


def test_every_kind_of_next_step_and_of_source_is_drawn(citizen, brenoux, settings):
    settings.ASSISTANT_ANSWERER = "tests.web.test_assistant.everything"
    shown = text(citizen.get(asked(citizen)))
    assert all(f"étape {kind.value}" in shown and f"phrase {origin.value}" in shown for kind in StepKind for origin in Origin)


def everything(question, history, audience, organisation, now) -> Answer:
    """An answer with one of each."""
    return Answer(
        Kind.ANSWER,
        tuple(Cited(f"phrase {origin.value}", "Titre", (), "", None, origin, "", "", origin.value) for origin in Origin),
        steps=tuple(Step(kind, f"étape {kind.value}", "https://www.brenoux.example/") for kind in StepKind),
    )


def test_a_very_cheap_answer_is_not_said_to_consume_nothing(citizen, brenoux):
    address = asked(citizen)
    for joules, said in ((0.03, "a consommé moins de 0,1 J"), (5.6, "a consommé 5,6 J")):
        with organisation_context(brenoux):
            Message.objects.filter(author="machine").update(joules=joules)
        assert said in text(citizen.get(address))
