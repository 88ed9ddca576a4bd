"""How fast, and in how much memory, a million lines are read and checked; beside plain pandas and line-by-line pydantic.

Each row is a process of its own: seconds are those of the reading alone, memory is the peak of the whole process, imports included.
"""

from __future__ import annotations

import hashlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bocage.contract.bench import Bar, BenchResult, DatasetUsed
from bocage.contract.rows import Row, column

LINES = 1_000_000
PYDANTIC_LINES = 50_000
REPEATS = 3
MODES = {
    "pandas": "pandas.read_csv, sans contrôle",
    "pydantic": f"pydantic ligne par ligne ({PYDANTIC_LINES} lignes, temps ramené à {LINES})",
    "clean": "Bocage, aucune erreur",
    "one": "Bocage, 1 % de lignes fausses",
    "all": "Bocage, toutes les lignes fausses",
}


class Measure(Row):
    """A line of the benchmark's file."""

    horodatage: datetime = column("Début de l’heure")
    secteur: str = column("Secteur", min_length=1)
    debit_m3h: float = column("Débit", unit="m³/h", ge=0)


def write(path: Path, wrong: str) -> None:
    """One million lines, ten sectors by the hour, decimal comma. ``wrong``: «clean», «one» (1 % wrong, five ways) or «all»."""
    start, value = datetime(2012, 1, 1), 1
    with path.open("w", encoding="utf-8") as file:
        file.write("horodatage;secteur;debit_m3h\n")
        for hour in range(LINES // 10):
            moment = f"{start + timedelta(hours=hour):%Y-%m-%d %H:%M}"
            for sector in range(10):
                value = value * 48_271 % 2_147_483_647
                cells = [moment, f"Secteur {sector}", f"{value % 300},{value % 997:03d}"]
                if wrong == "all" or (wrong == "one" and value % 100 == 0):
                    cells = _spoil(cells, value // 100 % 5)
                file.write(";".join(cells) + "\n")


def _spoil(cells: list[str], way: int) -> list[str]:
    moment, sector, debit = cells
    ways = (
        [f"{moment[:4]}-13-{moment[8:]}", sector, debit],
        [moment, "", debit],
        [moment, sector, "panne"],
        [moment, sector, "-1" + debit],
        [moment, sector, debit, "7"],
    )
    return ways[way]


def one(mode: str, path: Path) -> dict[str, Any]:
    """Run one mode in this process. Gives seconds (wall and CPU), peak memory in MB, lines kept and errors."""
    kept = errors = 0
    reader: Callable[[Path], tuple[int, int]] = {"pandas": _pandas, "pydantic": _pydantic}.get(mode, _bocage)
    reader(path.with_name("small.csv"))  # imports and first calls are not what is timed
    wall, cpu = time.perf_counter(), time.process_time()
    kept, errors = reader(path)
    return {
        "seconds": time.perf_counter() - wall,
        "cpu_seconds": time.process_time() - cpu,
        "peak_mb": _peak_mb(),
        "kept": kept,
        "errors": errors,
    }


def _peak_mb() -> float:
    """Peak resident memory of this process. ``VmHWM`` first: ``ru_maxrss`` can inherit the parent's across vfork."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1000
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1000 if sys.platform != "darwin" else 1_000_000)


def _pandas(path: Path) -> tuple[int, int]:
    import pandas as pd

    return len(pd.read_csv(path, sep=";", decimal=",", parse_dates=["horodatage"])), 0


def _pydantic(path: Path) -> tuple[int, int]:
    import csv

    from pydantic import ValidationError

    kept = errors = 0
    with path.open(encoding="utf-8", newline="") as file:
        for number, cells in enumerate(csv.DictReader(file, delimiter=";")):
            if number >= PYDANTIC_LINES:
                break
            try:
                Measure.model_validate({**cells, "debit_m3h": cells["debit_m3h"].replace(",", ".")})
                kept += 1
            except ValidationError:
                errors += 1
    return kept, errors


def _bocage(path: Path) -> tuple[int, int]:
    from bocage.contract.tables import NoLineKept, read_table

    try:
        table = read_table(path, Measure)
    except NoLineKept as error:
        table = error.table
    return len(table.frame), len(table.report.errors)


def run(data_dir: Path | None = None, progress: Callable[[float, str], None] | None = None) -> BenchResult:
    """Measure every mode ``REPEATS`` times (the median is kept). ``data_dir`` is not needed: the files are made here, always the same."""
    begun, said = time.perf_counter(), progress or (lambda fraction, message: None)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(dir=data_dir) as folder:
        digest = _files(Path(folder))
        for rank, (mode, name) in enumerate(MODES.items()):
            said(rank / len(MODES), name)
            path = Path(folder) / f"{mode if mode in ('one', 'all') else 'clean'}.csv"
            runs = sorted((_child(mode, path) for _ in range(REPEATS)), key=lambda found: float(found["seconds"]))
            row = {"name": name, **runs[len(runs) // 2], "peak_mb": max(float(found["peak_mb"]) for found in runs)}
            if mode == "pydantic":
                scale = LINES / PYDANTIC_LINES
                row.update(seconds=row["seconds"] * scale, cpu_seconds=row["cpu_seconds"] * scale)
            rows.append({key: round(value, 2) if isinstance(value, float) else value for key, value in row.items()})
    said(1.0, "Terminé")
    ours = rows[2:]
    return BenchResult(
        slug="contract_tables",
        seconds=time.perf_counter() - begun,
        rows=rows,
        bars=[
            Bar(id="reader_seconds_1m", value=max(row["seconds"] for row in ours), sense="<=", target=3.0),
            Bar(id="reader_peak_mb", value=max(row["peak_mb"] for row in ours), sense="<=", target=400.0),
        ],
        datasets=[DatasetUsed(name="Un million de mesures horaires synthétiques", version=f"sha256 {digest[:16]}", licence="EUPL-1.2")],
        notes=[
            f"Médiane de {REPEATS} processus ; mémoire de pointe du processus entier, importations comprises.",
            "Les barres portent sur la plus lente des trois lignes de Bocage. seconds bien au-dessus de cpu_seconds : machine occupée.",
        ],
    )


def _files(folder: Path) -> str:
    for wrong in ("clean", "one", "all"):
        write(folder / f"{wrong}.csv", wrong)
    with (folder / "clean.csv").open(encoding="utf-8") as file:
        (folder / "small.csv").write_text("".join(file.readline() for _ in range(1000)), encoding="utf-8")
    return hashlib.sha256((folder / "clean.csv").read_bytes()).hexdigest()


def _child(mode: str, path: Path) -> dict[str, Any]:
    command = [sys.executable, str(Path(__file__).resolve()), "--one", mode, str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(one(sys.argv[2], Path(sys.argv[3]))))
    else:
        print(
            json.dumps(
                run(progress=lambda fraction, message: print(f"{fraction:.0%} {message}", file=sys.stderr)).as_json(),
                ensure_ascii=False,
                indent=2,
            )
        )
