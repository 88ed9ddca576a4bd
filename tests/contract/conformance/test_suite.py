"""The suite on the template as ``bocage new`` writes it, its report, and what it needs to start."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bocage.contract import conformance, discovery
from bocage.contract.errors import BocageError, InvalidParams, MissingExtra, UnknownUseCase

DOCS = Path(__file__).resolve().parents[3] / "docs" / "use_case.md"


def test_the_template_keeps_every_promise(use_case: Callable[..., Path]) -> None:
    use_case()
    heard: list[float] = []
    report = conformance.check("cas_essai", progress=lambda done, title: heard.append(done))
    assert report.passed, report.to_text()
    assert [r.id for r in report.results] == list(conformance.PROMISES)
    assert {r.id for r in report.results if r.state == "sans objet"} == {"optional_inputs", "dask"}
    assert heard == sorted(heard) and heard[-1] == 1.0
    assert len(report.results) >= 16


def test_the_template_of_another_name_is_clean_code(use_case: Callable[..., Path]) -> None:
    folder = use_case(slug="autre_exemple_2")
    root = Path(__file__).resolve().parents[3]
    for command in (["ruff", "check"], ["ruff", "format", "--check"]):
        done = subprocess.run([sys.executable, "-m", *command, "--config", root / "pyproject.toml", folder], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    assert not [path for path in folder.rglob("*") if path.is_file() and "__slug__" in path.read_text(encoding="utf-8", errors="ignore")]


def test_a_gain_published_and_shown_is_kept(use_case: Callable[..., Path]) -> None:
    use_case(("fiche.toml", "gain_demontre = false", "gain_demontre = true"))
    result = conformance.check("cas_essai", only=["gain"])["gain"]
    assert result.state == "tenu" and result.sentence.startswith("Gain publié et montré")


def test_a_gain_needs_enough_blocks(use_case: Callable[..., Path]) -> None:
    folder = use_case(("fiche.toml", "gain_demontre = false", "gain_demontre = true"))
    truth = folder / "data" / "verite" / "passages_constates.csv"
    truth.write_text("\n".join(truth.read_text(encoding="utf-8").splitlines()[:5]), encoding="utf-8")
    result = conformance.check("cas_essai", only=["gain"])["gain"]
    assert result.state == "rompu" and "au moins 8 blocs" in result.sentence


def test_what_rests_on_a_broken_promise_says_which(use_case: Callable[..., Path]) -> None:
    use_case(("engine.py", "HORIZON_DAYS = 7", "HORIZON_DAYS = 7 // 0"))
    report = conformance.check("cas_essai")
    # The example's fiche no longer describes this engine: it is left to write.
    assert [r.id for r in report.broken] == ["fiche", "loads"]
    assert report["deterministic"].state == "sans objet" and "« loads »" in report["deterministic"].sentence
    assert report["readme"].state == "sans objet" and report["sizes"].state == "tenu"


def test_one_column_of_a_wrong_type_is_one_fault(use_case: Callable[..., Path]) -> None:
    use_case(("engine.py", "passages: int = column", "passages: list[int] = column"))
    report = conformance.check("cas_essai")
    assert [r.id for r in report.broken] == ["fiche", "schemas"], report.to_text()
    assert not [r.sentence for r in report.results if "C’est à Bocage" in r.sentence]


def test_an_engine_of_an_odd_shape_never_breaks_the_suite(use_case: Callable[..., Path]) -> None:
    use_case(
        ("engine.py", '= {"frequentations": Frequentation}', "= [3]"),
        ("engine.py", "= CasEssaiParams\n", "= type('CasEssaiParams', (), {})\n"),
    )
    report = conformance.check("cas_essai")
    assert not report.passed
    assert not [r.id for r in report.results if "Traceback" in r.sentence or "\n" in r.sentence]


def test_a_missing_extra_is_beside_the_point(use_case: Callable[..., Path]) -> None:
    use_case(("engine.py", "import pandas as pd", "import absent_dask_xyz"), ("fiche.toml", 'extra = ""', 'extra = "dask"'))
    with pytest.raises(MissingExtra, match=r"pip install 'bocage\[dask\]'"):
        discovery.load_engine("cas_essai")
    report = conformance.check("cas_essai")
    assert report["loads"].state == "sans objet" and "bocage[dask]" in report["loads"].sentence
    assert discovery.load_fiche("cas_essai").extra == "dask"


def test_an_engine_that_could_not_be_imported_has_passed_nothing(use_case: Callable[..., Path]) -> None:
    use_case(("engine.py", "import pandas as pd", "import absent_dask_xyz"), ("fiche.toml", 'extra = ""', 'extra = "dask"'))
    report = conformance.check("cas_essai", only=["loads", "answers"])
    assert not report.passed and not report.broken and report.exit_code == MissingExtra.exit_code == 2
    assert report.to_dict()["error"]["code"] == "extension-absente"


def test_what_an_engine_prints_is_not_in_the_report(use_case: Callable[..., Path]) -> None:
    use_case(("engine.py", "        weeks = cast", '        print("coucou")\n        weeks = cast'))
    command = [sys.executable, "-m", "bocage.cli", "check", "cas_essai", "--json", "--only", "answers", "--only", "processes"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert [r["state"] for r in json.loads(done.stdout)[0]["results"]] == ["tenu", "tenu"]
    assert "coucou" in done.stderr and done.returncode == 0


def test_the_report_is_json_and_a_table(use_case: Callable[..., Path]) -> None:
    use_case(("README.md", "## Termes", "## Divers"))
    report = conformance.check("cas_essai", only=["fiche", "readme"])
    data = json.loads(json.dumps(report.to_dict()))
    assert data["slug"] == "cas_essai" and data["passed"] is False
    assert [set(r) for r in data["results"]] == [{"id", "title", "state", "sentence", "seconds"}] * 2
    assert report.to_text().splitlines()[1].startswith("rompu")
    with pytest.raises(KeyError):
        report["gain"]


def test_a_check_that_cannot_start_says_why(use_case: Callable[..., Path]) -> None:
    use_case()
    with pytest.raises(InvalidParams, match="Les promesses : fiche"):
        conformance.check("cas_essai", only=["fich"])
    with pytest.raises(UnknownUseCase, match="cas_essai"):
        conformance.check("cas_essay")
    with pytest.raises(BocageError):
        conformance.check("")


def test_every_promise_is_documented_with_its_id() -> None:
    lines = DOCS.read_text(encoding="utf-8").splitlines()
    documented = {line.split("`")[1] for line in lines if line.startswith("| `")}
    assert documented == set(conformance.PROMISES)


def test_titles_are_french_and_differ() -> None:
    titles = [promise.title for promise in conformance.PROMISES.values()]
    assert len(set(titles)) == len(titles) and all(title[0].isupper() for title in titles)
