"""Parameters of a run, checked twice with the same sentences: before it is asked for, against the schema that the use case describes;
in the worker, against the use case's own class."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, JsonValue, ValidationError

from bocage.contract import french
from bocage.contract.errors import InvalidParams
from bocage.execution.param_schema import model_of

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
    "string_unicode": "un texte en Unicode, sans caractère coupé en deux",
    "too_short": "au moins {min_length} valeurs",
    "too_long": "au plus {max_length} valeurs",
    "missing": "une valeur",
    "extra_forbidden": "rien sous ce nom",
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
_FIELDS = ("gt", "ge", "lt", "le", "expected", "multiple_of", "min_length", "max_length", "pattern")
_QUOTED = re.compile(r"'([^']*)'|\"([^\"]*)\"")
_MOST = 5


def validated(model: type[BaseModel], given: Mapping[str, JsonValue]) -> BaseModel:
    """An instance of ``model`` made from ``given``. Raises ``InvalidParams``: field, what was read, what is expected."""
    known = _names(model)
    unknown = sorted(set(given) - set(known))
    if unknown:
        names = ", ".join(sorted(set(known.values()))) or "aucun"
        raise InvalidParams(f"Paramètre inconnu : « {unknown[0][:80]} ». Paramètres possibles : {names}.")
    try:
        return model.model_validate(dict(given))
    except ValidationError as error:
        found = error.errors(include_url=False)
        sentences = [f"Paramètre « {_where(fault)} » : {_sentence(model, fault)}." for fault in map(dict, found[:_MOST])]
        more = f" Et {len(found) - _MOST} autres." if len(found) > _MOST else ""
        raise InvalidParams(" ".join(sentences) + more) from None


def check(schema: Mapping[str, Any], given: Mapping[str, JsonValue]) -> None:
    """Raise ``InvalidParams`` when the described ``schema`` of a use case refuses ``given``, or knows no such parameter."""
    validated(model_of(schema), given)


def faults(schema: Mapping[str, Any], given: Mapping[str, JsonValue]) -> dict[str, str]:
    """By parameter, what ``schema`` refuses of ``given``: « lu « −3 », attendu 0 ou plus ». Empty when all is well."""
    model = model_of(schema)
    try:
        model.model_validate(dict(given))
    except ValidationError as error:
        # Of several things said of one parameter (a list, alternatives), the first is enough beside its field.
        found = reversed(error.errors(include_url=False))
        return {str(fault["loc"][0]): _sentence(model, dict(fault)) for fault in found if fault["loc"]}
    return {}


def written(value: Any) -> str:
    """A parameter's value as a French reader expects it: « oui », « 1 240,5 », text as it is."""
    if value is None:
        return "rien"
    if isinstance(value, bool):
        return "oui" if value else "non"
    if isinstance(value, (int, float)):
        return _number(value)
    if isinstance(value, list) and not any(isinstance(item, list | dict) for item in value):
        return " ; ".join(map(written, value)) or "rien"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _number(value: float) -> str:
    if isinstance(value, float) and (value - value != 0 or not 1e-6 <= abs(value) < 1e15):
        return french.number(0) if value == 0 else str(value).replace(".", ",")
    if abs(value) >= 10**15:
        return str(value)
    decimals = len(repr(value).partition(".")[2].rstrip("0")) if isinstance(value, float) and "e" not in repr(value) else 0
    return french.number(value, decimals)


def _names(model: type[BaseModel]) -> dict[str, str]:
    """Every name under which a parameter may be given, and the one that people are told."""
    told = {name: field.alias or name for name, field in model.model_fields.items()}
    return {**told, **{alias: alias for alias in told.values()}}


def _where(fault: Mapping[str, Any]) -> str:
    return ".".join(str(part) for part in fault["loc"]) or "ensemble"


def _sentence(model: type[BaseModel], fault: Mapping[str, Any]) -> str:
    """« lu « −3 », attendu 0 ou plus »."""
    kind = str(fault["type"])
    context = {key: value if key == "pattern" else _told(value) for key, value in (fault.get("ctx") or {}).items()}
    help_ = _help(model, fault)
    if kind == "string_pattern_mismatch" and help_:
        # A person is told what the parameter means, with its examples, and never a regular expression.
        expected = f"un texte comme le dit sa description : « {help_} »"
    elif kind in _EXPECTED:
        expected = _EXPECTED[kind].format_map({**dict.fromkeys(_FIELDS, "?"), **context})
    else:
        expected = _KINDS.get(kind.split("_")[0], str(fault["msg"]))
    return f"lu {_read(kind, fault['input'])}, attendu {expected}"


def _help(model: type[BaseModel], fault: Mapping[str, Any]) -> str:
    name = fault["loc"][0] if fault["loc"] else ""
    fields = [field for key, field in model.model_fields.items() if name in (key, field.alias)]
    return (fields[0].description or "") if fields else ""


def _told(value: Any) -> str:
    """A bound or the allowed values, from pydantic's English: « A », « B » ou « autre »."""
    if isinstance(value, (int, float)):
        return _number(value)
    if "'" not in str(value):
        value = re.sub(r"(?<=\d)\.(?=\d)", ",", str(value))
    quoted = _QUOTED.sub(lambda found: f"« {found.group(1) or found.group(2)} »", str(value))
    return re.sub(r"( »|\d) or (« |-?\d)", r"\1 ou \2", quoted)


def _read(kind: str, value: Any) -> str:
    text = written(value)[:80]
    if kind == "missing" or not text or value is None:
        return "rien"
    # Half a character can be read, but neither printed nor stored.
    return f"« {text.encode('utf-8', 'backslashreplace').decode()} »"
