"""What local pages of every format share: blocks to passages under their headings, and the refusal of pages that say nothing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from bocage.assistant.documents import Audience, Document, Origin, Passage, Step, StepKind
from bocage.assistant.opening_hours import fold
from bocage.assistant.sources.debris import Days, debris, is_network
from bocage.assistant.sources.grid import Cell, table_texts
from bocage.assistant.sources.nodes import collapse
from bocage.assistant.sources.steps import safe_url
from bocage.contract.errors import UnreadableFile

MAX_PAGE_BYTES = 20_000_000
MAX_TEXT = 2_000_000
"""Characters of a page, about a thousand printed pages."""
MAX_PASSAGES = 5_000
_CASE = re.compile(r"cas\s*:\s*(.+)", re.IGNORECASE)
_HEADING_LEVELS = 6
OPEN = frozenset({Audience.CITIZENS, Audience.COUNTER})
"""For whom a page is that says nothing."""
_KEYWORD = 40
"""Characters of a keyword that its error can show."""
_PEOPLE = {
    Audience.CITIZENS: "les citoyens",
    Audience.COUNTER: "les agents d’accueil",
    Audience.STAFF: "les agents (ressources humaines)",
}


@dataclass(slots=True)
class PageBuilder:
    """Blocks in reading order to passages. A heading « Cas : vous êtes locataire » opens a branch, as in the national sheets."""

    passages: list[Passage] = field(default_factory=list)
    days: Days = field(default_factory=Days)
    """The days that its paragraphs of debris say, which are no passages."""
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
        self._lead = self._less_debris(collapse(text))

    def items(self, texts: list[str]) -> None:
        """A list, with the paragraph just before it; nothing of a list of links for sharing. « Imprimer » among other words is a step."""
        found = [Days() if is_network(text) else debris(text) for text in texts]
        found = [days for days in found if days is not None]
        if texts and len(found) == len(texts):
            self.days.add(*found)
            return
        lines = [self._lead, *map(collapse, texts)]
        self._lead = ""
        self._emit("\n".join(filter(None, lines)))

    def rows(self, table: list[list[str]]) -> None:
        """A table whose first row is its header: each other row with it."""
        self.table([[Cell(collapse(cell), heading=at == 0) for cell in row] for at, row in enumerate(table)])

    def table(self, rows: Iterable[Sequence[Cell]]) -> None:
        """A table whose cells say what they merge and which ones are headers. The paragraph before it comes along if it ends with « : »."""
        lead = ""
        if self._lead.endswith(":"):
            lead, self._lead = self._lead, ""
        self.flush()
        for text in table_texts(rows):
            self._emit("\n".join(filter(None, (lead, text))))

    def flush(self) -> None:
        """The paragraph held back stands alone."""
        lead, self._lead = self._lead, ""
        self._emit(lead)

    def _less_debris(self, text: str) -> str:
        found = debris(text)
        if found is None:
            return text
        self.days.add(found)
        return ""

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


def page(path: Path, root: Path | None, title: str, read: PageBuilder, facts: Mapping[str, Any]) -> Document:
    """The document of a local page. ``facts``: titre, url, date, public, licence, editeur, theme, questions, etapes, description, service;
    ``date_fichier``, what only the file says, is taken when neither they nor the text give the date.

    Raises ``UnreadableFile``: no text at all, or a fact of the wrong kind.
    """
    name = path.name
    title = collapse(str(facts.get("titre") or title)) or path.stem
    if not read.passages:
        raise UnreadableFile(f"« {name} » ne contient pas de texte. Déposez une page qui en a.")
    return Document(
        id=page_id(path, root),
        title=title,
        origin=Origin.LOCAL,
        passages=tuple(dict.fromkeys(read.passages)),
        description=collapse(str(facts.get("description", ""))),
        url=safe_url(str(facts.get("url", ""))),
        theme=tuple(texts(facts.get("theme", []), name, "theme")),
        audiences=audiences(facts.get("public"), name, audiences_of_folder(path, root)),
        updated_on=day(facts.get("date") or read.days.last or facts.get("date_fichier"), name),
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


def audiences(value: object, name: str, unsaid: frozenset[Audience] = OPEN) -> frozenset[Audience]:
    """« citoyens », « accueil », « rh »; ``unsaid`` when ``value`` is None. Raises ``UnreadableFile``."""
    if value is None:
        return unsaid
    try:
        return frozenset(Audience(text) for text in texts(value, name, "public"))
    except ValueError:
        expected = ", ".join(audience.value for audience in Audience)
        raise UnreadableFile(f"« {name} » : public « {value} » inconnu. Attendu : {expected}.") from None


def audiences_of_folder(path: Path, root: Path | None) -> frozenset[Audience]:
    """For whom ``root/…/rh/…`` is: the first folder on the way named « rh », « accueil » or « citoyens » decides for all that it holds.

    Citizens and the counter under « citoyens » and where no folder says anything: agents read what they hand out.
    """
    for folder in path.relative_to(root).parts[:-1] if root is not None else ():
        if (said := fold(folder)) in set(Audience):
            return OPEN if said == Audience.CITIZENS else frozenset({Audience(said)})
    return OPEN


def audiences_in_keywords(keywords: str) -> list[str] | None:
    """What the keywords of an office file say of its public, « congés ; public : rh » → [« rh »]; None when they say nothing."""
    found = [word.partition(":") for word in re.split(r"[;,\n]", keywords)]
    return [fold(named[:_KEYWORD]) for key, colon, named in found if colon and fold(key) == "public"] or None


def audiences_said(documents: Sequence[Document]) -> str:
    """How many of ``documents`` go to whom, a sentence for the report of an import; nothing when there are none."""
    counted = Counter(audience for document in documents for audience in document.audiences)
    told = [(counted[audience], people) for audience, people in _PEOPLE.items() if counted[audience]]
    pages = [f"{number} {'' if at else 'pages ' if number > 1 else 'page '}pour {people}" for at, (number, people) in enumerate(told)]
    return f"{', '.join(pages)}." if pages else ""


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
