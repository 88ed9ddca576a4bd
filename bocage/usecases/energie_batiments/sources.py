"""Where readings come from, cut in batches of meters that worker processes can take one by one."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from bocage.usecases.energie_batiments import analysis, bulk, lines, readers
from bocage.usecases.energie_batiments.actions import Action

LATE = "Le temps accordé est écoulé : des compteurs n’ont pas été analysés. Donnez plus de temps, ou les compteurs en plusieurs fois."

BATCH = 250
"""Meters of one batch."""


@dataclass(frozen=True)
class Task:
    """A batch: a long table, a range of row groups of a Parquet file, or both. Plain data: it travels to workers."""

    table: pd.DataFrame | None = None
    path: str = ""
    first: int = 0
    stop: int = 0
    gas: dict[str, float] | None = None


def tasks(
    readings: pd.DataFrame | None, curves: Path | None, gas: dict[str, float], when: readers.When, timezone: str
) -> tuple[list[Task], list[str]]:
    """Batches of all readings, and French notes. A meter that is in both inputs is read from both; its doubles are sorted out later."""
    notes: list[str] = []
    tables = []
    if readings is not None and len(readings):
        table, said = lines.long_table(readings, timezone, gas)
        tables.append(table)
        notes += said
    stored: list[tuple[int, int, set[str]]] = []
    if curves is not None and curves.suffix.lower() == ".parquet":
        stored = bulk.batches(curves)
    elif curves is not None:
        table, said = readers.read_curves(curves, when, timezone, gas)
        tables.append(table)
        notes += said
    whole = pd.concat(tables, ignore_index=True) if tables else lines.empty()
    names, code = np.unique(whole["point"].astype(str).to_numpy(dtype=object).astype(str), return_inverse=True)
    result, alone = [], np.ones(len(names), dtype=bool)
    for first, stop, points in stored:
        shared = np.isin(names, sorted(points))
        alone &= ~shared
        more = whole[shared[code]].reset_index(drop=True) if shared.any() else None
        result.append(Task(more, str(curves), first, stop, gas))
    for some in np.array_split(np.flatnonzero(alone), range(BATCH, int(alone.sum()), BATCH)):
        if len(some):
            result.append(Task(table=whole[np.isin(code, some)].reset_index(drop=True)))
    return result, notes


def work(
    task: Task, weather: pd.DataFrame | None, choices: analysis.Choices, actions: tuple[Action, ...]
) -> tuple[list[analysis.Found], list[str]]:
    """Analyse one batch, here or in a worker."""
    notes: list[str] = []
    tables = [] if task.table is None else [task.table]
    if task.path:
        table, notes = bulk.read(Path(task.path), task.first, task.stop, task.gas or {}, choices.timezone)
        tables.append(table)
    found, said = analysis.analyse(tables[0] if len(tables) == 1 else pd.concat(tables, ignore_index=True), weather, choices, actions)
    return found, notes + said


def run(
    batches: list[Task],
    weather: pd.DataFrame | None,
    choices: analysis.Choices,
    actions: tuple[Action, ...],
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
    actions: tuple[Action, ...],
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
