"""The truth arrives: what a run's engine and the usual method were worth, once what really happened is known."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from bocage.contract.errors import BocageError, MissingInput
from bocage.contract.outcome import Outcome
from bocage.decisions.models import RoleResult, Run
from bocage.execution import describe, evaluate
from bocage.journal.services import record
from bocage.organisations.models import User
from bocage.register.models import Evaluation


class NothingToEvaluate(BocageError):
    """The run gave no result that could be compared with what really happened."""

    code = "evaluation-impossible"


def truth_tables(slug: str) -> list[dict[str, Any]]:
    """What the use case needs to know about what really happened: name, title, columns.

    Asked in a worker: the engine is never imported here.
    """
    tables: list[dict[str, Any]] = describe(slug)["truth"]
    return tables


def evaluate_run(run: Run, files: Mapping[str, Path], person: User | None = None) -> Evaluation:
    """Measure engine and usual method of ``run`` against ``files`` (by truth name), and keep it with its journal entry.

    The same files give the same evaluation, kept once. The files themselves are not kept: their fingerprints are.
    Raises ``NothingToEvaluate``, ``MissingInput``, or what reading the files raises.
    """
    if not files:
        raise MissingInput("Aucun fichier n’est joint. Joignez ce qui s’est vraiment passé.")
    outcomes = _outcomes(run)
    hashes = {name: _sha256(path) for name, path in sorted(files.items())}
    whole = hashlib.sha256(json.dumps(hashes, sort_keys=True).encode()).hexdigest()
    known = Evaluation.objects.filter(run=run, truth_sha256=whole).first()
    if known:
        return known
    figures = {
        role: evaluate(run.usecase, outcome, files, timezone=run.organisation.time_zone, memory_mb=settings.RUN_MEMORY_MB)
        for role, outcome in outcomes.items()
    }
    try:
        with transaction.atomic():
            evaluation = Evaluation(
                run=run,
                truth_sha256=whole,
                engine=figures[RoleResult.Role.ENGINE],
                baseline=figures[RoleResult.Role.BASELINE],
                evaluated_by=person,
            )
            evaluation.save(force_insert=True)
            record(
                "evaluation.enregistree", person, evaluation=evaluation.pk, execution=run.pk, cas=run.usecase, fichiers=hashes,
                bocage=evaluation.engine, habituel=evaluation.baseline,
            )  # fmt: skip
    except IntegrityError:
        # Two people brought the same truth at the same instant: the constraint kept one.
        return Evaluation.objects.get(run=run, truth_sha256=whole)
    return evaluation


def _outcomes(run: Run) -> dict[str, Outcome]:
    if run.state != Run.State.DONE:
        raise NothingToEvaluate(f"L’exécution {run.pk} est « {run.get_state_display().lower()} » : seule une exécution terminée se mesure.")
    given = {r.role: r.outcome for r in run.results.all() if r.outcome is not None}
    missing = [role.label for role in RoleResult.Role if role not in given]
    if missing:
        raise NothingToEvaluate(f"L’exécution {run.pk} n’a pas de résultat pour « {missing[0]} » : la comparaison ne se fait pas sans lui.")
    return {role: Outcome.from_json(json.dumps(given[role])) for role in RoleResult.Role}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
