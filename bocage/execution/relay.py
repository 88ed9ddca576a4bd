"""The parent's side of a Dask pool: passes opaque bytes between a worker without network and the cluster. It opens none of them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from bocage.contract.errors import EngineFault, InvalidSetting, MissingExtra

CONNECT_SECONDS = 10
MAX_PENDING_BYTES = 512 * 1024 * 1024


@lru_cache(maxsize=8)
def _version_here(slug: str) -> str:
    from bocage.execution.fingerprint import engine_version

    return engine_version(slug)


def call_bytes(slug: str, version: str, payload: bytes) -> bytes:
    """Runs on a Dask worker: open the call, make it, close the answer. Failures come back as an answer, never as Dask's own pickle.

    The answer is one JSON line ``{"ok": …, "cpu": seconds}``, then the pickled value or exception.
    """
    import cloudpickle

    start = time.thread_time()
    try:
        if _version_here(slug) != version:
            raise EngineFault(f"La grappe Dask a une autre version de « {slug} » que ce serveur. Installez la même partout.")
        function, arguments, named = cloudpickle.loads(payload)
        right, value = True, function(*arguments, **named)
    except Exception as error:
        right, value = False, error
    try:
        body = cloudpickle.dumps(value)
    except Exception as error:
        right, body = False, cloudpickle.dumps(EngineFault(f"Une tâche a rendu un objet qui ne voyage pas : {type(error).__name__}."))
    head = json.dumps({"ok": right, "cpu": time.thread_time() - start}).encode()
    return head + b"\n" + bytes(body)


class DaskRelay:
    """A connection to a Dask scheduler for one run. ``deliver(number, answer, failure)`` is called from another thread."""

    def __init__(self, address: str, slug: str, version: str) -> None:
        try:
            from distributed import Client
        except ImportError:
            raise MissingExtra("BOCAGE_DASK a besoin de « distributed » : faites « pip install 'bocage[dask]' ».") from None
        try:
            client: Any = Client  # distributed has no types
            self._client = client(address, timeout=CONNECT_SECONDS, set_as_default=False)
        except Exception as error:
            raise InvalidSetting(
                f"La grappe Dask {address} ne répond pas ({type(error).__name__}). Démarrez-la, ou videz le réglage BOCAGE_DASK."
            ) from None
        self._slug, self._version = slug, version
        self._pending: dict[int, Any] = {}
        self._bytes = 0

    def submit(self, number: int, payload: bytes, deliver: Callable[[int, bytes, str], None]) -> None:
        """Send one call. Raises ``EngineFault`` when too much is on its way."""
        self._bytes += len(payload)
        if self._bytes > MAX_PENDING_BYTES:
            raise EngineFault(
                f"Plus de {MAX_PENDING_BYTES // 1024**2} Mo de tâches en route vers Dask : découpez moins, ou attendez les réponses."
            )
        future = self._client.submit(call_bytes, self._slug, self._version, payload, pure=False, retries=0)
        self._pending[number] = (future, len(payload))

        def done(finished: Any) -> None:
            try:
                deliver(number, bytes(finished.result(timeout=60)), "")
            except BaseException as error:
                deliver(number, b"", f"Une tâche n’a pas abouti sur la grappe Dask ({type(error).__name__}). Le calcul peut être relancé.")

        future.add_done_callback(done)

    def forget(self, number: int) -> None:
        """The answer has arrived: let the cluster drop it."""
        _, size = self._pending.pop(number, (None, 0))
        self._bytes -= size

    def cancel(self) -> None:
        """Drop whatever a finished or killed worker still had on its way."""
        futures = [future for future, _ in self._pending.values()]
        self._pending.clear()
        self._bytes = 0
        if futures:
            self._client.cancel(futures, force=True)

    def close(self) -> None:
        """Leave the cluster."""
        self.cancel()
        self._client.close(timeout=CONNECT_SECONDS)
