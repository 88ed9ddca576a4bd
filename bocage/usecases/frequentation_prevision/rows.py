"""The tables of frequentation_prevision: counts, events known in advance, weather; and the choices of whoever runs it."""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from bocage.contract.rows import Row, TableInfo, column


class FrequentationRow(Row):
    """A count of one place over one step of time. An absent line or an empty cell is a missing count, never a zero."""

    TABLE: ClassVar[TableInfo] = TableInfo(title="Fréquentation comptée")

    horodatage: datetime = column("Début du pas de temps ; une date seule pour un comptage par jour", example="2024-03-25T08:00:00+01:00")
    lieu: str = column("Nom du lieu compté", example="Piscine Léo-Lagrange", min_length=1, max_length=120)
    valeur: float | None = column(
        "Nombre compté sur le pas de temps ; vide quand le comptage manque", example="142", default=None, ge=0, le=1e9
    )


class EvenementRow(Row):
    """A closure or an event that is known in advance, of one place or of all."""

    TABLE: ClassVar[TableInfo] = TableInfo(title="Fermetures et événements connus d’avance", required=False)

    debut: date = column("Premier jour", example="2024-07-14")
    fin: date | None = column("Dernier jour ; vide pour un seul jour", example="2024-07-15", default=None)
    lieu: str | None = column("Lieu concerné ; vide pour tous", example="Piscine Léo-Lagrange", default=None, max_length=120)
    type: Literal["fermeture", "evenement"] = column("« fermeture » ou « evenement »", example="fermeture")
    intitule: str = column("Ce qui a lieu ; les jours de même intitulé s’éclairent l’un l’autre", example="vidange", default="")


class MeteoRow(Row):
    """Weather of an hour or of a day, measured then forecast."""

    TABLE: ClassVar[TableInfo] = TableInfo(title="Météo, mesurée puis prévue", required=False)

    horodatage: datetime = column("Début de l’heure ou du jour", example="2024-03-25T08:00:00+01:00")
    temperature_c: float = column("Température de l’air", unit="°C", example="11,5", ge=-60, le=60)
    pluie_mm: float | None = column("Pluie du pas de temps", unit="mm", example="0,4", default=None, ge=0, le=500)


class FrequentationPrevisionParams(BaseModel):
    """The choices of the person who runs the forecast."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    horizon_jours: int = Field(7, ge=1, le=56, description="Nombre de jours à prévoir, pour un comptage par heure ou par jour")
    horizon_periodes: int = Field(
        4, ge=1, le=12, description="Nombre de mois ou de trimestres à prévoir, pour un comptage par mois ou trimestre"
    )
    niveau_pct: int = Field(80, ge=50, le=95, description="Part des valeurs réelles que l’intervalle doit contenir, en pour cent")
    territoire: str = Field(
        "FR",
        pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$",
        description="Jours fériés : FR, FR-57 ou FR-6AE (Alsace-Moselle), FR-971 à FR-976, AU-VIC…",
    )
    zone_scolaire: Literal["A", "B", "C", "autre"] = Field(
        "autre", description="Zone de vacances scolaires ; « autre » pour ne pas en tenir compte"
    )
    unite: Literal["personnes", "passages", "repas", "sans"] = Field(
        "personnes", description="Ce qui est compté ; « sans » pour ne rien dire"
    )
