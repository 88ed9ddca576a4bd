"""Behind a proxy: visitors are counted by their own address, and HTTPS is believed from the proxy alone."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from tests.servers import server, wait_until


@contextmanager
def served(home: Path, **environ: str) -> Iterator[tuple[object, int]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with server(home) as own:
        own.environ.update(environ)
        own.bocage("migrate", check=True)
        process = own.start("serve", "--port", str(port), "--no-worker")
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
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
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
