"""What a tree of processes holds and spends, read from outside."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

Known = dict[int, tuple[float, float]]
"""By process number: its time of creation (numbers are used again) and the CPU seconds that it was last seen with."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Resident memory of a tree (its root, the warden, left out), number of processes, their numbers."""

    rss_mb: float
    count: int
    pids: tuple[int, ...]


def tree(root: int, known: Known) -> Usage:
    """What is below ``root`` now; whoever is met is written in ``known``."""
    rss, pids = 0, []
    try:
        processes = psutil.Process(root).children(recursive=True)
    except psutil.Error:
        return Usage(0.0, 0, ())
    for process in processes:
        with contextlib.suppress(psutil.Error, OSError):
            times = process.cpu_times()
            known[process.pid] = (process.create_time(), times.user + times.system)
            rss += process.memory_info().rss
            pids.append(process.pid)
    return Usage(rss / 1024**2, len(pids), tuple(pids))


def shared_mb(pids: Iterable[int]) -> float:
    """Memory of ``pids`` with shared pages counted once (PSS, Linux); resident memory where that cannot be read."""
    total = 0.0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
        except (OSError, StopIteration, ValueError):
            with contextlib.suppress(psutil.Error):
                total += psutil.Process(pid).memory_info().rss / 1024**2
    return total


def sweep(known: Known) -> None:
    """Kill whoever of ``known`` still lives: the third lock, after the warden and the kernel."""
    for pid, (born, _) in known.items():
        with contextlib.suppress(psutil.Error, OSError):
            process = psutil.Process(pid)
            if process.create_time() == born:
                process.kill()
