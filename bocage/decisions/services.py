"""What is done with runs. Each state change is one conditional UPDATE, so that two workers never own the same run.

waiting ──claim──▶ running ──▶ done | failed
   ▲                  └─ lease lapsed ──▶ interrupted
   └────────────── restart ◀──────── interrupted | failed
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult
from pydantic import JsonValue

from bocage.contract.errors import BocageError
from bocage.decisions.models import RoleResult, Run, RunInput
from bocage.deposits.models import Deposit
from bocage.execution import RoleRecord, RunRecord, RunRequest, execute
from bocage.organisations.models import Organisation
from bocage.organisations.tenancy import organisation_context

LEASE = timedelta(seconds=30)
_RENEW_EVERY_S = 5.0
_INTERRUPTED = "Le calcul s’est arrêté avant la fin (serveur arrêté ou processus tué). Rien n’est perdu : vous pouvez le relancer."

Progress = Callable[[float, str], None]


class RunNotRestartable(BocageError):
    """A run that is waiting, running or done cannot be started again."""

    code = "relance-impossible"


class UnknownRun(BocageError):
    """The organisation has no run of that number."""

    code = "execution-inconnue"
    exit_code = 2


def request_run(usecase: str, deposits: Mapping[str, Deposit], params: Mapping[str, JsonValue] | None = None, seed: int = 0) -> Run:
    """A waiting run on ``deposits`` (by input name), and its job, in one transaction, for the organisation in context."""
    with transaction.atomic():
        run = create_run(usecase, deposits, params, seed)
        _enqueue(run)
    return run


def create_run(usecase: str, deposits: Mapping[str, Deposit], params: Mapping[str, JsonValue] | None = None, seed: int = 0) -> Run:
    """A waiting run without a job: the caller performs it itself."""
    with transaction.atomic():
        run = Run(usecase=usecase, params=dict(params or {}), seed=seed)
        run.save()
        for name, deposit in deposits.items():
            RunInput(run=run, name=name, deposit=deposit).save()
    return run


def get_run(run_id: int) -> Run:
    """The run of the organisation in context. Raises ``UnknownRun``."""
    run: Run | None = Run.objects.filter(pk=run_id).first()
    if run is None:
        raise UnknownRun(f"Aucune exécution ne porte le numéro {run_id} dans cette organisation. Voyez la liste : bocage runs")
    return run


def restart_run(run: Run) -> None:
    """Put an interrupted or failed run back in the queue. Raises ``RunNotRestartable``."""
    with transaction.atomic():
        restartable = Q(state__in=[Run.State.INTERRUPTED, Run.State.FAILED])
        changed = Run.objects.filter(restartable, pk=run.pk).update(
            state=Run.State.WAITING, error_code="", error_message="", progress=0.0, progress_message="", lease_until=None
        )
        if not changed:
            run.refresh_from_db()
            raise RunNotRestartable(
                f"L’exécution {run.pk} est « {run.get_state_display().lower()} » ; seule une exécution interrompue ou échouée se relance."
            )
        run.refresh_from_db()
        _enqueue(run)


def perform_run(organisation: Organisation, run_id: int, progress: Progress | None = None) -> Run:
    """Claim run ``run_id`` of ``organisation``, execute it and write its record; a run that another worker owns is left alone."""
    with organisation_context(organisation):
        if not _claim(run_id):
            return Run.objects.get(pk=run_id)
        run = Run.objects.get(pk=run_id)
        inputs = {link.name: link.deposit.path for link in run.inputs.select_related("deposit")}
        watch = _RunWatch(run_id, progress)
        try:
            record = execute(_request_of(run, inputs, organisation), progress=watch.progress, cancelled=watch.renew)
        except BocageError as error:
            _fail(run, error.code, error.message)
        else:
            _store(run, record)
        run.refresh_from_db()
        return run


def mark_interrupted_runs() -> int:
    """Mark every run, of any organisation, whose worker has given no news; returns how many.

    A running run is lost when its lease has lapsed; a waiting one when its job was taken by a worker that died before claiming it.
    """
    now = timezone.now()
    lost = Run.across_organisations.filter(state=Run.State.RUNNING, lease_until__lt=now)
    taken = DBTaskResult.objects.exclude(status=TaskResultStatus.READY).filter(started_at__lt=now - LEASE)
    orphan_ids = [str(pk) for pk in taken.values_list("id", flat=True)]
    orphans = Run.across_organisations.filter(state=Run.State.WAITING).exclude(task_id="").filter(task_id__in=orphan_ids)
    message = {"state": Run.State.INTERRUPTED, "error_code": "calcul-interrompu", "error_message": _INTERRUPTED, "finished_at": now}
    return lost.update(**message) + orphans.update(**message)


def _enqueue(run: Run) -> None:
    from bocage.decisions.tasks import perform

    result = perform.enqueue(organisation_id=run.organisation_id, run_id=run.pk)
    run.task_id = str(result.id)
    run.save(update_fields=["task_id"])


def _claim(run_id: int) -> bool:
    now = timezone.now()
    waiting = Run.objects.filter(pk=run_id, state=Run.State.WAITING)
    return bool(waiting.update(state=Run.State.RUNNING, started_at=now, lease_until=now + LEASE, attempts=F("attempts") + 1))


def _request_of(run: Run, inputs: Mapping[str, Path], organisation: Organisation) -> RunRequest:
    return RunRequest(
        slug=run.usecase,
        inputs=inputs,
        params=run.params,
        seed=run.seed,
        seconds=settings.RUN_SECONDS,
        memory_mb=settings.RUN_MEMORY_MB,
        timezone=organisation.time_zone,
        workers=settings.WORKERS,
        dask=settings.DASK,
    )


class _RunWatch:
    """Writes progress and renews the lease while an engine runs, at most once a second and once in five."""

    def __init__(self, run_id: int, listener: Progress | None) -> None:
        self._run_id = run_id
        self._listener = listener
        self._progress_at = 0.0
        self._renewed_at = time.monotonic()

    def progress(self, fraction: float, message: str) -> None:
        if self._listener:
            self._listener(fraction, message)
        now = time.monotonic()
        if now - self._progress_at >= 1.0:
            self._progress_at = now
            Run.objects.filter(pk=self._run_id).update(progress=fraction, progress_message=message[:200])

    def renew(self) -> bool:
        """Renew the lease; true when the run was taken away from this worker, which must then stop."""
        now = time.monotonic()
        if now - self._renewed_at < _RENEW_EVERY_S:
            return False
        self._renewed_at = now
        mine = Run.objects.filter(pk=self._run_id, state=Run.State.RUNNING)
        return not mine.update(lease_until=timezone.now() + LEASE)


def _fail(run: Run, code: str, message: str) -> None:
    Run.objects.filter(pk=run.pk, state=Run.State.RUNNING).update(
        state=Run.State.FAILED, error_code=code, error_message=message, finished_at=timezone.now()
    )


def _store(run: Run, record: RunRecord) -> None:
    """Write the record and both results in one transaction; a run no longer ours (lease lost) is left as it is."""
    failed = next(((r.error_code, r.error_message) for r in record.roles if r.error_code), ("", ""))
    code, message = (record.error_code, record.error_message) if record.error_code else failed
    interrupted = code in ("calcul-interrompu",)
    state = Run.State.INTERRUPTED if interrupted else Run.State.FAILED if code else Run.State.DONE
    with transaction.atomic():
        mine = Run.objects.filter(pk=run.pk, state=Run.State.RUNNING).update(
            state=state,
            params=dict(record.params),
            engine_version=record.engine_version,
            input_hash=record.input_hash,
            sandbox=record.sandbox,
            reports=_with_names(run, record.reports),
            error_code=code,
            error_message=message,
            finished_at=timezone.now(),
            progress=1.0 if not code else F("progress"),
        )
        if mine:
            RoleResult.objects.filter(run=run).delete()
            for role in record.roles:
                _role_result(run, role).save()


def _with_names(run: Run, reports: Mapping[str, Any]) -> dict[str, Any]:
    """The reports, each under the name that the person gave to the file rather than the one it is kept under."""
    names = {link.name: link.deposit.filename for link in run.inputs.select_related("deposit")}
    return {name: {**report, "file": names.get(name, report["file"])} for name, report in reports.items()}


def _role_result(run: Run, role: RoleRecord) -> RoleResult:
    return RoleResult(
        run=run,
        role=role.role,
        outcome=json.loads(role.outcome.to_json()) if role.outcome else None,
        seconds=role.seconds,
        joules=role.energy.joules,
        joules_low=role.energy.low,
        joules_high=role.energy.high,
        energy_method=role.energy.method,
        cpu_seconds=role.energy.cpu_seconds,
        peak_mb=role.peak_mb,
        error_code=role.error_code,
        error_message=role.error_message,
    )
