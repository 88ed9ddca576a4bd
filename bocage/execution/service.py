"""The doors to engines: execute, evaluate, explain, describe, inspect, correct. Each goes through a fresh worker."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from bocage.contract import private
from bocage.contract.discovery import use_case_folder
from bocage.contract.errors import BocageError, EngineFault, WorkerDied
from bocage.contract.outcome import Outcome, Recommendation
from bocage.execution import bounds, inspection
from bocage.execution.energy import from_cpu
from bocage.execution.fingerprint import engine_version, input_hash
from bocage.execution.records import Role, RoleRecord, RunRecord, RunRequest, Sandbox
from bocage.execution.relay import DaskRelay
from bocage.execution.supervisor import End, Order, Progress, Supervisor
from bocage.execution.workspace import Workspace

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
_SHARE = {"engine": 0.8, "baseline": 0.2}
_ROLES: dict[str, tuple[Role, ...]] = {"engine": ("engine",), "baseline": ("baseline",), "both": ("engine", "baseline")}


def _silent(fraction: float, message: str) -> None:
    """Progress that nobody listens to."""


def _never() -> bool:
    return False


def execute(request: RunRequest, progress: Progress = _silent, cancelled: Callable[[], bool] = _never) -> RunRecord:
    """Run engine, baseline or both, and tell everything in the record: results, costs, errors.

    ``progress(fraction, French phrase)`` is called at most ten times a second, never backwards; ``cancelled()`` is asked five times a
    second. Raises ``UnknownUseCase``, ``InvalidUseCase`` or ``InvalidParams`` for a request that no run can come from; failures of files,
    of the parameters that people give and of engines are in the record.
    """
    request.check()
    run = _Run(request, engine_version(request.slug), progress, cancelled)
    relay: DaskRelay | None = None
    try:
        with Workspace() as workspace:
            run.take(workspace)
            if request.dask:
                relay = DaskRelay(request.dask, request.slug, run.version)
            run.go(workspace, relay)
    except BocageError as error:
        run.error = error
    finally:
        if relay is not None:
            relay.close()
    return run.record()


class _Run:
    """A record in the making."""

    def __init__(self, request: RunRequest, version: str, progress: Progress, cancelled: Callable[[], bool]) -> None:
        self.request, self.version = request, version
        self.progress, self.cancelled = progress, cancelled
        self.started_at = datetime.now(UTC)
        self.paths: dict[str, str] = {}
        self.input_hash = ""
        self.params: dict[str, JsonValue] = dict(request.params)
        self.reports: dict[str, Any] = {}
        self.roles: list[RoleRecord] = []
        self.error: BocageError | None = None
        self.sandbox: Sandbox = ""
        self.landlock = 0

    def take(self, workspace: Workspace) -> None:
        """Copy and hash the inputs."""
        self.paths, hashes = workspace.take(self.request.inputs, self.request.names)
        self.input_hash = input_hash(hashes)

    def go(self, workspace: Workspace, relay: DaskRelay | None) -> None:
        """The roles, one after the other."""
        roles = _ROLES[self.request.role]
        done = 0.0
        for role in roles:
            share = _SHARE[role] / sum(_SHARE[each] for each in roles)
            end = Supervisor(self._order(role, workspace), self._part(done, share), self.cancelled, relay).run()
            self.sandbox, self.landlock = end.sandbox, end.landlock
            if end.prepared is None:
                self.error = end.error
                return
            self.params, self.reports = end.prepared["params"], end.prepared["reports"]
            self.roles.append(_role_record(role, end))
            if end.cancelled:
                self.error = end.error
                return
            done += share
        self.progress(1.0, "Terminé")

    def _part(self, done: float, share: float) -> Progress:
        return lambda fraction, message: self.progress(min(1.0, done + share * fraction), message)

    def _order(self, role: Role, workspace: Workspace) -> Order:
        request = self.request
        body = {
            "role": role,
            "params": dict(request.params),
            "names": dict(request.names),
            "seed": request.seed,
            "seconds": request.seconds,
            "workers": request.workers,
            "dask": bool(request.dask),
            "token": workspace.token,
        }
        return order(
            "run", request.slug, body, workspace, self.paths, request.timezone, request.seconds, request.memory_mb, request.workers
        )

    def record(self) -> RunRecord:
        """What is kept."""
        return RunRecord(
            slug=self.request.slug,
            engine_version=self.version,
            input_hash=self.input_hash,
            params=self.params,
            seed=self.request.seed,
            started_at=self.started_at,
            roles=tuple(self.roles),
            reports=self.reports,
            error_code=self.error.code if self.error else "",
            error_message=self.error.message if self.error else "",
            sandbox=self.sandbox,
            landlock=self.landlock,
        )


def evaluate(
    slug: str,
    outcome: Outcome,
    truth_files: Mapping[str, Path],
    names: Mapping[str, str] | None = None,
    *,
    timezone: str = "Europe/Paris",
    seconds: float = 60,
    memory_mb: int = 2048,
) -> dict[str, float]:
    """The figures of ``outcome`` against what really happened, computed in a worker; ``names`` are what sentences call the files.

    Raises ``BocageError``.
    """
    use_case_folder(slug)
    body = {"outcome": json.loads(outcome.to_json()), "names": dict(names or {})}
    with Workspace() as workspace:
        paths, _ = workspace.take(truth_files)
        return bounds.metrics(_ask(order("evaluate", slug, body, workspace, paths, timezone, seconds, memory_mb)))


def explain(slug: str, recommendations: Sequence[Recommendation], *, seconds: float = 60, memory_mb: int = 2048) -> list[str]:
    """One French sentence per recommendation, written in a worker. Raises ``BocageError``."""
    use_case_folder(slug)
    if not recommendations:
        return []
    body = {"outcome": json.loads(Outcome(recommendations).to_json())}
    with Workspace() as workspace:
        blob = _ask(order("explain", slug, body, workspace, {}, "Europe/Paris", seconds, memory_mb))
    return bounds.sentences(blob, len(recommendations))


def describe(slug: str) -> dict[str, Any]:
    """What a use case asks for: ``inputs`` and ``truth`` (title, need, columns or suffixes), ``params`` (JSON schema).

    Raises ``BocageError``. Kept in memory for as long as the code of the use case is the same.
    """
    key = (slug, engine_version(slug))
    with _describing:
        if key not in _described:
            with Workspace() as workspace:
                blob = _ask(order("describe", slug, {}, workspace, {}, "Europe/Paris", 60, 1024))
            _described[key] = inspection.description(blob)
        return _described[key]


def inspect(
    slug: str,
    inputs: Mapping[str, Path],
    timezone: str,
    names: Mapping[str, str] | None = None,
    *,
    seconds: float = 120,
    memory_mb: int = 2048,
) -> dict[str, dict[str, Any]]:
    """The report of each file, read and checked in a worker; ``names`` are what sentences call the files.

    A report has ``file`` and ``table`` (false for a file that is not one), then ``error`` (``code``, ``message``) when it cannot be read,
    else what ``TableReport.to_dict`` gives and ``details``: every wrong cell as ``[line, kind, read]``, with ``kinds`` =
    ``[column, expected, advice]``. Raises ``BocageError`` when the use case itself cannot read.
    """
    use_case_folder(slug)
    with Workspace() as workspace:
        paths, _ = workspace.take(inputs)
        blob = _ask(order("inspect", slug, {"names": dict(names or {})}, workspace, paths, timezone, seconds, memory_mb))
    return inspection.reports(blob, set(inputs))


def correct(slug: str, input_name: str, path: Path, timezone: str, name: str, *, seconds: float = 120, memory_mb: int = 2048) -> bytes:
    """The wrong lines of the table at ``path``, as a CSV to correct in a spreadsheet, written in a worker. Raises ``BocageError``."""
    use_case_folder(slug)
    with Workspace() as workspace:
        paths, _ = workspace.take({input_name: path})
        return _ask(order("correct", slug, {"names": {input_name: name}}, workspace, paths, timezone, seconds, memory_mb))


_describing = threading.Lock()
_described: dict[tuple[str, str], dict[str, Any]] = {}


def _ask(what: Order) -> bytes:
    end = Supervisor(what, _silent, _never).run()
    if end.error is not None or end.blob is None:
        raise end.error or WorkerDied("Le processus de calcul n’a pas répondu.")
    return end.blob


def _role_record(role: Role, end: End) -> RoleRecord:
    error, outcome = end.error, None
    if error is None and end.blob is not None:
        try:
            outcome = bounds.outcome(end.blob)
        except EngineFault as fault:
            error = fault
    return RoleRecord(
        role=role,
        outcome=outcome,
        seconds=round(end.seconds, 3),
        energy=end.energy or from_cpu(0.0),
        peak_mb=end.peak_mb,
        error_code=error.code if error else "",
        error_message=error.message if error else "",
        output=end.output,
    )


def order(
    operation: str,
    slug: str,
    body: dict[str, Any],
    workspace: Workspace,
    paths: Mapping[str, str],
    timezone: str,
    seconds: float,
    memory_mb: int,
    workers: int = 1,
) -> Order:
    """What a worker is told, and the little that it sees of this machine: its folders and a clean environment."""
    scratch = workspace.scratch(operation)
    write = [str(scratch), *(["/dev/shm"] if workers > 1 else [])]  # noqa: S108 (semaphores of the pool)
    read = [*_code_folders(slug), str(workspace.inputs)]
    whole = {**body, "slug": slug, "inputs": dict(paths), "timezone": timezone, "memory_mb": memory_mb, "read": read, "write": write}
    return Order(operation, whole, workspace.root, scratch, _environment(scratch), seconds, memory_mb, workers)


def _environment(scratch: Path) -> dict[str, str]:
    """All that a worker's environment holds. One thread per process: results do not depend on the machine's cores."""
    folder = str(scratch)
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "HOME": folder,
        "TMPDIR": folder,
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        private.SETTING: os.pathsep.join(private.folders()),
        **dict.fromkeys(_THREADS, "1"),
    }


def _code_folders(slug: str) -> list[str]:
    """Folders of code: Bocage, the use case (with the packages around it), private use cases, other installed packages."""
    top = use_case_folder(slug).resolve()
    while (top.parent / "__init__.py").is_file():
        top = top.parent
    installed = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    return [str(Path(__file__).resolve().parent.parent), str(top), *private.folders(), *installed]
