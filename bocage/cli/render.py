"""How a run is printed for a person: what was read, what is proposed beside the usual method, what it cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bocage.cli.output import out, table
from bocage.contract.fiche import Fiche
from bocage.contract.french import between, count, number, percent

_SHOWN = 8


def print_run(document: dict[str, Any]) -> None:
    """Print the record that ``run_document`` gives."""
    for name, report in document["reports"].items():
        _print_report(name, report)
    if document["error"]:
        out.print(document["error"]["message"], markup=False, style="bold")
        return
    engine = document["results"]["engine"]
    _print_proposals(document["usecase"], document["proposals"])
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


def _print_proposals(slug: str, proposals: list[dict[str, Any]]) -> None:
    """The best-ranked proposals, each in the sentence that the engine gave it: value, interval, usual method, reason."""
    table(
        f"Propositions de {slug}, à décider par une personne",
        [("", "right"), ("Sujet", "left"), ("Ce que la machine propose, et pourquoi", "left")],
        [[str(each["rank"]), each["subject"], each["sentence"]] for each in proposals[:_SHOWN]],
    )
    if len(proposals) > _SHOWN:
        out.print(f"… et {count(len(proposals) - _SHOWN, 'autre proposition', 'autres propositions')} (toutes avec --json ou --output).")
    out.print()


def print_gains(fiche: Fiche, gains: Mapping[str, Mapping[str, float]]) -> None:
    """What each method was worth, named as on the portal: the methods side by side, then what was observed and how much was compared."""
    from bocage.register import figures

    def titled(name: str) -> str:
        words, unit = (fiche.mesure.titre, fiche.mesure.unite) if name == fiche.mesure.nom else figures.title(name)
        return f"{words} ({unit})" if unit else words

    engine, baseline = gains["engine"], gains["baseline"]
    rows = []
    for name in sorted(figures.of_the_method(engine), key=lambda name: name != fiche.mesure.nom):
        ours, usual = engine[name], baseline.get(name)
        gap = percent(ours / usual - 1, 1, signed=True) if usual else ""
        rows.append([titled(name), number(ours, 2), number(usual, 2) if usual is not None else "", gap])
    columns = [("", "left"), ("Bocage", "right"), ("Habituelle", "right"), ("Écart", "right")]
    table("Comparé à ce qui s’est vraiment passé ensuite", columns, rows)
    compared = ", ".join(map(str, figures.coverages(engine)))
    if compared:
        out.print(f"Comparé : {compared}.", markup=False)
    for name in figures.observed(engine):
        out.print(f"{titled(name)} : {number(engine[name], 0 if engine[name] == int(engine[name]) else 2)}.", markup=False)
    out.print(f"Méthode habituelle : {fiche.methode_habituelle}", markup=False, style="dim")
