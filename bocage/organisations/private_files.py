"""Deploy check: what the server keeps on its disk is read by its own account alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning

_READ, _ENTER = 0o004, 0o001


def check_private_files(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """A warning that names what any account of the machine can read: the database, which holds live sessions, the key, the deposits."""
    found = [str(path) for path in _kept() if _open_to_all(path)]
    if not found:
        return []
    return [
        Warning(
            f"Any account of this machine can read: {', '.join(found)}.",
            hint=f"chmod -R o-rwx {settings.HOME}; move the database into that folder if it lies elsewhere.",
            id="bocage.W010",
        )
    ]


def _kept() -> list[Path]:
    home, database = Path(settings.HOME), settings.DATABASES["default"]
    kept = [home / "secret_key", Path(settings.MEDIA_ROOT), home / "assistant"]
    if database["ENGINE"].endswith("sqlite3"):
        # The log beside the file holds the last writes.
        kept += [Path(f"{database['NAME']}{suffix}").resolve() for suffix in ("", "-wal")]
    return [path for path in kept if path.exists()]


def _open_to_all(path: Path) -> bool:
    return bool(path.stat().st_mode & _READ) and all(folder.stat().st_mode & _ENTER for folder in path.parents)
