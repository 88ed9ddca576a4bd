"""Does this message ask for a human, or say that it is not settled? Turns of phrase are data (``data/wants_person.toml``)."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_DATA = Path(__file__).parent / "data" / "wants_person.toml"
_READ = 600
"""Characters that are looked at: whoever wants a person says it at the start or at the end."""


@dataclass(frozen=True, slots=True)
class _Patterns:
    anywhere: re.Pattern[str]
    alone: re.Pattern[str]
    politeness: re.Pattern[str]
    never: re.Pattern[str]
    not_settled: re.Pattern[str]


def wants_person(text: str) -> bool:
    """Whether the writer of ``text`` asks to reach a person, in plain French, in SMS spelling or in a few words of English.

    Whoever says that it is not settled speaks to whoever was to settle it: a person.
    """
    patterns, words = _patterns(), _plain(text)
    if patterns.alone.fullmatch(" ".join(patterns.politeness.sub(" ", words).split())):
        return True
    return bool(patterns.anywhere.search(patterns.never.sub(" ", words))) or says_not_settled(text)


def says_not_settled(text: str) -> bool:
    """Whether the writer of ``text`` says that what they asked for is not settled."""
    return bool(_patterns().not_settled.search(_plain(text)))


def _plain(text: str) -> str:
    """Lower case, no accents, words separated by one space; the start and the end of a long text."""
    kept = text if len(text) <= 2 * _READ else f"{text[:_READ]} {text[-_READ:]}"
    letters = unicodedata.normalize("NFKD", kept.lower().replace("œ", "oe"))
    return " ".join(re.sub(r"[^a-z0-9]+", " ", "".join(c for c in letters if not unicodedata.combining(c))).split())


@lru_cache(maxsize=1)
def _patterns() -> _Patterns:
    with _DATA.open("rb") as file:
        data = tomllib.load(file)
    words = {name: "|".join(sorted({_plain(word) for word in data[name]}, key=len, reverse=True)) for name in ("person", "speak", "want")}

    def one_of(name: str) -> re.Pattern[str]:
        filled = [_fill(pattern, words) for pattern in data[name]]
        return re.compile(rf"\b(?:{'|'.join(filled)})\b")

    return _Patterns(*map(one_of, ("anywhere", "alone", "politeness", "never", "not_settled")))


def _fill(pattern: str, words: dict[str, str]) -> str:
    for name, alternatives in words.items():
        pattern = pattern.replace(f"{{{name}}}", alternatives)
    return pattern
