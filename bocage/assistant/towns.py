"""Towns that exist nowhere: their pages and directory, what their people ask, and which page answers. Data, reviewed like the bank.

Their authors knew nothing of how search works. A folder of ``towns`` holds ``pages`` and ``annuaire.toml`` as a commune gives them,
``questions.jsonl`` (``{"q": …, "gold": ["pages/cantine.md", "annuaire: Name of the service"]}``), ``national.txt`` (questions of the same
people that only a national sheet answers) and ``off.txt`` (what neither answers).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path

from bocage.assistant.documents import Document, Origin
from bocage.assistant.sources import read_source
from bocage.contract.errors import BocageError

FOLDER = Path(str(resources.files("bocage.assistant").joinpath("towns")))
_PARTS = {"pages": "pages", "annuaire.toml": "annuaire"}


class BrokenTown(BocageError):
    """A town's folder is not in its form."""

    code = "ville-illisible"
    exit_code = 2


@dataclass(frozen=True, slots=True)
class Town:
    """``questions``: each with the numbers, in ``documents``, of what answers it."""

    name: str
    documents: tuple[Document, ...]
    questions: tuple[tuple[str, frozenset[int]], ...]
    national: tuple[str, ...]
    off_topic: tuple[str, ...]


def towns(folder: Path = FOLDER) -> tuple[Town, ...]:
    """All towns, by name. Raises ``BrokenTown``, and what reading their sources raises."""
    return tuple(_read(each) for each in sorted(folder.iterdir()) if each.is_dir())


def _read(folder: Path) -> Town:
    documents: list[Document] = []
    for name, kind in _PARTS.items():
        report = read_source(kind, folder / name)
        if report.errors:
            raise BrokenTown(f"{folder.name}, {name} : {report.errors[0].sentence()}")
        # As the library names them: a page and a service may bear the same name.
        documents += [replace(d, id=f"{d.origin.value}:{d.id}") for d in report.documents]
    lines = (folder / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    questions = tuple(_question(line, documents, folder.name) for line in lines if line.strip())
    return Town(folder.name, tuple(documents), questions, tuple(_lines(folder / "national.txt")), tuple(_lines(folder / "off.txt")))


def _question(line: str, documents: list[Document], town: str) -> tuple[str, frozenset[int]]:
    try:
        asked = json.loads(line)
        text, golds = str(asked["q"]), [str(gold) for gold in asked["gold"]]
    except (ValueError, KeyError, TypeError) as error:
        raise BrokenTown(f'{town}, questions.jsonl : attendu {{"q": …, "gold": […]}}, lu « {line[:80]} ».') from error
    right = frozenset(n for n, d in enumerate(documents) for gold in golds if _is(d, gold))
    if not right:
        raise BrokenTown(f"{town} : rien de ce qui est dit répondre à « {text} » n’existe ({', '.join(golds)}).")
    return text, right


def _is(document: Document, gold: str) -> bool:
    if gold.startswith("annuaire:"):
        return document.origin is Origin.DIRECTORY and document.title == gold.removeprefix("annuaire:").strip()
    return document.id == f"{Origin.LOCAL.value}:{Path(gold).stem}"


def _lines(path: Path) -> Iterator[str]:
    return (line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
