"""``bocage migrate`` and ``bocage worker``: what the operator of a server needs."""

from __future__ import annotations

import os
import signal
import threading

import click

from bocage.cli.django_setup import setup_django
from bocage.cli.output import out

_SWEEP_EVERY_S = 10.0


@click.command("migrate")
def migrate_command() -> None:
    """Prepare the database, or bring it up to date."""
    setup_django(check=False)
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)
    out.print("La base de données est à jour.")


@click.command("worker")
@click.option("--batch", is_flag=True, help="Stop when the queue is empty.")
@click.option("--interval", default=1.0, show_default=True, help="Seconds between two looks at an empty queue.")
@click.option("--parent", type=int, help="Leave when the process of this number has ended.")
def worker_command(batch: bool, interval: float, parent: int | None) -> None:
    """Perform the runs that are waiting, and mark those that a dead worker left."""
    setup_django()
    from django.core.management import call_command

    stop = threading.Event()
    sweeper = threading.Thread(target=_sweep, args=(stop, parent), daemon=True)
    sweeper.start()
    try:
        call_command("db_worker", interval=interval, batch=batch, reload=False, startup_delay=False, queue_name="*")
    finally:
        stop.set()
        sweeper.join()


def _sweep(stop: threading.Event, parent: int | None) -> None:
    from django.db import OperationalError, close_old_connections, connection

    from bocage.assistant.upkeep import sweep
    from bocage.decisions.services import mark_interrupted_runs
    from bocage.journal.services import publish_due_anchors

    while True:
        if parent and os.getppid() != parent:
            # The server was killed: let the current run end as a SIGTERM would.
            os.kill(os.getpid(), signal.SIGTERM)
            return
        try:
            mark_interrupted_runs()
            publish_due_anchors()
            sweep()
        except OperationalError:
            # The database is away or busy: the next turn comes soon enough.
            close_old_connections()
        if stop.wait(_SWEEP_EVERY_S):
            connection.close()
            return
