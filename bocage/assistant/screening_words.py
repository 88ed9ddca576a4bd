"""The words of a message as the screen reads them, and the patterns of ``data/screening_patterns.toml``.

Lower case without accents, SMS spellings put right, doubled letters made single (« frape », « frappe »), phrases that only sound grave put
out of the way (« mort de fatigue », « assurance vie »), and names of people known by their capitals. A pattern is a row of word classes;
only those whose every class occurs in a sentence are tried, which keeps a message under a few milliseconds.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from bocage.methods.retrieval.text import fold

DATA = Path(__file__).parent / "data"
_LONGEST = 12_000
"""Characters read of one message: the first half from its beginning, the second from its end."""
_BREAK = "."
_TOKEN = re.compile(r"[a-z]+|[0-9]+|[.!?;:\n]+")
_DOUBLED = re.compile(r"([a-z])\1+")


class Level(StrEnum):
    """How sure the screen is: an emergency takes the place of the answer, attention puts the numbers above it."""

    NONE = "aucun"
    ATTENTION = "attention"
    URGENT = "urgence"


@cache
def settings(name: str = "screening") -> dict[str, Any]:
    """One of the data files, read once."""
    with (DATA / f"{name}.toml").open("rb") as file:
        return tomllib.load(file)


# Words -----------------------------------------------------------------------------------------------------------------------------------


def sentences_of(text: str) -> list[list[str]]:
    """The message as sentences of words, rewritten as the patterns expect them."""
    text = shortened(text)
    found: list[list[str]] = [[]]
    for word in _rewritten(_spelt_out(_TOKEN.findall(fold(_with_names(text)))), _phrases()):
        if word == _BREAK:
            found.append([])
        else:
            found[-1].append(word)
    return [sentence for sentence in found if sentence]


def shortened(text: str) -> str:
    """The beginning and the end of a very long message; any other as it is."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]}\n{text[-_LONGEST // 2 :]}"


def _spelt_out(raw: Iterable[str]) -> list[str]:
    return [word if word[0].isalnum() else _BREAK for token in raw for word in _single(token).split()]


@lru_cache(maxsize=50_000)
def _single(word: str) -> str:
    """One word with its doubled letters made single, then its SMS spelling put right."""
    right = grammar().spellings
    single = _DOUBLED.sub(r"\1", word) if word[0].isalpha() else word
    return right.get(word, right.get(single, single))


def _rewritten(words: Sequence[str], phrases: Mapping[str, list[tuple[tuple[str, ...], tuple[str, ...]]]]) -> Iterator[str]:
    at = 0
    while at < len(words):
        for before, after in phrases.get(words[at], ()):
            if tuple(words[at : at + len(before)]) == before:
                yield from after
                at += len(before)
                break
        else:
            yield words[at]
            at += 1


_CAPITAL = r"[A-ZÀ-ÖØ-Þ][\w’'-]*[a-zà-öø-ÿ]"
_TITLED = re.compile(rf"\b(?:M\.|Mr|Mme|Mlle|[Mm]onsieur|[Mm]adame)\s+(?:[A-Z]\.\s*)?(?:(?:[Dd]a|[Dd]e|[Dd]u|[Ll]e|[Ll]a)\s+)?{_CAPITAL}")
_PLATE = re.compile(r"\b[A-Z]{2}[ -]?[0-9]{3}[ -]?[A-Z]{2}\b")
_NAMED = re.compile(rf"({_CAPITAL})((?:[ -]{_CAPITAL})+)")
_PLACE = re.compile(
    r"(?i:\b(?:rue|avenue|place|impasse|allée|boulevard|école|lycée|collège|salle|stade|résidence|gare|quai)\b[^.!?]{0,12})$"
)


def _with_names(text: str) -> str:
    """A person's name, as capitals show it, becomes the word « unnom », a number plate « uneplaque »; a street's name does not."""

    def named(match: re.Match[str]) -> str:
        first, rest = match.group(1), match.group(2)
        known = grammar().words_of("prenom")
        if _PLACE.search(text[: match.start()]) or not {_single(fold(part)) for part in re.split(r"[ -]", first + rest)} & known:
            return match.group(0)
        return " unnom "

    text = _PLATE.sub(" uneplaque ", text)
    text = _TITLED.sub(" unnom ", text)
    return _NAMED.sub(named, text)


# Patterns --------------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Step:
    """One step of a pattern: a term that must come within ``reach`` words, or may be left out."""

    term: int
    reach: int
    optional: bool


@dataclass(frozen=True, slots=True)
class _Pattern:
    level: Level
    kind: str
    steps: tuple[_Step, ...]
    first_word: bool
    needs: frozenset[int]

    def found_in(self, terms: Sequence[frozenset[int]]) -> bool:
        """Whether the sentence, given as the terms of each word, holds the pattern."""
        starts = range(1) if self.first_word else range(len(terms))
        return any(self._follows(terms, start, 0, first=True) for start in starts)

    def _follows(self, terms: Sequence[frozenset[int]], at: int, step: int, *, first: bool = False) -> bool:
        if step == len(self.steps):
            return True
        one = self.steps[step]
        if one.optional and self._follows(terms, at, step + 1, first=first):
            return True
        last = min(len(terms), at + 1 + (0 if first else one.reach))
        return any(one.term in terms[i] and self._follows(terms, i + 1, step + 1) for i in range(at, last))


# Classes too wide to tell anything by themselves: the learnt score does not see them.
_NO_FEATURE = frozenset({"prenom", "autrui"})


class Grammar:
    """Word classes, spellings and patterns as ``screening_patterns.toml`` has them."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._exact: dict[str, set[int]] = {}
        self._prefix: dict[str, set[int]] = {}
        self._terms: dict[str, int] = {}
        self._classes: dict[str, list[str]] = {}
        for name, entries in data["classes"].items():
            # A class may hold those written before it: proche = ["{parent}", …].
            wide = [word for entry in entries for word in (self._classes[entry[1:-1]] if entry.startswith("{") else [entry])]
            self._classes[name] = _DOUBLED.sub(r"\1", " ".join(wide)).split()
        self.spellings = {word: _DOUBLED.sub(r"\1", right) for word, right in data["sms"].items()}
        self.named = {self._term(f"{{{name}}}"): name for name in self._classes if name not in _NO_FEATURE}
        self.patterns = tuple(
            self._compiled(Level(level), kind, written)
            for level, kinds in data["motifs"].items()
            for kind, lines in kinds.items()
            for written in lines
        )
        self.cancels = tuple(self._compiled(Level.NONE, kind, written) for kind, lines in data["annule"].items() for written in lines)

    def words_of(self, name: str) -> frozenset[str]:
        """Words of a class, those that end in * left out."""
        return _whole_words(tuple(self._classes[name]))

    def terms(self, word: str) -> frozenset[int]:
        """The classes and literals that a word belongs to."""
        found = set(self._exact.get(word, ()))
        for end in range(2, len(word) + 1):
            found |= self._prefix.get(word[:end], set())
        return frozenset(found)

    def _term(self, written: str) -> int:
        if written not in self._terms:
            number = self._terms[written] = len(self._terms)
            for part in written.split("|"):
                for word in self._classes[part[1:-1]] if part.startswith("{") else [_DOUBLED.sub(r"\1", part)]:
                    table, key = (self._prefix, word[:-1]) if word.endswith("*") else (self._exact, word)
                    table.setdefault(key, set()).add(number)
        return self._terms[written]

    def _compiled(self, level: Level, kind: str, written: str) -> _Pattern:
        steps: list[_Step] = []
        reach = 0
        words = written.split()
        for word in words[1:] if words[0] == "^" else words:
            if word.startswith(".."):
                reach = int(word[2:] or 3)
                continue
            steps.append(_Step(self._term(word.removeprefix("?")), reach, word.startswith("?")))
            reach = 0
        return _Pattern(level, kind, tuple(steps), words[0] == "^", frozenset(s.term for s in steps if not s.optional))


@cache
def _whole_words(entries: tuple[str, ...]) -> frozenset[str]:
    return frozenset(word for word in entries if not word.endswith("*"))


@lru_cache(maxsize=1)
def grammar() -> Grammar:
    """The one grammar of the process."""
    return Grammar(settings("screening_patterns"))


@lru_cache(maxsize=1)
def _phrases() -> dict[str, list[tuple[tuple[str, ...], tuple[str, ...]]]]:
    found: dict[str, list[tuple[tuple[str, ...], tuple[str, ...]]]] = {}
    for after, written in settings("screening_patterns")["expressions"].items():
        for before in written:
            words = tuple(_DOUBLED.sub(r"\1", before).split())
            found.setdefault(words[0], []).append((words, tuple(_DOUBLED.sub(r"\1", after).split())))
    for options in found.values():
        options.sort(key=lambda option: -len(option[0]))
    return found


@lru_cache(maxsize=50_000)
def terms_of(word: str) -> frozenset[int]:
    """The classes and literals that a word belongs to."""
    return grammar().terms(word)


def names_somebody(sentences: Sequence[Sequence[str]]) -> bool:
    """Whether any word may stand for somebody else: a name, a relation, a pronoun."""
    return _any_of("autrui", sentences)


def may_mean_somebody(text: str, sentences: Sequence[Sequence[str]]) -> bool:
    """Whether a third person can be meant at all: somebody is named, by a role too (« le maire ») or two capitals (« Loïs Carpentier »).

    Where only oneself or the assistant is, no file but one's own can be asked for.
    """
    if names_somebody(sentences) or _any_of("role", sentences):
        return True
    return any(not _PLACE.search(text[: found.start()]) for found in _NAMED.finditer(text))


def _any_of(name: str, sentences: Sequence[Sequence[str]]) -> bool:
    words = grammar().words_of(name)
    return any(word in words for sentence in sentences for word in sentence)


def by_patterns(sentences: Sequence[Sequence[str]]) -> set[tuple[Level, str]]:
    """Level and kind of every pattern found, less those that the context cancels."""
    found: set[tuple[Level, str]] = set()
    for sentence in sentences:
        terms = [terms_of(word) for word in sentence]
        present = frozenset().union(*terms)
        hits = {(p.level, p.kind) for p in grammar().patterns if p.needs <= present and p.found_in(terms)}
        if hits:
            # What cancels does so for weaker signs (kind « attention »), questions on a third person (« tiers ») or the kind it names
            # (« je me prive pour qu’ils mangent » is no child left hungry): never for all cries.
            off = {p.kind for p in grammar().cancels if p.needs <= present and p.found_in(terms)}
            hits = {(level, kind) for level, kind in hits if kind not in off and level.value not in off}
        found |= hits
    return found
