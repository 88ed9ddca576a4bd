"""Seven thousand meters over three years, from a Parquet file to ranked alerts: seconds and memory, each run in a process of its own.

    python -m benchmarks.energie_scale daily|hourly FILE     one measured run; prints JSON

The file holds what a syndicat would keep: one line per reading, in Wh, sorted by meter (7.7 million lines daily, 184 million hourly).
Curves are seventy simulated buildings, repeated with their own size and noise: the values do not change the work.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bocage.contract.usecase import Resources
from bocage.usecases.energie_batiments.engine import EnergieBatiments
from bocage.usecases.energie_batiments.rows import EnergieBatimentsParams
from bocage.usecases.energie_batiments.tests import simulated

METERS, YEARS, BUILDINGS = 7000, 3.0, 70
PER_GROUP = {"daily": 500, "hourly": 25}


def write(path: Path, step: str) -> None:
    """The Parquet file of ``step`` (daily or hourly) readings."""
    from fastparquet import write as write_parquet

    fleet = simulated.fleet(BUILDINGS, "2022-01-01", YEARS, 5)
    drawn = np.random.default_rng(3)
    hours = pd.date_range(fleet.days[0], periods=len(fleet.days) * 24, freq="h", tz="UTC")
    stamps = hours[::24] if step == "daily" else hours
    each = PER_GROUP[step]
    for first in range(0, METERS, each):
        chosen = range(first, min(METERS, first + each))
        values = []
        for m in chosen:
            kwh = fleet.kwh[m % BUILDINGS]
            kwh = kwh.sum(axis=1) if step == "daily" else kwh.reshape(-1)
            noise = 1 + 0.05 * drawn.standard_normal(len(kwh), dtype=np.float32)
            values.append((1000 * (0.5 + (m % 13) / 8) * kwh * noise).astype(np.int32))
        names = [point(m) for m in chosen]
        frame = pd.DataFrame(
            {
                "point_de_mesure": pd.Categorical.from_codes(np.repeat(np.arange(len(names)), len(stamps)), names),
                "horodatage": np.tile(stamps.tz_localize(None).to_numpy(), len(names)),
                "valeur": np.concatenate(values),
                "unite": pd.Categorical.from_codes(np.zeros(len(names) * len(stamps), dtype=int), ["Wh"]),
            }
        )
        write_parquet(str(path), frame, compression="ZSTD", append=first > 0, row_group_offsets=[0], write_index=False)


def point(m: int) -> str:
    """The fourteen digits of meter ``m``."""
    return f"{30001000000000 + m:014d}"


def once(step: str, path: Path) -> dict[str, Any]:
    """One run of the engine on two processes: seconds from file to ranked alerts, and the memory of all processes (an upper bound)."""
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"))
    fleet = simulated.fleet(1, "2022-01-01", YEARS, 5)
    hours = pd.date_range(fleet.days[0], periods=len(fleet.days) * 24, freq="h", tz="UTC")
    weather = pd.DataFrame({"horodatage": hours, "temperature_c": simulated.weather(fleet.days, 1005).reshape(-1)})
    sites = pd.DataFrame({"point_de_mesure": [point(m) for m in range(METERS)], "nom": [f"Site {m}" for m in range(METERS)]})
    started = time.monotonic()
    with ProcessPoolExecutor(2) as pool:
        inputs = {"sites": sites, "courbes": path, "meteo": weather}
        outcome = EnergieBatiments().run(inputs, EnergieBatimentsParams(zone_scolaire="B"), Resources(seconds=600, pool=pool))
        seconds = time.monotonic() - started
    used = [resource.getrusage(who).ru_maxrss / 1024**2 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    told = [rec for rec in outcome.recommendations if rec.unit == "€/mois" and rec.score > 0]
    return {
        "seconds": round(seconds, 1),
        "cpu_seconds": round(sum(use.ru_utime + use.ru_stime for use in spent), 1),
        "peak_gb": round(used[0] + 2 * used[1], 2),
        "proposals": len(outcome.recommendations),
        "alerts": len(told),
    }


def measured(step: str, folder: Path) -> dict[str, Any]:
    """Write the file, then run once in a fresh process."""
    path = folder / f"{step}.parquet"
    write(path, step)
    root = Path(__file__).resolve().parents[1]
    asked = [sys.executable, "-m", "benchmarks.energie_scale", step, str(path)]
    alone = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(asked, check=True, capture_output=True, text=True, cwd=root, env=alone)
    size = path.stat().st_size / 1e6
    path.unlink()
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return {"name": f"7 000 compteurs, 3 ans, {'chaque jour' if step == 'daily' else 'chaque heure'}", **result, "file_mb": round(size)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=("daily", "hourly"))
    parser.add_argument("file", type=Path)
    chosen = parser.parse_args()
    print(json.dumps(once(chosen.step, chosen.file)))
