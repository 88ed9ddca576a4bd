"""Promises about scale: the same answer whether the work is done here, by processes, or by a Dask cluster."""

from __future__ import annotations

import importlib.util
import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any

from bocage.contract.conformance.conduct import difference
from bocage.contract.conformance.lab import Lab
from bocage.contract.conformance.promise import Broken, NotApplicable, promise
from bocage.contract.errors import BocageError
from bocage.contract.french import count

_WORKERS = 2


class Counting(Executor):
    """An executor that counts what is asked of another one."""

    def __init__(self, inner: Executor) -> None:
        self.inner = inner
        self.asked = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Count one, and pass it on."""
        self.asked += 1
        return self.inner.submit(fn, *args, **kwargs)

    def map(self, fn: Callable[..., Any], *iterables: Any, timeout: float | None = None, chunksize: int = 1) -> Iterator[Any]:
        """Count one, and pass it on."""
        self.asked += 1
        return self.inner.map(fn, *iterables, timeout=timeout, chunksize=chunksize)


@promise("processes", "Le même résultat, réparti sur des processus")
def processes(lab: Lab) -> str:
    """With a pool of two fresh processes, ``run`` gives the same bytes as without a pool."""
    asked = _on_processes(lab)
    return f"{count(asked, 'envoi')} au pool, même résultat." if asked else "Le moteur n’utilise pas le pool ; même résultat avec et sans."


@promise("dask", "Le même résultat, réparti sur Dask")
def dask(lab: Lab) -> str:
    """With a local Dask cluster of two worker processes, ``run`` gives the same bytes as without a pool."""
    if importlib.util.find_spec("distributed") is None:
        raise NotApplicable("Dask n’est pas installé : « pip install 'bocage[dask]' » permet de le vérifier.")
    if not _uses_pool(lab):
        raise NotApplicable("Le moteur n’utilise pas le pool.")
    with _cluster() as executor:
        asked = _same_on(lab, executor, "un groupe Dask")
    return f"{count(asked, 'envoi')} à Dask, même résultat."


def _on_processes(lab: Lab) -> int:
    # spawn: fork would copy the threads of numerical libraries in an unknown state
    with ProcessPoolExecutor(_WORKERS, mp_context=multiprocessing.get_context("spawn")) as pool:
        return _same_on(lab, pool, "des processus")


def _uses_pool(lab: Lab) -> bool:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as threads:
        pool = Counting(threads)
        try:
            lab.outcome(lab.inputs, pool=pool)
        except (Broken, BocageError) as error:
            raise Broken(f"Avec un pool : {error}") from None
    return pool.asked > 0


def _same_on(lab: Lab, executor: Executor, where: str) -> int:
    pool = Counting(executor)
    try:
        outcome = lab.outcome(lab.inputs, pool=pool)
    except (Broken, BocageError) as error:
        raise Broken(f"Sur {where} : {error} N’envoyez que des fonctions de module et des données simples.") from None
    place = difference(lab.reference.outcome, outcome)
    if place:
        raise Broken(f"Sur {where}, le résultat change ({place}). Donnez à chaque envoi sa graine, et rassemblez dans un ordre fixe.")
    return pool.asked


@contextmanager
def _cluster() -> Iterator[Executor]:
    import distributed

    start: Any = distributed.LocalCluster
    connect: Any = distributed.Client
    settings: dict[str, Any] = {"host": "127.0.0.1", "dashboard_address": ":0", "silence_logs": 50}
    with start(n_workers=_WORKERS, threads_per_worker=1, **settings) as cluster, connect(cluster) as client:
        yield client.get_executor()
