"""The facts that the register, the home page and the API show: read from runs, decisions and evaluations, never typed in."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.db.models import Max, Sum
from django.utils import timezone

from bocage.contract import discovery
from bocage.contract.errors import UnknownUseCase
from bocage.contract.fiche import Fiche
from bocage.decisions.models import Decision, Proposal, RoleResult, Run
from bocage.journal.services import record
from bocage.organisations.models import User
from bocage.register.models import Evaluation, Publication


@dataclass(frozen=True, slots=True)
class Measured:
    """One evaluation: the fiche's measure for Bocage and for the usual method. ``gain`` > 0 is better, in share of the usual method."""

    when: datetime
    run: int
    engine: float
    baseline: float
    gain: float


@dataclass(frozen=True, slots=True)
class Entry:
    """One use case of the register, with everything that was observed."""

    fiche: Fiche
    publication: Publication
    runs: int
    last_run: datetime | None
    proposals: int
    accepted: int
    amended: int
    refused: int
    joules: float
    joules_low: float
    joules_high: float
    measures: tuple[Measured, ...]

    @property
    def decided(self) -> int:
        """Proposals on which a person decided."""
        return self.accepted + self.amended + self.refused

    @property
    def acceptance(self) -> float | None:
        """Share of decided proposals accepted as they were."""
        return self.accepted / self.decided if self.decided else None

    @property
    def engine_mean(self) -> float | None:
        """Mean of Bocage's measure over the evaluations."""
        return _mean([m.engine for m in self.measures])

    @property
    def baseline_mean(self) -> float | None:
        """Mean of the usual method's measure over the evaluations."""
        return _mean([m.baseline for m in self.measures])

    @property
    def gain(self) -> float | None:
        """Gain of Bocage over the usual method, in share of the latter, over all evaluations."""
        if self.engine_mean is None or not self.baseline_mean:
            return None
        sign = 1 if self.fiche.mesure.sens == "min" else -1
        return sign * (self.baseline_mean - self.engine_mean) / abs(self.baseline_mean)

    @property
    def drifting(self) -> bool:
        """Whether the two last evaluations both lost the gain: to be said on the register, whatever it costs."""
        return len(self.measures) >= 2 and all(m.gain <= 0 for m in self.measures[-2:])


def entries() -> list[Entry]:
    """The published use cases of the organisation in context, in service first. A use case that was uninstalled is left out."""
    fiches = {fiche.slug: fiche for fiche in discovery.all_fiches()}
    order = {Publication.Status.ON: 0, Publication.Status.TRIAL: 1, Publication.Status.STOPPED: 2}
    published = sorted(Publication.objects.all(), key=lambda p: (order[Publication.Status(p.status)], p.usecase))
    return [_entry(p, fiches[p.usecase]) for p in published if p.usecase in fiches]


def entry(slug: str) -> Entry:
    """One published use case. Raises ``UnknownUseCase``."""
    publication = Publication.objects.filter(usecase=slug).first()
    if publication is None:
        raise UnknownUseCase(f"Le registre n’a pas de page « {slug} ».")
    return _entry(publication, discovery.load_fiche(slug))


def publish(slug: str, status: str, decider: str, person: User | None, since: date | None = None) -> Publication:
    """Put a use case in the register, or change its state there; the change is journalled."""
    discovery.load_fiche(slug)
    with transaction.atomic():
        publication = Publication.objects.filter(usecase=slug).first() or Publication(usecase=slug, since=since or timezone.localdate())
        before = publication.status if publication.pk else None
        publication.status, publication.decider = Publication.Status(status), decider
        publication.save()
        record("registre.publication", person, cas=slug, avant=before, apres=publication.status, decide=decider)
    return publication


def _entry(publication: Publication, fiche: Fiche) -> Entry:
    runs = Run.objects.filter(usecase=fiche.slug, state=Run.State.DONE)
    verdicts = Counter(
        Decision.objects.filter(proposal__run__usecase=fiche.slug, replaced_by__isnull=True).values_list("verdict", flat=True)
    )
    energy = RoleResult.objects.filter(run__usecase=fiche.slug).aggregate(j=Sum("joules"), low=Sum("joules_low"), high=Sum("joules_high"))
    return Entry(
        fiche=fiche,
        publication=publication,
        runs=runs.count(),
        last_run=runs.aggregate(last=Max("finished_at"))["last"],
        proposals=Proposal.objects.filter(run__usecase=fiche.slug).count(),
        accepted=verdicts[Decision.Verdict.ACCEPT],
        amended=verdicts[Decision.Verdict.AMEND],
        refused=verdicts[Decision.Verdict.REFUSE],
        joules=energy["j"] or 0.0,
        joules_low=energy["low"] or 0.0,
        joules_high=energy["high"] or 0.0,
        measures=_measures(fiche),
    )


def _measures(fiche: Fiche) -> tuple[Measured, ...]:
    """The latest evaluation of each run, in the order of the runs."""
    latest: dict[int, Measured] = {}
    sign = 1 if fiche.mesure.sens == "min" else -1
    for evaluation in Evaluation.objects.filter(run__usecase=fiche.slug).order_by("run_id", "pk"):
        engine, baseline = evaluation.engine.get(fiche.mesure.nom), evaluation.baseline.get(fiche.mesure.nom)
        if engine is None or baseline is None:
            continue
        gain = sign * (baseline - engine) / abs(baseline) if baseline else 0.0
        latest[evaluation.run_id] = Measured(evaluation.evaluated_at, evaluation.run_id, engine, baseline, gain)
    return tuple(latest[key] for key in sorted(latest))


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None
