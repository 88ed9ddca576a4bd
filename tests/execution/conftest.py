"""Use cases for the tests of execution: real folders, found as a private use case is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bocage.contract import discovery
from bocage.execution import RoleRecord, RunRecord, RunRequest, execute

USECASES = Path(__file__).parent / "usecases"


class Lab:
    """Runs of ``essai_moteur``, the engine that does what ``geste`` says."""

    @staticmethod
    def run(gesture: str, *, target: str = "", number: int = 3, **request: Any) -> RunRecord:
        """One run, engine only unless told otherwise."""
        progress, cancelled = request.pop("progress", lambda fraction, message: None), request.pop("cancelled", lambda: False)
        files = request.pop("inputs", {})
        params = {"geste": gesture, "cible": target, "nombre": number}
        limits = {"role": "engine", "seconds": 20, "memory_mb": 1024, **request}
        return execute(RunRequest("essai_moteur", files, params, **limits), progress, cancelled)

    @staticmethod
    def engine(record: RunRecord) -> RoleRecord:
        """The engine's record; its absence is told by the run's error."""
        role = record.role("engine")
        assert role is not None, record.error_message
        return role

    def evidence(self, record: RunRecord) -> dict[str, Any]:
        """What the engine found out."""
        role = self.engine(record)
        assert role.outcome is not None, f"{role.error_message}\n{role.output}"
        return dict(role.outcome.recommendations[0].evidence)

    @staticmethod
    def eventually(true: Callable[[], bool], seconds: float = 15) -> bool:
        """Whether ``true()`` becomes true in time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if true():
                return True
            time.sleep(0.02)
        return true()


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """The engine of the tests, installed."""
    monkeypatch.setenv("BOCAGE_USECASES_PATH", str(USECASES))
    discovery.clear()
    yield Lab()
    discovery.clear()


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where runs make their folders, to see that nothing is left."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder
