"""What the register says is what was observed: a gain, none, too few measures, a drift."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bocage.contract import discovery
from bocage.contract.errors import InvalidUseCase, UnknownUseCase
from bocage.decisions.models import Run
from bocage.journal.models import Entry
from bocage.register import services as register
from bocage.register.models import Evaluation, Publication
from bocage.register.services import InvalidPublication, publish
from tests.register.material import SLUG, decided, done_run, journal_moves, measured
from tests.servers import USECASES


@pytest.fixture
def published(in_brenoux):
    return publish(SLUG, "service", "Nadia Le Goff, cheffe du service Eau", None)


def test_a_steady_gain_comes_with_its_interval(published):
    measured([(7, 10), (6, 10), (7, 9), (8, 10), (6, 9), (7, 10)])
    entry = register.entry(SLUG)
    low, high = entry.gain_interval
    assert 0 < low < entry.gain < high and not entry.no_gain and not entry.drifting


def test_a_gain_that_chance_explains_is_no_gain(published):
    measured([(5, 10), (12, 10), (5, 10), (15, 10), (9, 10), (2, 3)])
    entry = register.entry(SLUG)
    assert entry.gain > 0 and entry.gain_interval[0] <= 0 and entry.no_gain


def test_few_measures_have_no_interval(published):
    measured([(7, 10), (6, 10)])
    entry = register.entry(SLUG)
    assert entry.gain_interval is None and entry.gain == pytest.approx(0.35) and not entry.no_gain


def test_two_bad_measures_in_a_row_are_a_drift(published):
    measured([(7, 10), (6, 10), (11, 10), (10, 10)])
    assert register.entry(SLUG).drifting


def test_a_run_measured_again_counts_once(published):
    (run,) = measured([(7, 10)])
    Evaluation(run=run, truth_sha256="f" * 64, engine={"ecart": 8.0}, baseline={"ecart": 10.0}).save()
    assert [m.engine for m in register.entry(SLUG).measures] == [8.0]


def test_one_calculation_done_twice_is_one_measure(published):
    runs = measured([(7, 10), (7, 10), (7, 10), (7, 10), (6, 9), (8, 10)])
    same = Run.objects.filter(pk__in=[run.pk for run in runs[:4]])
    same.update(input_hash="a" * 64, params={"niveau": 90})
    assert [m.run for m in register.entry(SLUG).measures] == [runs[3].pk, runs[4].pk, runs[5].pk]
    assert register.entry(SLUG).gain_interval is None, "three measures, not six"
    same.filter(pk=runs[0].pk).update(params={"niveau": 80})
    same.filter(pk=runs[1].pk).update(engine_version="d0" * 32)
    same.filter(pk=runs[2].pk).update(input_hash="b" * 64)
    journal_moves()
    assert len(register.entry(SLUG).measures) == 6


def test_what_failed_runs_consumed_is_counted_but_makes_no_run_dearer(published):
    done_run({"Nord": 1.0}, {"Nord": 2.0}, joules=100)
    failed, running = (done_run({"Nord": 1.0}, {"Nord": 2.0}, joules=joules) for joules in (5000, 70))
    Run.objects.filter(pk=failed.pk).update(state=Run.State.FAILED)
    Run.objects.filter(pk=running.pk).update(state=Run.State.RUNNING)
    entry = register.entry(SLUG)
    assert (entry.joules, entry.joules_per_run, entry.runs, entry.unfinished) == (10_200, 200, 1, 1)


def test_every_change_of_state_is_journalled(published):
    publish(SLUG, "arrete", "Nadia Le Goff", None)
    assert [(e.data["avant"], e.data["apres"]) for e in Entry.objects.filter(event="registre.publication")] == [
        (None, "service"),
        ("service", "arrete"),
    ]


@pytest.mark.parametrize(
    ("status", "decider", "said"),
    [
        ("", "x", "Aucun état"),
        ("essai", "nadia@brenoux.example", "adresse"),
        ("essai", "Le maire, 01 00 00 00 00", "téléphone"),
        ("essai", "x" * 201, "201"),
    ],
)
def test_what_may_not_be_published_is_refused(in_brenoux, status, decider, said):
    with pytest.raises(InvalidPublication, match=said):
        publish(SLUG, status, decider, None)
    assert not Entry.objects.exists()


def test_an_unpublished_use_case_has_no_page(in_brenoux):
    with pytest.raises(UnknownUseCase):
        register.entry(SLUG)


@pytest.fixture
def copied(tmp_path, monkeypatch):
    """The use cases in a folder that a test may spoil."""
    folder = tmp_path / "cas"
    shutil.copytree(USECASES, folder)
    monkeypatch.setenv("BOCAGE_USECASES_PATH", str(folder))
    discovery.clear()
    return folder


def spoil(folder: Path, how: str) -> None:
    """A misspelt field in the fiche, or the folder gone."""
    if how == "faute":
        fiche = folder / SLUG / "fiche.toml"
        fiche.write_text(fiche.read_text(encoding="utf-8").replace("finalite =", "finalitee ="), encoding="utf-8")
    else:
        shutil.rmtree(folder / SLUG)
    discovery.clear()


@pytest.mark.parametrize("how", ["faute", "dossier supprimé"])
def test_what_was_used_stays_in_the_register_when_its_folder_does_not(copied, published, how):
    measured([(7, 10), (6, 10)])
    before = register.entry(SLUG)
    spoil(copied, how)
    (after,) = register.entries()
    assert before.available and not after.available
    assert after.state == ("indisponible", "Indisponible") and before.state == ("service", "En service")
    assert after.fiche == before.fiche and after.measures == before.measures and after.runs == before.runs


def test_a_use_published_before_fiches_were_kept_is_still_named(copied, published):
    decided(done_run({"Nord": 1.0}, {"Nord": 2.0}), None, [])
    Publication.objects.update(fiche=None)
    spoil(copied, "dossier supprimé")
    (entry,) = register.entries()
    assert (entry.fiche.slug, entry.runs, entry.proposals) == (SLUG, 1, 1)
    assert "ne se lit plus" in entry.fiche.finalite


def test_a_use_that_no_longer_reads_can_be_stopped_and_none_can_begin(copied, published):
    spoil(copied, "faute")
    kept = Publication.objects.get().fiche
    assert publish(SLUG, "arrete", "Nadia Le Goff", None).status == "arrete" and Publication.objects.get().fiche == kept
    Publication.objects.all().delete()
    with pytest.raises(InvalidUseCase, match="finalite"):
        publish(SLUG, "essai", "Nadia Le Goff", None)
