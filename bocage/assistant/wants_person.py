"""Does this message ask for a human? Words and turns of phrase are data (``data/wants_person.toml``); nothing is learnt."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from functools import lru_cache
from pathlib import Path

_DATA = Path(__file__).parent / "data" / "wants_person.toml"
_READ = 600
"""Characters that are looked at: whoever wants a person says it at the start or at the end."""
Patterns = tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str], re.Pattern[str]]


def wants_person(text: str) -> bool:
    """Whether the writer of ``text`` asks to reach a person, in plain French, in SMS spelling or in a few words of English."""
    anywhere, alone, politeness, never = _patterns()
    words = _plain(text)
    if alone.fullmatch(" ".join(politeness.sub(" ", words).split())):
        return True
    return bool(anywhere.search(never.sub(" ", words)))


def _plain(text: str) -> str:
    """Lower case, no accents, words separated by one space; the start and the end of a long text."""
    kept = text if len(text) <= 2 * _READ else f"{text[:_READ]} {text[-_READ:]}"
    letters = unicodedata.normalize("NFKD", kept.lower().replace("œ", "oe"))
    return " ".join(re.sub(r"[^a-z0-9]+", " ", "".join(c for c in letters if not unicodedata.combining(c))).split())


@lru_cache(maxsize=1)
def _patterns() -> Patterns:
    with _DATA.open("rb") as file:
        data = tomllib.load(file)
    words = {name: "|".join(sorted({_plain(word) for word in data[name]}, key=len, reverse=True)) for name in ("person", "speak", "want")}

    def one_of(name: str) -> re.Pattern[str]:
        filled = [_fill(pattern, words) for pattern in data[name]]
        return re.compile(rf"\b(?:{'|'.join(filled)})\b")

    return one_of("anywhere"), one_of("alone"), one_of("politeness"), one_of("never")


def _fill(pattern: str, words: dict[str, str]) -> str:
    for name, alternatives in words.items():
        pattern = pattern.replace(f"{{{name}}}", alternatives)
    return pattern
