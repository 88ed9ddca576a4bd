"""Signing in, one's own account, and sessions that end when they must."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from bocage.organisations import people
from bocage.organisations.membership import Role
from bocage.organisations.models import Organisation, User
from bocage.organisations.tenancy import organisation_context

pytestmark = pytest.mark.django_db
PASSWORD, OTHER = "trois haies et un talus", "quatre haies et un ruisseau"


@pytest.fixture
def nadia(brenoux) -> User:
    with organisation_context(brenoux):
        person = people.create_person("nadia@brenoux.example", "Nadia Le Goff", PASSWORD)
        people.grant(person, Role.AGENT, "agente d’exploitation")
    return person


def sign_in(client: Client, password: str = PASSWORD, **fields: str):
    return client.post("/connexion/", {"email": "nadia@brenoux.example", "password": password, **fields})


def text(response) -> str:
    return re.sub("[\u202f\u00a0]", " ", response.content.decode())


def test_a_wrong_pair_is_one_sentence_that_does_not_say_which_half(client, nadia):
    wrong = sign_in(client, "faux")
    unknown = client.post("/connexion/", {"email": "personne@brenoux.example", "password": "faux"})
    assert wrong.status_code == unknown.status_code == 422
    assert "L’adresse ou le mot de passe ne convient pas" in text(wrong)
    assert "L’adresse ou le mot de passe ne convient pas" in text(unknown)


def test_the_sixth_attempt_waits(client, nadia):
    for _ in range(5):
        sign_in(client, "faux")
    refused = sign_in(client)
    assert refused.status_code == 422 and "Trop de tentatives" in text(refused)


def test_signing_in_makes_a_new_session(client, nadia):
    client.get("/connexion/")
    session = client.session
    session["posé"] = "avant"
    session.save()
    before = session.session_key
    sign_in(client)
    assert client.session.session_key != before


def test_one_goes_where_one_wanted_but_never_elsewhere(client, nadia):
    asked = client.get("/pays-de-brenoux/executions/")
    assert asked.url == "/connexion/?next=/pays-de-brenoux/executions/"
    # A first mistake does not lose the way.
    assert 'value="/pays-de-brenoux/executions/"' in sign_in(client, "faux", next="/pays-de-brenoux/executions/").content.decode()
    assert sign_in(client, next="/pays-de-brenoux/executions/").url == "/pays-de-brenoux/executions/"
    for trap in ("https://ailleurs.example/", "//ailleurs.example/", "javascript:alert(1)"):
        assert sign_in(Client(), next=trap).url == "/pays-de-brenoux/cas-d-usage/"


def test_ones_account_says_where_one_has_which_role(client, nadia):
    sign_in(client)
    page = text(client.get("/mot-de-passe/"))
    assert "Pays de Brenoux" in page and "Agent" in page


def test_a_changed_password_keeps_this_session_and_ends_the_others(client, nadia):
    elsewhere = Client()
    sign_in(client), sign_in(elsewhere)
    assert client.post("/mot-de-passe/", {"current": PASSWORD, "new": OTHER}).status_code == 302
    assert client.get("/mot-de-passe/").status_code == 200
    assert elsewhere.get("/mot-de-passe/").status_code == 302
    assert sign_in(Client(), OTHER).status_code == 302


@pytest.mark.parametrize(
    ("current", "new", "sentence"),
    [("faux", OTHER, "actuel ne convient pas"), (PASSWORD, "court", "trop court"), (PASSWORD, PASSWORD, "celui d’avant")],
)
def test_a_password_that_cannot_be_taken_is_refused_with_the_reason(client, nadia, current, new, sentence):
    sign_in(client)
    refused = client.post("/mot-de-passe/", {"current": current, "new": new})
    assert refused.status_code == 422 and sentence in text(refused)


def test_signing_out_is_a_form_and_ends_the_session(client, nadia):
    sign_in(client)
    assert client.get("/deconnexion/").status_code == 405
    assert client.post("/deconnexion/").status_code == 302
    assert client.get("/mot-de-passe/").status_code == 302


def test_a_form_from_elsewhere_is_refused(nadia):
    strict = Client(enforce_csrf_checks=True)
    assert strict.post("/connexion/", {"email": "nadia@brenoux.example", "password": PASSWORD}).status_code == 403


def test_the_demonstrations_sign_in_exists_only_there(client, nadia, settings):
    settings.DEMO = False
    assert client.post("/demonstration/", {"email": nadia.email}).status_code == 404
    settings.DEMO = True
    assert client.post("/demonstration/", {"email": nadia.email}).status_code == 302
    assert Client().post("/demonstration/", {"email": "maire@ailleurs.example"}).status_code == 404


def test_an_error_keeps_the_masthead_and_the_menu_of_the_organisation(client, nadia):
    """A wrong link or a refused page leaves nobody without a way back; a passer-by and a stranger see the public menu only."""
    Organisation.objects.create(name="Marsanne", slug="marsanne")
    public = text(client.get("/pays-de-brenoux/rien/"))
    assert 'aria-label="Menu principal"' in public and "Poser une question" not in text(client.get("/rien/nulle-part/"))
    assert "/pays-de-brenoux/registre/" in public and "/executions/" not in public
    sign_in(client)
    for address, status in (("/pays-de-brenoux/rien/", 404), ("/pays-de-brenoux/executions/999/", 404), ("/pays-de-brenoux/membres/", 403)):
        answer = client.get(address)
        assert answer.status_code == status and "/pays-de-brenoux/executions/" in text(answer), address
    stranger = client.get("/marsanne/executions/")
    assert stranger.status_code == 404 and "/marsanne/executions/" not in text(stranger)
    # What exists there and what does not are answered alike, but for the form's secret.
    same, other = (re.sub(r'value="[^"]*"', "", text(answer)) for answer in (stranger, client.get("/marsanne/rien/")))
    assert same == other
