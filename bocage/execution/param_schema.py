"""From the JSON schema of a use case's parameters to a pydantic class that checks them in a process which never imports the engine.

The class refuses what the schema says to refuse, in the terms of pydantic's own errors. What the schema says in a way unknown here is
taken as it is: the worker, which has the use case's own class, has the last word.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Union

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, create_model
from pydantic_core import SchemaError

_BOUNDS = {"minimum": "ge", "exclusiveMinimum": "gt", "maximum": "le", "exclusiveMaximum": "lt", "multipleOf": "multiple_of"}
_LENGTHS = {"minLength": "min_length", "maxLength": "max_length"}
_ITEMS = {"minItems": "min_length", "maxItems": "max_length"}
_DATES = {"date": datetime.date, "date-time": datetime.datetime, "time": datetime.time}
_DEEPEST = 8
"""A schema may name itself; beyond, values are taken as they are."""

_CONFIG = ConfigDict(extra="forbid", allow_inf_nan=False, str_strip_whitespace=True)


def model_of(schema: Mapping[str, Any]) -> type[BaseModel]:
    """A class whose fields have the properties of ``schema`` as aliases: any word is a right alias, few are right names of attributes."""
    required = set(schema.get("required", ()))
    fields: dict[str, Any] = {}
    for number, (name, said) in enumerate(schema.get("properties", {}).items()):
        default = ... if name in required else None
        fields[f"p{number}"] = (_type(said, schema, 0), Field(default, alias=name, description=said.get("description")))
    return create_model("Params", __config__=_CONFIG, **fields)


def _type(said: Any, schema: Mapping[str, Any], depth: int) -> Any:
    if not isinstance(said, Mapping) or depth > _DEEPEST:
        return Any
    if "$ref" in said:
        return _type(schema.get("$defs", {}).get(str(said["$ref"]).rsplit("/", 1)[-1]), schema, depth + 1)
    for alternatives in ("anyOf", "oneOf", "allOf"):
        if alternatives in said:
            # pydantic writes « allOf » around one reference only.
            return Union[tuple(_type(each, schema, depth + 1) for each in said[alternatives])]
    if "const" in said or "enum" in said:
        return _one_of(said.get("enum", [said.get("const")]))
    return _plain(said, schema, depth)


def _plain(said: Mapping[str, Any], schema: Mapping[str, Any], depth: int) -> Any:
    match said.get("type"):
        case "integer":
            return _bounded(int, said, _BOUNDS)
        case "number":
            return _bounded(float, said, _BOUNDS)
        case "boolean":
            return bool
        case "null":
            return None
        case "string" if said.get("format") in _DATES:
            return _DATES[said["format"]]
        case "string":
            return _text(said)
        case "array" if "prefixItems" not in said:
            return _bounded(list[_type(said.get("items"), schema, depth + 1)], said, _ITEMS)  # type: ignore[misc]
        case "array":
            return list[Any]
        case "object":
            return dict[str, _type(said.get("additionalProperties"), schema, depth + 1)]  # type: ignore[misc]
    return Any


def _bounded(kind: Any, said: Mapping[str, Any], bounds: Mapping[str, str]) -> Any:
    return Annotated[kind, Field(**{ours: said[theirs] for theirs, ours in bounds.items() if theirs in said})]


def _one_of(values: list[Any]) -> Any:
    plain = all(value is None or isinstance(value, str | int | float) for value in values)
    return Literal[tuple(values)] if plain and values else Any


def _text(said: Mapping[str, Any]) -> Any:
    """A text; a pattern that this engine of regular expressions does not read is left to the worker."""
    plain = _bounded(str, said, _LENGTHS)
    if "pattern" not in said:
        return plain
    whole: Any = Annotated[plain, Field(pattern=said["pattern"])]
    try:
        TypeAdapter(whole)
    except SchemaError:
        return plain
    return whole
