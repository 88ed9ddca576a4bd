"""What the page of a use case adds to its figures: its runs one by one, its changes, its anchors. Nothing here names a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Count
from django.db.models.functions import TruncMonth

from bocage.contract.french import number
from bocage.decisions.models import Decision, RoleResult, Run
from bocage.journal.models import Anchor
from bocage.journal.models import Entry as JournalEntry
from bocage.register.models import Publication
from bocage.register.remembered import while_the_journal_stands
from bocage.register.services import Entry, Measured

_LAST = 20
_ANCHORS = 100


@dataclass(frozen=True, slots=True)
class RunLine:
    """One finished run: what it consumed, engine and usual method together, and how that was measured."""

    run: int
    at: datetime
    proposals: int
    joules: float
    joules_low: float
    joules_high: float
    method: str
    engine_version: str


@dataclass(frozen=True, slots=True)
class Change:
    """One change of the register: a publication or an evaluation."""

    key: str
    at: datetime
    slug: str
    title: str
    text: str


METHODS = {"rapl": "mesurée par le processeur", "cpu-model": "estimée d’après le temps de calcul"}


def run_lines(slug: str, last: int = _LAST) -> list[RunLine]:
    """The last finished runs of a use case, newest first."""
    runs = (
        Run.objects.filter(usecase=slug, example=False, state=Run.State.DONE)
        .defer("reports", "params")
        .order_by("-finished_at", "-pk")[:last]
    )
    results: dict[int, list[RoleResult]] = {}
    for result in RoleResult.objects.filter(run__in=[run.pk for run in runs]).defer("outcome"):
        results.setdefault(result.run_id, []).append(result)
    return [_line(run, results.get(run.pk, [])) for run in runs]


def _line(run: Any, results: list[RoleResult]) -> RunLine:
    methods = {result.energy_method for result in results}
    return RunLine(
        run=run.pk,
        at=run.finished_at,
        proposals=run.proposed,
        joules=sum(r.joules for r in results),
        joules_low=sum(r.joules_low for r in results),
        joules_high=sum(r.joules_high for r in results),
        # The less certain of the two methods, when they differ.
        method="cpu-model" if "cpu-model" in methods else next(iter(methods), ""),
        engine_version=run.engine_version,
    )


@dataclass(frozen=True, slots=True)
class Month:
    """Decisions of one month, as they stand now. ``first`` is its first day."""

    first: date
    accepted: int
    amended: int
    refused: int

    @property
    def total(self) -> int:
        """All decisions of the month."""
        return self.accepted + self.amended + self.refused


@while_the_journal_stands
def decisions_by_month(slug: str) -> tuple[Month, ...]:
    """What people decided, month by month, oldest first."""
    standing = Decision.objects.filter(proposal__run__usecase=slug, proposal__run__example=False, replaced_by__isnull=True).order_by()
    rows = standing.annotate(month=TruncMonth("decided_at")).values_list("month", "verdict").annotate(Count("pk"))
    months: dict[date, dict[str, int]] = {}
    for month, verdict, decided in rows:
        months.setdefault(month.date(), {})[verdict] = decided
    verdicts = (Decision.Verdict.ACCEPT, Decision.Verdict.AMEND, Decision.Verdict.REFUSE)
    return tuple(Month(first, *(months[first].get(verdict, 0) for verdict in verdicts)) for first in sorted(months))


def anchors(last: int = _ANCHORS) -> list[Anchor]:
    """The last anchors of the journal, newest first."""
    return list(Anchor.objects.order_by("-sequence")[:last])


def updated_at(entry: Entry) -> datetime:
    """When the page of a use case last changed."""
    moments = [entry.publication.updated_at, entry.last_run, entry.last_decision, *(m.when for m in entry.measures)]
    return max(moment for moment in moments if moment is not None)


def changes(entries: list[Entry], last: int = 50) -> list[Change]:
    """The last changes of the register, newest first: states published and evaluations."""
    of = {e.fiche.slug: e for e in entries}
    found = [change for e in entries for change in (_measured(e, m) for m in e.measures)]
    published = JournalEntry.objects.filter(event="registre.publication").order_by("-sequence")[:last]
    found += [_published(line, of[line.data["cas"]]) for line in published if line.data["cas"] in of]
    return sorted(found, key=lambda change: change.at, reverse=True)[:last]


def _published(line: JournalEntry, entry: Entry) -> Change:
    """A mention of who decides that was replaced since is no longer published: it may have named a person."""
    decider, title = line.data["decide"], entry.fiche.titre
    state = Publication.Status(line.data["apres"]).label.lower()
    told = f" Décide : {decider}." if decider and decider == entry.publication.decider else ""
    return Change(f"publication-{line.sequence}", line.at, entry.fiche.slug, f"{title} : {state}", f"Cet usage est {state}.{told}")


def _measured(entry: Entry, measured: Measured) -> Change:
    mesure = entry.fiche.mesure
    ours, usual = (number(value, 2, mesure.unite) for value in (measured.engine, measured.baseline))
    verdict = f"gain de {number(100 * measured.gain, 1)} %" if measured.gain > 0 else "aucun gain cette fois"
    text = f"{mesure.titre} : {ours} avec Bocage, {usual} avec la méthode habituelle (exécution {measured.run})."
    return Change(
        f"mesure-{measured.run}-{measured.when:%Y%m%d%H%M%S}", measured.when, entry.fiche.slug, f"{entry.fiche.titre} : {verdict}", text
    )
