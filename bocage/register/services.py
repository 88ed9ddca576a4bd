"""The facts that the register, the home page and the API show: read from runs, decisions and evaluations, never typed in."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, fields
from datetime import date, datetime
from functools import lru_cache
from random import Random
from typing import Any

from django.db import transaction
from django.db.models import Count, Max, Q, Sum
from django.utils import timezone

from bocage.contract import discovery
from bocage.contract.errors import BocageError, UnknownUseCase
from bocage.contract.fiche import Fiche
from bocage.contract.french import count
from bocage.decisions.models import Decision, RoleResult, Run
from bocage.decisions.repeats import calculation
from bocage.journal.services import record
from bocage.organisations.models import User
from bocage.register.fiches import fiche_of
from bocage.register.figures import share_covered, standing
from bocage.register.models import Evaluation, Publication
from bocage.register.remembered import while_the_journal_stands

FEWEST_FOR_INTERVAL = 5
_DIGITS_OF_A_PHONE = 9
_VERDICTS = {Decision.Verdict.ACCEPT: "accepted", Decision.Verdict.AMEND: "amended", Decision.Verdict.REFUSE: "refused"}


class InvalidPublication(BocageError):
    """A state that does not exist, or a decider that may not be published."""

    code = "publication-invalide"


@dataclass(frozen=True, slots=True)
class Measured:
    """One evaluation: the fiche's measure for Bocage and for the usual method. ``gain`` > 0 is better, in share of the usual method.

    ``when`` is the day of the evaluation, ``run_at`` that of the run; ``covered`` the share (0 to 1) of what was proposed that could be
    compared, None where the engine does not say.
    """

    when: datetime
    run: int
    engine: float
    baseline: float
    gain: float
    run_at: datetime | None = None
    covered: float | None = None


@dataclass(frozen=True, slots=True)
class Observed:
    """What was observed of one use case. ``runs``: finished ones; ``joules``: of these and of the ``unfinished`` ones that computed before
    they failed; ``examples``: runs on the example that comes with it, counted nowhere else."""

    runs: int = 0
    last_run: datetime | None = None
    proposals: int = 0
    accepted: int = 0
    amended: int = 0
    refused: int = 0
    last_decision: datetime | None = None
    joules: float = 0.0
    joules_low: float = 0.0
    joules_high: float = 0.0
    joules_finished: float = 0.0
    unfinished: int = 0
    examples: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(Observed):
    """One use case of the register, with everything that was observed. ``available``: its fiche still reads on this server."""

    fiche: Fiche
    publication: Publication
    measures: tuple[Measured, ...]
    available: bool = True

    @property
    def state(self) -> tuple[str, str]:
        """Where the use stands, as a code and in French: what was published, or that it can no longer be run here."""
        if self.available:
            return self.publication.status, Publication.Status(self.publication.status).label
        return "indisponible", "Indisponible"

    @property
    def joules_per_run(self) -> float | None:
        """Energy of a finished run, on average, usual method included."""
        return self.joules_finished / self.runs if self.runs else None

    @property
    def decided(self) -> int:
        """Proposals on which a person decided."""
        return self.accepted + self.amended + self.refused

    @property
    def verdicts(self) -> str:
        """« 2 acceptées, 0 modifiée, 1 refusée »."""
        counts = ((self.accepted, "acceptée"), (self.amended, "modifiée"), (self.refused, "refusée"))
        return ", ".join(count(number, word) for number, word in counts)

    @property
    def acceptance(self) -> float | None:
        """Share of decided proposals accepted as they were."""
        return self.accepted / self.decided if self.decided else None

    @property
    def partial(self) -> int:
        """Measures that compare only a part of what was proposed."""
        return sum(m.covered is not None and m.covered < 1 for m in self.measures)

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
    def gain_interval(self) -> tuple[float, float] | None:
        """95 % interval of the gain (bootstrap over evaluations, seed fixed); None under five evaluations: too few to say."""
        if self.gain is None or len(self.measures) < FEWEST_FOR_INTERVAL:
            return None
        return _bootstrap(tuple((m.engine, m.baseline) for m in self.measures), 1 if self.fiche.mesure.sens == "min" else -1)

    @property
    def no_gain(self) -> bool:
        """Whether no gain is shown: none on average, or an interval that holds zero. Said as large as a gain."""
        return self.gain is not None and (self.gain <= 0 or (self.gain_interval is not None and self.gain_interval[0] <= 0))

    @property
    def drifting(self) -> bool:
        """Whether the two last evaluations both lost the gain: to be said on the register, whatever it costs."""
        return len(self.measures) >= 2 and all(m.gain <= 0 for m in self.measures[-2:])


def entries() -> list[Entry]:
    """The published use cases of the organisation in context, in service first; those whose fiche no longer reads, as last published."""
    order = {Publication.Status.ON: 0, Publication.Status.TRIAL: 1, Publication.Status.STOPPED: 2}
    published = sorted(Publication.objects.all(), key=lambda p: (order[Publication.Status(p.status)], p.usecase))
    return [_entry(publication) for publication in published]


def entry(slug: str) -> Entry:
    """One published use case. Raises ``UnknownUseCase``."""
    publication = Publication.objects.filter(usecase=slug).first()
    if publication is None:
        raise UnknownUseCase(f"Le registre n’a pas de page « {slug} ».")
    return _entry(publication)


def publish(slug: str, status: str, decider: str, person: User | None, since: date | None = None) -> Publication:
    """Put a use case in the register, or change its state there; the change is journalled, and the fiche kept as it now is.

    Raises ``UnknownUseCase`` or ``InvalidUseCase`` unless it is published already: one that no longer reads can still be stopped.
    """
    _check_publication(status, decider)
    with transaction.atomic():
        publication = Publication.objects.filter(usecase=slug).first()
        if publication is None:
            discovery.load_fiche(slug)
            publication = Publication(usecase=slug, since=since or timezone.localdate())
        fiche, available = fiche_of(publication)
        if available:
            publication.fiche = fiche.model_dump(mode="json")
        before = publication.status if publication.pk else None
        publication.status, publication.decider = Publication.Status(status), decider.strip()
        publication.save()
        record("registre.publication", person, cas=slug, avant=before, apres=publication.status, decide=publication.decider)
    return publication


def _check_publication(status: str, decider: str) -> None:
    if status not in Publication.Status.values:
        raise InvalidPublication("Aucun état n’est choisi. Choisissez à l’essai, en service ou arrêté.")
    if "@" in decider:
        raise InvalidPublication("Cette mention est publiée : écrivez un nom ou une fonction, sans adresse électronique.")
    if sum(character.isdigit() for character in decider) >= _DIGITS_OF_A_PHONE:
        raise InvalidPublication("Cette mention est publiée : écrivez un nom ou une fonction, sans numéro de téléphone.")
    if len(decider.strip()) > 200:
        raise InvalidPublication(f"La mention de qui décide compte {len(decider.strip())} caractères ; le registre en admet 200.")


def _entry(publication: Publication) -> Entry:
    fiche, available = fiche_of(publication)
    observed = _observed().get(publication.usecase, Observed())
    return Entry(
        fiche=fiche,
        publication=publication,
        **{each.name: getattr(observed, each.name) for each in fields(observed)},
        measures=_measures(fiche.slug, fiche.mesure.nom, fiche.mesure.sens),
        available=available,
    )


@while_the_journal_stands
def _observed() -> dict[str, Observed]:
    """What was observed of each use case, in four queries for all of them; what was tried on an example is only numbered."""
    done, stopped = Q(run__state=Run.State.DONE), Q(run__state__in=[Run.State.FAILED, Run.State.INTERRUPTED])
    runs = Run.objects.filter(example=False, state=Run.State.DONE).order_by().values("usecase")
    decisions = Decision.objects.filter(replaced_by__isnull=True, proposal__run__example=False).order_by()
    energy = RoleResult.objects.filter(done | stopped, run__example=False).order_by().values("run__usecase")
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    for row in runs.annotate(runs=Count("pk"), last_run=Max("finished_at"), proposals=Sum("proposed")):
        found[row.pop("usecase")].update(row)
    for row in Run.objects.filter(example=True).order_by().values("usecase").annotate(examples=Count("pk")):
        found[row.pop("usecase")].update(row)
    for row in decisions.values("proposal__run__usecase", "verdict").annotate(count=Count("pk"), last=Max("decided_at")):
        of = found[row["proposal__run__usecase"]]
        of[_VERDICTS[row["verdict"]]] = row["count"]
        of["last_decision"] = max(row["last"], of.get("last_decision") or row["last"])
    for row in energy.annotate(
        # The name of a column hides it once a sum bears it: the other sum of joules comes before.
        joules_finished=Sum("joules", filter=done, default=0.0),
        joules=Sum("joules", default=0.0),
        joules_low=Sum("joules_low", default=0.0),
        joules_high=Sum("joules_high", default=0.0),
        unfinished=Count("run", filter=stopped, distinct=True),
    ):
        found[row.pop("run__usecase")].update(row)
    return {usecase: Observed(**figures) for usecase, figures in found.items()}


@while_the_journal_stands
def _measures(usecase: str, name: str, sense: str) -> tuple[Measured, ...]:
    """The evaluation that stands for each run, in the order of the runs; of runs that are one calculation, the last one brought."""
    measures: list[Measured] = []
    sign = 1 if sense == "min" else -1
    evaluations = Evaluation.objects.filter(run__usecase=usecase, run__example=False).defer("reading", "run__reports")
    found = standing(evaluations.select_related("run"))
    # Run again on the same files, an engine says the same again: that is no second measure, and would narrow the interval.
    last = {calculation(evaluation.run): evaluation for evaluation in sorted(found.values(), key=lambda e: e.pk)}
    for run_id, evaluation in sorted((e.run_id, e) for e in last.values()):
        engine, baseline = evaluation.engine.get(name), evaluation.baseline.get(name)
        if engine is None or baseline is None:
            continue
        gain = sign * (baseline - engine) / abs(baseline) if baseline else 0.0
        covered = share_covered(evaluation.engine)
        measures.append(Measured(evaluation.evaluated_at, run_id, engine, baseline, gain, evaluation.run.finished_at, covered))
    return tuple(measures)


@lru_cache(maxsize=256)
def _bootstrap(pairs: tuple[tuple[float, float], ...], sign: int) -> tuple[float, float] | None:
    """Percentile interval of the gain when evaluations are drawn again, engine and usual method together (1,000 draws)."""
    draw, gains = Random(0), []
    for _ in range(1000):
        drawn = draw.choices(pairs, k=len(pairs))
        usual = sum(b for _, b in drawn)
        if usual:
            gains.append(sign * (usual - sum(e for e, _ in drawn)) / abs(usual))
    gains.sort()
    return (gains[int(0.025 * len(gains))], gains[min(int(0.975 * len(gains)), len(gains) - 1)]) if gains else None


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None
