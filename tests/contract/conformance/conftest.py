"""A use case made from the template in a private folder, that a test then breaks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bocage.contract import discovery
from bocage.contract.scaffold import new_use_case

SLUG = "cas_essai"


@pytest.fixture
def private_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder named in BOCAGE_USECASES_PATH; the modules imported from it are forgotten afterwards."""
    folder = tmp_path / "cas"
    folder.mkdir()
    monkeypatch.setenv("BOCAGE_USECASES_PATH", str(folder))
    discovery.clear()
    yield folder
    discovery.clear()


@pytest.fixture
def use_case(private_folder: Path) -> Callable[..., Path]:
    """``use_case((file, old, new), …)``: a copy of the template with each ``old`` text replaced.

    ``old`` None deletes the file, ``""`` writes a new one.
    """

    def make(*edits: tuple[str, str | None, str], slug: str = SLUG) -> Path:
        folder = new_use_case(slug, private_folder)
        for file, old, new in edits:
            path = folder / file
            if old is None:
                path.unlink()
                continue
            if old == "":
                path.write_text(new, encoding="utf-8")
                continue
            text = path.read_text(encoding="utf-8")
            assert old in text, f"{old!r} is no longer in the template's {file}"
            path.write_text(text.replace(old, new), encoding="utf-8")
        discovery.clear()
        return folder

    return make
