"""The portal measured: weight and accessibility of its pages, fifty agents at once, tenancy, the API under random requests.

There is no peer to run beside: the rows are the parts measured. Everything happens on the loopback, on a server of its own.
"""

from __future__ import annotations

import http.client
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bocage import __version__
from bocage.contract.bench import Bar, BenchResult, DatasetUsed
from bocage.contract.errors import DataFolderMissing

ROOT = Path(__file__).resolve().parents[1]
AGENTS, SECONDS = 50, 60
THINK_S = (2.0, 6.0)
"""An agent reads for two to six seconds between two pages."""


def run(data_dir: Path | None = None, progress: Callable[[float, str], None] | None = None) -> BenchResult:
    """Measure everything; raises ``DataFolderMissing`` where the browser or the test tools are not installed."""
    sys.path.insert(0, str(ROOT))
    from tests.browser.chromium import available
    from tests.browser.world import world

    if not available():
        raise DataFolderMissing("Ce banc a besoin de chromium et chromium-driver (paquets Debian) et des outils de test (make test).")
    tell = progress or (lambda fraction, message: None)
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="bocage-bench-") as folder, world(Path(folder) / "world") as portal:
        tell(0.1, "Pages")
        pages = measure_pages(portal, Path(folder))
        tell(0.4, "Cinquante agents")
        load = measure_load(portal)
        tell(0.7, "API")
        api = measure_api(portal)
    tell(0.8, "Cloisonnement")
    leaks = count_leaks()
    values = {**pages, **load, "tenancy_leaks": leaks, "api_5xx": api["server_errors"]}
    targets = {
        "page_kb_max": 60, "requests_max": 8, "axe_violations": 0, "agents50_p95_ms": 300,
        "locked_errors": 0, "tenancy_leaks": 0, "api_5xx": 0,
    }  # fmt: skip
    rows = [
        {"name": "pages", **pages},
        {"name": f"{AGENTS} agents, {SECONDS} s", **load},
        {"name": "API, requêtes au hasard", **api},
        {"name": "cloisonnement", "tenancy_leaks": leaks},
    ]
    bars = [Bar(id=key, value=float(values[key]), sense="<=", target=float(target)) for key, target in targets.items()]
    note = f"Chaque agent lit {THINK_S[0]:.0f} à {THINK_S[1]:.0f} s entre deux pages ; agents, serveur et mesure partagent les mêmes cœurs."
    return BenchResult(
        slug="portal", seconds=time.monotonic() - start, rows=rows, bars=bars, notes=[note],
        datasets=[DatasetUsed(name="portail d’essai, données simulées", version=__version__, licence="EUPL-1.2")],
    )  # fmt: skip


def measure_pages(portal: Any, folder: Path) -> dict[str, float]:
    """Heaviest page (kB on the wire, cold cache), most requests, and axe violations on a screen and a phone."""
    from tests.browser.chromium import axe_source, axe_violations, chromium, sign_in, weigh
    from tests.browser.world import pages

    source, violations, weights = axe_source(), 0, []
    for width in (1280, 390):
        with chromium(folder / f"profile{width}", width=width) as driver:
            driver.execute_cdp_cmd("Network.setCacheDisabled", {"cacheDisabled": True})
            signed = None
            for _, (role, path) in sorted(pages(portal).items(), key=lambda item: item[1][0]):
                if role != signed:
                    sign_in(driver, portal, role)
                    signed = role
                driver.get(portal.page(path))
                weights.append(weigh(driver))
                violations += len(axe_violations(driver, source))
    return {
        "page_kb_max": round(max(w.kb for w in weights), 1),
        "requests_max": max(w.requests for w in weights),
        "axe_violations": violations,
    }


class _Agent(threading.Thread):
    """Signs in, then reads and deposits, one request after the other, like a person."""

    def __init__(self, portal: Any, number: int, until: float) -> None:
        super().__init__(daemon=True)
        self.portal, self.until, self.drawn = portal, until, random.Random(number)
        self.times: list[float] = []
        self.failures: list[str] = []
        self.cookies: dict[str, str] = {}
        self.connection = http.client.HTTPConnection("127.0.0.1", portal.port, timeout=60)

    def run(self) -> None:
        from tests.browser.world import EMAILS, ORGANISATION, SLUG

        token = self.token(f"/{ORGANISATION}/")
        role = self.drawn.choice(["decideur", "agent"])
        self.ask("POST", "/demonstration/", urlencode({"email": EMAILS[role], "csrfmiddlewaretoken": token}))
        pages = [
            "cas-d-usage/", f"cas-d-usage/{SLUG}/", "executions/", f"executions/{self.portal.run}/",
            f"executions/{self.portal.run}/propositions/", "depots/", "registre/", "a-decider/",
        ]  # fmt: skip
        while time.monotonic() < self.until:
            time.sleep(self.drawn.uniform(*THINK_S))
            began = time.monotonic()
            status, body = self.ask("GET", f"/{ORGANISATION}/{self.drawn.choice(pages)}")
            self.times.append(time.monotonic() - began)
            if status >= 500:
                self.failures.append(body[:200])

    def token(self, path: str) -> str:
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.ask("GET", path)[1])
        return found.group(1) if found else ""

    def ask(self, method: str, path: str, body: str | None = None) -> tuple[int, str]:
        headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        for name, value in answer.getheaders():
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.split(";")[0]
        return answer.status, answer.read().decode(errors="replace")


def measure_load(portal: Any) -> dict[str, float]:
    """p50 and p95 of the pages of fifty agents, answers in 5xx, and « database is locked » errors (they answer in 5xx)."""
    until = time.monotonic() + SECONDS
    agents = [_Agent(portal, number, until) for number in range(AGENTS)]
    for agent in agents:
        agent.start()
    for agent in agents:
        agent.join()
    times = sorted(t for agent in agents for t in agent.times)
    failures = [f for agent in agents for f in agent.failures]
    return {
        "requests": len(times),
        "agents50_p50_ms": round(1000 * times[len(times) // 2]),
        "agents50_p95_ms": round(1000 * times[int(0.95 * len(times))]),
        "locked_errors": len(failures),
    }


def measure_api(portal: Any) -> dict[str, float]:
    """schemathesis over every operation, with a token that may do everything; how many cases, and how many answers in 5xx."""
    code = (
        "from bocage.api.tokens import make_token; from bocage.api.models import Scope;"
        "from bocage.organisations.services import get_organisation; from bocage.organisations.tenancy import organisation_context\n"
        "with organisation_context(get_organisation('pays-de-brenoux')): print(make_token('banc', Scope.values)[1])"
    )
    secret = portal.server.python(code).strip()
    done = subprocess.run(
        [
            sys.executable, "-m", "schemathesis.cli", "run", f"{portal.url}/api/v1/openapi.json",
            "--header", f"Authorization: Bearer {secret}",
            "--checks", "not_a_server_error", "--max-examples", "30", "--seed", "1", "--no-color", "--continue-on-failure",
        ],
        capture_output=True, text=True, timeout=500, cwd=tempfile.gettempdir(),
    )  # fmt: skip
    text = done.stdout
    cases = re.search(r"(\d+) generated", text)
    failed = re.search(r"Server error: (\d+)", text)
    if done.returncode not in (0, 1) or (done.returncode == 1 and not failed):
        raise RuntimeError(f"schemathesis did not run: {text[-1500:]}{done.stderr[-500:]}")
    return {"cases": int(cases.group(1)) if cases else 0, "server_errors": int(failed.group(1)) if failed else 0}


def count_leaks() -> int:
    """How many promises of the tenancy walk are broken: two organisations, five roles, every address and API operation."""
    done = subprocess.run(
        [
            sys.executable, "-m", "pytest", "-o", "addopts=--import-mode=importlib", "-p", "no:cacheprovider", "tests/web/test_tenancy.py",
            "tests/api/test_api.py::test_one_organisation_never_reaches_the_other",
        ],
        cwd=ROOT, capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    passed = re.search(r"(\d+) passed", done.stdout)
    if not passed:
        raise RuntimeError(f"the tenancy tests did not run: {done.stdout[-800:]}")
    failed = re.search(r"(\d+) failed", done.stdout)
    return int(failed.group(1)) if failed else 0
