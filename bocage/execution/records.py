"""What is asked of a run, and what is kept of it. Plain data, JSON safe."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import JsonValue

from bocage.contract.errors import InvalidParams
from bocage.contract.outcome import Outcome

Role = Literal["engine", "baseline"]
Sandbox = Literal["seccomp", "hook", ""]

MAX_SECONDS = 86_400
MIN_MEMORY_MB = 128
MAX_WORKERS = 256
_DASK_ADDRESS = re.compile(r"^(tcp|tls)://[^\s/]+:\d+$")


@dataclass(frozen=True, slots=True)
class RunRequest:
    """One run of a use case.

    ``inputs`` are files by input name, and ``names`` what people call them; ``seconds`` is the time budget of each role and ``memory_mb``
    the memory of its process tree (MB of resident memory); ``workers`` > 1 gives the engine a pool of processes; ``dask``
    (``tcp://host:port``) a pool on a Dask cluster.
    """

    slug: str
    inputs: Mapping[str, Path]
    params: Mapping[str, JsonValue] = field(default_factory=dict)
    role: Literal["engine", "baseline", "both"] = "both"
    seed: int = 0
    seconds: float = 60
    memory_mb: int = 2048
    timezone: str = "Europe/Paris"
    workers: int = 1
    dask: str = ""
    names: Mapping[str, str] = field(default_factory=dict)

    def check(self) -> None:
        """Raise ``InvalidParams`` when a limit makes no sense: an error of the caller, not of the territory."""
        faults = [
            (self.role in ("engine", "baseline", "both"), "role", self.role, "engine, baseline ou both"),
            (0 < self.seconds <= MAX_SECONDS and math.isfinite(self.seconds), "seconds", self.seconds, f"de 0 à {MAX_SECONDS} s"),
            (self.memory_mb >= MIN_MEMORY_MB, "memory_mb", self.memory_mb, f"{MIN_MEMORY_MB} Mo ou plus"),
            (1 <= self.workers <= MAX_WORKERS, "workers", self.workers, f"de 1 à {MAX_WORKERS}"),
            (not self.dask or bool(_DASK_ADDRESS.match(self.dask)), "dask", self.dask, "tcp://machine:port"),
        ]
        for right, name, read, expected in faults:
            if not right:
                raise InvalidParams(f"Réglage du calcul « {name} » : lu « {read} », attendu {expected}.")


@dataclass(frozen=True, slots=True)
class Energy:
    """Electricity attributed to one role, in joules, within ``low`` and ``high``. See ``docs/execution.md`` for what it leaves out."""

    joules: float
    low: float
    high: float
    method: Literal["rapl", "cpu-model"]
    cpu_seconds: float

    def to_dict(self) -> dict[str, Any]:
        """JSON safe."""
        return {
            "joules": self.joules,
            "low": self.low,
            "high": self.high,
            "method": self.method,
            "cpu_seconds": self.cpu_seconds,
        }


@dataclass(frozen=True, slots=True)
class RoleRecord:
    """What one role (engine or baseline) gave and cost.

    ``seconds`` is the wall time of the engine alone; ``energy`` and ``peak_mb`` cover the whole worker: start, reading, children.
    ``output`` is the end of what the worker printed: for the developer, never for the public.
    """

    role: Role
    outcome: Outcome | None
    seconds: float
    energy: Energy
    peak_mb: float
    error_code: str = ""
    error_message: str = ""
    output: str = ""

    def to_dict(self) -> dict[str, Any]:
        """JSON safe."""
        return {
            "role": self.role,
            "outcome": json.loads(self.outcome.to_json()) if self.outcome else None,
            "seconds": self.seconds,
            "energy": self.energy.to_dict(),
            "peak_mb": self.peak_mb,
            "error_code": self.error_code,
            "error_message": self.error_message,
            "output": self.output,
        }

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> RoleRecord:
        """The record that ``to_dict`` wrote."""
        outcome = data["outcome"]
        rest = {key: value for key, value in data.items() if key not in ("outcome", "energy")}
        return RoleRecord(
            outcome=Outcome.from_json(json.dumps(outcome)) if outcome is not None else None,
            energy=Energy(**data["energy"]),
            **rest,
        )


@dataclass(frozen=True, slots=True)
class RunRecord:
    """All that is kept of a run.

    ``error_code`` and ``error_message`` tell why no role could start (files, parameters, missing extra), or that the run was stopped;
    a role's own failure is in its ``RoleRecord``. ``sandbox`` says who refused the network: the kernel (``seccomp``) or the interpreter
    alone (``hook``); ``landlock`` is the version of the kernel's file walls that was in force, 0 when there was none.
    """

    slug: str
    engine_version: str
    input_hash: str
    params: dict[str, JsonValue]
    seed: int
    started_at: datetime
    roles: tuple[RoleRecord, ...]
    reports: dict[str, Any]
    error_code: str = ""
    error_message: str = ""
    sandbox: Sandbox = ""
    landlock: int = 0

    def role(self, name: Role) -> RoleRecord | None:
        """The record of one role, or None when it did not start."""
        return next((role for role in self.roles if role.role == name), None)

    def to_dict(self) -> dict[str, Any]:
        """JSON safe."""
        return {
            "slug": self.slug,
            "engine_version": self.engine_version,
            "input_hash": self.input_hash,
            "params": self.params,
            "seed": self.seed,
            "started_at": self.started_at.isoformat(),
            "roles": [role.to_dict() for role in self.roles],
            "reports": self.reports,
            "error_code": self.error_code,
            "error_message": self.error_message,
            "sandbox": self.sandbox,
            "landlock": self.landlock,
        }

    @staticmethod
    def from_dict(data: Mapping[str, Any]) -> RunRecord:
        """The record that ``to_dict`` wrote."""
        rest = {key: value for key, value in data.items() if key not in ("started_at", "roles")}
        return RunRecord(
            started_at=datetime.fromisoformat(data["started_at"]),
            roles=tuple(RoleRecord.from_dict(role) for role in data["roles"]),
            **rest,
        )
