"""The public identity card of a use case: ``fiche.toml``. The register prints it as it is, so its fields are French."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

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


_EXPECTED = {
    "missing": "ce champ est obligatoire, ajoutez-le",
    "bool_type": "écrivez true ou false, sans guillemets",
    "bool_parsing": "écrivez true ou false, sans guillemets",
    "string_type": "écrivez un texte, entre guillemets",
    "string_too_short": "écrivez un texte d’au moins {min_length} caractères",
    "string_too_long": "écrivez un texte d’au plus {max_length} caractères",
    "tuple_type": "écrivez une liste, entre crochets",
    "too_short": "donnez-en au moins un",
    "model_type": "écrivez une table TOML",
    "model_attributes_type": "écrivez une table TOML",
}
"""What to write in a TOML file, by kind of fault of pydantic."""
_PATTERNS = {
    "slug": "deux mots ou plus, en minuscules sans accent, joints par « _ »",
    "mesure.nom": "des minuscules sans accent, des chiffres et « _ »",
}


def read_fiche(path: Path) -> Fiche:
    """The fiche at ``path``, in UTF-8 (a byte order mark is let be). Raises ``InvalidUseCase``: one French sentence per field at fault."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        return Fiche.model_validate(data)
    except FileNotFoundError:
        raise InvalidUseCase(f"Il manque la fiche {path.name} dans le dossier « {path.parent.name} ».") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidUseCase(f"La fiche de « {path.parent.name} » n’est pas un TOML lisible : {error}.") from None
    except ValidationError as error:
        faults = " ; ".join(_sentence(dict(fault)) for fault in error.errors(include_url=False))
        raise InvalidUseCase(f"La fiche de « {path.parent.name} » est à corriger. {faults}.") from None


def _sentence(fault: Mapping[str, Any]) -> str:
    """« gain_demontre : lu « non », écrivez true ou false, sans guillemets »."""
    where, kind, context = ".".join(map(str, fault["loc"])), str(fault["type"]), fault.get("ctx") or {}
    if kind == "extra_forbidden":
        near = difflib.get_close_matches(str(fault["loc"][-1]), _names(fault["loc"]), n=1)
        return f"{where} : ce champ n’existe pas" + (f", sans doute « {near[0]} »" if near else ", retirez-le")
    if kind == "literal_error":
        words = str(context["expected"]).replace(" or ", ", ").replace("'", "").split(", ")
        expected = "choisissez entre " + ", ".join(f"« {word} »" for word in words)
    elif kind == "string_pattern_mismatch":
        expected = f"écrivez {_PATTERNS[where]}"
    else:
        expected = _EXPECTED.get(kind, str(fault["msg"])).format_map(context)
    read = "" if kind == "missing" else f"lu « {str(fault['input'])[:60]} », "
    return f"{where} : {read}{expected}"


def _names(place: tuple[int | str, ...]) -> list[str]:
    """The fields that may stand where ``place`` is."""
    parts: dict[str, type[BaseModel]] = {"mesure": Mesure, "sources": Source}
    model = parts.get(str(place[0]), Fiche) if len(place) > 1 else Fiche
    return list(model.model_fields)
