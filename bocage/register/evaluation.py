"""The truth arrives: what a run's engine and the usual method were worth, once what really happened is known."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from bocage.contract.errors import BocageError, MissingColumns, MissingInput, NotEnoughData, NoValidLine, UnreadableFile
from bocage.contract.french import count
from bocage.contract.outcome import Outcome
from bocage.decisions.decide import is_number
from bocage.decisions.models import Decision, RoleResult, Run
from bocage.decisions.proposals import ranked
from bocage.deposits.services import plain_name, without_nul
from bocage.execution import describe, evaluate, inspect
from bocage.journal.services import record
from bocage.organisations.models import User
from bocage.register.figures import compares_nothing, standing
from bocage.register.models import Evaluation

DECIDED = "decided"
_FIRST_ERRORS = 20
"""Wrong values kept of one file: enough to correct it; the file itself is not kept."""
_UNREAD = {kind.code: kind for kind in (UnreadableFile, MissingColumns, NoValidLine)}


class NothingToEvaluate(BocageError):
    """The run gave no result that could be compared with what really happened."""

    code = "evaluation-impossible"


def truth_tables(slug: str) -> list[dict[str, Any]]:
    """What the use case needs to know about what really happened: name, title, columns.

    Asked in a worker: the engine is never imported here.
    """
    tables: list[dict[str, Any]] = describe(slug)["truth"]
    return tables


def standing_evaluation(run: Run) -> Evaluation | None:
    """The evaluation of ``run`` that its pages and the register show: the last one brought that compares something."""
    return standing(Evaluation.objects.filter(run=run)).get(run.pk)


def evaluate_run(run: Run, files: Mapping[str, Path], person: User | None = None, names: Mapping[str, str] | None = None) -> Evaluation:
    """Measure engine, usual method and decisions of ``run`` against ``files`` (by truth name), and keep it with its journal entry.

    ``names`` are what people call the files. The evaluation stands from then on, whatever stood before; the one that stands already is
    given back when nothing of it would change. The files themselves are not kept: their fingerprints and first wrong values are.
    Raises ``NothingToEvaluate``, ``MissingInput``, what reading the files raises, or ``NotEnoughData`` when they are about other things.
    """
    if not files:
        raise MissingInput("Aucun fichier n’est joint. Joignez ce qui s’est vraiment passé.")
    outcomes = _outcomes(run)
    called = {name: plain_name((names or {}).get(name) or path.name) for name, path in files.items()}
    reading = _read(run, files, called)
    figures = _figures(run, outcomes, files, called)
    hashes = {name: _sha256(path) for name, path in sorted(files.items())}
    decided = figures.get(DECIDED)
    found = Evaluation(
        run=run,
        truth_sha256=hashlib.sha256(json.dumps(hashes, sort_keys=True).encode()).hexdigest(),
        engine=figures[RoleResult.Role.ENGINE],
        baseline=figures[RoleResult.Role.BASELINE],
        decided=decided if decided != figures[RoleResult.Role.ENGINE] else None,
        reading=reading,
        evaluated_by=person,
    )
    return _kept(found, hashes)


def _kept(found: Evaluation, hashes: Mapping[str, str]) -> Evaluation:
    """``found``, written with its journal entry; or the one that stands, when it says the same of the same files."""
    with transaction.atomic():
        # Of two people who bring the same truth at the same instant, the second sees what the first wrote.
        run = Run.objects.select_for_update().get(pk=found.run_id)
        before = standing_evaluation(run)
        same = ("truth_sha256", "engine", "baseline", "decided")
        if before is not None and all(getattr(before, name) == getattr(found, name) for name in same):
            return before
        found.save(force_insert=True)
        record(
            "evaluation.enregistree", found.evaluated_by, evaluation=found.pk, execution=run.pk, cas=run.usecase, fichiers=dict(hashes),
            bocage=found.engine, habituel=found.baseline, decide=found.decided, remplace=before.pk if before else None,
        )  # fmt: skip
    return found


def _figures(
    run: Run, outcomes: Mapping[str, Outcome], files: Mapping[str, Path], called: Mapping[str, str]
) -> dict[str, dict[str, float]]:
    """The figures of each outcome. Raises ``NotEnoughData``, which names the files, when none of their lines is about the run."""
    zone, memory = run.organisation.time_zone, settings.RUN_MEMORY_MB
    told = ", ".join(f"« {name} »" for name in called.values())
    try:
        figures = {role: evaluate(run.usecase, outcome, files, timezone=zone, memory_mb=memory) for role, outcome in outcomes.items()}
    except NotEnoughData as error:
        raise NotEnoughData(f"{told} : {error.message[:1].lower()}{error.message[1:]} Rien n’est enregistré.") from None
    if compares_nothing(figures[RoleResult.Role.ENGINE], figures[RoleResult.Role.BASELINE]):
        raise NotEnoughData(
            f"{told} : aucune ligne ne parle de ce que l’exécution {run.pk} proposait, rien ne se compare et rien n’est enregistré. "
            "Vérifiez que les noms et les dates sont ceux des propositions."
        )
    return figures


def _read(run: Run, files: Mapping[str, Path], called: Mapping[str, str]) -> list[dict[str, Any]]:
    """The report of each file, with its first wrong values. Raises what reading raises, and ``NoValidLine``, naming the person's file."""
    reports = inspect(run.usecase, files, run.organisation.time_zone, called, memory_mb=settings.RUN_MEMORY_MB)
    reading = []
    for name, report in reports.items():
        if "error" in report:
            raise _UNREAD.get(report["error"]["code"], UnreadableFile)(report["error"]["message"])
        if not report["kept"]:
            raise NoValidLine(_none_kept(report))
        kept = {key: report[key] for key in ("file", "lines", "kept", "errors_total", "notes")}
        reading.append(without_nul({"input": name, **kept, "errors": report["errors"][:_FIRST_ERRORS]}))
    return reading


def _none_kept(report: Mapping[str, Any]) -> str:
    if not report["errors"]:
        return f"« {report['file']} » ne contient aucune ligne. Joignez ce qui s’est vraiment passé."
    first = report["errors"][0]
    where = f"ligne {first['line']}" + (f", colonne « {first['column']} »" if first["column"] else "")
    return (
        f"« {report['file']} » : aucune ligne ne se lit, sur {count(report['lines'], 'ligne')}. Par exemple {where} : "
        f"lu « {first['read']} », attendu : {first['expected']}. {first['advice'] or 'Corrigez cette valeur.'}"
    )


def _outcomes(run: Run) -> dict[str, Outcome]:
    """What to measure: the two results of the run, and what people decided where they decided otherwise."""
    if run.state != Run.State.DONE:
        raise NothingToEvaluate(f"L’exécution {run.pk} est « {run.get_state_display().lower()} » : seule une exécution terminée se mesure.")
    given = {r.role: r.outcome for r in run.results.all() if r.outcome is not None}
    missing = [role.label for role in RoleResult.Role if role not in given]
    if missing:
        raise NothingToEvaluate(f"L’exécution {run.pk} n’a pas de résultat pour « {missing[0]} » : la comparaison ne se fait pas sans lui.")
    outcomes: dict[str, Outcome] = {role: Outcome.from_json(json.dumps(given[role])) for role in RoleResult.Role}
    decided = _decided(run, outcomes[RoleResult.Role.ENGINE])
    return outcomes | ({DECIDED: decided} if decided else {})


def _decided(run: Run, proposed: Outcome) -> Outcome | None:
    """``proposed`` with the values that people amended or kept from the usual method; None where no decision changed a number."""
    changed = Decision.objects.filter(proposal__run=run, replaced_by__isnull=True).exclude(verdict=Decision.Verdict.ACCEPT)
    values = {rank: float(value) for rank, value in changed.values_list("proposal__rank", "value") if is_number(value)}
    lines = list(proposed.recommendations)
    for rank, at in enumerate(ranked(lines), start=1):
        if rank in values and is_number(lines[at].value):
            lines[at] = replace(lines[at], value=values[rank])
    return replace(proposed, recommendations=lines) if lines != list(proposed.recommendations) else None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
