"""Truth uploaded later measures the engine and the usual method, once, with its trace in the journal."""

from __future__ import annotations

from pathlib import Path

import pytest

from bocage.contract.errors import BocageError, MissingColumns, MissingInput
from bocage.journal.models import Entry
from bocage.register.evaluation import NothingToEvaluate, evaluate_run, truth_tables
from bocage.register.models import Evaluation
from tests.register.material import done_run

TRUTH = "jour;secteur;volume\n2026-01-05;Nord;100\n2026-01-06;Nord;110\n2026-01-05;Sud;50\n"


@pytest.fixture
def truth(tmp_path: Path) -> dict[str, Path]:
    path = tmp_path / "mesures.csv"
    path.write_text(TRUTH, encoding="utf-8")
    return {"mesures": path}


def test_both_methods_are_measured_and_journalled(in_brenoux, truth):
    run = done_run({"Nord": 104.0, "Sud": 50.0}, {"Nord": 115.0, "Sud": 52.0})
    evaluation = evaluate_run(run, truth)
    assert (evaluation.engine, evaluation.baseline) == ({"ecart": 0.5}, {"ecart": 6.0})
    entry = Entry.objects.get(event="evaluation.enregistree")
    assert entry.data["bocage"] == {"ecart": 0.5} and entry.data["execution"] == run.pk
    assert len(entry.data["fichiers"]["mesures"]) == 64


def test_the_same_truth_twice_is_one_evaluation(in_brenoux, truth):
    run = done_run({"Nord": 104.0}, {"Nord": 115.0})
    assert evaluate_run(run, truth) == evaluate_run(run, truth)
    assert Entry.objects.filter(event="evaluation.enregistree").count() == 1


def test_a_file_that_is_wrong_writes_nothing(in_brenoux, tmp_path: Path):
    path = tmp_path / "x.csv"
    path.write_text("autre;chose\n1;2\n", encoding="utf-8")
    run = done_run({"Nord": 104.0}, {"Nord": 115.0})
    with pytest.raises(MissingColumns):
        evaluate_run(run, {"mesures": path})
    with pytest.raises(MissingInput):
        evaluate_run(run, {})
    assert not Evaluation.objects.exists() and not Entry.objects.exists()


def test_an_unfinished_run_is_not_measured(in_brenoux, truth):
    from bocage.decisions.models import Run

    run = Run(usecase="essai_tableau")
    run.save()
    with pytest.raises(NothingToEvaluate, match="en attente"):
        evaluate_run(run, truth)


def test_a_run_without_its_usual_method_is_not_measured(in_brenoux, truth):
    run = done_run({"Nord": 104.0}, {"Nord": 115.0})
    run.results.filter(role="baseline").update(outcome=None)
    with pytest.raises(NothingToEvaluate, match="Méthode habituelle"):
        evaluate_run(run, truth)


def test_what_a_use_case_needs_is_known_without_its_engine():
    (table,) = truth_tables("essai_tableau")
    assert table["name"] == "mesures" and [c["name"] for c in table["columns"]] == ["jour", "secteur", "volume"]
    with pytest.raises(BocageError):
        truth_tables("rien_du_tout")
