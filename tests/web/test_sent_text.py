"""A NUL or half a character in an address, a query, a form or a cookie is refused at the door: no page and no database sees it."""

from __future__ import annotations

import pytest
from django.test import Client

from bocage.api.tokens import make_token
from bocage.assistant import configuration
from bocage.assistant.documents import Audience
from bocage.organisations.models import User
from bocage.organisations.people import create_person, grant

HOME = "/pays-de-brenoux"


@pytest.fixture
def citizen(in_brenoux) -> Client:
    """A visitor of an organisation whose assistant is in service."""
    configuration.change(None, list(Audience), 30, 60, [{"name": "Accueil", "email": "", "hours": ""}], [])
    return Client()


@pytest.fixture
def everybody(in_brenoux) -> Client:
    person = create_person("nadia@brenoux.example", "Nadia Le Goff")
    for role in ("administrateur", "dpo", "agent"):
        grant(person, role)
    client = Client()
    client.force_login(person)
    return client


@pytest.mark.parametrize("path", ["assistant/%00%00/", "assistant/a%00/", "assistant/?service=%00", "registre/?q=a%00b", "?%00=1"])
def test_anybody_is_told_that_the_address_is_wrong(citizen, path):
    refused = citizen.get(f"{HOME}/{path}")
    assert refused.status_code == 400 and "n’a pas été comprise" in refused.content.decode()


@pytest.mark.parametrize("name", ["q", "evenement", "personne", "du", "page"])
def test_no_filter_of_the_journal_takes_it(everybody, name):
    assert everybody.get(f"{HOME}/journal/", {name: "a\x00b"}).status_code == 400


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("membres/", "email"),
        ("membres/", "name"),
        ("membres/", "title"),
        ("reglages/", "contact"),
        ("jetons/", "name"),
        ("jetons/", "\x00"),
    ],
)
def test_no_form_takes_it(everybody, path, field):
    sent = {"email": "a@brenoux.example", "name": "Ada", "role": "agent", "form": "identite", "scopes": "lire"} | {field: "a\x00b"}
    assert everybody.post(f"{HOME}/{path}", sent).status_code == 400
    assert User.objects.count() == 1


def test_the_sign_in_page_takes_it_from_nobody(citizen):
    assert citizen.post("/connexion/", {"email": "a\x00@b.example", "password": "x\x00"}).status_code == 400


def test_a_cookie_that_holds_it_is_no_session(citizen):
    citizen.cookies.load('bocage="\\000\\000\\000\\000\\000\\000\\000\\000\\000"')
    assert "\x00" in citizen.cookies["bocage"].value
    assert citizen.get(f"{HOME}/").status_code == 200
    assert citizen.get(f"{HOME}/depots/").status_code == 302


def test_the_api_refuses_it_in_its_own_form(in_brenoux):
    _, secret = make_token("essais", ["lire", "deposer", "lancer"])
    robot = Client(headers={"authorization": f"Bearer {secret}"})
    for refused in (robot.get("/api/v1/runs?page=%00"), robot.get("/api/v1/usecases/a%00")):
        assert refused.status_code == 400 and refused.json()["error"]["code"] == "demande-invalide"


def test_what_is_merely_rare_goes_through(everybody):
    """Emoji, other scripts, direction marks: people write them."""
    told = everybody.post(f"{HOME}/jetons/", {"name": "été 🌳 ‏שלום", "scopes": "lire"})
    assert told.status_code == 200 and "été 🌳 ‏שלום" in everybody.get(f"{HOME}/jetons/").content.decode()


def test_the_name_of_a_token_is_bounded(everybody):
    refused = everybody.post(f"{HOME}/jetons/", {"name": "a" * 9_000, "scopes": "lire"})
    assert refused.status_code == 422 and "la limite est" in refused.content.decode()
