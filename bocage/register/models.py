"""What the register keeps besides fiches, runs and decisions: which use cases are published, and evaluations over time."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from bocage.decisions.models import Run
from bocage.organisations.models import User
from bocage.organisations.tenancy import TenantModel


class Publication(TenantModel):
    """A use case that the organisation uses, or tries, and shows in its register."""

    class Status(models.TextChoices):
        """Where the use stands."""

        TRIAL = "essai", "À l’essai"
        ON = "service", "En service"
        STOPPED = "arrete", "Arrêté"

    usecase = models.CharField(max_length=40)
    status = models.CharField("état", max_length=8, choices=Status.choices, default=Status.TRIAL)
    decider = models.CharField("qui décide", max_length=200, blank=True)
    since = models.DateField("depuis")
    updated_at = models.DateTimeField(auto_now=True)
    fiche = models.JSONField(null=True, help_text="The fiche when it was last published: shown once the installed one cannot be read.")

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [models.UniqueConstraint(fields=["organisation", "usecase"], name="publication_once")]


class Evaluation(TenantModel):
    """What a run's engine and baseline were worth, once what really happened was known. Never changed: a later one replaces it
    (``bocage.register.figures.standing``) and both stay."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="evaluations")
    truth_sha256 = models.CharField(max_length=64)
    engine = models.JSONField(default=dict)
    baseline = models.JSONField(default=dict)
    decided = models.JSONField(null=True, help_text="What people decided instead, measured alike; none where that is what was proposed.")
    reading = models.JSONField(default=list, help_text="The report of each file: lines read and kept, the first wrong values.")
    evaluated_at = models.DateTimeField(auto_now_add=True)
    evaluated_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["evaluated_at"]
