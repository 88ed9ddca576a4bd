"""Numbers from text at array speed: short plain ones by their digits, the others by Python's exact conversion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from bocage.contract.tables.cells import RawCells, take
from bocage.contract.tables.report import IntArray

Array = npt.NDArray[Any]
_WIDTH = 16
"""Characters of the longest number read by its digits: at most 15 digits and a mark, exact in a float after one division."""

_ODD = (" ", "\u00a0", "\u202f", "\u2009", "'", "’", "_", "\u2212")
_POWERS = 10.0 ** np.arange(_WIDTH + 1)


_HOPEFUL = np.zeros(256, bool)
_HOPEFUL[[0, *b"0123456789+-.,eE '?_"]] = True
_HOPEFUL[128:] = True


def parse_numbers(cells: Sequence[str], decimal: str, *, integer: bool, typed: bool) -> tuple[Array, IntArray, IntArray]:
    """Values of ``cells`` (float64 or int64), the positions that need a closer look, and those that cannot be numbers."""
    if typed or not len(cells):
        return *_by_python(cells, decimal, integer=integer, typed=typed), np.empty(0, np.int64)
    values, right, hopeless = _by_digits(cells, decimal, integer=integer)
    left = np.flatnonzero(~(right | hopeless))
    if len(left):
        part, wrong = _by_python(take(cells, left), decimal, integer=integer, typed=typed)
        values[left] = part
        left = left[wrong]
    return values, left, np.flatnonzero(hopeless)


def _by_digits(cells: Sequence[str], decimal: str, *, integer: bool) -> tuple[Array, npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """(values, whether each was read, whether each cannot be a number) for plain numbers of at most 16 characters."""
    grid = np.ascontiguousarray(_matrix(cells).T)
    count, mark = len(cells), ord(decimal)
    whole = np.zeros(count, np.int64)
    places, digits = np.zeros(count, np.uint8), np.zeros(count, np.uint8)
    after, ended, right = np.zeros(count, bool), np.zeros(count, bool), grid[_WIDTH] == 0
    minus = grid[0] == ord("-")
    for rank in range(_WIDTH):
        char = grid[rank]
        if not char.any():
            break
        digit = char - np.uint8(48)
        is_digit = digit < 10
        is_mark = char == mark
        end = char == 0
        valid = is_digit | end if integer else is_digit | end | (is_mark & ~after)
        if rank == 0:
            valid |= minus
        right &= valid & (end | ~ended)
        ended |= end
        whole = np.where(is_digit, whole * 10 + digit, whole)
        digits += is_digit
        places += is_digit & after
        after |= is_mark
    right &= digits > 0
    np.negative(whole, out=whole, where=minus)
    values = whole if integer else whole / _POWERS[places]
    hopeless = np.zeros(count, bool)
    if not right.all():
        values[~right] = 0
        hopeless = ~right & ~_HOPEFUL[grid].all(axis=0)
    return values, right, hopeless


def _matrix(cells: Sequence[str]) -> npt.NDArray[np.uint8]:
    """(n, 17) bytes of the cells; in lists of strings, what is not ASCII becomes ``?``."""
    if isinstance(cells, RawCells):
        return cells.matrix(_WIDTH + 1)
    try:
        table = np.array(cells, dtype=f"S{_WIDTH + 1}")
    except UnicodeEncodeError:
        table = np.array([cell.encode("ascii", "replace") for cell in cells], dtype=f"S{_WIDTH + 1}")
    return table.view(np.uint8).reshape(len(cells), _WIDTH + 1)


def _by_python(cells: Sequence[str], decimal: str, *, integer: bool, typed: bool) -> tuple[Array, IntArray]:
    """Numbers at C speed, and the positions that need a closer look (their values are 0 or meaningless)."""
    text = "\n".join(cells)
    odd = not text.isascii() or any(mark in text for mark in _ODD)
    other = "." if decimal == "," else ","
    doubtful = odd or (not typed and other in text)
    source = cells
    if decimal == "," and "," in text and not typed and not integer:
        source = text.replace(",", ".").split("\n")
        if len(source) != len(cells):
            source = [cell.replace(",", ".") for cell in cells]
    out: list[Any] = []
    bad: list[int] = []
    stream = map(int if integer else float, source)
    while True:
        try:
            out.extend(stream)
            break
        except ValueError:
            bad.append(len(out))
            out.append(0)
    values = np.array(out, dtype=np.float64) if not integer else _int64(out, bad)
    extra = [i for i, cell in enumerate(cells) if _suspect(cell, other, typed)] if doubtful else []
    wild = np.flatnonzero(~np.isfinite(values)).tolist() if not integer else []
    if extra or wild:
        bad = sorted({*bad, *extra, *wild})
    where = np.array(bad, dtype=np.int64)
    values[where] = 0
    return values, where


def _suspect(cell: str, other: str, typed: bool) -> bool:
    return not cell.isascii() or "_" in cell or (other in cell and not typed)


def _int64(out: list[int], bad: list[int]) -> Array:
    try:
        return np.array(out, dtype=np.int64)
    except OverflowError:
        for index, value in enumerate(out):
            if not -(2**63) <= value < 2**63:
                out[index] = 0
                bad.append(index)
        bad.sort()
        return np.array(out, dtype=np.int64)
