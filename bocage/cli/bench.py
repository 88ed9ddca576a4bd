"""``bocage bench``: peers and Bocage in one run. Exits 0 whether bars are met or not, 2 when data are missing."""

from __future__ import annotations

import importlib.util
import inspect
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import click

from bocage.cli.output import json_option, out, print_json, progress_bar, table
from bocage.contract.bench import SIGNATURE, BenchResult
from bocage.contract.errors import InvalidUseCase, UnknownUseCase
from bocage.contract.french import number
from bocage.settings import read_setting

_ROOT = Path(__file__).resolve().parents[2]
_FOLDER = _ROOT / "benchmarks"
_RUN = re.compile(r"^def run\(", re.MULTILINE)


def data_folder() -> Path:
    """Where the benchmarks' data sets are: ``BOCAGE_DONNEES``, else ``../shared/data`` beside the source."""
    given = read_setting("BOCAGE_DONNEES")
    return Path(given) if given else _ROOT.parent / "shared" / "data"


def available() -> list[str]:
    """The slugs that have a benchmark: a file with a function ``run``. The other files of the folder serve those."""
    return sorted(path.stem for path in _FOLDER.glob("[a-z]*.py") if _RUN.search(path.read_text(encoding="utf-8")))


def run_bench(slug: str, progress: Callable[[float, str], None]) -> BenchResult:
    """Run ``benchmarks/<slug>.py``. Raises ``UnknownUseCase``, ``InvalidUseCase`` or ``DataFolderMissing``."""
    module = _load(slug)
    try:
        inspect.signature(module.run).bind(data_folder(), progress=progress)
    except TypeError:
        raise InvalidUseCase(
            f"benchmarks/{slug}.py : run{inspect.signature(module.run)} ne prend pas ce que « bocage bench » donne. Attendu : {SIGNATURE}."
        ) from None
    result = module.run(data_folder(), progress=progress)
    if not isinstance(result, BenchResult):
        raise InvalidUseCase(f"benchmarks/{slug}.py : run() a rendu un objet {type(result).__name__}. Attendu : {SIGNATURE}.")
    return result


def _load(slug: str) -> ModuleType:
    if slug not in available():
        known = ", ".join(available()) or "aucun"
        raise UnknownUseCase(f"Aucun banc d’essai ne s’appelle « {slug} ». Bancs présents : {known}.")
    spec = importlib.util.spec_from_file_location(f"benchmarks.{slug}", _FOLDER / f"{slug}.py")
    if spec is None or spec.loader is None:
        raise UnknownUseCase(f"Le banc d’essai « {slug} » ne se charge pas.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@click.command("bench")
@click.argument("slug", required=False)
@click.option("--all", "every", is_flag=True, help="Run every benchmark.")
@json_option
def bench_command(slug: str | None, every: bool, as_json: bool) -> None:
    """Measure a use case against its peers, in the open."""
    if every == bool(slug):
        raise click.UsageError("give one SLUG, or --all")
    results = []
    for name in available() if every else [slug or ""]:
        with progress_bar(as_json) as progress:
            results.append(run_bench(name, progress))
        if not as_json:
            _print_result(results[-1])
    if as_json:
        published = [result.as_json() for result in results]
        print_json(published if every else published[0])


def _print_result(result: BenchResult) -> None:
    metrics = list(dict.fromkeys(key for row in result.rows for key in row if key != "name"))
    rows = [[str(row["name"]), *[_cell(row.get(metric)) for metric in metrics]] for row in result.rows]
    table(f"Banc d’essai {result.slug}", [("", "left"), *[(metric, "right") for metric in metrics]], rows)
    out.print()
    bars = [
        [b.id, _cell(b.value), f"{'≤' if b.sense == '<=' else '≥'} {_cell(b.target)}", "atteint" if b.met else "non atteint"]
        for b in result.bars
    ]
    table("", [("Repère", "left"), ("Mesuré", "right"), ("Visé", "right"), ("", "left")], bars)
    for note in result.notes:
        out.print(note, markup=False, style="dim")
    sources = "; ".join(f"{d.name} {d.version} ({d.licence})" for d in result.datasets)
    out.print(f"Données : {sources}. Durée : {number(result.seconds, 1, 's')}.", markup=False, style="dim")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "oui" if value else "non"
    if isinstance(value, int):
        return number(value)
    if isinstance(value, float):
        return number(value, 0 if abs(value) >= 1000 else 1 if abs(value) >= 100 else 3)
    return str(value)
