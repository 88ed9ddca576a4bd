"""Each proposal in one French sentence, whose numbers are all in the proposal."""

from __future__ import annotations

from datetime import date
from typing import Any, cast

from bocage.contract import french
from bocage.contract.outcome import Recommendation
from bocage.usecases.energie_batiments import report


def explain(rec: Recommendation) -> str:
    """One French sentence; every number in it is in ``rec``."""
    if rec.action == report.POWER:
        return _power(rec)
    if rec.action in (report.SAVED, report.UNPROVEN):
        return _savings(rec)
    if rec.action in (report.USUAL, *report.DRIFTS.values()):
        return _drift(rec)
    name = _upper(str(rec.evidence["nom"]))
    if rec.action in (report.ASK, report.WAIT):
        return f"{name} : {rec.action} ({rec.evidence['raison']})."
    return _nothing(name, rec) if rec.action == report.NOTHING else _fault(name, rec)


def _nothing(name: str, rec: Recommendation) -> str:
    over = cast("dict[str, Any] | None", rec.evidence.get("terminee"))
    if over is None:
        return f"{name} : sa consommation suit son calendrier et la météo, il n’y a rien à faire ce mois-ci."
    first, last, cost = _day(over["debut"]), _day(over["fin"]), french.number(over["cout_eur"], 0, "€")
    return f"{name} : rien à faire ce mois-ci, la hausse commencée le {first} est terminée depuis le {last} et a coûté environ {cost}."


def _fault(name: str, rec: Recommendation) -> str:
    since, doubt = rec.evidence.get("depuis"), cast("dict[str, Any] | None", rec.evidence.get("si_juste"))
    when = f" (depuis le {_day(since)})" if isinstance(since, str) else ""
    if doubt is None:
        return f"{name} : {rec.action}{when}."
    euros, bounds = french.number(doubt["eur_mois"], 0, "€"), doubt["bornes_eur_mois"]
    between = f" ({french.between((bounds[0], bounds[1]), 0, '€')})" if bounds else ""
    return f"{name} : {rec.action}{when} ; si elle est juste, c’est un surcoût d’environ {euros} par mois{between}."


def _drift(rec: Recommendation) -> str:
    name, euros = _upper(str(rec.evidence["nom"])), french.number(cast(float, rec.value), 0, "€")
    rise = french.percent(cast(float, rec.evidence["hausse_pct"]) / 100, 0, signed=True)
    if rec.action == report.USUAL and "seuil_pct" in rec.evidence:
        return f"{name} : {rec.action}, {rise} sur le même mois de l’an passé corrigé des degrés jours, soit environ {euros} par mois."
    where = {report.NIGHT: " la nuit", report.BASE: " sur le talon"}.get(str(rec.evidence.get("motif")), "")
    since = rec.evidence.get("depuis")
    began = f" le {_day(since)}" if isinstance(since, str) else ""
    bounds = f" ({french.between(rec.interval, 0, '€')})" if rec.interval else ""
    doubt = " ; toutes les heures ont doublé, vérifiez aussi l’unité des relevés" if "doute_facteur" in rec.evidence else ""
    turned = rec.evidence.get("autre_niveau_depuis")
    if isinstance(turned, str):
        before = french.number(cast(float, rec.evidence["avant_eur_mois"]), 0, "€")
        now = f"soit environ {euros} par mois{bounds} depuis le {_day(turned)}, contre {before} auparavant"
        return f"{name} : {rec.action}, hausse commencée{began} et à présent de {rise}{where}, {now}{doubt}."
    when = f" depuis{began}" if began else ""
    return f"{name} : {rec.action}, {rise}{where}{when}, soit environ {euros} par mois{bounds}{doubt}."


def _power(rec: Recommendation) -> str:
    e = rec.evidence
    now, then = (french.number(cast(float, kva), 0, "kVA") for kva in (e["reference"], rec.value))
    peak = french.number(cast(float, e["pointe_kw"]), 1, "kW")
    gain = cast(float, e["economie_eur_an"])
    money = (
        f"une économie d’environ {french.number(gain, 0, '€')} par an"
        if gain > 0
        else f"un coût d’environ {french.number(-gain, 0, '€')} par an"
    )
    name = _upper(str(e["nom"]))
    return f"{name} : passer la puissance souscrite de {now} à {then}, la plus forte heure de l’année étant de {peak}, pour {money}."


def _savings(rec: Recommendation) -> str:
    e = rec.evidence
    low, high = cast("list[float]", e["bornes_kwh"])
    days = french.count(cast(int, e["jours"]), "jour")
    done = f"{_upper(str(e['nom']))} : l’action « {e['libelle']} »"
    if rec.action == report.SAVED:
        kwh, share = french.number(cast(float, rec.value), 0, "kWh"), french.percent(cast(float, e["part_pct"]) / 100, 1)
        return f"{done} a évité {kwh} ({french.between((low, high), 0, 'kWh')}) en {days}, soit {share} de ce qui était attendu sans elle."
    if high < 0:
        more = french.between((-high, -low), 0, "kWh")
        return f"{done} n’a pas d’économie démontrée, il a été consommé {more} de plus que sans elle en {days}."
    bounds = french.between((low, high), 0, "kWh")
    return f"{done} n’a pas d’économie démontrée, elle se situe {bounds} en {days} et zéro n’est pas exclu."


def _day(text: str) -> str:
    return french.day(date.fromisoformat(text), weekday=False, year=True)


def _upper(name: str) -> str:
    return name[:1].upper() + name[1:]
