"""The parent's side of one worker: starts it, feeds it, listens to it, and stops it when it asks for too much.

One thread, one ``select`` loop; nothing here waits on the worker without a deadline. Standard input of the worker carries the order; a pipe
of its own carries the answers; the warden (see ``warden``) has two more, for its life and its last report.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import selectors
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bocage.contract.errors import BocageError, EngineFault, MemoryExceeded, TimeBudgetExceeded, WorkerDied
from bocage.execution import bounds, watch
from bocage.execution.channel import Header, ProtocolError, Reader, encode
from bocage.execution.energy import Meter
from bocage.execution.records import Energy, Sandbox
from bocage.execution.relay import DaskRelay

TICK = 0.2
SETUP_SECONDS = 120.0
FAREWELL_SECONDS = 2.0
TERM_SECONDS = 1.0
KILL_SECONDS = 15.0
MAX_OUTPUT = 16 * 1024
MAX_PROCESSES = 64

Progress = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class Order:
    """What one worker is told to do, and within which limits. ``environment`` is all that it sees of ours."""

    operation: str
    body: dict[str, Any]
    root: Path
    scratch: Path
    environment: dict[str, str]
    seconds: float
    memory_mb: int
    workers: int = 1


@dataclass(slots=True)
class End:
    """How it ended. ``error`` is None when ``blob`` holds an answer; ``prepared`` is None when the worker never started its engine."""

    prepared: dict[str, Any] | None = None
    blob: bytes | None = None
    error: BocageError | None = None
    seconds: float = 0.0
    energy: Energy | None = None
    peak_mb: float = 0.0
    output: str = ""
    sandbox: Sandbox = ""
    landlock: int = 0
    cancelled: bool = False


@dataclass(slots=True)
class Supervisor:
    """Runs one order to its end. ``run`` returns once nothing of the worker is left, whatever happens."""

    order: Order
    progress: Progress
    cancelled: Callable[[], bool]
    relay: DaskRelay | None = None
    end: End = field(default_factory=End)
    _selector: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)
    _reader: Reader = field(default_factory=Reader)
    _output: bytearray = field(default_factory=bytearray)
    _out: bytearray = field(default_factory=bytearray)
    _status: bytearray = field(default_factory=bytearray)
    _answers: queue.SimpleQueue[tuple[int, bytes, str]] = field(default_factory=queue.SimpleQueue)
    _fds: dict[str, int] = field(default_factory=dict)
    _meter: Meter = field(default_factory=Meter)
    _report: dict[str, Any] | None = None
    _gone: bool = False
    _best: float = 0.0
    _told: float = 0.0
    _started: float = 0.0
    _deadline: float = 0.0
    _remote_cpu: float = 0.0
    _known: watch.Known = field(default_factory=dict)

    def run(self) -> End:
        """Start, listen, stop; the worker's end."""
        warden = self._start()
        try:
            ticked = 0.0
            while not self._gone:
                for key, _ in self._selector.select(TICK):
                    key.data()
                if time.monotonic() - ticked >= TICK:
                    ticked = time.monotonic()
                    self._tick(warden.pid)
        finally:
            self._finish(warden)
        return self.end

    # Start and end

    def _start(self) -> subprocess.Popen[bytes]:
        order = self.order
        theirs: dict[str, int] = {}
        for name, reads in (("life", False), ("status", True), ("channel", True), ("output", True), ("input", False), ("bell", True)):
            reader, writer = os.pipe()
            self._fds[name], theirs[name] = (reader, writer) if reads else (writer, reader)
            os.set_blocking(self._fds[name], False)
        os.set_blocking(theirs["bell"], False)
        self._fds["rope"] = theirs.pop("bell")
        worker = [sys.executable, "-s", "-P", "-m", "bocage.execution.worker", str(theirs["channel"])]
        numbers = [str(theirs[name]) for name in ("life", "status", "channel")]
        try:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(Path(__file__).with_name("warden.py")), *numbers, str(order.root), "--", *worker],
                stdin=theirs["input"],
                stdout=theirs["output"],
                stderr=theirs["output"],
                env=order.environment,
                cwd=order.scratch,
                pass_fds=[theirs[name] for name in ("life", "status", "channel")],
                start_new_session=True,
            )
        finally:
            for fd in theirs.values():
                if fd != self._fds["rope"]:
                    os.close(fd)
        for name, act in (("status", self._hear_status), ("channel", self._hear), ("output", self._hear_output), ("bell", self._hear_bell)):
            self._selector.register(self._fds[name], selectors.EVENT_READ, act)
        self._deadline = time.monotonic() + SETUP_SECONDS
        self._say({"t": order.operation}, json.dumps(order.body).encode())
        return process

    def _finish(self, warden: subprocess.Popen[bytes]) -> None:
        if self._report is None:
            self._kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                warden.wait(KILL_SECONDS)
        watch.sweep(self._known)
        for name, act in (("status", self._hear_status), ("channel", self._hear), ("output", self._hear_output)):
            while name in self._fds and act():
                pass
        with contextlib.suppress(subprocess.TimeoutExpired):
            warden.wait(KILL_SECONDS)
        if self.relay is not None:
            self.relay.cancel()
        for name in list(self._fds):
            self._close(name)
        self._selector.close()
        self._conclude()

    def _conclude(self) -> None:
        end, report = self.end, self._report or {}
        if self._started and not end.seconds:
            end.seconds = time.monotonic() - self._started
        cpu = float(report.get("cpu", sum(cost for _, cost in self._known.values())))
        end.energy = self._meter.read(cpu, self._remote_cpu)
        end.peak_mb = round(max(end.peak_mb, float(report.get("maxrss_mb", 0.0))), 1)
        end.output = bytes(self._output).decode("utf-8", "replace")
        if end.blob is None and end.error is None:
            end.error = self._death(report.get("exit"))

    def _death(self, code: object) -> BocageError:
        how = f"a été tué (signal {-code})" if isinstance(code, int) and code < 0 else f"s’est arrêté sans répondre (code {code})"
        return WorkerDied(f"Le processus de calcul {how}. Rien n’est perdu : le calcul peut être relancé.")

    # What the worker may take

    def _tick(self, warden: int) -> None:
        end, now = self.end, time.monotonic()
        self._meter.sample()
        usage = watch.tree(warden, self._known)
        end.peak_mb = max(end.peak_mb, usage.rss_mb)
        if end.error is None and end.blob is None:
            if self.cancelled():
                end.cancelled = True
                self._stop(WorkerDied("Le calcul a été interrompu à votre demande. Il peut être relancé."))
            elif usage.rss_mb > self.order.memory_mb and watch.shared_mb(usage.pids) > self.order.memory_mb:
                self._stop(self._too_big())
            elif usage.count > MAX_PROCESSES + 2 * self.order.workers:
                self._stop(EngineFault(f"Le moteur a lancé {usage.count} processus ; {MAX_PROCESSES} suffisent. Signalez-le à son auteur."))
            elif now > self._deadline:
                self._too_long(now)
        elif now > self._deadline:
            self._kill()

    def _too_big(self) -> BocageError:
        return MemoryExceeded(
            f"Le calcul a demandé plus que les {self.order.memory_mb} Mo de mémoire accordés ; il a été arrêté. "
            "Déposez moins de lignes, ou augmentez la mémoire accordée (BOCAGE_RUN_MEMORY_MB)."
        )

    def _too_long(self, now: float) -> None:
        if self.end.prepared is None:
            text = f"La lecture des fichiers a pris plus de {SETUP_SECONDS:.0f} s ; elle a été arrêtée. Déposez un fichier plus petit."
        else:
            text = (
                f"Le calcul n’a pas répondu dans les {self.order.seconds:g} s accordées ; il a été arrêté. "
                "Déposez moins de lignes, ou augmentez le temps accordé (BOCAGE_RUN_SECONDS)."
            )
        self.end.error = TimeBudgetExceeded(text)
        self._deadline = now + TERM_SECONDS
        self._speak(b"T")

    def _stop(self, error: BocageError) -> None:
        if self.end.error is None and self.end.blob is None:
            self.end.error = error
        self._kill()

    def _kill(self) -> None:
        """The end of the whole tree, by the warden's hand; by ours if the warden is slow or dead."""
        if "life" in self._fds:
            self._speak(b"K")
            self._close("life")
            self._deadline = time.monotonic() + KILL_SECONDS
        else:
            watch.sweep(self._known)
            self._gone = True

    # What is heard: each returns whether there may be more

    def _hear(self) -> bool:
        data = self._take("channel", 1 << 20)
        try:
            for header, blob in self._reader.feed(data):
                self._act(header, blob)
        except ProtocolError as error:
            self._stop(EngineFault(f"Le moteur a rendu une {error}. Signalez-le à son auteur."))
            self._close("channel")
            return False
        except BocageError as error:
            self._stop(error)
        return bool(data)

    def _act(self, header: Header, blob: bytes) -> None:
        kind = header["t"]
        if self.end.blob is not None or self.end.error is not None:
            return
        if kind == "progress":
            self._advance(header)
        elif kind == "submit" and self.relay is not None and isinstance(header.get("id"), int):
            self.relay.submit(header["id"], blob, self._deliver)
        elif kind == "result" and self.end.prepared is not None:
            self.end.blob = blob
            self._over()
        elif kind == "error":
            self.end.error = self._told_error(str(header.get("code")), str(header.get("message"))[:4000])
            self._over()
        elif kind == "prepared" and self.end.prepared is None:
            self.end.prepared = bounds.prepared(blob)
            self._started = time.monotonic()
            self._deadline = self._started + self.order.seconds + min(10.0, max(1.0, 0.1 * self.order.seconds))
        elif kind == "guarded":
            self.end.sandbox = "seccomp" if header.get("sandbox") == "seccomp" else "hook"
            self.end.landlock = header["landlock"] if isinstance(header.get("landlock"), int) else 0

    def _over(self) -> None:
        if self._started:
            self.end.seconds = time.monotonic() - self._started
        self._deadline = time.monotonic() + FAREWELL_SECONDS

    def _told_error(self, code: str, message: str) -> BocageError:
        if code == MemoryExceeded.code:
            return self._too_big()
        return ERRORS.get(code, EngineFault)(message)

    def _advance(self, header: Header) -> None:
        fraction, now = header.get("fraction"), time.monotonic()
        if isinstance(fraction, (int, float)) and 0 <= fraction <= 1 and now - self._told >= 0.1:
            self._best, self._told = max(self._best, float(fraction)), now
            self.progress(self._best, str(header.get("message"))[:200])

    def _hear_output(self) -> bool:
        data = self._take("output", 1 << 16)
        self._output += data
        del self._output[:-MAX_OUTPUT]
        return bool(data)

    def _hear_status(self) -> bool:
        data = self._take("status", 1 << 16)
        self._status += data
        *lines, rest = bytes(self._status).split(b"\n")
        self._status[:] = rest
        for line in lines:
            report = json.loads(line)
            if "exit" in report:
                self._report = report
                self._gone = True
        if "status" not in self._fds:
            self._gone = True
        return bool(data)

    # What is said

    def _say(self, header: Header, blob: bytes) -> None:
        self._out += encode(header, blob)
        self._pour()

    def _pour(self) -> bool:
        """Write what the worker is ready to take, and come back for the rest."""
        if "input" not in self._fds:
            return False
        try:
            del self._out[: os.write(self._fds["input"], memoryview(bytes(self._out[: 1 << 20])))]
        except BlockingIOError:
            pass
        except OSError:
            self._close("input")
            return False
        registered = self._fds["input"] in self._selector.get_map()
        if self._out and not registered:
            self._selector.register(self._fds["input"], selectors.EVENT_WRITE, self._pour)
        elif not self._out and registered:
            self._selector.unregister(self._fds["input"])
        return False

    def _deliver(self, number: int, answer: bytes, failure: str) -> None:
        """Called by Dask's threads."""
        self._answers.put((number, answer, failure))
        with contextlib.suppress(OSError, KeyError):
            os.write(self._fds["rope"], b".")

    def _hear_bell(self) -> bool:
        self._take("bell", 4096)
        while not self._answers.empty():
            number, answer, failure = self._answers.get()
            if self.relay is not None:
                self.relay.forget(number)
            if not failure:
                self._remote_cpu += max(0.0, float(json.loads(answer.partition(b"\n")[0])["cpu"]))
            try:
                self._say({"t": "answer", "id": number, "failure": failure}, answer)
            except ProtocolError as error:
                self._say({"t": "answer", "id": number, "failure": f"Une tâche a rendu une {error}."}, b"")
        return False

    # Pipes

    def _speak(self, word: bytes) -> None:
        with contextlib.suppress(OSError, KeyError):
            os.write(self._fds["life"], word)

    def _take(self, name: str, size: int) -> bytes:
        try:
            data = os.read(self._fds[name], size)
        except BlockingIOError:
            return b""
        if not data:
            self._close(name)
        return data

    def _close(self, name: str) -> None:
        fd = self._fds.pop(name, None)
        if fd is None:
            return
        if fd in self._selector.get_map():
            self._selector.unregister(fd)
        os.close(fd)


def _errors(of: type[BocageError]) -> dict[str, type[BocageError]]:
    # The class that names a code, not one that only says more under the same code (``NoLineKept``) and is built otherwise.
    found = {of.code: of} if "code" in vars(of) else {}
    for child in of.__subclasses__():
        found |= _errors(child)
    return found


ERRORS = _errors(BocageError)
"""Error class by code: what a worker may say."""
