"""A file fetched from an address never lends the server's network to whoever gave the address."""

from __future__ import annotations

import http.server
import io
import ipaddress
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocage.contract.text_checks import is_storable
from bocage.deposits import fetch as room
from bocage.deposits.fetch import AddressRefused, FetchFailed, fetch, is_public

PRIVATE_V4 = """127.0.0.1 127.8.9.1 10.0.0.1 172.16.5.5 192.168.1.1 169.254.169.254 0.0.0.0 100.64.0.1 224.0.0.1 240.0.0.1
255.255.255.255 198.18.0.1 192.0.2.1 192.0.0.192 192.88.99.1 168.63.129.16"""
PRIVATE_V6 = """::1 :: fe80::1 fc00::1 fd12::1 ff02::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 64:ff9b::7f00:1
64:ff9b::a00:1 2002:7f00:0001:: 2002:a00:1:: ::127.0.0.1 2001:db8::1 fec0::1 5f00::1 3fff::1 ::ffff:0:127.0.0.1 64:ff9b:1::7f00:1
::ffff:168.63.129.16 64:ff9b::a83f:8110"""
PRIVATE = [*PRIVATE_V4.split(), *PRIVATE_V6.split()]


@pytest.mark.parametrize("address", PRIVATE)
def test_the_house_is_not_public(address):
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:93.184.216.34"])
def test_the_internet_is(address):
    assert is_public(ipaddress.ip_address(address))


@given(st.ip_addresses(v=4))
def test_wrapping_an_address_opens_no_door(address):
    assert is_public(address) == is_public(ipaddress.ip_address(f"::ffff:{address}"))


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.org/a",
        "gopher://x",
        "//example.org/a",
        "http://",
        "http:///a",
        "https://a b/",
        "http://u:p@example.org/",
        "http://[::1",
        "http://example.org:99999/",
        "http://x\r\nHost: y/",
        "http://" + "a" * 600,
        "",
        "javascript:alert(1)",
    ],
)
def test_only_plain_web_addresses_are_taken(url):
    with pytest.raises(AddressRefused):
        fetch(url, io.BytesIO())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "0", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254"])
def test_no_spelling_of_the_house_gets_in(host):
    with pytest.raises((AddressRefused, FetchFailed)) as caught:
        fetch(f"http://{host}:9/", io.BytesIO())
    assert isinstance(caught.value, AddressRefused) or "introuvable" in caught.value.message


class Site(http.server.BaseHTTPRequestHandler):
    """What another server may answer."""

    hits: list[str] = []

    def do_GET(self) -> None:
        Site.hits.append(self.path)
        getattr(self, "do_" + self.path.strip("/").split("?")[0].split(".")[0].split("/")[0])()

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def do_plain(self) -> None:
        self.answer(200, b"a;b\n1;2\n", Content_Length="8")

    def do_named(self) -> None:
        self.answer(200, b"x", Content_Disposition='attachment; filename="../../mesures.csv"')

    def do_missing(self) -> None:
        self.answer(404, b"")

    def do_endless(self) -> None:
        self.answer(200, b"x" * 3_000_000)

    def do_liar(self) -> None:
        self.answer(200, b"x" * 3_000_000, Content_Length="10")

    def do_short(self) -> None:
        self.answer(200, b"x", Content_Length="100")

    def do_boaster(self) -> None:
        self.answer(200, b"x", Content_Length="999999999999")

    def do_loop(self) -> None:
        self.answer(302, b"", Location="/loop")

    def do_inside(self) -> None:
        self.answer(302, b"", Location="http://10.0.0.1/secret")

    def do_scheme(self) -> None:
        self.answer(302, b"", Location="file:///etc/passwd")

    def do_moved(self) -> None:
        self.answer(301, b"", Location="/plain.csv")

    def do_zipped(self) -> None:
        self.answer(200, b"x", Content_Encoding="gzip")

    def do_drip(self) -> None:
        self.drip(b"HTTP/1.0 200 OK\r\n\r\n", b"x")

    def do_dripstatus(self) -> None:
        self.drip(b"", b"H")

    def do_dripheaders(self) -> None:
        self.drip(b"HTTP/1.0 200 OK\r\n", b"X")

    def do_dripchunks(self) -> None:
        self.drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0")

    def drip(self, start: bytes, again: bytes) -> None:
        with suppress(OSError):
            self.wfile.write(start)
            for _ in range(200):
                self.wfile.write(again)
                time.sleep(0.05)

    def do_muddled(self) -> None:
        self.answer(200, b"x", Content_Disposition="attachment; filename*=utf-8''a.csv; filename*0*=utf-8''b.csv")

    def do_nul(self) -> None:
        self.answer(200, b"x", Content_Disposition="attachment; filename*=utf-8''mes%00ures%ED%A0%80.csv")

    def do_nowhere(self) -> None:
        self.answer(302, b"", Location="http://[::1")

    def log_message(self, *_: object) -> None:
        """Silence."""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    served = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=served.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{served.server_port}"
    served.shutdown()


def loopback(address: room.Address) -> bool:
    """For these tests alone: the site on loopback is let in, nothing else is."""
    return str(address) == "127.0.0.1"


def get(url: str, seconds: float = 5) -> tuple[str, bytes]:
    file = io.BytesIO()
    fetched = fetch(url, file, max_mb=1, seconds=seconds, allowed=loopback)
    return fetched.filename, file.read()


@pytest.mark.parametrize("path", ["plain.csv", "moved"])
def test_a_file_comes_whole(site, path):
    assert get(f"{site}/{path}") == ("plain.csv", b"a;b\n1;2\n")


def test_the_name_that_the_server_gives_is_taken(site):
    assert get(f"{site}/named")[0].endswith("mesures.csv")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("missing", "404"),
        ("endless", "1 Mo"),
        ("boaster", "1 Mo"),
        ("short", "incomplet"),
        ("loop", "3 fois"),
        ("zipped", "compressé"),
        ("nowhere", "qui n’est pas une adresse"),
    ],
)
def test_what_does_not_come_is_said(site, path, words):
    with pytest.raises(FetchFailed, match=words):
        get(f"{site}/{path}")


def test_a_length_that_lies_low_cuts_the_file_there(site):
    assert get(f"{site}/liar")[1] == b"x" * 10


@pytest.mark.parametrize("path", ["inside", "scheme"])
def test_a_redirect_does_not_lead_inside(site, path):
    with pytest.raises(AddressRefused):
        get(f"{site}/{path}")


@pytest.mark.parametrize("path", ["drip", "dripstatus", "dripheaders", "dripchunks"])
def test_a_slow_server_is_left(site, path):
    """Each byte comes well before a socket’s patience ends: the whole fetch has one limit."""
    begun = time.monotonic()
    with pytest.raises(FetchFailed, match="lent"):
        get(f"{site}/{path}", seconds=0.8)
    assert time.monotonic() - begun < 4


@pytest.mark.parametrize("path", ["muddled", "nul"])
def test_a_name_that_cannot_be_kept_loses_no_file(site, path):
    name, content = get(f"{site}/{path}")
    assert content == b"x" and name and is_storable(name)


def test_a_name_that_changes_its_mind_is_not_asked_twice(site, monkeypatch):
    """DNS rebinding: the name is resolved once, and the connection goes to the address that was checked."""
    asked: list[str] = []
    real = socket.getaddrinfo
    port = int(site.rsplit(":", 1)[1])

    def resolver(host, *rest, **more):
        if host != "rebond.example":
            return real(host, *rest, **more)
        asked.append(host)
        return real("127.0.0.1" if len(asked) == 1 else "10.0.0.1", *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    assert get(f"http://rebond.example:{port}/plain.csv")[1] == b"a;b\n1;2\n"
    assert asked == ["rebond.example"]


def test_one_private_address_among_public_ones_is_enough_to_refuse(monkeypatch):
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in ("93.184.216.34", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: found)
    with pytest.raises(AddressRefused, match="réseau interne"):
        fetch("http://mixte.example/", io.BytesIO())
