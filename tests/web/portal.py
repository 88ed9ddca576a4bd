"""An agent of Pays de Brenoux in a browser without JavaScript, and the trial use cases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client

from bocage.contract import discovery
from bocage.organisations.people import create_person, grant
from bocage.organisations.tenancy import organisation_context
from tests.servers import USECASES

HOME = "/pays-de-brenoux"
PAGE = f"{HOME}/cas-d-usage/essai_tableau/"
HEADER = "jour;secteur;volume\n"
RIGHT = HEADER + "".join(f"2026-01-{day:02d};Nord;{100 + day},5\n2026-01-{day:02d};Sud;{50 + day}\n" for day in range(1, 11))
WRONG = HEADER + "2026-01-01;Nord;1\n2026-13-01;=1+1;12,4O\n"


@pytest.fixture
def trial_usecases(monkeypatch) -> Iterator[None]:
    monkeypatch.setenv("BOCAGE_USECASES_PATH", str(USECASES))
    discovery.clear()
    yield
    discovery.clear()


@pytest.fixture
def agent(brenoux, trial_usecases) -> Client:
    """Hugo Marchand, agent, signed in."""
    return client_of(brenoux, "agent", "hugo.marchand@brenoux.example", "Hugo Marchand")


def client_of(organisation, role: str, email: str, name: str) -> Client:
    person = create_person(email, name)
    with organisation_context(organisation):
        grant(person, role)
    client = Client()
    client.force_login(person)
    return client
