"""Minimum levels of the lighting classes and hours of extinction, read from ``regles.toml`` (dated, with their sources)."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

Category = Literal["voirie", "parc", "patrimoine", "stationnement"]
CLASSES = tuple(f"M{i}" for i in range(1, 7)) + tuple(f"C{i}" for i in range(6)) + tuple(f"P{i}" for i in range(1, 8))
OFF = "eteint"
"""The « class » of a place that the commune has decided to leave unlit when nobody is there."""


@lru_cache(maxsize=1)
def _rules() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).with_name("regles.toml")).read_text(encoding="utf-8"))


def minimum_of(name: str) -> float:
    """Maintained mean of a class: cd/m² for M, lx for C and P (EN 13201-2:2015). 0 for ``OFF``. Raises ``KeyError`` on an unknown class."""
    return 0.0 if name == OFF else float(_rules()["norme"][name[0]][name])


def same_family(one: str, other: str) -> bool:
    """Whether two classes speak of the same quantity: luminance (M) or illuminance (C, P)."""
    return OFF in (one, other) or (one[0] == "M") == (other[0] == "M")


def extinction(category: Category, closing: float | None) -> tuple[float, float] | None:
    """Hours (from, to) between which the order of 27 December 2018 asks that the place be dark; None where it asks nothing.

    ``closing``: hour at which the park shuts or the activity ends. Hours are local, 0 to 24.
    """
    rule = _rules()["arrete"][category]
    latest: list[float] = []
    if "extinction_h" in rule:
        latest.append(float(rule["extinction_h"]))
    if "apres_fermeture_h" in rule and closing is not None:
        after = (closing + float(rule["apres_fermeture_h"])) % 24
        # After midnight counts as later than the evening: the earlier of the two hours of the same night.
        latest.append(after)
    if not latest:
        return None
    return min(latest, key=lambda hour: (hour - 12) % 24), float(_rules()["arrete"]["reprise_h"])


def rule_text(category: Category) -> str:
    """The rule of a category in one French sentence."""
    return str(_rules()["arrete"][category]["regle"])
