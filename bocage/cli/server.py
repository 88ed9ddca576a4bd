"""``bocage migrate`` and ``bocage worker``: what the operator of a server needs."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time

import click

from bocage.cli.django_setup import setup_django
from bocage.cli.keeping import Duty, GrowingPause, first_line
from bocage.cli.output import out

log = logging.getLogger(__name__)

_SWEEP_EVERY_S = 10.0
_DAY_S = 24 * 3600.0


@click.command("migrate")
def migrate_command() -> None:
    """Prepare the database, or bring it up to date."""
    setup_django(check=False)
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)
    renew_statistics()
    out.print("La base de données est à jour.")


@click.command("worker")
@click.option("--batch", is_flag=True, help="Stop when the queue is empty.")
@click.option("--interval", default=1.0, show_default=True, help="Seconds between two looks at an empty queue.")
@click.option("--parent", type=int, help="Leave when the process of this number has ended.")
def worker_command(batch: bool, interval: float, parent: int | None) -> None:
    """Perform the runs that are waiting, and mark those that a dead worker left."""
    setup_django()
    stop = threading.Event()
    sweeper = threading.Thread(target=_sweep, args=(stop, parent), daemon=True)
    sweeper.start()
    try:
        _perform(interval, batch)
    finally:
        stop.set()
        sweeper.join()


def _perform(interval: float, batch: bool) -> None:
    """Perform the jobs of the queue. While the database is away, wait and try again; with ``batch``, raise."""
    from django.core.management import call_command
    from django.db import InterfaceError, OperationalError, close_old_connections

    pause = GrowingPause()
    while True:
        try:
            call_command("db_worker", interval=interval, batch=batch, reload=False, startup_delay=False, queue_name="*")
            return
        except (OperationalError, InterfaceError) as error:
            if batch:
                raise
            pause_s = pause.after_failure()
            log.warning("the worker lost the database (%s): it tries again in %.0f s", first_line(error), pause_s)
            close_old_connections()
            time.sleep(pause_s)


def _sweep(stop: threading.Event, parent: int | None) -> None:
    from django.db import close_old_connections, connection

    duties = _duties()
    while True:
        if parent and os.getppid() != parent:
            # The server was killed: let the current run end as a SIGTERM would.
            os.kill(os.getpid(), signal.SIGTERM)
            return
        for duty in duties:
            duty.take_turn()
            # What a lost database left behind must not spoil the next duty.
            close_old_connections()
        if stop.wait(_SWEEP_EVERY_S):
            connection.close()
            return


def _duties() -> list[Duty]:
    from bocage.assistant.upkeep import sweep
    from bocage.decisions.services import mark_interrupted_runs
    from bocage.journal.services import publish_due_anchors

    return [
        Duty("interrupted runs", mark_interrupted_runs),
        Duty("anchors of the journal", publish_due_anchors),
        Duty("assistant", sweep),
        Duty("finished jobs and expired sessions", prune, every_s=_DAY_S),
        Duty("statistics of the database", renew_statistics, every_s=_DAY_S),
    ]


def renew_statistics() -> None:
    """Let SQLite look at a part of its indexes again: without it, it goes through all the rows of an organisation to find those of one run.

    PostgreSQL does so by itself.
    """
    from django.db import connection

    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA analysis_limit = 1000")
        cursor.execute("ANALYZE")


def prune() -> None:
    """Forget the jobs that ended a fortnight ago and the sessions that have expired: nobody reads them again."""
    from django.core.management import call_command

    call_command("prune_db_task_results", queue_name="*", min_age_days=14, verbosity=0)
    call_command("clearsessions")
