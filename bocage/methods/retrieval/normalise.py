"""Text-message French, made plain before analysis: « g pa recu koi fair » → « j ai pas recu quoi fair ». The table is data
(``sms.txt``).
"""

from __future__ import annotations

from functools import lru_cache
from importlib import resources

from bocage.methods.retrieval.text import tokens


class PairsFormatError(ValueError):
    """A line of a pairs file is not « left, left => right »."""


def read_pairs(text: str, name: str = "lexique") -> list[tuple[str, str]]:
    """Pairs (left, right) of a file of lines « left, other left => right »; blank lines and « # » comments are skipped.

    Raises ``PairsFormatError`` with the line number for any other line.
    """
    pairs = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        left, arrow, right = line.partition("=>")
        if not arrow or not left.strip() or not right.strip():
            raise PairsFormatError(f"{name}, ligne {number} : attendu « mots, autres mots => mots », lu « {line} ».")
        pairs += [(one.strip(), right.strip()) for one in left.split(",") if one.strip()]
    return pairs


class Phrases:
    """Longest-match replacement of token sequences by other token sequences."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._by_first: dict[str, list[tuple[tuple[str, ...], tuple[str, ...]]]] = {}
        for left, right in pairs:
            source, target = tuple(tokens(left)), tuple(tokens(right))
            if source and source != target:
                self._by_first.setdefault(source[0], []).append((source, target))
        for found in self._by_first.values():
            found.sort(key=lambda pair: -len(pair[0]))

    def replace(self, words: list[str]) -> list[str]:
        """The words with every known sequence replaced, left to right, longest first; replacements are not replaced again."""
        out: list[str] = []
        at = 0
        while at < len(words):
            for source, target in self._by_first.get(words[at], ()):
                if tuple(words[at : at + len(source)]) == source:
                    out += target
                    at += len(source)
                    break
            else:
                out.append(words[at])
                at += 1
        return out

    def added(self, words: list[str]) -> list[str]:
        """The right sides of every sequence found, longest first at each place, to be added to the words rather than replace them."""
        out: list[str] = []
        at = 0
        while at < len(words):
            for source, target in self._by_first.get(words[at], ()):
                if tuple(words[at : at + len(source)]) == source:
                    out += target
                    at += len(source) - 1
                    break
            at += 1
        return out


@lru_cache(maxsize=1)
def sms() -> Phrases:
    """The text-message table of the package."""
    return Phrases(read_pairs(resources.files("bocage.methods.retrieval").joinpath("sms.txt").read_text(encoding="utf-8"), "sms.txt"))


def plain_words(question: str) -> list[str]:
    """Folded words of a question, text-message spellings replaced."""
    return sms().replace(tokens(question))
