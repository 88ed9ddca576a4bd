"""The contract of a use case, on one page. ``docs/use_case.md`` walks through it; ``bocage check <slug>`` enforces it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeAlias, runtime_checkable

from pydantic import BaseModel

from bocage.contract.outcome import Outcome, Recommendation
from bocage.contract.rows import FileInput, Row

if TYPE_CHECKING:
    # Only named in types: half a second less for whoever reads no table.
    import pandas as pd

Inputs: TypeAlias = "Mapping[str, pd.DataFrame | Path]"
"""By input name: a table's valid lines (columns are the fields of its Row), or a file's path. Optional ones may be absent."""

Truth: TypeAlias = "Mapping[str, pd.DataFrame]"


class ChatModel(Protocol):
    """A language model, when one is configured. Absent by default."""

    def complete(self, messages: Sequence[Mapping[str, str]], *, max_tokens: int = 512) -> str:
        """The model's answer to ``messages`` (role and content)."""
        ...


def _silent(fraction: float, message: str) -> None:
    """Progress that nobody listens to."""


@dataclass(frozen=True, slots=True)
class Resources:
    """All that an engine may reach.

    ``seed`` feeds all randomness; ``seconds`` is the time budget; ``pool`` spreads picklable top-level functions over processes or a
    Dask cluster, or is None; ``progress(fraction, message)`` takes 0 to 1 and a short French phrase.
    """

    seed: int = 0
    seconds: float = 60.0
    pool: Executor | None = None
    llm: ChatModel | None = None
    progress: Callable[[float, str], None] = _silent


@runtime_checkable
class UseCase(Protocol):
    """What ``usecases/<slug>/engine.py`` must define, as a class named ``<CamelSlug>``.

    ``run`` and ``baseline`` take the same arguments and give proposals on the same subjects. They raise ``NotEnoughData`` when an honest
    answer would need more. ``evaluate`` gives a dict of metrics, among them the fiche's ``mesure.nom``, over the lines of ``truth`` that
    are about a proposal, whichever they are (the conformance suite resamples blocks of lines to put an interval around the gain over the
    baseline), and raises ``NotEnoughData`` when none is. Of the names of metrics the register reads two forms: ``lignes`` beside
    ``lignes_attendues`` is how many of how many were compared; ``…_constate…`` was observed, whichever method is judged.
    ``explain`` is one French sentence whose every number is in ``rec``, given back from the JSON that was kept.
    """

    inputs: ClassVar[dict[str, type[Row] | FileInput]]
    truth: ClassVar[dict[str, type[Row]]]
    params: ClassVar[type[BaseModel]]

    def run(self, inputs: Inputs, params: BaseModel, res: Resources) -> Outcome: ...

    def baseline(self, inputs: Inputs, params: BaseModel, res: Resources) -> Outcome: ...

    def evaluate(self, outcome: Outcome, truth: Truth) -> dict[str, float]: ...

    def explain(self, rec: Recommendation) -> str: ...
