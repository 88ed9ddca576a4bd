"""What comes in and what may be chosen: the tables of the use case, and its parameters."""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from bocage.contract.rows import FileInput, Row, TableInfo, column

Unite = Literal["W", "kW", "Wh", "kWh", "MWh", "kWh PCS", "kWh PCI", "MWh PCS", "MWh PCI", "m³"]


class SiteRow(Row):
    """One meter and the building it serves."""

    TABLE: ClassVar[TableInfo] = TableInfo(title="Sites suivis : un compteur par ligne")

    point_de_mesure: str = column(
        "Numéro du compteur : PRM (électricité) ou PCE (gaz)", example="30001234500012", min_length=1, max_length=40
    )
    nom: str = column("Nom du bâtiment", example="Gymnase Jean-Moulin", min_length=1, max_length=120)
    usage: str = column("École, mairie, gymnase, piscine…", example="gymnase", default="", max_length=80)
    energie: Literal["électricité", "gaz", "réseau de chaleur", "fioul", "bois"] = column("Énergie comptée", default="électricité")
    surface_m2: float | None = column("Surface chauffée", unit="m²", example="1240", default=None, gt=0, le=1_000_000)
    prix_eur_kwh: float | None = column("Prix moyen payé, par kWh", unit="€", example="0,21", default=None, ge=0, le=5)
    puissance_souscrite_kva: float | None = column("Puissance souscrite", unit="kVA", example="36", default=None, gt=0, le=100_000)
    coefficient_kwh_m3: float | None = column(
        "Gaz : coefficient de conversion de la facture, kWh PCS par m³", unit="kWh", example="11,2", default=None, ge=5, le=15
    )
    annee_reference: int | None = column("OPERAT : année de référence", example="2018", default=None, ge=2010, le=2100)
    conso_reference_kwh: float | None = column("OPERAT : consommation de l’année de référence", unit="kWh", default=None, gt=0, le=1e12)


class ReleveRow(Row):
    """One reading: energy or mean power over a step, or an index."""

    TABLE: ClassVar[TableInfo] = TableInfo(title="Relevés des compteurs (ou factures)", required=False)

    point_de_mesure: str = column("Numéro du compteur", example="30001234500012", min_length=1, max_length=40)
    horodatage: datetime = column("Début du pas, ou instant de l’index", example="2024-01-15T00:00:00+01:00")
    valeur: float = column(
        "Énergie du pas, puissance moyenne du pas, ou index ; l’unité est dans « unite »", unit="", example="12,4", ge=-1e12, le=1e12
    )
    unite: Unite = column("Unité de la valeur ; le gaz dit PCS ou PCI", example="kWh")
    nature: Literal["consommation", "index"] = column("« index » pour un compteur qui s’accumule", default="consommation")
    fin: datetime | None = column("Fin du pas, pour une facture", default=None)


class MeteoRow(Row):
    """Air temperature, every hour or every three hours."""

    TABLE: ClassVar[TableInfo] = TableInfo(title="Température de l’air, d’une station proche", required=False)

    horodatage: datetime = column("Instant de la mesure", example="2024-01-15T09:00:00+01:00")
    temperature_c: float = column("Température de l’air, en degrés Celsius", unit="°C", example="4,5", ge=-60, le=130)


class ActionRow(Row):
    """Works or a setting, whose savings are to be verified."""

    TABLE: ClassVar[TableInfo] = TableInfo(title="Actions dont on veut vérifier les économies", required=False)

    point_de_mesure: str = column("Numéro du compteur", example="30001234500012", min_length=1, max_length=40)
    debut: date = column("Premier jour des travaux", example="2024-09-02")
    fin: date = column("Dernier jour des travaux", example="2024-09-20")
    libelle: str = column("Ce qui a été fait", example="isolation de la toiture", default="action", max_length=200)


class ConstatRow(Row):
    """What was found on the spot, meter by meter: zero where nothing was wrong."""

    TABLE: ClassVar[TableInfo] = TableInfo(title="Surcoûts constatés, compteur par compteur")

    point_de_mesure: str = column("Numéro du compteur", example="30001234500012", min_length=1, max_length=40)
    surcout_eur_mois: float = column("Surcoût constaté ; 0 si rien d’anormal", unit="€/mois", example="410", ge=-1e7, le=1e7)


COURBES = FileInput(
    title="Fichiers d’Enedis ou de GRDF tels que reçus (JSON, CSV, ou .zip), ou relevés en Parquet trié par compteur",
    suffixes=(".json", ".csv", ".zip", ".parquet"),
    max_mb=4000,
    required=False,
)


class EnergieBatimentsParams(BaseModel):
    """The choices of the person who runs the watch."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    territoire: str = Field(
        "FR", pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$", description="Jours fériés : FR, FR-57 ou FR-6AE (Alsace-Moselle), FR-971 à FR-976…"
    )
    zone_scolaire: Literal["auto", "A", "B", "C", "aucune"] = Field(
        "auto",
        description="Zone de vacances ; « auto » essaie les trois sur chaque compteur ; « aucune » en Corse, outre-mer ou hors de France",
    )
    surveillance_jours: int = Field(92, ge=28, le=184, description="Derniers jours surveillés, comparés à tout ce qui précède")
    prix_eur_kwh: float = Field(0.20, ge=0.01, le=2.0, description="Prix du kWh des sites qui n’en donnent pas (€)")
    prix_kva_an: float = Field(20.0, ge=0.0, le=200.0, description="Part fixe annuelle d’un kVA souscrit (€), lue sur la facture")
    seuil_eur_mois: float = Field(10.0, ge=0.0, le=1000.0, description="Surcoût mensuel sous lequel une dérive n’est pas signalée (€)")
    horodatage_courbes: Literal["auto", "début", "fin"] = Field(
        "auto", description="Courbes d’Enedis : l’heure écrite est le début ou la fin du pas ; « auto » le lit dans le fichier"
    )
