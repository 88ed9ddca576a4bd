"""Truth uploaded later measures the engine and the usual method, once, with its trace in the journal."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocage.contract.errors import BocageError, MissingColumns, MissingInput, NotEnoughData, NoValidLine
from bocage.decisions.models import Decision
from bocage.journal.models import Entry
from bocage.organisations.people import create_person
from bocage.register import figures
from bocage.register import services as register
from bocage.register.evaluation import NothingToEvaluate, evaluate_run, standing_evaluation, truth_tables
from bocage.register.models import Evaluation
from tests.register.material import SLUG, done_run

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


def file_of(folder: Path, text: str, name: str = "mesures.csv") -> dict[str, Path]:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return {"mesures": path}


def measured_at(run) -> list[tuple[float, float]]:
    """What the register shows of ``run``."""
    register.publish(SLUG, "service", "Nadia Le Goff", None)
    return [(m.engine, m.baseline) for m in register.entry(SLUG).measures if m.run == run.pk]


def test_a_truth_of_other_things_is_refused_and_the_measure_stands(in_brenoux, truth, tmp_path: Path):
    run = done_run({"Nord": 104.0}, {"Nord": 115.0})
    stands = evaluate_run(run, truth)
    other = file_of(tmp_path, "jour;secteur;volume\n2031-01-05;Nrod;100\n", "autre.csv")
    with pytest.raises(NotEnoughData, match=r"« reel_2026\.csv » : aucun secteur.*Attendu : Nord\. Lu : Nrod\. Rien n’est enregistré"):
        evaluate_run(run, other, names={"mesures": "reel_2026.csv"})
    assert standing_evaluation(run) == stands and measured_at(run) == [(1.0, 10.0)]
    assert Entry.objects.filter(event="evaluation.enregistree").count() == 1


def test_the_last_truth_brought_stands_even_when_it_was_known(in_brenoux, truth, tmp_path: Path):
    """A wrong file, then the right one again: the right one counts, once, and all three are written."""
    run = done_run({"Nord": 104.0}, {"Nord": 115.0})
    right = evaluate_run(run, truth)
    wrong = evaluate_run(run, file_of(tmp_path, "jour;secteur;volume\n2026-01-05;Nord;120\n", "faux.csv"))
    assert standing_evaluation(run) == wrong and measured_at(run) == [(16.0, 5.0)]
    again = evaluate_run(run, truth)
    assert again.truth_sha256 == right.truth_sha256 and standing_evaluation(run) == again
    assert measured_at(run) == [(1.0, 10.0)] and Evaluation.objects.filter(run=run).count() == 3
    said = [entry.data["remplace"] for entry in Entry.objects.filter(event="evaluation.enregistree").order_by("sequence")]
    assert said == [None, right.pk, wrong.pk]


def test_measures_of_nothing_that_stand_already_count_for_nothing(in_brenoux, truth):
    """Before they were refused, they were published: 0 against 0, on no line."""
    run = done_run({"Nord": 104.0}, {"Nord": 115.0})
    evaluate_run(run, truth)
    nothing = {"ecart": 0.0, "lignes": 0.0}
    Evaluation(run=run, truth_sha256="0" * 64, engine=nothing, baseline=nothing).save()
    assert measured_at(run) == [(1.0, 10.0)]


def test_wrong_lines_are_told_with_the_measure_that_leaves_them_out(in_brenoux, tmp_path: Path):
    run = done_run({"Nord": 104.0}, {"Nord": 115.0})
    half = file_of(tmp_path, "jour;secteur;volume\n2026-01-05;Nord;100\n2026-01-06;Nord;cent\n")
    (report,) = evaluate_run(run, half, names={"mesures": "volumes réels.csv"}).reading
    assert (report["file"], report["lines"], report["kept"], report["errors_total"]) == ("volumes réels.csv", 2, 1, 1)
    (error,) = report["errors"]
    assert (error["line"], error["column"], error["read"]) == (3, "volume", "cent") and error["expected"]


def test_a_truth_without_a_right_line_is_refused_under_its_own_name(in_brenoux, tmp_path: Path):
    run = done_run({"Nord": 104.0}, {"Nord": 115.0})
    bad = file_of(tmp_path, "jour;secteur;volume\n2026-01-05;Nord;cent\n2026-01-06;Nord;deux cents\n")
    with pytest.raises(NoValidLine, match=r"« freq_mois\.csv » : aucune ligne.*ligne 2, colonne « volume » : lu « cent », attendu"):
        evaluate_run(run, bad, names={"mesures": "freq_mois.csv"})
    with pytest.raises(MissingColumns, match=r"freq_mois\.csv"):
        evaluate_run(run, file_of(tmp_path, "autre;chose\n1;2\n"), names={"mesures": "freq_mois.csv"})
    assert not Evaluation.objects.exists()


def test_what_a_person_decided_instead_is_measured_beside(in_brenoux, truth):
    run, person = done_run({"Nord": 104.0, "Sud": 60.0}, {"Nord": 115.0, "Sud": 52.0}), create_person("d@brenoux.example", "Nadia Le Goff")
    assert evaluate_run(run, truth).decided is None
    south = run.proposals.get(subject="Sud")
    Decision(proposal=south, person=person, verdict=Decision.Verdict.AMEND, value=51.0, reason="marché").save()
    found = evaluate_run(run, truth)
    assert (found.engine, found.decided) == ({"ecart": 5.5}, {"ecart": 1.0})
    assert standing_evaluation(run) == found


@given(st.integers(1, 10_000), st.integers(1, 10_000))
def test_a_coverage_is_said_in_french_and_is_no_figure_of_a_method(found, expected):
    told = {"ecart_moyen": 1.0, "lignes": float(found), "lignes_attendues": float(expected), "pesees_constatees": 2.0}
    (coverage,) = figures.coverages(told)
    assert f"{coverage}".split(" sur ")[0].endswith("ligne" if found == 1 else "lignes")
    assert f"{coverage}".endswith("attendue" if expected == 1 else "attendues")
    assert figures.share_covered(told) == found / expected
    assert figures.of_the_method(told) == ["ecart_moyen"] and figures.observed(told) == ["pesees_constatees"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("couverture_pct", ("Couverture", "%")),
        ("derives_manquees", ("Dérives manquées", "")),
        ("restes_constates_par_repas_g", ("Restes constatés par repas", "g")),
        ("minutes_sous_minimum", ("Minutes sous minimum", "")),
    ],
)
def test_figures_have_french_titles_and_units(name, said):
    assert figures.title(name) == said


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
