"""One way of writing for what French writes in several: two sentences with the same words here say the same thing.

``said("Il faut payer 4.20 €, dès lundi")`` and ``said("Vous devez payer 4,20 euros, à partir de lundi")`` are equal. Every word that is not
listed in ``data/wording.toml`` as adding nothing is kept, in its order: prepositions, « un », « les », « pas », signs and numbers too.
Accents are kept: « ferme » is not « fermé ».
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

KNOWN: dict[str, Any] = tomllib.loads(resources.files("bocage.assistant").joinpath("data/wording.toml").read_text(encoding="utf-8"))

_DECIMAL = re.compile(r"(?<![\d.,/])(\d+)[.,](\d{1,2})(?![\d/]|[.,]\d)")
_NUMBERS = (
    (re.compile(r"(?<!\d)(\d{1,3}(?: \d{3})+)(?!\d)"), lambda found: found[1].replace(" ", "")),
    (_DECIMAL, lambda found: f"{found[1]}.{found[2]}".rstrip("0").rstrip(".")),
    (re.compile(r"(?<!\d)(\d{2}(?:[ .]\d{2}){4}|\d{4}(?: \d{2}){3})(?!\d)"), lambda found: re.sub(r"\D", "", found[1])),
    (re.compile(r"(?<![\d.,])(\d{1,2}) ?(?:heures?|h)(?![^\W\d_])(?: ?(\d{2})(?!\d))?"), lambda found: _hour(found[1], found[2])),
    (re.compile(r"(\d) ?(?:€|euros?\b)"), lambda found: f"{found[1]}€"),
    (re.compile(r"(\d) ?(?:%|pour cent\b)"), lambda found: f"{found[1]}%"),
    (re.compile(r"(\d+h\d*) ?[-–—] ?(\d+h\d*)"), lambda found: f"de {found[1]} à {found[2]}"),
)
_ELIDED = re.compile(r"\b(jusqu|lorsqu|puisqu|qu|[cdjlmnst])'")
_FULL = {"qu": "que", "jusqu": "jusque", "lorsqu": "lorsque", "puisqu": "puisque"}
_CONTRACTED = {"au": ("à", "le"), "aux": ("à", "les"), "du": ("de", "le")}
_TOKEN = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|https?://\S+|\d+(?:[.,/]\d+)*[^\W_]*[€%]?|[^\W\d_][^\W_]*(?:-[^\W_]+)*|[^\w\s\"«»'*_]")
_BREAKS = frozenset(",;:().!?…")
_LIGHT, _PLURAL_LIGHT = frozenset(KNOWN["light"]), frozenset(KNOWN["plural_light"])
_DAYS, _INVARIABLE = frozenset(KNOWN["days"]), frozenset(KNOWN["invariable"])
_COUNTS = {word: str(number) for number, word in enumerate(KNOWN["numbers"]) if word}
_NOT_IMPERATIVE = frozenset({"chez", "assez", "veuillez"})
_AND = frozenset({"et", "ou", "puis"})


@dataclass(frozen=True, slots=True)
class Said:
    """Words in order, and whether a pause (comma, colon, bracket) follows each."""

    words: tuple[str, ...] = ()
    pauses: tuple[bool, ...] = ()

    def __len__(self) -> int:
        return len(self.words)

    def __add__(self, other: Said) -> Said:
        """One after the other, with a pause between."""
        return Said(self.words + other.words, (*self.pauses[:-1], True, *other.pauses) if self.words else other.pauses)

    def part(self, start: int, end: int | None = None) -> Said:
        """The words from ``start`` to ``end``."""
        return Said(self.words[start:end], self.pauses[start:end])

    def says(self, other: Said) -> bool:
        """Whether ``other`` is the same words, with no pause that is not here: a pause can give a word to another part."""
        return self.words == other.words and all(here or not there for here, there in zip(self.pauses[:-1], other.pauses[:-1], strict=True))


@lru_cache(maxsize=2048)
def said(text: str) -> Said:
    """What ``text``, one sentence, says."""
    found = list(_priced(_replaced(list(_kept(_commands(_read(text)))))))
    return Said(tuple(word for word, _ in found), tuple(pause for _, pause in found))


def plain(text: str) -> str:
    """``text`` in lower case, accents kept, with straight apostrophes, plain blanks and one way of writing numbers."""
    low = unicodedata.normalize("NFKC", text).casefold().replace("’", "'").replace("‘", "'").replace("\u2011", "-")
    low = re.sub(r"[^\S\n]+", " ", low)
    for pattern, rewritten in _NUMBERS:
        low = pattern.sub(rewritten, low)
    return low


Token = tuple[str, bool]


def _hour(hour: str, minutes: str | None) -> str:
    return f"{int(hour)}h{minutes if minutes and minutes != '00' else ''}"


def _read(text: str) -> list[Token]:
    """Words with elisions and contractions written out, and whether a pause follows."""
    low = re.sub(r"\bs'(?=ils?\b)", "si ", plain(text))
    low = _ELIDED.sub(lambda found: f"{_FULL.get(found[1], found[1] + 'e')} ", low)
    read: list[Token] = []
    for word in _TOKEN.findall(low):
        if word in _BREAKS:
            if read:
                read[-1] = (read[-1][0], True)
            continue
        read += [(part, False) for part in _CONTRACTED.get(word, (word,))]
    return read


def _commands(read: Sequence[Token]) -> Iterator[Token]:
    """« Demandez » as « devoir demander », « ne sortez pas » as « ne devoir pas sortir »."""
    skipped = False
    for n, (word, pause) in enumerate(read):
        if skipped:
            skipped = False
            continue
        before = read[n - 1][0] if n else ""
        starts = not n or read[n - 1][1] or before in _AND or (before == "ne" and (n == 1 or read[n - 2][1] or read[n - 2][0] in _AND))
        if not (starts and word.endswith("ez") and len(word) > 3 and word not in _NOT_IMPERATIVE):
            yield word, pause
            continue
        yield "devoir", False
        if before == "ne" and n + 1 < len(read):
            yield read[n + 1][0], False
            skipped, pause = True, read[n + 1][1]
        yield KNOWN["infinitives"].get(word, f"{word[:-1]}r"), pause


def _kept(read: Iterator[Token]) -> Iterator[Token]:
    """Without articles that add nothing, in the singular, numbers as figures. « Le lundi » is not « lundi »: its article stays."""
    tokens = list(read)
    held: Token | None = None
    for n, (word, pause) in enumerate(tokens):
        following = [later for later, _ in tokens[n + 1 : n + 3]]
        each = word == "le" and following[:1] and following[0].rstrip("s") in _DAYS and not following[-1][0].isdigit()
        if word in _LIGHT and not each:
            held = (held[0], held[1] or pause) if held else None
            continue
        if held:
            yield held
        held = (_singular(_COUNTS.get(word, "les" if word in _PLURAL_LIGHT else word)), pause)
    if held:
        yield held


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word[-1] in "sx" and word not in _INVARIABLE else word


def _replaced(tokens: list[Token]) -> list[Token]:
    """The phrases of the list, longest first where two could begin together, as their one way of saying."""
    done: list[Token] = []
    n = 0
    while n < len(tokens):
        for written, compared in _same():
            end = n + len(written)
            inside = tokens[n:end]
            if tuple(word for word, _ in inside) == written and not any(pause for _, pause in inside[:-1]):
                done += [*((word, False) for word in compared[:-1]), (compared[-1], inside[-1][1])]
                n = end
                break
        else:
            done.append(tokens[n])
            n += 1
    return done


@lru_cache(maxsize=1)
def _same() -> tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]:
    """The list of ``data/wording.toml``, read as sentences are."""
    pairs = [tuple(tuple(word for word, _ in _kept(iter(_read(side)))) for side in pair) for pair in KNOWN["same"]]
    return tuple(sorted(((pair[0], pair[1]) for pair in pairs), key=lambda pair: -len(pair[0])))


def _priced(tokens: list[Token]) -> Iterator[Token]:
    """« Le prix du repas est de 4 € » as « le repas coûte 4 € », « est de 4 » as « est 4 », « 4 € par jour » as « 4 € le jour »."""
    words = [word for word, _ in tokens]
    priced = words[1:2] == ["de"] and words[0] in {_singular("prix"), "tarif", "coût"}
    is_at = next((n for n, word in enumerate(words) if word == "est"), -1)
    amount = next(iter(word for word in words[is_at + 1 : is_at + 3] if word != "de"), "")
    priced = priced and is_at > 2 and amount.endswith("€")
    for n, (word, pause) in enumerate(tokens):
        before, after = (words[n - 1] if n else ""), (words[n + 1] if n + 1 < len(words) else "")
        if (priced and n < 2) or (word == "de" and before == "est" and after[:1].isdigit()) or (word == "par" and before.endswith("€")):
            continue
        yield ("coûte" if priced and n == is_at else word), pause
