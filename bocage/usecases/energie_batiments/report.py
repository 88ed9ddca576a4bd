"""From what is known of each meter to proposals in euros, tables and pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from pydantic import JsonValue

from bocage.contract.outcome import Chart, Column, DataTable, Recommendation, Scalar, Series
from bocage.usecases.energie_batiments import economics
from bocage.usecases.energie_batiments.analysis import Found
from bocage.usecases.energie_batiments.detect import LEVELS

MONTH = 365.25 / 12
"""Days of a mean month."""

NOTHING = "ne rien faire ce mois-ci"
ASK = "demander les relevés du compteur"
WAIT = "attendre avant de juger"
POWER = "ajuster la puissance souscrite"
SAVED = "retenir l’économie mesurée de l’action"
UNPROVEN = "ne pas retenir d’économie pour l’action, non démontrée"
USUAL = "vérifier la consommation"
DRIFTS = {
    "closed": "vérifier la programmation des jours de fermeture",
    "night": "vérifier la programmation de nuit",
    "base": "chercher un équipement resté allumé",
    "total": "vérifier la consommation",
}
METER = {
    "unit": "vérifier l’unité des relevés",
    "stuck": "vérifier le compteur, dont les valeurs sont figées",
    "clock": "vérifier l’heure de la programmation",
    "gaps": "demander les relevés manquants",
}
ASIDE = (POWER, SAVED, UNPROVEN)
"""Proposals that are not the state of the site."""

NIGHT, BASE = "la nuit", "le talon"
WORDS = {
    "total": "le total du jour",
    "closed": "les jours de fermeture",
    "night": NIGHT,
    "base": BASE,
    "unit": "l’unité des relevés",
    "stuck": "des valeurs figées",
    "clock": "l’heure de la programmation",
    "gaps": "des relevés manquants",
}
"""Kinds of alarms as people read them."""

NO_YEAR = "attendre, faute du même mois de l’an passé"
USUAL_RISE = 0.20
"""Share above the same month of last year from which the usual method tells an excess."""

OF_A_BUILDING = (2.0, 0.5)
"""Factors of a unit that an excess, or its opposite, can look like: what it would cost is told beside the doubt."""

LEVEL = 90
CHARTS = 10
MAPS = 3


@dataclass(frozen=True)
class Site:
    """What the territory says of a meter; ``subject`` is how proposals name it."""

    point: str
    subject: str
    name: str
    price: float
    usage: str = ""
    surface: float | None = None
    subscribed: float | None = None
    reference_year: int | None = None
    reference_kwh: float | None = None


CLOSED_ONLY = 2.0
"""How many times more, in share of their use, closed days exceed than open ones when it is they that are to be looked at."""


def motive(found: Found) -> str | None:
    """What explains an excess best: the stream with an alarm whose own excess is the largest share of itself; None without a level
    alarm."""
    levels = [name for name in found.alarms if name in LEVELS]
    if not levels or (found.drift or 0.0) <= 0:
        return None
    shares = found.band_shares
    total, opened = (max(shares.get(name, 0.0), 0.02) for name in ("total", "open"))
    if "closed" in levels and shares.get("closed", 0.0) > CLOSED_ONLY * opened:
        return "closed"
    if "night" in levels and shares.get("night", 0.0) > 1.5 * total:
        return "night"
    return "base" if "base" in levels and shares.get("base", 0.0) >= shares.get("total", 0.0) else "total"


def meter_fault(found: Found) -> str | None:
    """What is wrong with the meter rather than the building, or None."""
    return next((name for name in METER if name in found.alarms), None)


def proposals(found: Found | None, site: Site, threshold: float, subscribed_price: float, late: bool = False) -> list[Recommendation]:
    """The proposals about one site: what to verify in the building and in its meter (or nothing), then power and savings."""
    if found is None:
        return [_unknown(site, late)]
    return [*_state(found, site, threshold), *_power(found, site, subscribed_price), *_savings(found, site)]


def _base(found: Found, site: Site) -> dict[str, JsonValue]:
    """What is said of every proposal; ``reference`` is told by each, in the unit of its own value."""
    return {"nom": site.name, "point_de_mesure": site.point, "dernier_jour": found.last_day, "prix_eur_kwh": site.price}


def _told(found: Found, site: Site) -> dict[str, JsonValue]:
    """As ``_base``, for proposals in €/month: beside them the excess that the usual method tells (0 when it tells nothing, a text where it
    cannot judge), and the gap to last year that it read."""
    gap = None if found.usual_drift is None else round(found.usual_drift * MONTH * site.price, 1)
    rises = found.usual_share is not None and found.usual_share > USUAL_RISE
    usual = NO_YEAR if gap is None else gap if rises else 0.0
    return {**_base(found, site), "ecart_an_passe_eur_mois": gap, "reference": usual}


def _words(alarms: tuple[str, ...]) -> list[JsonValue]:
    return [WORDS[name] for name in alarms]


def _state(found: Found, site: Site, threshold: float) -> list[Recommendation]:
    """A drift, a fault of the meter, both, or nothing. A fault never hides a drift, nor what it may cost."""
    if found.state != "suivi":
        return [Recommendation(site.subject, WAIT, evidence={**_base(found, site), "raison": found.state})]
    fault, kind = meter_fault(found), motive(found)
    euros = (found.drift or 0.0) * MONTH * site.price
    drifting = kind is not None and euros >= threshold
    if fault is None and not drifting:
        return [_nothing(found, site, threshold, euros)]
    doubtful = fault == "unit" and found.factor in OF_A_BUILDING
    result = [_drift(found, site, kind, euros)] if kind is not None and drifting and not doubtful else []
    return result if fault is None else [*result, _fault(found, site, fault, threshold, euros if drifting and doubtful else None)]


def _nothing(found: Found, site: Site, threshold: float, euros: float) -> Recommendation:
    evidence = _told(found, site)
    if found.over is None:
        evidence |= {"derive_eur_mois": round(euros, 1), "derive_pct": round(100 * (found.share or 0.0), 1)}
    elif found.over[2] * site.price >= max(threshold, 1.0):
        first, last, kwh = found.over
        evidence["terminee"] = {"debut": first, "fin": last, "cout_eur": round(kwh * site.price)}
    return Recommendation(site.subject, NOTHING, 0.0, "€/mois", evidence=evidence)


def _fault(found: Found, site: Site, fault: str, threshold: float, euros: float | None) -> Recommendation:
    """What to verify in the meter. ``euros`` a month if the readings are right after all, None where that is not in question."""
    evidence = _base(found, site) | {
        "depuis": found.fault_since,
        "alarmes": _words(found.alarms),
        "manque_pct": round(100 * found.missing, 1),
    }
    if found.factor is not None:
        evidence["facteur"] = found.factor
    if euros is not None:
        bounds = _euros_bounds(found, site, euros)
        evidence["si_juste"] = {"eur_mois": round(euros, 1), "bornes_eur_mois": None if bounds is None else list(bounds)}
    score = max(1.0, threshold, round(euros or 0.0, 2))
    return Recommendation(site.subject, METER[fault], score=score, evidence=evidence)


def _drift(found: Found, site: Site, kind: str, euros: float) -> Recommendation:
    share = found.band_shares.get(kind, found.share or 0.0) if kind in ("night", "base") else (found.share or 0.0)
    evidence = _told(found, site) | {
        "depuis": found.since,
        "motif": WORDS[kind],
        "hausse_pct": round(100 * share, 0),
        "kwh_mois": round((found.drift or 0.0) * MONTH, 0),
        "niveau_de_confiance_pct": LEVEL,
        "alarmes": _words(found.alarms),
    }
    if found.turned is not None:
        day, before = found.turned
        evidence |= {"autre_niveau_depuis": day, "avant_eur_mois": round(before * MONTH * site.price, 1)}
    if found.doubled:
        evidence["doute_facteur"] = 2
    bounds = _euros_bounds(found, site, euros)
    return Recommendation(site.subject, DRIFTS[kind], round(euros, 1), "€/mois", bounds, round(euros, 2), evidence)


def _euros_bounds(found: Found, site: Site, euros: float) -> tuple[float, float] | None:
    if found.drift_bounds is None:
        return None
    low, high = (round(x * MONTH * site.price, 1) for x in found.drift_bounds)
    return min(low, round(euros, 1)), max(high, round(euros, 1))


def _power(found: Found, site: Site, price: float) -> list[Recommendation]:
    """The kVA to subscribe, beside those subscribed today, where they are too few or would cost less by a tenth."""
    peak = found.profile.get("peak_kw")
    if peak is None or site.subscribed is None or found.yearly_kwh is None:
        return []
    advised = economics.power_to_subscribe(peak)
    gain = (site.subscribed - advised) * price
    too_small = peak / economics.COS_PHI > site.subscribed
    if not too_small and (advised >= 0.9 * site.subscribed or gain <= 0):
        return []
    evidence: dict[str, JsonValue] = {
        **_base(found, site),
        "pointe_kw": round(peak, 1),
        "economie_eur_an": round(gain, 1),
        "prix_kva_eur_an": price,
        "reference": site.subscribed,
    }
    score = round(max(gain, 0.0) / 12, 2)
    return [Recommendation(site.subject, POWER, float(advised), "kVA", None, score, evidence)]


def _savings(found: Found, site: Site) -> list[Recommendation]:
    """The kWh of each action to claim: those measured, or none where zero is not excluded; without a decision none is."""
    result = []
    for label, kwh, low, high, share, days in found.saved:
        bounds = (float(round(low)), float(round(high)))
        proven = low > 0
        evidence: dict[str, JsonValue] = {
            **_base(found, site),
            "libelle": label,
            "mesure_kwh": round(kwh),
            "bornes_kwh": list(bounds),
            "part_pct": round(100 * share, 1),
            "jours": days,
            "niveau_de_confiance_pct": LEVEL,
            "mesure_eur": round(kwh * site.price),
            "reference": 0.0,
        }
        value, action = (float(round(kwh)), SAVED) if proven else (0.0, UNPROVEN)
        result.append(Recommendation(site.subject, action, value, "kWh", bounds if proven else None, 0.0, evidence))
    return result


def _unknown(site: Site, late: bool) -> Recommendation:
    reason = "le temps accordé est écoulé" if late else "aucun relevé"
    return Recommendation(site.subject, WAIT if late else ASK, evidence={"nom": site.name, "point_de_mesure": site.point, "raison": reason})


def usual_proposal(found: Found | None, site: Site, late: bool = False) -> Recommendation:
    """The usual method: more than 20 % above the same month last year, corrected by degree days."""
    if found is None:
        return _unknown(site, late)
    if found.usual_drift is None or found.usual_share is None:
        return Recommendation(site.subject, WAIT, evidence={**_base(found, site), "raison": "pas de même mois l’an passé"})
    evidence = _told(found, site) | {"hausse_pct": round(100 * found.usual_share, 0)}
    if found.usual_share <= USUAL_RISE:
        return Recommendation(site.subject, NOTHING, 0.0, "€/mois", evidence=evidence)
    euros = round(found.usual_drift * MONTH * site.price, 1)
    return Recommendation(site.subject, USUAL, euros, "€/mois", None, euros, {**evidence, "seuil_pct": round(100 * USUAL_RISE)})


def drift_table(recommendations: list[Recommendation], points: dict[str, str]) -> DataTable:
    """One line per site, that of its drift where its meter is to be verified too: the excess proposed (0 where nothing is), its bounds,
    and what the usual method says. ``evaluate`` reads it."""
    columns = (
        Column("point_de_mesure", "Compteur"),
        Column("nom", "Bâtiment"),
        Column("action", "Proposition"),
        Column("surcout_eur_mois", "Surcoût", "€/mois"),
        Column("bas_eur_mois", "Borne basse", "€/mois"),
        Column("haut_eur_mois", "Borne haute", "€/mois"),
        Column("depuis", "Depuis"),
        Column("ecart_an_passe_eur_mois", "Écart au même mois de l’an passé, corrigé des DJU", "€/mois"),
    )
    states: dict[str, Recommendation] = {}
    for rec in recommendations:
        if rec.action not in ASIDE and (rec.subject not in states or rec.action in DRIFTS.values()):
            states[rec.subject] = rec
    rows: list[tuple[Scalar, ...]] = []
    for rec in states.values():
        low, high = rec.interval or (None, None)
        value = rec.value if isinstance(rec.value, (int, float)) else 0.0
        since, gap = rec.evidence.get("depuis"), rec.evidence.get("ecart_an_passe_eur_mois")
        rows.append(
            (
                points[rec.subject],
                str(rec.evidence["nom"]),
                rec.action,
                value,
                low,
                high,
                since if isinstance(since, str) else None,
                gap if isinstance(gap, (int, float)) else None,
            )
        )
    return DataTable("derives", "Surcoûts, du plus cher au moins cher", columns, tuple(rows))


def site_table(found: list[tuple[Found, Site]]) -> DataTable:
    """Base load, use out of hours, weather-corrected year, and balance points of each meter."""
    parts: list[tuple[Column, Callable[[Found, Site], Scalar]]] = [
        (Column("point_de_mesure", "Compteur"), lambda f, s: s.point),
        (Column("nom", "Bâtiment"), lambda f, s: s.name),
        (Column("an_kwh", "Douze derniers mois", "kWh"), lambda f, s: f.yearly_kwh),
        (Column("an_complete_pct", "Dont complétés", "%"), lambda f, s: None if f.yearly_kwh is None else _percent(f.completed)),
        (Column("an_corrige_kwh", "Corrigés de la météo", "kWh"), lambda f, s: f.adjusted_kwh),
        (Column("an_kwh_m2", "Par m² chauffé", "kWh"), lambda f, s: _ratio(f.yearly_kwh, s.surface)),
        (Column("talon_kw", "Talon (toujours allumé)", "kW"), lambda f, s: f.profile.get("base_kw")),
        (Column("nuit_pct", "Part des nuits", "%"), lambda f, s: _percent(f.profile.get("night"))),
        (Column("fermeture_pct", "Part des week-ends et fériés", "%"), lambda f, s: _percent(f.profile.get("weekend"))),
        (Column("vacances_pct", "Part des vacances scolaires", "%"), lambda f, s: _percent(f.profile.get("holidays"))),
        (Column("hors_usage_eur_an", "Au-dessus du talon, fermé", "€/an"), lambda f, s: _euros(f.profile.get("waste"), s.price)),
        (Column("chauffe_sous_c", "Chauffe sous", "°C"), lambda f, s: f.balance.get("heating_point")),
        (Column("chauffe_kwh_c", "Par degré et par jour", "kWh"), lambda f, s: f.balance.get("heating")),
        (Column("climatise_sur_c", "Climatise au-dessus de", "°C"), lambda f, s: f.balance.get("cooling_point")),
    ]
    rows = tuple(tuple(read(f, s) for _, read in parts) for f, s in found)
    return DataTable("sites", "Profil de chaque compteur", tuple(column for column, _ in parts), rows)


def operat_table(found: list[tuple[Found, Site]]) -> DataTable | None:
    """Where the declared sites stand on their way to −40, −50 and −60 %; None when no site gives its reference."""
    rows: list[tuple[Scalar, ...]] = []
    for f, s in found:
        if s.reference_kwh is None or f.yearly_kwh is None:
            continue
        now = f.adjusted_kwh or f.yearly_kwh
        aims = [round(economics.operat_target(s.reference_kwh, year)) for year, _ in economics.OPERAT]
        known = None if s.surface is None else ("oui" if s.surface >= economics.OPERAT_SURFACE else "selon le bâtiment entier")
        rows.append(
            (
                s.point,
                s.name,
                s.reference_year,
                round(s.reference_kwh),
                round(now),
                round(100 * (now / s.reference_kwh - 1), 1),
                *aims,
                known,
            )
        )
    if not rows:
        return None
    columns = (
        Column("point_de_mesure", "Compteur"),
        Column("nom", "Bâtiment"),
        Column("annee_reference", "Année de référence"),
        Column("reference_kwh", "Référence", "kWh"),
        Column("an_corrige_kwh", "Douze derniers mois, corrigés de la météo", "kWh"),
        Column("ecart_pct", "Écart à la référence", "%"),
        *(Column(f"objectif_{year}_kwh", f"Objectif {year} (−{round(100 * cut)} %)", "kWh") for year, cut in economics.OPERAT),
        Column("assujetti", "Surface de 1 000 m² ou plus"),
    )
    return DataTable("operat", "Préparation de la déclaration OPERAT", columns, tuple(rows))


def chart(found: Found, site: Site) -> Chart:
    """The watched days: measured, and what calendar and weather foresaw."""
    series = (Series("Mesuré", "measured", found.actual), Series("Attendu", "forecast", found.expected))
    return Chart(f"jours_{site.point}", f"{site.name} : consommation de chaque jour", found.days, series, "kWh", site.subject)


def heat_map(found: Found, site: Site) -> DataTable:
    """24 hours by 365 days: one line per day. ``found`` must have its map."""
    assert found.heat_map is not None
    days, values = found.heat_map
    columns = (Column("jour", "Jour"), *(Column(f"h{h:02d}", f"{h} h", "kWh") for h in range(24)))
    rows = tuple(
        (str(day.date().isoformat()), *(round(float(x), 2) if np.isfinite(x) else None for x in row))
        for day, row in zip(days, values, strict=True)
    )
    return DataTable(f"carte_{site.point}", f"{site.name} : carte des heures de l’année", columns, rows)


def _ratio(value: float | None, by: float | None) -> float | None:
    return None if value is None or not by else round(value / by, 1)


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 1)


def _euros(kwh: float | None, price: float) -> float | None:
    return None if kwh is None else round(kwh * price)
