"""An organisation whose assistant is in service, two agents, and the stand-in engine."""

from __future__ import annotations

import pytest

from bocage.assistant import configuration
from bocage.assistant.documents import Audience
from bocage.organisations.people import create_person, grant

SERVICES = [
    {"name": "Accueil", "email": "accueil@brenoux.example", "hours": "lundi au vendredi 9 h-12 h, 14 h-17 h"},
    {"name": "Urbanisme", "email": "urbanisme@brenoux.example", "hours": ""},
]


@pytest.fixture(autouse=True)
def standin(settings) -> None:
    settings.ASSISTANT_ANSWERER = "tests.assistant.standin.answer"


@pytest.fixture
def served(in_brenoux):
    """Pays de Brenoux in context, its assistant open to everybody, two services."""
    configuration.change(None, list(Audience), 30, 60, SERVICES, ["https://www.brenoux.example"])
    return in_brenoux


@pytest.fixture
def nadia(served):
    person = create_person("nadia@brenoux.example", "Nadia Le Goff")
    grant(person, "decideur")
    return person


@pytest.fixture
def hugo(served):
    person = create_person("hugo@brenoux.example", "Hugo Marchand")
    grant(person, "agent")
    return person
