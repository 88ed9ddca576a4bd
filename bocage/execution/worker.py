"""The process that runs an engine: ``python -s -P -m bocage.execution.worker CHANNEL``. One order on standard input, answers on CHANNEL.

Order of things: take the order, close the doors (``guard``), import what is heavy, read the tables, check the parameters, run, answer.
The files are hostile until read and the engine may be: both are handled behind closed doors.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from bocage.execution import guard
from bocage.execution.channel import ProtocolError, Reader, Sender

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from bocage.contract.usecase import Inputs, Resources, UseCase
    from bocage.execution.pools import RelayExecutor

MESSAGES_PER_SECOND = 10


class Orders:
    """Standard input, taken away from the engine: the order first, then Dask's answers. Its end means that the parent is dead."""

    def __init__(self) -> None:
        self._fd = os.dup(0)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        self._reader = Reader()
        self._left: list[tuple[dict[str, Any], bytes]] = []

    def first(self) -> dict[str, Any]:
        """The order."""
        while not self._left:
            self._left += self._read()
        header, blob = self._left.pop(0)
        order: dict[str, Any] = json.loads(blob)
        return {**order, "op": header["t"]}

    def follow(self, relay: RelayExecutor | None) -> None:
        """Deliver what comes, from now on, in a thread of its own."""
        threading.Thread(target=self._follow, args=(relay,), daemon=True).start()

    def _follow(self, relay: RelayExecutor | None) -> None:
        while True:
            for header, blob in self._read():
                if relay is not None and header["t"] == "answer":
                    relay.deliver(int(header["id"]), blob, str(header.get("failure", "")))

    def _read(self) -> list[tuple[dict[str, Any], bytes]]:
        data = os.read(self._fd, 1 << 20)
        if not data:
            os._exit(1)
        return list(self._reader.feed(data))


class Progress:
    """``res.progress``: never backwards, never more than ten messages a second."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._best = 0.0
        self._last = 0.0

    def __call__(self, fraction: float, message: str = "") -> None:
        """Tell how far the engine is: 0 to 1, with a short French phrase."""
        self._best = max(self._best, min(1.0, float(fraction)))
        now = time.monotonic()
        if now - self._last >= 1 / MESSAGES_PER_SECOND:
            self._last = now
            self._sender.send({"t": "progress", "fraction": self._best, "message": str(message)[:200]})


class Worker:
    """One order, from the doors closed to the answer sent."""

    def __init__(self, order: dict[str, Any], sender: Sender, orders: Orders) -> None:
        self.order, self.sender, self.orders = order, sender, orders

    def obey(self) -> None:
        """Send the answer, or the error."""
        from bocage.contract.errors import BocageError

        try:
            result = getattr(self, f"do_{self.order['op']}")()
            self.sender.send({"t": "result"}, result)
        except BocageError as error:
            self.fail(error.code, error.message)
        except ProtocolError as error:
            self.fail("erreur-moteur", f"Le moteur de « {self.order['slug']} » a rendu une {error}.")
        except MemoryError:
            self.fail("memoire-depassee", "")
        except BaseException as error:
            self.fault(error)

    def fail(self, code: str, message: str) -> None:
        """Tell an error that people know how to read."""
        self.sender.send({"t": "error", "code": code, "message": message[:4000]})

    def fault(self, error: BaseException) -> None:
        """Tell a defect of the engine: what, and at which line; the traceback goes to the developer's output."""
        import traceback

        from bocage.contract.discovery import said, use_case_folder

        traceback.print_exc(file=sys.stderr)
        sys.stderr.flush()
        slug = self.order["slug"]
        told = said(error, use_case_folder(slug)).rstrip(".")
        if guard.REFUSED in str(error):
            told = f"il a voulu sortir par le réseau ; {told}"
        self.fail("erreur-moteur", f"Le moteur de « {slug} » a un défaut : {told}. Signalez-le à son auteur.")

    def do_run(self) -> bytes:
        """Engine or baseline."""
        from bocage.contract.discovery import load_engine
        from bocage.contract.errors import EngineFault
        from bocage.contract.outcome import Outcome
        from bocage.execution.bounds import non_finite
        from bocage.execution.params import validated
        from bocage.execution.reading import read_inputs

        order = self.order
        use_case = load_engine(order["slug"])
        params = validated(use_case.params, order["params"])
        inputs, reports = read_inputs(use_case.inputs, order["inputs"], order["timezone"], order["names"])
        prepared = {"params": params.model_dump(mode="json"), "reports": reports}
        resources, pool = self.resources()
        self.sender.send({"t": "prepared"}, json.dumps(prepared).encode())
        try:
            outcome = self.call(use_case, inputs, params, resources)
        finally:
            if pool is not None:
                pool.shutdown(wait=False, cancel_futures=True)
        if not isinstance(outcome, Outcome):
            raise EngineFault(f"Le moteur de « {order['slug']} » a rendu un objet {type(outcome).__name__} au lieu d’un Outcome.")
        fault = non_finite(outcome)
        if fault:
            raise EngineFault(f"Le moteur de « {order['slug']} » a rendu {fault} : ce n’est pas un nombre. Signalez-le à son auteur.")
        try:
            return outcome.to_json()
        except Exception as error:
            raise EngineFault(
                f"Le moteur de « {order['slug']} » a rendu un résultat qui ne s’écrit pas en JSON : {str(error)[:300]}. "
                "Signalez-le à son auteur."
            ) from error

    def call(self, use_case: UseCase, inputs: Inputs, params: Any, resources: Resources) -> Any:
        """The role that was ordered."""
        role = use_case.run if self.order["role"] == "engine" else use_case.baseline
        return role(inputs, params, resources)

    def resources(self) -> tuple[Resources, Executor | None]:
        """All that the engine may reach."""
        from bocage.contract.usecase import Resources
        from bocage.execution import pools

        order = self.order
        relay = pools.RelayExecutor(self.sender) if order["dask"] else None
        self.orders.follow(relay)
        pool: Executor | None = relay
        if pool is None and order["workers"] > 1:
            pool = pools.processes(order["workers"], order["token"])
        progress = Progress(self.sender)
        return Resources(seed=order["seed"], seconds=order["seconds"], pool=pool, progress=progress), pool

    def do_evaluate(self) -> bytes:
        """Figures of an outcome against the truth."""
        from bocage.contract.discovery import load_engine
        from bocage.contract.outcome import Outcome
        from bocage.execution.reading import read_truth

        self.orders.follow(None)
        use_case = load_engine(self.order["slug"])
        outcome = Outcome.from_json(json.dumps(self.order["outcome"]))
        truth = read_truth(use_case.truth, self.order["inputs"], self.order["timezone"], self.order["names"])
        self.sender.send({"t": "prepared"}, b"{}")
        figures = use_case.evaluate(outcome, truth)
        return json.dumps({str(name): float(value) for name, value in figures.items()}).encode()

    def do_describe(self) -> bytes:
        """What the use case asks for."""
        from bocage.contract.discovery import load_engine
        from bocage.execution.inspection import described

        self.orders.follow(None)
        use_case = load_engine(self.order["slug"])
        self.sender.send({"t": "prepared"}, b"{}")
        return json.dumps(described(use_case)).encode()

    def do_inspect(self) -> bytes:
        """The report of each file."""
        from bocage.contract.discovery import load_engine
        from bocage.execution.inspection import inspected

        self.orders.follow(None)
        order, use_case = self.order, load_engine(self.order["slug"])
        self.sender.send({"t": "prepared"}, b"{}")
        declared = {**use_case.inputs, **use_case.truth}
        return json.dumps(inspected(declared, order["inputs"], order["names"], order["timezone"]), allow_nan=False).encode()

    def do_correct(self) -> bytes:
        """The wrong lines of one table, as CSV."""
        from pathlib import Path

        from bocage.contract.discovery import load_engine
        from bocage.execution.inspection import corrected

        self.orders.follow(None)
        order, use_case = self.order, load_engine(self.order["slug"])
        self.sender.send({"t": "prepared"}, b"{}")
        ((name, path),) = order["inputs"].items()
        kind = {**use_case.inputs, **use_case.truth}[name]
        return corrected(kind, Path(path), order["names"][name], order["timezone"], Path(order["write"][0]))

    def do_explain(self) -> bytes:
        """One sentence per recommendation."""
        from bocage.contract.discovery import load_engine
        from bocage.contract.outcome import Outcome

        self.orders.follow(None)
        use_case = load_engine(self.order["slug"])
        outcome = Outcome.from_json(json.dumps(self.order["outcome"]))
        self.sender.send({"t": "prepared"}, b"{}")
        return json.dumps([use_case.explain(recommendation) for recommendation in outcome.recommendations]).encode()


def main() -> None:
    """Take one order, and end without waiting for what an engine left running."""
    channel, parent = int(sys.argv[1]), os.getppid()
    os.set_inheritable(channel, False)
    guard.die_with(parent)
    orders = Orders()
    order = orders.first()
    walls = guard.close(order["memory_mb"], order["read"], order["write"])
    sender = Sender(channel)
    sender.send({"t": "guarded", "sandbox": walls.sandbox, "landlock": walls.landlock})
    try:
        Worker(order, sender, orders).obey()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


if __name__ == "__main__":
    main()
