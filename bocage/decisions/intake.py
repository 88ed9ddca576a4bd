"""From deposits to a run: their reports, read in a worker, and the checks before a run is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import JsonValue

from bocage.contract.errors import MissingInput
from bocage.decisions.models import Run
from bocage.decisions.services import request_run
from bocage.deposits.models import Deposit
from bocage.deposits.services import keep_reports
from bocage.execution import correct, describe, inspect
from bocage.execution.fingerprint import engine_version
from bocage.organisations.models import Organisation, User


def check_deposits(organisation: Organisation, usecase: str, deposits: Iterable[Deposit]) -> None:
    """Write the report of each deposit of ``usecase`` (one per input) that has none from the engine of today. Raises ``BocageError``."""
    version = engine_version(usecase)
    to_read = {d.input_name: d for d in deposits if (d.report or {}).get("engine") != version}
    if not to_read:
        return
    names = {name: deposit.filename for name, deposit in to_read.items()}
    reports = inspect(usecase, {name: deposit.path for name, deposit in to_read.items()}, organisation.time_zone, names)
    keep_reports({to_read[name]: {**report, "engine": version} for name, report in reports.items()})


def corrections(organisation: Organisation, deposit: Deposit) -> bytes:
    """The wrong lines of a deposit, as a CSV to correct. Raises ``BocageError``."""
    return correct(deposit.usecase, deposit.input_name, deposit.path, organisation.time_zone, deposit.filename)


def usable(deposit: Deposit) -> bool:
    """Whether a run can read something in this deposit."""
    report = deposit.report or {}
    return bool(report) and not report.get("error") and (not report.get("table") or report.get("kept", 0) > 0)


def missing_inputs(asked: Mapping[str, Any], names: Iterable[str]) -> list[dict[str, Any]]:
    """The required inputs of a use case (as ``describe`` tells them) that are not among ``names``."""
    given = set(names)
    return [entry for entry in asked["inputs"] if entry["required"] and entry["name"] not in given]


def start(usecase: str, deposits: Iterable[Deposit], params: Mapping[str, JsonValue], person: User) -> Run:
    """Ask for a run on checked deposits. Raises ``MissingInput`` when a required one is absent, or has no line to read."""
    chosen = {d.input_name: d for d in deposits if d.usecase == usecase}
    for deposit in chosen.values():
        if not usable(deposit):
            raise MissingInput(f"« {deposit.filename} » n’a aucune ligne à calculer. Corrigez ce fichier, puis déposez-le à nouveau.")
    absent = missing_inputs(describe(usecase), chosen)
    if absent:
        titles = ", ".join(f"« {entry['title'] or entry['name']} »" for entry in absent)
        raise MissingInput(f"Il manque {titles}. Déposez ce fichier pour lancer le calcul.")
    return request_run(usecase, chosen, params, person=person)
