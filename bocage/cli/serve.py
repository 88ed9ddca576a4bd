"""``bocage serve``: the portal, the API and one worker, in two processes, with nothing else to install."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from contextlib import nullcontext
from typing import Any

import click

from bocage.cli.django_setup import setup_django
from bocage.cli.keeping import WorkerKeeper, worker_command_line
from bocage.cli.output import err, out

# Pages are computed under one interpreter lock: more threads only make each of them wait for the others (measured with 50 agents).
_THREADS = 4


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, type=click.IntRange(1, 65535), show_default=True, help="Port to listen on.")
@click.option("--threads", default=_THREADS, type=click.IntRange(1, 64), show_default=True, help="Requests answered at once.")
@click.option("--no-worker", is_flag=True, help="Do not start a worker: another process performs the runs.")
def serve_command(host: str, port: int, threads: int, no_worker: bool) -> None:
    """Serve the portal and the API, and perform the runs."""
    serve(host, port, threads, worker=not no_worker)


def serve(host: str, port: int, threads: int = _THREADS, worker: bool = True) -> None:
    """Serve until SIGINT or SIGTERM; the worker ends with the server, and its run can be started again."""
    # Before numpy is loaded: a second thread of linear algebra spins on the core that the next request needs.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    setup_django()
    from django.core.management import call_command

    # Before the application: whitenoise lists the collected files when it starts.
    call_command("collectstatic", verbosity=0, interactive=False)
    from bocage.web.checks import endless_redirect
    from bocage.wsgi import application

    server = _listening(application, host, port, threads)
    signal.signal(signal.SIGTERM, _leave)
    with WorkerKeeper(worker_command_line()) if worker else nullcontext():
        threading.Thread(target=_warm_up, daemon=True, name="warm-up").start()
        out.print(f"Le portail répond sur http://{host}:{port}/ (Ctrl+C pour arrêter).")
        if endless_redirect():
            err.print(
                "Mais chaque page renvoie sans fin vers https:// : BOCAGE_HTTPS=1 sans BOCAGE_TRUSTED_PROXY. "
                "Donnez-lui l’adresse du serveur mandataire qui reçoit en HTTPS, par exemple 127.0.0.1."
            )
        server.run()


def _listening(application: Any, host: str, port: int, threads: int) -> Any:
    """The server, its port open; leaves with one sentence when it cannot be."""
    import waitress
    from django.conf import settings

    try:
        return waitress.create_server(
            application,
            host=host,
            port=port,
            threads=threads,
            ident=None,
            # Twice what one form may bring: up to there a page says the limit, beyond it waitress answers a bare 413.
            max_request_body_size=(settings.UPLOAD_MB + 1) * 10 * 2**20,
            **_proxy(settings.TRUSTED_PROXY),
        )
    except (OSError, ValueError) as error:
        # waitress says with a ValueError that a host name leads nowhere.
        why = (error.strerror if isinstance(error, OSError) else "") or "ce nom ne mène à aucune adresse de cette machine"
        err.print(f"L’adresse {host}, port {port}, ne s’ouvre pas : {why}. Une autre : bocage serve --port 8001", markup=False)
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
