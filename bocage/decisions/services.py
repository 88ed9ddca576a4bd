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

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult
from pydantic import JsonValue

from bocage.contract import french
from bocage.contract.errors import BocageError, InvalidParams, NoRoom, is_no_room
from bocage.contract.outcome import Outcome
from bocage.contract.text_checks import refuse_unstorable
from bocage.decisions.models import RoleResult, Run, RunInput
from bocage.decisions.proposals import write_proposals
from bocage.deposits.examples import is_example
from bocage.deposits.models import Deposit
from bocage.deposits.services import without_nul
from bocage.execution import RoleRecord, RunRecord, RunRequest, execute, explain
from bocage.execution.bounds import non_finite
from bocage.execution.workspace import NO_ROOM_TO_RUN
from bocage.journal.services import record as journal
from bocage.organisations.models import Organisation, User
from bocage.organisations.tenancy import across, organisation_context

LEASE = timedelta(seconds=30)
MAX_SEED = 2**31 - 1
_RENEW_EVERY_S = 5.0
_SLICE = 500
_LOST = "calcul-interrompu"
STOPPED = "calcul-arrete"
"""Error code of a run that a person stopped."""
_EXPLAIN_LEASE = timedelta(minutes=4)
_EVENTS = {
    Run.State.DONE: "execution.terminee",
    Run.State.FAILED: "execution.echouee",
    Run.State.INTERRUPTED: "execution.interrompue",
}
_INTERRUPTED = "Le calcul s’est arrêté avant la fin (serveur arrêté ou processus tué). Rien n’est perdu : vous pouvez le relancer."

Progress = Callable[[float, str], None]


class RunNotRestartable(BocageError):
    """A run that is waiting, running or done cannot be started again."""

    code = "relance-impossible"


class RunNotStoppable(BocageError):
    """Only a run that is waiting or running can be stopped."""

    code = "arret-impossible"


class UnknownRun(BocageError):
    """The organisation has no run of that number."""

    code = "execution-inconnue"
    exit_code = 2


def request_run(
    usecase: str, deposits: Mapping[str, Deposit], params: Mapping[str, JsonValue] | None = None, seed: int = 0, person: User | None = None
) -> Run:
    """A waiting run on ``deposits`` (by input name), and its job, in one transaction, for the organisation in context."""
    with transaction.atomic():
        run = create_run(usecase, deposits, params, seed, person)
        _enqueue(run)
    return run


def create_run(
    usecase: str, deposits: Mapping[str, Deposit], params: Mapping[str, JsonValue] | None = None, seed: int = 0, person: User | None = None
) -> Run:
    """A waiting run without a job: the caller performs it itself. Raises ``InvalidParams`` for what no database keeps."""
    check_storable(params or {})
    if not 0 <= seed <= MAX_SEED:
        raise InvalidParams(f"Graine : lu « {str(seed)[:40]} », attendu un nombre entier de 0 à {french.number(MAX_SEED)}.")
    with transaction.atomic():
        run = Run(usecase=usecase, params=dict(params or {}), seed=seed, requested_by=person)
        run.example = is_example(usecase, deposits.values())
        run.save()
        facts = {"depots": {n: d.sha256 for n, d in deposits.items()}, **({"exemple": True} if run.example else {})}
        journal("execution.demandee", person, execution=run.pk, cas=usecase, **facts)
        for name, deposit in deposits.items():
            RunInput(run=run, name=name, deposit=deposit).save()
    return run


def check_storable(params: Mapping[str, JsonValue]) -> None:
    """Raise ``InvalidParams`` when no database keeps ``params``: half a character, a number that is none, too many levels."""
    refuse_unstorable(params, "params")
    fault = non_finite(params, "params")
    if fault:
        raise InvalidParams(f"{fault} : un paramètre est un nombre fini. Donnez un nombre, ou laissez ce paramètre de côté.")


def get_run(run_id: int) -> Run:
    """The run of the organisation in context. Raises ``UnknownRun``."""
    run: Run | None = Run.objects.filter(pk=run_id).first()
    if run is None:
        raise UnknownRun(f"Aucune exécution ne porte le numéro {run_id} dans cette organisation. Voyez la liste : bocage runs")
    return run


def stop_run(run: Run, person: User | None = None) -> None:
    """Stop a waiting or running run: its worker sees within seconds that the run is no longer its own. Raises ``RunNotStoppable``."""
    who = f" par {person.name}" if person else ""
    with transaction.atomic():
        changed = Run.objects.filter(pk=run.pk, state__in=[Run.State.WAITING, Run.State.RUNNING]).update(
            state=Run.State.INTERRUPTED,
            error_code=STOPPED,
            error_message=f"Le calcul a été arrêté{who}. Rien n’est perdu : vous pouvez le relancer.",
            finished_at=timezone.now(),
            lease_until=None,
        )
        run.refresh_from_db()
        if not changed:
            raise RunNotStoppable(f"L’exécution {run.pk} est « {run.get_state_display().lower()} » : il n’y a rien à arrêter.")
        journal("execution.interrompue", person, execution=run.pk, cas=run.usecase, code=STOPPED)


def restart_run(run: Run, person: User | None = None) -> None:
    """Put an interrupted or failed run back in the queue. Raises ``RunNotRestartable``."""
    with transaction.atomic():
        restartable = Q(state__in=[Run.State.INTERRUPTED, Run.State.FAILED])
        changed = Run.objects.filter(restartable, pk=run.pk).update(
            state=Run.State.WAITING,
            error_code="",
            error_message="",
            progress=0.0,
            progress_message="",
            lease_until=None,
            started_at=None,
            finished_at=None,
        )
        if not changed:
            run.refresh_from_db()
            raise RunNotRestartable(
                f"L’exécution {run.pk} est « {run.get_state_display().lower()} » ; seule une exécution interrompue ou échouée se relance."
            )
        run.refresh_from_db()
        journal("execution.relancee", person, execution=run.pk, cas=run.usecase)
        _enqueue(run)


def perform_run(organisation: Organisation, run_id: int, progress: Progress | None = None) -> Run:
    """Claim run ``run_id`` of ``organisation``, execute it and write its record; a run that another worker owns is left alone."""
    with organisation_context(organisation):
        if not _claim(run_id):
            return Run.objects.get(pk=run_id)
        run = Run.objects.get(pk=run_id)
        watch = _RunWatch(run, progress)
        try:
            record = execute(_request_of(run, organisation), progress=watch.progress, cancelled=watch.renew)
        except BocageError as error:
            _fail(run, error.code, error.message)
        except OSError as error:
            # Where the files are copied for the engine, or where it keeps its own.
            if not is_no_room(error):
                raise
            _fail(run, NoRoom.code, NO_ROOM_TO_RUN)
        else:
            _store(run, record)
        run.refresh_from_db()
        return run


def mark_interrupted_runs() -> int:
    """Mark every run, of any organisation, whose worker has given no news; returns how many.

    A running run is lost when its lease has lapsed; a waiting one when its job is gone, or taken by a worker that died before claiming it.
    """
    now = timezone.now()
    with across():
        waiting = list(Run.across_organisations.filter(state=Run.State.WAITING).exclude(task_id="").values_list("task_id", flat=True))
    marked = _interrupt_all(Q(state=Run.State.RUNNING, lease_until__lt=now))
    # A slice at a time: a database takes only so many values in one query.
    for start in range(0, len(waiting), _SLICE):
        asked = waiting[start : start + _SLICE]
        coming = DBTaskResult.objects.filter(Q(status=TaskResultStatus.READY) | Q(started_at__gte=now - LEASE), id__in=asked)
        if orphans := set(asked) - {str(pk) for pk in coming.values_list("id", flat=True)}:
            marked += _interrupt_all(Q(state=Run.State.WAITING, task_id__in=orphans))
    return marked


def _interrupt_all(lost: Q) -> int:
    with across():
        found = list(Run.across_organisations.filter(lost).select_related("organisation"))
    return sum(_interrupt(run, lost) for run in found)


def _interrupt(run: Run, still: Q) -> int:
    """Mark one run as interrupted if it still is what ``still`` says; 1 when it was."""
    with organisation_context(run.organisation), transaction.atomic():
        changed: int = Run.objects.filter(still, pk=run.pk).update(
            state=Run.State.INTERRUPTED, error_code=_LOST, error_message=_INTERRUPTED, finished_at=timezone.now()
        )
        if changed:
            journal("execution.interrompue", execution=run.pk, cas=run.usecase, code=_LOST)
    return changed


def _enqueue(run: Run) -> None:
    from bocage.decisions.tasks import perform

    result = perform.enqueue(organisation_id=run.organisation_id, run_id=run.pk)
    run.task_id = str(result.id)
    run.save(update_fields=["task_id"])


def _claim(run_id: int) -> bool:
    now = timezone.now()
    waiting = Run.objects.filter(pk=run_id, state=Run.State.WAITING)
    return bool(waiting.update(state=Run.State.RUNNING, started_at=now, lease_until=now + LEASE, attempts=F("attempts") + 1))


def _request_of(run: Run, organisation: Organisation) -> RunRequest:
    deposits = {link.name: link.deposit for link in run.inputs.select_related("deposit")}
    return RunRequest(
        slug=run.usecase,
        inputs={name: deposit.path for name, deposit in deposits.items()},
        names={name: deposit.filename for name, deposit in deposits.items()},
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

    def __init__(self, run: Run, listener: Progress | None) -> None:
        self._run = run
        self._listener = listener
        self._progress_at = 0.0
        self._renewed_at = time.monotonic()

    def progress(self, fraction: float, message: str) -> None:
        if self._listener:
            self._listener(fraction, message)
        now = time.monotonic()
        if now - self._progress_at >= 1.0:
            self._progress_at = now
            _mine(self._run).update(progress=fraction, progress_message=message[:200])

    def renew(self) -> bool:
        """Renew the lease; true when the run was taken away from this worker, which must then stop."""
        now = time.monotonic()
        if now - self._renewed_at < _RENEW_EVERY_S:
            return False
        self._renewed_at = now
        return not _mine(self._run).update(lease_until=timezone.now() + LEASE)


def _mine(run: Run) -> QuerySet[Run]:
    """The run while this worker owns it. The attempt tells it from the same run stopped, restarted and claimed by another worker."""
    owned: QuerySet[Run] = Run.objects.filter(pk=run.pk, state=Run.State.RUNNING, attempts=run.attempts)
    return owned


def _fail(run: Run, code: str, message: str) -> None:
    with transaction.atomic():
        if _mine(run).update(state=Run.State.FAILED, error_code=code, error_message=without_nul(message), finished_at=timezone.now()):
            journal("execution.echouee", execution=run.pk, cas=run.usecase, code=code)


def _store(run: Run, record: RunRecord) -> None:
    """Write the record, both results and the proposals in one transaction; a run no longer ours (lease lost) is left as it is."""
    failed = next(((r.error_code, r.error_message) for r in record.roles if r.error_code), ("", ""))
    code, message = (record.error_code, record.error_message) if record.error_code else failed
    outcomes = {role.role: _storable(role.outcome) for role in record.roles}
    sentences: list[str] = []
    engine = outcomes.get("engine")
    if not code and engine is not None:
        # Sentences come from a worker too: the lease must outlast it.
        _mine(run).update(lease_until=timezone.now() + _EXPLAIN_LEASE)
        try:
            sentences = explain(run.usecase, engine.recommendations)
        except BocageError as error:
            code, message = error.code, error.message
    state = Run.State.INTERRUPTED if code == _LOST else Run.State.FAILED if code else Run.State.DONE
    with transaction.atomic():
        mine = _mine(run).update(
            state=state,
            params=dict(record.params),
            engine_version=record.engine_version,
            input_hash=record.input_hash,
            sandbox=record.sandbox,
            reports=without_nul(record.reports),
            error_code=code,
            error_message=without_nul(message),
            finished_at=timezone.now(),
            progress=1.0 if not code else F("progress"),
        )
        if not mine:
            return
        RoleResult.objects.filter(run=run).delete()
        for role in record.roles:
            _role_result(run, role, outcomes[role.role]).save()
        if not code and engine is not None:
            write_proposals(run, engine, outcomes.get("baseline"), sentences)
        facts = {"moteur": record.engine_version, "entrees": record.input_hash, "propositions": len(sentences), "code": code}
        journal(_EVENTS[state], execution=run.pk, cas=run.usecase, **facts)


def _storable(outcome: Outcome | None) -> Outcome | None:
    """The outcome as every database stores it: a subject that a file names with a NUL character would be refused by PostgreSQL."""
    if outcome is None or b"\\u0000" not in outcome.to_json():
        return outcome
    return Outcome.from_json(json.dumps(without_nul(json.loads(outcome.to_json()))))


def _role_result(run: Run, role: RoleRecord, outcome: Outcome | None) -> RoleResult:
    return RoleResult(
        run=run,
        role=role.role,
        outcome=json.loads(outcome.to_json()) if outcome else None,
        seconds=role.seconds,
        joules=role.energy.joules,
        joules_low=role.energy.low,
        joules_high=role.energy.high,
        energy_method=role.energy.method,
        cpu_seconds=role.energy.cpu_seconds,
        peak_mb=role.peak_mb,
        error_code=role.error_code,
        error_message=without_nul(role.error_message),
    )
