"""A full disk half-writes nothing, says what it is, and all works again once there is room."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError, connection
from django.test import Client

from bocage.api.tokens import make_token
from bocage.contract.errors import is_no_room
from bocage.decisions import services
from bocage.decisions.models import Decision, Run
from bocage.deposits.models import Deposit
from bocage.deposits.services import deposit_file
from bocage.organisations.tenancy import organisation_context
from bocage.register.proof import verify
from tests.decisions.lists import finished_run, person, proposals_of
from tests.web import portal
from tests.web.portal import HOME, PAGE, RIGHT, client_of

pytestmark = pytest.mark.django_db
trial_usecases = portal.trial_usecases
LONG = RIGHT + "2026-02-01;Nord;1\n" * 20_000


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """The system refuses to write more than ``size`` bytes into any file: what a full disk does, without filling one."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def database_that_cannot_grow() -> Iterator[None]:
    """SQLite answers « database or disk is full » to what needs one page more; the pages that are free are used first."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE essai_place (rien BLOB)")
        cursor.execute("PRAGMA page_count")
        pages = cursor.fetchone()[0]
        cursor.execute(f"PRAGMA max_page_count = {pages}")
        try:
            for size in (4000, 400, 40):
                _fill(cursor, size)
            yield
        finally:
            cursor.execute("PRAGMA max_page_count = 1073741823")
            cursor.execute("DROP TABLE essai_place")


def _fill(cursor, size: int) -> None:
    for _ in range(2000):
        try:
            cursor.execute(f"INSERT INTO essai_place VALUES (zeroblob({size}))")
        except OperationalError:
            return


def kept_files() -> list[str]:
    return [path.name for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()]


def test_a_deposit_without_room_leaves_nothing_and_is_taken_once_there_is_some(brenoux, trial_usecases):
    agent = client_of(brenoux, "agent", "hugo.marchand@brenoux.example", "Hugo Marchand")
    agent.raise_request_exception = False

    def deposit():
        return agent.post(PAGE, {"fichier-volumes": SimpleUploadedFile("volumes.csv", LONG.encode())}, follow=True)

    with files_of_at_most(100_000):
        refused = deposit()
    assert refused.status_code == 507 and "Le serveur n’a plus de place" in refused.content.decode()
    with organisation_context(brenoux):
        assert kept_files() == [] and not Deposit.objects.exists() and verify().sound
    assert deposit().status_code == 200
    with organisation_context(brenoux):
        assert kept_files() == [Deposit.objects.get().path.name]


def test_the_api_says_it_too(brenoux, trial_usecases):
    with organisation_context(brenoux):
        secret = make_token("essai", ["deposer"])[1]
    door = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {secret}"})

    def deposit():
        sent = {"usecase": "essai_tableau", "input_name": "volumes", "file": SimpleUploadedFile("volumes.csv", LONG.encode())}
        return door.post("/api/v1/deposits", sent)

    with files_of_at_most(100_000):
        refused = deposit()
    assert refused.status_code == 507 and refused.json()["error"]["code"] == "disque-plein"
    assert kept_files() == [] and deposit().status_code == 201


def test_a_run_without_room_says_so_and_may_be_started_again(in_brenoux, trial_usecases, tmp_path):
    source = tmp_path / "volumes.csv"
    source.write_text(LONG, encoding="utf-8")
    volumes = {"volumes": deposit_file(source, "essai_tableau", "volumes")}
    run = services.create_run("essai_tableau", volumes)
    with files_of_at_most(100_000):
        stopped = services.perform_run(in_brenoux, run.pk)
    assert (stopped.state, stopped.error_code) == (Run.State.FAILED, "disque-plein"), stopped.error_message
    services.restart_run(stopped)
    assert stopped.state == Run.State.WAITING


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="what keeps PostgreSQL from growing is not in a test's hands")
@pytest.mark.django_db(transaction=True)
def test_a_decision_that_the_database_has_no_room_for_is_not_half_taken(in_brenoux, client):
    nadia = person("Nadia Le Goff", "decideur")
    client.force_login(nadia)
    client.raise_request_exception = False
    run = finished_run(proposals_of(40))
    sent = {"verdict": "refusee", "motif": "Vidange du réservoir. " * 80}

    def refuse(rank: int):
        return client.post(f"{HOME}/executions/{run.pk}/propositions/{rank}/", sent)

    with database_that_cannot_grow():
        # The first ones still find place in pages begun before.
        answers = [refuse(rank) for rank in range(1, 41)]
        last = answers[-1]
        assert last.status_code == 507 and "Prévenez votre service informatique" in last.content.decode()
        assert client.get(f"{HOME}/registre/").status_code == 200, "what is there is still read"
    taken = [answer.status_code for answer in answers].count(302)
    run.refresh_from_db()
    assert Decision.objects.count() == taken < 40 and run.undecided == 40 - taken and verify().sound
    assert refuse(40).status_code == 302
    assert Decision.objects.count() == taken + 1 and verify().sound


def test_an_index_cut_short_is_a_disk_that_is_full(tmp_path):
    """NumPy, which writes the indexes of the assistant, gives no number to this error."""
    with files_of_at_most(100_000), pytest.raises(OSError) as cut:
        np.save(tmp_path / "vectors.npy", np.zeros(1_000_000))
    assert is_no_room(cut.value)
    assert not is_no_room(OSError("une autre panne")) and not is_no_room(ValueError("ni de place ni de disque"))
