"""A run: one engine and its baseline on one set of deposits, and what came out."""

from __future__ import annotations

from typing import ClassVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from bocage.deposits.models import Deposit
from bocage.organisations.models import User
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
    requested_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True, help_text="Beyond this time without news, the worker is held to be dead.")
    progress = models.FloatField(default=0.0)
    progress_message = models.CharField(max_length=200, blank=True)
    engine_version = models.CharField(max_length=64, blank=True)
    input_hash = models.CharField(max_length=64, blank=True)
    sandbox = models.CharField(max_length=40, blank=True)
    reports = models.JSONField(default=dict)
    example = models.BooleanField("exemple", default=False, help_text="It reads a file of the example: never counted in the register.")
    error_code = models.CharField(max_length=40, blank=True)
    error_message = models.TextField(blank=True)
    # Kept in the transaction of each fact, so that no page counts again the proposals of years.
    proposed = models.PositiveIntegerField(default=0, help_text="How many proposals it made.")
    undecided = models.PositiveIntegerField(default=0, help_text="How many of them nobody has decided on yet.")

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["-requested_at", "-pk"]
        indexes: ClassVar = [
            # The worker looks for waiting and running ones, of any organisation, every ten seconds.
            models.Index(fields=["state", "organisation"], name="run_state"),
            models.Index(fields=["organisation", "usecase", "-requested_at"], name="run_latest"),
            models.Index(fields=["organisation", "-requested_at"], name="run_latest_of_all"),
            models.Index(fields=["organisation", "undecided", "usecase"], name="run_undecided"),
            # Whether a calculation was done before.
            models.Index(fields=["organisation", "input_hash"], name="run_inputs"),
        ]

    def __str__(self) -> str:
        return f"{self.usecase} {self.pk}"

    @property
    def decided(self) -> int:
        """How many of its proposals somebody decided on."""
        return self.proposed - self.undecided


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


class Proposal(TenantModel):
    """One recommendation of a run, as shown to a person: its sentence, and the usual method's value beside it."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="proposals")
    rank = models.PositiveIntegerField()
    subject = models.CharField("sujet", max_length=200)
    action = models.CharField(max_length=300)
    sentence = models.TextField("phrase")
    value = models.JSONField(null=True)
    unit = models.CharField("unité", max_length=20, blank=True)
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    score = models.FloatField(default=0.0)
    reference = models.JSONField("méthode habituelle", null=True)
    evidence = models.JSONField(default=dict)
    geometry = models.JSONField(null=True)

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["rank"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["run", "rank"], name="proposal_rank_once")]


class Decision(TenantModel):
    """What a named person decided on a proposal. Never changed: a later decision replaces it and both stay."""

    class Verdict(models.TextChoices):
        """The three answers; none is preselected."""

        ACCEPT = "acceptee", "Acceptée"
        AMEND = "modifiee", "Modifiée"
        REFUSE = "refusee", "Refusée"

    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="decisions")
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    person_title = models.CharField("fonction", max_length=120, blank=True)
    verdict = models.CharField(max_length=8, choices=Verdict.choices)
    value = models.JSONField(null=True, help_text="The value that leaves the system: proposed, amended, or the usual method's.")
    reason = models.TextField("motif", blank=True)
    decided_at = models.DateTimeField(auto_now_add=True)
    replaces = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="replaced_by")

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            # One first decision per proposal: of two people deciding at once, one wins and the other sees it.
            models.UniqueConstraint(fields=["proposal"], condition=models.Q(replaces__isnull=True), name="first_decision_once"),
            models.CheckConstraint(condition=models.Q(verdict="acceptee") | ~models.Q(reason=""), name="reason_given"),
        ]


class Displayed(TenantModel):
    """That a proposal was shown to a person: a batch decision may only cover such lines."""

    proposal = models.ForeignKey(Proposal, on_delete=models.CASCADE, related_name="displays")
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now=True)

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [models.UniqueConstraint(fields=["proposal", "person"], name="displayed_once")]


class Presence(TenantModel):
    """Who is reading the proposals of a run now (the last five minutes)."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="+")
    person = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    proposal = models.ForeignKey(Proposal, null=True, on_delete=models.CASCADE, related_name="+")
    seen_at = models.DateTimeField()

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [models.UniqueConstraint(fields=["run", "person"], name="presence_once")]
