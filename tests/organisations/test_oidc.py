"""OpenID Connect against a real provider: every signature is checked, and only invited people come in, once linked for ever."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.core.cache import cache
from django.test import Client

from bocage.journal.models import Entry
from bocage.organisations import people
from bocage.organisations.membership import Role
from bocage.organisations.models import User
from bocage.organisations.tenancy import organisation_context
from bocage.settings import check_oidc
from tests.organisations.provider import Browser, forge, running

pytestmark = [pytest.mark.django_db]
NADIA = "sujet-1|nadia@brenoux.example"


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with running() as address:
        yield address


@pytest.fixture(autouse=True)
def portal(settings, issuer) -> Iterator[None]:
    """The portal, configured for the provider."""
    configure(settings, issuer)
    cache.clear()
    yield
    forge(issuer, "")
    cache.clear()


def configure(settings, issuer: str) -> None:
    settings.OIDC_ENABLED = True
    settings.OIDC_ISSUER = issuer
    settings.OIDC_RP_CLIENT_ID, settings.OIDC_RP_CLIENT_SECRET = "bocage", "secret-de-test"
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend", "bocage.organisations.oidc.Backend"]


@pytest.fixture
def nadia(brenoux) -> User:
    """Invited by an administrator, without a password."""
    with organisation_context(brenoux):
        return people.invite("nadia@brenoux.example", "Nadia Le Goff", Role.DECIDEUR, local=False)[0].user


def leave(client: Client, **query: str) -> str:
    """The provider's address to which the portal sends."""
    response = client.get("/oidc/authenticate/", query)
    assert response.status_code == 302
    return response.url


def come_back(client: Client, callback: str):
    return client.get(callback.removeprefix("http://testserver"))


def sign_in(client: Client, who: str = NADIA, **query: str):
    return come_back(client, Browser().sign_in(leave(client, **query), who))


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def assert_refused(client: Client, response, text: str = "", status: int = 403) -> None:
    assert response.status_code == status
    assert text in response.content.decode().replace("\u202f", " ").replace("\u00a0", " ")
    assert not is_signed_in(client)
    assert not User.objects.exclude(oidc_subject__in=["", "sujet-1"]).exists()


def test_the_request_carries_a_state_a_nonce_and_a_pkce_challenge(client):
    asked = parse_qs(urlsplit(leave(client)).query)
    assert asked["response_type"] == ["code"] and asked["code_challenge_method"] == ["S256"]
    assert len(asked["code_challenge"][0]) == 43
    assert len(asked["state"][0]) >= 32 and len(asked["nonce"][0]) >= 32
    assert asked["state"] != parse_qs(urlsplit(leave(client)).query)["state"]


def test_an_invited_person_comes_in_and_is_linked_for_ever(client, nadia, brenoux):
    response = sign_in(client)
    assert (response.status_code, response.url) == (302, "/pays-de-brenoux/cas-d-usage/")
    nadia.refresh_from_db()
    assert (nadia.oidc_subject, bool(nadia.oidc_issuer)) == ("sujet-1", True)
    assert client.session["_auth_user_id"] == str(nadia.pk)
    with organisation_context(brenoux):
        assert Entry.objects.filter(event="membre.identite_liee").count() == 1


def test_a_linked_person_is_known_by_the_subject_even_under_a_new_address(client, nadia):
    sign_in(client)
    other = Client()
    sign_in(other, "sujet-1|nadia.mariee@brenoux.example")
    assert other.session["_auth_user_id"] == str(nadia.pk)


def test_another_subject_with_the_same_address_is_refused(client, nadia):
    sign_in(Client())
    assert_refused(client, sign_in(client, "sujet-2|nadia@brenoux.example"), "Aucun compte ne vous attend ici")
    nadia.refresh_from_db()
    assert nadia.oidc_subject == "sujet-1"


def test_an_unknown_person_is_refused_and_no_account_is_made(client, nadia):
    assert_refused(client, sign_in(client, "sujet-9|inconnue@brenoux.example"), "Aucun compte ne vous attend ici")
    assert User.objects.count() == 1


def test_an_account_with_a_password_is_never_taken_over(client, brenoux):
    with organisation_context(brenoux):
        people.invite("nadia@brenoux.example", "Nadia Le Goff", Role.DECIDEUR, local=True)
    assert_refused(client, sign_in(client), "Aucun compte ne vous attend ici")


def test_a_closed_account_is_refused_and_its_open_sessions_end(client, nadia):
    sign_in(client)
    assert client.get("/mot-de-passe/").status_code == 200
    User.objects.update(is_active=False)
    assert client.get("/mot-de-passe/").status_code == 302
    other = Client()
    assert_refused(other, sign_in(other), "Aucun compte ne vous attend ici")


@pytest.mark.parametrize("kind", ["userinfo-none", "userinfo-key", "userinfo-sub", "userinfo-aud", "userinfo-iss", "userinfo-json"])
def test_forged_user_information_is_refused(client, nadia, issuer, kind):
    forge(issuer, kind)
    assert_refused(client, sign_in(client), "La connexion n’est pas confirmée")


@pytest.mark.parametrize("kind", ["token-none", "token-key", "token-sub", "token-aud", "token-iss", "token-exp"])
def test_a_forged_identity_token_is_refused(client, nadia, issuer, kind):
    forge(issuer, kind)
    assert_refused(client, sign_in(client), "La connexion n’est pas confirmée")


def test_a_wrong_nonce_is_refused(client, nadia):
    callback = Browser().sign_in(leave(client), NADIA)
    session = client.session
    for item in session["oidc_states"].values():
        item["nonce"] = "d’une autre demande"
    session.save()
    assert_refused(client, come_back(client, callback), "n’est pas celle de cette demande")


def test_a_code_without_its_pkce_verifier_is_refused(client, nadia):
    callback = Browser().sign_in(leave(client), NADIA)
    session = client.session
    for item in session["oidc_states"].values():
        item["code_verifier"] = "x" * 64
    session.save()
    assert_refused(client, come_back(client, callback), "refuse ce code")


def test_a_replayed_callback_is_refused(client, nadia):
    callback = Browser().sign_in(leave(client), NADIA)
    come_back(client, callback)
    client.post("/deconnexion/")
    assert_refused(client, come_back(client, callback), "La connexion n’est pas confirmée")


def test_a_stolen_code_is_refused_in_the_session_of_another(client, nadia):
    """The thief has a state of their own and the victim's code."""
    stolen = parse_qs(urlsplit(Browser().sign_in(leave(Client()), NADIA)).query)["code"][0]
    state = parse_qs(urlsplit(leave(client)).query)["state"][0]
    assert_refused(client, client.get("/oidc/callback/", {"code": stolen, "state": state}), "refuse ce code")


def test_a_code_that_has_served_is_refused(client, nadia):
    used = Browser().sign_in(leave(client), NADIA)
    come_back(client, used)
    client.post("/deconnexion/")
    state = parse_qs(urlsplit(leave(client)).query)["state"][0]
    code = parse_qs(urlsplit(used).query)["code"][0]
    assert_refused(client, client.get("/oidc/callback/", {"code": code, "state": state}), "refuse ce code")


@pytest.mark.parametrize("query", [{}, {"code": "x"}, {"code": "x", "state": "y"}, {"error": "access_denied", "state": "y"}])
def test_a_callback_that_nobody_asked_for_is_refused(client, nadia, query):
    assert_refused(client, client.get(f"/oidc/callback/?{urlencode(query)}"), "La connexion n’est pas confirmée")


def test_the_session_is_a_new_one_and_leads_where_one_wanted_to_go(client, nadia):
    leave(client)
    before = client.session.session_key
    response = sign_in(client, next="/pays-de-brenoux/executions/")
    assert response.url == "/pays-de-brenoux/executions/"
    assert client.session.session_key != before
    assert sign_in(Client(), next="https://ailleurs.example/").url == "/pays-de-brenoux/cas-d-usage/"


def test_signing_out_also_ends_the_session_at_the_provider(client, nadia, issuer):
    sign_in(client)
    response = client.post("/deconnexion/")
    asked = parse_qs(urlsplit(response.url).query)
    assert response.url.startswith(f"{issuer}/session/end")
    assert asked["post_logout_redirect_uri"] == ["http://testserver/"] and asked["id_token_hint"]
    assert not is_signed_in(client)


def test_a_provider_that_is_down_is_said_so(client, settings):
    settings.OIDC_ISSUER = "http://127.0.0.1:9"
    assert_refused(client, client.get("/oidc/authenticate/"), "ProConnect ne répond pas", 503)


def test_a_provider_that_never_answers_does_not_hold_the_portal(client, settings):
    settings.OIDC_TIMEOUT = (0.5, 0.5)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        settings.OIDC_ISSUER = f"http://127.0.0.1:{mute.getsockname()[1]}"
        start = time.monotonic()
        assert_refused(client, client.get("/oidc/authenticate/"), "ProConnect ne répond pas", 503)
    assert time.monotonic() - start < 5


def test_without_a_provider_the_addresses_do_not_exist(client, settings):
    settings.OIDC_ENABLED = False
    assert client.get("/oidc/authenticate/").status_code == 404
    assert client.get("/oidc/callback/?code=x&state=y").status_code == 404


@pytest.mark.parametrize(
    ("issuer_url", "client_id", "secret", "algorithm"),
    [("http://idp.example", "a", "b", "RS256"), ("https://idp.example", "", "b", "RS256"), ("https://idp.example", "a", "b", "HS256")],
)
def test_half_a_configuration_stops_the_start(issuer_url, client_id, secret, algorithm):
    from bocage.contract.errors import InvalidSetting

    with pytest.raises(InvalidSetting):
        check_oidc(issuer_url, client_id, secret, algorithm)
