"""Watch the meters of a territory's buildings: which ten drifts are worth a phone call, in euros, and since when.

Readings in any documented form come in; ``analysis`` models and watches them batch by batch; here they become proposals, tables and
sentences. Nothing here writes a set point: a named person decides, and does it.
"""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path
from typing import ClassVar, cast

import pandas as pd
from pydantic import BaseModel

from bocage.contract import french
from bocage.contract.errors import InvalidParams, NotEnoughData, UnreadableFile
from bocage.contract.outcome import Artifact, Outcome, Recommendation
from bocage.contract.rows import FileInput, Row
from bocage.contract.usecase import Inputs, Resources, Truth
from bocage.methods.calendars import SchoolZone, public_holidays
from bocage.usecases.energie_batiments import report, sources
from bocage.usecases.energie_batiments.analysis import Action, Choices, Found
from bocage.usecases.energie_batiments.report import Site
from bocage.usecases.energie_batiments.rows import COURBES, ActionRow, ConstatRow, EnergieBatimentsParams, MeteoRow, ReleveRow, SiteRow

ZONES: dict[str, tuple[SchoolZone, ...]] = {"auto": ("A", "B", "C"), "A": ("A",), "B": ("B",), "C": ("C",)}


class EnergieBatiments:
    """Weather and calendar models of each meter, watched daily, against the same month of last year."""

    inputs: ClassVar[dict[str, type[Row] | FileInput]] = {
        "sites": SiteRow,
        "releves": ReleveRow,
        "courbes": COURBES,
        "meteo": MeteoRow,
        "actions": ActionRow,
    }
    truth: ClassVar[dict[str, type[Row]]] = {"constats": ConstatRow}
    params: ClassVar[type[BaseModel]] = EnergieBatimentsParams

    def run(self, inputs: Inputs, params: BaseModel, res: Resources) -> Outcome:
        """Drifts in €/month, meters to verify, power, savings. Raises ``NotEnoughData`` when no site is given, ``UnreadableFile``
        on files."""
        chosen = cast(EnergieBatimentsParams, params)
        sites, found, notes = _found(inputs, chosen, res, usual=False)
        late = sources.LATE in notes
        recommendations = [
            rec for site in sites for rec in report.proposals(found.get(site.point), site, chosen.seuil_eur_mois, chosen.prix_kva_an, late)
        ]
        recommendations.sort(key=lambda rec: (-rec.score, rec.subject, rec.action))
        outcome = Outcome(recommendations, _artifacts(recommendations, sites, found), notes)
        res.progress(1.0, "Terminé")
        return outcome

    def baseline(self, inputs: Inputs, params: BaseModel, res: Resources) -> Outcome:
        """The last thirty days against the same of last year, corrected by degree days; told above 20 %. Same errors as ``run``."""
        sites, found, notes = _found(inputs, cast(EnergieBatimentsParams, params), res, usual=True)
        recommendations = [report.usual_proposal(found.get(site.point), site, sources.LATE in notes) for site in sites]
        recommendations.sort(key=lambda rec: (-rec.score, rec.subject, rec.action))
        return Outcome(recommendations, [report.drift_table(recommendations, {site.subject: site.point for site in sites})], notes)

    def evaluate(self, outcome: Outcome, truth: Truth) -> dict[str, float]:
        """Mean gap between the excess told and the one found on the spot (€/month), and how many alerts were right and missed."""
        table = outcome.table("derives")
        told = pd.DataFrame(table.rows, columns=[c.name for c in table.columns])[["point_de_mesure", "surcout_eur_mois"]]
        happened = truth["constats"].groupby("point_de_mesure", as_index=False)["surcout_eur_mois"].mean()
        both = happened.merge(told, on="point_de_mesure", suffixes=("_vrai", "_dit"))
        if both.empty:
            return {"ecart_surcout": 0.0, "sites": 0.0}
        real, said = both["surcout_eur_mois_vrai"], both["surcout_eur_mois_dit"]
        return {
            "ecart_surcout": float((real - said).abs().mean()),
            "sites": float(len(both)),
            "alertes_justes": float(((real > 0) & (said > 0)).sum()),
            "alertes_fausses": float(((real <= 0) & (said > 0)).sum()),
            "derives_manquees": float(((real > 0) & (said <= 0)).sum()),
        }

    def explain(self, rec: Recommendation) -> str:
        """One French sentence; every number in it is in ``rec``."""
        if rec.action == report.POWER:
            return _explain_power(rec)
        if rec.action == report.SAVED:
            return _explain_savings(rec)
        if isinstance(rec.value, (int, float)) and rec.value > 0:
            return _explain_drift(rec)
        name = str(rec.evidence["nom"])
        if rec.action in (report.ASK, report.WAIT):
            return f"{_upper(name)} : {rec.action} ({rec.evidence['raison']})."
        if rec.action == report.NOTHING:
            return f"{_upper(name)} : sa consommation suit son calendrier et la météo, il n’y a rien à faire ce mois-ci."
        since = rec.evidence.get("depuis")
        return f"{_upper(name)} : {rec.action}{'' if not isinstance(since, str) else f' (depuis le {_day(since)})'}."


def _found(
    inputs: Inputs, params: EnergieBatimentsParams, res: Resources, *, usual: bool
) -> tuple[list[Site], dict[str, Found], list[str]]:
    """Sites to speak of, what is known of their meters, and notes. Notes about meters that no site names come last."""
    started = time.monotonic()
    try:
        public_holidays(params.territoire, [2024])
    except ValueError:
        raise InvalidParams(
            f"Le territoire « {params.territoire} » est inconnu : donnez FR, FR-57, FR-6AE, FR-971… ou un autre pays."
        ) from None
    table = cast(pd.DataFrame, inputs["sites"]).dropna(subset=["point_de_mesure", "nom"])
    if table.empty:
        raise NotEnoughData("La table des sites est vide : donnez un compteur par ligne, avec le nom de son bâtiment.")
    notes: list[str] = []
    weather = _weather(cast("pd.DataFrame | None", inputs.get("meteo")), notes)
    gas = {}
    if "coefficient_kwh_m3" in table:
        known = table.dropna(subset=["coefficient_kwh_m3"])
        gas = dict(zip(known["point_de_mesure"].astype(str), known["coefficient_kwh_m3"].astype(float), strict=True))
    readings = cast("pd.DataFrame | None", inputs.get("releves"))
    if readings is not None and readings["unite"].astype(str).str.contains("PCI").any():
        notes.append("Des relevés de gaz sont en PCI : ils ont été convertis en PCS (× 1,11), l’unité des factures.")
    res.progress(0.02, "Lecture des relevés")
    batches, said = sources.tasks(readings, cast("Path | None", inputs.get("courbes")), gas, params.horodatage_courbes, "Europe/Paris")
    choices = Choices(params.territoire, ZONES.get(params.zone_scolaire, ()), params.surveillance_jours, usual=usual)
    actions = () if usual else _actions(cast("pd.DataFrame | None", inputs.get("actions")))
    found, more = sources.run(
        batches,
        weather,
        choices,
        actions,
        res.pool,
        lambda share: res.progress(0.05 + 0.9 * share, "Analyse des compteurs"),
        started + 0.9 * res.seconds,
    )
    by_point = {one.point: one for one in found}
    sites = _sites(table, params, by_point, notes)
    return sites, by_point, [*notes, *said, *more]


def _weather(table: pd.DataFrame | None, notes: list[str]) -> pd.DataFrame | None:
    """The weather, refused when it is in Fahrenheit: 50 °F read as °C would erase every winter."""
    if table is None or table["temperature_c"].dropna().empty:
        notes.append("Sans météo, les dérives ne sont pas corrigées de la température : un mois froid peut en donner.")
        return None
    values = table["temperature_c"].dropna()
    if float(values.quantile(0.95)) > 45 or float(values.median()) > 35:
        raise UnreadableFile("Les températures de « meteo » semblent être en °F : donnez-les en °C, soit (°F − 32) ÷ 1,8.")
    return table


def _actions(table: pd.DataFrame | None) -> tuple[Action, ...]:
    if table is None:
        return ()
    ordered = table.sort_values(["point_de_mesure", "debut", "fin", "libelle"], kind="stable")
    return tuple(
        Action(str(row.point_de_mesure), pd.Timestamp(row.debut), pd.Timestamp(max(row.debut, row.fin)), str(row.libelle))
        for row in ordered.itertuples()
    )


def _sites(table: pd.DataFrame, params: EnergieBatimentsParams, found: dict[str, Found], notes: list[str]) -> list[Site]:
    """Sites by point, the last line of a point kept; a meter without a site is told, not shown."""
    ordered = table.sort_values(["point_de_mesure", "nom"], kind="stable").drop_duplicates("point_de_mesure", keep="last")
    count = ordered["nom"].value_counts()
    result = []
    for row in ordered.to_dict("records"):
        name, point = str(row["nom"]), str(row["point_de_mesure"])
        result.append(
            Site(
                point=point,
                subject=name if count[row["nom"]] == 1 else point,
                name=name,
                price=_known(row.get("prix_eur_kwh")) or params.prix_eur_kwh,
                usage=str(row.get("usage") or ""),
                surface=_known(row.get("surface_m2")),
                subscribed=_known(row.get("puissance_souscrite_kva")),
                reference_year=None if (year := _known(row.get("annee_reference"))) is None else int(year),
                reference_kwh=_known(row.get("conso_reference_kwh")),
            )
        )
    without = sorted(set(found) - {site.point for site in result})
    if without:
        said = french.count(len(without), "compteur n’est", "compteurs ne sont")
        notes.append(f"{said} dans aucun site (dont {without[0]}) : ajoutez-les à la table « sites » pour les suivre.")
    return result


def _known(value: object) -> float | None:
    return None if value is None or pd.isna(value) else float(cast(float, value))  # type: ignore[call-overload]


def _artifacts(recommendations: list[Recommendation], sites: list[Site], found: dict[str, Found]) -> list[Artifact]:
    by_subject = {site.subject: site for site in sites}
    pairs = [(found[site.point], site) for site in sites if site.point in found]
    result: list[Artifact] = [report.drift_table(recommendations, {site.subject: site.point for site in sites}), report.site_table(pairs)]
    operat = report.operat_table(pairs)
    if operat is not None:
        result.append(operat)
    order = list(dict.fromkeys(rec.subject for rec in recommendations))
    first = [(found[by_subject[s].point], by_subject[s]) for s in order if by_subject[s].point in found]
    result += [report.chart(one, site) for one, site in [p for p in first if p[0].days][: report.CHARTS]]
    result += [report.heat_map(one, site) for one, site in [p for p in first if p[0].heat_map is not None][: report.MAPS]]
    return result


def _explain_drift(rec: Recommendation) -> str:
    name, euros = _upper(str(rec.evidence["nom"])), french.number(cast(float, rec.value), 0, "€")
    rise = french.percent(cast(float, rec.evidence["hausse_pct"]) / 100, 0, signed=True)
    if rec.action == report.USUAL and "seuil_pct" in rec.evidence:
        return f"{name} : {rec.action}, {rise} sur le même mois de l’an passé corrigé des degrés jours, soit environ {euros} par mois."
    where = {"night": " la nuit", "base": " sur le talon"}.get(str(rec.evidence.get("motif")), "")
    since = rec.evidence.get("depuis")
    when = f" depuis le {_day(since)}" if isinstance(since, str) else ""
    bounds = f" ({french.between(rec.interval, 0, '€')})" if rec.interval else ""
    return f"{name} : {rec.action}, {rise}{where}{when}, soit environ {euros} par mois{bounds}."


def _explain_power(rec: Recommendation) -> str:
    e = rec.evidence
    now, then = (french.number(cast(float, e[key]), 0, "kVA") for key in ("souscrite_kva", "conseillee_kva"))
    peak = french.number(cast(float, e["pointe_kw"]), 1, "kW")
    value = cast(float, rec.value)
    money = (
        f"une économie d’environ {french.number(value, 0, '€')} par an"
        if value > 0
        else f"un coût d’environ {french.number(-value, 0, '€')} par an"
    )
    name = _upper(str(e["nom"]))
    return f"{name} : passer la puissance souscrite de {now} à {then}, la plus forte heure de l’année étant de {peak}, pour {money}."


def _explain_savings(rec: Recommendation) -> str:
    e = rec.evidence
    kwh, bounds = french.number(cast(float, rec.value), 0, "kWh"), french.between(cast("tuple[float, float]", rec.interval), 0, "kWh")
    share = french.percent(cast(float, e["part_pct"]) / 100, 1)
    days = french.count(cast(int, e["jours"]), "jour")
    done = f"{_upper(str(e['nom']))} : l’action « {e['libelle']} »"
    return f"{done} a évité {kwh} ({bounds}) en {days}, soit {share} de ce qui était attendu sans elle."


def _day(text: str) -> str:
    return french.day(date.fromisoformat(text), weekday=False, year=True)


def _upper(name: str) -> str:
    return name[:1].upper() + name[1:]
