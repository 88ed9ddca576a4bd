"""The command line for people and scripts: readable tables, JSON, sentences on standard error, exit codes that can be trusted."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from bocage.cli import bench as benches
from bocage.contract.errors import InvalidUseCase
from tests.servers import Server, server, wait_until

LINES = "jour;secteur;volume\n2026-01-01;Nord;100\n2026-01-02;Nord;102,5\n2026-01-02;Sud;51\n"


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """One server for the tests that only read or add."""
    with server(tmp_path_factory.mktemp("home")) as made:
        made.bocage("migrate", check=True)
        made.python("from bocage.organisations.services import ensure_organisation; ensure_organisation('Saint-Aubin')")
        yield made


@pytest.fixture
def volumes(tmp_path: Path) -> str:
    path = tmp_path / "volumes.csv"
    path.write_text(LINES, encoding="utf-8")
    return f"volumes={path}"


def test_before_migrate_one_sentence_says_what_to_do(tmp_path):
    with server(tmp_path) as fresh:
        done = fresh.bocage("runs")
    assert done.returncode == 2
    assert "bocage migrate" in done.stderr and "Traceback" not in done.stderr


def test_an_unreachable_database_is_said_in_a_sentence(tmp_path):
    with server(tmp_path) as fresh:
        fresh.environ["BOCAGE_DATABASE_URL"] = f"sqlite:///{tmp_path}/absent/folder/base.sqlite3"
        done = fresh.bocage("runs")
    assert done.returncode == 2
    assert "BOCAGE_DATABASE_URL" in done.stderr and "Traceback" not in done.stderr


def test_list_names_the_use_cases(bench: Server):
    assert "essai_tableau" in bench.bocage("list").stdout
    assert "essai_tableau" in {fiche["slug"] for fiche in bench.json("list")["usecases"]}


def test_gains_are_named_as_on_the_portal_and_a_coverage_is_no_gain(bench: Server):
    """« lignes » and « lignes_attendues » are the same whoever forecasts: they say how much was compared, in a sentence."""
    printed = bench.python(
        "from bocage.cli.render import print_gains\n"
        "from bocage.contract.discovery import load_fiche\n"
        "fiche = load_fiche('essai_tableau')\n"
        "ours = {'pire_site_pct': 4.0, fiche.mesure.nom: 3.0, 'heures': 1679.0, 'heures_attendues': 1680.0, 'jours_constates': 2.0}\n"
        "print_gains(fiche, {'engine': ours, 'baseline': {**ours, fiche.mesure.nom: 4.0}})\n"
        "print(fiche.mesure.titre[:20])"
    ).replace("\u202f", " ")
    *lines, title = printed.strip().split("\n")
    assert "Comparé : 1 679 heures sur 1 680 attendues." in printed and "Jours constatés : 2." in printed
    header = next(n for n, line in enumerate(lines) if "Habituelle" in line)
    assert lines[header + 1].startswith(title), "the measure of the fiche comes first"
    assert "_" not in printed and "Pire site (%)" in printed and "−25,0" in printed
    assert not [line for line in lines if line.startswith(("Heures", "Attendues", "Jours")) and "%" in line], "a coverage has no gap"


def test_run_prints_proposals_and_what_they_cost(bench: Server, volumes: str):
    done = bench.bocage("run", "essai_tableau", "--input", volumes)
    assert done.returncode == 0, done.stderr
    assert "Nord" in done.stdout and "énergie" in done.stdout
    assert done.stderr == ""


def test_run_gives_scripts_the_whole_record(bench: Server, volumes: str, tmp_path: Path):
    document = bench.json("run", "essai_tableau", "--input", volumes, "--seed", "3", "--output", str(tmp_path / "r.json"))
    assert document["state"] == "terminee" and document["seed"] == 3
    assert set(document["results"]) == {"engine", "baseline"}
    assert json.loads((tmp_path / "r.json").read_text(encoding="utf-8")) == document


def test_the_same_run_gives_the_same_outcome(bench: Server, volumes: str):
    one, two = (bench.json("run", "essai_tableau", "--input", volumes) for _ in range(2))
    for key in ("engine_version", "input_hash", "params"):
        assert one[key] == two[key]
    assert one["results"]["engine"]["outcome"] == two["results"]["engine"]["outcome"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["run", "essai_tablo"], 2, "essai_tableau"),
        (["run", "essai_tableau", "--input", "volumes=absent.csv"], 1, "absent.csv"),
        (["run", "essai_tableau"], 1, "volumes"),
        (["run", "essai_tableau", "--organisation", "ailleurs"], 2, "saint-aubin"),
        (["restart", "99999"], 2, "99999"),
        (["run", "essai_moteur", "--param", "nombre=99"], 1, "50 au plus"),
        (["run", "essai_moteur", "--param", "nombre=NaN"], 1, "« NaN »"),
        (["run", "essai_moteur", "--param", "nombre=1e999"], 1, "params.nombre"),
        (["run", "essai_moteur", "--param", "nombr=3"], 1, "nombr"),
        (["run", "essai_moteur", "--input", f"fichié={__file__}"], 1, "fichié"),
        (["run", "essai_moteur", "--seed", "-1"], 2, "0<=x<=2147483647"),
        (["run", "essai_moteur", "--seed", "99999999999999999999"], 2, "0<=x<=2147483647"),
        (["bench", "rien_du_tout"], 2, "eau_demande"),
        (["bench", "energie_scale"], 2, "Bancs présents"),
        (["check", "essai_tablo"], 2, "essai_tableau"),
        (["new", "Mauvais Nom"], 2, "Mauvais Nom"),
        (["assistant", "train"], 2, "BOCAGE_EMBEDDINGS_URL"),
    ],
)
def test_errors_teach_and_exit_codes_tell_whose_fault(bench: Server, arguments: list[str], code: int, said: str):
    done = bench.bocage(*arguments)
    assert done.returncode == code, done.stdout + done.stderr
    assert said in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


def test_errors_are_json_too(bench: Server):
    assert bench.json("run", "essai_tablo")["error"]["code"] == "cas-inconnu"


def test_wrong_lines_are_named_and_the_others_used(bench: Server, tmp_path: Path):
    path = tmp_path / "volumes.csv"
    path.write_text(LINES + "2026-01-03;Sud;12,4O\n", encoding="utf-8")
    done = bench.bocage("run", "essai_tableau", "--input", f"volumes={path}")
    assert done.returncode == 0
    assert "Ligne 5, colonne volume" in done.stdout and "12,4O" in done.stdout


def test_a_bad_parameter_is_said_with_its_bounds(bench: Server, volumes: str):
    done = bench.bocage("run", "essai_tableau", "--input", volumes, "--param", "coefficient=12")
    assert done.returncode == 1
    assert "coefficient" in done.stdout + done.stderr


def test_a_reader_that_leaves_early_is_no_error(bench: Server):
    import subprocess
    import sys

    done = subprocess.run(
        f"{sys.executable} -m bocage.cli list | head -c 1 > /dev/null; exit ${{PIPESTATUS[0]}}",
        shell=True,
        executable="/bin/bash",
        env=bench.environ,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0 and done.stderr == ""


def test_the_worker_performs_what_waits(bench: Server, volumes: str):
    run = bench.json("run", "essai_tableau", "--input", volumes, "--enqueue")
    assert run["state"] == "attente"
    assert bench.bocage("worker", "--batch").returncode == 0
    states = {r["id"]: r["state"] for r in bench.json("runs")}
    assert states[run["run"]] == "terminee"


def test_killing_the_worker_loses_nothing(tmp_path: Path):
    """SIGKILL in the middle of an engine: the run is marked, no engine is left behind, and a restart finishes it."""
    with server(tmp_path) as own:
        own.bocage("migrate", check=True)
        own.python("from bocage.organisations.services import ensure_organisation; ensure_organisation('Saint-Aubin')")
        run = own.json("run", "essai_moteur", "--enqueue", "--param", "geste=dort")["run"]
        worker = own.start("worker")
        wait_until(lambda: _state(own, run) == "en_cours", "the run starts")
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
        own.python(
            "from datetime import timedelta; from django.utils import timezone; from bocage.decisions.models import Run;"
            f"Run.across_organisations.filter(pk={run}).update(lease_until=timezone.now() - timedelta(seconds=1))"
        )
        assert _state(own, run) == "interrompue"
        own.python(f"from bocage.decisions.models import Run; Run.across_organisations.filter(pk={run}).update(params={{'geste': 'rien'}})")
        assert own.bocage("restart", str(run)).returncode == 0
        assert own.bocage("worker", "--batch").returncode == 0
        assert _state(own, run) == "terminee"


def _state(own: Server, run: int) -> str:
    return next(r["state"] for r in own.json("runs") if r["id"] == run)


def test_the_assistant_is_served_under_its_own_name_too(bench: Server):
    for command in (["serve"], ["assistant", "serve"]):
        assert bench.bocage(*command, "--help").stdout.count("--port") == 1


def test_only_files_that_define_a_benchmark_are_benchmarks(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(benches, "_FOLDER", tmp_path)
    (tmp_path / "aides.py").write_text("def running(): ...\n", encoding="utf-8")
    (tmp_path / "sans_avance.py").write_text("def run(data_dir): ...\n", encoding="utf-8")
    (tmp_path / "sans_rendu.py").write_text("def run(data_dir, progress): return {}\n", encoding="utf-8")
    assert benches.available() == ["sans_avance", "sans_rendu"]
    for slug, read in (("sans_avance", r"run\(data_dir\) ne prend pas"), ("sans_rendu", "un objet dict")):
        with pytest.raises(InvalidUseCase, match=f"{read}.*data_dir: Path, progress"):
            benches.run_bench(slug, lambda done, what: None)
