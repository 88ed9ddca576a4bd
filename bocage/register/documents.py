"""The register as data: JSON and CSV of a stable shape, described in ``docs/register.md``. No name of an agent is in them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

from bocage.contract.tables import safe_cell
from bocage.journal.models import Anchor
from bocage.organisations.models import Organisation
from bocage.register import history
from bocage.register.services import Entry

FORMAT, VERSION = "bocage-register", "1.0"
# Proposals are decided by a person and are no decision of their own: what can be contested is what the authority then decides.
_OBJECTION = (
    "S’adresser à la collectivité ; recours administratif (code des relations entre le public et l’administration, article L. 411-2) ; "
    "recours devant le tribunal administratif (code de justice administrative, article R. 421-1). Si une décision individuelle en était "
    "tirée : droit à connaître les règles du traitement (même code des relations, article L. 311-3-1)."
)
_PERSONAL = " Opposition au traitement de ses données : RGPD, article 21."
CSV_COLUMNS = (
    "slug", "name", "category", "status", "begin_date", "decider", "lawful_basis", "personal_data", "ai_act_risk", "runs", "proposals",
    "accepted", "amended", "refused", "metric", "metric_unit", "bocage", "usual_method", "gain", "gain_low", "gain_high", "evaluations",
    "energy_joules", "energy_low", "energy_high", "website",
)  # fmt: skip


def register_document(organisation: Organisation, entries: list[Entry], website: Any) -> dict[str, Any]:
    """The whole register. ``website(slug)`` gives the public address of an entry's page."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "lang": "fra",
        "organisation": _organisation(organisation),
        "entries": [entry_object(e, website(e.fiche.slug)) for e in entries],
        "journal": {"anchors": [anchor_object(a) for a in history.anchors()]},
    }


def entry_document(organisation: Organisation, entry: Entry, website: str) -> dict[str, Any]:
    """The page of one use case, with its last runs."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "lang": "fra",
        "organisation": _organisation(organisation),
        "entry": {**entry_object(entry, website), "last_runs": [_run(line) for line in history.run_lines(entry.fiche.slug)]},
        "journal": {"anchors": [anchor_object(a) for a in history.anchors(1)]},
    }


def entry_object(entry: Entry, website: str) -> dict[str, Any]:
    """One use case: names of the Dutch standard where it has them, then what was observed."""
    fiche, publication = entry.fiche, entry.publication
    return {
        "source_id": fiche.slug,
        "name": fiche.titre,
        "description_short": fiche.finalite,
        "organization": publication.organisation.name,
        "category": [fiche.domaine],
        "status": publication.status,
        "begin_date": publication.since.isoformat(),
        "website": website,
        "goal": fiche.finalite,
        "impact": fiche.personnes_concernees,
        "human_intervention": publication.decider or fiche.decideur,
        "lawful_basis": fiche.base_legale,
        "risk_category": fiche.risque_ai_act,
        "risks": list(fiche.limites),
        "excluded_uses": list(fiche.usages_exclus),
        "alternatives_considered": list(fiche.alternatives),
        "personal_data": fiche.donnees_personnelles,
        "source_data": [{"name": s.titre, "licence": s.licence, "url": s.url} for s in fiche.sources],
        "methods_and_models": fiche.methode,
        "usual_method": fiche.methode_habituelle,
        "objection_procedure": _OBJECTION + (_PERSONAL if fiche.donnees_personnelles != "aucune" else ""),
        "performance": _performance(entry),
        "decisions": {
            "proposals": entry.proposals,
            "decided": entry.decided,
            "accepted": entry.accepted,
            "amended": entry.amended,
            "refused": entry.refused,
            "acceptance": entry.acceptance,
        },
        "energy": {
            "joules": entry.joules,
            "low": entry.joules_low,
            "high": entry.joules_high,
            "runs": entry.runs,
            "unfinished_runs": entry.unfinished,
            "joules_per_run": entry.joules_per_run,
        },
        "last_change_date": history.updated_at(entry).isoformat(),
    }


def anchor_object(anchor: Anchor) -> dict[str, Any]:
    """An anchor, as ``bocage journal verify --anchors`` reads it."""
    return {"sequence": anchor.sequence, "hash": anchor.hash, "published_at": anchor.published_at.isoformat()}


def register_csv(entries: list[Entry], website: Any) -> str:
    """One line per use case: UTF-8 with BOM, «;», no cell that a spreadsheet would run."""
    return _csv(CSV_COLUMNS, (_csv_line(e, website(e.fiche.slug)) for e in entries))


def entry_csv(entry: Entry) -> str:
    """One line per evaluation of a use case."""
    head = ("run", "run_date", "evaluation_date", "metric", "metric_unit", "bocage", "usual_method", "gain")
    mesure = entry.fiche.mesure
    lines = (
        (m.run, m.run_at.isoformat() if m.run_at else "", m.when.isoformat(), mesure.nom, mesure.unite, m.engine, m.baseline, m.gain)
        for m in entry.measures
    )
    return _csv(head, lines)


def _csv_line(entry: Entry, website: str) -> tuple[Any, ...]:
    fiche, low_high = entry.fiche, entry.gain_interval or ("", "")
    return (
        fiche.slug, fiche.titre, fiche.domaine, entry.publication.status, entry.publication.since.isoformat(),
        entry.publication.decider or fiche.decideur, fiche.base_legale, fiche.donnees_personnelles, fiche.risque_ai_act, entry.runs,
        entry.proposals, entry.accepted, entry.amended, entry.refused, fiche.mesure.nom, fiche.mesure.unite, entry.engine_mean,
        entry.baseline_mean, entry.gain, *low_high, len(entry.measures), entry.joules, entry.joules_low, entry.joules_high, website,
    )  # fmt: skip


def _csv(head: Iterable[str], lines: Iterable[Iterable[Any]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(head)
    for line in lines:
        writer.writerow(["" if cell is None else safe_cell(str(cell)) for cell in line])
    return "\ufeff" + text.getvalue()


def _organisation(organisation: Organisation) -> dict[str, Any]:
    return {
        "slug": organisation.slug,
        "name": organisation.name,
        "kind": organisation.kind,
        "siren": organisation.siren,
        "contact": organisation.contact,
    }


def _performance(entry: Entry) -> dict[str, Any]:
    mesure = entry.fiche.mesure
    return {
        "metric": {"name": mesure.nom, "title": mesure.titre, "unit": mesure.unite, "better": mesure.sens},
        "bocage": entry.engine_mean,
        "usual_method": entry.baseline_mean,
        "gain": entry.gain,
        "gain_interval_95": list(entry.gain_interval) if entry.gain_interval else None,
        "gain_shown": entry.gain is not None and not entry.no_gain,
        "drifting": entry.drifting,
        "evaluations": [
            {"run": m.run, "run_date": m.run_at.isoformat() if m.run_at else None, "date": m.when.isoformat(), "bocage": m.engine,
             "usual_method": m.baseline, "gain": m.gain}
            for m in entry.measures
        ],
    }  # fmt: skip


def _run(line: history.RunLine) -> dict[str, Any]:
    return {
        "run": line.run,
        "date": line.at.isoformat(),
        "proposals": line.proposals,
        "energy": {"joules": line.joules, "low": line.joules_low, "high": line.joules_high, "method": line.method},
        "engine_version": line.engine_version,
    }
