"""Text that a database can keep: no NUL, which PostgreSQL refuses, and no half of a character, which UTF-8 does not write."""

from __future__ import annotations

import re
from typing import Any, TypeVar

from bocage.contract.errors import InvalidParams

DEEPEST = 40
"""Levels of lists and objects, one inside the other, in what is sent to Bocage."""
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
Value = TypeVar("Value")


def is_storable(text: str) -> bool:
    """Whether a database keeps ``text`` as it is."""
    return not _UNSTORABLE.search(text)


def storable(text: str) -> str:
    """``text`` without what no database keeps."""
    return _UNSTORABLE.sub("", text)


def refuse_unstorable(value: Value, name: str = "") -> Value:
    """``value`` itself, when every text in it, keys included, can be kept. ``name`` is how the person who sent it knows it.

    Raises ``InvalidParams``, which says where: « params.lieux.3 ».
    """
    _check(value, name, DEEPEST)
    return value


def _check(value: Any, where: str, levels: int) -> None:
    if isinstance(value, str):
        if not is_storable(value):
            raise InvalidParams(
                f"« {where or 'la valeur'} » contient un caractère nul ou une moitié de caractère : écrivez ce texte en UTF-8, sans eux."
            )
    elif isinstance(value, (dict, list, tuple)):
        if not levels:
            raise InvalidParams(f"« {where.split('.')[0] or 'la valeur'} » a plus de {DEEPEST} niveaux emboîtés. Aplatissez cette valeur.")
        members = value.items() if isinstance(value, dict) else enumerate(value)
        for key, member in members:
            _check(key, where, levels - 1)
            _check(member, f"{where}.{storable(str(key))[:60]}".lstrip("."), levels - 1)
