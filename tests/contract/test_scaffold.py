"""``bocage new``: one folder, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bocage.contract import discovery, scaffold
from bocage.contract.errors import InvalidUseCase
from bocage.contract.scaffold import new_use_case


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    yield
    discovery.clear()


def listed(folder: Path) -> list[str]:
    """The names in a folder, hidden ones too."""
    return [path.name for path in folder.iterdir()]


def test_one_folder_with_all_its_files(tmp_path: Path) -> None:
    folder = new_use_case("lieux_publics", tmp_path)
    assert listed(tmp_path) == ["lieux_publics"]
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert files == {
        *("__init__.py", "engine.py", "fiche.toml", "README.md", "tests/test_lieux_publics.py"),
        *("data/frequentations.csv", "data/verite/passages_constates.csv"),
    }
    assert "class LieuxPublics:" in (folder / "engine.py").read_text(encoding="utf-8")


def test_by_default_it_stands_with_the_others() -> None:
    assert scaffold._checkout() == Path(scaffold.__file__).resolve().parents[1] / "usecases"


@pytest.mark.parametrize(
    "slug", ["", "eau", "Eau_Demande", "eau-demande", "1_a", "eau__demande", "é_a", "../x_y", "a_b\n", f"a_{'b' * 40}"]
)
def test_a_bad_slug_is_refused(slug: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidUseCase, match="deux mots ou plus"):
        new_use_case(slug, tmp_path)
    assert not listed(tmp_path)


def test_what_exists_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cas_la").mkdir()
    with pytest.raises(InvalidUseCase, match="existe déjà"):
        new_use_case("cas_la", tmp_path)
    assert not listed(tmp_path / "cas_la")
    monkeypatch.setenv("BOCAGE_USECASES_PATH", str(tmp_path))
    new_use_case("cas_ici", tmp_path)
    with pytest.raises(InvalidUseCase, match="s’appelle déjà"):
        new_use_case("cas_ici", tmp_path / "ailleurs")


def test_a_write_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(draft: Path, slug: str) -> None:
        (draft / "engine.py").touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(scaffold, "_fill", full)
    with pytest.raises(InvalidUseCase, match="rien n’est resté"):
        new_use_case("cas_plein", tmp_path)
    assert not listed(tmp_path)


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "fichier").touch()
    with pytest.raises(InvalidUseCase, match="--parent"):
        new_use_case("cas_x", tmp_path / "fichier")
