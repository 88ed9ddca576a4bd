"""Where a segment is, for its sun: the coordinates given, or the chief town of the organisation's time zone (``lieux.toml``, dated)."""

from __future__ import annotations

import math
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

from bocage.contract.errors import InvalidParams
from bocage.contract.french import number
from bocage.usecases.eclairage_public.rows import EclairagePublicParams

EARTH_KM = 6371.0


@lru_cache(maxsize=1)
def _towns() -> dict[str, dict[str, Any]]:
    return tomllib.loads((Path(__file__).with_name("lieux.toml")).read_text(encoding="utf-8"))


def placed(params: EclairagePublicParams, timezone: str) -> tuple[EclairagePublicParams, bool]:
    """The choices with the place of the commune, and whether it had to be assumed (nobody gave it).

    Raises ``InvalidParams`` when half of it is given, when it is not in the organisation's time zone, or when neither it nor the zone's
    chief town is known.
    """
    if (params.latitude is None) != (params.longitude is None):
        lacking, given = ("latitude", "longitude") if params.latitude is None else ("longitude", "latitude")
        raise InvalidParams(
            f"Lieu de la commune : « {given} » est donnée sans « {lacking} ». Donnez les deux, en degrés (par exemple 47,22 et -1,55), ou "
            "aucune : le soleil est alors celui du chef-lieu du fuseau."
        )
    if params.latitude is not None and params.longitude is not None:
        fault = misplaced(params.latitude, params.longitude, timezone)
        if fault:
            raise InvalidParams(f"Lieu de la commune : {fault}.")
        return params, False
    town = _towns().get(timezone)
    if town is None:
        raise InvalidParams(
            f"Lieu de la commune : aucune latitude ni longitude n’est donnée, et le fuseau {timezone} n’est pas de ceux dont un chef-lieu "
            "est connu ici. Donnez « latitude » et « longitude », en degrés (par exemple 47,22 et -1,55)."
        )
    return params.model_copy(update={"latitude": town["latitude"], "longitude": town["longitude"]}), True


def town_of(timezone: str) -> str:
    """The town whose sun is taken when nobody said where the commune is. Raises ``KeyError`` on a zone without one."""
    return str(_towns()[timezone]["nom"])


def misplaced(latitude: float, longitude: float, timezone: str) -> str:
    """Why a place cannot be in a time zone, in French; empty when it can, or when nothing is known of the zone."""
    town = _towns().get(timezone)
    if town is None:
        return ""
    away = _distance(latitude, longitude, town["latitude"], town["longitude"])
    if away <= town["rayon_km"]:
        return ""
    return (
        f"latitude {number(latitude, 2)} et longitude {number(longitude, 2)} sont à {number(away, 0, 'km')} de {town['nom']}, hors du "
        f"fuseau de la collectivité ({timezone}) ; vérifiez les signes (sud et ouest sont négatifs), et que les deux ne sont pas échangées"
    )


def _distance(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """Great-circle distance, km (haversine)."""
    phi, other = math.radians(latitude), math.radians(other_latitude)
    apart = math.sin((other - phi) / 2) ** 2
    apart += math.cos(phi) * math.cos(other) * math.sin(math.radians(other_longitude - longitude) / 2) ** 2
    return 2 * EARTH_KM * math.asin(math.sqrt(min(1.0, apart)))
