"""The searchable index of a set of documents, as derived files in a folder: ``build`` writes it, ``open`` maps it.

The national sheets are indexed once per server; each organisation's own pages make an index of their own, built with the national one as
``base`` so that scores compare. Nothing of one organisation is ever written into another's folder.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bocage.assistant import storage, vectors
from bocage.assistant.documents import Audience, Document, Origin, Passage
from bocage.assistant.model import Model, default_model
from bocage.assistant.storage import IndexUnreadable
from bocage.methods.retrieval.collection import Collection, Entry, build_collection
from bocage.methods.retrieval.spelling import Speller
from bocage.methods.retrieval.text import fold, stems, tokens

__all__ = ["Index", "IndexUnreadable", "build", "open"]

MAX_DOCUMENTS = 50_000


@dataclass(eq=False)
class Index:
    """An index open for reading; may be shared by threads. ``version``: changes when the folder was built again. ``embedder``: name of the
    one whose vectors it holds; other ones' compare with nothing here. ``model``: the one in whose space they are.
    """

    folder: Path
    version: str
    embedder: str
    model: str
    collection: Collection
    ids: tuple[str, ...]
    origins: tuple[Origin, ...]
    audiences: tuple[frozenset[Audience], ...]
    firsts: NDArray[np.int64]
    _base: sqlite3.Connection

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Number of each document id."""
        return {document: n for n, document in enumerate(self.ids)}

    @cached_property
    def speller(self) -> Speller:
        """Corrects towards the words of this index."""
        return Speller(self.collection.words, least=1)

    @cached_property
    def national(self) -> bool:
        """Whether it holds national sheets, and no organisation's own pages."""
        return any(origin is Origin.NATIONAL for origin in self.origins)

    @cached_property
    def _asked(self) -> dict[int, tuple[frozenset[str], ...]]:
        curated = [n for n, origin in enumerate(self.origins) if origin is Origin.CURATED]
        return {n: tuple(frozenset(stems(tokens(q))) for q in storage.read_document(self._base, n).questions) for n in curated}

    def asked(self, n: int) -> tuple[frozenset[str], ...]:
        """Stems of the questions of curated document number ``n``; nothing for other documents."""
        return self._asked.get(n, ())

    def allowed(self, audience: Audience | None) -> NDArray[np.bool_]:
        """Which documents are for an audience; all of them for None."""
        return np.array([audience is None or audience in own for own in self.audiences], bool)

    def document(self, document_id: str) -> Document:
        """One document with all its passages. Raises ``LookupError`` when the index has none of that id."""
        return storage.read_document(self._base, self.numbers[document_id])

    def documents(self) -> Iterator[Document]:
        """All of them, in order, as they were given to ``build``."""
        return (storage.read_document(self._base, n) for n in range(len(self.ids)))

    def passages(self, numbers: Iterable[int]) -> dict[int, Passage]:
        """Passages by their number in the whole index."""
        return storage.read_passages(self._base, numbers)

    def passage_numbers(self, n: int) -> range:
        """Numbers of the passages of document number ``n``."""
        after = int(self.firsts[n + 1]) if n + 1 < len(self.firsts) else len(self.collection.owner)
        return range(int(self.firsts[n]), after)

    def close(self) -> None:
        """Close the documents file."""
        self._base.close()


def build(documents: Iterable[Document], folder: Path, *, base: Index | None = None, model: Model | None = None) -> Index:
    """Index ``documents`` into ``folder`` and open the result. The former index stays until the new one is whole, and on any failure.

    ``base``: the national index, for local documents. Unchanged documents keep their vectors, which are most of the cost. Raises
    ``ValueError`` for two documents of one id, or more than 50,000.
    """
    model = model or default_model()
    kept = list(documents)
    _check(kept)
    marks = [vectors.mark(d) for d in kept]
    raw = vectors.raw_vectors(kept, marks, folder, model)
    own, centre, inner = vectors.in_space(raw, np.array([len(d.questions) for d in kept], np.float32), model)
    cited = Counter(target for d in kept for target in d.links)
    entries = [entry(d, d.questions, cited[d.id]) for d in kept]
    collection = build_collection(entries, own, centre, base.collection if base else None, inner)
    version = storage.new_version(folder)
    try:
        vectors.save(version, raw)
        storage.write_documents(version / "documents.sqlite", kept, marks)
        # Its own pages are the authority on a commune's words, even those said once; 3,000 sheets also hold misprints.
        rarest = 2 if any(d.origin is Origin.NATIONAL for d in kept) else 1
        meta = {"embedder": model.embedder_name, "model": model.name}
        storage.write_collection(version, collection, meta, rarest)
        opened = _open_version(folder, version)
        storage.publish(folder, version)
    except BaseException:
        shutil.rmtree(version, ignore_errors=True)
        raise
    return opened


def open(folder: Path) -> Index:
    """Map the index of ``folder`` in memory. Raises ``IndexUnreadable`` when it has none or a damaged one."""
    return _open_version(folder, storage.current_version(folder))


def is_current(index: Index) -> bool:
    """Whether ``index`` is still what its folder holds; when not, open the folder again."""
    return storage.current_version(index.folder).name == index.version


def _open_version(folder: Path, version: Path) -> Index:
    try:
        collection, meta = storage.read_collection(version)
    except (OSError, ValueError, KeyError, IndexError, EOFError) as error:
        raise IndexUnreadable(f"L’index de « {folder} » est abîmé ({type(error).__name__}) : réimportez les documents.") from None
    try:
        base = storage.connect(version / "documents.sqlite")
        rows = list(storage.read_rows(base))
    except sqlite3.Error as error:
        raise IndexUnreadable(f"L’index de « {folder} » est abîmé ({error}) : réimportez les documents.") from None
    if len(rows) != collection.size:
        raise IndexUnreadable(f"L’index de « {folder} » est incomplet : réimportez les documents.")
    return Index(
        folder, version.name, str(meta["embedder"]), str(meta["model"]), collection,
        tuple(r[0] for r in rows), tuple(Origin(r[1]) for r in rows),
        tuple(frozenset(Audience(a) for a in r[2].split(",") if a) for r in rows), np.array([r[3] for r in rows], np.int64), base,
    )  # fmt: skip


def _check(documents: Sequence[Document]) -> None:
    if len(documents) > MAX_DOCUMENTS:
        raise ValueError(f"more than {MAX_DOCUMENTS} documents")
    seen: set[str] = set()
    for document in documents:
        if document.id in seen:
            raise ValueError(f"two documents of id {document.id!r}")
        seen.add(document.id)


def entry(document: Document, questions: tuple[str, ...], cited: int = 0) -> Entry:
    """What the collection needs of a document, with the questions given rather than its own. ``cited``: documents that send to it."""
    headings = dict.fromkeys(h for p in document.passages for h in (*p.path, *p.case))
    themes = fold(" ".join((*document.theme, document.title)))
    private = bool(document.theme) and fold(document.theme[0]).startswith("travail") and "fonction" not in themes and "agent" not in themes
    return Entry(
        document.title, document.description, document.theme, tuple(headings),
        tuple((p.text, " ".join((*p.path[-1:], *p.case[-1:]))) for p in document.passages), questions, private, cited,
        document.origin is Origin.DIRECTORY,
    )  # fmt: skip


def in_space_of(index: Index, model: Model) -> Index:
    """``index`` with its vectors in the space of ``model``: a new version of Bocage brings another one, and indexes outlive it.

    The same index when they are there already, or come from another embedder. Raises ``IndexUnreadable``.
    """
    if index.model == model.name or not index.embedder or index.embedder != model.embedder_name:
        return index
    try:
        own, centre, inner = vectors.in_space(vectors.load(index.folder / index.version), index.collection.bank_sizes, model)
    except (OSError, ValueError, IndexError, EOFError) as error:
        raise IndexUnreadable(f"L’index de « {index.folder} » est abîmé ({type(error).__name__}) : réimportez les documents.") from None
    return replace(index, model=model.name, collection=replace(index.collection, own=own, centre=centre, inner=inner))
