"""Private use cases, importable as ``bocage.contract.private.<slug>`` without touching ``sys.path``.

``__path__`` follows ``BOCAGE_USECASES_PATH``, so ordinary imports do the rest: relative imports inside a use case work, and its functions
can be pickled to worker processes and Dask workers, which import the same name from the same setting.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

SETTING = "BOCAGE_USECASES_PATH"


def folders() -> tuple[str, ...]:
    """The folders named by the setting (or by the file in ``BOCAGE_USECASES_PATH_FILE``), in order."""
    text = os.environ.get(SETTING, "")
    if not text and (file := os.environ.get(f"{SETTING}_FILE")):
        try:
            text = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            text = ""
    return tuple(str(Path(part).resolve()) for part in text.split(os.pathsep) if part)


class _Follow:
    """A module path that is read from the setting each time the import system looks at it."""

    def __iter__(self) -> Iterator[str]:
        return iter(folders())

    def __len__(self) -> int:
        return len(folders())

    def __getitem__(self, index: int) -> str:
        return folders()[index]


__path__ = _Follow()  # type: ignore[assignment]
