"""A whole Bocage of its own for one test: its folder, its database, and the real command line as separate processes."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

USECASES = Path(__file__).parent / "execution" / "usecases"


@dataclass(frozen=True)
class Server:
    """The environment in which commands of one test run."""

    environ: dict[str, str]

    def bocage(self, *arguments: str, check: bool = False) -> subprocess.CompletedProcess[str]:
        """Run « bocage … » to its end."""
        return subprocess.run(
            [sys.executable, "-m", "bocage.cli", *arguments], env=self.environ, capture_output=True, text=True, check=check, timeout=120
        )

    def json(self, *arguments: str) -> Any:
        """What « bocage … --json » prints."""
        return json.loads(self.bocage(*arguments, "--json").stdout)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start « bocage … » in its own process group."""
        return subprocess.Popen(
            [sys.executable, "-m", "bocage.cli", *arguments],
            env=self.environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )

    def python(self, code: str) -> str:
        """Run ``code`` with Django set up in this server's environment, seeing every organisation; its standard output."""
        prelude = (
            "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'bocage.settings'; import django; django.setup()\n"
            "from bocage.organisations import tenancy; everywhere = tenancy.across(); everywhere.__enter__()\n"
        )
        done = subprocess.run([sys.executable, "-c", prelude + code], env=self.environ, capture_output=True, text=True, timeout=400)
        assert done.returncode == 0, done.stderr
        return done.stdout


@contextmanager
def server(home: Path) -> Iterator[Server]:
    """A fresh server in ``home``: SQLite, or a database of its own on the PostgreSQL that the tests run on."""
    environ = {
        **os.environ,
        "BOCAGE_HOME": str(home),
        "BOCAGE_USECASES_PATH": str(USECASES),
        "BOCAGE_DATABASE_URL": "",
        "BOCAGE_RUN_SECONDS": "30",
        "NO_COLOR": "1",
        "COLUMNS": "200",
    }
    url = os.environ.get("BOCAGE_DATABASE_URL", "")
    if not url.startswith("postgres"):
        yield Server(environ)
        return
    import psycopg

    name = f"bocage_cli_{secrets.token_hex(6)}"
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}")
        try:
            yield Server({**environ, "BOCAGE_DATABASE_URL": urlunsplit(urlsplit(url)._replace(path=f"/{name}"))})
        finally:
            # Not WITH (FORCE): it fails where autovacuum, which is the superuser's, is at work. A plain DROP sends it away and waits.
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND usename = current_user", [name])
            admin.execute(f"DROP DATABASE {name}")


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Return as soon as ``condition()`` holds; fail, saying ``what`` was awaited, after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s for: {what}"
        time.sleep(0.1)
