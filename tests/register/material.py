"""Runs, decisions and evaluations written down as they would be, without waiting for an engine."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from bocage.contract.outcome import Outcome, Recommendation
from bocage.decisions.models import Decision, Proposal, RoleResult, Run
from bocage.journal.services import record
from bocage.register.models import Evaluation

SLUG = "essai_tableau"


def outcome(values: dict[str, float]) -> dict[str, Any]:
    """An outcome as a run keeps it."""
    import json

    return json.loads(Outcome([Recommendation(s, "produire", value=v, unit="m³") for s, v in values.items()]).to_json())


def done_run(engine: dict[str, float], baseline: dict[str, float], joules: float = 400.0, slug: str = SLUG) -> Run:
    """A finished run of the organisation in context."""
    run = Run(usecase=slug, state=Run.State.DONE, finished_at=timezone.now(), engine_version="c0ffee" * 10)
    run.save()
    for role, values in (("engine", engine), ("baseline", baseline)):
        RoleResult(
            run=run, role=role, outcome=outcome(values), seconds=1, joules=joules, joules_low=joules / 2, joules_high=joules * 2,
            energy_method="cpu-model", cpu_seconds=1, peak_mb=80,
        ).save()  # fmt: skip
    for rank, (subject, value) in enumerate(engine.items(), start=1):
        Proposal(run=run, rank=rank, subject=subject, action="produire", sentence=f"Produire {value}.", value=value, unit="m³").save()
    run.proposed = run.undecided = len(engine)
    run.save(update_fields=["proposed", "undecided"])
    return run


def journal_moves() -> None:
    """An entry, as every service leaves one: what is written past the services is not seen by figures kept while the journal stands."""
    with transaction.atomic():
        record("essai.ecrit")


def decided(run: Run, person: Any, verdicts: Sequence[str]) -> None:
    """Decisions on the first proposals of ``run``."""
    for proposal, verdict in zip(run.proposals.all(), verdicts, strict=False):
        Decision(proposal=proposal, person=person, verdict=verdict, reason="" if verdict == "acceptee" else "motif tenu secret").save()


def measured(pairs: Sequence[tuple[float, float]], days_apart: int = 7) -> list[Run]:
    """One evaluated run per (Bocage, usual method) pair, the last one today."""
    runs = []
    for i, (ours, usual) in enumerate(pairs):
        run = done_run({"Nord": 1.0}, {"Nord": 2.0})
        Run.objects.filter(pk=run.pk).update(finished_at=timezone.now() - timedelta(days=days_apart * (len(pairs) - 1 - i)))
        Evaluation(run=run, truth_sha256=f"{i:064d}", engine={"ecart": ours}, baseline={"ecart": usual}).save()
        runs.append(run)
    return runs
