"""From the engine's recommendations to proposals that a person can decide on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from django.db.models import QuerySet, Sum

from bocage.contract.outcome import Outcome, Recommendation
from bocage.decisions.models import Decision, Proposal, Run


def usual_values(baseline: Outcome | None) -> dict[tuple[str, str], float | str | None]:
    """What the usual method gives, by (subject, action).

    Where it says several things of one subject and action (one a day, say), none is taken: an engine with several proposals per subject
    gives each its own ``evidence["reference"]``. A wrong comparison is worse than none.
    """
    given = [((rec.subject, rec.action), rec.value) for rec in baseline.recommendations] if baseline else []
    times = Counter(key for key, _ in given)
    return {key: value for key, value in given if times[key] == 1}


def ranked(recommendations: Sequence[Recommendation]) -> list[int]:
    """Where the proposal of each rank stands in the engine's order: best score first, among equals as the engine gives them."""
    return sorted(range(len(recommendations)), key=lambda i: (-recommendations[i].score, i))


def write_proposals(run: Run, engine: Outcome, baseline: Outcome | None, sentences: list[str]) -> None:
    """Write one proposal per recommendation of ``engine``, best score first; ``sentences`` are in the engine's order.

    A restarted run replaces its undecided proposals; it never runs again once it is done, so none of them can be decided.
    """
    usual = usual_values(baseline)
    Proposal.objects.filter(run=run).delete()
    Proposal.objects.bulk_create(
        [
            _proposal(run, rank, engine.recommendations[i], sentences[i], usual)
            for rank, i in enumerate(ranked(engine.recommendations), start=1)
        ],
        batch_size=500,
    )
    made = len(engine.recommendations)
    Run.objects.filter(pk=run.pk).update(proposed=made, undecided=made)


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


def undecided_runs(usecase: str = "") -> QuerySet[Run]:
    """The runs of the organisation (of one use case, or of all) with proposals on which nobody has decided yet."""
    found: QuerySet[Run] = Run.objects.filter(undecided__gt=0)
    return found.filter(usecase=usecase) if usecase else found


def undecided_count(usecase: str = "") -> int:
    """How many proposals wait for a person, in the organisation (for one use case, or for all)."""
    return undecided_runs(usecase).order_by().aggregate(waiting=Sum("undecided"))["waiting"] or 0


def standing_decisions(run: Run) -> dict[int, Decision]:
    """The decision that holds on each decided proposal of ``run``, by proposal id, read in one query."""
    # In no order: asked for in that of their numbers, SQLite goes through every decision of the organisation.
    found = Decision.objects.filter(proposal__run=run, replaced_by__isnull=True).select_related("person").order_by()
    return {decision.proposal_id: decision for decision in found}


def history(proposal: Proposal) -> list[Decision]:
    """Every decision taken on ``proposal``, the newest first."""
    return list(Decision.objects.filter(proposal=proposal).select_related("person").order_by("-pk"))
