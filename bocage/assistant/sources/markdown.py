"""A local page in Markdown, with its facts in TOML between two lines « +++ ». The plain subset that pages use; HTML inside is dropped."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from bocage.assistant.documents import Document
from bocage.assistant.sources.pages import PageBuilder, decode, page, read_bytes, refuse_menu
from bocage.contract.errors import UnreadableFile

MAX_CELLS = 200_000
"""Cells of a table whose short rows are filled up; in a larger one, a row of another width than the header names no cell."""
_HEADING = re.compile(r"(#{1,6})\s+(.*?)\s*#*")
_ITEM = re.compile(r"\s*(?:[-*+]|\d{1,3}[.)])\s+(.*)")
_RULE = re.compile(r"\s*(?:[-*_]\s*){3,}")
_PIPE = re.compile(r"(?<!\\)\|")
_UNDERLINE = re.compile(r":?-+:?")
_FENCE = re.compile(r"\s*(?:```|~~~)")
# No class below takes its own opening mark: a page of a million « [ » is read in one pass.
_IMAGE = re.compile(r"!\[[^\[\]]{0,500}\]\([^()]{0,2000}\)")
_LINK = re.compile(r"\[([^\[\]]{1,500})\]\([^()]{0,2000}\)")
_EMPHASIS = re.compile(
    r"(?<![*\w])(\*{1,3})(?![\s*])([^*]{1,2000})(?<!\s)\1(?!\*)|(?<![_\w])(_{1,3})(?![\s_])([^_]{1,2000})(?<!\s)\3(?![\w])"
)
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,2000}>")
_FRONT = re.compile(r"\A\ufeff?\+\+\+[ \t]*\r?\n(.*?)^\+\+\+[ \t]*\r?$", re.DOTALL | re.MULTILINE)


def read_markdown(path: Path, root: Path | None = None) -> Document:
    """The page at ``path``; its id comes from its place under ``root``.

    Raises ``UnreadableFile``: not a text, no text, front matter that is no TOML, a menu.
    """
    facts, body = _split(decode(read_bytes(path), path.name), path.name)
    plain = _TAG.sub(" ", _without_comments(body))
    linked = sum(len(words.split()) for words in _LINK.findall(plain))
    refuse_menu(path.name, len(_LINK.sub(r"\1", plain).split()), linked)
    builder = PageBuilder()
    title = _Reader(builder).read(plain.splitlines())
    return page(path, root, title, builder, facts)


def _split(text: str, name: str) -> tuple[dict[str, Any], str]:
    found = _FRONT.match(text)
    if not found:
        return {}, text
    try:
        return tomllib.loads(found[1].replace("\r\n", "\n")), text[found.end() :]
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UnreadableFile(f"« {name} » : l’en-tête entre « +++ » n’est pas du TOML ({error}).") from None


def _without_comments(text: str) -> str:
    kept, at = [], 0
    while (start := text.find("<!--", at)) >= 0 and (end := text.find("-->", start)) >= 0:
        kept.append(text[at:start])
        at = end + 3
    return "".join([*kept, text[at:]])


def inline(text: str) -> str:
    """The words of a line without its marks: links keep their label, images go."""
    text = _LINK.sub(r"\1", _IMAGE.sub("", text))
    for _ in range(3):
        text = _EMPHASIS.sub(lambda found: found[2] or found[4], text)
    return re.sub(r"\\([\\`*_{}\[\]()#+\-.!|>])", r"\1", text.replace("`", ""))


def _cells(line: str) -> list[str]:
    """The cells of a row, with or without its outer pipes; « \\| » is a pipe of the text, an empty cell holds its place."""
    cells = [cell.strip() for cell in _PIPE.split(line.strip())]
    return cells[bool(len(cells) > 1 and not cells[0]) : len(cells) - bool(len(cells) > 1 and not cells[-1])]


def _underlines(cells: list[str]) -> bool:
    """Whether ``cells`` are the row « --- | :--: » under the header of a table."""
    return bool(cells) and all(_UNDERLINE.fullmatch(cell) for cell in cells)


def _opens_table(line: str, following: str) -> bool:
    """As in GFM: a row, then as many cells of dashes. Outer pipes may be left out."""
    if not _PIPE.search(line) or not _PIPE.search(following):
        return False
    under = _cells(following)
    return _underlines(under) and len(under) == len(_cells(line))


def _table(lines: list[str]) -> list[list[str]]:
    """The header, then its rows, each as wide as it at least: a cell left out at the end is empty. No header: its cells are empty."""
    rows = [_cells(line) for line in lines]
    width = len(rows[0]) if len(rows[0]) * len(rows) <= MAX_CELLS else 0
    if _underlines(rows[0]):
        rows[0] = [""] * len(rows[0])
    elif len(rows) > 1 and _underlines(rows[1]):
        del rows[1]
    return [[inline(cell) if cell else "" for cell in row] + [""] * (width - len(row)) for row in rows]


class _Reader:
    """Blocks of the page to the builder; the first « # » is the title and opens no path."""

    def __init__(self, builder: PageBuilder) -> None:
        self.builder = builder
        self.title = ""
        self.kind = ""
        self.buffer: list[list[str]] = []
        """Each item with the lines that continue it; a row or a line of text stands alone."""

    def read(self, lines: list[str]) -> str:
        lines = [raw.removeprefix(">").rstrip() for raw in lines]
        fenced = False
        for line, following in zip(lines, [*lines, ""][1:], strict=True):
            if _FENCE.match(line):
                fenced = not fenced
            elif fenced:
                continue
            elif not line.strip() or _RULE.fullmatch(line):
                # A blank line between two items does not end their list; what follows decides.
                if self.kind != "items":
                    self._close()
            elif heading := _HEADING.fullmatch(line):
                self._heading(len(heading[1]), inline(heading[2]))
            else:
                self._line(line, following)
        self._close()
        self.builder.flush()
        return self.title

    def _heading(self, level: int, text: str) -> None:
        self._close()
        if level == 1 and not self.title:
            self.title = text
        else:
            self.builder.heading(level, text)

    def _line(self, line: str, following: str) -> None:
        opened = self.kind != "rows" and _opens_table(line, following)
        kind = "rows" if opened else self._kind(line)
        if self.kind == "items" and kind == "text" and line.startswith(("  ", "\t")):
            self.buffer[-1].append(line.strip())
            return
        if opened or kind != self.kind:
            self._close()
        self.kind = kind
        item = _ITEM.fullmatch(line) if kind == "items" else None
        self.buffer.append([item[1] if item else line.strip()])

    def _kind(self, line: str) -> str:
        # A line without a pipe ends its table, unlike in GFM: a sentence named by the first header would say something else.
        if line.lstrip().startswith("|") or (self.kind == "rows" and _PIPE.search(line)):
            return "rows"
        return "items" if _ITEM.fullmatch(line) else "text"

    def _close(self) -> None:
        texts = [" ".join(parts) for parts in self.buffer]
        if self.kind == "items":
            self.builder.items([inline(text) for text in texts])
        elif self.kind == "rows":
            self.builder.rows(_table(texts))
        elif self.kind == "text":
            self.builder.paragraph(inline(" ".join(texts)))
        self.buffer, self.kind = [], ""
