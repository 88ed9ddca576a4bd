"""Calculations that were done, and decided on, before: same files, same parameters, same engine. They say the same again."""

from __future__ import annotations

import json
from collections.abc import Iterable

from django.db.models import F, QuerySet

from bocage.contract.errors import BocageError
from bocage.decisions.models import Run
from bocage.deposits.models import Deposit
from bocage.execution.fingerprint import engine_version, input_hash

_LOOKED_AT = 100


def calculation(run: Run) -> tuple[str, ...]:
    """What makes two runs the same calculation: engine, files and parameters; a run that kept none of them is like no other."""
    if not run.input_hash:
        return (str(run.pk),)
    return run.engine_version, run.input_hash, json.dumps(run.params, sort_keys=True)


def decided_twin(run: Run) -> Run | None:
    """The last run before ``run`` that is the same calculation and on which somebody decided something."""
    if not run.input_hash:
        return None
    before = _decided(run.usecase, run.input_hash, run.engine_version).filter(pk__lt=run.pk)
    return next((other for other in before[:_LOOKED_AT] if calculation(other) == calculation(run)), None)


def decided_on(usecase: str, deposits: Iterable[Deposit]) -> Run | None:
    """The last run of the engine of today on exactly these ``deposits``, whatever its parameters, on which somebody decided something."""
    files = {deposit.input_name: deposit.sha256 for deposit in deposits}
    if not files:
        return None
    try:
        version = engine_version(usecase)
    except BocageError:
        return None
    return _decided(usecase, input_hash(files), version).first()


def _decided(usecase: str, inputs: str, engine: str) -> QuerySet[Run]:
    found: QuerySet[Run] = Run.objects.filter(usecase=usecase, input_hash=inputs, engine_version=engine, state=Run.State.DONE)
    return found.filter(undecided__lt=F("proposed")).defer("reports").order_by("-pk")
