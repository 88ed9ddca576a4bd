"""The assistant by the API: the same engine, counted in the register without a word of what was asked, and refusals that teach."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from bocage.api.models import Scope
from bocage.assistant import configuration
from bocage.assistant.documents import Audience
from bocage.assistant.figures import report
from bocage.assistant.models import Conversation, DayCount, Message
from bocage.organisations.tenancy import organisation_context
from tests.api.test_api import client_of

pytestmark = pytest.mark.django_db
ANSWERS = "/api/v1/assistant/answers"
CRY, NO_WORDS = "Je veux mourir.", "? !"


@pytest.fixture
def api(brenoux) -> Client:
    with organisation_context(brenoux):
        configuration.change(None, [Audience.CITIZENS], 30, 60, [], [])
    return client_of(brenoux, Scope.READ)


def ask(client: Client, question: str = CRY, **more):
    return client.post(ANSWERS, {"question": question, **more}, content_type="application/json")


def test_answers_are_counted_for_the_register_and_nothing_said_is_kept(api, brenoux):
    assert [ask(api, question).json()["kind"] for question in (CRY, NO_WORDS, NO_WORDS)] == ["urgence", "refus", "refus"]
    with organisation_context(brenoux):
        (day,) = DayCount.objects.all()
        assert (day.audience, day.questions, day.emergencies, day.refusals, day.answers) == ("citoyens", 3, 1, 2, 0)
        assert day.requests == 0, "whoever calls the API calls nobody here"
        total = report().total
        assert total.refused_share == pytest.approx(2 / 3) and total.joules == pytest.approx(day.joules) and total.joules > 0
        assert not Message.objects.exists() and not Conversation.objects.exists()


def test_out_of_service_there_is_no_answer_and_nothing_to_count(api, brenoux):
    refused = ask(api, audience="rh")
    assert refused.status_code == 404 and refused.json()["error"]["code"] == "assistant-hors-service"
    assert "« rh »" in refused.json()["error"]["message"] and "Publics en service : citoyens" in refused.json()["error"]["message"]
    with organisation_context(brenoux):
        configuration.change(None, [], 30, 60, [], [])
    assert "Publics en service : aucun" in ask(api).json()["error"]["message"]
    assert not DayCount.across_organisations.exists()


@pytest.mark.parametrize("body", ["{", '{"question":', "question=x", "[" * 100_000, '{"question":"été"}'.encode("latin-1")])
def test_a_body_that_is_no_json_is_told_what_json_is(api, body):
    refused = api.generic("POST", ANSWERS, body, content_type="application/json")
    error = refused.json()["error"]
    assert refused.status_code == 400 and error["code"] == "demande-invalide" and "JSON bien formé" in error["message"]


@pytest.mark.parametrize(
    ("sent", "field", "said"),
    [
        ({}, "question", "ce champ manque"),
        ({"question": ""}, "question", "1 au moins"),
        ({"question": "a" * 2001}, "question", "2000 au plus"),
        ({"question": 3}, "question", "il faut un texte"),
        ({"question": "\ud800 piscine"}, "question", "Unicode"),
        ({"question": "x", "audience": "zz"}, "audience", "'citoyens', 'accueil', 'rh'"),
        ({"question": "x", "history": [{"author": "citoyen", "text": "t"}] * 21}, "history", "20 au plus ; lu : 21"),
        ({"question": "x", "history": {}}, "history", "il faut une liste"),
    ],
)
def test_a_field_at_fault_is_named_in_french(api, sent, field, said):
    refused = api.generic("POST", ANSWERS, json.dumps(sent), content_type="application/json")
    (detail,) = refused.json()["error"]["details"]
    assert refused.status_code == 422 and field in detail and said in detail


def test_a_body_that_is_too_large_is_told_its_own_limit(api):
    refused = ask(api, "a" * 6_000_000)
    error = refused.json()["error"]
    assert refused.status_code == 413 and error["code"] == "demande-trop-lourde"
    assert "6,0\u00a0Mo" in error["message"] and "la limite est 2,5\u00a0Mo" in error["message"] and "fichier." not in error["message"]


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_another_method_is_refused_in_the_same_shape(api, method):
    refused = api.generic(method, ANSWERS)
    error = refused.json()["error"]
    assert refused.status_code == 405 and refused["Allow"] == "POST" and error["code"] == "methode-impossible"
    assert f"« {method} {ANSWERS} »" in error["message"] and "Employez POST" in error["message"]


@pytest.mark.parametrize("path", ["/api/v1/assistant/zz", ANSWERS + "/", "/api/v2/", "/api/"])
def test_an_unknown_address_is_refused_in_the_same_shape(api, path):
    refused = api.post(path, {}, content_type="application/json")
    assert refused.status_code == 404 and refused.json()["error"]["code"] == "introuvable"
    assert path in refused.json()["error"]["message"] and "openapi.json" in refused.json()["error"]["message"]


def test_a_fault_of_the_server_is_told_without_a_trace(api, monkeypatch):
    def broken(*_):
        raise RuntimeError("disk of 06 12 34 56 78")

    monkeypatch.setattr("bocage.api.assistant.sources_of", broken)
    api.raise_request_exception = False
    refused = api.get("/api/v1/assistant/sources")
    assert refused.status_code == 500 and refused.json()["error"]["code"] == "erreur-du-serveur"
    assert "06 12" not in refused.content.decode() and "Réessayez" in refused.json()["error"]["message"]
