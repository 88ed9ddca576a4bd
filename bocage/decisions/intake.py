"""From deposits to a run: their reports, read in a worker, and the checks before a run is asked for. The three doors pass here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils import timezone
from pydantic import JsonValue

from bocage.contract.errors import (
    BocageError,
    InvalidParams,
    MissingColumns,
    MissingInput,
    NotEnoughData,
    NoValidLine,
    UnreadableFile,
)
from bocage.contract.text_checks import storable
from bocage.decisions.models import Run
from bocage.decisions.services import check_storable, request_run
from bocage.deposits.examples import deposit_example
from bocage.deposits.models import Deposit
from bocage.deposits.services import keep_reports
from bocage.execution import correct, describe, inspect
from bocage.execution.fingerprint import engine_version
from bocage.execution.params import check as check_params
from bocage.organisations.models import Organisation, User
from bocage.organisations.tenancy import across

_REFUSED = frozenset(kind.code for kind in (UnreadableFile, MissingColumns, NoValidLine, MissingInput, NotEnoughData, InvalidParams))


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


def check_input_name(usecase: str, name: str) -> None:
    """Raise ``MissingInput`` when ``usecase`` has no input of that name."""
    _check_name(describe(usecase), name)


def _check_name(asked: Mapping[str, Any], name: str) -> None:
    names = [entry["name"] for entry in asked["inputs"]]
    if name not in names:
        raise MissingInput(f"Entrée inconnue : « {storable(name)[:60]} ». Entrées attendues : {', '.join(names) or 'aucune'}.")


def check_request(usecase: str, names: Iterable[str], params: Mapping[str, JsonValue]) -> None:
    """Raise ``MissingInput`` or ``InvalidParams`` when no run could succeed on inputs of these ``names``, with these ``params``.

    What is checked is what the use case says of itself: its class, in the worker, has the last word.
    """
    check_storable(params)
    asked, given = describe(usecase), set(names)
    for name in sorted(given):
        _check_name(asked, name)
    absent = missing_inputs(asked, given)
    if absent:
        titles = ", ".join(f"« {entry['title'] or entry['name']} » (entrée « {entry['name']} »)" for entry in absent)
        raise MissingInput(f"Il manque {titles}. Déposez ce fichier pour lancer le calcul.")
    check_params(asked["params"], params)


def may_end_otherwise(run: Run) -> bool:
    """Whether a stopped run, started again as it is, may end in another way: not when its own files or parameters were refused.

    They are judged anew once the code of the use case has changed.
    """
    if run.error_code not in _REFUSED:
        return True
    try:
        return run.engine_version != engine_version(run.usecase)
    except BocageError:
        return False


def others_running() -> bool:
    """Whether a worker is computing a run now, of any organisation: those that wait have only to wait."""
    with across():
        return bool(Run.across_organisations.filter(state=Run.State.RUNNING, lease_until__gte=timezone.now()).exists())


def start_example(organisation: Organisation, usecase: str, person: User) -> Run:
    """Ask for a run on the example of ``usecase``, with its default parameters. Raises ``NoExample`` and what ``start`` raises."""
    deposits = deposit_example(usecase, person)
    check_deposits(organisation, usecase, deposits.values())
    return start(usecase, deposits.values(), {}, person)


def start(usecase: str, deposits: Iterable[Deposit], params: Mapping[str, JsonValue], person: User) -> Run:
    """Ask for a run on checked deposits. Raises what ``check_request`` raises, and ``MissingInput`` for one that has no line to read."""
    chosen = {d.input_name: d for d in deposits if d.usecase == usecase}
    for deposit in chosen.values():
        if not usable(deposit):
            raise MissingInput(f"« {deposit.filename} » n’a aucune ligne à calculer. Corrigez ce fichier, puis déposez-le à nouveau.")
    check_request(usecase, chosen, params)
    return request_run(usecase, chosen, params, person=person)
