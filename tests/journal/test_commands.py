"""The command line of the journal and of the export, and writers at the same time, in real processes."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.servers import Server, server

SETUP = """
from pathlib import Path
from django.db import transaction
from bocage.organisations.services import ensure_organisation
from bocage.organisations.tenancy import organisation_context
from bocage.organisations.people import create_person, grant
from bocage.deposits.services import deposit_file
from bocage.journal.services import record
for name, word in (("Saint-Aubin", "aubin"), ("Marsanne", "marsanne")):
    owner = ensure_organisation(name)
    file = Path("{home}") / f"{{word}}.csv"
    file.write_text(f"jour;secteur;volume\\n2026-01-01;{{word}};1\\n")
    with organisation_context(owner):
        person = create_person(f"agent@{{word}}.example", f"Agent {{word}}", "une phrase de passe longue")
        grant(person, "agent")
        deposit_file(file, "essai_tableau", "volumes")
        with transaction.atomic():
            record("essai.fait", person, mot=word)
"""
WRITER = """
import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'bocage.settings'
import django; django.setup()
from django.db import transaction
from bocage.journal.services import record
from bocage.organisations.services import get_organisation
from bocage.organisations.tenancy import organisation_context
with organisation_context(get_organisation("neuve")):
    for i in range(40):
        with transaction.atomic():
            record("essai.course", None, tour=i)
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def bench(home: Path):
    """Two organisations, each with a person, a deposit and a fact."""
    with server(home) as made:
        made.bocage("migrate", check=True)
        made.python(SETUP.format(home=home))
        yield made


def sql(bench: Server, statement: str) -> None:
    """What an administrator of the database can do, triggers lifted for one statement."""
    bench.python(
        "from django.db import connection\n"
        "from bocage.journal.triggers import create_statements, drop_statements\n"
        "with connection.cursor() as cursor:\n"
        f"    for one in [*drop_statements(connection.vendor), {statement!r}, *create_statements(connection.vendor)]: cursor.execute(one)\n"
    )


def test_two_processes_writing_at_once_make_one_chain(bench: Server):
    """From the very first entry: the head itself is created by whoever comes first."""
    bench.python("from bocage.organisations.services import ensure_organisation; ensure_organisation('Neuve')")
    writers = [subprocess.Popen([sys.executable, "-c", WRITER], env=bench.environ, stderr=subprocess.PIPE) for _ in range(2)]
    for writer in writers:
        assert writer.wait(timeout=120) == 0, writer.stderr.read().decode()
    (found,) = bench.json("journal", "verify", "--organisation", "neuve")
    assert found["sound"] and found["entries"] == 80


def test_sound_journals_exit_0(bench: Server):
    done = bench.bocage("journal", "verify")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Saint-Aubin : le journal est intact." in done.stdout and "Marsanne : le journal est intact." in done.stdout


def test_a_broken_journal_exits_1_and_says_where(bench: Server):
    sql(bench, "UPDATE journal_entry SET event = 'essai.faux' WHERE event = 'essai.fait' AND content LIKE '%marsanne%'")
    done = bench.bocage("journal", "verify", "--organisation", "marsanne")
    assert done.returncode == 1 and "Marsanne : le journal est rompu." in done.stdout and "a été modifiée" in done.stdout
    assert bench.bocage("journal", "verify", "--organisation", "saint-aubin").returncode == 0
    (found,) = bench.json("journal", "verify", "--organisation", "marsanne")
    assert not found["sound"] and len(found["breaks"]) == 1
    sql(bench, "UPDATE journal_entry SET event = 'essai.fait' WHERE event = 'essai.faux'")
    assert bench.bocage("journal", "verify").returncode == 0


def test_an_anchor_kept_elsewhere(bench: Server, tmp_path: Path):
    (anchor,) = bench.json("journal", "anchor", "--organisation", "saint-aubin")
    kept = tmp_path / "ancres.json"
    kept.write_text(json.dumps([{"sequence": anchor["sequence"], "hash": anchor["hash"]}]))
    assert bench.bocage("journal", "verify", "--organisation", "saint-aubin", "--anchors", str(kept)).returncode == 0
    kept.write_text(json.dumps([{"sequence": anchor["sequence"], "hash": "0" * 64}]))
    done = bench.bocage("journal", "verify", "--organisation", "saint-aubin", "--anchors", str(kept))
    assert done.returncode == 1 and "ne se retrouve pas" in done.stdout
    kept.write_text("[]x")
    done = bench.bocage("journal", "verify", "--organisation", "saint-aubin", "--anchors", str(kept))
    assert done.returncode == 2 and "ancres-illisibles" in done.stderr


def test_the_worker_publishes_anchors(bench: Server):
    code = (
        "from bocage.journal.models import Anchor\nfrom bocage.organisations.tenancy import across\n"
        "with across(): print(Anchor.across_organisations.count())"
    )
    bench.bocage("worker", "--batch", check=True)
    assert int(bench.python(code)) >= 2


def test_the_export_holds_everything_of_one_organisation_only(bench: Server, home: Path, tmp_path: Path):
    target = tmp_path / "aubin.zip"
    done = bench.bocage("export", "--organisation", "saint-aubin", "--output", str(target))
    assert done.returncode == 0, done.stdout + done.stderr
    with zipfile.ZipFile(target) as archive:
        texts = {name: archive.read(name).decode("utf-8-sig") for name in archive.namelist()}
    everything = "\n".join(texts.values())
    assert "arsanne" not in everything and "argon2" not in everything.lower()
    tables = {name: json.loads(text) for name, text in texts.items() if name.startswith("tables/") and name.endswith(".json")}
    assert [row["email"] for row in tables["tables/organisations.user.json"]] == ["agent@aubin.example"]
    assert {row["event"] for row in tables["tables/journal.entry.json"]} >= {"essai.fait", "donnees.exportees"}
    (deposit,) = tables["tables/deposits.deposit.json"]
    assert "aubin;1" in texts[f"deposits/{deposit['sha256']}.csv"]
    manifest = json.loads(texts["manifest.json"])
    assert {t["name"]: t["rows"] for t in manifest["tables"]}["organisations.membership"] == 1
    assert "aubin" in texts["tables/organisations.membership.csv"] or "agent" in texts["tables/organisations.membership.csv"]


def test_an_export_is_written_whole_or_not_at_all(bench: Server, tmp_path: Path):
    done = bench.bocage("export", "--organisation", "saint-aubin", "--output", str(tmp_path / "absent" / "a.zip"))
    assert done.returncode == 2 and "export-impossible" in done.stderr and "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


def test_no_stored_value_keeps_an_export_from_being_written(bench: Server, tmp_path: Path):
    """Half a character, stored before it was refused: the JSON of the export reads back as what was stored."""
    if bench.environ["BOCAGE_DATABASE_URL"]:
        pytest.skip("PostgreSQL never stored any")
    bench.python(
        "from bocage.organisations.models import Organisation\nfrom bocage.organisations.tenancy import organisation_context\n"
        "from bocage.decisions.models import Run\nowner = Organisation.objects.get(slug='saint-aubin')\n"
        "with organisation_context(owner): Run(usecase='essai_tableau', params={'nom': 'a\\ud800', 'chemin': 'c:\\\\ud800'}).save()"
    )
    target = tmp_path / "aubin.zip"
    done = bench.bocage("export", "--organisation", "saint-aubin", "--output", str(target))
    assert done.returncode == 0, done.stdout + done.stderr
    with zipfile.ZipFile(target) as archive:
        (run,) = json.loads(archive.read("tables/decisions.run.json"))
        assert run["params"] == {"nom": "a\ud800", "chemin": "c:\\ud800"}
        assert "a\\ud800" in archive.read("tables/decisions.run.csv").decode("utf-8-sig")


def test_a_deposit_that_was_lost_is_said(bench: Server, home: Path, tmp_path: Path):
    folder = bench.python(
        "from bocage.deposits.models import Deposit\nfrom bocage.organisations.tenancy import across\n"
        "with across(): print(Deposit.across_organisations.get(organisation__slug='marsanne').path)"
    ).strip()
    Path(folder).rename(tmp_path / "ailleurs")
    done = bench.bocage("export", "--organisation", "marsanne", "--output", str(tmp_path / "m.zip"))
    assert done.returncode == 1 and "manque sur le disque" in done.stderr and (tmp_path / "m.zip").exists()
