"""A refused form says so first: in its title, and with the focus where the person is needed, without a script."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from bocage.web.refused_forms import said_first
from tests.web import portal
from tests.web.portal import HOME, PAGE, client_of

pytestmark = pytest.mark.django_db
agent, trial_usecases = portal.agent, portal.trial_usecases


class Focused(HTMLParser):
    """The attributes of the only element that takes the focus, and the identifiers of the page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[dict[str, str | None]] = []
        self.ids: dict[str, str] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        held = dict(attrs)
        if "autofocus" in held:
            self.found.append({"tag": tag, **held})
        if held.get("id"):
            self.ids[held["id"]] = tag


def focus_of(response) -> dict[str, str | None]:
    """What takes the focus on a refused page; its title must say that it is one, and what describes it must be there."""
    page = response.content.decode()
    assert response.status_code == 422 and "<title>Erreur" in page
    read = Focused(page)
    assert len(read.found) == 1
    for described in (read.found[0].get("aria-describedby") or "").split():
        assert described in read.ids, described
    return read.found[0]


def test_a_wrong_password_brings_to_the_reason_that_both_fields_name(client):
    answer = client.post("/connexion/", {"email": "personne@brenoux.example", "password": "faux"})
    assert focus_of(answer)["id"] == "erreur"
    assert len(re.findall(r'<input[^>]*aria-describedby="erreur"', answer.content.decode())) == 2


def test_an_address_that_is_none_brings_to_its_field(client):
    field = focus_of(client.post("/connexion/", {"email": "personne", "password": "faux"}))
    assert field["name"] == "email" and "id_email_error" in (field["aria-describedby"] or "")


def test_a_missing_file_brings_to_its_field(agent):
    field = focus_of(agent.post(PAGE, {}))
    assert field["id"] == "fichier-volumes" and "faute-volumes" in (field["aria-describedby"] or "")


def test_a_wrong_parameter_brings_to_its_field(agent):
    received = agent.post(PAGE, {"fichier-volumes": portal_file()})
    (deposit,) = re.findall(r"depot=(\d+)", received["Location"])
    field = focus_of(agent.post(f"{PAGE}calculer/", {"depot": deposit, "p-coefficient": "beaucoup"}))
    assert field["id"] == "p-coefficient"


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("jetons/", {"name": "Nuit"}),
        ("membres/", {"email": "personne", "name": "Une personne", "role": "agent"}),
        ("reglages/", {"form": "identite", "name": ""}),
        ("reglages/assistant/", {"answer_minutes": "vite"}),
    ],
)
def test_forms_of_the_administrator_bring_to_the_reason(brenoux, path, sent):
    yann = client_of(brenoux, "administrateur", "yann.perrin@brenoux.example", "Yann Perrin")
    assert "note bad" in (focus_of(yann.post(f"{HOME}/{path}", sent))["class"] or "")


def test_only_the_first_field_at_fault_takes_the_focus():
    page = '<title>T</title><input id="a"><input id="b" aria-invalid="true"><select id="c" aria-invalid="true"></select>'
    assert [held["id"] for held in Focused(said_first(page)).found] == ["b"]


def test_a_page_that_answers_is_left_as_it_is(agent):
    assert not Focused(agent.get(PAGE).content.decode()).found


def portal_file():
    from django.core.files.uploadedfile import SimpleUploadedFile

    return SimpleUploadedFile("volumes.csv", portal.RIGHT.encode())
