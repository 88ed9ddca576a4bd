"""What must go on whatever happens: the worker process beside the server, started again when it dies, and the duties of its upkeep."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence

log = logging.getLogger(__name__)

_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 60.0
_SETTLED_AFTER_S = 60.0
_TIME_TO_LEAVE_S = 10.0
_SAID_AGAIN_AFTER_S = 3600.0


def first_line(error: Exception) -> str:
    """What ``error`` says, on one line of a log."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


class GrowingPause:
    """Seconds to wait before the next try: twice the last ones, and few again once a try has held for a minute."""

    def __init__(self) -> None:
        self._next_s = _FIRST_PAUSE_S
        self._since = time.monotonic()

    def after_failure(self) -> float:
        """The seconds to wait now, between 1 and 60."""
        if time.monotonic() - self._since > self._next_s + _SETTLED_AFTER_S:
            self._next_s = _FIRST_PAUSE_S
        pause_s, self._next_s = self._next_s, min(2 * self._next_s, _LONGEST_PAUSE_S)
        self._since = time.monotonic()
        return pause_s


def worker_command_line() -> list[str]:
    """How the worker of this server is started. Told its parent's number, it leaves when the server is killed without a word."""
    return [sys.executable, "-m", "bocage.cli", "worker", "--parent", str(os.getpid())]


class WorkerKeeper:
    """A context in which one process of ``command`` always runs. A death is logged; the next start waits longer each time."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = list(command)
        self._over = threading.Event()
        self._starting = threading.Lock()
        self._watcher = threading.Thread(target=self._watch, daemon=True, name="worker-keeper")

    def __enter__(self) -> WorkerKeeper:
        """Start the process, and watch it."""
        self._process = self._start()
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End the process: asked first, killed ten seconds later."""
        self._over.set()
        with self._starting:
            self._process.terminate()
        self._watcher.join(_TIME_TO_LEAVE_S)
        if self._watcher.is_alive():
            self._process.kill()
            self._watcher.join()

    def _start(self) -> subprocess.Popen[bytes]:
        # A session of its own: Ctrl+C reaches the server alone, which then ends its worker properly.
        return subprocess.Popen(self._command, start_new_session=True)

    def _watch(self) -> None:
        pause = GrowingPause()
        while True:
            code = self._process.wait()
            if self._over.is_set():
                return
            pause_s = pause.after_failure()
            log.error("the worker ended by itself (exit status %d): started again in %.0f s", code, pause_s)
            if self._over.wait(pause_s):
                return
            with self._starting:
                if self._over.is_set():
                    return
                self._process = self._start()


class Duty:
    """One part of the upkeep, done at each turn or every ``every_s`` seconds. Its faults are logged, and hinder no other part."""

    def __init__(self, name: str, do: Callable[[], object], every_s: float = 0.0) -> None:
        self._name, self._do, self._every_s = name, do, every_s
        self._done_at: float | None = None
        self._fault, self._said_at = "", 0.0

    def take_turn(self) -> None:
        """Do it if it is due. A fault leaves it due; it is said once, again every hour, and when it is over."""
        from django.db import DatabaseError

        if self._done_at is not None and time.monotonic() - self._done_at < self._every_s:
            return
        try:
            self._do()
        except Exception as error:
            self._say(f"{type(error).__name__}: {first_line(error)}", with_trace=not isinstance(error, DatabaseError))
            return
        self._done_at = time.monotonic()
        if self._fault:
            log.warning("upkeep works again: %s", self._name)
            self._fault = ""

    def _say(self, fault: str, with_trace: bool) -> None:
        now = time.monotonic()
        if fault != self._fault or now - self._said_at >= _SAID_AGAIN_AFTER_S:
            log.warning("upkeep failed: %s (%s)", self._name, fault, exc_info=with_trace)
            self._fault, self._said_at = fault, now
