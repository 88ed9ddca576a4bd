"""Question–answer pairs that the commune wrote or reviewed: in TOML (``[[paire]]``) or in a CSV. They win over every other source."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, ClassVar

from bocage.assistant.documents import Document, Origin, Passage
from bocage.assistant.sources.nodes import collapse
from bocage.assistant.sources.pages import audiences, day, decode, read_bytes, step, texts
from bocage.assistant.sources.report import FileError
from bocage.assistant.sources.steps import safe_url
from bocage.assistant.sources.tablerows import rows_of
from bocage.contract.errors import UnreadableFile
from bocage.contract.rows import Row, TableInfo, column
from bocage.contract.tables import read_table

MAX_ANSWER = 3_000


class PairRow(Row):
    """One pair of the CSV."""

    TABLE: ClassVar[TableInfo] = TableInfo(title="Questions et réponses")

    question: str = column(
        "Question, comme on la pose ; plusieurs façons séparées par « | »", example="Quand passe le camion ?", min_length=3
    )
    reponse: str = column("Réponse, en mots simples", example="Le mardi matin.", min_length=2, max_length=MAX_ANSWER)
    url: str | None = column("Page qui en dit plus", default=None)
    relue_le: date | None = column("Dernière relecture", default=None)
    public: str | None = column("citoyens, accueil ou rh ; plusieurs séparés par « | »", default=None)


def read_curated(path: Path, errors: list[FileError] | None = None) -> Iterator[Document]:
    """The pairs at ``path``. A wrong pair is named in ``errors`` and skipped.

    Raises ``UnreadableFile``, ``MissingColumns``, ``NoValidLine``: the file itself cannot be read.
    """
    for number, pair in enumerate(_of_toml(path) if path.suffix.casefold() == ".toml" else _of_table(path, errors), 1):
        try:
            yield _document(pair, path.name)
        except (UnreadableFile, TypeError, AttributeError) as error:
            if errors is not None:
                errors.append(FileError(path.name, f"paire {number} : {error}"))


def _of_toml(path: Path) -> Iterator[Mapping[str, Any]]:
    try:
        data = tomllib.loads(decode(read_bytes(path), path.name).replace("\r\n", "\n"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UnreadableFile(f"« {path.name} » n’est pas du TOML : {error}.") from None
    pairs = data.get("paire")
    if not isinstance(pairs, list) or not pairs:
        raise UnreadableFile(f"« {path.name} » ne contient pas de « [[paire]] » avec « questions » et « reponse ».")
    shared: dict[str, Any] = {key: data[key] for key in ("date", "licence", "editeur", "public") if key in data}
    for pair in pairs:
        yield {**shared, **pair} if isinstance(pair, Mapping) else {}


def _of_table(path: Path, errors: list[FileError] | None) -> Iterator[Mapping[str, Any]]:
    table = read_table(path, PairRow, max_mb=20)
    if errors is not None:
        errors += [FileError(path.name, error.sentence()) for error in list(table.report.errors)[:50]]
    for row in rows_of(table, PairRow):
        given = {"questions": row.question.split("|"), "reponse": row.reponse, "url": row.url or "", "date": row.relue_le}
        yield {**given, **({"public": [p.strip() for p in row.public.split("|")]} if row.public else {})}


def _document(pair: Mapping[str, Any], name: str) -> Document:
    questions = texts(pair.get("questions", []), name, "questions")
    paragraphs = [collapse(part) for part in str(pair.get("reponse", ""))[: MAX_ANSWER + 1].split("\n\n") if part.strip()]
    if not questions or not paragraphs:
        raise UnreadableFile("il manque « questions » ou « reponse »")
    if sum(map(len, paragraphs)) > MAX_ANSWER:
        raise UnreadableFile(f"la réponse dépasse {MAX_ANSWER} caractères ; écrivez une page")
    return Document(
        id=str(pair.get("id") or f"q-{hashlib.sha256(questions[0].encode()).hexdigest()[:12]}")[:100],
        title=questions[0],
        origin=Origin.CURATED,
        passages=tuple(Passage(paragraph) for paragraph in paragraphs),
        url=safe_url(str(pair.get("url", ""))),
        audiences=audiences(pair.get("public"), name),
        updated_on=day(pair.get("date"), name),
        licence=str(pair.get("licence", "")),
        publisher=str(pair.get("editeur", "")),
        questions=tuple(questions),
        steps=tuple(step(item, name) for item in pair.get("etapes", [])),
        facts={"service": str(pair["service"])} if pair.get("service") else {},
    )
