"""Watch the meters of a territory's buildings: which ten drifts are worth a phone call, in euros, and since when.

Readings in any documented form come in; ``analysis`` models and watches them batch by batch; here they become proposals, tables and
sentences. Nothing here writes a set point: a named person decides, and does it.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import ClassVar, cast
from zoneinfo import available_timezones

import pandas as pd
from pydantic import BaseModel

from bocage.contract import french
from bocage.contract.errors import InvalidParams, NotEnoughData, UnreadableFile
from bocage.contract.outcome import Artifact, Outcome, Recommendation
from bocage.contract.rows import FileInput, Row
from bocage.contract.usecase import Inputs, Resources, Truth
from bocage.methods.calendars import SchoolZone, public_holidays, territory_of_time_zone
from bocage.methods.truth import Lines, unmatched
from bocage.usecases.energie_batiments import report, sentences, sources
from bocage.usecases.energie_batiments.actions import Action, unknown
from bocage.usecases.energie_batiments.analysis import Choices, Found
from bocage.usecases.energie_batiments.report import Site
from bocage.usecases.energie_batiments.rows import COURBES, ActionRow, ConstatRow, EnergieBatimentsParams, MeteoRow, ReleveRow, SiteRow

ZONES: dict[str, tuple[SchoolZone, ...]] = {"auto": ("A", "B", "C"), "A": ("A",), "B": ("B",), "C": ("C",)}
METROPOLITAN = "Europe/Paris"
COMPLETED = 0.005
"""Share of a year's hours (two days) from which it is told that a total is not all measured."""


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
        """Mean gap between the excess told and the one found on the spot (€/month), how many alerts were right and missed, on how many
        of the meters watched. Raises ``NotEnoughData`` when none of them was visited."""
        table = outcome.table("derives")
        told = pd.DataFrame(table.rows, columns=[c.name for c in table.columns])[["point_de_mesure", "surcout_eur_mois"]]
        happened = truth["constats"].groupby("point_de_mesure", as_index=False)["surcout_eur_mois"].mean()
        both = happened.merge(told, on="point_de_mesure", suffixes=("_vrai", "_dit"))
        if both.empty:
            meters = (Lines(told["point_de_mesure"]), Lines(happened["point_de_mesure"]))
            raise unmatched(("compteur", "compteurs"), *meters)
        real, said = both["surcout_eur_mois_vrai"], both["surcout_eur_mois_dit"]
        return {
            "ecart_surcout": float((real - said).abs().mean()),
            "compteurs": float(len(both)),
            "compteurs_attendus": float(len(told)),
            "alertes_justes": float(((real > 0) & (said > 0)).sum()),
            "alertes_fausses": float(((real <= 0) & (said > 0)).sum()),
            "derives_manquees": float(((real > 0) & (said <= 0)).sum()),
        }

    def explain(self, rec: Recommendation) -> str:
        """One French sentence; every number in it is in ``rec``."""
        return sentences.explain(rec)


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
    zone = _time_zone(inputs, params.territoire)
    batches, said = sources.tasks(readings, cast("Path | None", inputs.get("courbes")), gas, params.horodatage_courbes, zone)
    choices = Choices(params.territoire, ZONES.get(params.zone_scolaire, ()), params.surveillance_jours, zone, usual)
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
    if sources.LATE not in more:
        said += unknown(actions, by_point)
    return sites, by_point, [*notes, *said, *more, *_completed(found)]


def _completed(found: list[Found]) -> list[str]:
    """What to say of the yearly totals that are not all measured."""
    part = sorted(((one.completed or 0.0, one.point) for one in found if one.yearly_kwh is not None), reverse=True)
    part = [pair for pair in part if pair[0] >= COMPLETED]
    if not part:
        return []
    many = len(part) > 1
    return [
        f"Les douze derniers mois de {french.count(len(part), 'compteur')} sont en partie complétés, heures manquantes à la "
        f"consommation attendue : {french.percent(part[0][0])}{' au plus,' if many else ''} pour {part[0][1]}. "
        "Demandez ces relevés avant une déclaration."
    ]


def _time_zone(inputs: Inputs, territory: str) -> str:
    """The organisation's: tables are read in it. With files alone, that of the territory."""
    for name in ("releves", "meteo"):
        table = inputs.get(name)
        if isinstance(table, pd.DataFrame) and isinstance(dtype := table["horodatage"].dtype, pd.DatetimeTZDtype):
            return str(dtype.tz)
    overseas = territory != "FR" and territory.startswith("FR-")
    known = (zone for zone in sorted(available_timezones()) if territory_of_time_zone(zone) == territory)
    return next(known, METROPOLITAN) if overseas else METROPOLITAN


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
    notes += _repeated(table, ordered)
    result = []
    for row in ordered.to_dict("records"):
        name, point = str(row["nom"]), str(row["point_de_mesure"])
        result.append(
            Site(
                point=point,
                subject=name if count[row["nom"]] == 1 else point,
                name=name,
                price=params.prix_eur_kwh if (price := _known(row.get("prix_eur_kwh"))) is None else price,
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


def _repeated(table: pd.DataFrame, kept: pd.DataFrame) -> list[str]:
    """What to say of meters that have several lines."""
    lines = table["point_de_mesure"].value_counts()
    twice = sorted(lines[lines > 1].index)
    if not twice:
        return []
    name = kept.loc[kept["point_de_mesure"] == twice[0], "nom"].iloc[0]
    said = french.count(len(twice), "compteur a plusieurs lignes", "compteurs ont plusieurs lignes")
    return [
        f"{said} dans la table des sites (dont {twice[0]}, gardé sous le nom « {name} ») : "
        "un compteur n’est analysé qu’une fois, laissez-lui une seule ligne."
    ]


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
