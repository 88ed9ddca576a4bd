"""``res.pool``: processes beside the engine, or a relay to a Dask cluster that the engine itself cannot reach. Runs in the worker."""

from __future__ import annotations

import itertools
import json
import multiprocessing
import os
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from typing import Any, ParamSpec, TypeVar

from bocage.contract.errors import EngineFault, MissingExtra, WorkerDied
from bocage.execution import guard
from bocage.execution.channel import MAX_BLOB, Sender

P = ParamSpec("P")
T = TypeVar("T")


def processes(workers: int, token: str) -> ProcessPoolExecutor:
    """Fresh interpreters (never a fork of threads). The kernel's walls are inherited; the interpreter's are put up again."""
    context = multiprocessing.get_context("spawn")
    multiprocessing.current_process()._config["semprefix"] = f"/{token}"  # type: ignore[attr-defined]  # so that the parent can sweep them
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_enter)


def _enter() -> None:
    """Start of a pool process: no network, and no life after its worker's."""
    guard.hook()
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_follow, args=(parent.join,), daemon=True).start()


def _follow(wait: Callable[[], Any]) -> None:
    wait()
    os._exit(1)


class RelayExecutor(Executor):
    """Sends calls through the parent to Dask as bytes that the parent does not open, and takes the answers from ``deliver``."""

    def __init__(self, sender: Sender) -> None:
        try:
            import cloudpickle
        except ImportError:
            raise MissingExtra("BOCAGE_DASK a besoin de « distributed » : faites « pip install 'bocage[dask]' ».") from None
        self._pickle = cloudpickle
        self._sender = sender
        self._numbers = itertools.count(1)
        self._waiting: dict[int, Future[Any]] = {}
        self._lock = threading.Lock()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """As ``concurrent.futures``: ``fn`` and its arguments must be picklable, and hold in 64 MB."""
        payload = self._pickle.dumps((fn, args, kwargs))
        if len(payload) > MAX_BLOB:
            raise EngineFault(f"Une tâche de {len(payload) / 1e6:.0f} Mo ne peut pas partir vers Dask : {MAX_BLOB / 1e6:.0f} Mo au plus.")
        future: Future[T] = Future()
        with self._lock:
            number = next(self._numbers)
            self._waiting[number] = future
        future.set_running_or_notify_cancel()
        self._sender.send({"t": "submit", "id": number}, payload)
        return future

    def deliver(self, number: int, answer: bytes, failure: str) -> None:
        """The answer to task ``number``, or the French sentence of its failure."""
        with self._lock:
            future = self._waiting.pop(number, None)
        if future is None:
            return
        if failure:
            future.set_exception(WorkerDied(failure))
            return
        head, _, body = answer.partition(b"\n")
        try:
            value = self._pickle.loads(body)
        except Exception as error:
            future.set_exception(EngineFault(f"Réponse de Dask illisible : {type(error).__name__}."))
            return
        if json.loads(head)["ok"]:
            future.set_result(value)
        else:
            future.set_exception(value)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Nothing to close here: the parent holds the connection."""
