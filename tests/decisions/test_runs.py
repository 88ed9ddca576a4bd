"""A run is kept with all that explains it, is owned by one worker at a time, and is never lost."""

from __future__ import annotations

import sqlite3
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from bocage.contract.errors import InvalidParams
from bocage.decisions import intake, services
from bocage.decisions.models import Proposal, Run
from bocage.deposits.services import deposit_file
from bocage.journal.models import Entry
from bocage.journal.services import verify
from bocage.organisations.services import ensure_organisation
from bocage.organisations.tenancy import organisation_context
from tests.servers import USECASES

pytestmark = pytest.mark.django_db

LINES = "jour;secteur;volume\n" + "".join(
    f"2026-01-{day:02d};Nord;{100 + day},5\n2026-01-{day:02d};Sud;{50 + day}\n" for day in range(1, 11)
)


@pytest.fixture(autouse=True)
def trial_usecases(monkeypatch):
    from bocage.contract import discovery

    monkeypatch.setenv("BOCAGE_USECASES_PATH", str(USECASES))
    discovery.clear()
    yield
    discovery.clear()


@pytest.fixture
def volumes(in_brenoux, tmp_path: Path):
    path = tmp_path / "volumes.csv"
    path.write_text(LINES, encoding="utf-8")
    return {"volumes": deposit_file(path, "essai_tableau", "volumes")}


def test_a_run_keeps_everything_that_explains_it(in_brenoux, volumes):
    run = services.perform_run(in_brenoux, services.create_run("essai_tableau", volumes, {"coefficient": 1.5}, seed=7).pk)
    assert run.state == Run.State.DONE, run.error_message
    assert len(run.engine_version) == 64 and len(run.input_hash) == 64
    assert run.params == {"coefficient": 1.5} and run.seed == 7
    assert run.reports["volumes"]["kept"] == 20
    engine, baseline = run.results.get(role="engine"), run.results.get(role="baseline")
    assert {r["subject"] for r in engine.outcome["recommendations"]} == {"Nord", "Sud"}
    assert {r["subject"] for r in baseline.outcome["recommendations"]} == {"Nord", "Sud"}
    assert 0 < engine.joules_low <= engine.joules <= engine.joules_high
    assert engine.energy_method in ("rapl", "cpu-model")


def test_bad_input_is_a_failed_run_with_a_sentence_and_no_result(in_brenoux, tmp_path):
    path = tmp_path / "volumes.csv"
    path.write_text("colonne;autre\n1;2\n", encoding="utf-8")
    run = services.create_run("essai_tableau", {"volumes": deposit_file(path, "essai_tableau", "volumes")})
    run = services.perform_run(in_brenoux, run.pk)
    assert (run.state, run.error_code) == (Run.State.FAILED, "colonnes-manquantes")
    assert "jour" in run.error_message
    assert run.results.count() == 0


def test_a_run_is_claimed_once(in_brenoux, volumes):
    run = services.create_run("essai_tableau", volumes)
    services.perform_run(in_brenoux, run.pk)
    again = services.perform_run(in_brenoux, run.pk)
    assert again.attempts == 1


def test_a_lapsed_lease_marks_the_run_and_a_restart_finishes_it(in_brenoux, volumes):
    run = services.create_run("essai_tableau", volumes)
    Run.objects.filter(pk=run.pk).update(state=Run.State.RUNNING, lease_until=timezone.now() - timedelta(seconds=1))
    assert services.mark_interrupted_runs() == 1
    run.refresh_from_db()
    assert (run.state, run.error_code) == (Run.State.INTERRUPTED, "calcul-interrompu")
    services.restart_run(run)
    assert services.perform_run(in_brenoux, run.pk).state == Run.State.DONE


def test_a_living_run_is_not_marked(in_brenoux, volumes):
    run = services.create_run("essai_tableau", volumes)
    Run.objects.filter(pk=run.pk).update(state=Run.State.RUNNING, lease_until=timezone.now() + timedelta(seconds=20))
    assert services.mark_interrupted_runs() == 0


def test_a_job_taken_by_a_worker_that_died_before_claiming_the_run_is_found(in_brenoux, volumes):
    run = services.request_run("essai_tableau", volumes)
    DBTaskResult.objects.filter(id=run.task_id).update(status="RUNNING", started_at=timezone.now() - timedelta(minutes=5))
    assert services.mark_interrupted_runs() == 1


def test_a_run_whose_job_is_gone_does_not_wait_for_ever(in_brenoux, volumes):
    run = services.request_run("essai_tableau", volumes)
    DBTaskResult.objects.filter(id=run.task_id).delete()
    assert services.mark_interrupted_runs() == 1


def test_lost_runs_are_found_among_more_jobs_than_one_query_can_name(in_brenoux, volumes):
    lost, queued = services.request_run("essai_tableau", volumes), services.request_run("essai_tableau", volumes)
    job = DBTaskResult.objects.get(id=lost.task_id)
    kept = {field.attname: getattr(job, field.attname) for field in job._meta.concrete_fields}
    done = {**kept, "status": "SUCCESSFUL", "started_at": timezone.now() - timedelta(days=2)}
    DBTaskResult.objects.bulk_create((DBTaskResult(**{**done, "id": uuid.uuid4()}) for _ in range(2_000)), batch_size=500)
    DBTaskResult.objects.filter(id=lost.task_id).update(status="RUNNING", started_at=timezone.now() - timedelta(minutes=5))
    connection.ensure_connection()
    if connection.vendor == "sqlite":
        # As on the smallest SQLite that is still in use.
        ceiling = connection.connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 999)
    try:
        assert services.mark_interrupted_runs() == 1
    finally:
        if connection.vendor == "sqlite":
            connection.connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, ceiling)
    queued.refresh_from_db()
    assert queued.state == Run.State.WAITING


def test_a_waiting_run_whose_job_is_still_queued_is_left_alone(in_brenoux, volumes):
    services.request_run("essai_tableau", volumes)
    assert services.mark_interrupted_runs() == 0


@pytest.mark.parametrize("state", [Run.State.WAITING, Run.State.RUNNING, Run.State.DONE])
def test_only_a_stopped_run_restarts(in_brenoux, volumes, state):
    run = services.create_run("essai_tableau", volumes)
    Run.objects.filter(pk=run.pk).update(state=state)
    with pytest.raises(services.RunNotRestartable, match="interrompue ou échouée"):
        services.restart_run(run)


def test_the_job_and_the_run_are_written_together(in_brenoux, volumes, monkeypatch):
    def broken(run):
        raise RuntimeError("the queue is away")

    monkeypatch.setattr(services, "_enqueue", broken)
    with pytest.raises(RuntimeError):
        services.request_run("essai_tableau", volumes)
    assert Run.objects.count() == 0


def test_another_organisation_cannot_reach_the_run(in_brenoux, volumes):
    run = services.create_run("essai_tableau", volumes)
    with organisation_context(ensure_organisation("Marsanne")), pytest.raises(services.UnknownRun):
        services.get_run(run.pk)


def test_a_worker_that_lost_its_lease_writes_nothing(in_brenoux, volumes):
    """The run is taken away while the engine runs: the record is dropped, not half-written."""
    run = services.create_run("essai_tableau", volumes)

    def taken_away(fraction: float, message: str) -> None:
        Run.objects.filter(pk=run.pk).update(state=Run.State.INTERRUPTED)

    run = services.perform_run(in_brenoux, run.pk, taken_away)
    assert run.state == Run.State.INTERRUPTED
    assert run.results.count() == 0


def test_a_finished_run_has_its_proposals_and_its_trace(in_brenoux, volumes):
    run = services.perform_run(in_brenoux, services.create_run("essai_tableau", volumes).pk)
    proposals = list(Proposal.objects.filter(run=run))
    assert [p.rank for p in proposals] == [1, 2]
    assert {p.subject: p.reference for p in proposals} == {"Nord": 110.5, "Sud": 60.0}
    assert proposals[0].sentence.startswith("Produire ")
    assert events() == ["depot.recu", "execution.demandee", "execution.terminee"]
    assert verify().sound


def test_a_failed_run_has_no_proposal_and_its_failure_is_in_the_journal(in_brenoux, tmp_path):
    path = tmp_path / "volumes.csv"
    path.write_text("colonne;autre\n1;2\n", encoding="utf-8")
    run = services.create_run("essai_tableau", {"volumes": deposit_file(path, "essai_tableau", "volumes")})
    services.perform_run(in_brenoux, run.pk)
    assert Proposal.objects.count() == 0
    assert events()[-1] == "execution.echouee"


def test_stopping_a_waiting_run_leaves_nothing_to_claim(in_brenoux, volumes):
    run = services.request_run("essai_tableau", volumes)
    services.stop_run(run)
    assert services.perform_run(in_brenoux, run.pk).state == Run.State.INTERRUPTED
    assert events()[-1] == "execution.interrompue"
    with pytest.raises(services.RunNotStoppable):
        services.stop_run(run)
    services.restart_run(run)
    assert events()[-1] == "execution.relancee"
    assert services.perform_run(in_brenoux, run.pk).state == Run.State.DONE


def test_a_worker_does_not_take_a_restarted_run_for_its_own(in_brenoux, volumes):
    """Stopped, restarted and claimed by another worker while the first one computes: the first one writes nothing."""
    run = services.create_run("essai_tableau", volumes)

    def meanwhile(fraction: float, message: str) -> None:
        Run.objects.filter(pk=run.pk).update(state=Run.State.RUNNING, attempts=2)

    run = services.perform_run(in_brenoux, run.pk, meanwhile)
    assert run.state == Run.State.RUNNING
    assert run.results.count() == Proposal.objects.count() == 0


def test_a_lost_run_is_journalled_once(in_brenoux, volumes):
    run = services.create_run("essai_tableau", volumes)
    Run.objects.filter(pk=run.pk).update(state=Run.State.RUNNING, lease_until=timezone.now() - timedelta(seconds=1))
    assert services.mark_interrupted_runs() == 1
    assert services.mark_interrupted_runs() == 0
    assert events().count("execution.interrompue") == 1


def events() -> list[str]:
    return list(Entry.objects.order_by("sequence").values_list("event", flat=True))


@pytest.mark.parametrize(
    ("params", "seed", "said"),
    [
        ({"coefficient": float("nan")}, 0, "params.coefficient"),
        ({"lieux": [1.0, float("inf")]}, 0, "params.lieux"),
        ({"nom": "\ud800"}, 0, "params.nom"),
        ({"nom": "a\x00b"}, 0, "params.nom"),
        ({}, -1, "2\u202f147\u202f483\u202f647"),
        ({}, 10**20, "100000000000000000000"),
    ],
)
def test_what_no_database_keeps_is_refused_before_the_run(in_brenoux, volumes, params, seed, said):
    with pytest.raises(InvalidParams, match=said):
        services.create_run("essai_tableau", volumes, params, seed)
    assert Run.objects.count() == 0


def test_a_refused_file_is_called_as_the_person_calls_it(in_brenoux, tmp_path):
    path = tmp_path / "débits de janvier.csv"
    path.write_text("colonne;autre\n1;2\n", encoding="utf-8")
    deposit = deposit_file(path, "essai_tableau", "volumes")
    run = services.perform_run(in_brenoux, services.create_run("essai_tableau", {"volumes": deposit}).pk)
    assert "« débits de janvier.csv »" in run.error_message and deposit.sha256 not in run.error_message


def test_a_refused_run_is_started_again_only_when_something_has_changed(in_brenoux, volumes):
    run = services.perform_run(in_brenoux, services.create_run("essai_tableau", volumes, {"coefficient": 12}).pk)
    assert (run.error_code, run.params) == ("parametres-invalides", {"coefficient": 12})
    assert not intake.may_end_otherwise(run)
    run.engine_version = "0" * 64
    assert intake.may_end_otherwise(run)
    run.engine_version, run.error_code = services.get_run(run.pk).engine_version, "temps-depasse"
    assert intake.may_end_otherwise(run)


def test_a_waiting_run_knows_whether_others_are_computed(in_brenoux, volumes):
    run = services.create_run("essai_tableau", volumes)
    assert not intake.others_running()
    with organisation_context(ensure_organisation("Marsanne")):
        other = Run(usecase="essai_tableau", state=Run.State.RUNNING, lease_until=timezone.now() + timedelta(seconds=20))
        other.save()
    assert intake.others_running()
    with organisation_context(other.organisation):
        Run.objects.filter(pk=other.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert not intake.others_running() and run.state == Run.State.WAITING
