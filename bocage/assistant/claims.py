"""What a passage claims: its sentences, items and rows, each with all that it needs to be true alone.

What limits a sentence is kept with it (the exception in the next one, the line that introduces an item, the cell that names a row); what
cannot be told apart is left out. Opening hours in rows are left out too: they have exceptions elsewhere, and ``hours.py`` computes them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from bocage.assistant.same_words import KNOWN, Said, said


class Way(NamedTuple):
    """One way of saying a claim: the sentence or, of a row, its parts. ``free`` may stand in any order, ``ordered`` in theirs."""

    free: tuple[Said, ...]
    ordered: tuple[Said, ...] = ()


Claim = tuple[Way, ...]
"""Empty for a question, or for what is not true alone: it keeps its place among the others."""

_BULLET = re.compile(r"^(?:[-•*–‣▪]|\d+[.)])\s+")
_END = re.compile(r"(?<=[.!?…])\s+(?=[^a-zà-ÿ])")
_ROW = re.compile(r"([^:]+?)\s*:\s+([^:]+)")
_AMOUNT = re.compile(r"\d[\d\s.,]*(?:€|euros?\b)|gratuite?\b", re.IGNORECASE)
_TIMES = re.compile(r"(?:de|à|et|[,;–-]|jusqu[’']à|fermée?|ouverte?|\d{1,2}\s?h(?:\s?\d{2})?|\s)+", re.IGNORECASE)
_HEADING_WORDS = 8


def _openings(*names: str) -> tuple[tuple[str, ...], ...]:
    return tuple(said(phrase).words for name in names for phrase in KNOWN[name])


_LIMITS = _openings("exceptions")
_JOINED = _openings("exceptions", "relatives")
_FRAGMENTS = _openings("fragments")
_RESTRICTIONS = _openings("restrictions")
_VERBS, _DANGLING = frozenset(KNOWN["verbs"]), frozenset(KNOWN["dangling"])
_WHOLE_LISTS = frozenset(said(" ".join(KNOWN["whole_lists"])).words)
_CONTACTS = frozenset(KNOWN["contacts"])
_DAYS = frozenset(KNOWN["days"])
_ABBREVIATED = re.compile(rf"(?<![^\W_])(?:(?i:{'|'.join(KNOWN['abbreviations'])})|[A-ZÀ-Ý])\.$")
_PRICE_OF = (said("prix").words[0], said("tarif").words[0])


@dataclass(slots=True)
class _Line:
    text: str
    item: bool = False
    """It began with a bullet."""
    apart: bool = False
    """A blank line stood before it."""
    header: str = ""
    """The line that introduces it."""
    unsaid: bool = False
    """It claims nothing that can be said without more of its list."""


@lru_cache(maxsize=256)
def claims(passage: str, conditions: tuple[str, ...] = ()) -> tuple[Claim, ...]:
    """The claims of ``passage`` in its order; each states ``conditions``, which hold for all of it."""
    found: list[Claim] = []
    for row, group in groupby(_introduced(_lines(passage)), key=lambda line: not line.unsaid and bool(_ROW.fullmatch(line.text))):
        lines = list(group)
        found += _rows(lines) if row else _sentences(lines)
    return tuple(_under(claim, conditions) for claim in found)


def restricting(headings: Sequence[str]) -> tuple[str, ...]:
    """Those of the headings that restrict what stands under them: « Si vous êtes locataire », « Moins de 18 ans »."""
    return tuple(heading for heading in headings if _opens(heading, _RESTRICTIONS))


def _lines(passage: str) -> list[_Line]:
    """Lines without their bullets; one that only continues the line before is joined to it."""
    lines: list[_Line] = []
    apart = False
    for written in passage.splitlines():
        text = written.strip()
        if not text:
            apart = True
            continue
        line = _Line(_BULLET.sub("", text), bool(_BULLET.match(text)), apart)
        if lines and _continues(line, lines[-1].text, any(before.text.endswith(":") for before in lines)):
            lines[-1].text += f" {line.text}"
        else:
            lines.append(line)
        apart = False
    return lines


def _continues(line: _Line, before: str, listed: bool) -> bool:
    if line.text.endswith(":"):
        return False
    closed = before[-1] in ".!?…"
    if _opens(line.text, _LIMITS if closed else _JOINED) or before.endswith(",") or before.casefold().rsplit(maxsplit=1)[-1] in _DANGLING:
        return True
    ended = closed or before[-1] in ":;" or ": " in before
    return not (line.item or line.apart or listed or ended or line.text[0].isupper() or ": " in line.text)


def _introduced(lines: list[_Line]) -> Iterator[_Line]:
    """Each line with the header that it stands under; headers, and items of what a list needs whole, are not said alone."""
    header, items = "", False
    for n, line in enumerate(lines):
        after = lines[n + 1] if n + 1 < len(lines) else None
        if line.text.endswith(":") or (after and _is_heading(line, after)):
            header, items, line.unsaid = line.text.rstrip(" :"), False, True
        else:
            header = "" if items and not line.item and line.apart else header
            items = items or line.item
            line.header = header
            line.unsaid = bool(_WHOLE_LISTS & set(said(header).words)) and (line.item or not _opens(header, _RESTRICTIONS))
        yield line


def _is_heading(line: _Line, after: _Line) -> bool:
    short = line.text[-1] not in ".!?;,…" and len(line.text.split()) <= _HEADING_WORDS and ":" not in line.text
    return short and not line.item and (after.item or bool(_ROW.fullmatch(after.text)))


def _sentences(lines: Iterable[_Line]) -> list[Claim]:
    found: list[Claim] = []
    for line in lines:
        header = (line.header,) if line.header else ()
        for sentence in _with_limits(_split(line.text)):
            unsaid = line.unsaid or sentence.endswith("?")
            found += [()] if unsaid else [_under(claim, header) for claim in _parts(sentence)]
    return found


def _split(text: str) -> Iterator[str]:
    """Sentences; a full stop after an abbreviation ends none."""
    held = ""
    for piece in _END.split(text):
        held = f"{held} {piece}".strip()
        if not _ABBREVIATED.search(held):
            yield held
            held = ""
    if held:
        yield held


def _with_limits(sentences: Iterator[str]) -> list[str]:
    """An exception, or a piece without a verb, is said with the sentence before it."""
    whole: list[str] = []
    for sentence in sentences:
        limits = _opens(sentence, _LIMITS) or _is_fragment(sentence)
        if limits and whole and not _ROW.fullmatch(sentence):
            whole[-1] += f" {sentence}"
        else:
            whole.append(sentence)
    return whole


def _parts(sentence: str) -> Iterator[Claim]:
    """What semicolons separate, when the later parts hold without the first; the whole otherwise."""
    first, *others = re.split(r"\s*;\s*", sentence)
    if any(_is_fragment(other) or _opens(other, _JOINED) or not (_verb(other) or ": " in other) for other in others):
        yield _claim(sentence)
        return
    yield _claim(first)
    # « En Alsace, … ; les parents peuvent… »: the second is said of Alsace too, and « de 30 ans : 410 € » of what the first names.
    alone = "," not in first.split(":")[0]
    yield from (_claim(other) if alone and not _opens(other, _FRAGMENTS) else () for other in others)


def _claim(sentence: str) -> Claim:
    """A sentence or, of the form « label : value », a row."""
    row = _ROW.fullmatch(sentence)
    if row is None or _verb(row[1]):
        spoken = said(sentence)
        return (Way((spoken,)),) if len(spoken) > 2 else ()
    if _TIMES.fullmatch(row[2]):
        return ()
    return (Way((said(row[1]), said(row[2]))),)


def _rows(lines: list[_Line]) -> list[Claim]:
    """Consecutive rows: a list of prices or contacts, each row for itself, or a table's row whose first cell names the others."""
    cells = [(row[1].strip(), row[2].strip()) for line in lines if (row := _ROW.fullmatch(line.text))]
    each = all(_AMOUNT.match(value) for _, value in cells) or all(_first(label) in _CONTACTS for label, _ in cells)
    if len(cells) == 1 or each or any(". " in value for _, value in cells):
        return _sentences(lines)
    if any(_TIMES.fullmatch(value) and not value.isdigit() for _, value in cells[1:]) or _first(cells[0][0]) in _DAYS:
        return [()] * len(cells)
    key, value = said(cells[0][0]), said(cells[0][1])
    names = [key + value, key + said("de") + value, key + said("est") + value]
    names += [value] if not any(character.isdigit() for character in cells[0][1]) else []
    header = (lines[0].header,) if lines[0].header else ()
    return [_under(tuple(Way((name, said(cell)), _column(label)) for name in names), header) for label, cell in cells[1:]]


def _column(label: str) -> tuple[Said, ...]:
    """What a column's title says, part by part: « Prix du repas, Extérieurs » is the meal's, and those people's."""
    parts = [said(part) for part in label.split(",")]
    return tuple(part.part(2) if len(part) > 2 and part.words[0] in _PRICE_OF and part.words[1] == "de" else part for part in parts)


def _under(claim: Claim, conditions: tuple[str, ...]) -> Claim:
    """The claim with each condition stated before it: « Vous êtes locataire » behind « si », others as they stand or behind « pour »."""
    for condition in reversed(conditions):
        ways = ("si",) if _first(condition) == "vous" else ("", "pour")
        stated = [said(f"{way} {condition}") for way in ways]
        claim = tuple(
            Way((head, *way.free), way.ordered) if len(way.free) > 1 else Way((head + way.free[0],)) for way in claim for head in stated
        )
    return claim


def _opens(text: str, openings: tuple[tuple[str, ...], ...]) -> bool:
    words = said(text).words
    return any(words[: len(opening)] == opening for opening in openings)


def _first(text: str) -> str:
    return next(iter(said(text).words), "")


def _is_fragment(text: str) -> bool:
    """Without a verb that is known, and beginning as the end of a sentence does."""
    first = _first(text)
    return not _verb(text) and ": " not in text and (_opens(text, _FRAGMENTS) or first[:1].isdigit() or first in _DAYS or first == "le")


def _verb(text: str) -> bool:
    words = said(text).words
    return bool(_VERBS & set(words)) or "devoir" in words or "pouvoir" in words
