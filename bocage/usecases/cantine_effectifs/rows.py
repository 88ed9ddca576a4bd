"""The tables that a canteen service gives, under the column names of Nantes’ open data, and the choices of the person who runs."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from bocage.contract.rows import Row, TableInfo, column


class FrequentationRow(Row):
    """Meals of one site on one day: forecast by the agents, then served. A day to come has no ``reel`` yet."""

    TABLE: ClassVar[TableInfo] = TableInfo(
        title="Fréquentation : repas prévus par les agents et repas servis, par site et par jour",
        schema_url="https://data.nantesmetropole.fr/explore/dataset/244400404_nombre-convives-jour-cantine-nantes-2011",
    )

    site_nom: str = column("Nom du restaurant scolaire", example="LEON SAY", min_length=1, max_length=120)
    date: dt.date = column("Jour", example="2018-11-15")
    site_type: str | None = column("Maternelle (M), élémentaire (E) ou les deux (M/E)", example="M/E", default=None, max_length=20)
    prevision: float | None = column("Repas prévus par les agents", unit="repas", example="285", default=None, ge=0, le=100_000)
    reel: float | None = column("Repas servis ; vide pour un jour à venir", unit="repas", example="271", default=None, ge=0, le=100_000)


class ServiRow(Row):
    """Meals really served at one site on one day."""

    TABLE: ClassVar[TableInfo] = TableInfo(title="Repas servis, constatés ensuite")

    site_nom: str = column("Nom du restaurant scolaire", example="LEON SAY", min_length=1, max_length=120)
    date: dt.date = column("Jour", example="2018-11-15")
    site_type: str | None = column("Maternelle (M), élémentaire (E) ou les deux (M/E)", example="M/E", default=None, max_length=20)
    reel: float = column("Repas servis", unit="repas", example="271", ge=0, le=100_000)


class EffectifRow(Row):
    """Pupils enrolled in one school for one school year."""

    TABLE: ClassVar[TableInfo] = TableInfo(title="Effectifs des écoles par année scolaire", required=False)

    ecole: str = column("Nom de l’école", example="LEON SAY ELEMENTAIRE", min_length=1, max_length=120)
    annee_scolaire: str = column("Année scolaire", example="2018-2019", pattern=r"^\d{4}-\d{4}$")
    effectif: int = column("Élèves inscrits dans l’école", unit="personnes", example="214", ge=0, le=100_000)


class CorrespondanceRow(Row):
    """Which canteen serves which school."""

    TABLE: ClassVar[TableInfo] = TableInfo(title="Quelle cantine sert quelle école", required=False)

    ecole: str = column("Nom de l’école", example="LEON SAY ELEMENTAIRE", min_length=1, max_length=120)
    cantine_nom: str = column("Nom du restaurant scolaire", example="LEON SAY", min_length=1, max_length=120)


class MenuRow(Row):
    """One dish of the menu of one day."""

    TABLE: ClassVar[TableInfo] = TableInfo(title="Menus, un plat par ligne", required=False)

    date: dt.date = column("Jour", example="2018-11-15")
    plat: str = column("Plat, tel qu’il est publié", example="Filet de lieu, riz", min_length=1, max_length=300)
    rang: int | None = column("Rang du plat dans le repas", example="2", default=None, ge=0, le=99)
    etiquette: str | None = column(
        "Étiquette donnée au plat : végétarien, poisson, alternative…", example="végétarien", default=None, max_length=60
    )


class GreveRow(Row):
    """One strike day that disturbs canteens or schools, and when it became known."""

    TABLE: ClassVar[TableInfo] = TableInfo(title="Grèves, avec la date où elles ont été connues", required=False)

    date: dt.date = column("Jour de grève", example="2018-10-09")
    date_annonce: dt.date | None = column(
        "Jour où la grève a été connue ; sans elle, la grève ne sert qu’à écarter un jour passé", example="2018-10-02", default=None
    )


class PeseeRow(Row):
    """Leftovers weighed at one site on one day."""

    TABLE: ClassVar[TableInfo] = TableInfo(title="Pesées des restes", required=False)

    site_nom: str = column("Nom du restaurant scolaire", example="LEON SAY", min_length=1, max_length=120)
    date: dt.date = column("Jour", example="2018-11-15")
    restes_kg: float = column("Restes pesés", unit="kg", example="12,5", ge=0, le=100_000)


class CantineEffectifsParams(BaseModel):
    """The choices of the territory and of the person who runs the forecast."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    jours_courts_acceptes_par_an: float = Field(
        3.0, ge=0.0, le=60.0, description="Jours par an où la ville accepte de manquer de repas : plus haut, moins de gaspillage"
    )
    delai_jours: int = Field(
        21, ge=1, le=60, description="Délai entre le dernier jour connu et le premier jour à commander, si le fichier ne dit pas les jours"
    )
    jours_a_prevoir: int = Field(5, ge=1, le=40, description="Nombre de jours servis à prévoir, si le fichier ne les dit pas")
    zone_scolaire: Literal["A", "B", "C", "auto", "aucune"] = Field(
        "auto",
        description="Zone de vacances ; « auto » la déduit des jours servis ; « aucune » reprend les semaines fermées de l’an passé",
    )
    mercredi: Literal["auto", "oui", "non"] = Field("auto", description="Le mercredi est-il servi ? « auto » regarde les derniers mois")
    territoire: str = Field(
        "FR", pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$", description="Jours fériés : FR, FR-57 ou FR-6AE (Alsace-Moselle), FR-971 à FR-976…"
    )
    prevision_agents: bool = Field(True, description="Se servir de la prévision des agents quand elle existe pour les jours à prévoir")
