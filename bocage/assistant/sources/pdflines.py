"""The lines of a PDF as the eye sees them: cells side by side are one row, and what stands below the text is read after it."""

from __future__ import annotations

from dataclasses import dataclass, field

EDGE = 2
"""Lines at the top and at the bottom of a page where a header or a footer stands."""


@dataclass(slots=True)
class Line:
    """A line as it is printed: where it starts, how large its letters are, whether it is a row of cells."""

    parts: list[str] = field(default_factory=list)
    x: float = 0.0
    y: float = 0.0
    end: float = 0.0
    size: float = 0.0
    """0 when the file does not tell where its text stands."""
    bold: bool = False
    row: bool = False
    text: str = ""
    placed: bool = False

    def add(self, part: str, x: float, y: float, size: float, bold: bool) -> None:
        if not self.placed:
            self.x, self.y, self.size, self.bold, self.placed = x, y, size, bold, True
        else:
            # The width is a guess, worse for longer pieces: only a gap well beyond it is one between two cells.
            self.row = self.row or x - self.end > size + 0.15 * max(0.0, self.end - self.x)
            self.bold = self.bold and bold
        self.parts.append(part)
        self.end = x + _width(part.strip()) * size

    def is_beside(self, other: Line) -> bool:
        return self.size > 0 and abs(self.y - other.y) < 0.3 * self.size and other.end <= self.x + 0.5 * self.size

    def goes_on_with(self, above: Line) -> bool:
        """Whether it is the next line of the same heading: as large, and just below."""
        return self.size == above.size and 0 <= above.y - self.y <= 1.6 * self.size


def _width(text: str) -> float:
    """About how wide ``text`` is, in its size, for the usual letters of offices."""
    return sum(0.28 if c in " .,:;'’|!()iljtfrI" else 0.85 if c in "mwMW%" else 0.68 if c.isupper() else 0.55 for c in text)


def side_by_side(lines: list[Line]) -> list[Line]:
    """Cells printed one by one are the row that the eye sees, « Badge ; 10 € »; words printed one by one, the sentence."""
    rows: list[Line] = []
    texts: list[list[str]] = []
    for line in lines:
        if rows and line.is_beside(rows[-1]):
            row = rows[-1]
            cell = line.x - row.end > 0.9 * line.size
            texts[-1] += [" ; " if cell and not texts[-1][-1].endswith(":") else " ", line.text]
            row.row, row.bold, row.end = row.row or line.row or cell, row.bold and line.bold, line.end
        else:
            rows.append(line)
            texts.append([line.text])
    for row, pieces in zip(rows, texts, strict=True):
        row.text = "".join(pieces)
    return rows


def as_seen(lines: list[Line]) -> tuple[list[Line], list[Line]]:
    """The lines of the text, and those written before it that stand below it: a footer, which many tools write first, is read last."""
    after = next((at for at, line in enumerate(lines) if not line.size or line.y >= max(other.y for other in lines) - line.size), 0)
    rest = [line.y for line in lines[EDGE + after :] if line.size]
    first = [line for line in lines[: EDGE + after] if line.size and rest and line.y < min(rest) - line.size]
    return [line for line in lines if not any(line is other for other in first)], first
