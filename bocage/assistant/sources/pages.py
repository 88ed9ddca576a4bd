"""What local pages of every format share: blocks to passages under their headings, and the refusal of pages that say nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from bocage.assistant.documents import Audience, Document, Origin, Passage, Step, StepKind
from bocage.assistant.opening_hours import fold
from bocage.assistant.sources.nodes import collapse
from bocage.assistant.sources.steps import safe_url
from bocage.contract.errors import UnreadableFile

MAX_PAGE_BYTES = 20_000_000
MAX_TEXT = 2_000_000
"""Characters of a page, about a thousand printed pages."""
MAX_PASSAGES = 5_000
_CASE = re.compile(r"cas\s*:\s*(.+)", re.IGNORECASE)
_HEADING_LEVELS = 6


@dataclass(slots=True)
class PageBuilder:
    """Blocks in reading order to passages. A heading « Cas : vous êtes locataire » opens a branch, as in the national sheets."""

    passages: list[Passage] = field(default_factory=list)
    _headings: dict[int, str] = field(default_factory=dict)
    _lead: str = ""

    def heading(self, level: int, text: str) -> None:
        """A heading of ``level`` 1 to 6: those at its level and below are closed."""
        self.flush()
        self._headings = {rank: title for rank, title in self._headings.items() if rank < level}
        if text := collapse(text):
            self._headings[min(level, _HEADING_LEVELS)] = text

    def paragraph(self, text: str) -> None:
        """A paragraph: held back, as it may introduce the list that follows."""
        self.flush()
        self._lead = collapse(text)

    def items(self, texts: list[str]) -> None:
        """A list, with the paragraph just before it."""
        lines = [self._lead, *map(collapse, texts)]
        self._lead = ""
        self._emit("\n".join(filter(None, lines)))

    def rows(self, table: list[list[str]]) -> None:
        """A table whose first row is its header: each other row with it."""
        lead, self._lead = self._lead if self._lead.endswith(":") else "", "" if self._lead.endswith(":") else self._lead
        self.flush()
        if not table:
            return
        header = [collapse(cell) for cell in table[0]]
        for row in table[1:] or table:
            cells = [collapse(cell) for cell in row]
            named = zip(header + [""] * len(cells), cells, strict=False) if len(table) > 1 else (("", cell) for cell in cells)
            self._emit("\n".join(filter(None, [lead, *(f"{head} : {cell}" if head else cell for head, cell in named if cell)])))

    def flush(self) -> None:
        """The paragraph held back stands alone."""
        lead, self._lead = self._lead, ""
        self._emit(lead)

    def _emit(self, text: str) -> None:
        if not text or len(self.passages) >= MAX_PASSAGES:
            return
        path: list[str] = []
        case: list[str] = []
        for _, title in sorted(self._headings.items()):
            branch = _CASE.fullmatch(title)
            (case if branch else path).append(branch[1][:1].upper() + branch[1][1:] if branch else title)
        self.passages.append(Passage(text, tuple(path), tuple(case)))


def page_id(path: Path, root: Path | None) -> str:
    """``root/dechets/Encombrants.md`` → « dechets-encombrants »: stable as long as the file stays where it is."""
    relative = path.relative_to(root) if root is not None else Path(path.name)
    return re.sub(r"[^a-z0-9]+", "-", fold(relative.with_suffix("").as_posix())).strip("-") or "page"


def read_bytes(path: Path) -> bytes:
    """The file, at most ``MAX_PAGE_BYTES``. Raises ``UnreadableFile``."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_PAGE_BYTES + 1)
    except OSError as error:
        raise UnreadableFile(f"« {path.name} » ne s’ouvre pas ({error.strerror}). Vérifiez le chemin et les droits.") from None
    if len(content) > MAX_PAGE_BYTES:
        raise UnreadableFile(f"« {path.name} » dépasse {MAX_PAGE_BYTES // 1_000_000} Mo. Découpez-le, ou retirez ses images.")
    return content


def decode(content: bytes, name: str) -> str:
    """Text in UTF-8, else in Windows-1252, the two that town halls produce. Raises ``UnreadableFile``: binary, or over ``MAX_TEXT``."""
    if len(content) > 2 * MAX_TEXT:
        raise UnreadableFile(f"« {name} » dépasse {MAX_TEXT // 1_000_000} millions de caractères. Découpez-le en plusieurs pages.")
    if b"\x00" in content[:4096] and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableFile(f"« {name} » n’est pas un texte. Enregistrez la page en UTF-8.")
    for encoding in ("utf-16", "utf-8-sig") if content.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig",):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("cp1252", "replace")


def page(path: Path, root: Path | None, title: str, passages: list[Passage], facts: Mapping[str, Any]) -> Document:
    """The document of a local page. ``facts``: titre, url, date, public, licence, editeur, theme, questions, etapes, description, service.

    Raises ``UnreadableFile``: no text at all, or a fact of the wrong kind.
    """
    name = path.name
    title = collapse(str(facts.get("titre") or title)) or path.stem
    if not passages:
        raise UnreadableFile(f"« {name} » ne contient pas de texte. Déposez une page qui en a.")
    return Document(
        id=page_id(path, root),
        title=title,
        origin=Origin.LOCAL,
        passages=tuple(dict.fromkeys(passages)),
        description=collapse(str(facts.get("description", ""))),
        url=safe_url(str(facts.get("url", ""))),
        theme=tuple(texts(facts.get("theme", []), name, "theme")),
        audiences=audiences(facts.get("public"), name),
        updated_on=day(facts.get("date"), name),
        licence=str(facts.get("licence", "")),
        publisher=str(facts.get("editeur", "")),
        questions=tuple(texts(facts.get("questions", []), name, "questions")),
        steps=tuple(step(item, name) for item in facts.get("etapes", [])),
        facts={"service": str(facts["service"])} if facts.get("service") else {},
    )


def texts(value: object, name: str, key: str) -> list[str]:
    """A text or a list of texts. Raises ``UnreadableFile``."""
    found = [value] if isinstance(value, str) else value
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise UnreadableFile(f"« {name} » : « {key} » doit être un texte ou une liste de textes.")
    return [text for item in found if (text := collapse(item))]


def audiences(value: object, name: str) -> frozenset[Audience]:
    """« citoyens », « accueil », « rh »; citizens and the counter when nothing is said. Raises ``UnreadableFile``."""
    if value is None:
        return frozenset({Audience.CITIZENS, Audience.COUNTER})
    try:
        return frozenset(Audience(text) for text in texts(value, name, "public"))
    except ValueError:
        expected = ", ".join(audience.value for audience in Audience)
        raise UnreadableFile(f"« {name} » : public « {value} » inconnu. Attendu : {expected}.") from None


def day(value: object, name: str) -> date | None:
    """A TOML date or « 2026-11-22 ». Raises ``UnreadableFile``."""
    if value is None or isinstance(value, date):
        return value.date() if isinstance(value, datetime) else value
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        raise UnreadableFile(f"« {name} » : « {value} » n’est pas une date. Exemple : date = 2026-11-22") from None


def step(item: object, name: str) -> Step:
    """``{ genre = "demarche", libelle = "…", cible = "https://…" }``. Raises ``UnreadableFile``."""
    kinds = ", ".join(kind.value for kind in StepKind)
    if not isinstance(item, Mapping) or not item.get("libelle") or item.get("genre") not in set(StepKind):
        raise UnreadableFile(f"« {name} » : une étape a un genre ({kinds}) et un libelle.")
    kind, target = StepKind(item["genre"]), str(item.get("cible", ""))
    web = kind in (StepKind.ONLINE, StepKind.FORM, StepKind.LETTER, StepKind.PAGE)
    return Step(kind, collapse(str(item["libelle"])), safe_url(target) if web else collapse(target))


def refuse_menu(name: str, words: int, linked: int) -> None:
    """Raises ``UnreadableFile`` when most words of a page are links: a menu or a site map answers nothing."""
    if words and linked / words > 0.7:
        raise UnreadableFile(
            f"« {name} » ressemble à un menu ou à un plan de site : presque tous ses mots sont des liens. Laissez-le de côté."
        )
