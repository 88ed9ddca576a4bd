"""What the promises share: the use case, its example data read once, and runs of its engine on them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd
from pydantic import BaseModel, TypeAdapter

from bocage.contract import discovery
from bocage.contract.conformance.guard import Attempts, readable, watch
from bocage.contract.conformance.promise import Broken, NotApplicable, Unmet
from bocage.contract.errors import BocageError, MissingExtra
from bocage.contract.fiche import Fiche
from bocage.contract.outcome import Outcome
from bocage.contract.rows import FileInput, Row
from bocage.contract.tables import read_table
from bocage.contract.tables.fields import specs_of
from bocage.contract.usecase import Inputs, Resources, UseCase

TIME_ZONE = "Europe/Paris"
Loaded = dict[str, pd.DataFrame | Path]
_OUTCOME: TypeAdapter[Outcome] = TypeAdapter(Outcome)


@dataclass(frozen=True, slots=True)
class Run:
    """One answer of the engine, what it told of its progress, how long it took, and what it changed in what it was given."""

    outcome: Outcome
    progress: tuple[tuple[float, str], ...]
    seconds: float
    touched: tuple[str, ...]


class Lab:
    """One use case under test. Properties are computed once; a promise that needs a failed one raises ``Unmet``."""

    def __init__(self, slug: str) -> None:
        self.slug = slug
        self.folder: Path = discovery.use_case_folder(slug)
        self.fiche: Fiche = discovery.load_fiche(slug)
        self.attempts: list[Attempts] = []
        self.missing: MissingExtra | None = None
        self._failed: dict[str, Unmet] = {}

    @cached_property
    def engine(self) -> UseCase:
        """The engine that answers the reference run."""
        try:
            discovery.load_module(self.slug)
        except MissingExtra as error:
            self.missing = error
            raise NotApplicable(error.message) from None
        except BocageError as error:
            raise Unmet("loads", error.message) from None
        try:
            return discovery.load_engine(self.slug)
        except BocageError as error:
            raise Unmet("names", error.message) from None

    def fresh_engine(self) -> UseCase:
        """Another engine, that has answered nothing yet."""
        return type(self.engine)()

    @cached_property
    def params(self) -> BaseModel:
        """The default parameters."""
        try:
            return self.engine.params()
        except Exception as error:
            raise Unmet("params", f"{self.engine.params.__name__}() échoue sans argument ({self.said(error)}).") from None

    @cached_property
    def rows(self) -> dict[str, type[Row]]:
        """The inputs that are tables."""
        return {name: kind for name, kind in self.engine.inputs.items() if not isinstance(kind, FileInput)}

    @cached_property
    def files(self) -> dict[str, Path]:
        """The example file of each input that has one."""
        found = discovery.example_inputs(self.slug)
        missing = [name for name, kind in self.engine.inputs.items() if name not in found and is_required(kind)]
        if missing or not found:
            names = ", ".join(f"data/{name}.csv" for name in missing) or "data/"
            raise Unmet("example_data", f"Il manque un exemple de donnée : ajoutez {names}.")
        return {name: path for name, path in found.items() if name in self.engine.inputs}

    @cached_property
    def inputs(self) -> Loaded:
        """The example inputs, as the engine receives them."""
        return {name: self.read(name, path) for name, path in self.files.items()}

    @cached_property
    def truth(self) -> dict[str, pd.DataFrame]:
        """The example truth; empty when the use case has none."""
        found = discovery.example_truth(self.slug)
        missing = [f"data/verite/{name}.csv" for name in self.engine.truth if name not in found]
        if missing:
            raise Unmet("example_data", f"Il manque un exemple de vérité : ajoutez {', '.join(missing)}.")
        return {name: self._table(found[name], row) for name, row in self.engine.truth.items()}

    def read(self, name: str, path: Path) -> pd.DataFrame | Path:
        """An input read as the platform reads it."""
        return self._table(path, self.rows[name]) if name in self.rows else path

    def _table(self, path: Path, row: type[Row]) -> pd.DataFrame:
        try:
            specs_of(row)
        except TypeError as error:
            # One column is the fault, and one promise says so: the reader cannot even start.
            raise Unmet("schemas", f"Une colonne de {row.__name__} est d’un type que le lecteur ne lit pas ({error}).") from None
        try:
            return read_table(path, row, timezone=TIME_ZONE).frame
        except BocageError as error:
            raise Unmet("example_data", f"L’exemple {path.name} ne se lit pas : {error.message}") from None

    @cached_property
    def reference(self) -> Run:
        """The engine on the example data, with the default parameters: what the other runs are compared with."""
        return self._first("run", "le moteur", self.engine.run)

    @cached_property
    def usual(self) -> Run:
        """The baseline on the same data."""
        return self._first("baseline", "la méthode habituelle", self.engine.baseline)

    @cached_property
    def stored(self) -> dict[str, Outcome]:
        """Both outcomes as they come back from the database: what people are shown, and what ``explain`` and ``evaluate`` are given."""
        try:
            return {
                "le moteur": Outcome.from_json(written(self.reference.outcome)),
                "la méthode habituelle": Outcome.from_json(written(self.usual.outcome)),
            }
        except ValueError as error:
            raise Unmet("json_round_trip", f"Le résultat ne passe pas par le JSON ({' '.join(str(error).split())[:150]}).") from None

    @cached_property
    def readable(self) -> tuple[Path, ...]:
        """What the engine may read while it runs: code, the system's files, its folder, its inputs."""
        return readable(self.folder, self.files.values())

    def _first(self, method: str, who: str, call: Callable[[Inputs, BaseModel, Resources], Outcome]) -> Run:
        if method in self._failed:
            raise self._failed[method]
        try:
            run = self.watched(call, copied(self.inputs), self.params)
        except (Broken, BocageError) as error:
            self._failed[method] = Unmet("answers", f"Sur les données d’exemple, {who} ne répond pas : {error}")
            raise self._failed[method] from None
        if not isinstance(run.outcome, Outcome):
            raise Unmet("answers", f"{method}() rend {type(run.outcome).__name__} ; rendez un Outcome.")
        return run

    def watched(
        self, call: Callable[[Inputs, BaseModel, Resources], Outcome], inputs: Loaded, params: BaseModel, seconds: float = 60.0
    ) -> Run:
        """Run with sockets, processes, written files and files of others blocked.

        Raises ``BocageError`` as the engine does, ``Broken`` for the rest.
        """
        heard: list[tuple[float, str]] = []
        before, chosen = copied(inputs), params.model_dump()
        started = time.monotonic()
        with watch(self.readable) as attempts:
            self.attempts.append(attempts)
            try:
                outcome = call(inputs, params, Resources(seconds=seconds, progress=lambda done, message: heard.append((done, message))))
            except BocageError:
                raise
            except (Exception, SystemExit) as error:
                raise Broken(f"une exception a été levée, {self.said(error)}. Corrigez-la, ou levez NotEnoughData.") from None
        elapsed = time.monotonic() - started
        touched = differing(before, inputs) + (() if params.model_dump() == chosen else ("les paramètres",))
        return Run(outcome, tuple(heard), elapsed, touched)

    def outcome(
        self,
        inputs: Loaded,
        *,
        params: BaseModel | None = None,
        pool: Executor | None = None,
        seconds: float = 60.0,
        baseline: bool = False,
        fresh: bool = True,
    ) -> Outcome:
        """One more answer, unwatched. Raises ``BocageError`` as the engine does, ``Broken`` for any other exception."""
        engine = self.fresh_engine() if fresh else self.engine
        try:
            return (engine.baseline if baseline else engine.run)(
                copied(inputs), params or self.params, Resources(seconds=seconds, pool=pool)
            )
        except BocageError:
            raise
        except (Exception, SystemExit) as error:
            raise Broken(f"une exception a été levée, {self.said(error)}. Corrigez-la, ou levez NotEnoughData.") from None

    def said(self, error: BaseException) -> str:
        """An exception on one line, with its place in the use case's folder."""
        return discovery.said(error, self.folder)


def written(outcome: Outcome) -> bytes:
    """The outcome as JSON. Raises ``ValueError`` on a number that JSON does not have, whatever pydantic would make of it."""
    place = _not_finite(_OUTCOME.dump_python(outcome, warnings=False), "résultat")
    if place:
        raise ValueError(f"{place} n’est pas un nombre fini ; mettez None pour une valeur absente")
    return outcome.to_json()


def _not_finite(value: object, where: str) -> str:
    if isinstance(value, float):
        return "" if math.isfinite(value) else where
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, (list, tuple)) else ()
    return next((found for key, item in items if (found := _not_finite(item, f"{where}.{key}"))), "")


def is_required(kind: type[Row] | FileInput) -> bool:
    """Whether an input must be given."""
    return kind.required if isinstance(kind, FileInput) else kind.TABLE.required


def copied(inputs: Inputs) -> Loaded:
    """The same inputs, whose tables may be changed."""
    return {name: value.copy(deep=True) if isinstance(value, pd.DataFrame) else value for name, value in inputs.items()}


def differing(before: Inputs, after: Inputs) -> tuple[str, ...]:
    """The names of the inputs that are no longer the same."""
    return tuple(name for name in before if name not in after or not _same(before[name], after[name]))


def _same(before: pd.DataFrame | Path, after: pd.DataFrame | Path) -> bool:
    if isinstance(before, pd.DataFrame) and isinstance(after, pd.DataFrame):
        return list(before.columns) == list(after.columns) and before.index.equals(after.index) and before.equals(after)
    return isinstance(before, Path) and isinstance(after, Path) and before == after
