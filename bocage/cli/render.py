"""How a run is printed for a person: what was read, what is proposed beside the usual method, what it cost."""

from __future__ import annotations

from typing import Any

from bocage.cli.output import out, table
from bocage.contract.french import between, count, number

_SHOWN = 12


def print_run(document: dict[str, Any]) -> None:
    """Print the record that ``run_document`` gives."""
    for name, report in document["reports"].items():
        _print_report(name, report)
    if document["error"]:
        out.print(document["error"]["message"], markup=False, style="bold")
        return
    engine = document["results"]["engine"]
    _print_proposals(document["usecase"], engine["outcome"], document["results"].get("baseline", {}).get("outcome"))
    for note in engine["outcome"]["notes"][:20]:
        out.print(f"• {note}", markup=False)
    print_cost(document)


def print_cost(document: dict[str, Any]) -> None:
    """One line: duration, energy with its interval and method, memory."""
    engine = document["results"]["engine"]
    energy = engine["energy"]
    method = "mesurée (RAPL)" if energy["method"] == "rapl" else "estimée depuis le temps de calcul"
    out.print(
        f"Exécution {document['run']} : {number(engine['seconds'], 1, 's')}, "
        f"énergie {number(energy['joules'], 0, 'J')} ({between((energy['low'], energy['high']), 0, 'J')}, {method}), "
        f"mémoire {number(engine['peak_mb'], 0, 'Mo')}. Moteur {document['engine_version'][:12]}, entrées {document['input_hash'][:12]}.",
        style="dim",
        markup=False,
    )


def _print_report(name: str, report: dict[str, Any]) -> None:
    errors = report.get("errors", [])
    total = report["lines"] - report["kept"]
    summary = f"{count(report['kept'], 'ligne gardée', 'lignes gardées')}, {number(total)} à corriger"
    out.print(f"{name} ({report['file']}) : {summary}.", markup=False)
    for note in report.get("notes", []):
        out.print(f"  {note}", markup=False, style="dim")
    for error in errors[:10]:
        text = f"  Ligne {error['line']}, colonne {error['column']}. Lu : {error['read']}. Attendu : {error['expected']}."
        out.print(f"{text} {error.get('advice', '')}".rstrip(), markup=False)
    if total > 10:
        out.print(f"  … et {count(total - 10, 'autre ligne', 'autres lignes')} (toutes avec --json).", markup=False)


def _print_proposals(slug: str, outcome: dict[str, Any], baseline: dict[str, Any] | None) -> None:
    usual = {(r["subject"], r["action"]): r for r in (baseline or {}).get("recommendations", [])}
    ranked = sorted(outcome["recommendations"], key=lambda r: -r["score"])
    rows = []
    for rec in ranked[:_SHOWN]:
        reference = rec["evidence"].get("reference", usual.get((rec["subject"], rec["action"]), {}).get("value"))
        rows.append(
            [
                rec["subject"],
                rec["action"],
                value_text(rec["value"], rec["unit"]),
                between(tuple(rec["interval"]), _decimals(rec["interval"][1])) if rec["interval"] else "",
                value_text(reference, ""),
            ]
        )
    columns = [("Sujet", "left"), ("Proposition", "left"), ("Valeur", "right"), ("Intervalle", "right"), ("Méthode habituelle", "right")]
    table(f"Propositions de {slug}, à décider par une personne", columns, rows)
    if len(ranked) > _SHOWN:
        out.print(f"… et {count(len(ranked) - _SHOWN, 'autre proposition', 'autres propositions')} (toutes avec --json ou --output).")


def value_text(value: Any, unit: str) -> str:
    """A value as a person reads it."""
    if value is None:
        return ""
    return number(value, _decimals(value), unit) if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)


def _decimals(value: float) -> int:
    return 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
