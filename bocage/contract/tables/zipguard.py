"""Look inside a zipped workbook before a parser does: real unpacked size and farthest cell, in constant memory."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from bocage.contract.errors import UnreadableFile
from bocage.contract.tables.sources import MAX_COLUMNS, damaged

MAX_MEMBERS = 5_000
MAX_CELLS = 12_000_000
"""Cells of the rectangle that holds a sheet: a parser takes 32 bytes for each, blank ones included."""

_BLOCK = 1 << 18
_REF = re.compile(rb'\br="([A-Z]{1,4})([0-9]{1,8})"')
_REPEAT = re.compile(rb'number-(?:rows|columns)-repeated="([0-9]{1,12})"')
_ODS_TAG = re.compile(rb"<table:(table-row|table-cell|covered-table-cell|table)\b([^>]*?)(/?)>|</table:table-row>")


def inspect_zip(path: Path, name: str, max_mb: int) -> Literal["xlsx", "ods"]:
    """The kind of workbook. Raises ``UnreadableFile``: not a workbook, encrypted, unpacked size over 4 × ``max_mb``, cells too far."""
    limit = 4 * max_mb * 1_000_000
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError):
        raise damaged(name) from None
    names = {member.filename for member in members}
    kind = _workbook_kind(names, path, name)
    if len(members) > MAX_MEMBERS or sum(member.file_size for member in members) > limit:
        raise _bomb(name, max_mb)
    if any(member.flag_bits & 1 for member in members):
        raise UnreadableFile(f"« {name} » est protégé par un mot de passe. Enregistrez-le sans protection.")
    total = 0
    for member in members:
        sheet = member.filename == "content.xml" if kind == "ods" else member.filename.startswith("xl/worksheets/")
        extent = (_OdsExtent() if kind == "ods" else _XlsxExtent()) if sheet else None
        for block in _unpacked(path, member, name):
            total += len(block)
            if total > limit:
                raise _bomb(name, max_mb)
            if extent is not None:
                extent.feed(block)
                if extent.cells() > MAX_CELLS or extent.width > 4 * MAX_COLUMNS:
                    raise _far(name)
    return kind


def _workbook_kind(names: set[str], path: Path, name: str) -> Literal["xlsx", "ods"]:
    if "xl/workbook.xml" in names or "xl/workbook.bin" in names:
        return "xlsx"
    if "content.xml" in names:
        return "ods"
    what = "un document Word" if "word/document.xml" in names else "une archive"
    raise UnreadableFile(f"« {name} » est {what}, pas un classeur. Déposez le tableau lui-même : CSV, XLSX, ODS, Parquet ou GeoJSON.")


def _bomb(name: str, max_mb: int) -> UnreadableFile:
    return UnreadableFile(f"« {name} » dépasse {4 * max_mb} Mo une fois décompressé. Déposez-le en plusieurs parties, ou en CSV.")


def _far(name: str) -> UnreadableFile:
    return UnreadableFile(
        f"« {name} » occupe plus de {MAX_CELLS // 1_000_000} millions de cellules, vides comprises. "
        "Supprimez les cellules isolées loin du tableau, ou exportez-le en CSV."
    )


def _unpacked(path: Path, member: zipfile.ZipInfo, name: str) -> Iterator[bytes]:
    """What a member really unpacks to, whatever its header declares."""
    try:
        with path.open("rb") as file:
            file.seek(member.header_offset)
            head = file.read(30)
            if len(head) < 30 or head[:4] != b"PK\x03\x04":
                raise damaged(name)
            file.seek(int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little"), 1)
            left = member.compress_size
            engine = zlib.decompressobj(-15) if member.compress_type == zipfile.ZIP_DEFLATED else None
            if engine is None and member.compress_type != zipfile.ZIP_STORED:
                raise damaged(name)
            while left > 0 and (raw := file.read(min(_BLOCK, left))):
                left -= len(raw)
                if engine is None:
                    yield raw
                    continue
                while raw and not engine.eof:
                    yield engine.decompress(raw, 4 * _BLOCK)
                    raw = engine.unconsumed_tail
    except (zlib.error, OSError):
        raise damaged(name) from None


class _XlsxExtent:
    """Farthest row and column that cells name, from the raw XML."""

    def __init__(self) -> None:
        self.height = self.width = 0
        self._tail = b""

    def feed(self, block: bytes) -> None:
        """Look at the next bytes of the sheet."""
        text = self._tail + block
        refs = _REF.findall(text)
        if refs:
            self.height = max(self.height, max(int(row) for _, row in refs))
            self.width = max(self.width, max(_column(letters) for letters in {letters for letters, _ in refs}))
        self._tail = text[-24:]

    def cells(self) -> int:
        """Cells of the rectangle from A1."""
        return self.height * self.width


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


class _OdsExtent:
    """Rows × columns of content in ``content.xml``. Trailing blank repeats, which LibreOffice always writes, count for nothing."""

    def __init__(self) -> None:
        self.height = self.width = 0
        self._row = self._rows = self._at = self._filled = 0
        self._tail = b""

    def feed(self, block: bytes) -> None:
        """Look at the next bytes of the sheet."""
        text = self._tail + block
        end = 0
        for tag in _ODS_TAG.finditer(text):
            end = tag.end()
            self._tag(tag[1], tag[2] or b"", tag[3] == b"/")
        cut = max(end, text.rfind(b"<"))
        self._tail = text[cut:][-65_536:]

    def _tag(self, kind: bytes | None, attributes: bytes, closed: bool) -> None:
        found = _REPEAT.search(attributes)
        repeat = int(found[1]) if found else 1
        if kind == b"table":
            self._row = 0
        elif kind == b"table-row":
            self._rows, self._at, self._filled = repeat, 0, 0
            if closed:
                self._row += repeat
        elif kind is None:
            self._row += self._rows
            if self._filled:
                self.height, self.width = max(self.height, self._row), max(self.width, self._filled)
        else:
            self._at += repeat
            if not closed or b"value" in attributes:
                self._filled = self._at

    def cells(self) -> int:
        """Cells of the rectangle from A1."""
        return self.height * self.width
