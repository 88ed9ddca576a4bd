"""A local page in PDF, by ``pypdf``: page by page, headers and footers left out. A scan says that it is a scan."""

from __future__ import annotations

import io
import logging
import re
from collections import Counter
from pathlib import Path
from typing import Any

from bocage.assistant.documents import Document
from bocage.assistant.sources.pages import PageBuilder, page, read_bytes
from bocage.contract.errors import UnreadableFile

MAX_PAGES = 300
MAX_CHARACTERS = 3_000_000
_LETTERS_PER_PAGE = 25
_EDGE = 2
"""Lines at the top and at the bottom of a page where a header or a footer stands."""
_SHORT = 45
"""A line shorter than this, followed by a capital, is a heading or the end of a paragraph."""
_END = re.compile(r"[.!?:;…»)]\s*$")
_BULLET = re.compile(r"\s*[•●▪◦‣–-]\s+(.+)")
_PDF_DATE = re.compile(r"D:(\d{4})(\d{2})(\d{2})")


class ScannedPdf(UnreadableFile):
    """A PDF whose pages are images: nothing in it can be searched or cited."""

    code = "pdf-numerise"


def read_pdf(path: Path, root: Path | None = None) -> Document:
    """The document at ``path``; its id comes from its place under ``root``.

    Raises ``ScannedPdf``: no text under its images. Raises ``UnreadableFile``: not a PDF, damaged, protected, too long.
    """
    import pypdf

    # It warns of every fault of a file on the log; the sentence below says what matters.
    logging.getLogger("pypdf").setLevel(logging.ERROR)
    content = read_bytes(path)
    try:
        reader = pypdf.PdfReader(io.BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            raise UnreadableFile(f"« {path.name} » est protégé par un mot de passe. Enregistrez-le sans protection.")
        if len(reader.pages) > MAX_PAGES:
            raise UnreadableFile(f"« {path.name} » a plus de {MAX_PAGES} pages. Déposez-le en plusieurs parties.")
        pages = _texts(reader, path.name)
        facts = _facts(reader)
    except UnreadableFile:
        raise
    except (Exception, RecursionError):
        # The parser of a hostile format raises anything; whatever it is, this file cannot be read.
        raise UnreadableFile(f"« {path.name} » n’est pas un PDF lisible : il est endommagé. Exportez-le de nouveau.") from None
    if sum(character.isalpha() for text in pages for character in text) < _LETTERS_PER_PAGE * max(1, len(pages)):
        raise ScannedPdf(
            f"« {path.name} » est un document numérisé : ses pages sont des images, sans texte à citer. "
            "Déposez le fichier d’origine, ou passez-le à la reconnaissance de caractères."
        )
    builder = PageBuilder()
    title = _build(pages, builder)
    return page(path, root, facts.pop("titre", "") or title, builder.passages, facts)


def _texts(reader: Any, name: str) -> list[str]:
    texts, size = [], 0
    for sheet in reader.pages:
        texts.append(sheet.extract_text() or "")
        size += len(texts[-1])
        if size > MAX_CHARACTERS:
            raise UnreadableFile(f"« {name} » a trop de texte pour une page. Déposez-le en plusieurs parties.")
    return texts


def _facts(reader: Any) -> dict[str, Any]:
    told = reader.metadata or {}
    title = str(told.get("/Title") or "").strip()
    found = _PDF_DATE.match(str(told.get("/ModDate") or told.get("/CreationDate") or ""))
    # « Microsoft Word - Document1 » and « untitled » are the tool's, not the author's.
    poor = not title or re.match(r"microsoft|untitled|sans titre|document ?\d*$|\(anonymous\)", title, re.IGNORECASE)
    return {"titre": "" if poor else title, "date": "-".join(found.groups()) if found else None}


def _build(pages: list[str], builder: PageBuilder) -> str:
    """Paragraphs of each page under « Page n »; the first and last lines that most pages share are headers and footers."""
    lines = [[line.strip() for line in text.splitlines()] for text in pages]
    edges = [{_shape(line) for line in (*kept[:_EDGE], *kept[-_EDGE:])} for kept in ([line for line in found if line] for found in lines)]
    seen = Counter(shape for shapes in edges for shape in shapes)
    repeated = {shape for shape, count in seen.items() if len(pages) > 2 and count > len(pages) / 2}
    title = ""
    for number, page_lines in enumerate(lines, 1):
        if len(pages) > 1:
            builder.heading(2, f"Page {number}")
        kept = [line for line in page_lines if not (line and _shape(line) in repeated)]
        title = title or next((line for line in kept if line), "")
        _paragraphs(kept, builder)
    builder.flush()
    return title[:150]


def _paragraphs(lines: list[str], builder: PageBuilder) -> None:
    buffer, items = "", []
    for line in [*lines, ""]:
        bullet = _BULLET.fullmatch(line)
        if buffer and (not line or bullet or (line[:1].isupper() and (_END.search(buffer) or len(buffer) < _SHORT))):
            builder.paragraph(buffer)
            buffer = ""
        if bullet:
            items.append(bullet[1])
        elif items and line and not line[:1].isupper():
            items[-1] += f" {line}"
        else:
            if items:
                builder.items(items)
                items = []
            buffer = f"{buffer}{'' if buffer.endswith('-') else ' '}{line}".strip()


def _shape(line: str) -> str:
    """« Page 3 sur 12 » and « Page 4 sur 12 » are the same footer."""
    return re.sub(r"\d+", "#", line)
