"""Removing a run's folder: whatever an engine did to it, and never anything above it."""

from __future__ import annotations

from pathlib import Path

from bocage.execution.warden import remove_tree


def test_a_folder_that_is_already_gone_leaves_the_one_above_as_it_was(tmp_path: Path):
    tmp_path.chmod(0o755)
    remove_tree(str(tmp_path / "bocage-run-parti"))
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_folders_without_rights_go_too_and_the_one_above_stays_as_it_was(tmp_path: Path):
    tmp_path.chmod(0o755)
    root = tmp_path / "bocage-run-ferme"
    deep = root / "a" / "b"
    deep.mkdir(parents=True)
    (deep / "reste.csv").write_text("x")
    for folder in (deep, root / "a", root):
        folder.chmod(0o000)
    remove_tree(str(root))
    assert not root.exists() and tmp_path.stat().st_mode & 0o777 == 0o755
