"""What the pages of a run show: how far it is, and its results one object at a time, so that no page grows with the data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.paginator import Page
from django.utils import timezone

from bocage.contract import french
from bocage.decisions.models import RoleResult, Run
from bocage.register.figures import standing
from bocage.register.models import Evaluation
from bocage.web.charts import line_chart
from bocage.web.pages.deposits import page_of

_STEPS = (
    "Attendre un processus de calcul",
    "Lire les fichiers et calculer les propositions de Bocage",
    "Calculer la méthode habituelle",
    "Écrire chaque proposition en une phrase",
)
_ENGINE_SHARE = 0.8
ACTIVE = (Run.State.WAITING, Run.State.RUNNING)


def progress(run: Run) -> dict[str, Any]:
    """Percent, time left in words, and the steps with the one under way."""
    waiting = run.state == Run.State.WAITING
    current = 0 if waiting else 1 if run.progress < _ENGINE_SHARE else 2 if run.progress < 1 else 3
    steps = [{"text": text, "done": i < current, "now": i == current} for i, text in enumerate(_STEPS)]
    if not waiting and run.progress_message:
        steps[current]["text"] = f"{steps[current]['text']} : {run.progress_message}"
    percent = int(100 * run.progress)
    label = "En attente" if waiting else f"{percent} % du calcul{_left(run)}"
    return {
        "percent": percent,
        "label": label,
        "steps": steps,
        "step": current,
        "slow": waiting and _age(run) > 20,
        "active": run.state in ACTIVE,
    }


def _age(run: Run) -> float:
    return (timezone.now() - run.requested_at).total_seconds()


def _left(run: Run) -> str:
    if run.started_at is None or not 0.05 < run.progress < 1:
        return ""
    elapsed = (timezone.now() - run.started_at).total_seconds()
    left = elapsed * (1 - run.progress) / run.progress
    return f", encore {french.number(left)} s environ" if left < 90 else f", encore {french.number(left / 60)} min environ"


def rows(runs: Iterable[Run]) -> list[dict[str, Any]]:
    """Lines of the list of runs: decisions made, error against the usual method, energy, duration."""
    runs = list(runs)
    ids = [run.pk for run in runs]
    costs: dict[int, list[tuple[float, float]]] = {}
    for run_id, joules, seconds in RoleResult.objects.filter(run__in=ids).values_list("run_id", "joules", "seconds"):
        costs.setdefault(run_id, []).append((joules, seconds))
    evaluations = standing(Evaluation.objects.filter(run__in=ids).defer("reading"))
    return [
        {
            "run": run,
            "proposals": run.proposed,
            "decided": run.decided,
            "joules": sum(joules for joules, _ in costs[run.pk]) if run.pk in costs else None,
            "seconds": sum(seconds for _, seconds in costs[run.pk]) if run.pk in costs else None,
            "evaluation": evaluations.get(run.pk),
        }
        for run in runs
    ]


def artifacts(outcome: dict[str, Any] | None, wanted: str, number: str | None) -> dict[str, Any]:
    """The objects of an outcome: their list, and the one that is shown, drawn or paged."""
    objects = [a for a in (outcome or {}).get("artifacts", []) if a["kind"] != "document"]
    documents = [a for a in (outcome or {}).get("artifacts", []) if a["kind"] == "document"]
    listed = [{"key": f"{i + 1}", "title": a["title"], "kind": a["kind"]} for i, a in enumerate(objects)]
    index = int(wanted) - 1 if wanted.isascii() and wanted.isdecimal() and 0 < int(wanted[:6]) <= len(objects) else 0
    shown: dict[str, Any] = {"objects": listed, "documents": documents, "key": f"{index + 1}"}
    if not objects:
        return shown
    chosen = objects[index]
    shown["object"] = chosen
    if chosen["kind"] == "chart":
        shown["drawing"] = line_chart(chosen, f"objet-{index + 1}")
    else:
        heads, lines = _table(chosen)
        page: Page[Any] = page_of(lines, number)
        shown |= {"heads": heads, "page": page}
    return shown


def _table(chosen: dict[str, Any]) -> tuple[list[dict[str, Any]], list[Any]]:
    """Columns and lines of a table, each cell with whether it is a number of its column; a map is told by its objects' properties."""
    if chosen["kind"] == "table":
        counted = [_counted(row[i] for row in chosen["rows"]) for i in range(len(chosen["columns"]))]
        heads = [{**column, "counted": is_counted} for column, is_counted in zip(chosen["columns"], counted, strict=True)]
        return heads, [[(_year(head, cell), head["counted"]) for head, cell in zip(heads, row, strict=True)] for row in chosen["rows"]]
    features = chosen["features"].get("features", [])
    names = sorted({name for feature in features[:1000] for name in (feature.get("properties") or {})})
    lines = [[((feature.get("properties") or {}).get(name), False) for name in names] for feature in features]
    return [{"name": name, "title": name, "unit": "", "counted": False} for name in names], lines


def _year(head: dict[str, Any], cell: Any) -> Any:
    """A year is a name: « 2019 », where a number would read « 2 019 »."""
    return str(cell) if head["name"].startswith("annee") and isinstance(cell, int) else cell


def _counted(cells: Iterable[Any]) -> bool:
    """Whether a column holds numbers only, which are read one under the other, units under units."""
    known = [cell for cell in cells if cell is not None]
    return bool(known) and all(isinstance(cell, (int, float)) and not isinstance(cell, bool) for cell in known)


def costs(run: Run) -> list[dict[str, Any]]:
    """Duration, memory and energy of both sides, Bocage first."""
    found = {result.role: result for result in run.results.defer("outcome")}
    ordered = [found[role] for role in ("engine", "baseline") if role in found]
    return [{"result": result, "label": result.get_role_display()} for result in ordered]
