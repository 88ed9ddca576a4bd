"""The parameters of a use case as fields of a form, from their JSON schema. What a field cannot say stays at its default."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PREFIX = "p-"


@dataclass(frozen=True, slots=True)
class ParamField:
    """One parameter: how to ask for it, and its default."""

    name: str
    label: str
    hint: str
    kind: str
    default: Any
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None

    @property
    def shown(self) -> str:
        """The default as written in the field."""
        return "" if self.default is None else str(self.default)


def fields_of(schema: Mapping[str, Any]) -> list[ParamField]:
    """The fields of ``schema``, in its order; those of a kind that no plain field holds are left out."""
    found = [_field(name, _plain(said, schema)) for name, said in schema.get("properties", {}).items()]
    return [each for each in found if each is not None]


def given(schema: Mapping[str, Any], form: Mapping[str, str]) -> dict[str, Any]:
    """The parameters that a person changed. The worker checks them against the use case's own class before anything runs."""
    changed: dict[str, Any] = {}
    for each in fields_of(schema):
        text = form.get(PREFIX + each.name)
        text = text if text is None else text.replace("\x00", "")
        if each.kind == "boolean":
            # An unchecked box sends nothing: the hidden field « p-…-present » says that the box was on the page.
            if f"{PREFIX}{each.name}-present" in form and (text is not None) != bool(each.default):
                changed[each.name] = text is not None
        elif text is not None and text.strip() and text.strip() != each.shown:
            changed[each.name] = _number(text) if each.kind in ("integer", "number") else text.strip()[:500]
    return changed


def _plain(said: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """``said`` with its reference followed and « or nothing » left out."""
    whole = dict(said)
    for part in [*said.get("allOf", []), *(each for each in said.get("anyOf", []) if each.get("type") != "null")][:1]:
        whole = {**part, **whole}
    reference = str(whole.get("$ref", "")).rsplit("/", 1)[-1]
    return {**schema.get("$defs", {}).get(reference, {}), **whole}


def _field(name: str, said: Mapping[str, Any]) -> ParamField | None:
    choices = tuple(str(choice) for choice in said.get("enum", ()))
    kind = "choice" if choices else said.get("type")
    if kind not in ("choice", "integer", "number", "boolean", "string"):
        return None
    label = name.replace("_", " ").capitalize()
    low, high = said.get("minimum", said.get("exclusiveMinimum")), said.get("maximum", said.get("exclusiveMaximum"))
    return ParamField(name, label, str(said.get("description", "")), kind, said.get("default"), choices, low, high)


def _number(text: str) -> Any:
    """A number as a French reader writes it; the text itself when it is none, so that the error says what was read."""
    plain = text.strip().replace("\u202f", "").replace("\u00a0", "").replace(" ", "").replace(",", ".")
    try:
        return int(plain)
    except ValueError:
        pass
    try:
        value = float(plain)
    except ValueError:
        return text.strip()[:80]
    return value if value - value == 0 else text.strip()[:80]
