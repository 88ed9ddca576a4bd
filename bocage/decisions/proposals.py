"""From the engine's recommendations to proposals that a person can decide on."""

from __future__ import annotations

from bocage.contract.outcome import Outcome, Recommendation
from bocage.decisions.models import Proposal, Run


def usual_values(baseline: Outcome | None) -> dict[tuple[str, str], float | str | None]:
    """What the usual method gives, by (subject, action)."""
    return {(rec.subject, rec.action): rec.value for rec in baseline.recommendations} if baseline else {}


def write_proposals(run: Run, engine: Outcome, baseline: Outcome | None, sentences: list[str]) -> None:
    """Write one proposal per recommendation of ``engine``, best score first; ``sentences`` are in the engine's order.

    A restarted run replaces its undecided proposals; it never runs again once it is done, so none of them can be decided.
    """
    usual = usual_values(baseline)
    Proposal.objects.filter(run=run).delete()
    order = sorted(range(len(engine.recommendations)), key=lambda i: (-engine.recommendations[i].score, i))
    Proposal.objects.bulk_create(
        [_proposal(run, rank, engine.recommendations[i], sentences[i], usual) for rank, i in enumerate(order, start=1)], batch_size=500
    )


def _proposal(run: Run, rank: int, rec: Recommendation, sentence: str, usual: dict[tuple[str, str], float | str | None]) -> Proposal:
    reference = rec.evidence.get("reference")
    return Proposal(
        organisation_id=run.organisation_id,
        run=run,
        rank=rank,
        subject=rec.subject[:200],
        action=rec.action[:300],
        sentence=sentence,
        value=rec.value,
        unit=rec.unit,
        low=rec.interval[0] if rec.interval else None,
        high=rec.interval[1] if rec.interval else None,
        score=rec.score,
        reference=reference if reference is not None else usual.get((rec.subject, rec.action)),
        evidence=rec.evidence,
        geometry=rec.geometry,
    )
