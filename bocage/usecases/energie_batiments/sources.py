"""Where readings come from, cut in batches of meters that worker processes can take one by one."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from bocage.usecases.energie_batiments import analysis, bulk, readers

LATE = "Le temps accordé est écoulé : des compteurs n’ont pas été analysés. Donnez plus de temps, ou les compteurs en plusieurs fois."

BATCH = 250
"""Meters of one batch."""


@dataclass(frozen=True)
class Task:
    """A batch: a long table, or a range of row groups of a Parquet file. Plain data: it travels to workers."""

    table: pd.DataFrame | None = None
    path: str = ""
    first: int = 0
    stop: int = 0
    gas: dict[str, float] | None = None


def tasks(
    readings: pd.DataFrame | None, curves: Path | None, gas: dict[str, float], when: readers.When, timezone: str
) -> tuple[list[Task], list[str]]:
    """Batches of all readings, and French notes. A meter that is in both inputs is read from both; duplicates are averaged later."""
    result: list[Task] = []
    notes: list[str] = []
    tables = []
    if readings is not None and len(readings):
        tables.append(readers.from_readings(readings, gas))
    if curves is not None and curves.suffix.lower() == ".parquet":
        result += [Task(path=str(curves), first=first, stop=stop, gas=gas) for first, stop in bulk.batches(curves)]
    elif curves is not None:
        table, said = readers.read_curves(curves, when, timezone)
        tables.append(table)
        notes += said
    if tables:
        whole = pd.concat(tables, ignore_index=True)
        names, code = np.unique(whole["point"].astype(str).to_numpy(dtype=object).astype(str), return_inverse=True)
        for first in range(0, len(names), BATCH):
            result.append(Task(table=whole[(code >= first) & (code < first + BATCH)].reset_index(drop=True)))
    return result, notes


def work(
    task: Task, weather: pd.DataFrame | None, choices: analysis.Choices, actions: tuple[analysis.Action, ...]
) -> tuple[list[analysis.Found], list[str]]:
    """Analyse one batch, here or in a worker."""
    table = task.table if task.table is not None else bulk.read(Path(task.path), task.first, task.stop, task.gas or {})
    return analysis.analyse(table, weather, choices, actions)


def run(
    batches: list[Task],
    weather: pd.DataFrame | None,
    choices: analysis.Choices,
    actions: tuple[analysis.Action, ...],
    pool: Executor | None,
    tell: Callable[[float], None],
    until: float,
) -> tuple[list[analysis.Found], list[str]]:
    """All batches, in order; ``tell`` receives the share done. Past ``until`` (``time.monotonic``), what remains is left, and told."""
    found: list[analysis.Found] = []
    notes: list[str] = []
    results = _results(batches, weather, choices, actions, pool)
    for done, (part, said) in enumerate(results, start=1):
        found += part
        notes += [note for note in said if note not in notes]
        tell(done / len(batches))
        if time.monotonic() > until and done < len(batches):
            results.close()
            notes.append(LATE)
            break
    return found, notes


def _results(
    batches: list[Task],
    weather: pd.DataFrame | None,
    choices: analysis.Choices,
    actions: tuple[analysis.Action, ...],
    pool: Executor | None,
) -> Generator[tuple[list[analysis.Found], list[str]], None, None]:
    if pool is None or len(batches) < 2:
        for task in batches:
            yield work(task, weather, choices, actions)
        return
    futures = [pool.submit(work, task, weather, choices, actions) for task in batches]
    try:
        for future in futures:
            yield future.result()
    finally:
        for future in futures:
            future.cancel()
