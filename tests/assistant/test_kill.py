"""kill -9 of the server in the middle of an answer, for real: the question is there, and it is answered once, by the form or the worker."""

from __future__ import annotations

import http.client
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.servers import Server, server, wait_until

pytestmark = pytest.mark.slow
PAGE = "/pays-de-brenoux/assistant/"
SETTLE = """
from bocage.assistant import configuration
from bocage.organisations.services import ensure_organisation
from bocage.organisations.tenancy import organisation_context
with organisation_context(ensure_organisation("Pays de Brenoux", "epci")):
    configuration.change(None, ["citoyens"], 30, 60, [], [])
"""
ROWS = """
from bocage.assistant.models import Message
print(*Message.across_organisations.order_by("pk").values_list("author", flat=True))
"""
WORKER = """
from datetime import timedelta
from django.conf import settings
from django.utils import timezone
settings.ASSISTANT_ANSWERER = "tests.assistant.standin.answer"
from bocage.assistant.models import Message
from bocage.assistant.upkeep import sweep
Message.across_organisations.update(created_at=timezone.now() - timedelta(minutes=2))
sweep()
sweep()
"""


@contextmanager
def portal(bocage: Server) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The portal with the stand-in engine, served by waitress on loopback."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    code = f"from waitress import serve; from bocage.wsgi import application; serve(application, listen='127.0.0.1:{port}')"
    environ = {**bocage.environ, "DJANGO_SETTINGS_MODULE": "tests.assistant.settings"}
    process = subprocess.Popen([sys.executable, "-c", code], env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0, "the portal listens")
        yield process, port
    finally:
        process.kill()
        process.wait()


def form(port: int) -> dict[str, str]:
    """The hidden fields of the empty page, as a browser would send them back."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", PAGE)
    page = connection.getresponse().read().decode()
    return dict(re.findall(r'<input type="hidden" name="(jeton|cle)" value="([^"]+)"', page))


def post(port: int, fields: dict[str, str]) -> tuple[int, str]:
    """Status and address of the answer; (0, "") when the server died."""
    token = "a" * 32
    body = urllib.parse.urlencode({**fields, "csrfmiddlewaretoken": token})
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": f"csrftoken={token}"}
    try:
        connection.request("POST", PAGE, body, headers)
        response = connection.getresponse()
        return response.status, response.headers.get("Location", "")
    except (OSError, http.client.HTTPException):
        return 0, ""


@pytest.fixture(scope="module")
def bocage(tmp_path_factory) -> Iterator[Server]:
    with server(tmp_path_factory.mktemp("killed") / "home") as made:
        made.bocage("migrate", check=True)
        made.python(SETTLE)
        yield made


@pytest.fixture
def killed(bocage: Server, tmp_path: Path) -> dict[str, str]:
    """A server that died while it answered: the form that was sent."""
    gate = tmp_path / "gate"
    bocage.environ["STANDIN_GATE"] = str(gate)
    before = rows(bocage)
    with portal(bocage) as (process, port):
        sent = {**form(port), "action": "question", "texte": "lent : la déchetterie ?"}
        results: list[tuple[int, str]] = []
        thread = threading.Thread(target=lambda: results.append(post(port, sent)))
        thread.start()
        wait_until(gate.with_suffix(".begun").exists, "the engine has begun")
        process.send_signal(signal.SIGKILL)
        process.wait()
        thread.join(30)
    assert results == [(0, "")]
    assert rows(bocage) == [*before, "citoyen"], "the question is kept"
    gate.touch()
    return sent


def rows(bocage: Server) -> list[str]:
    """Who wrote, in order."""
    return bocage.python(ROWS).split()


def test_the_worker_answers_once_what_the_server_left(bocage, killed) -> None:
    bocage.python(WORKER)
    assert rows(bocage)[-2:] == ["citoyen", "machine"]


def test_the_form_sent_again_is_the_same_question_then_fifty_ask_at_once(bocage, killed) -> None:
    with portal(bocage) as (_, port):
        before = rows(bocage)
        status, address = post(port, killed)
        assert status == 302 and killed["cle"].split(":")[0] in address
        assert post(port, killed)[1] == address
        assert rows(bocage) == [*before, "machine"]
        forms = [{**form(port), "action": "question", "texte": f"déchetterie {n}"} for n in range(50)]
        results: list[int] = []
        threads = [threading.Thread(target=lambda fields=fields: results.append(post(port, fields)[0])) for fields in forms]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert results == [302] * 50
    added = rows(bocage)[len(before) + 1 :]
    assert (added.count("citoyen"), added.count("machine")) == (50, 50), "something was lost"
