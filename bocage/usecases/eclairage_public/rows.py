"""The tables of eclairage_public: street segments, presence counts; and the choices of whoever runs it."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from bocage.contract.rows import Row, TableInfo, column

Classe = Literal["M1", "M2", "M3", "M4", "M5", "M6", "C0", "C1", "C2", "C3", "C4", "C5", "P1", "P2", "P3", "P4", "P5", "P6", "P7"]
ClasseBasse = Literal[
    "M1", "M2", "M3", "M4", "M5", "M6", "C0", "C1", "C2", "C3", "C4", "C5", "P1", "P2", "P3", "P4", "P5", "P6", "P7", "eteint"
]


class SegmentRow(Row):
    """A stretch of street that is switched as one."""

    TABLE: ClassVar[TableInfo] = TableInfo(title="Segments de rue et leurs luminaires")

    segment: str = column("Nom du segment", example="Rue du Port", min_length=1, max_length=120)
    classe: Classe = column("Classe d’éclairage de la norme EN 13201 (M, C ou P)", example="P2")
    classe_creuse: ClasseBasse | None = column(
        "Classe admise aux heures creuses par le gestionnaire ; vide : la même", example="P3", default=None
    )
    classe_vide: ClasseBasse | None = column(
        "Classe admise quand il n’y a personne ; « eteint » si la collectivité l’a décidé ; vide : aucun abaissement",
        example="P6",
        default=None,
    )
    niveau_installe: float = column(
        "Éclairement (lx) ou luminance (cd/m²) moyen à maintenir, à pleine puissance", example="12", gt=0, le=500
    )
    points_lumineux: int = column("Nombre de luminaires", example="20", ge=1, le=100_000)
    puissance_w: float = column("Puissance d’un luminaire à pleine puissance", unit="W", example="45", gt=0, le=5000)
    detecteurs: int | None = column(
        "Nombre de détecteurs qu’il faudrait ; vide : un pour quatre luminaires", example="5", default=None, ge=1, le=100_000
    )
    delai_s: float = column("Temps entre la détection et le plein niveau", unit="s", example="1", default=1.0, ge=0, le=600)
    anticipation_s: float = column("Temps entre la détection et l’entrée dans le segment", unit="s", example="3", default=0.0, ge=0, le=600)
    categorie: Literal["voirie", "parc", "patrimoine", "stationnement"] = column(
        "Catégorie au sens de l’arrêté du 27 décembre 2018", example="voirie", default="voirie"
    )
    fermeture_h: float | None = column(
        "Heure de fermeture du parc, ou de fin de l’activité du stationnement", unit="h", example="21,5", default=None, ge=0, le=24
    )
    ouverture_h: float | None = column(
        "Heure d’ouverture du parc, ou de reprise de l’activité du stationnement", unit="h", example="8", default=None, ge=0, le=24
    )
    latitude: float | None = column("Latitude (WGS 84, degrés) ; vide : celle de la commune", example="47,2", default=None, ge=-90, le=90)
    longitude: float | None = column(
        "Longitude (WGS 84, degrés) ; vide : celle de la commune", example="-1,55", default=None, ge=-180, le=180
    )


class PresenceRow(Row):
    """Passages counted on a segment over one step of time. An absent line is a missing count, never a zero."""

    TABLE: ClassVar[TableInfo] = TableInfo(title="Passages comptés")

    horodatage: datetime = column("Début du pas de temps (une heure ou moins)", example="2024-03-25T23:00:00+01:00")
    segment: str = column("Nom du segment", example="Rue du Port", min_length=1, max_length=120)
    passages: int | None = column("Passages comptés ; vide quand le comptage manque", example="4", default=None, ge=0, le=1_000_000)


class EclairagePublicParams(BaseModel):
    """The choices of the person who runs the comparison."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    latitude: float | None = Field(
        None, ge=-66, le=66, description="Latitude de la commune, en degrés ; vide : celle du chef-lieu du fuseau (Nantes en métropole)"
    )
    longitude: float | None = Field(
        None, ge=-180, le=180, description="Longitude de la commune, en degrés ; vide : celle du chef-lieu du fuseau (Nantes en métropole)"
    )
    decalage_min: int = Field(
        15, ge=-30, le=60, description="Minutes entre le coucher du soleil et l’allumage, et entre l’extinction et le lever"
    )
    creuse_debut_h: int = Field(0, ge=0, le=23, description="Début des heures creuses de l’horaire habituel")
    creuse_fin_h: int = Field(5, ge=0, le=23, description="Fin des heures creuses de l’horaire habituel")
    coupure: bool = Field(False, description="La commune a décidé une coupure en cœur de nuit")
    coupure_debut_h: int = Field(1, ge=0, le=23, description="Début de la coupure, si elle a été décidée")
    coupure_fin_h: int = Field(5, ge=0, le=23, description="Fin de la coupure, si elle a été décidée")
    pas_niveau_pct: int = Field(5, ge=1, le=50, description="Pas entre deux niveaux des luminaires, en pour cent")
    niveau_min_pct: int = Field(10, ge=1, le=100, description="Plus bas niveau des luminaires avant l’extinction, en pour cent")
    maintien_min: int = Field(2, ge=1, le=30, description="Minutes pendant lesquelles un niveau levé est tenu, au moins")
    changements_max: int = Field(8, ge=2, le=24, description="Changements de programme par nuit, au plus")
    palier_min: int = Field(30, ge=15, le=240, description="Durée d’une plage du programme, au moins, en minutes")
    pertes_pct: float = Field(8.0, ge=0, le=50, description="Part de la puissance qui ne baisse pas avec le niveau, en pour cent")
    veille_w: float = Field(0.3, ge=0, le=20, description="Puissance d’un luminaire éteint, sous tension, en watts")
    detecteur_w: float = Field(0.5, ge=0, le=20, description="Puissance d’un détecteur, jour et nuit, en watts")
    detecteur_eur_an: float = Field(12.0, ge=0, le=1000, description="Coût d’un détecteur par an, achat étalé et entretien, en euros")
    prix_kwh_eur: float = Field(0.20, ge=0.01, le=2, description="Prix du kilowattheure, en euros")
