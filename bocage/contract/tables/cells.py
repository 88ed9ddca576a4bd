"""Cells of a column of text that stay bytes until someone wants their text: numbers and dates are read without making strings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, overload

import numpy as np
import numpy.typing as npt
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view

from bocage.contract.tables.fields import are_absent
from bocage.contract.tables.report import IntArray

Bytes = npt.NDArray[np.uint8]
WIDEST = 48
"""Bytes of the longest cell that ``matrix`` can hold."""


class Block:
    """Regular lines of delimited text as UTF-8: ``bounds[i, j]`` is the position of the mark that ends cell j of line i."""

    def __init__(self, data: bytes, bounds: IntArray, mark: str) -> None:
        self.data = data
        self.bounds = bounds
        self.mark = mark
        self.raw: Bytes = np.frombuffer(data + bytes(WIDEST), np.uint8)
        self._flat: list[str] | None = None

    def column(self, index: int) -> RawCells:
        """The cells of column ``index``."""
        ends = self.bounds[:, index]
        if index:
            starts = self.bounds[:, index - 1] + 1
        else:
            starts = np.concatenate([np.zeros(1, np.int64), self.bounds[:-1, -1] + 1])
        return RawCells(self, index, starts, ends)

    def texts(self, index: int) -> list[str]:
        """Column ``index`` as strings; all columns are split at the first call."""
        if self._flat is None:
            self._flat = self.data[:-1].decode("utf-8").replace("\n", self.mark).split(self.mark)
        return self._flat[index :: self.bounds.shape[1]]


class RawCells(Sequence[str]):
    """A column of a ``Block``, as a sequence of strings made on demand."""

    def __init__(self, block: Block, index: int, starts: IntArray, ends: IntArray) -> None:
        self._block, self._index = block, index
        self._starts, self._ends = starts, ends
        self.sizes = ends - starts

    def __len__(self) -> int:
        return len(self._starts)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return take(self, np.arange(len(self))[index])
        return self._block.data[self._starts[index] : self._ends[index]].decode("utf-8")

    def __iter__(self) -> Iterator[str]:
        return iter(self.texts())

    def texts(self) -> list[str]:
        """All cells as strings."""
        return self._block.texts(self._index)

    def some(self, where: IntArray) -> list[str]:
        """The cells at ``where``, one by one."""
        data = self._block.data
        spans = zip(self._starts[where].tolist(), self._ends[where].tolist(), strict=True)
        return [data[start:end].decode("utf-8") for start, end in spans]

    def matrix(self, width: int) -> Bytes:
        """(n, width) bytes, zero beyond each cell's end, cut at ``width`` (at most 48)."""
        windows = sliding_window_view(self._block.raw, width)
        cells: Bytes = windows[self._starts]
        np.multiply(cells, np.arange(width) < self.sizes[:, None], out=cells)
        return cells

    def packed(self, where: IntArray) -> tuple[bytes, npt.NDArray[np.int32]] | None:
        """(UTF-8 of the cells at ``where`` end to end, bytes of each); None when one is longer than 48 bytes."""
        sizes = self.sizes[where]
        if int(sizes.max(initial=0)) > WIDEST:
            return None
        rows = sliding_window_view(self._block.raw, WIDEST)[self._starts[where]]
        return rows[np.arange(WIDEST) < sizes[:, None]].tobytes(), sizes.astype(np.int32)

    def padded(self, where: IntArray) -> npt.NDArray[np.bool_]:
        """Whether each cell at ``where`` starts or ends with a space or a control, or is not plain ASCII."""
        raw = self._block.raw
        edge = (raw[self._starts[where]] <= 32) | (raw[np.maximum(self._ends[where] - 1, 0)] <= 32)
        if self._block.data.isascii():
            return edge
        return edge | np.fromiter((not text.isascii() for text in self.some(where)), np.bool_, len(where))

    def distinct(self) -> tuple[IntArray, list[str]] | None:
        """(code per cell, distinct texts) when cells are short and repeat; None otherwise."""
        longest = int(self.sizes.max(initial=0))
        if longest > WIDEST or not len(self):
            return None
        words = np.ascontiguousarray(self.matrix(max(8, -(-longest // 8) * 8))).view(np.uint64)
        key = self.sizes.astype(np.uint64)
        for place in range(words.shape[1]):
            key = (key ^ words[:, place]) * np.uint64(0x9E3779B97F4A7C15)
            key ^= key >> np.uint64(29)
        codes, found = pd.factorize(key)
        if len(found) > len(self) // 4 + 8:
            return None
        first = np.zeros(len(found), np.int64)
        first[codes[::-1]] = np.arange(len(self))[::-1]
        same = (words[first[codes]] == words).all() and (self.sizes[first[codes]] == self.sizes).all()
        return (codes, self.some(first)) if same else None


def absent_at(cells: Sequence[str], where: IntArray) -> npt.NDArray[np.bool_]:
    """For each position of ``where``, whether the cell means that there is no value."""
    if not isinstance(cells, RawCells):
        return are_absent(take(cells, where))
    sizes = cells.sizes[where]
    result: npt.NDArray[np.bool_] = sizes == 0
    near = ~result & ((sizes <= 4) | cells.padded(where))
    result[near] = are_absent(take(cells, where[near]))
    return result


def take(cells: Sequence[str], where: npt.NDArray[Any]) -> list[str]:
    """The texts of ``cells`` at the positions ``where``."""
    if isinstance(cells, RawCells):
        if 4 * len(where) < len(cells):
            return cells.some(where)
        cells = cells.texts()
    return list(cells) if len(where) == len(cells) else [cells[i] for i in where.tolist()]
