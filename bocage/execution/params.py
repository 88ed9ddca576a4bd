"""Parameters of a run: checked against the use case's own class, with one French sentence that names the fault."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, JsonValue, ValidationError

from bocage.contract.errors import InvalidParams

_EXPECTED = {
    "greater_than": "un nombre supérieur à {gt}",
    "greater_than_equal": "{ge} ou plus",
    "less_than": "un nombre inférieur à {lt}",
    "less_than_equal": "{le} au plus",
    "literal_error": "une de ces valeurs : {expected}",
    "enum": "une de ces valeurs : {expected}",
    "multiple_of": "un multiple de {multiple_of}",
    "string_too_short": "un texte d’au moins {min_length} caractères",
    "string_too_long": "un texte d’au plus {max_length} caractères",
    "string_pattern_mismatch": "un texte de la forme {pattern}",
    "too_short": "au moins {min_length} valeurs",
    "too_long": "au plus {max_length} valeurs",
    "missing": "une valeur",
}
_KINDS = {
    "int": "un nombre entier",
    "float": "un nombre",
    "bool": "vrai ou faux",
    "string": "un texte",
    "date": "une date (AAAA-MM-JJ)",
    "datetime": "une date et une heure",
    "time": "une heure",
    "list": "une liste",
    "tuple": "une liste",
    "dict": "un dictionnaire",
    "finite": "un nombre fini",
    "decimal": "un nombre",
}


def validated(model: type[BaseModel], given: Mapping[str, JsonValue]) -> BaseModel:
    """An instance of ``model`` made from ``given``. Raises ``InvalidParams``: field, what was read, what is expected."""
    known = set(model.model_fields) | {field.alias for field in model.model_fields.values() if field.alias}
    unknown = sorted(set(given) - known)
    if unknown:
        names = ", ".join(sorted(model.model_fields)) or "aucun"
        raise InvalidParams(f"Paramètre inconnu : « {unknown[0][:80]} ». Paramètres possibles : {names}.")
    try:
        return model.model_validate(dict(given))
    except ValidationError as error:
        faults = error.errors(include_url=False)
        sentences = [_sentence(dict(fault)) for fault in faults[:5]]
        more = f" Et {len(faults) - 5} autres." if len(faults) > 5 else ""
        raise InvalidParams(" ".join(sentences) + more) from None


def _sentence(fault: dict[str, Any]) -> str:
    where = ".".join(str(part) for part in fault["loc"]) or "ensemble"
    context = {key: str(value) for key, value in (fault.get("ctx") or {}).items()}
    kind = str(fault["type"])
    if kind in _EXPECTED:
        expected = _EXPECTED[kind].format_map({**dict.fromkeys(_FIELDS, "?"), **context}).replace(" or ", " ou ")
    else:
        expected = _KINDS.get(kind.split("_")[0], str(fault["msg"]))
    read = "rien" if kind == "missing" else f"« {str(fault['input'])[:80]} »"
    return f"Paramètre « {where} » : lu {read}, attendu {expected}."


_FIELDS = ("gt", "ge", "lt", "le", "expected", "multiple_of", "min_length", "max_length", "pattern")
