"""The commands of docs/backup.md, as they are written there, bring back a server that was running when it was saved."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import Server, server, wait_until

PAGE = Path(__file__).resolve().parents[2] / "docs" / "backup.md"
WRITER = """
import itertools
from django.db import transaction
from bocage.journal.services import record
from bocage.organisations.services import get_organisation
from bocage.organisations.tenancy import organisation_context
with organisation_context(get_organisation("le-diamant")):
    for number in itertools.count():
        with transaction.atomic():
            record("essai", None, numero=number)
        print(number, flush=True)
"""
PRELUDE = "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'bocage.settings'; import django; django.setup()\n"
LINES = "jour;secteur;volume\n" + "".join(f"2026-01-{day:02d};Nord;{100 + day}\n" for day in range(1, 11))


def commands(section: str, place: int) -> str:
    """Block ``place`` of the page's ``section``."""
    text = PAGE.read_text(encoding="utf-8").split(f"\n## {section}\n")[1].split("\n## ")[0]
    return re.findall(r"```sh\n(.*?)```", text, re.DOTALL)[place]


def run_page(own: Server, block: str) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(["bash", "-euc", block], env={**own.environ, "PATH": path}, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.skipif(os.environ.get("BOCAGE_DATABASE_URL", "").startswith("postgres"), reason="its backup needs a role of its own")
def test_the_page_saves_a_running_server_and_brings_it_back(tmp_path: Path):
    with server(tmp_path / "home") as own:
        own.environ["KEPT"] = str(tmp_path / "kept")
        own.bocage("migrate", check=True)
        own.bocage("organisation", "add", "Le Diamant", check=True)
        (table := tmp_path / "volumes.csv").write_text(LINES, encoding="utf-8")
        own.bocage("run", "essai_tableau", "--input", f"volumes={table}", check=True)
        with (tmp_path / "written").open("w") as said:
            writer = subprocess.Popen([sys.executable, "-c", PRELUDE + WRITER], env=own.environ, stdout=said)
        try:
            wait_until(lambda: "\n20\n" in (tmp_path / "written").read_text(), "a server that writes")
            assert (tmp_path / "home" / "bocage.sqlite3-wal").stat().st_size, "the last writes are beside the database"
            before = len((tmp_path / "written").read_text().split())
            run_page(own, commands("Save", 0))
        finally:
            writer.kill()
            writer.wait()
        own.environ["BOCAGE_HOME"] = str(tmp_path / "restored")
        run_page(own, commands("Restore", 0))
        run_page(own, commands("Verify", 0))
        (journal,) = own.json("journal", "verify")
        assert journal["sound"] and journal["entries"] >= before
        exported = own.bocage("export", "--output", str(tmp_path / "all.zip"))
        assert exported.returncode == 0, "each deposit has its file"
        key = [(home / "secret_key").read_text() for home in (tmp_path / "home", tmp_path / "restored")]
        assert key[0] == key[1]
