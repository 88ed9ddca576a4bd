"""What goes out: proposals to a human, the pictures that support them, and what was noticed in the data.

Everything here is plain data that survives JSON unchanged: the worker sends it, the database keeps it, the web draws it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field, JsonValue, TypeAdapter

Number = float | int
Scalar = str | float | int | bool | None


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One proposal to a human; the machine never applies it.

    ``subject`` names a thing of the input (a sector, a school, a segment); ``action`` is the French verb phrase proposed;
    ``interval`` is (low, high) in ``unit`` around ``value``; ``score`` ranks proposals, the highest first;
    ``evidence`` holds the reasons, with the key ``reference`` for what the usual method gives (a number, or a text that says what it does
    or why it gives none); ``geometry`` is GeoJSON in WGS 84.
    """

    subject: str
    action: str
    value: float | str | None = None
    unit: str = ""
    interval: tuple[float, float] | None = None
    score: float = 0.0
    evidence: dict[str, JsonValue] = field(default_factory=dict)
    geometry: dict[str, JsonValue] | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a chart. ``role`` decides how it is drawn: measured, forecast, usual method, bounds of the interval."""

    name: str
    role: Literal["measured", "forecast", "usual", "lower", "upper"]
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart of one subject. ``x`` holds ISO dates, ISO times or labels, as long as each series."""

    name: str
    title: str
    x: tuple[str, ...]
    series: tuple[Series, ...]
    unit: str = ""
    subject: str = ""
    note: str = ""
    kind: Literal["chart"] = "chart"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table artifact: machine ``name``, French ``title``, ``unit``."""

    name: str
    title: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class DataTable:
    """A table that people download and that ``evaluate()`` may read: rows are as long as ``columns``."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Scalar, ...], ...]
    kind: Literal["table"] = "table"


@dataclass(frozen=True, slots=True)
class MapLayer:
    """A GeoJSON FeatureCollection in WGS 84."""

    name: str
    title: str
    features: dict[str, JsonValue]
    kind: Literal["map"] = "map"


@dataclass(frozen=True, slots=True)
class Document:
    """A short French text: paragraphs, each with its plain text."""

    name: str
    title: str
    paragraphs: tuple[str, ...]
    kind: Literal["document"] = "document"


Artifact = Annotated[Chart | DataTable | MapLayer | Document, Field(discriminator="kind")]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run gives. ``notes`` are French sentences on what was noticed in the data and what was done about it."""

    recommendations: Sequence[Recommendation]
    artifacts: Sequence[Artifact] = ()
    notes: Sequence[str] = ()

    def table(self, name: str) -> DataTable:
        """The table artifact called ``name``; raises ``KeyError`` when the outcome has none."""
        for artifact in self.artifacts:
            if isinstance(artifact, DataTable) and artifact.name == name:
                return artifact
        raise KeyError(name)

    def to_json(self) -> bytes:
        """UTF-8 JSON. Raises ``ValueError`` on NaN or infinity, which JSON does not have."""
        # Checked before the dump: pydantic writes NaN as null without a word.
        _refuse_non_finite(_OUTCOME.dump_python(self, mode="python"), "outcome")
        return _OUTCOME.dump_json(self)

    @staticmethod
    def from_json(data: bytes | str) -> Outcome:
        """The outcome that ``to_json`` wrote."""
        return _OUTCOME.validate_json(data)


def interval_holds(recommendation: Recommendation) -> bool:
    """Whether the interval is finite, in order and around the value, to the last digits of floating sums. True without an interval."""
    if recommendation.interval is None:
        return True
    low, high = recommendation.interval
    value = recommendation.value if isinstance(recommendation.value, (int, float)) else low
    slack = 1e-9 * max(1.0, abs(low), abs(high))
    return math.isfinite(low) and math.isfinite(high) and low <= high and low - slack <= value <= high + slack


def numbers_of(recommendation: Recommendation) -> Iterator[float]:
    """Every number that a recommendation carries: value, bounds, score, and those in ``evidence`` and ``subject``."""
    yield from _numbers(_RECOMMENDATION.dump_python(recommendation, mode="json"))


def _numbers(value: object) -> Iterator[float]:
    if isinstance(value, bool):
        return
    if isinstance(value, (int, float)):
        yield float(value)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _numbers(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _numbers(item)


def _refuse_non_finite(value: object, where: str) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{where}: {value} is not a JSON number; use None for an absent value")
    if isinstance(value, dict):
        for key, item in value.items():
            _refuse_non_finite(item, f"{where}.{key}")
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            _refuse_non_finite(item, f"{where}[{index}]")


_OUTCOME: TypeAdapter[Outcome] = TypeAdapter(Outcome)
_RECOMMENDATION: TypeAdapter[Recommendation] = TypeAdapter(Recommendation)
