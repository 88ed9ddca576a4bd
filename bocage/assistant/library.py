"""The shelves: the national index, once per server, and each organisation's own, apart. What one organisation reads, no other ever does.

Indexes are derived files under ``BOCAGE_HOME/assistant``; sources are read again from where they came. An import that fails leaves what was
there. Curated pairs that agents validated on the portal are read from the database whenever the organisation's own index is built; it is
built again when one is validated, corrected or withdrawn.
"""

from __future__ import annotations

import fcntl
import json
import logging
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from django.conf import settings
from django.db import transaction

from bocage.assistant import index as indexes
from bocage.assistant.bank import with_bank
from bocage.assistant.curation import PAIR_ID, validated_documents
from bocage.assistant.documents import Audience, Document
from bocage.assistant.finding import Found, Match
from bocage.assistant.index import Index, IndexUnreadable
from bocage.assistant.models import AssistantSettings
from bocage.assistant.plainly import plain_answer
from bocage.assistant.search import Hit, search
from bocage.assistant.served_model import learning_is_missing, served_model
from bocage.assistant.sources import SOURCE_KINDS, SourceReport, read_source
from bocage.contract.errors import BocageError, UnreadableFile
from bocage.journal.services import record
from bocage.organisations.models import Organisation
from bocage.organisations.tenancy import across, organisation_context

log = logging.getLogger(__name__)
_NATIONAL = "national"
_MANIFEST = "sources.json"
# What a folder of the organisation may hold: file or folder → kind of source.
LOCAL_PARTS = {"pages": "pages", "annuaire.toml": "annuaire", "questions.toml": "questions", "deliberations.csv": "deliberations"}


# Seconds that a reviewer waits for who builds the same index; an import, which may take minutes, ends with the pairs of its last moment.
_PATIENCE_S = 10.0


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What the register tells of one source."""

    kind: str
    title: str
    provenance: str
    licence: str
    documents: int
    oldest: str
    newest: str


@dataclass(frozen=True, slots=True)
class Library:
    """Finder over the national index and one organisation's own; either may be missing."""

    shelves: tuple[Index, ...]

    def find(self, question: str, audience: Audience, limit: int = 8) -> Found:
        """Documents that may answer, best first; nothing is accepted from an empty library."""
        if not self.shelves:
            return Found((), accepted=False)
        result = search(question, self.shelves, audience, limit, model=served_model())
        matches = tuple(_match(hit) for hit in result.hits)
        intents = tuple(
            (asked, tuple(match for hit, match in zip(result.hits, matches, strict=True) if hit.intent == number))
            for number, asked in enumerate(result.intents)
        )
        if result.refused:
            # The page that says so, whatever was put before it, is the answer; only one thing is then answered.
            plain = plain_answer(question, result.words, matches)
            if plain is None:
                return Found(matches, False, in_scope=result.in_scope)
            return Found((plain, *(m for m in matches if m is not plain)), True, in_scope=result.in_scope)
        return Found(matches, True, intents if len(intents) > 1 else (), result.in_scope)


def _match(hit: Hit) -> Match:
    document = hit.index.document(hit.document_id)
    scores = [0.0] * len(document.passages)
    for ranked in hit.passages:
        scores[ranked.number] = ranked.score
    return Match(document, hit.score, hit.confidence, tuple(scores))


def library_of(organisation: Organisation) -> Library:
    """The library of one organisation, opened once per process and again when an import replaced it."""
    found = (_open(_folder(_NATIONAL)), _open(_folder(str(organisation.pk))))
    return Library(tuple(shelf for shelf in found if shelf is not None))


def sources_of(organisation: Organisation) -> list[dict[str, object]]:
    """The sources that ``organisation`` answers from, its own first, for its register."""
    return [*_manifest(_folder(str(organisation.pk))), *_manifest(_folder(_NATIONAL))]


def import_national(kind: str, path: Path) -> SourceReport:
    """Read the national sheets and index them for the whole server. Raises ``BocageError`` when nothing can be read: nothing is lost."""
    report = read_source(kind, path)
    _check_some(report, path)
    folder = _folder(_NATIONAL)
    indexes.build(with_bank(report.documents), folder, model=served_model())
    _write_manifest(folder, [_facts(kind, report)])
    return report


def import_local(organisation: Organisation, folder: Path) -> dict[str, SourceReport]:
    """Read what ``folder`` holds of ``LOCAL_PARTS`` and index it for ``organisation`` alone, with its validated pairs; reports by kind."""
    reports = {kind: read_source(kind, folder / name) for name, kind in LOCAL_PARTS.items() if (folder / name).exists()}
    if not reports:
        raise UnreadableFile(f"« {folder.name} » ne contient rien de ce qui se lit : {', '.join(LOCAL_PARTS)}.")
    documents: dict[str, Document] = {}
    for report in reports.values():
        _check_some(report, folder)
        # A page and an entry of the directory may bear the same name: each id says where it comes from.
        named = (replace(d, id=f"{d.origin.value}:{d.id}") for d in report.documents)
        documents.update((d.id, d) for d in named)
    with _alone(organisation):
        _build_own(organisation, documents.values())
        _write_manifest(_folder(str(organisation.pk)), [_facts(kind, report) for kind, report in reports.items()])
        with organisation_context(organisation), transaction.atomic():
            read = {SOURCE_KINDS[kind].title: len(report.documents) for kind, report in reports.items()}
            record("assistant.import", None, pages=len(documents), sources=read)
    return reports


def national_shelf() -> Index:
    """The national index. Raises ``IndexUnreadable`` when there is none."""
    return indexes.in_space_of(indexes.open(_folder(_NATIONAL)), served_model())


def reindex() -> int:
    """Index again, with the model that is served now, what every index of this server holds; returns how many. Nothing is read from the
    sources but the validated pairs. Each index stays what it was until its new version is whole.
    """
    kept, model = 0, served_model()
    national = _open(_folder(_NATIONAL))
    if national is not None:
        bare = (replace(document, questions=()) for document in national.documents())
        indexes.build(with_bank(bare), national.folder, model=model).close()
        kept += 1
    for organisation in Organisation.objects.all():
        with _alone(organisation):
            folder = _folder(str(organisation.pk))
            own = _open(folder)
            if own is not None or (_pairs(organisation) and not _manifest(folder)):
                _build_own(organisation, _pages(own))
                kept += 1
    return kept


def pairs_are_served(organisation: Organisation) -> bool:
    """Whether what ``organisation`` answers from holds its validated pairs, all of them, no other, as they are now written."""
    return _held_pairs(_open(_folder(str(organisation.pk)))) == _pairs(organisation)


def serve_pairs(organisation: Organisation) -> bool:
    """Build ``organisation``'s own index again if its validated pairs changed: the next question meets them, in every process.

    False: an import is under way and takes them when it ends. Raises ``IndexUnreadable``, ``ModelUnavailable``, ``OSError``; what was
    served before then stays.
    """
    if pairs_are_served(organisation):
        return True
    with _alone(organisation, _PATIENCE_S) as alone:
        if alone and not pairs_are_served(organisation):
            folder = _folder(str(organisation.pk))
            # Pages that cannot be read are not replaced by pairs alone: an import brings them back.
            own = indexes.open(folder) if _manifest(folder) else _open(folder)
            _build_own(organisation, _pages(own))
    return alone


def warm_up() -> int:
    """Open the library of every organisation whose assistant is in service, and load the model: the first visitor need not wait for it.
    Pairs reviewed just before the server died are put in service.

    Returns how many libraries were opened; an organisation without an index is passed over.
    """
    if learning_is_missing():
        log.warning("BOCAGE_EMBEDDINGS_URL is set and nothing was learnt for it: Bocage's own vectors serve. Run: bocage assistant train")
    with across():
        served = [row.organisation for row in AssistantSettings.across_organisations.select_related("organisation") if row.audiences]
    opened = 0
    for organisation in served:
        try:
            serve_pairs(organisation)
        except (BocageError, OSError) as error:
            log.warning("reviewed pairs of %s not served yet: %s", organisation.slug, error)
        library = library_of(organisation)
        if library.shelves:
            library.find("carte d’identité", Audience.CITIZENS, 1)
            opened += 1
    return opened


_MOST_OPEN = 24
_opened: OrderedDict[Path, Index] = OrderedDict()
"""The indexes last asked, the latest at the end. One that is put aside lives as long as a search that reads it."""
_lock = threading.Lock()


def _open(folder: Path) -> Index | None:
    with _lock:
        known = _opened.get(folder)
        try:
            if known is None or not indexes.is_current(known):
                known = indexes.open(folder)
            known = _opened[folder] = indexes.in_space_of(known, served_model())
            _opened.move_to_end(folder)
            if len(_opened) > _MOST_OPEN:
                # The national one is asked with each of the others: it is never the oldest.
                _opened.popitem(last=False)
        except IndexUnreadable:
            _opened.pop(folder, None)
            return None
        return known


def _folder(name: str) -> Path:
    return Path(settings.HOME) / "assistant" / name


def _build_own(organisation: Organisation, pages: Iterable[Document]) -> None:
    """Index ``pages`` and the validated pairs, for ``organisation`` alone; again while a pair was reviewed meanwhile."""
    pages, pairs, indexed = list(pages), _pairs(organisation), None
    while pairs != indexed:
        base = _open(_folder(_NATIONAL))
        indexes.build([*pages, *pairs], _folder(str(organisation.pk)), base=base, model=served_model()).close()
        pairs, indexed = _pairs(organisation), pairs


def _pairs(organisation: Organisation) -> list[Document]:
    with organisation_context(organisation):
        return validated_documents()


def _held_pairs(own: Index | None) -> list[Document]:
    return [own.document(each) for each in own.ids if each.startswith(PAIR_ID)] if own else []


def _pages(own: Index | None) -> list[Document]:
    """All but the pairs, which the database knows better."""
    return [document for document in own.documents() if not document.id.startswith(PAIR_ID)] if own else []


@contextmanager
def _alone(organisation: Organisation, patience_s: float = float("inf")) -> Iterator[bool]:
    """Keep every other process and thread from building ``organisation``'s index within the block; False when one was still at it after
    ``patience_s`` seconds. Two at once would each lose what the other brings.
    """
    path = _folder(f"{organisation.pk}.lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + patience_s
    with path.open("a") as file:
        while True:
            try:
                # Freed by the system when the file is closed, even by kill -9.
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= until:
                    yield False
                    return
                time.sleep(0.05)
            else:
                yield True
                return


def _check_some(report: SourceReport, path: Path) -> None:
    if not report.documents:
        reasons = " ".join(error.sentence() for error in report.errors[:3])
        raise UnreadableFile(f"« {path.name} » ne donne aucune page lisible : l’index n’a pas changé. {reasons}".strip())


def _facts(kind: str, report: SourceReport) -> SourceFacts:
    known = SOURCE_KINDS[kind]
    dates = (report.oldest, report.newest)
    return SourceFacts(
        kind, known.title, known.provenance, known.licence, len(report.documents), *(d.isoformat() if d else "" for d in dates)
    )


def _write_manifest(folder: Path, facts: Sequence[SourceFacts]) -> None:
    with tempfile.NamedTemporaryFile("w", dir=folder, delete=False, encoding="utf-8", suffix=".json") as file:
        json.dump([asdict(each) for each in facts], file, ensure_ascii=False, indent=1)
    Path(file.name).replace(folder / _MANIFEST)


def _manifest(folder: Path) -> list[dict[str, object]]:
    try:
        found = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return found if isinstance(found, list) else []
