"""A table of any format, row by row, each cell under its own header: a price named by the wrong header is a false price.

Merged cells are repeated wherever they stand, stacked header rows are joined, and a row that does not fit its headers names no cell.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from bocage.assistant.hours_notation import MONTHS, WEEKDAYS
from bocage.assistant.opening_hours import fold

MAX_SPAN = 50
MAX_COLUMNS = 64
"""Widest grid that merged cells may fill; a row of more cells of its own keeps them all."""
_LABEL_WORDS = 8
_VALUES = re.compile(r"(?:ferme|gratuit|ouvert|inclus|compris)e?s?|oui|non|neant|sans objet|[-–—x/]", re.IGNORECASE)
_AMOUNT = re.compile(r"\d\s*(?:€|euros?\b|h\b|h\d|%)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell as the file gives it. The same object stands at every place of the grid that it covers."""

    text: str
    heading: bool = False
    """It names a column or a row."""
    columns: int = 1
    rows: int = 1


Row = Sequence[Cell]
Names = list[tuple[str, ...]]
"""For each column, its headers from the top down."""


def span(value: str) -> int:
    """How many places a cell covers, as written in a file: at least 1, at most ``MAX_SPAN``."""
    return max(1, min(int(value), MAX_SPAN)) if value.isascii() and value.isdigit() and len(value) < 6 else 1


def expanded(rows: Iterable[Row], columns: int = 0) -> Iterator[list[Cell]]:
    """Rows with each merged cell wherever it stands. ``columns``: how many the file declares, 0 when it does not."""
    carried: dict[int, tuple[Cell, int]] = {}
    for own in rows:
        # Some files declare a merge that their next rows do not honour: a full row needs nothing from above.
        if columns and sum(cell.columns for cell in own) >= columns:
            carried = {}
        placed: list[Cell] = []
        below: dict[int, tuple[Cell, int]] = {}
        queue = iter(own)
        while True:
            at = len(placed)
            if at in carried:
                cell, left = carried[at]
                placed.append(cell)
                if left > 1:
                    below[at] = (cell, left - 1)
                continue
            found = next(queue, None)
            if found is None:
                break
            for column in range(at, max(at + 1, min(at + found.columns, MAX_COLUMNS))):
                if found.rows > 1 and column < MAX_COLUMNS:
                    below[column] = (found, found.rows - 1)
                placed.append(found)
        # A short row does not end the merges that stand to its right.
        below.update((column, (cell, left - 1)) for column, (cell, left) in carried.items() if column >= len(placed) and left > 1)
        carried = below
        yield placed


def column_names(headers: Sequence[Row]) -> Names:
    """Header rows one above the other make the names of each column, without saying the same twice."""
    width = max((len(row) for row in headers), default=0)
    return [tuple(dict.fromkeys(row[at].text for row in headers if at < len(row) and row[at].text)) for at in range(width)]


def named(row: Row, names: Names, first_header_only: bool = False) -> str:
    """« header : cell » on a line each; a merged cell once, under all its headers; a cell that fills the row, alone."""
    places: dict[int, list[int]] = {}
    for at, cell in enumerate(row):
        if cell.text:
            places.setdefault(id(cell), []).append(at)
    lines = []
    for columns in places.values():
        covered = columns[:1] if first_header_only else columns
        headers = dict.fromkeys(name for at in covered if at < len(names) for name in names[at])
        text = row[columns[0]].text
        lines.append(f"{', '.join(headers)} : {text}" if headers and len(columns) < len(row) else text)
    return "\n".join(lines)


def table_texts(rows: Iterable[Row]) -> Iterator[str]:
    """One text per row of a table: with its headers, and with the title of its part when a line across announces one.

    Where the file marks no header, the first row is one only if that is beyond doubt.
    In a row of another width than its headers, no cell is named.
    """
    written = [row for row in expanded(rows) if any(cell.text for cell in row)]
    grid = _with_headers(written)
    told = list(_told(grid))
    yield from told
    # An ordinary cell that was read as a header and named nothing is said alone: it may be a value.
    read = (cell.text for at, row in enumerate(grid) if _is_header(row, at) for cell in written[at] if cell.text and not cell.heading)
    yield from (text for text in dict.fromkeys(read) if not any(text in said for said in told))


def _told(grid: list[list[Cell]]) -> Iterator[str]:
    width = max((len(row) for row in grid), default=0)
    headers: list[list[Cell]] = []
    names: Names = []
    part, part_read, headers_read = "", True, True
    for at, row in enumerate(grid):
        if (width > 1 or row[0].heading) and _opens_part(row, last=at + 1 == len(grid)):
            if not part_read:
                yield part
            part, part_read = row[0].text, False
        elif _is_header(row, at) and not (headers_read and part_read and len(row) == len(names) and _is_total(row)):
            stacked = not headers_read and len(row) == len(headers[-1])
            if not stacked and not headers_read:
                yield from map(_unnamed, headers)
            if not stacked:
                headers = []
            headers.append(row)
            headers_read = False
        elif width > 1 and _is_across(row):
            yield row[0].text
        else:
            if not headers_read:
                names = column_names(headers)
            text = named(row, names) if headers and len(row) == len(names) else _unnamed(row)
            yield f"{part}\n{text}" if part else text
            part_read = headers_read = True
    if not headers_read:
        yield from map(_unnamed, headers)
    if not part_read:
        yield part


def _with_headers(grid: list[list[Cell]]) -> list[list[Cell]]:
    """The grid with the header row that the file does not mark, when there is one without a doubt."""
    if len(grid) > 1 and all(_is_header(row, at) for at, row in enumerate(grid)):
        # Marking every cell as a header marks none.
        bare = {id(cell): replace(cell, heading=False) for row in grid for cell in row}
        grid = [[bare[id(cell)] for cell in row] for row in grid]
    if len(grid) > 1 and not any(_is_header(row, at) for at, row in enumerate(grid)) and _is_surely_header(grid):
        return [[replace(cell, heading=True) for cell in grid[0]], *grid[1:]]
    return grid


def _is_across(row: Row) -> bool:
    return all(cell is row[0] for cell in row)


def _opens_part(row: Row, last: bool) -> bool:
    """A line across that is the title of the rows below: « Week-end ». A note (« Gratuit en août ») is a row of its own."""
    text = row[0].text
    if not _is_across(row):
        return False
    short = len(text.split()) <= _LABEL_WORDS and not text.endswith((".", "!", ";"))
    return row[0].heading or (short and not last and not any(_is_value(word) for word in text.split()))


def _is_header(row: Row, at: int) -> bool:
    """Every cell that says something is a heading; the corner of the table may be an ordinary cell. « Lundi » and blanks is a row."""
    said = [cell for cell in row if cell.text]
    if said == [row[0]] and not _is_across(row):
        return False
    return all(cell.heading for cell in said) or (
        at == 0 and len(said) > 2 and said[0] is row[0] and all(cell.heading for cell in said[1:])
    )


def _is_total(row: Row) -> bool:
    """« Total, 10 €, 20 € »: marked as headers for the look of it."""
    said = [cell.text for cell in row[1:] if cell.text]
    return bool(said) and all(_AMOUNT.search(text) for text in said)


def _is_surely_header(grid: list[list[Cell]]) -> bool:
    first, below = grid[0], grid[1:]
    if any(len(row) != len(first) for row in below) or not all(cell.text for cell in first[1:]):
        return False
    if not first[0].text:
        return len(first) > 1 and all(row[0].text for row in below)
    if any(_opening_word(first) in known and _opening_word(below[0]) in known for known in (WEEKDAYS, MONTHS)):
        return False
    titles = [cell.text for cell in first]
    if len(titles) < 3 or len(set(titles)) < len(titles) or any(_is_value(word) for title in titles for word in title.split()):
        return False
    return any(_is_value(cell.text) for row in below for cell in row[1:])


def _is_value(text: str) -> bool:
    return any(character.isdigit() for character in text) or bool(_VALUES.fullmatch(fold(text)))


def _opening_word(row: Row) -> str:
    return next(iter(fold(row[0].text).split()), "")


def _unnamed(row: Row) -> str:
    """A row without column headers: each of its own headings with what follows, « Lundi : fermé »; other cells on a line each."""
    cells = [cell for at, cell in enumerate(row) if cell.text and (at == 0 or cell is not row[at - 1])]
    pair = len(cells) == 2 and cells[0] is row[0] and len(row) == 2 and is_label(cells[0].text)
    lines: list[str] = []
    heading, values = "", list[str]()
    for at, cell in enumerate(cells):
        if cell.heading or (pair and at == 0):
            lines += _labelled(heading, values)
            heading, values = cell.text, []
        else:
            values.append(cell.text)
    return "\n".join([*lines, *_labelled(heading, values)])


def _labelled(heading: str, values: list[str]) -> list[str]:
    if not heading:
        return values
    return [glued(heading, " ; ".join(values))] if values else [heading]


def is_label(text: str) -> bool:
    """Short and not a sentence: it announces what follows, and says nothing true alone."""
    return len(text.split()) <= _LABEL_WORDS and not text.endswith((".", "!", ";", ",", "…"))


def glued(label: str, text: str) -> str:
    """« label : text », whatever punctuation the label already ends with."""
    return f"{label} {text}" if label.endswith((":", "?")) else f"{label} : {text}"
