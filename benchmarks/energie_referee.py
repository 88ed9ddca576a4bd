"""``opendsm`` (LF Energy, Apache 2.0) as a referee, in a virtual environment of its own: it needs pandas < 3, which Bocage does not.

The environment is made once in a cache folder by ``pip``, with whatever index pip is configured for. Where pip reaches none, the benchmark
says so in one sentence and goes on without the referee, and without the meters that are inside its wheel.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

import numpy as np

VERSION = "1.2.7"
_PINS = (f"opendsm=={VERSION}", "multimethod<2", "pandas<3")

_SCRIPT = """
import json, logging, sys, time, warnings
warnings.filterwarnings("ignore"); logging.disable(50)
import numpy as np, pandas as pd
from opendsm.eemeter import DailyBaselineData, DailyModel, DailyReportingData

def frame(part):
    index = pd.DatetimeIndex(part["days"]).tz_localize("UTC")
    return pd.DataFrame({"observed": np.array(part["kwh"], float), "temperature": np.array(part["celsius"], float) * 1.8 + 32}, index=index)

def fit(case):
    started = time.monotonic()
    base = DailyBaselineData(frame(case["base"]), is_electricity_data=not case["gas"])
    model = DailyModel().fit(base, ignore_disqualification=True)
    result = {"base": model.predict(base, ignore_disqualification=True)["predicted"]}
    if case["after"]:
        later = DailyReportingData(frame(case["after"]), is_electricity_data=not case["gas"])
        result["after"] = model.predict(later, ignore_disqualification=True)["predicted"]
    seconds = time.monotonic() - started
    return {k: {str(i.date()): float(v) for i, v in s.items() if v == v} for k, s in result.items()} | {"seconds": seconds}

cases = json.load(open(sys.argv[1]))
fit(next(iter(cases.values())))  # compiled once, outside the measure
json.dump({name: fit(case) for name, case in cases.items()}, open(sys.argv[2], "w"))
"""


def folder() -> Path:
    """Where the environment is kept."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "bocage" / f"opendsm-{VERSION}"


def prepare() -> tuple[Path | None, str]:
    """The environment's python, made if need be, and an empty sentence; or None and why not."""
    place = folder()
    python = place / "bin" / "python"
    if not (place / "ready").exists():
        try:
            venv.create(place, with_pip=True, clear=True)
            asked = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", *_PINS]
            subprocess.run(asked, check=True, capture_output=True, timeout=900)
            (place / "ready").touch()
        except (OSError, subprocess.SubprocessError):
            return (
                None,
                "opendsm ne s’installe pas ici (pip n’atteint aucun index) : l’arbitre et ses compteurs manquent.",
            )
    return python, ""


def samples(python: Path) -> Path:
    """The folder of the wheel's sample meters."""
    return next(python.parents[1].glob("lib/python*/site-packages/opendsm/eemeter/samples"))


def fit(python: Path, cases: dict[str, Any]) -> dict[str, Any]:
    """Predictions by day of each case (base and next year), and the seconds it took, on one core."""
    with tempfile.TemporaryDirectory(prefix="bocage-opendsm-") as name:
        asked, answered, script = (Path(name) / part for part in ("asked.json", "answered.json", "fit.py"))
        asked.write_text(json.dumps(cases))
        script.write_text(_SCRIPT)
        alone = {**os.environ, "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1", "PYTHONPATH": ""}
        subprocess.run([str(python), str(script), str(asked), str(answered)], check=True, capture_output=True, timeout=3600, env=alone)
        found: dict[str, Any] = json.loads(answered.read_text())
    return found


def part(days: Any, kwh: np.ndarray, celsius: np.ndarray) -> dict[str, Any]:
    """What the referee reads of a year; NaN becomes null."""
    values = [None if not np.isfinite(x) else float(x) for x in kwh]
    return {"days": [str(day.date()) for day in days], "kwh": values, "celsius": [float(x) for x in celsius]}


if __name__ == "__main__":
    print(prepare(), file=sys.stderr)
