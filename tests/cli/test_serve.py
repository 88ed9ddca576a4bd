"""The server: whom it believes behind a proxy, where it listens, and a worker that never stays dead."""

from __future__ import annotations

import http.client
import os
import socket
import sqlite3
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import psutil
import pytest
from django.contrib.sessions.models import Session
from django.core.checks import run_checks
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from bocage.cli.keeping import Duty
from bocage.cli.server import prune
from bocage.decisions.tasks import perform
from tests.servers import Server, server, wait_until


@contextmanager
def served(home: Path, worker: bool = False, **environ: str) -> Iterator[tuple[Server, int]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with server(home) as own:
        own.environ.update(environ)
        own.bocage("migrate", check=True)
        process = own.start("serve", "--port", str(port), *([] if worker else ["--no-worker"]))
        try:
            wait_until(lambda: answers(port), "the portal answers")
            yield own, port
        finally:
            process.terminate()
            process.wait(timeout=15)


def answers(port: int) -> bool:
    try:
        return ask(port, "/connexion/")[0] > 0
    except OSError:
        return False


def ask(port: int, path: str, method: str = "GET", fields: dict[str, str] | None = None, **headers: str) -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        body = urlencode(fields) if fields else None
        if body:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read().decode()
    finally:
        connection.close()


def wrong_sign_in(port: int, forwarded_for: str) -> None:
    page = ask(port, "/connexion/", X_Forwarded_For=forwarded_for)
    token = page[2].split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    fields = {"email": "x@y.example", "password": "faux", "csrfmiddlewaretoken": token}
    cookie = page[1]["set-cookie"].split(";")[0]
    assert ask(port, "/connexion/", "POST", fields, Cookie=cookie, X_Forwarded_For=forwarded_for)[0] == 422


ATTEMPTS = "from bocage.organisations.models import SignInAttempt as A; print(*sorted(A.objects.values_list('key', flat=True)), sep='|')"


def test_a_trusted_proxy_tells_the_visitor_s_address(tmp_path: Path):
    with served(tmp_path / "home", BOCAGE_TRUSTED_PROXY="127.0.0.1") as (own, port):
        wrong_sign_in(port, "203.0.113.7")
        assert "adresse 203.0.113.7" in own.python(ATTEMPTS)


def test_without_a_trusted_proxy_nobody_chooses_the_address_counted(tmp_path: Path):
    with served(tmp_path / "home") as (own, port):
        wrong_sign_in(port, "203.0.113.7")
        assert "adresse 127.0.0.1" in own.python(ATTEMPTS)


def test_https_is_believed_from_the_proxy_and_demanded_of_others(tmp_path: Path):
    with served(tmp_path / "home", BOCAGE_TRUSTED_PROXY="127.0.0.1", BOCAGE_HTTPS="1") as (_, port):
        assert ask(port, "/connexion/", X_Forwarded_Proto="https")[0] == 200
        status, headers, _ = ask(port, "/connexion/")
        assert status == 301 and headers["location"].startswith("https://")


@pytest.mark.parametrize(("https", "proxy", "said"), [(True, "", ["bocage.W020"]), (True, "127.0.0.1", []), (False, "", [])])
def test_https_without_a_proxy_to_believe_is_told_before_the_first_visitor(settings, https, proxy, said):
    settings.HTTPS, settings.TRUSTED_PROXY = https, proxy
    found = run_checks(include_deployment_checks=True, tags=["security"], databases=[])
    assert [message.id for message in found if message.id == "bocage.W020"] == said


def test_the_server_says_at_its_start_that_every_page_would_redirect_for_ever(tmp_path: Path):
    with server(tmp_path / "home") as own:
        own.environ["BOCAGE_HTTPS"] = "1"
        own.bocage("migrate", check=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = [sys.executable, "-m", "bocage.cli", "serve", "--port", str(port), "--no-worker"]
        with subprocess.Popen(command, env=own.environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            told = process.stdout.readline() + process.stdout.readline()
            process.terminate()
    assert "BOCAGE_HTTPS=1 sans BOCAGE_TRUSTED_PROXY" in told


JOBS = "from django_tasks_db.models import DBTaskResult as J; print(*J.objects.values_list('status', flat=True))"
LOST_JOB = "from bocage.decisions.tasks import perform; perform.enqueue(organisation_id=0, run_id=0)"
"""A job that a worker takes and fails: enough to see that one is at work."""


def worker_of(port: int) -> psutil.Process | None:
    portal = next((p for p in psutil.process_iter(["cmdline"]) if {"serve", str(port)} <= set(p.info["cmdline"] or [])), None)
    return next((child for child in portal.children() if runs_worker(child)), None) if portal else None


def runs_worker(process: psutil.Process) -> bool:
    try:
        return "worker" in process.cmdline()
    except (psutil.ZombieProcess, psutil.NoSuchProcess):
        return False  # killed a moment ago


def performs(own: Server) -> bool:
    done = own.python(JOBS).split()
    return bool(done) and set(done) <= {"SUCCESSFUL", "FAILED"}


@pytest.mark.slow
def test_a_worker_that_is_killed_is_replaced_and_the_queue_goes_on(tmp_path: Path):
    with served(tmp_path / "home", worker=True) as (own, port):
        wait_until(lambda: worker_of(port) is not None, "the first worker")
        first = worker_of(port)
        first.kill()
        wait_until(lambda: (now := worker_of(port)) is not None and now.pid != first.pid, "another worker")
        own.python(LOST_JOB)
        wait_until(lambda: performs(own), "the job is taken")
        last = worker_of(port)
    wait_until(lambda: not last.is_running(), "the worker ends with its server")


@contextmanager
def database_away(own: Server) -> Iterator[None]:
    """The queue out of reach, as while PostgreSQL is restarted; on SQLite, its table under another name."""
    url = own.environ["BOCAGE_DATABASE_URL"]
    if not url:
        with closing(sqlite3.connect(Path(own.environ["BOCAGE_HOME"]) / "bocage.sqlite3", timeout=20)) as link:
            link.execute("ALTER TABLE django_tasks_database_dbtaskresult RENAME TO elsewhere")
            yield
            link.execute("ALTER TABLE elsewhere RENAME TO django_tasks_database_dbtaskresult")
        return
    import psycopg

    name = urlsplit(url).path[1:]
    with psycopg.connect(os.environ["BOCAGE_DATABASE_URL"], autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND usename = current_user", [name])
        yield
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


@pytest.mark.slow
def test_a_worker_outlives_an_absence_of_its_database(tmp_path: Path):
    with server(tmp_path / "home") as own, (tmp_path / "log").open("w") as log:
        own.bocage("migrate", check=True)
        command = [sys.executable, "-m", "bocage.cli", "worker", "--interval", "0.2"]
        worker = subprocess.Popen(command, env=own.environ, stdout=subprocess.DEVNULL, stderr=log)
        try:
            own.python(LOST_JOB)
            wait_until(lambda: performs(own), "the worker works")
            with database_away(own):
                wait_until(lambda: "the worker lost the database" in (tmp_path / "log").read_text(), "the worker notices")
            own.python(LOST_JOB)
            wait_until(lambda: performs(own), "the same worker works again")
            assert worker.poll() is None
        finally:
            worker.terminate()
            assert worker.wait(timeout=30) == 0


def test_a_duty_that_fails_hinders_no_other_and_is_said_once(caplog):
    done: list[str] = []
    faults = [RuntimeError("broken"), RuntimeError("broken"), None]

    def fragile() -> None:
        if fault := faults.pop(0):
            raise fault

    duties = [Duty("fragile", fragile), Duty("solid", lambda: done.append("solid")), Duty("daily", lambda: done.append("daily"), 86_400)]
    for _ in range(3):
        for duty in duties:
            duty.take_turn()
    assert done == ["solid", "daily", "solid", "solid"]
    assert [record.getMessage() for record in caplog.records] == [
        "upkeep failed: fragile (RuntimeError: broken)",
        "upkeep works again: fragile",
    ]


@pytest.mark.django_db
def test_finished_jobs_and_expired_sessions_are_not_kept_for_ever():
    perform.enqueue(organisation_id=0, run_id=0)
    waiting = DBTaskResult.objects.get()
    for status, days in (("FAILED", 15), ("SUCCESSFUL", 15), ("SUCCESSFUL", 13), ("RUNNING", 15)):
        then = timezone.now() - timedelta(days=days)
        kept = {field.attname: getattr(waiting, field.attname) for field in waiting._meta.concrete_fields}
        DBTaskResult.objects.create(**{**kept, "id": uuid.uuid4(), "status": status, "started_at": then, "finished_at": then})
    for name, hours in (("over", -1), ("alive", 1)):
        Session.objects.create(session_key=name, session_data="", expire_date=timezone.now() + timedelta(hours=hours))
    prune()
    assert sorted(DBTaskResult.objects.values_list("status", flat=True)) == ["READY", "RUNNING", "SUCCESSFUL"]
    assert [session.session_key for session in Session.objects.all()] == ["alive"]


def test_a_port_that_is_taken_is_one_sentence_and_nothing_is_promised(tmp_path: Path):
    with server(tmp_path / "home") as own, socket.socket() as taken:
        own.bocage("migrate", check=True)
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        refused = own.bocage("serve", "--port", port, "--no-worker")
        assert refused.returncode == 2 and port in refused.stderr and "Traceback" not in refused.stderr
        assert "répond" not in refused.stdout
        nowhere = own.bocage("serve", "--host", "nulle-part.invalid", "--no-worker")
        assert nowhere.returncode == 2 and "nulle-part.invalid" in nowhere.stderr and "Traceback" not in nowhere.stderr
        assert own.bocage("serve", "--port", "70000").returncode == 2


def test_a_large_file_is_taken_where_the_operator_allows_it(tmp_path: Path):
    with served(tmp_path / "home", BOCAGE_UPLOAD_MB="300") as (_, port), socket.create_connection(("127.0.0.1", port)) as link:
        # Announced only: waitress refuses above its own limit before anything is sent.
        link.sendall(b"POST /connexion/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 290000000\r\nExpect: 100-continue\r\n\r\n")
        assert link.recv(64).startswith(b"HTTP/1.1 100")
