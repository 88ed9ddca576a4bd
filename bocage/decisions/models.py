"""A run: one engine and its baseline on one set of deposits, and what came out."""

from __future__ import annotations

from typing import ClassVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from bocage.deposits.models import Deposit
from bocage.organisations.tenancy import TenantModel


class Run(TenantModel):
    """One execution of a use case. All that explains it is kept: code hash, input hash, parameters, seed, duration, energy, errors."""

    class State(models.TextChoices):
        """Where a run stands. « interrompue » can be started again."""

        WAITING = "attente", "En attente"
        RUNNING = "en_cours", "En cours"
        DONE = "terminee", "Terminée"
        FAILED = "echouee", "Échouée"
        INTERRUPTED = "interrompue", "Interrompue"

    usecase = models.CharField("cas d’usage", max_length=40, db_index=True)
    state = models.CharField("état", max_length=12, choices=State.choices, default=State.WAITING)
    params = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    seed = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    task_id = models.CharField(max_length=40, blank=True)
    requested_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True, help_text="Beyond this time without news, the worker is held to be dead.")
    progress = models.FloatField(default=0.0)
    progress_message = models.CharField(max_length=200, blank=True)
    engine_version = models.CharField(max_length=64, blank=True)
    input_hash = models.CharField(max_length=64, blank=True)
    sandbox = models.CharField(max_length=40, blank=True)
    reports = models.JSONField(default=dict)
    error_code = models.CharField(max_length=40, blank=True)
    error_message = models.TextField(blank=True)

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["-requested_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.usecase} {self.pk}"


class RunInput(TenantModel):
    """Which deposit a run reads under which input name."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="inputs")
    name = models.CharField(max_length=60)
    deposit = models.ForeignKey(Deposit, on_delete=models.PROTECT, related_name="+")

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [models.UniqueConstraint(fields=["run", "name"], name="run_input_once")]


class RoleResult(TenantModel):
    """What the engine, or the baseline, gave within a run, and what it cost."""

    class Role(models.TextChoices):
        """The two sides of every result."""

        ENGINE = "engine", "Bocage"
        BASELINE = "baseline", "Méthode habituelle"

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="results")
    role = models.CharField(max_length=8, choices=Role.choices)
    outcome = models.JSONField(null=True)
    seconds = models.FloatField()
    joules = models.FloatField()
    joules_low = models.FloatField()
    joules_high = models.FloatField()
    energy_method = models.CharField(max_length=12)
    cpu_seconds = models.FloatField()
    peak_mb = models.FloatField()
    error_code = models.CharField(max_length=40, blank=True)
    error_message = models.TextField(blank=True)

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [models.UniqueConstraint(fields=["run", "role"], name="run_role_once")]
