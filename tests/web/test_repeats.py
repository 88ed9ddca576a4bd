"""A calculation that says again what was decided on says so, calmly, with a link; nothing is forbidden."""

from __future__ import annotations

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from bocage.decisions.decide import decide
from bocage.decisions.models import Run
from bocage.deposits.models import Deposit
from bocage.execution.fingerprint import engine_version, input_hash
from tests.decisions.lists import finished_run, first_of, person, proposals_of
from tests.web import portal as people
from tests.web.portal import HOME, PAGE, RIGHT

trial_usecases = people.trial_usecases
SAYS_AGAIN = "Ce calcul redit ce que disait"


@pytest.fixture
def nadia(in_brenoux, trial_usecases):
    return person("Nadia Le Goff", "decideur")


@pytest.fixture
def portal(client, nadia):
    client.force_login(nadia)
    return client


def calculated(**changes: object) -> Run:
    """A finished run of today's engine on the same file."""
    run = finished_run(proposals_of(3))
    same = {"engine_version": "a" * 64, "input_hash": "b" * 64, "params": {"jours": 7}}
    Run.objects.filter(pk=run.pk).update(**{**same, **changes})
    return Run.objects.get(pk=run.pk)


def pages_of(portal, run: Run) -> list[str]:
    return [portal.get(f"{HOME}/executions/{run.pk}/{part}").content.decode() for part in ("", "propositions/")]


def test_a_run_that_repeats_one_already_decided_says_which(portal, nadia):
    first, second = calculated(), calculated()
    assert not any(SAYS_AGAIN in page for page in pages_of(portal, second)), "nothing is decided on the first one yet"
    decide(first_of(first), nadia, "acceptee")
    for page in pages_of(portal, second):
        assert SAYS_AGAIN in page and f"/executions/{first.pk}/propositions/" in page
        assert "1 proposition sur 3 est décidée" in re.sub(r"[\u00a0\u202f]", " ", page)
    assert not any(SAYS_AGAIN in page for page in pages_of(portal, first)), "the first one repeats nothing"


@pytest.mark.parametrize("other", [{"engine_version": "c" * 64}, {"input_hash": "d" * 64}, {"params": {"jours": 3}}, {"input_hash": ""}])
def test_another_engine_file_or_parameter_is_another_calculation(portal, nadia, other):
    decide(first_of(calculated()), nadia, "acceptee")
    assert not any(SAYS_AGAIN in page for page in pages_of(portal, calculated(**other)))


def test_the_agent_is_told_before_the_calculation_is_asked_for(portal, nadia):
    sent = {"fichier-volumes": SimpleUploadedFile("volumes.csv", RIGHT.encode())}
    page = portal.post(PAGE, sent, follow=True)
    assert "Ces fichiers ont déjà servi" not in page.content.decode() and "Lancer le calcul" in page.content.decode()
    deposit = Deposit.objects.get()
    files = {deposit.input_name: deposit.sha256}
    run = calculated(usecase="essai_tableau", engine_version=engine_version("essai_tableau"), input_hash=input_hash(files))
    decide(first_of(run), nadia, "acceptee")
    again = portal.get(f"{PAGE}?depot={deposit.pk}").content.decode()
    assert "Ces fichiers ont déjà servi" in again and f"/executions/{run.pk}/propositions/" in again
    assert "Lancer le calcul" in again, "told, not forbidden"
