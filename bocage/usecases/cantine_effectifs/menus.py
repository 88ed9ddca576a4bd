"""What a menu says: families of dishes, words, and tags that the dish contradicts. The rules are data (``regles_menus.toml``)."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

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
FAMILIES = ("poisson", "porc", "boeuf", "volaille", "viande", "sans_viande", "frites", "pates", "fete", "pique_nique")
MEAT = frozenset({"porc", "boeuf", "volaille", "viande"})


def plain(text: str) -> str:
    """Lower case, no accent, œ as oe, one space between words, no final s or x: « Œufs durs » → « oeuf dur »."""
    lowered = text.lower().replace("œ", "oe").replace("æ", "ae")
    letters = "".join(c for c in unicodedata.normalize("NFD", lowered) if unicodedata.category(c) != "Mn")
    return " ".join(word if len(word) < 4 else re.sub(r"(?<=\w)[sx]$", "", word) for word in re.findall(r"[a-z]+", letters))


@lru_cache(maxsize=1)
def rules() -> dict[str, dict[str, list[str]]]:
    """The rules of ``regles_menus.toml``, their words (and the names of tags) as dishes are read."""
    loaded = tomllib.loads((Path(__file__).parent / "regles_menus.toml").read_text(encoding="utf-8"))
    words = {part: {name: [plain(word) for word in given] for name, given in loaded[part].items()} for part in ("familles", "sauf")}
    return words | {"etiquettes": {plain(name.replace("_", " ")): list(given) for name, given in loaded["etiquettes"].items()}}


def _says(text: str, words: Iterable[str]) -> bool:
    padded = f" {text} "
    return any(f" {word} " in padded for word in words)


@lru_cache(maxsize=20_000)
def families(dish: str) -> frozenset[str]:
    """The families that the name of a dish tells: « Parmentier de poisson » → {poisson}; empty for « Yaourt »."""
    text = plain(dish)
    found = {name for name, words in rules()["familles"].items() if _says(text, words)}
    if found & MEAT and _says(text, rules()["sauf"]["vegetal"]):
        # « Boulettes de soja », « Hachis végétal »: words of meat that name a shape stand down, true meats (porc, poulet…) remain.
        found -= {"viande"} | ({"boeuf"} if not _says(text, ["boeuf", "veau", "agneau", "mouton"]) else set())
        found.add("sans_viande")
    return frozenset(found)


def contradiction(dish: str, tag: str | None) -> str:
    """The family that ``dish`` tells and that its ``tag`` excludes; empty when they agree, or when the tag is not a known one."""
    if not tag:
        return ""
    key = plain(tag).replace("vegetarienne", "vegetarien")
    excluded = next((words for name, words in rules()["etiquettes"].items() if key.startswith(name)), [])
    told = families(dish)
    return next((family for family in excluded if family in told), "")


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
