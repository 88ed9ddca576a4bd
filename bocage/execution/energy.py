"""Electricity of a run: the processor's own counters where they can be read, else CPU time × a documented power model.

Model, in watts per busy logical core (sources and reasoning: ``docs/execution.md``, « Energy »):
- low 1.7: full-load power of a whole server per hardware thread in SPECpower_ssj2008, most frugal of 16 architectures (AMD EPYC 2nd gen.);
- central 4.1: the median of these 16 architectures;
- high 12: thermal design power of one physical core, all processors (Green Algorithms, Lannelongue et al. 2021, line « Any »).
Not counted: cooling (PUE), the machine when idle, its making, graphics processors, disks beyond SPECpower's own.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bocage.execution.records import Energy

WATTS_LOW = 1.7
WATTS_CENTRAL = 4.1
WATTS_HIGH = 12.0
POWERCAP = Path("/sys/class/powercap")


def from_cpu(cpu_seconds: float) -> Energy:
    """The model's energy for ``cpu_seconds`` of busy core."""
    return Energy(
        joules=round(WATTS_CENTRAL * cpu_seconds, 3),
        low=round(WATTS_LOW * cpu_seconds, 3),
        high=round(WATTS_HIGH * cpu_seconds, 3),
        method="cpu-model",
        cpu_seconds=round(cpu_seconds, 3),
    )


@dataclass(slots=True)
class _Zone:
    """One RAPL counter: micro-joules that wrap at ``span``."""

    counter: Path
    span: int
    last: int
    total: int = 0

    def sample(self) -> None:
        """Add what was used since the last sample; one wrap at most may have passed."""
        now = int(self.counter.read_text())
        self.total += now - self.last if now >= self.last else now + self.span - self.last
        self.last = now


def _zones(powercap: Path) -> list[_Zone]:
    """Packages and memory of every socket; none when they cannot be read (most often: only root may since 2020, CVE-2020-8694)."""
    zones = []
    try:
        for folder in sorted(powercap.glob("intel-rapl:*")):
            name = (folder / "name").read_text().strip()
            if name.startswith("package") or name == "dram":
                counter = folder / "energy_uj"
                zones.append(_Zone(counter, int((folder / "max_energy_range_uj").read_text()), int(counter.read_text())))
    except (OSError, ValueError):
        return []
    return zones


def _busy() -> float:
    """CPU seconds that the whole machine has spent busy."""
    times = psutil.cpu_times()
    return float(times.user + times.system + getattr(times, "nice", 0.0) + getattr(times, "irq", 0.0) + getattr(times, "softirq", 0.0))


@dataclass(slots=True)
class Meter:
    """Started before a worker, sampled while it runs, asked at its end. ``powercap`` is the kernel's folder of counters."""

    powercap: Path = POWERCAP
    _zones: list[_Zone] = field(init=False)
    _busy: float = field(init=False)
    _clock: float = field(init=False)

    def __post_init__(self) -> None:
        self._zones = _zones(self.powercap)
        self._busy = _busy()
        self._clock = time.monotonic()

    def sample(self) -> None:
        """Read the counters, so that no wrap is missed."""
        try:
            for zone in self._zones:
                zone.sample()
        except (OSError, ValueError):
            self._zones = []

    def read(self, cpu_seconds: float, remote_cpu_seconds: float = 0.0) -> Energy:
        """The energy of a worker whose processes used ``cpu_seconds`` here and ``remote_cpu_seconds`` on a Dask cluster.

        With counters, the machine's joules are shared: central = by its part of the busy CPU time; low = by its part of all the CPU time
        there was, idle included; high = all the joules of the machine while it ran.
        """
        self.sample()
        joules = sum(zone.total for zone in self._zones) / 1e6
        if joules <= 0:
            return from_cpu(cpu_seconds + remote_cpu_seconds)
        capacity = (time.monotonic() - self._clock) * (os.cpu_count() or 1)
        low = joules * min(1.0, cpu_seconds / max(capacity, cpu_seconds, 1e-9))
        central = joules * min(1.0, cpu_seconds / max(_busy() - self._busy, cpu_seconds, 1e-9))
        remote = from_cpu(remote_cpu_seconds)
        return Energy(
            joules=round(max(central, low) + remote.joules, 3),
            low=round(low + remote.low, 3),
            high=round(joules + remote.high, 3),
            method="rapl",
            cpu_seconds=round(cpu_seconds + remote_cpu_seconds, 3),
        )
