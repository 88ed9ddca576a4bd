"""A figure changed in the database alone is seen: it no longer says what the journal says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import transaction
from django.db.models import QuerySet

from bocage.decisions.decide import decide
from bocage.decisions.models import Decision, Proposal
from bocage.organisations.people import create_person, grant
from bocage.register import services as register
from bocage.register.evaluation import evaluate_run
from bocage.register.models import Evaluation, Publication
from bocage.register.proof import verify
from tests.register.material import SLUG, done_run


@pytest.fixture
def told(in_brenoux, tmp_path: Path) -> int:
    """A run published, decided and measured; the number of the run."""
    run = done_run({"Nord": 104.0, "Sud": 50.0}, {"Nord": 115.0, "Sud": 52.0})
    chief = create_person("chef@brenoux.example", "Anne Lebrun")
    grant(chief, "decideur")
    for proposal, verdict, value in zip(Proposal.objects.order_by("pk"), ("acceptee", "modifiee"), (None, 51.5), strict=False):
        decide(proposal, chief, verdict, value, "fuite connue" if verdict == "modifiee" else "")
    truth = tmp_path / "mesures.csv"
    truth.write_text("jour;secteur;volume\n2026-01-05;Nord;100\n2026-01-05;Sud;50\n", encoding="utf-8")
    evaluate_run(run, {"mesures": truth})
    register.publish(SLUG, "service", "La cheffe du service", chief)
    return run.pk


def decided(verdict: str) -> QuerySet[Decision]:
    return Decision.objects.filter(verdict=verdict)


CHANGES: list[tuple[Callable[[], object], str]] = [
    (lambda: decided("modifiee").update(value=999.0), "montre 999 ; l’entrée"),
    (lambda: decided("modifiee").update(reason="rien"), "ne dit plus la même chose"),
    (lambda: decided("acceptee").update(verdict="refusee", reason="non"), "ne dit plus la même chose"),
    (lambda: Evaluation.objects.update(engine={"ecart": 0.0}), "ne montre plus les chiffres"),
    (lambda: Evaluation.objects.all().delete(), "n’est plus dans la base"),
    (lambda: Publication.objects.update(status="essai"), "La publication de"),
    (lambda: Publication.objects.all().delete(), "n’est plus au registre"),
]


def test_whatever_is_changed_in_the_database_alone_is_named(told):
    assert verify().sound and Decision.objects.count() == 2 and Evaluation.objects.count() == 1
    for change, said in CHANGES:
        with transaction.atomic():
            change()
            found = verify()
            transaction.set_rollback(True)
        assert not found.sound and not found.breaks
        assert len(found.altered) == 1 and said in found.altered[0]
    assert verify().sound
