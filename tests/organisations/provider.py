"""Starts npm's certified ``oidc-provider`` on the loopback, and a browser that fills in its forms."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode, urljoin, urlsplit

import pytest

FOLDER = Path(__file__).parents[1] / "oidc"
CALLBACK, HOME = "http://testserver/oidc/callback/", "http://testserver/"


def install() -> None:
    """Put the provider into ``tests/oidc/node_modules`` if it is not there; skip the test where npm or the package cannot be had."""
    if (FOLDER / "node_modules" / "oidc-provider").exists():
        return
    if not shutil.which("npm") or not shutil.which("node"):
        pytest.skip("OpenID Connect is tested against npm's oidc-provider: neither node nor npm is here")
    done = subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=FOLDER, capture_output=True, text=True, timeout=150
    )
    if done.returncode:
        pytest.skip(f"npm could not fetch oidc-provider, the test tool of OpenID Connect: {done.stderr.strip().splitlines()[-1:]}")


@contextmanager
def running() -> Iterator[str]:
    """The provider's issuer address, while it runs."""
    install()
    process = subprocess.Popen(
        ["node", "provider.mjs", CALLBACK, HOME], cwd=FOLDER, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        line = next((line for line in process.stdout if line.startswith("{")), "")
        if not line:
            pytest.skip("oidc-provider, the test tool of OpenID Connect, does not start with this version of node")
        yield json.loads(line)["issuer"]
    finally:
        process.kill()
        process.wait()


class Browser:
    """Follows redirections and fills in forms at the provider, and stops at the door of the portal."""

    def __init__(self) -> None:
        self.cookies: dict[str, str] = {}

    def sign_in(self, url: str, who: str) -> str:
        """Go to ``url`` as ``who`` (« subject|address »), sign in and consent; the address to which the portal is called back."""
        who, address = who.split("|")
        tell(url, f"/address/{who}/{address}")
        status, target, page = self._request("GET", url)
        for _ in range(12):
            if target.startswith(CALLBACK):
                return target
            if status in (302, 303):
                status, target, page = self._request("GET", target)
                continue
            action = urljoin(target, re.search(r'action="([^"]+)"', page).group(1))
            prompt = re.search(r'name="prompt" value="([^"]+)"', page).group(1)
            status, target, page = self._request("POST", action, {"prompt": prompt, "login": who, "password": "x"})
        raise AssertionError(f"lost at {target}")

    def _request(self, method: str, url: str, form: dict[str, str] | None = None) -> tuple[int, str, str]:
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
        headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())}
        if form:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, f"{parts.path}?{parts.query}", urlencode(form) if form else None, headers)
        answer = connection.getresponse()
        for header in answer.headers.get_all("Set-Cookie", []):
            self.cookies.update({name: morsel.value for name, morsel in SimpleCookie(header).items()})
        page = answer.read().decode()
        connection.close()
        target = urljoin(url, answer.headers["Location"]) if "Location" in answer.headers else url
        return answer.status, target, page


def forge(issuer: str, kind: str) -> None:
    """Make the provider lie (or, with nothing, be honest again)."""
    tell(issuer, f"/forge/{kind}")


def tell(issuer: str, order: str) -> None:
    """Give the provider an order of the tests."""
    parts = urlsplit(issuer)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    connection.request("PUT", order)
    assert connection.getresponse().status == 200
    connection.close()
