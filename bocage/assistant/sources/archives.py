"""Members of an archive or of a folder, one at a time, in constant memory: nothing is unpacked to disk, so no path can escape.

Bounds: size of one member, of all that is unpacked, and number of members. What goes past them is refused, whatever headers declare.
"""

from __future__ import annotations

import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from bocage.assistant.sources.nodes import BrokenFile
from bocage.contract.errors import UnreadableFile

MAX_MEMBERS = 100_000
MAX_MEMBER_BYTES = 16_000_000
MAX_TOTAL_BYTES = 2_000_000_000
_BLOCK = 1 << 20

Member = tuple[str, bytes | BrokenFile]
"""Name of the file and its bytes, or why they cannot be had."""


def read_members(path: Path, wanted: re.Pattern[str]) -> Iterator[Member]:
    """The file at ``path``, or those of the folder, ZIP or TAR(.gz) whose relative name matches ``wanted`` from end to end.

    Raises ``UnreadableFile``: missing, neither of these, damaged as a whole, or unpacking to more than ``MAX_TOTAL_BYTES``.
    """
    if path.is_dir():
        yield from _folder(path, wanted)
    elif not path.is_file():
        raise UnreadableFile(f"« {path.name} » n’existe pas. Vérifiez le chemin du fichier ou du dossier.")
    elif wanted.fullmatch(path.name):
        yield from _one(path, path.name)
    elif zipfile.is_zipfile(path):
        yield from _zip(path, wanted)
    else:
        yield from _tar(path, wanted)


def bounded(file: IO[bytes], limit: int = MAX_MEMBER_BYTES) -> bytes:
    """All of ``file``, never more than ``limit`` bytes. Raises ``BrokenFile``."""
    parts, size = [], 0
    while block := file.read(min(_BLOCK, limit + 1 - size)):
        size += len(block)
        if size > limit:
            raise BrokenFile(f"plus de {limit // 1_000_000} Mo une fois décompressé")
        parts.append(block)
    return b"".join(parts)


def _folder(path: Path, wanted: re.Pattern[str]) -> Iterator[Member]:
    root = path.resolve()
    for file in sorted(root.rglob("*")):
        name = file.relative_to(root).as_posix()
        if not wanted.fullmatch(name):
            continue
        # A link could lead out of the folder: none is followed.
        if not file.is_symlink() and file.is_file() and file.resolve().is_relative_to(root):
            yield from _one(file, name)


def _one(file: Path, name: str) -> Iterator[Member]:
    try:
        with file.open("rb") as opened:
            content: bytes | BrokenFile = bounded(opened)
    except BrokenFile as error:
        content = error
    except OSError as error:
        content = BrokenFile(f"le fichier ne s’ouvre pas ({error.strerror})")
    yield name, content


class _Budget:
    def __init__(self, name: str) -> None:
        self.name, self.bytes, self.members = name, 0, 0

    def spend(self, size: int) -> None:
        self.bytes += size
        self.members += 1
        if self.bytes > MAX_TOTAL_BYTES or self.members > MAX_MEMBERS:
            raise UnreadableFile(
                f"« {self.name} » dépasse {MAX_TOTAL_BYTES // 1_000_000} Mo ou {MAX_MEMBERS} fichiers une fois décompressé : "
                "ce n’est pas l’archive attendue."
            )


def _zip(path: Path, wanted: re.Pattern[str]) -> Iterator[Member]:
    budget = _Budget(path.name)
    try:
        with zipfile.ZipFile(path) as archive:
            members = [m for m in archive.infolist() if not m.is_dir() and wanted.fullmatch(m.filename)]
            for member in members:
                content = _zip_member(archive, member)
                budget.spend(len(content) if isinstance(content, bytes) else MAX_MEMBER_BYTES)
                yield member.filename, content
    except (zipfile.BadZipFile, OSError, ValueError):
        raise UnreadableFile(f"« {path.name} » est endommagé. Téléchargez l’archive de nouveau.") from None


def _zip_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes | BrokenFile:
    if member.flag_bits & 1:
        return BrokenFile("le fichier est protégé par un mot de passe")
    try:
        with archive.open(member) as opened:
            return bounded(opened)
    except BrokenFile as error:
        return error
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, ValueError):
        return BrokenFile("le fichier est endommagé dans l’archive")


def _tar(path: Path, wanted: re.Pattern[str]) -> Iterator[Member]:
    budget = _Budget(path.name)
    try:
        # Stream mode reads forward only: memory stays flat, and a bomb is met block by block.
        with tarfile.open(path, "r|*") as archive:
            for member in archive:
                budget.spend(member.size)
                if not member.isreg() or not wanted.fullmatch(member.name):
                    continue
                opened = archive.extractfile(member)
                if opened is None:
                    continue
                try:
                    yield member.name, bounded(opened)
                except BrokenFile as error:
                    yield member.name, error
    except (tarfile.TarError, OSError, EOFError, zlib.error, ValueError):
        raise UnreadableFile(
            f"« {path.name} » n’est ni un dossier, ni une archive ZIP ou TGZ entière. Téléchargez-la de nouveau."
        ) from None
