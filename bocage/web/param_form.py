"""The parameters of a use case as fields of a form, from their JSON schema. What a field cannot say stays at its default."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from bocage.execution.params import written

PREFIX = "p-"
_KINDS = ("integer", "number", "boolean", "string")
_FRENCH_DATE = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")


@dataclass(frozen=True, slots=True)
class ParamField:
    """One parameter: how to ask for it, its default, what a person wrote instead, and what is wrong with that."""

    name: str
    label: str
    hint: str
    kind: str
    default: Any
    optional: bool = False
    values: tuple[Any, ...] = ()
    low: float | None = None
    high: float | None = None
    typed: str | None = None
    fault: str = ""

    @property
    def shown(self) -> str:
        """What stands in the field: what was typed, else the default."""
        if self.typed is not None or self.default is None:
            return self.typed or ""
        return written(self.default) if self.values else _entry(self.default)

    @property
    def ticked(self) -> bool:
        """Whether the box stands ticked."""
        return bool(self.default) if self.typed is None else self.typed != ""

    @property
    def choices(self) -> tuple[str, ...]:
        """The allowed values, as written in the list."""
        return tuple(written(value) for value in self.values)

    @property
    def bounds(self) -> str:
        """« De 0 à 60 », « 1 ou plus », « 5 au plus », or nothing."""
        if self.low is not None and self.high is not None:
            return f"De {written(self.low)} à {written(self.high)}."
        if self.low is not None:
            return f"{written(self.low)} ou plus."
        return "" if self.high is None else f"{written(self.high)} au plus."


def fields_of(
    schema: Mapping[str, Any], form: Mapping[str, str] | None = None, faults: Mapping[str, str] | None = None
) -> list[ParamField]:
    """The fields of ``schema``, in its order; those of a kind that no plain field holds are left out.

    ``form`` is what a person sent: it stands in the fields again. ``faults`` say what is wrong, by parameter.
    """
    return [
        field
        for name, said in schema.get("properties", {}).items()
        if (field := _field(name, _plain(said, schema), form or {}, (faults or {}).get(name, ""))) is not None
    ]


def given(schema: Mapping[str, Any], form: Mapping[str, str]) -> dict[str, Any]:
    """The parameters that a person changed, as the schema names their values; what cannot be read stays as typed, for the error to say."""
    values = {field.name: _value(field) for field in fields_of(schema, form) if field.typed is not None}
    defaults = {name: said.get("default") for name, said in schema.get("properties", {}).items()}
    return {name: value for name, value in values.items() if value != defaults[name]}


def _plain(said: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """``said`` with its reference followed and « or nothing » told apart, as ``optional``."""
    alternatives = said.get("anyOf", said.get("allOf", []))
    parts = [each for each in alternatives if each.get("type") != "null"]
    whole = {**(parts[0] if parts else {}), **said, "optional": len(parts) < len(alternatives)}
    reference = str(whole.get("$ref", "")).rsplit("/", 1)[-1]
    return {**schema.get("$defs", {}).get(reference, {}), **whole}


def _field(name: str, said: Mapping[str, Any], form: Mapping[str, str], fault: str) -> ParamField | None:
    values = tuple(said.get("enum", (said["const"],) if "const" in said else ()))
    kind = "choice" if values else "date" if said.get("format") == "date" else said.get("type")
    if kind not in ("choice", "date", *_KINDS):
        return None
    low, high = said.get("minimum", said.get("exclusiveMinimum")), said.get("maximum", said.get("exclusiveMaximum"))
    return ParamField(
        name=name,
        label=name.replace("_", " ").capitalize(),
        hint=str(said.get("description", "")),
        kind=kind,
        default=said.get("default"),
        optional=bool(said["optional"]) or None in values,
        values=tuple(value for value in values if value is not None),
        low=low,
        high=high,
        typed=_typed(name, kind, form),
        fault=fault,
    )


def _typed(name: str, kind: str, form: Mapping[str, str]) -> str | None:
    """What the person wrote; None where the form had no such field."""
    text = form.get(PREFIX + name)
    if kind == "boolean" and f"{PREFIX}{name}-present" in form:
        # An unticked box sends nothing: the hidden field « p-…-present » says that the box was on the page.
        return text or ""
    return None if text is None else text.replace("\x00", "").strip()[:500]


def _value(field: ParamField) -> Any:
    """The value that ``field.typed`` says, or that text itself."""
    text = field.typed or ""
    if field.kind == "boolean":
        return field.ticked
    if not text and field.optional:
        return None
    if field.kind == "choice":
        return next((value for value, choice in zip(field.values, field.choices, strict=True) if choice == text), text)
    if field.kind == "date":
        return _iso(text)
    return _number(text) if field.kind in ("integer", "number") else text


def _iso(text: str) -> str:
    """« 31/01/2026 » as the schema writes it, « 2026-01-31 »."""
    found = _FRENCH_DATE.fullmatch(text)
    try:
        return date(int(found[3]), int(found[2]), int(found[1])).isoformat() if found else text
    except ValueError:
        return text


def _number(text: str) -> Any:
    """A number as a French reader writes it; the text itself when it is none, so that the error says what was read."""
    plain = text.replace("\u202f", "").replace("\u00a0", "").replace(" ", "").replace(",", ".").replace("\u2212", "-")
    try:
        return int(plain)
    except ValueError:
        pass
    try:
        value = float(plain)
    except ValueError:
        return text[:80]
    return value if value - value == 0 else text[:80]


def _entry(default: Any) -> str:
    """A default as a person would type it: decimal comma, no thousands separator."""
    if isinstance(default, bool) or not isinstance(default, int | float):
        return written(default)
    return repr(default).removesuffix(".0").replace(".", ",")
