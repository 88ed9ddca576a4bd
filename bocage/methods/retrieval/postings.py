"""Inverted lists as three arrays: for each term, the rows where it stands and what it weighs there. Scoring is a sum over the question's
terms.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Counts:
    """How often each term stands in each row, by row: ``starts`` (rows + 1), ``terms`` and ``counts`` of the same length."""

    starts: NDArray[np.int64]
    terms: Ints
    counts: Floats

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.starts) - 1

    def row_of_each(self) -> Ints:
        """The row of every entry."""
        return np.repeat(np.arange(self.rows, dtype=np.int32), np.diff(self.starts))

    def lengths(self) -> Floats:
        """Number of terms of each row, repetitions counted."""
        return np.bincount(self.row_of_each(), self.counts, self.rows).astype(np.float32)

    def frequencies(self, size: int) -> Floats:
        """In how many rows each of ``size`` terms stands."""
        return np.bincount(self.terms, minlength=size).astype(np.float32)


def count(rows: Iterable[Sequence[str]], vocabulary: dict[str, int], grow: bool = True) -> Counts:
    """Counts of the terms of each row. New terms join ``vocabulary`` when it may grow, and are left out when not."""
    starts, terms, counts = [0], list[int](), list[int]()
    for row in rows:
        found: dict[int, int] = {}
        for word in row:
            at = vocabulary.get(word)
            if at is None:
                if not grow:
                    continue
                at = vocabulary[word] = len(vocabulary)
            found[at] = found.get(at, 0) + 1
        terms += found.keys()
        counts += found.values()
        starts.append(len(terms))
    return Counts(np.array(starts, np.int64), np.array(terms, np.int32), np.array(counts, np.float32))


@dataclass(frozen=True, slots=True)
class Postings:
    """Weights by term. ``starts``: (terms + 1,) int64; ``rows``: int32; ``weights``: float32; ``size``: number of rows."""

    starts: NDArray[np.int64]
    rows: Ints
    weights: Floats
    size: int

    @classmethod
    def from_entries(cls, terms: Ints, rows: Ints, weights: Floats, n_terms: int, size: int) -> Postings:
        """Sort entries (one per term and row) by term."""
        order = np.argsort(terms, kind="stable")
        starts = np.zeros(n_terms + 1, np.int64)
        np.cumsum(np.bincount(terms, minlength=n_terms), out=starts[1:])
        return cls(starts, rows[order].astype(np.int32), weights[order].astype(np.float32), size)

    def score(self, query: Mapping[int, float]) -> Floats:
        """Sum over the query's terms of its weight times theirs: one score a row, 0 where no term stands."""
        out = np.zeros(self.size, np.float32)
        for term, weight in query.items():
            if term + 1 < len(self.starts):
                a, b = self.starts[term], self.starts[term + 1]
                # A row stands once in a term's list, so plain fancy addition is exact.
                out[self.rows[a:b]] += np.float32(weight) * self.weights[a:b]
        return out


@dataclass(frozen=True, slots=True)
class Statistics:
    """What BM25 knows of a collection: rows, mean length, and in how many rows each term stands."""

    rows: int
    mean_length: float
    frequencies: Floats

    def idf(self) -> Floats:
        """Robertson's inverse document frequency, always positive (Lucene's variant)."""
        return np.log1p((self.rows - self.frequencies + 0.5) / (self.frequencies + 0.5)).astype(np.float32)


def statistics(counts: Counts, size: int) -> Statistics:
    """Of one collection whose vocabulary has ``size`` terms."""
    lengths = counts.lengths()
    full = lengths[lengths > 0]
    return Statistics(counts.rows, float(full.mean()) if len(full) else 1.0, counts.frequencies(size))


def bm25(counts: Counts, stats: Statistics, k1: float = 1.2, b: float = 0.75) -> Postings:
    """BM25 weights (Robertson and Zaragoza, 2009) of every entry, with the collection statistics given."""
    rows, lengths = counts.row_of_each(), counts.lengths()
    norm = k1 * (1 - b + b * lengths / max(stats.mean_length, 1e-6))
    weights = stats.idf()[counts.terms] * counts.counts * (k1 + 1) / (counts.counts + norm[rows])
    return Postings.from_entries(counts.terms, rows, weights, len(stats.frequencies), counts.rows)
