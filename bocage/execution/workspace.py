"""The temporary folder of one run: copies of the inputs that a worker may read, and a scratch folder that it may write."""

from __future__ import annotations

import contextlib
import hashlib
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from bocage.contract.errors import MissingInput, NoRoom, UnreadableFile, is_no_room
from bocage.execution.warden import remove_tree

_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")
_CHUNK = 1 << 20
NO_ROOM_TO_RUN = (
    "Le disque du serveur est plein : le calcul ne peut pas se faire. Les fichiers déposés sont gardés. "
    "Prévenez votre service informatique, puis relancez ce calcul."
)


class Workspace:
    """Copies, never links: whoever owns the process could write through a link into the deposit itself."""

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="bocage-run-")).resolve()
        self.inputs = self.root / "inputs"
        self.inputs.mkdir()

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        remove_tree(str(self.root))
        for left in Path("/dev/shm").glob(f"sem.{self.token}-*"):  # noqa: S108 (semaphores of a killed pool)
            with contextlib.suppress(OSError):
                left.unlink()

    @property
    def token(self) -> str:
        """Unique to this run: prefix of its shared semaphores."""
        return self.root.name

    def scratch(self, role: str) -> Path:
        """A new, empty folder for one worker."""
        folder = self.root / f"work-{role}-{len(list(self.root.iterdir()))}"
        folder.mkdir()
        return folder

    def take(self, files: Mapping[str, Path], called: Mapping[str, str] | None = None) -> tuple[dict[str, str], dict[str, str]]:
        """Copy ``files``; (path of the copy, SHA-256) by name. ``called``: what people call them, which engines then read too: a deposit
        is stored under its fingerprint. Raises ``MissingInput``, ``UnreadableFile`` or ``NoRoom``."""
        paths: dict[str, str] = {}
        hashes: dict[str, str] = {}
        for name, source in files.items():
            if not _NAME.match(name):
                raise MissingInput(f"« {name[:80]} » ne peut pas être le nom d’une entrée : lettres, chiffres et « _ » seulement.")
            folder = self.inputs / name
            folder.mkdir()
            known = Path((called or {}).get(name, "") or Path(source).name).stem
            target = folder / _safe(f"{known}{Path(source).suffix}")
            hashes[name] = _copy(name, Path(source), target)
            paths[name] = str(target)
        return paths, hashes


def _safe(name: str) -> str:
    """The file's own name, which errors will show, without what a name should not hold."""
    plain = Path(re.sub(r"[\x00-\x1f/\\]", "_", name))
    return f"{plain.stem.lstrip('.')[:80] or 'fichier'}{plain.suffix[:16]}"


def _copy(name: str, source: Path, target: Path) -> str:
    digest = hashlib.sha256()
    try:
        if not source.is_file():
            raise MissingInput(f"Le fichier de l’entrée « {name} » est introuvable : « {source} ». Déposez-le à nouveau.")
        with source.open("rb") as reader, target.open("wb") as writer:
            while chunk := reader.read(_CHUNK):
                digest.update(chunk)
                writer.write(chunk)
        target.chmod(0o400)
    except OSError as error:
        if is_no_room(error):
            raise NoRoom(NO_ROOM_TO_RUN) from None
        raise UnreadableFile(f"Le fichier de l’entrée « {name} » ne se lit pas ({error.strerror}). Vérifiez ses droits.") from None
    return digest.hexdigest()
