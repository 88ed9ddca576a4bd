"""``bocage serve``: the portal, the API and one worker, in two processes, with nothing else to install."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from bocage.cli.django_setup import setup_django
from bocage.cli.output import err, out

# Pages are computed under one interpreter lock: more threads only make each of them wait for the others (measured with 50 agents).
_THREADS = 4


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, help="Port to listen on.")
@click.option("--threads", default=_THREADS, show_default=True, help="Requests answered at once.")
@click.option("--no-worker", is_flag=True, help="Do not start a worker: another process performs the runs.")
def serve_command(host: str, port: int, threads: int, no_worker: bool) -> None:
    """Serve the portal and the API, and perform the runs."""
    serve(host, port, threads, worker=not no_worker)


def serve(host: str, port: int, threads: int = _THREADS, worker: bool = True) -> None:
    """Serve until SIGINT or SIGTERM; the worker ends with the server, and its run can be started again."""
    # Before numpy is loaded: a second thread of linear algebra spins on the core that the next request needs.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    setup_django()
    import waitress
    from django.core.management import call_command

    # Before the application: whitenoise lists the collected files when it starts.
    call_command("collectstatic", verbosity=0, interactive=False)
    from bocage.settings import read_setting
    from bocage.wsgi import application

    signal.signal(signal.SIGTERM, _leave)
    with _worker_process() if worker else _nothing():
        threading.Thread(target=_warm_up, daemon=True, name="warm-up").start()
        out.print(f"Le portail répond sur http://{host}:{port}/ (Ctrl+C pour arrêter).")
        try:
            waitress.serve(
                application,
                host=host,
                port=port,
                threads=threads,
                ident=None,
                max_request_body_size=210 * 2**20,
                **_proxy(read_setting("BOCAGE_TRUSTED_PROXY")),
                _quiet=True,
            )
        except OSError as error:
            err.print(f"Le port {port} ne s’ouvre pas : {error.strerror}. Choisissez-en un autre : bocage serve --port 8001")
            sys.exit(2)


def _warm_up() -> None:
    """Load the assistant's indexes and model beside the first requests. What fails here fails again, and is told, when someone asks."""
    from django.db import DatabaseError, connection

    from bocage.assistant.library import warm_up
    from bocage.contract.errors import BocageError

    try:
        warm_up()
    except (BocageError, DatabaseError, OSError) as error:
        logging.getLogger(__name__).warning("assistant not loaded yet: %s", error)
    finally:
        connection.close()


def _proxy(address: str) -> dict[str, Any]:
    """What waitress must know to count visitors by their own address, and to believe that they came over HTTPS."""
    if not address:
        return {}
    return {
        "trusted_proxy": address,
        "trusted_proxy_count": 1,
        "trusted_proxy_headers": {"x-forwarded-for", "x-forwarded-proto"},
        "clear_untrusted_proxy_headers": True,
    }


def _leave(signum: int, frame: object) -> None:
    raise SystemExit(0)


@contextmanager
def _worker_process() -> Iterator[None]:
    # Told its parent's number, the worker leaves when the server is killed without a word.
    command = [sys.executable, "-m", "bocage.cli", "worker", "--parent", str(os.getpid())]
    process = subprocess.Popen(command, start_new_session=True)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()


@contextmanager
def _nothing() -> Iterator[None]:
    yield
