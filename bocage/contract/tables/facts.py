"""What one pass over the bytes tells, before anything is parsed: size, SHA-256, kind, encoding. Constant memory."""

from __future__ import annotations

import codecs
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bocage.contract.errors import UnreadableFile

Kind = Literal["text", "zip", "xls", "parquet", "geojson"]

BLOCK = 1 << 20
MAX_LINE = 1 << 20
"""Bytes of the longest line that is read: a longer one is not a table."""

_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "un PDF"),
    (b"\x89PNG", "une image PNG"),
    (b"\xff\xd8\xff", "une photo JPEG"),
    (b"GIF8", "une image GIF"),
    (b"II*\x00", "une image TIFF"),
    (b"MM\x00*", "une image TIFF"),
    (b"\x1f\x8b", "une archive gzip"),
    (b"7z\xbc\xaf", "une archive 7-Zip"),
    (b"Rar!", "une archive RAR"),
    (b"BZh", "une archive bzip2"),
    (b"\xfd7zXZ", "une archive xz"),
    (b"\x28\xb5\x2f\xfd", "une archive zstd"),
    (b"\x7fELF", "un programme"),
    (b"MZ\x90", "un programme Windows"),
    (b"SQLite format 3", "une base SQLite"),
    (b"{\\rtf", "un document RTF"),
    (b"<!DOCTYPE html", "une page web"),
    (b"<html", "une page web"),
)
_LETTERS = "éèêëàâçùûîïôœÉÈÀÇ°²³€«»–’"
_EIGHT_BIT = {name: {b[0] for c in _LETTERS if (b := c.encode(name, "ignore"))} for name in ("cp1252", "mac_roman", "cp850")}


@dataclass(frozen=True, slots=True)
class Facts:
    """``encoding`` is a Python codec name, None for binary kinds; ``quotes``: a double quote stands somewhere in the text."""

    path: Path
    name: str
    size: int
    sha256: str
    kind: Kind
    encoding: str | None
    quotes: bool
    nul: bool
    notes: tuple[str, ...]


@dataclass
class _Seen:
    """What the pass collects."""

    utf8: bool = True
    quotes: bool = False
    nul: bool = False
    longest: int = 0
    high: list[int] | None = None


def examine(path: Path, name: str, max_mb: int) -> Facts:
    """The facts on ``path``. Raises ``UnreadableFile``: absent, empty, too big, not a table, binary, a line over 1 MiB."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(1 << 16)
    except OSError as error:
        raise UnreadableFile(f"« {name} » ne peut pas être ouvert : {error.strerror or 'accès impossible'}.") from None
    if size == 0 or not head.strip(b"\x00 \t\r\n\xef\xbb\xbf"):
        raise UnreadableFile(f"« {name} » est vide. Déposez un fichier avec une ligne de titres et des données.")
    if size > max_mb * 1_000_000:
        said = f"{size / 1e6:.0f}" if size < (max_mb + 1) * 1e6 else f"{size // 1_000_000}"
        raise UnreadableFile(f"« {name} » pèse {said} Mo ; la limite est {max_mb} Mo. Déposez-le en plusieurs parties.")
    kind = _kind(head, path, name)
    wide = _utf16(head)
    seen, sha = _scan(path, text=kind == "text" and wide is None)
    encoding: str | None = None
    notes: tuple[str, ...] = ()
    if kind == "text":
        encoding = wide or _encoding(head, seen)
        if wide is None:
            _refuse_binary(head, seen, name)
        if encoding not in ("utf-8", "utf-8-sig"):
            notes = (f"Encodage {_LABELS.get(encoding, encoding)} trouvé.",)
    elif kind == "geojson":
        encoding = "utf-8-sig"
    return Facts(path, name, size, sha, kind, encoding, seen.quotes or wide is not None, seen.nul, notes)


_LABELS = {
    "cp1252": "Windows-1252",
    "mac_roman": "MacRoman",
    "cp850": "DOS (CP850)",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
}


def _kind(head: bytes, path: Path, name: str) -> Kind:
    """The kind by content first; only JSON needs more than its first bytes."""
    if head.startswith(b"PK\x03\x04"):
        return "zip"
    if head.startswith(b"PK\x05\x06"):
        raise UnreadableFile(f"« {name} » est une archive vide.")
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return "xls"
    if head.startswith(b"PAR1"):
        return "parquet"
    for signature, words in _SIGNATURES:
        if head[: len(signature)].lower() == signature.lower():
            raise UnreadableFile(f"« {name} » est {words}, pas un tableau. Exportez les données en CSV, XLSX, ODS, Parquet ou GeoJSON.")
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"{") and (b'"' in start[:4096] or path.suffix.lower() in (".json", ".geojson")):
        return "geojson"
    if start.startswith(b"[") and path.suffix.lower() in (".json", ".geojson"):
        raise UnreadableFile(f"« {name} » est une liste JSON. Un GeoJSON de type FeatureCollection est attendu.")
    if path.suffix.lower() in (".xlsx", ".xlsm", ".ods", ".xls", ".parquet"):
        raise UnreadableFile(f"« {name} » porte l’extension {path.suffix.lower()} mais n’en a pas le contenu. Enregistrez-le de nouveau.")
    return "text"


def _utf16(head: bytes) -> str | None:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    sample = head[:2000]
    half = max(1, len(sample) // 2)
    odd, even = sample[1::2].count(0), sample[0::2].count(0)
    if odd > 0.7 * half and even < 0.1 * half:
        return "utf-16-le"
    return "utf-16-be" if even > 0.7 * half and odd < 0.1 * half else None


def _scan(path: Path, *, text: bool) -> tuple[_Seen, str]:
    """One pass by blocks of 1 MiB: the hash, and for text: UTF-8 or not, quotes, NUL, longest line, bytes over 127."""
    seen, sha = _Seen(high=[0] * 256), hashlib.sha256()
    decoder = codecs.getincrementaldecoder("utf-8")()
    tail = 0
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            sha.update(block)
            if not text:
                continue
            seen.quotes = seen.quotes or b'"' in block
            seen.nul = seen.nul or b"\x00" in block
            tail = _longest(block, tail, seen)
            if not block.isascii():
                _count_high(block, seen)
            if seen.utf8:
                try:
                    decoder.decode(block)
                except UnicodeDecodeError:
                    seen.utf8 = False
    if seen.utf8:
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            seen.utf8 = False
    return seen, sha.hexdigest()


def _longest(block: bytes, tail: int, seen: _Seen) -> int:
    """Update the longest line; only blocks without any end of line can make it matter. Gives the bytes after the last end."""
    last = max(block.rfind(b"\n"), block.rfind(b"\r"))
    if last < 0:
        tail += len(block)
        seen.longest = max(seen.longest, tail)
        return tail
    ends = [end for end in (block.find(b"\n"), block.find(b"\r")) if end >= 0]
    seen.longest = max(seen.longest, tail + min(ends))
    return len(block) - last - 1


def _count_high(block: bytes, seen: _Seen) -> None:
    """Count the bytes over 127: they tell MacRoman and DOS from Windows. Enough of them is enough."""
    if seen.high is not None and sum(seen.high) < 20_000:
        for byte in block[:200_000].translate(None, bytes(range(128))):
            seen.high[byte] += 1


def _encoding(head: bytes, seen: _Seen) -> str:
    if seen.utf8:
        return "utf-8-sig" if head.startswith(b"\xef\xbb\xbf") else "utf-8"
    counts = seen.high or [0] * 256
    scores = {name: sum(counts[byte] for byte in letters) for name, letters in _EIGHT_BIT.items()}
    return max(scores, key=lambda name: scores[name])


def _refuse_binary(head: bytes, seen: _Seen, name: str) -> None:
    control = sum(head.count(byte) for byte in (*range(9), *range(14, 32), 127))
    if control > 0.01 * len(head) + 2:
        raise UnreadableFile(f"« {name} » n’est pas un texte. Exportez les données en CSV, XLSX, ODS, Parquet ou GeoJSON.")
    if seen.longest > MAX_LINE:
        raise UnreadableFile(f"« {name} » a une ligne de plus d’un million de caractères : ce n’est pas un tableau.")
