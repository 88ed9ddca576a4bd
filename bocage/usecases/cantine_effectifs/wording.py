"""The sentences of this use case: factors in words, and why a number of meals is proposed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import cast

from pydantic import JsonValue

from bocage.contract import french
from bocage.contract.outcome import Recommendation

LEAST_EFFECT = 0.004
"""Effects under 0.4 % are not told: they are smaller than what chance does."""

_GROUPS = (
    ("le jour de la semaine", ("jour de la semaine",)),
    ("le menu", ("menu (poisson, viande…)", "menu (poisson, viande…) selon le jour", "menu (mots des plats)")),
    (
        "le calendrier scolaire",
        (
            "fin de l’année scolaire",
            "fin de l’année scolaire, selon le jour",
            "veille des grandes vacances",
            "rentrée de septembre",
            "place entre deux vacances",
            "calendrier (vacances, ponts, fêtes)",
        ),
    ),
    ("la saison", ("saison",)),
    ("la fréquentation récente", ("niveau des dernières semaines", "niveau des derniers mois")),
)


def top_factors(parts: Mapping[str, float], count: int = 3) -> list[JsonValue]:
    """The strongest groups of factors of a day, each ``{"facteur": words, "effet_pct": signed per cent}``, at most ``count``."""
    found = []
    for words, names in _GROUPS:
        effect = 1.0
        for name in names:
            effect *= 1.0 + parts.get(name, 0.0)
        if abs(effect - 1.0) >= LEAST_EFFECT:
            found.append((abs(effect - 1.0), words, round(100 * (effect - 1.0), 1)))
    found.sort(key=lambda item: (-item[0], item[1]))
    return [{"facteur": words, "effet_pct": effect} for _, words, effect in found[:count]]


def sentence(rec: Recommendation) -> str:
    """One French sentence on a proposal; every number in it is in ``rec``."""
    evidence = rec.evidence
    when = french.day(date.fromisoformat(str(evidence["jour"])))
    whole = "sites" in evidence
    who = "toute la ville" if whole else f"le site {rec.subject}"
    value = french.number(cast(float, rec.value), 0, "repas")
    reference = french.number(cast(float, evidence["reference"]), 0)
    habit = _habit(evidence)
    if "attendu" not in evidence:
        return f"Le {when}, la méthode habituelle commande {value} pour {who} : {habit}."
    expected = french.number(cast(float, evidence["attendu"]), 0)
    safety = _margin(cast(int, evidence["marge"]))
    factors = _told(cast("list[dict[str, JsonValue]]", evidence.get("facteurs") or []))
    strike = _strike(evidence)
    # An order beside an order: the margin of each is named, or said to be within.
    usual = f"la commande habituelle serait de {reference} ({habit})"
    return f"Le {when}{strike}, {value} sont proposés pour {who} : {expected} attendus, {safety} ; {usual}{factors}."


def _margin(margin: int) -> str:
    return f"plus une marge de {french.number(margin)}" if margin >= 0 else f"moins {french.number(-margin)} selon le risque accepté"


def _habit(evidence: Mapping[str, JsonValue]) -> str:
    same = "les mêmes jours des dernières semaines"
    if evidence.get("reference_agents"):
        return "la prévision des agents, telle quelle"
    told = cast(int, evidence.get("sites_selon_agents", 0))
    if not told:
        # Proposals of former versions do not tell the two apart.
        if "reference_attendu" not in evidence:
            return f"{same}, marge comprise"
        expected = french.number(cast(float, evidence["reference_attendu"]), 0)
        return f"{expected} selon {same}, {_margin(cast(int, evidence['reference_marge']))}"
    of = cast(int, evidence["sites"])
    return f"selon les agents pour {french.count(told, 'site')} sur {french.number(of)}, {same} et une marge pour les autres"


def _strike(evidence: Mapping[str, JsonValue]) -> str:
    if not evidence.get("greve"):
        return ""
    known = "part_servie_les_jours_de_greve" in evidence
    return ", un jour de grève annoncée" + ("" if known else " mais compté comme un jour ordinaire, faute d’assez de grèves passées")


def _told(factors: list[dict[str, JsonValue]]) -> str:
    if not factors:
        return ""
    said = [f"{item['facteur']} ({_signed(cast(float, item['effet_pct']))})" for item in factors]
    return " ; comptent surtout " + ", ".join(said)


def _signed(effect: float) -> str:
    return f"{'+' if effect > 0 else ''}{french.number(effect, 1, '%')}"
