"""The one shape of a benchmark's result, for all use cases: peers and Bocage in one run, then the bars."""

from __future__ import annotations

import platform
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

SIGNATURE = "run(data_dir: Path, progress: Callable[[float, str], None]) -> BenchResult"
"""What ``bocage bench`` calls: the folder of the data sets, and a function that takes 0 to 1 and a short French phrase."""


class Bar(BaseModel):
    """A figure to reach. ``met`` is computed, never declared."""

    model_config = ConfigDict(frozen=True)

    id: str
    value: float
    sense: Literal["<=", ">="]
    target: float

    @property
    def met(self) -> bool:
        """Whether ``value`` reaches ``target``."""
        return self.value <= self.target if self.sense == "<=" else self.value >= self.target


class DatasetUsed(BaseModel):
    """A data set that the benchmark read, its version (or content hash) and licence."""

    model_config = ConfigDict(frozen=True)

    name: str
    version: str
    licence: str


class BenchResult(BaseModel):
    """What ``run(data_dir, progress)`` of ``benchmarks/<slug>.py`` returns. Each row has a ``name`` and its metrics."""

    slug: str
    seconds: float
    rows: list[dict[str, Any]]
    bars: list[Bar]
    datasets: list[DatasetUsed]
    notes: list[str] = []

    def as_json(self) -> dict[str, Any]:
        """The published shape: {slug, host, seconds, rows, bars: [{id, value, sense, target, met}], datasets, notes}."""
        return {
            "slug": self.slug,
            "host": f"{platform.machine()} {platform.system()} Python {platform.python_version()}",
            "seconds": round(self.seconds, 1),
            "rows": self.rows,
            "bars": [{**bar.model_dump(), "met": bar.met} for bar in self.bars],
            "datasets": [dataset.model_dump() for dataset in self.datasets],
            "notes": self.notes,
        }
