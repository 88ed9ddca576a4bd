"""How people really ask: questions in everyday words for each national sheet, as data. One Markdown file per theme, reviewed like code.

A sheet is a heading « ## F3167 Title » and its questions are the « - » lines under it. Nothing else may stand in a file but its « # »
title, blank lines and « > » remarks.

``asked.jsonl`` holds questions by other authors, who read the titles and headings of the sheets and not the bank: one a line, those of one
author on one sheet together. They are indexed like the bank's, and tell the training how far people's words are from ours.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from hashlib import blake2b
from importlib import resources

from bocage.assistant.documents import Document
from bocage.contract.errors import BocageError

_HEADING = re.compile(r"## (F[1-9][0-9]{0,6}) (\S.*)")
_LONGEST = 400
ASKED = resources.files("bocage.assistant.bank").joinpath("asked.jsonl")


class BrokenBank(BocageError):
    """A file of the everyday-language bank is not in its form."""

    code = "banque-illisible"
    exit_code = 2


def read_bank(text: str, name: str = "banque") -> dict[str, tuple[str, ...]]:
    """Questions by sheet id, in order. Raises ``BrokenBank`` with file and line for anything that is not in the form."""
    found: dict[str, list[str]] = {}
    current: list[str] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith(("# ", "> ")):
            continue
        heading = _HEADING.fullmatch(line)
        if heading:
            if heading[1] in found:
                raise BrokenBank(f"{name}, ligne {number} : la fiche {heading[1]} a déjà ses questions plus haut.")
            current = found[heading[1]] = []
        elif line.startswith("- ") and current is not None and 3 <= len(line) - 2 <= _LONGEST and line == line.rstrip():
            current.append(line[2:])
        else:
            raise BrokenBank(f"{name}, ligne {number} : attendu « ## F123 Titre » ou « - question », lu « {line[:60]} ».")
    return {sheet: tuple(questions) for sheet, questions in found.items()}


@lru_cache(maxsize=1)
def bank() -> Mapping[str, tuple[str, ...]]:
    """The bank of the package: questions by sheet id. Raises ``BrokenBank``."""
    whole: dict[str, tuple[str, ...]] = {}
    for file in sorted(resources.files("bocage.assistant.bank").iterdir(), key=lambda f: f.name):
        if file.name.endswith(".md"):
            part = read_bank(file.read_text(encoding="utf-8"), file.name)
            if double := part.keys() & whole.keys():
                raise BrokenBank(f"{file.name} : {', '.join(sorted(double))} est aussi dans un autre fichier.")
            whole.update(part)
    return whole


def read_asked(text: str, name: str = "asked.jsonl") -> tuple[tuple[str, str], ...]:
    """(sheet id, question) of each line, in order. Raises ``BrokenBank`` with file and line for anything that is not in the form."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            entry = json.loads(line)
            sheet, question = entry["sheet"], entry["q"]
            if not isinstance(sheet, str) or not isinstance(question, str) or not question.strip():
                raise ValueError
        except (ValueError, KeyError, TypeError, RecursionError):
            expected = '{"sheet": "F123", "q": "question"}'
            raise BrokenBank(f"{name}, ligne {number} : attendu {expected}, lu « {line[:60]} ».") from None
        found.append((sheet, question))
    return tuple(found)


@lru_cache(maxsize=1)
def by_others() -> tuple[tuple[str, str], ...]:
    """The questions of other authors: (sheet id, question), in the order of the file. Raises ``BrokenBank``."""
    return read_asked(ASKED.read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def every_question() -> Mapping[str, tuple[str, ...]]:
    """Questions by sheet id: those of the bank, then those of other authors. Raises ``BrokenBank``."""
    whole = {sheet: list(questions) for sheet, questions in bank().items()}
    for sheet, question in by_others():
        whole.setdefault(sheet, []).append(question)
    return {sheet: tuple(dict.fromkeys(questions)) for sheet, questions in whole.items()}


def with_bank(documents: Iterable[Document], left_out: frozenset[str] = frozenset()) -> Iterator[Document]:
    """National sheets with their questions of the bank added; those in ``left_out`` (ids) and local documents stay as they are."""
    known = every_question()
    for document in documents:
        extra = known.get(document.id, ()) if document.origin == "national" and document.id not in left_out else ()
        yield replace(document, questions=(*document.questions, *extra)) if extra else document


def held_out(sheet: str) -> bool:
    """Whether a sheet belongs to the tenth that no training ever sees: what shows how the rest would do without a bank."""
    return int.from_bytes(blake2b(sheet.encode(), digest_size=4, person=b"bocage-tenth").digest(), "big") % 10 == 0
