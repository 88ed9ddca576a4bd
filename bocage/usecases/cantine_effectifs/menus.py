"""What a menu says: families of dishes, words, and tags that the dish contradicts. The rules are data (``regles_menus.toml``)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from bocage.usecases.cantine_effectifs.words import plain

RARE = 4
"""A word met on fewer days than this says nothing yet."""

_EMPTY_WORDS = frozenset(
    (
        "de",
        "du",
        "des",
        "la",
        "le",
        "les",
        "au",
        "aux",
        "et",
        "en",
        "sur",
        "par",
        "pour",
        "avec",
        "sans",
        "bio",
        "sauce",
        "frais",
        "fraiche",
        "fermier",
        "local",
    )
)
_QUALITIES = ("bio", "local", "maison", "label rouge")
"""Words of a tag that tell the quality of a dish: « végétarien / bio » is no choice between two dishes."""

FAMILIES = ("poisson", "porc", "boeuf", "volaille", "viande", "sans_viande", "frites", "pates", "fete", "pique_nique")
MEAT = frozenset({"porc", "boeuf", "volaille", "viande"})


@lru_cache(maxsize=1)
def rules() -> dict[str, dict[str, list[str]]]:
    """The rules of ``regles_menus.toml``, their words (and the names of tags) as dishes are read."""
    loaded = tomllib.loads((Path(__file__).parent / "regles_menus.toml").read_text(encoding="utf-8"))
    parts = ("familles", "sauf", "formes", "matieres")
    words = {part: {name: [plain(word) for word in given] for name, given in loaded[part].items()} for part in parts}
    return words | {"etiquettes": {plain(name.replace("_", " ")): list(given) for name, given in loaded["etiquettes"].items()}}


def _says(text: str, words: Iterable[str]) -> bool:
    padded = f" {text} "
    return any(f" {word} " in padded for word in words)


@lru_cache(maxsize=20_000)
def families(dish: str) -> frozenset[str]:
    """The families that the words of a dish tell: « Parmentier de poisson » → {poisson}; empty for « Yaourt »."""
    whole = plain(dish)
    text = _without_shapes(whole, ("vegetal",))
    found = {name for name, words in rules()["familles"].items() if _says(text, words)}
    if text != whole:
        found.add("sans_viande")
    if found & MEAT and _says(text, rules()["sauf"]["vegetal"]):
        # « Boulettes de soja », « Hachis végétal »: words of meat that name a shape stand down, true meats (porc, poulet…) remain.
        found -= {"viande"} | ({"boeuf"} if not _says(text, rules()["matieres"]["boeuf"]) else set())
        found.add("sans_viande")
    return frozenset(found)


def _without_shapes(text: str, materials: Iterable[str]) -> str:
    """``text`` without the shapes made of one of ``materials``, which themselves stay: « nugget de ble » → « de ble »."""
    for material in materials:
        text = _shape(material).sub(lambda found: found["made"], text)
    return text


@lru_cache(maxsize=8)
def _shape(material: str) -> re.Pattern[str]:
    shapes, made = rules()["formes"], "|".join(rules()["matieres"][material])
    names = "|".join(word for family, words in shapes.items() if family != material for word in words)
    adjectives = "|".join(rules()["sauf"]["adjectifs"])
    direct = f"|(?:{'|'.join(rules()['sauf']['dit_vegetal'])})" if material == "vegetal" else ""
    return re.compile(rf"\b(?:{names})(?: (?:{adjectives}))? (?P<made>(?:a base )?(?:de|d) (?:{made}){direct})\b")


def contradiction(dish: str, tag: str | None) -> str:
    """The family that ``dish`` tells and that its ``tag`` excludes; empty when they agree, or when the tag is not a known one.

    A shape made of another animal accuses nobody: « Jambon de dinde » is no pork, « Nuggets de poisson » no poultry.
    """
    if not tag:
        return ""
    excluded = _excluded(tag)
    materials = [name for name in rules()["matieres"] if name != "vegetal"]
    told = families(dish) & families(_without_shapes(plain(dish), materials))
    return next((family for family in rules()["familles"] if family in excluded and family in told), "")


def _excluded(tag: str) -> set[str]:
    """Families that a tag excludes: all those of the names it holds; of « végétarien ou poisson », those that both exclude."""
    parts = []
    for part in re.split(r"\bou\b|/", tag.lower()):
        words = f" {plain(part)} "
        # « sans poisson », « non végétarien » are no promise of fish, nor of no meat; « sans porc » is a name of its own.
        names = [name for name in rules()["etiquettes"] if f" {name} " in re.sub(rf" (?:sans|non) {name} ", " ", words)]
        if names or not _says(words.strip(), _QUALITIES):
            parts.append({family for name in names for family in rules()["etiquettes"][name]})
    return set.intersection(*parts) if parts else set()


@dataclass(frozen=True)
class MenuFacts:
    """Per day: ``known`` (days), ``families`` (days, families) of 0 and 1 with « meat » and « no meat » last, ``words`` (days, words):
    unit vectors of the words of the menu, rare words weighing more."""

    known: np.ndarray
    families: np.ndarray
    words: np.ndarray


def read_menus(table: pd.DataFrame | None, days: pd.DatetimeIndex) -> MenuFacts:
    """The facts of the menus of ``days``; absent days have zeros everywhere."""
    dishes: dict[pd.Timestamp, list[str]] = {}
    if table is not None:
        for day, dish in sorted(zip(table["date"], table["plat"].astype(str), strict=True)):
            dishes.setdefault(pd.Timestamp(day), []).append(dish)
    known = np.array([day in dishes for day in days], dtype=float)
    told = [frozenset().union(*(families(dish) for dish in dishes.get(day, []))) for day in days]
    flags = np.array([[name in found for name in FAMILIES] for found in told], dtype=float).reshape(len(days), len(FAMILIES))
    meat = np.array([bool(found & MEAT) for found in told], dtype=float)
    fish = flags[:, FAMILIES.index("poisson")]
    kinds = np.column_stack([flags, meat, known * (1 - meat), fish * (1 - meat)])
    return MenuFacts(known, kinds, _words([dishes.get(day, []) for day in days]))


def _words(menus: list[list[str]]) -> np.ndarray:
    sets = [{word for dish in menu for word in plain(dish).split() if len(word) > 2 and word not in _EMPTY_WORDS} for menu in menus]
    counts: dict[str, int] = {}
    for words in sets:
        for word in words:
            counts[word] = counts.get(word, 0) + 1
    kept = sorted(word for word, n in counts.items() if n >= RARE)
    table = np.array([[word in words for word in kept] for words in sets], dtype=float).reshape(len(menus), len(kept))
    table *= np.sqrt(np.log(max(len(menus), 2) / np.maximum(table.sum(axis=0), 1)))
    norm = np.linalg.norm(table, axis=1, keepdims=True)
    scaled: np.ndarray = table / np.where(norm > 0, norm, 1.0)
    return scaled


def wrong_tags(table: pd.DataFrame | None) -> list[tuple[pd.Timestamp, str, str, str]]:
    """(day, dish, tag, family) of each dish whose name contradicts its tag, in the order of days."""
    if table is None or "etiquette" not in table.columns:
        return []
    tagged = table[table["etiquette"].notna()]
    rows = zip(tagged["date"], tagged["plat"].astype(str), tagged["etiquette"].astype(str), strict=True)
    found = {(pd.Timestamp(day), dish, tag, contradiction(dish, tag)) for day, dish, tag in rows}
    return sorted(line for line in found if line[3])
