"""Before any run, in a worker: what a use case asks for, and what is wrong with a file, line by line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bocage.contract.errors import BocageError, EngineFault, MissingInput
from bocage.execution import correct, describe, inspect, inspection

HEADER = "jour;secteur;volume\n"


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_use_case_says_what_it_asks_for(lab: Any) -> None:
    said = describe("essai_tableau")
    (volumes,) = said["inputs"]
    assert (volumes["name"], volumes["title"], volumes["required"]) == ("volumes", "Volumes par jour", True)
    assert volumes["columns"][2] == {"name": "volume", "required": True, "title": "Volume distribué", "unit": "m³", "example": "120,5"}
    assert [entry["name"] for entry in said["truth"]] == ["mesures"]
    assert said["params"]["properties"]["coefficient"]["default"] == 1.0
    assert describe("essai_tableau") is said


def test_every_wrong_line_is_told_and_the_others_are_kept(lab: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "abc.csv", HEADER + "2026-01-01;Nord;100,5\n2026-13-01;Nord;5\n2026-01-03;Sud;12,4O\n")
    report = inspect("essai_tableau", {"volumes": path}, "Europe/Paris", {"volumes": "volumes de janvier.csv"})["volumes"]
    assert (report["file"], report["lines"], report["kept"], report["errors_total"]) == ("volumes de janvier.csv", 3, 1, 2)
    assert [(e["line"], e["column"], e["read"]) for e in report["errors"]] == [(3, "jour", "2026-13-01"), (4, "volume", "12,4O")]
    assert [cell[0] for cell in report["details"]["cells"]] == [3, 4]
    assert [kind[0] for kind in report["details"]["kinds"]] == ["jour", "volume"]


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "fichier-illisible"), (b"colonne;autre\n1;2\n", "colonnes-manquantes")],
)
def test_a_file_that_is_no_table_is_told_in_a_sentence(lab: Any, tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    report = inspect("essai_tableau", {"volumes": path}, "Europe/Paris")["volumes"]
    assert report["error"]["code"] == code and report["error"]["message"]


def test_no_right_line_still_tells_each_wrong_one(lab: Any, tmp_path: Path) -> None:
    report = inspect("essai_tableau", {"volumes": write(tmp_path / "x.csv", HEADER + "hier;Nord;x\n")}, "Europe/Paris")["volumes"]
    assert (report["kept"], report["lines"], report["errors_total"]) == (0, 1, 2)


def test_a_hundred_thousand_errors_are_kept_and_counted_beyond(lab: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", HEADER + "2026-01-01;Nord;beaucoup\n" * (inspection.MAX_ERRORS + 5))
    report = inspect("essai_tableau", {"volumes": path}, "Europe/Paris")["volumes"]
    assert report["errors_total"] == inspection.MAX_ERRORS + 5
    assert len(report["details"]["cells"]) == inspection.MAX_ERRORS and len(report["errors"]) == inspection.FIRST_ERRORS
    assert len(json.dumps(report)) < 5_000_000


def test_a_file_that_is_not_a_table_is_checked_by_kind(lab: Any, tmp_path: Path) -> None:
    said = {entry["name"]: entry for entry in describe("essai_moteur")["inputs"]}
    assert said["fichier"]["suffixes"]
    good = inspect("essai_moteur", {"fichier": write(tmp_path / "a.txt", "x")}, "Europe/Paris")["fichier"]
    assert good == {"file": "a.txt", "table": False}
    wrong = inspect("essai_moteur", {"fichier": write(tmp_path / "a.pdf", "x")}, "Europe/Paris")["fichier"]
    assert wrong["error"]["code"] == "fichier-illisible"


def test_an_unknown_input_is_refused(lab: Any, tmp_path: Path) -> None:
    with pytest.raises(MissingInput, match="autre"):
        inspect("essai_tableau", {"autre": write(tmp_path / "a.csv", "x")}, "Europe/Paris")


def test_the_wrong_lines_come_as_a_csv_that_no_spreadsheet_runs(lab: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "x.csv", HEADER + "2026-01-01;Nord;1\n2026-01-02;=1+1;x\n")
    text = correct("essai_tableau", "volumes", path, "Europe/Paris", "v.csv").decode("utf-8-sig")
    assert text.splitlines()[0] == "ligne;jour;secteur;volume;probleme"
    assert text.splitlines()[1].startswith("3;2026-01-02;'=1+1;x;")


@pytest.mark.parametrize(
    "sent",
    [
        [],
        {},
        {"v": 1},
        {"v": {"file": 1}},
        {"v": {"file": "a", "error": {"code": 1}}},
        {"v": {"file": "a", "table": True, "lines": "3"}},
        {"w": {"file": "a", "table": False}},
    ],
)
def test_a_report_without_shape_is_refused(sent: Any) -> None:
    with pytest.raises(EngineFault):
        inspection.reports(json.dumps(sent).encode(), {"v"})


@pytest.mark.parametrize("sent", [[], {"params": {}}, {"params": {}, "inputs": [1], "truth": []}])
def test_a_description_without_shape_is_refused(sent: Any) -> None:
    with pytest.raises(BocageError):
        inspection.description(json.dumps(sent).encode())
