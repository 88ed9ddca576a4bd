"""A local page in PDF: headings by their letters, rows of tables whole, headers and footers left out. A scan says that it is a scan."""

from __future__ import annotations

import io
import logging
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bocage.assistant.documents import Document
from bocage.assistant.opening_hours import fold
from bocage.assistant.sources.pages import PageBuilder, audiences_in_keywords, page, read_bytes
from bocage.assistant.sources.pdflines import EDGE, Line, as_seen, side_by_side
from bocage.contract.errors import UnreadableFile

MAX_PAGES = 300
MAX_CHARACTERS = 3_000_000
_LETTERS_PER_PAGE = 25
_SHORT = 45
"""A line shorter than this, followed by a capital, is a heading or the end of a paragraph."""
_HEADING = 120
"""A longer text in large or bold letters is a text."""
_LARGER = 1.15
"""Size of a heading, for a body of 1."""
_TOGETHER = 12
"""Short lines, or rows of a table, that make one passage; the next ones begin with the header again."""
_HEADER = 3
"""Lines of the header of a table that are said again."""
_LONG = 4_000
"""Characters after which a text without an end is cut."""
_NUMBERS = 12
"""A line of more numbers is a row of figures, never a header."""
_BOLD_LEVEL, _PAGE_LEVEL = 5, 6
_END = re.compile(r"[.!?:;…»)]\s*$")
_STOP = re.compile(r"[.!?;…]\s*$")
_AMOUNT = re.compile(r"\d\s*(?:€|%|euros?\b|m²|m³|h\b|h\d)", re.IGNORECASE)
_PAGE_NUMBER = re.compile(r"[\s–—-]*(?:page|p\.)?\s*\d{1,4}(?:\s*(?:/|sur|de)\s*\d{1,4})?[\s–—-]*", re.IGNORECASE)
_NUMBERED = re.compile(r"(?:article|chapitre|titre|section|annexe|partie)\s+(?:\d+|[IVXLC]+)(?:er)?\s*[.:–-]?", re.IGNORECASE)
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
        pages = _pages(reader, path.name)
        facts = _facts(reader)
    except UnreadableFile:
        raise
    except (Exception, RecursionError):
        # The parser of a hostile format raises anything; whatever it is, this file cannot be read.
        raise UnreadableFile(f"« {path.name} » n’est pas un PDF lisible : il est endommagé. Exportez-le de nouveau.") from None
    if sum(character.isalpha() for lines in pages for line in lines for character in line.text) < _LETTERS_PER_PAGE * max(1, len(pages)):
        raise ScannedPdf(
            f"« {path.name} » est un document numérisé : ses pages sont des images, sans texte à citer. "
            "Déposez le fichier d’origine, ou passez-le à la reconnaissance de caractères."
        )
    builder = PageBuilder()
    title = _Writer(builder, _Sizes(pages), facts.pop("titre", "")).write(pages)
    return page(path, root, title, builder, facts)


def _pages(reader: Any, name: str) -> list[list[Line]]:
    pages, size = [], 0
    for sheet in reader.pages:
        lines = _lines(sheet)
        size += sum(len(line.text) for line in lines)
        if size > MAX_CHARACTERS:
            raise UnreadableFile(f"« {name} » a trop de texte pour une page. Déposez-le en plusieurs parties.")
        pages.append(lines)
    return pages


def _lines(sheet: Any) -> list[Line]:
    """The lines of a page in reading order, none of them empty; pieces that stand side by side are one line."""
    found = [Line()]

    def hear(text: str, cm: list[float], tm: list[float], font: Any, font_size: float) -> None:
        size = round(font_size * math.hypot(tm[2], tm[3]) * math.hypot(cm[2], cm[3]), 1)
        x, y = tm[4] * cm[0] + tm[5] * cm[2] + cm[4], tm[4] * cm[1] + tm[5] * cm[3] + cm[5]
        bold = bool(re.search(r"bold|black|heavy|gras", str((font or {}).get("/BaseFont", "")), re.IGNORECASE))
        for rank, part in enumerate(text.split("\n")):
            if rank:
                found.append(Line())
            if part.strip():
                found[-1].add(part, x, y, size if rank == 0 or not text[0].strip() else 0.0, bold)
            else:
                found[-1].parts.append(part)

    text = sheet.extract_text(visitor_text=hear) or ""
    for line in found:
        line.text = " ".join("".join(line.parts).split())
    if " ".join(line.text for line in found if line.text) != " ".join(text.split()):
        # Where pieces and text differ, the text is right and nothing is known of its places.
        return [Line(text=" ".join(line.split())) for line in text.splitlines() if line.strip()]
    return side_by_side([line for line in found if line.text])


def _facts(reader: Any) -> dict[str, Any]:
    told = reader.metadata or {}
    title = str(told.get("/Title") or "").strip()
    found = _PDF_DATE.match(str(told.get("/ModDate") or told.get("/CreationDate") or ""))
    # « Microsoft Word - Document1 » and « untitled » are the tool's, not the author's.
    public = audiences_in_keywords(str(told.get("/Keywords") or ""))
    poor = not title or re.match(r"microsoft|untitled|sans titre|document ?\d*$|\(anonymous\)", title, re.IGNORECASE)
    return {"titre": "" if poor else title, "date_fichier": "-".join(found.groups()) if found else None, "public": public}


class _Sizes:
    """What is large and what is small in a document, by the size of most of its letters."""

    def __init__(self, pages: list[list[Line]]) -> None:
        letters = Counter[float]()
        for lines in pages:
            for line in lines:
                letters[line.size] += len(line.text)
        self.body = letters.most_common(1)[0][0] if letters else 0.0
        self.bold_tells = sum(len(line.text) for lines in pages for line in lines if line.bold) < letters.total() / 2
        larger = (size for size in letters if self.body and size >= _LARGER * self.body)
        self.levels = {size: min(rank, _BOLD_LEVEL - 1) for rank, size in enumerate(sorted(larger, reverse=True), 1)}

    def level(self, line: Line) -> int:
        """Level of the heading that ``line`` may be part of, from 1, the largest; 0 for a line of text."""
        # A price in large letters is what people look for: never a heading, whose text might stand above nothing.
        if line.row or _AMOUNT.search(line.text) or _BULLET.fullmatch(line.text) or sum(map(str.isalpha, line.text[:_HEADING])) < 3:
            return 0
        bold = line.bold and self.bold_tells and line.size >= self.body and not line.text[:1].islower()
        return self.levels.get(line.size) or (_BOLD_LEVEL if bold else 0)


def _running(pages: list[list[Line]]) -> set[tuple[int, int]]:
    """Headers and footers, as (page, line): what most pages say at the same edge, but for the number of the page."""
    places: dict[tuple[Any, ...], set[tuple[int, int]]] = defaultdict(set)
    for number, lines in enumerate(pages):
        for edge, at in _edges(lines):
            if _may_run(lines, at):
                for said in _but_for_page(lines[at].text, number):
                    # The title of the first page, in larger letters, is not the header that repeats it.
                    places[edge, lines[at].size, *said].add((number, at))
    enough = max(2, len(pages) // 2 + 1)
    return {place for found in places.values() if len({number for number, _ in found}) >= enough for place in found}


def _edges(lines: list[Line]) -> Iterator[tuple[str, int]]:
    """The first and the last lines, as written in the file and as seen on the page: many tools write both edges first."""
    written = list(range(len(lines)))
    seen = sorted((at for at in written if lines[at].size), key=lambda at: -lines[at].y)
    for edge, places in (("first", written[:EDGE]), ("last", written[-EDGE:]), ("top", seen[:EDGE]), ("bottom", seen[-EDGE:])):
        yield from ((edge, at) for at in places)


def _may_run(lines: list[Line], at: int) -> bool:
    """Whether a line could be a header: a page number, or several words that are no amount, no sentence, no label, no row of a table."""
    line = lines[at]
    if _PAGE_NUMBER.fullmatch(line.text):
        return True
    if len(line.text) > 2 * _HEADING or _AMOUNT.search(line.text) or _STOP.search(line.text) or line.text.endswith(":"):
        return False
    beside = lines[max(0, at - 1) : at] + lines[at + 1 : at + 2]
    return len(re.findall(r"[^\W\d_]{2,}", line.text)) > 1 and not (line.row and any(other.row for other in beside))


def _but_for_page(text: str, page_number: int) -> Iterator[tuple[Any, ...]]:
    """« Page 3 sur 12 » on the third page and « Page 4 sur 12 » on the next are the same footer; two phone numbers, or prices, are not."""
    words = re.sub(r"\d+", "#", text)
    numbers = [int(number) for number in re.findall(r"\d+", text)][: _NUMBERS + 1]
    if len(numbers) <= _NUMBERS:
        if any(map(str.isalpha, words)):
            yield words, tuple(numbers), None
        for at, number in enumerate(numbers):
            yield words, (*numbers[:at], number - page_number, *numbers[at + 1 :]), at


class _Writer:
    """Lines to passages. What is short announces what follows, and is never cited without it."""

    def __init__(self, builder: PageBuilder, sizes: _Sizes, title: str) -> None:
        self.builder, self.sizes, self.title = builder, sizes, title
        self.page = ""
        self.paragraph = ""
        self.size = 0.0
        self.items: list[str] = []
        self.held: list[str] = []
        """Labels, or rows of a table, that wait for what follows them."""
        self.header = 0
        """How many of the lines held are the header of a table; 0 when they are no table."""
        self.cited = 0
        """How many of the lines held stand in a passage already."""
        self.open: list[tuple[int, str, int]] = []
        """Headings that are open: level, text, and how many passages there were before."""

    def write(self, pages: list[list[Line]]) -> str:
        """Every page to the builder; returns the title."""
        running = _running(pages)
        for number, lines in enumerate(pages):
            kept = [line for at, line in enumerate(lines) if (number, at) not in running]
            if number == 0:
                self._take_title(kept)
            if len(pages) > 1:
                self.page = f"Page {number + 1}"
                self.builder.heading(_PAGE_LEVEL, self.page)
            self.title = self.title or next((line.text for line in kept), "")
            text, below = as_seen(kept)
            self._page(text)
            self._page(below)
        self._close_headings(0)
        return self.title[:150]

    def _take_title(self, lines: list[Line]) -> None:
        """The first text in the largest letters is the title, unless the file tells another; a title opens no path."""
        first = next((at for at, line in enumerate(lines) if self.sizes.level(line) == 1), len(lines))
        text, after = self._heading_at(lines, first)
        if text and fold(self.title) in ("", fold(text)):
            self.title = text
            del lines[first:after]

    def _page(self, lines: list[Line]) -> None:
        at = 0
        while at < len(lines):
            text, after = self._heading_at(lines, at)
            if text:
                self._heading(self.sizes.level(lines[at]), text)
            else:
                for line in lines[at:after]:
                    self._line(line)
            at = after
        self._finish()

    def _heading_at(self, lines: list[Line], at: int) -> tuple[str, int]:
        """The heading on a line and on those that go on with it, else no text; and the first line after them."""
        level = self.sizes.level(lines[at]) if at < len(lines) else 0
        after = at + 1
        while level and after < len(lines) and self.sizes.level(lines[after]) == level and lines[after].goes_on_with(lines[after - 1]):
            after += 1
        texts = [line.text for line in lines[at:after]]
        # Words in bold within a sentence are no heading: it goes on after them, or ends with them.
        goes_on = any(_STOP.search(text) for text in texts) or (after < len(lines) and lines[after].text[:1].islower())
        is_text = sum(map(len, texts)) > _HEADING or (level == _BOLD_LEVEL and goes_on)
        return "" if not level or is_text else " ".join(texts), after

    def _heading(self, level: int, text: str) -> None:
        self._close_headings(level)
        self._finish()
        self.open.append((level, text, len(self.builder.passages)))
        self.builder.heading(level, text)
        if self.page:
            self.builder.heading(_PAGE_LEVEL, self.page)

    def _close_headings(self, level: int) -> None:
        """A heading that stands above nothing is a text: « Fermé le 1er mai »."""
        self._finish()
        while self.open and self.open[-1][0] >= level:
            _, text, before = self.open.pop()
            if len(self.builder.passages) == before:
                self.builder.paragraph(text)
                self.builder.flush()

    def _line(self, line: Line) -> None:
        bullet = _BULLET.fullmatch(line.text)
        if bullet or self._is_ended_by(line):
            self._end_paragraph()
        if bullet:
            if self.header:
                self._release()
            self.items.append(bullet[1])
        elif self.items and not line.row and not line.text[:1].isupper() and len(self.items[-1]) < _LONG:
            self.items[-1] += f" {line.text}"
        else:
            self._end_items()
            if line.row:
                self._hold(line.text, row=True)
            else:
                self.size = self.size if self.paragraph else line.size
                self.paragraph = f"{self.paragraph}{'' if self.paragraph.endswith('-') else ' '}{line.text}".strip()

    def _is_ended_by(self, line: Line) -> bool:
        if line.row or len(self.paragraph) > _LONG or abs(line.size - self.size) > 0.1 * self.size:
            return True
        return line.text[:1].isupper() and (len(self.paragraph) < _SHORT or bool(_END.search(self.paragraph)))

    def _end_paragraph(self) -> None:
        text, self.paragraph = self.paragraph, ""
        label = text.endswith(":") or (len(text) < _SHORT and not _STOP.search(text) and not _NUMBERED.fullmatch(text))
        if text and (label or (self.header and not _STOP.search(text))):
            self._hold(text)
        elif text:
            if self.header:
                self._release()
            if self.held:
                self._hold(text)
                self._release()
            else:
                self.builder.paragraph(text)

    def _hold(self, text: str, row: bool = False) -> None:
        self.held.append(text)
        if row and not self.header:
            self.header = len(self.held)
        if len(self.held) >= _TOGETHER:
            header = self.held[max(0, self.header - _HEADER) : self.header]
            self._release()
            self.held, self.header, self.cited = header, len(header), len(header)

    def _release(self) -> None:
        if len(self.held) > self.cited:
            self.builder.flush()
            self.builder.items(self.held)
        self.held, self.header, self.cited = [], 0, 0

    def _end_items(self) -> None:
        if self.items:
            if self.held:
                self.builder.flush()
            self.builder.items([*self.held, *self.items])
            self.held, self.items = [], []

    def _finish(self) -> None:
        self._end_paragraph()
        self._end_items()
        self._release()
        self.builder.flush()
