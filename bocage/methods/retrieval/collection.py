"""A searchable collection in memory: what each document says, read in a dozen ways, and the features that a question gives each of them.

Everything here is arrays: it is written to ``.npy`` files and read back by memory map elsewhere. A collection may lean on another one
(``base``): a commune's own pages count words as the national sheets do, so that scores of the two compare.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from bocage.methods.retrieval.postings import Counts, Floats, Ints, Postings, Statistics, bm25, count, statistics
from bocage.methods.retrieval.question import text_grams
from bocage.methods.retrieval.text import stems, tokens

_BANK_PRIOR, _OWN_SHARE = 30.0, 0.7
# BM25 parameters of each field (k1, b). Titles and headings are short: their length says little.
FIELDS = {
    "body": (1.2, 0.75), "passage": (1.0, 0.6), "title": (1.2, 0.5), "heading": (1.2, 0.75), "summary": (1.2, 0.75), "bank": (1.2, 0.75),
    "mixed": (1.2, 0.75), "gram": (1.2, 0.6),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """What a collection needs of one document."""

    title: str
    description: str = ""
    theme: tuple[str, ...] = ()
    headings: tuple[str, ...] = ()
    passages: tuple[tuple[str, str], ...] = ()
    """(text, its nearest headings) of each passage."""
    questions: tuple[str, ...] = ()
    private_work: bool = False
    cited: float = 0.0
    """How many other documents send their reader to this one."""
    service: bool = False
    """A service of the directory: what is asked of it is when, where, which number."""


@dataclass(slots=True)
class Collection:
    """Arrays of one collection. ``postings`` by field; ``owner``: the document of each passage; ``themes``: the theme of each document
    (-1: none).

    ``centre``: (documents, k) unit vectors of title, description and questions together; ``own``: the same without the questions;
    ``inner``: (passages, k) those of the passages, or (0, k) where they are not read one by one.
    """

    vocabulary: dict[str, int]
    gram_vocabulary: dict[str, int]
    postings: dict[str, Postings]
    stats: dict[str, Statistics]
    owner: Ints
    themes: Ints
    theme_count: int
    title_sizes: Floats
    bank_sizes: Floats
    bank_words: Floats
    background: Floats
    private_work: Floats
    cited: Floats
    centre: Floats
    own: Floats
    inner: Floats
    services: Floats
    words: Counter[str] = field(default_factory=Counter)

    @property
    def size(self) -> int:
        """Number of documents."""
        return len(self.themes)


def _analyse(entry: Entry) -> dict[str, list[str]]:
    title = stems(tokens(entry.title))
    heading = [w for h in entry.headings for w in stems(tokens(h))]
    summary = title + stems(tokens(entry.description + " " + " ".join(entry.theme)))
    bank = [w for q in entry.questions for w in stems(tokens(q))]
    gram = text_grams(tokens(entry.title)) + [g for q in entry.questions for g in text_grams(tokens(q))]
    return {"title": title, "heading": heading, "summary": summary, "bank": bank, "mixed": summary * 2 + bank, "gram": gram}


def _passages(entry: Entry, title: list[str], words: Counter[str]) -> tuple[list[list[str]], list[str]]:
    """Rows of the passages (a repeated one is left empty: found once is enough) and the stems of the whole body; their words go into
    ``words``."""
    rows: list[list[str]] = []
    body: list[str] = []
    seen: set[str] = set()
    for text, above in entry.passages:
        said = tokens(text)
        words.update(said)
        found = stems(said)
        key = " ".join(found)
        if key in seen or len(found) < 2:
            rows.append([])
            continue
        seen.add(key)
        around = stems(tokens(above))
        rows.append(found + around + title)
        body += found + around
    return rows, body


def build_collection(
    entries: Sequence[Entry], own: Floats, centre: Floats, base: Collection | None = None, inner: Floats | None = None
) -> Collection:
    """Index ``entries``. ``own`` and ``centre`` are their vectors (see ``Collection``), (entries, k), or (entries, 0) without embedder;
    ``inner`` those of their passages, in order, if any.

    With ``base``, frequencies of both collections are added and lengths are those of ``base``.
    """
    vocabulary: dict[str, int] = dict(base.vocabulary) if base else {}
    gram_vocabulary: dict[str, int] = dict(base.gram_vocabulary) if base else {}
    columns: dict[str, list[list[str]]] = {name: [] for name in FIELDS}
    owner: list[int] = []
    words: Counter[str] = Counter()
    for at, entry in enumerate(entries):
        found = _analyse(entry)
        rows, body = _passages(entry, found["title"], words)
        columns["passage"] += rows
        owner += [at] * len(rows)
        columns["body"].append(found["summary"] + found["heading"] + body)
        for name, terms in found.items():
            columns[name].append(terms)
    counts = {name: count(rows, gram_vocabulary if name == "gram" else vocabulary) for name, rows in columns.items()}
    postings, stats = {}, {}
    for name, (k1, b) in FIELDS.items():
        size = len(gram_vocabulary if name == "gram" else vocabulary)
        stats[name] = _joined(statistics(counts[name], size), base.stats[name] if base else None)
        postings[name] = bm25(counts[name], stats[name], k1, b)
    themes, theme_count = _themes(entries)
    likely = _likelihoods(counts["mixed"], themes, theme_count, len(vocabulary), base)
    postings["theme"], postings["sheet"], background = likely
    title_sizes = counts["title"].lengths()
    return Collection(
        vocabulary, gram_vocabulary, postings, stats, np.array(owner, np.int32), themes, theme_count, title_sizes,
        np.array([len(e.questions) for e in entries], np.float32), counts["mixed"].lengths() - counts["summary"].lengths(), background,
        np.array([e.private_work for e in entries], np.float32), np.array([e.cited for e in entries], np.float32),
        centre, own, own[:0] if inner is None else inner, np.array([e.service for e in entries], np.float32), _words(entries, words),
    )  # fmt: skip


def _joined(stats: Statistics, base: Statistics | None) -> Statistics:
    if base is None:
        return stats
    known = np.zeros_like(stats.frequencies)
    known[: len(base.frequencies)] = base.frequencies
    return Statistics(stats.rows + base.rows, base.mean_length, stats.frequencies + known)


def _words(entries: Sequence[Entry], said: Counter[str]) -> Counter[str]:
    """Whole words, for the speller: those of the official text count (``said``: of the passages), those of the bank only when several
    people write them so."""
    found = Counter(said)
    asked: Counter[str] = Counter()
    for entry in entries:
        found.update(tokens(f"{entry.title} {entry.description} {' '.join(entry.headings)}"))
        for question in entry.questions:
            asked.update(set(tokens(question)))
    found.update({word: n for word, n in asked.items() if n >= 5})
    return found


def _themes(entries: Sequence[Entry]) -> tuple[Ints, int]:
    known: dict[tuple[str, ...], int] = {}
    return np.array([known.setdefault(e.theme, len(known)) if e.theme else -1 for e in entries], np.int32), len(known)


def _likelihoods(mixed: Counts, themes: Ints, theme_count: int, size: int, base: Collection | None) -> tuple[Postings, Postings, Floats]:
    """How much likelier each term is in a theme than anywhere, and in a document than in its theme (log ratios, sparse), and the
    background.

    A document's own counts are smoothed by its theme's (Dirichlet, ``_BANK_PRIOR``), its theme's by the whole (``_OWN_SHARE``).
    """
    rows = mixed.row_of_each()
    total = np.bincount(mixed.terms, mixed.counts, size) + 0.5
    if base is not None:
        total[: len(base.background)] += base.background * 1e5
    background = (total / total.sum()).astype(np.float32)
    keys, where = np.unique(themes[rows].astype(np.int64) * size + mixed.terms, return_inverse=True)
    sums = np.bincount(where, mixed.counts)
    weight = np.zeros(max(theme_count, 1) + 1)
    np.add.at(weight, themes[rows], mixed.counts)  # the row of « no theme » is the last
    key_theme, key_term = (keys // size).astype(np.int32), (keys % size).astype(np.int32)
    probability = sums / np.maximum(weight[key_theme], 1)
    ratio = _OWN_SHARE / (1 - _OWN_SHARE) * probability / background[key_term]
    real = key_theme >= 0
    theme = Postings.from_entries(key_term[real], key_theme[real], np.log1p(ratio[real]).astype(np.float32), size, max(theme_count, 1))
    expected = (_OWN_SHARE * probability[where] + (1 - _OWN_SHARE) * background[mixed.terms]) * _BANK_PRIOR
    sheet = Postings.from_entries(mixed.terms, rows, np.log1p(mixed.counts / expected).astype(np.float32), size, mixed.rows)
    return theme, sheet, background
