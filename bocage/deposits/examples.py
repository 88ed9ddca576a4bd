"""The example that comes with a use case, kept as deposits: it shows the tool, and is never counted as the organisation's own."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from bocage.contract import discovery
from bocage.contract.errors import BocageError
from bocage.deposits.models import Deposit
from bocage.deposits.services import deposit_file
from bocage.organisations.models import User

EXAMPLE_NOT_COUNTED = "Exemple : ne concerne pas votre territoire, à ne pas appliquer."
"""What the decided list of an example says on each of its lines."""


class NoExample(BocageError):
    """The use case carries no example."""

    code = "sans-exemple"
    exit_code = 2


def deposit_example(usecase: str, person: User | None = None) -> dict[str, Deposit]:
    """The files of the example of ``usecase``, kept for the organisation in context, by input name. Raises ``NoExample``."""
    example = discovery.example(usecase)
    if example is None:
        raise NoExample(f"« {usecase} » n’apporte pas d’exemple. Déposez vos propres fichiers.")
    return {name: deposit_file(path, usecase, name, person, licence=example.licence) for name, path in example.inputs.items()}


def is_example(usecase: str, deposits: Iterable[Deposit]) -> bool:
    """Whether one of ``deposits`` is, byte for byte, a file of the example: what comes out is then no measure of a territory."""
    known = {_sha256(path, path.stat().st_mtime_ns) for path in discovery.example_inputs(usecase).values()}
    return any(deposit.sha256 in known for deposit in deposits)


@lru_cache(maxsize=256)
def _sha256(path: Path, changed: int) -> str:
    """Hash of an example's file; ``changed``, its date, forgets that of a former version."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
