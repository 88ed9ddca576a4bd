"""Deliberations in the SCDL format (« Socle commun des données locales », schema « délibérations » 2.1.5 of OpenDataFrance)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import ClassVar

from bocage.assistant.documents import Audience, Document, Origin, Passage
from bocage.assistant.sources.nodes import collapse
from bocage.assistant.sources.report import FileError
from bocage.assistant.sources.steps import safe_url
from bocage.assistant.sources.tablerows import rows_of
from bocage.contract import french
from bocage.contract.rows import Row, TableInfo, column
from bocage.contract.tables import read_table

LICENCE = "Licence Ouverte 2.0"


class DeliberationRow(Row):
    """One deliberation; the columns are those of the official schema."""

    TABLE: ClassVar[TableInfo] = TableInfo(
        title="Délibérations (SCDL)", schema_url="https://schema.data.gouv.fr/scdl/deliberations/2.1.5/documentation.html"
    )

    COLL_NOM: str = column("Nom de la collectivité", example="Pays de Brenoux", min_length=1)
    COLL_SIRET: str = column("SIRET de la collectivité", example="21860194600013", pattern=r"^\d{14}$")
    DELIB_ID: str = column("Identifiant de la délibération", example="2026-041", min_length=1, max_length=100)
    DELIB_DATE: date = column("Date d’adoption", example="2026-10-15")
    DELIB_MATIERE_CODE: str | None = column("Code de matière (nomenclature ACTES)", example="8.4", default=None, pattern=r"^\d\.\d{1,2}$")
    DELIB_MATIERE_NOM: str = column("Nom de matière", example="finances locales/fiscalité", min_length=1)
    DELIB_OBJET: str = column("Objet de la délibération", min_length=3, max_length=4_000)
    BUDGET_ANNEE: str | None = column("Année du budget", default=None, pattern=r"^[0-9]{4}(/[0-9]{4})?$")
    BUDGET_NOM: str | None = column("Nom du budget", default=None)
    VOTE_EFFECTIF: int | None = column("Effectif théorique des votants", default=None, ge=0)
    VOTE_REEL: int | None = column("Effectif réel des votants", default=None, ge=0)
    VOTE_POUR: int | None = column("Votes pour", default=None, ge=0)
    VOTE_CONTRE: int | None = column("Votes contre", default=None, ge=0)
    VOTE_ABSTENTION: int | None = column("Abstentions", default=None, ge=0)
    DELIB_URL: str | None = column("Lien vers la délibération", default=None)


def read_deliberations(path: Path, errors: list[FileError] | None = None) -> Iterator[Document]:
    """The deliberations of the table at ``path``. A wrong line is named in ``errors`` and skipped.

    Raises ``UnreadableFile``, ``MissingColumns``, ``NoValidLine``.
    """
    table = read_table(path, DeliberationRow, max_mb=100)
    if errors is not None:
        errors += [FileError(path.name, error.sentence()) for error in list(table.report.errors)[:50]]
    seen: set[str] = set()
    for row in rows_of(table, DeliberationRow):
        if row.DELIB_ID in seen:
            if errors is not None:
                errors.append(FileError(path.name, f"la délibération « {row.DELIB_ID} » y est deux fois ; la première est gardée"))
            continue
        seen.add(row.DELIB_ID)
        yield _document(row)


def _document(row: DeliberationRow) -> Document:
    subject = collapse(row.DELIB_OBJET)
    passages = [Passage(subject, ("Objet",)), *(Passage(vote, ("Vote",)) for vote in _vote(row))]
    return Document(
        id=row.DELIB_ID,
        title=f"Délibération du {french.day(row.DELIB_DATE, weekday=False, year=True)} : {subject}"[:250],
        origin=Origin.DELIBERATION,
        passages=tuple(passages),
        description=subject,
        url=safe_url(row.DELIB_URL or ""),
        theme=tuple(part.strip() for part in row.DELIB_MATIERE_NOM.split("/") if part.strip()),
        audiences=frozenset({Audience.CITIZENS, Audience.COUNTER, Audience.STAFF}),
        updated_on=row.DELIB_DATE,
        licence=LICENCE,
        publisher=row.COLL_NOM,
    )


def _vote(row: DeliberationRow) -> list[str]:
    if row.VOTE_POUR is None:
        return []
    parts = [f"{row.VOTE_POUR} pour"]
    parts += [f"{row.VOTE_CONTRE} contre"] if row.VOTE_CONTRE is not None else []
    parts += [french.count(row.VOTE_ABSTENTION, "abstention")] if row.VOTE_ABSTENTION is not None else []
    return [f"Vote : {', '.join(parts)}."]
