"""A local page in Markdown, with its facts in TOML between two lines « +++ ». The plain subset that pages use; HTML inside is dropped."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from bocage.assistant.documents import Document
from bocage.assistant.sources.pages import PageBuilder, decode, page, read_bytes, refuse_menu
from bocage.contract.errors import UnreadableFile

_HEADING = re.compile(r"(#{1,6})\s+(.*?)\s*#*")
_ITEM = re.compile(r"\s*(?:[-*+]|\d{1,3}[.)])\s+(.*)")
_RULE = re.compile(r"\s*(?:[-*_]\s*){3,}")
_TABLE_RULE = re.compile(r"\s*\|?(?:\s*:?-{2,}:?\s*\|)+\s*(?::?-{2,}:?)?\s*")
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
    title = _read(plain.splitlines(), builder)
    return page(path, root, title, builder.passages, facts)


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


def _read(lines: list[str], builder: PageBuilder) -> str:
    """Blocks of the page to the builder; the first « # » is the title and opens no path."""
    title, kind, fenced = "", "", False
    buffer: list[str] = []

    def close() -> None:
        nonlocal buffer, kind
        if kind == "items":
            builder.items([inline(text) for text in buffer])
        elif kind == "rows":
            builder.rows([[inline(cell) for cell in row.strip().strip("|").split("|")] for row in buffer if not _TABLE_RULE.fullmatch(row)])
        elif kind == "text":
            builder.paragraph(inline(" ".join(buffer)))
        buffer, kind = [], ""

    for raw in [*lines, ""]:
        line = raw.removeprefix(">").rstrip()
        if _FENCE.match(line):
            fenced = not fenced
        elif fenced:
            continue
        elif not line.strip() or _RULE.fullmatch(line):
            # A blank line between two items does not end their list; what follows decides.
            if kind != "items":
                close()
        elif heading := _HEADING.fullmatch(line):
            close()
            if len(heading[1]) == 1 and not title:
                title = inline(heading[2])
            else:
                builder.heading(len(heading[1]), inline(heading[2]))
        else:
            kind, buffer = _line(line, kind, buffer, close)
    close()
    builder.flush()
    return title


def _line(line: str, kind: str, buffer: list[str], close: Any) -> tuple[str, list[str]]:
    item = _ITEM.fullmatch(line)
    wanted = "items" if item else "rows" if line.lstrip().startswith("|") else "text"
    if kind == "items" and wanted == "text" and line.startswith(("  ", "\t")):
        return kind, [*buffer[:-1], f"{buffer[-1]} {line.strip()}"]
    if kind and kind != wanted:
        close()
        buffer = []
    return wanted, [*buffer, item[1] if item else line.strip()]
