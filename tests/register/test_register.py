"""What the register says is what was observed: a gain, none, too few measures, a drift."""

from __future__ import annotations

import pytest

from bocage.contract.errors import UnknownUseCase
from bocage.journal.models import Entry
from bocage.register import services as register
from bocage.register.models import Evaluation
from bocage.register.services import InvalidPublication, publish
from tests.register.material import SLUG, measured


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


def test_every_change_of_state_is_journalled(published):
    publish(SLUG, "arrete", "Nadia Le Goff", None)
    assert [(e.data["avant"], e.data["apres"]) for e in Entry.objects.filter(event="registre.publication")] == [
        (None, "service"),
        ("service", "arrete"),
    ]


@pytest.mark.parametrize(
    ("status", "decider", "said"), [("", "x", "Aucun état"), ("essai", "nadia@brenoux.example", "adresse"), ("essai", "x" * 201, "201")]
)
def test_what_may_not_be_published_is_refused(in_brenoux, status, decider, said):
    with pytest.raises(InvalidPublication, match=said):
        publish(SLUG, status, decider, None)
    assert not Entry.objects.exists()


def test_an_unpublished_use_case_has_no_page(in_brenoux):
    with pytest.raises(UnknownUseCase):
        register.entry(SLUG)
