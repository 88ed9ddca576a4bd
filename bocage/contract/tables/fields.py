"""The fields of a ``Row`` as the reader needs them: kind, need, bounds, and the French words for what is expected."""

from __future__ import annotations

import types
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import numpy as np
import numpy.typing as npt
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from bocage.contract import french
from bocage.contract.rows import Row

Kind = Literal["str", "int", "float", "bool", "date", "datetime", "literal", "geometry"]

ABSENT = frozenset({"", "NA", "N/A", "na", "n/a", "N/a", "-", "NULL", "null", "Null"})
"""Cells that mean that there is no value."""


def are_absent(cells: Sequence[str]) -> npt.NDArray[np.bool_]:
    """For each cell, whether it means that there is no value."""
    return np.fromiter(map(ABSENT.__contains__, map(str.strip, cells)), np.bool_, len(cells))


_KINDS: dict[object, Kind] = {str: "str", int: "int", float: "float", bool: "bool", date: "date", datetime: "datetime"}


@dataclass(frozen=True, slots=True)
class Spec:
    """One field of a Row. ``required``: the column must exist. ``nullable``: a cell may be absent, it then takes ``default``."""

    name: str
    kind: Kind
    required: bool
    nullable: bool
    default: Any = None
    unit: str = ""
    example: str = ""
    choices: tuple[str, ...] = ()
    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None
    pattern: str | None = None
    min_length: int | None = None
    max_length: int | None = None
    title: str = field(default="", compare=False)

    def expected(self, layout: str = "") -> str:
        """What a cell should be, in French, without final point. ``layout`` is the date format of the column."""
        if self.kind in ("date", "datetime"):
            return layout or ("AAAA-MM-JJ" if self.kind == "date" else "AAAA-MM-JJ HH:MM")
        if self.kind == "literal":
            return "une de ces valeurs : " + ", ".join(self.choices)
        if self.kind == "bool":
            return "oui ou non"
        if self.kind == "geometry":
            return "une géométrie GeoJSON"
        return self._number() if self.kind in ("int", "float") else self._text()

    def _number(self) -> str:
        words = "un nombre entier" if self.kind == "int" else "un nombre"
        signs = (("ge", "au moins"), ("gt", "plus de"), ("le", "au plus"), ("lt", "moins de"))
        bounds = [f"{word} {_french(getattr(self, key))}" for key, word in signs if getattr(self, key) is not None]
        return words + (", " + " et ".join(bounds) if bounds else "") + (f", en {self.unit}" if self.unit else "")

    def _text(self) -> str:
        parts = ["un texte"]
        if self.min_length is not None and self.min_length == self.max_length:
            parts.append(f"de {self.min_length} caractères")
        else:
            if self.min_length is not None:
                parts.append(f"d’au moins {self.min_length} caractère{'s' if self.min_length > 1 else ''}")
            if self.max_length is not None:
                parts.append(f"d’au plus {self.max_length} caractères")
        if self.pattern is not None:
            parts.append(f"de la forme {self.pattern}")
        return " ".join(parts) + (f", par exemple {self.example}" if self.example else "")


def _french(bound: float) -> str:
    """A bound with all its figures: « 1 000 000 », never « 1e+06 »."""
    decimals = f"{Decimal(str(bound)):f}".partition(".")[2].rstrip("0")
    return french.number(bound, len(decimals))


def specs_of(row: type[Row]) -> tuple[Spec, ...]:
    """The fields of ``row`` in order. Raises ``TypeError`` on a field type that the contract does not allow."""
    return tuple(_spec(name, info) for name, info in row.model_fields.items())


def _spec(name: str, info: FieldInfo) -> Spec:
    bare, nullable, metadata = _unwrap(info.annotation)
    found: dict[str, Any] = {}
    for item in (*metadata, *info.metadata):
        for key in ("ge", "gt", "le", "lt", "pattern", "min_length", "max_length"):
            value = getattr(item, key, None)
            if value is not None:
                found[key] = getattr(value, "pattern", value)
    if get_origin(bare) is Literal:
        kind: Kind = "literal"
        found["choices"] = tuple(str(choice) for choice in get_args(bare))
    elif name == "geometry" and (bare in (dict, Any) or get_origin(bare) is dict):
        kind = "geometry"
    elif bare in _KINDS:
        kind = _KINDS[bare]
    else:
        raise TypeError(f"Row field {name!r}: type {bare!r} is not one that a table can hold")
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    has_default = not info.is_required()
    default = info.get_default(call_default_factory=True) if has_default and info.default_factory is None else None
    return Spec(
        name=name,
        kind=kind,
        required=not has_default,
        nullable=nullable or has_default,
        default=None if default is PydanticUndefined else default,
        unit=str(extra.get("unit", "")),
        example=str(extra.get("example", "")),
        title=info.description or "",
        **found,
    )


def _unwrap(annotation: Any) -> tuple[Any, bool, tuple[Any, ...]]:
    """(bare type, whether None is allowed, Annotated metadata) of an annotation."""
    nullable, metadata = False, ()
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation, *more = get_args(annotation)
            metadata = (*metadata, *more)
        elif origin in (Union, types.UnionType):
            rest = [arg for arg in get_args(annotation) if arg is not type(None)]
            if len(rest) != 1:
                raise TypeError(f"a column has one type, not {annotation!r}")
            annotation, nullable = rest[0], True
        else:
            return annotation, nullable, metadata
