"""Derived files of an index on disk: arrays as ``.npy``, word lists as text, documents in one read-only SQLite file. Never pickled.

A folder holds versions beside each other and a small file that names the current one; it is replaced in one step, last, so that an import
that breaks half-way changes nothing, and readers that have the former version open keep it.
"""

from __future__ import annotations

import json
import secrets
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import date
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from bocage.assistant.documents import Audience, Document, Origin, Passage, Step, StepKind
from bocage.contract.errors import BocageError
from bocage.methods.retrieval.collection import Collection
from bocage.methods.retrieval.postings import Postings, Statistics

FORMAT = 3
_FORMER = {2: ("inner", "services")}
"""Formats still read, and the arrays that they lack: an upgrade takes no search away, the next import brings the rest."""
_CURRENT = "current"
_ARRAYS = (
    "owner",
    "themes",
    "title_sizes",
    "bank_sizes",
    "bank_words",
    "background",
    "private_work",
    "cited",
    "centre",
    "own",
    "inner",
    "services",
)
_SCHEMA = """
CREATE TABLE documents (n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, origin TEXT NOT NULL, audiences TEXT NOT NULL,
    first INTEGER NOT NULL, fingerprint TEXT NOT NULL, data TEXT NOT NULL);
CREATE TABLE passages (n INTEGER PRIMARY KEY, text TEXT NOT NULL, path TEXT NOT NULL, branch TEXT NOT NULL);
"""


class IndexUnreadable(BocageError):
    """The index's folder is empty, of another version of Bocage, or damaged."""

    code = "index-illisible"
    exit_code = 2


def fingerprint(*texts: str) -> str:
    """A short hash of texts: two equal ones are taken for the same content."""
    return blake2b("\x1f".join(texts).encode(), digest_size=12).hexdigest()


def current_version(folder: Path) -> Path:
    """The folder of the current version. Raises ``IndexUnreadable`` when there is none."""
    try:
        name = (folder / _CURRENT).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise IndexUnreadable(f"Aucun index dans « {folder} » : importez d’abord des documents.") from None
    version = folder / name
    if not name.startswith("v-") or "/" in name or not (version / "meta.json").is_file():
        raise IndexUnreadable(f"L’index de « {folder} » est abîmé : réimportez les documents, les sources n’ont rien perdu.")
    return version


def new_version(folder: Path) -> Path:
    """An empty folder for the next version."""
    folder.mkdir(parents=True, exist_ok=True)
    version = folder / f"v-{secrets.token_hex(8)}"
    version.mkdir()
    return version


def publish(folder: Path, version: Path) -> None:
    """Make ``version`` the current one, in one step, and drop the versions before the last."""
    before = (folder / _CURRENT).read_text(encoding="ascii").strip() if (folder / _CURRENT).is_file() else ""
    waiting = folder / f"{_CURRENT}.{secrets.token_hex(4)}"
    waiting.write_text(version.name, encoding="ascii")
    waiting.replace(folder / _CURRENT)
    for old in folder.glob("v-*"):
        # A version younger than this one belongs to an import that runs beside it.
        if old.name not in (version.name, before) and old.stat().st_mtime < version.stat().st_mtime:
            shutil.rmtree(old, ignore_errors=True)


def write_collection(version: Path, collection: Collection, extra: Mapping[str, Any], rarest_word: int = 2) -> None:
    """Write arrays, word lists and ``meta.json``, the latter last. Words said less than ``rarest_word`` times are not written."""
    for name in _ARRAYS:
        np.save(version / f"{name}.npy", getattr(collection, name), allow_pickle=False)
    for name, postings in collection.postings.items():
        for part in ("starts", "rows", "weights"):
            np.save(version / f"{name}.{part}.npy", getattr(postings, part), allow_pickle=False)
    for name, stats in collection.stats.items():
        np.save(version / f"{name}.frequencies.npy", stats.frequencies, allow_pickle=False)
    (version / "vocabulary.txt").write_text("\n".join(collection.vocabulary), encoding="utf-8")
    (version / "grams.txt").write_text("\n".join(collection.gram_vocabulary), encoding="utf-8")
    (version / "words.txt").write_text("\n".join(f"{w} {n}" for w, n in collection.words.items() if n >= rarest_word), encoding="utf-8")
    meta = {
        "format": FORMAT, "theme_count": collection.theme_count, **extra,
        "lists": [len(collection.vocabulary), len(collection.gram_vocabulary)],
        "sizes": {name: postings.size for name, postings in collection.postings.items()},
        "stats": {name: [stats.rows, stats.mean_length] for name, stats in collection.stats.items()},
    }  # fmt: skip
    (version / "meta.json").write_text(json.dumps(meta), encoding="utf-8")


_MAPPED = 1 << 20
"""Bytes from which an array is mapped rather than read: a map holds its file open, and a server has the forty files of each commune."""


def read_collection(version: Path) -> tuple[Collection, dict[str, Any]]:
    """Map the arrays of a version in memory. Raises ``IndexUnreadable``."""
    try:
        meta = json.loads((version / "meta.json").read_text(encoding="utf-8"))
        if meta["format"] not in (FORMAT, *_FORMER):
            raise ValueError("format")

        def array(name: str) -> Any:
            path = version / f"{name}.npy"
            if path.stat().st_size < _MAPPED:
                return np.load(path, allow_pickle=False)
            # A plain array over the same map: numpy's own class for maps makes each of a question's thousand slices dearer.
            return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))

        postings = {
            name: Postings(array(f"{name}.starts"), array(f"{name}.rows"), array(f"{name}.weights"), size)
            for name, size in meta["sizes"].items()
        }
        stats = {name: Statistics(n, length, array(f"{name}.frequencies")) for name, (n, length) in meta["stats"].items()}
        words = (line.rpartition(" ") for line in (version / "words.txt").read_text(encoding="utf-8").splitlines())
        lists = [_lines(version / "vocabulary.txt"), _lines(version / "grams.txt")]
        if [len(words) for words in lists] != meta["lists"]:
            raise ValueError("word list cut short")
        lacking = _FORMER.get(meta["format"], ())
        arrays = {name: array(name) for name in _ARRAYS if name not in lacking}
        if lacking:
            arrays |= {"inner": arrays["own"][:0], "services": np.zeros_like(arrays["cited"])}
        collection = Collection(
            *lists, postings, stats, theme_count=meta["theme_count"],
            words=Counter({word: int(n) for word, _, n in words}), **arrays,
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IndexUnreadable(
            f"L’index de « {version.parent} » est abîmé ou d’une autre version ({error}) : réimportez les documents."
        ) from None
    return collection, meta


def _lines(path: Path) -> dict[str, int]:
    return {word: at for at, word in enumerate(path.read_text(encoding="utf-8").split("\n")) if word}


def write_documents(path: Path, documents: Sequence[Document], fingerprints: Sequence[str]) -> None:
    """All documents and passages, in order, in a new SQLite file."""
    with closing(sqlite3.connect(path)) as base, base:
        base.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + _SCHEMA)
        first = 0
        for n, (document, mark) in enumerate(zip(documents, fingerprints, strict=True)):
            audiences = ",".join(sorted(document.audiences))
            base.execute(
                "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?)",
                (n, document.id, document.origin.value, audiences, first, mark, _data(document)),
            )
            base.executemany(
                "INSERT INTO passages VALUES (?, ?, ?, ?)",
                ((first + i, p.text, json.dumps(p.path), json.dumps(p.case)) for i, p in enumerate(document.passages)),
            )
            first += len(document.passages)


def _data(document: Document) -> str:
    kept = {
        "title": document.title, "description": document.description, "url": document.url, "theme": document.theme,
        "updated_on": document.updated_on.isoformat() if document.updated_on else None, "licence": document.licence,
        "publisher": document.publisher, "questions": document.questions, "steps": [asdict(step) for step in document.steps],
        "links": document.links, "facts": dict(document.facts),
    }  # fmt: skip
    return json.dumps(kept, ensure_ascii=False, default=str)


def connect(path: Path) -> sqlite3.Connection:
    """Open a documents file for reading only."""
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False)


def read_passages(base: sqlite3.Connection, numbers: Iterable[int]) -> dict[int, Passage]:
    """Passages by number."""
    wanted = sorted({int(n) for n in numbers})
    found: dict[int, Passage] = {}
    for at in range(0, len(wanted), 500):
        some = wanted[at : at + 500]
        marks = ",".join("?" * len(some))
        for n, text, path, branch in base.execute(f"SELECT n, text, path, branch FROM passages WHERE n IN ({marks})", some):  # noqa: S608
            found[n] = Passage(text, tuple(json.loads(path)), tuple(json.loads(branch)))
    return found


def read_document(base: sqlite3.Connection, n: int) -> Document:
    """One document by number, with all its passages. Raises ``LookupError``."""
    row = base.execute("SELECT id, origin, audiences, first, data FROM documents WHERE n = ?", (n,)).fetchone()
    if row is None:
        raise LookupError(n)
    following = base.execute("SELECT first FROM documents WHERE n = ?", (n + 1,)).fetchone()
    last = following[0] if following else base.execute("SELECT coalesce(max(n) + 1, 0) FROM passages").fetchone()[0]
    passages = tuple(read_passages(base, range(row[3], last)).values())
    data = json.loads(row[4])
    steps = tuple(Step(StepKind(s["kind"]), s["label"], s["target"], tuple(s["case"])) for s in data.pop("steps"))
    when = data.pop("updated_on")
    return Document(
        id=row[0], origin=Origin(row[1]), audiences=frozenset(Audience(a) for a in row[2].split(",") if a), passages=passages, steps=steps,
        updated_on=date.fromisoformat(when) if when else None, theme=tuple(data.pop("theme")), questions=tuple(data.pop("questions")),
        links=tuple(data.pop("links")),
        **data,
    )  # fmt: skip


def read_rows(base: sqlite3.Connection) -> Iterator[tuple[str, str, str, int, str]]:
    """(id, origin, audiences, first passage, fingerprint) of every document, in order."""
    return iter(base.execute("SELECT id, origin, audiences, first, fingerprint FROM documents ORDER BY n"))
