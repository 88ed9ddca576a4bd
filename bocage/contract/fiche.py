"""The public identity card of a use case: ``fiche.toml``. The register prints it as it is, so its fields are French."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from bocage.contract.errors import InvalidUseCase

Texte = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3)]

SLUG_PATTERN = r"^[a-z][a-z0-9]*(_[a-z0-9]+)+$"


class Source(BaseModel):
    """Where data or knowledge come from, and under which licence."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    titre: Texte
    licence: Texte
    url: str = ""


class Mesure(BaseModel):
    """The figure by which the engine and its baseline are compared: a key of ``evaluate()``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    nom: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
    titre: Texte
    unite: str = ""
    sens: Literal["min", "max"] = "min"


class Fiche(BaseModel):
    """Public identity card of a use case."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    slug: Annotated[str, StringConstraints(pattern=SLUG_PATTERN, max_length=40)]
    titre: Texte
    domaine: Texte
    finalite: Texte
    base_legale: Texte
    decideur: Texte
    personnes_concernees: Texte
    donnees_personnelles: Literal["aucune", "pseudonymes", "directes"]
    risque_ai_act: Literal["minimal", "limité", "haut", "hors champ"]
    methode: Texte
    methode_habituelle: Texte
    mesure: Mesure
    gain_demontre: bool
    usages_exclus: tuple[Texte, ...] = Field(min_length=1)
    limites: tuple[Texte, ...] = Field(min_length=1)
    alternatives: tuple[Texte, ...] = Field(min_length=1)
    sources: tuple[Source, ...] = Field(min_length=1)
    extra: str = ""


def read_fiche(path: Path) -> Fiche:
    """The fiche at ``path``. Raises ``InvalidUseCase`` with one French sentence per field at fault."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        return Fiche.model_validate(data)
    except FileNotFoundError:
        raise InvalidUseCase(f"Il manque la fiche {path.name} dans le dossier « {path.parent.name} ».") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidUseCase(f"La fiche de « {path.parent.name} » n’est pas un TOML lisible : {error}.") from None
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))} : {e['msg']}" for e in error.errors())
        raise InvalidUseCase(f"La fiche de « {path.parent.name} » est à corriger. {faults}.") from None
