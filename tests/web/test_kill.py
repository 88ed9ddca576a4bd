"""kill -9 in the middle of a deposit, for real: no row without its file, no half file behind a row, and doing it again is one deposit."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.servers import Server, server, wait_until
from tests.web.portal import HOME, RIGHT

pytestmark = pytest.mark.slow

SIGN_IN = """
from bocage.organisations.services import ensure_organisation
from bocage.organisations.people import create_person, grant
from bocage.organisations.tenancy import organisation_context
from django.test import Client
owner = ensure_organisation("Pays de Brenoux", "epci")
person = create_person("hugo.marchand@brenoux.example", "Hugo Marchand")
with organisation_context(owner):
    grant(person, "agent")
client = Client()
client.force_login(person)
print(client.cookies["bocage"].value)
"""
ROWS = """
from bocage.deposits.models import Deposit
from bocage.journal.models import Entry
found = list(Deposit.across_organisations.all())
events = Entry.across_organisations.filter(event="depot.recu").count()
import hashlib
whole = all(d.path.is_file() and hashlib.sha256(d.path.read_bytes()).hexdigest() == d.sha256 for d in found)
print(len(found), events, whole)
"""
KEEP = """
import sys
from pathlib import Path
from bocage.organisations.services import get_organisation
from bocage.organisations.tenancy import organisation_context
from bocage.deposits.services import deposit_file
with organisation_context(get_organisation("pays-de-brenoux")):
    deposit_file(Path(sys.argv[1]), "essai_tableau", "volumes")
"""
PRELUDE = "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'bocage.settings'; import django; django.setup()\n"


@pytest.fixture
def ready(tmp_path: Path) -> Iterator[tuple[Server, str]]:
    """A server with an agent signed in: (server, session cookie)."""
    with server(tmp_path / "home") as bocage:
        bocage.bocage("migrate", check=True)
        yield bocage, bocage.python(SIGN_IN).strip()


@contextmanager
def portal(bocage: Server) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The portal served by waitress on loopback."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    code = f"from waitress import serve; from bocage.wsgi import application; serve(application, listen='127.0.0.1:{port}')"
    process = subprocess.Popen([sys.executable, "-c", code], env=bocage.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0, "the portal listens")
        yield process, port
    finally:
        process.kill()
        process.wait()


def request(port: int, cookie: str, content: str) -> bytes:
    """A whole HTTP request that drops a file; the CSRF token is the same in cookie and form."""
    token = "a" * 32
    body = (
        f'--X\r\nContent-Disposition: form-data; name="csrfmiddlewaretoken"\r\n\r\n{token}\r\n'
        f'--X\r\nContent-Disposition: form-data; name="fichier-volumes"; filename="v.csv"\r\n\r\n{content}\r\n--X--\r\n'
    ).encode()
    head = (
        f"POST {HOME}/cas-d-usage/essai_tableau/ HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: bocage={cookie}; csrftoken={token}\r\n"
        f"Content-Type: multipart/form-data; boundary=X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    ).encode()
    return head + body


def send(port: int, data: bytes) -> bytes:
    """The first line of the answer."""
    with socket.create_connection(("127.0.0.1", port), 90) as link:
        link.sendall(data)
        return link.recv(200).split(b"\r\n")[0]


def rows(bocage: Server) -> tuple[str, ...]:
    """Deposits, journal entries, and whether every deposit has its whole file."""
    return tuple(bocage.python(ROWS).split())


def test_killed_in_the_middle_of_an_upload_then_sent_again_twice(ready: tuple[Server, str]) -> None:
    bocage, cookie = ready
    big = RIGHT + "2026-02-01;Nord;1\n" * 100_000
    with portal(bocage) as (process, port):
        data = request(port, cookie, big)
        with socket.create_connection(("127.0.0.1", port), 10) as link:
            link.sendall(data[: len(data) // 2])
            process.send_signal(signal.SIGKILL)
            process.wait()
    assert rows(bocage) == ("0", "0", "True")
    with portal(bocage) as (_, port):
        assert b" 302 " in send(port, request(port, cookie, RIGHT))
        assert b" 302 " in send(port, request(port, cookie, RIGHT))
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}{HOME}/depots/1/", timeout=20)
        except urllib.error.HTTPError as refused:
            assert refused.code in (403, 404)
    assert rows(bocage) == ("1", "1", "True")


def test_killed_while_the_file_is_copied(ready: tuple[Server, str], tmp_path: Path) -> None:
    """The source is a pipe that stops half-way: the kill falls in the middle of the copy, not before nor after."""
    bocage, _ = ready
    pipe = tmp_path / "volumes.csv"
    os.mkfifo(pipe)
    process = subprocess.Popen([sys.executable, "-c", PRELUDE + KEEP, str(pipe)], env=bocage.environ, stderr=subprocess.DEVNULL)
    with pipe.open("wb", buffering=0) as writer:
        writer.write(RIGHT.encode() * 2000)
        wait_until(lambda: bool(list((tmp_path / "home" / "deposits").rglob(".part-*"))), "the copy has begun")
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert rows(bocage) == ("0", "0", "True")
    visible = [p for p in (tmp_path / "home" / "deposits").rglob("*") if p.is_file() and not p.name.startswith(".part-")]
    assert not visible
    pipe.unlink()
    pipe.write_text(RIGHT)
    for _ in range(2):
        subprocess.run([sys.executable, "-c", PRELUDE + KEEP, str(pipe)], env=bocage.environ, check=True)
    assert rows(bocage) == ("1", "1", "True")
