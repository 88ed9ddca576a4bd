"""Minimum levels of the lighting classes and hours of extinction, read from ``regles.toml`` (dated, with their sources)."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

CLASSES = tuple(f"M{i}" for i in range(1, 7)) + tuple(f"C{i}" for i in range(6)) + tuple(f"P{i}" for i in range(1, 8))
OFF = "eteint"
"""The « class » of a place that the commune has decided to leave unlit when nobody is there."""

NOON = 12.0


@lru_cache(maxsize=1)
def _rules() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).with_name("regles.toml")).read_text(encoding="utf-8"))


def minimum_of(name: str) -> float:
    """Maintained mean of a class: cd/m² for M, lx for C and P (EN 13201-2:2015). 0 for ``OFF``. Raises ``KeyError`` on an unknown class."""
    return 0.0 if name == OFF else float(_rules()["norme"][name[0]][name])


def same_family(one: str, other: str) -> bool:
    """Whether two classes speak of the same quantity: luminance (M) or illuminance (C, P)."""
    return OFF in (one, other) or (one[0] == "M") == (other[0] == "M")


def extinction(category: str, closing: float | None, opening: float | None = None) -> tuple[float, float] | None:
    """Hours (from, to) between which the order of 27 December 2018 asks that the place be dark; None where it asks nothing. ``to`` is
    noon where it lights nothing again before sunset (façades, parks).

    ``closing``: hour at which the park shuts or the activity ends; ``opening``: hour at which it opens or begins again. Without
    ``opening``, a place that closes before noon is taken to have been open all night. Hours are local, 0 to 24.
    """
    rule = _rules()["arrete"][category]
    # Hours are counted from noon, so that those of one night follow one another.
    if "apres_fermeture_h" in rule and closing is not None:
        ended = (closing - NOON) % 24
        if opening is not None and opening % 24 < closing < NOON:
            ended -= 24  # It shuts in the morning what it opened that same morning: the night to come is wholly after it.
        start = ended + float(rule["apres_fermeture_h"])
    elif "extinction_h" in rule:
        ended = start = (float(rule["extinction_h"]) - NOON) % 24
    else:
        return None
    # A night ends at noon: what waits for sunset stays dark until then.
    again = reopening(category)
    end = 24.0 if again is None else (again - NOON) % 24
    if opening is not None and rule.get("ouverture_rallume"):
        end = min(end, ended + (opening - NOON - ended) % 24 - float(rule.get("avant_ouverture_h", 0.0)))
    if start >= end:
        return None
    return (start + NOON) % 24, (end + NOON) % 24


def reopening(category: str) -> float | None:
    """The hour (local) before which the order lights nothing again, unless an activity begins earlier; None: not before sunset."""
    hour = _rules()["arrete"][category].get("reprise_h")
    return None if hour is None else float(hour)
