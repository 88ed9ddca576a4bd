"""« Pas bon », and what a person then writes: what the page says of it is what the next citizen gets, with the real engine."""

from __future__ import annotations

import json
import re

import pytest
from django.test import Client

from bocage.assistant import configuration, curation, library
from bocage.assistant.documents import Audience
from bocage.assistant.models import CuratedPair, Message
from bocage.journal.models import Entry
from bocage.journal.sentences import sentence
from bocage.organisations.models import User
from bocage.organisations.services import ensure_organisation
from bocage.organisations.tenancy import across, organisation_context
from tests.web.portal import HOME, client_of

pytestmark = pytest.mark.django_db
PAIRS = f"{HOME}/boite/reponses/"
QUESTION = "Combien coûte la piscine ?"
ANSWER = "L’entrée adulte coûte 3,20\u202f€.\n\nPour les groupes, appelez le 02 98 00 11 22 ou écrivez à piscine@brenoux.example."
SOURCE = {"title": "Délibération 2026-14", "url": "https://brenoux.example/d14"}
WRITTEN = {"question": QUESTION, "answer": ANSWER, **SOURCE}


@pytest.fixture(autouse=True)
def served(brenoux, settings, tmp_path):
    """Two assistants in service on a server without any index yet."""
    settings.HOME = tmp_path / "home"
    for owner in (brenoux, ensure_organisation("Marsanne")):
        with organisation_context(owner):
            configuration.change(None, list(Audience), 30, 60, [{"name": "Accueil"}], [])


@pytest.fixture
def nadia(brenoux) -> Client:
    return client_of(brenoux, "agent", "nadia@brenoux.example", "Nadia Le Goff")


@pytest.fixture
def hugo(brenoux) -> Client:
    return client_of(brenoux, "agent", "hugo@brenoux.example", "Hugo Marchand")


def text(response) -> str:
    return re.sub("[\u202f\u00a0]", " ", re.sub(r"<[^>]+>", "", response.content.decode()))


def asked(question: str = QUESTION, home: str = HOME) -> str:
    """What a citizen who asks reads."""
    citizen = Client()
    return text(citizen.get(citizen.post(f"{home}/assistant/", {"action": "question", "texte": question}).url.split("#")[0]))


def proposed(brenoux) -> CuratedPair:
    """A pair that waits for its review."""
    with organisation_context(brenoux):
        pair = CuratedPair(audience="citoyens", question=QUESTION, reason="Il manque l’essentiel")
        pair.save()
    return pair


def proposed_by(client: Client, brenoux) -> CuratedPair:
    """A pair that waits, proposed by whom ``client`` is."""
    pair = proposed(brenoux)
    with organisation_context(brenoux):
        CuratedPair.objects.filter(pk=pair.pk).update(proposed_by_id=client.session["_auth_user_id"])
    return pair


def facts() -> list[str]:
    """What the journal says of pairs, as sentences."""
    with across():
        found = list(Entry.across_organisations.filter(event="assistant.paire").order_by("sequence"))
    return [sentence(entry.event, json.loads(entry.content)) for entry in found]


def decide(client: Client, pair: CuratedPair, action: str, read: str = "", **written: str):
    """Post a decision from the page as it is now, or from the one that was read before."""
    page = f"{PAIRS}{pair.pk}/"
    return client.post(page, {"action": action, "lue": read or read_version(client, pair), **written}, follow=True)


def read_version(client: Client, pair: CuratedPair) -> str:
    return re.search(r'name="lue" value="([^"]*)"', client.get(f"{PAIRS}{pair.pk}/").content.decode())[1]


def verdicts() -> list[str]:
    with across():
        found = list(Entry.across_organisations.filter(event="assistant.paire").order_by("sequence"))
    return [re.search('"verdict":"([a-z]+)"', entry.content)[1] for entry in found]


def test_a_bad_answer_is_reviewed_and_the_next_citizen_gets_the_good_one_whole_with_its_source(nadia, brenoux):
    citizen, told = Client(), f"{QUESTION} Mon numéro : 06 12 34 56 78"
    address = citizen.post(f"{HOME}/assistant/", {"action": "question", "texte": told}).url.split("#")[0]
    citizen.post(address, {"action": "personne", "service": "accueil"})
    with organisation_context(brenoux):
        machine = Message.objects.get(author="machine")
    sent = {"action": "pas-bon", "message": machine.pk, "reason": "incomplet", "answer": ANSWER, **SOURCE}
    nadia.post(f"{HOME}/boite/{machine.conversation_id}/", sent)
    with organisation_context(brenoux):
        pair = CuratedPair.objects.get()
    assert (pair.question, pair.answer) == (f"{QUESTION} Mon numéro : [téléphone]", ANSWER), "the citizen's words alone are masked"
    assert "1 réponse à relire" in text(nadia.get(f"{HOME}/boite/")) and "coûte 3,20" not in asked()
    page = text(nadia.get(f"{PAIRS}{pair.pk}/"))
    assert "publique et contient : téléphone, adresse électronique" in page and "02 98 00 11 22" in page
    said = text(decide(nadia, pair, "valider", **WRITTEN))
    assert "elle passe devant les autres dès la prochaine question" in said and "contient : téléphone, adresse électronique" in said
    given = asked()
    assert "3,20 €" in given and "02 98 00 11 22 ou écrivez à piscine@brenoux.example" in given and "Délibération 2026-14" in given
    assert "coûte 3,20" not in asked(home="/marsanne"), "what one commune validates, no other answers"
    assert verdicts() == ["validee"]


def test_a_pair_in_service_is_corrected_then_withdrawn_then_put_back_each_for_the_next_question(nadia, brenoux):
    pair = proposed(brenoux)
    decide(nadia, pair, "valider", **WRITTEN)
    said = text(decide(nadia, pair, "corriger", **WRITTEN | {"answer": "L’entrée adulte coûte 3,50 €.", "title": "Délibération 2026-30"}))
    given = asked()
    assert "correction est en service" in said and "3,50 €" in given and "2026-30" in given and "3,20 €" not in given
    said = text(decide(nadia, pair, "retirer"))
    assert "elle n’est plus donnée" in said and "Écartées" in said and "3,50 €" not in asked()
    decide(nadia, pair, "valider", **WRITTEN)
    assert "3,20 €" in asked()
    assert verdicts() == ["validee", "corrigee", "retiree", "validee"]


def test_the_second_of_two_reviewers_is_told_who_decided_what_and_loses_no_word(nadia, hugo, brenoux):
    pair = proposed(brenoux)
    read = read_version(hugo, pair)
    decide(nadia, pair, "valider", **WRITTEN)
    mine = WRITTEN | {"answer": "L’entrée est gratuite."}
    for action in ("valider", "rejeter"):
        told = decide(hugo, pair, action, read, **mine)
        shown = text(told)
        assert told.status_code == 409 and "Nadia Le Goff a relu cette réponse : elle a été mise en service" in shown
        assert "L’entrée est gratuite." in shown and "3,20 €" in shown
    read = read_version(hugo, pair)
    decide(nadia, pair, "corriger", **WRITTEN | {"answer": "L’entrée adulte coûte 3,50 €."})
    for action in ("corriger", "retirer"):
        assert decide(hugo, pair, action, read, **mine).status_code == 409
    assert "3,50 €" in asked() and verdicts() == ["validee", "corrigee"]


def test_one_question_has_one_answer_in_service(nadia, brenoux):
    first, second = proposed(brenoux), proposed(brenoux)
    decide(nadia, first, "valider", **WRITTEN)
    refused = decide(nadia, second, "valider", **WRITTEN | {"question": "combien coute la PISCINE", "answer": "Elle est gratuite."})
    assert refused.status_code == 422 and "Une autre réponse est déjà en service" in text(refused)
    decide(nadia, first, "retirer")
    decide(nadia, second, "valider", **WRITTEN | {"answer": "Elle est gratuite."})
    assert "Elle est gratuite." in asked()


def test_what_is_incomplete_is_refused_and_what_was_typed_stays(nadia, brenoux):
    pair = proposed(brenoux)
    refused = decide(nadia, pair, "valider", **WRITTEN | {"title": ""})
    assert refused.status_code == 422 and "sa source" in text(refused) and "02 98 00 11 22" in text(refused)
    assert decide(nadia, pair, "détruire").status_code == 422
    said = text(decide(nadia, pair, "rejeter"))
    assert "La proposition est rejetée" in said and verdicts() == ["rejetee"]


def test_a_decision_that_the_index_could_not_take_is_never_said_to_be_in_service(nadia, brenoux, settings):
    pair = proposed(brenoux)
    blocked = settings.HOME / "assistant" / str(brenoux.pk)
    blocked.parent.mkdir(parents=True)
    blocked.write_text("a file stands where the index goes", encoding="utf-8")
    said = text(decide(nadia, pair, "valider", **WRITTEN))
    assert "n’est pas encore en service" in said and "dès la prochaine question" not in said
    assert "3,20 €" not in asked() and "pas encore en service" in text(nadia.get(f"{PAIRS}{pair.pk}/"))
    blocked.unlink()
    assert "Toutes les réponses validées sont en service" in text(nadia.post(PAIRS, follow=True))
    assert "3,20 €" in asked()


def test_while_an_import_runs_the_reviewer_is_told_that_it_takes_the_pair_at_its_end(nadia, brenoux, monkeypatch):
    monkeypatch.setattr(library, "_PATIENCE_S", 0.0)
    pair = proposed(brenoux)
    read = read_version(nadia, pair)
    with library._alone(brenoux):
        said = text(decide(nadia, pair, "valider", read, **WRITTEN))
        assert "Une importation est en cours" in said and "3,20 €" not in asked()
    library.warm_up()
    assert "3,20 €" in asked()


def test_whoever_proposed_an_answer_does_not_put_it_in_service_while_a_colleague_may(nadia, hugo, brenoux):
    pair = proposed_by(nadia, brenoux)
    page = nadia.get(f"{PAIRS}{pair.pk}/")
    assert 'value="valider"' not in page.content.decode() and "Hugo Marchand peut le faire" in text(page)
    refused = decide(nadia, pair, "valider", **WRITTEN)
    assert refused.status_code == 422 and "Demandez à Hugo Marchand." in text(refused) and "02 98 00 11 22" in text(refused)
    assert "coûte 3,20" not in asked() and verdicts() == []
    decide(hugo, pair, "valider", **WRITTEN)
    assert "3,20 €" in asked() and "proposée :" not in facts()[-1]


def test_whoever_proposed_an_answer_may_still_take_it_back_and_not_put_it_back_alone(nadia, hugo, brenoux):
    pair = proposed_by(nadia, brenoux)
    decide(nadia, pair, "rejeter")
    assert decide(nadia, pair, "valider", **WRITTEN).status_code == 422 and verdicts() == ["rejetee"]


def test_whoever_proposed_an_answer_does_not_change_it_alone_once_it_is_in_service(nadia, hugo, brenoux):
    pair = proposed_by(nadia, brenoux)
    decide(hugo, pair, "valider", **WRITTEN)
    other = WRITTEN | {"answer": "L’entrée est gratuite."}
    page = nadia.get(f"{PAIRS}{pair.pk}/")
    assert 'value="corriger"' not in page.content.decode() and "Hugo Marchand peut le faire" in text(page)
    refused = decide(nadia, pair, "corriger", **other)
    assert refused.status_code == 422 and "Demandez à Hugo Marchand." in text(refused) and "L’entrée est gratuite." in text(refused)
    assert "3,20 €" in asked() and verdicts() == ["validee"]
    decide(hugo, pair, "corriger", **other)
    assert "L’entrée est gratuite." in asked()
    decide(nadia, pair, "retirer")
    assert "L’entrée est gratuite." not in asked() and verdicts() == ["validee", "corrigee", "retiree"]


def test_alone_in_a_town_hall_one_may_change_it_too_and_the_journal_says_so(nadia, brenoux):
    pair = proposed_by(nadia, brenoux)
    decide(nadia, pair, "valider", **WRITTEN)
    assert "vous pouvez la corriger vous-même" in text(nadia.get(f"{PAIRS}{pair.pk}/"))
    decide(nadia, pair, "corriger", **WRITTEN | {"answer": "L’entrée est gratuite."})
    assert "L’entrée est gratuite." in asked()
    assert facts()[-1].endswith("Par la personne qui l’avait proposée : personne d’autre ici ne pouvait la relire.")


def test_alone_in_a_town_hall_one_may_and_and_the_page_and_the_journal_say_so(nadia, brenoux):
    client_of(brenoux, "lecteur", "lea@brenoux.example", "Léa Roux")
    pair = proposed_by(nadia, brenoux)
    assert "personne d’autre ici ne peut la relire" in text(nadia.get(f"{PAIRS}{pair.pk}/"))
    decide(nadia, pair, "valider", **WRITTEN)
    assert "3,20 €" in asked() and "qui l’avait proposée" in text(nadia.get(f"{PAIRS}{pair.pk}/"))
    assert facts()[-1].endswith("Par la personne qui l’avait proposée : personne d’autre ici ne pouvait la relire.")


def test_a_colleague_whose_account_is_closed_is_nobody_to_wait_for(nadia, hugo, brenoux):
    User.objects.filter(email="hugo@brenoux.example").update(is_active=False)
    pair = proposed_by(nadia, brenoux)
    decide(nadia, pair, "valider", **WRITTEN)
    assert "3,20 €" in asked()


@pytest.mark.parametrize("answer", ["Le guichet est ouvert de 9 h à 12 h.", "Le code [postal] est 86190.", "Voir l’article [téléphone]."])
def test_an_answer_without_number_nor_address_warns_of_nothing(answer):
    assert curation.private_shapes(answer) == ()
