"""Files made to hurt get one French sentence: never a traceback, never unbounded memory."""

from __future__ import annotations

import io
import random
import struct
import zipfile
from pathlib import Path
from typing import Any

import fastparquet
import openpyxl
import pandas as pd
import pytest

from bocage.contract.errors import BocageError, MissingColumns, UnreadableFile
from bocage.contract.tables import read_table

HEAD = "horodatage;secteur;debit_m3h\n"


@pytest.mark.parametrize(
    ("content", "suffix", "words"),
    [
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", ".csv", "est un PDF"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), ".csv", "image PNG"),
        (random.Random(1).randbytes(5000), ".csv", "n’est pas un texte"),
        (b"PK\x03\x04" + bytes(500), ".xlsx", "endommagé"),
        (b"PAR1" + bytes(500), ".parquet", "endommagé"),
        (b"PAR1" + bytes(500) + b"PAR1", ".parquet", "endommagé"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(4000), ".xls", "endommagé"),
        (b"just text", ".xlsx", "n’en a pas le contenu"),
        (b'{"type": "FeatureCollection"}', ".geojson", "sans « features »"),
        (b'{"features": [{"a": ' + b"[" * 100_000, ".geojson", "imbrique plus de 64"),
        (b'{"features": [{"properties": {}}, {"x" 1}]}', ".geojson", "cassé à l’objet 2"),
        (b'{"features": [{"properties": {"a": NaN}}]}', ".geojson", "cassé à l’objet 1"),
        (b"[1, 2]", ".json", "FeatureCollection"),
        (b"   \r\n\r\n", ".csv", "est vide"),
        (b"\x00" * 1000, ".csv", "est vide"),
        (b"a;b\n" + b"x" * 3_000_000, ".csv", "plus d’un million de caractères"),
        (b"x" * 3_000_000, ".csv", "plus d’un million de caractères"),
        (";".join(f"c{i}" for i in range(100_000)).encode() + b"\n", ".csv", "100000 colonnes"),
    ],
)  # fmt: skip
def test_one_sentence_says_what_is_wrong(read: Any, content: bytes, suffix: str, words: str) -> None:
    with pytest.raises(UnreadableFile) as caught:
        read(content, suffix=suffix)
    assert words in caught.value.message


def test_too_big(read: Any) -> None:
    with pytest.raises(UnreadableFile, match="pèse 3 Mo ; la limite est 2 Mo"):
        read(b"a;b\n" * 750_000, max_mb=2)


def test_absent_file(mesure: Any, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="ne peut pas être ouvert"):
        read_table(tmp_path / "absent.csv", mesure)
    with pytest.raises(UnreadableFile):
        read_table(tmp_path, mesure)


def test_a_zip_bomb_is_refused_before_it_unpacks(read: Any) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", b" " * 9_000_000)
    with pytest.raises(UnreadableFile, match="8 Mo une fois décompressé"):
        read(out.getvalue(), suffix=".xlsx", max_mb=2)
    lying = out.getvalue().replace(struct.pack("<I", 9_000_000), struct.pack("<I", 10))
    with pytest.raises(UnreadableFile, match="8 Mo une fois décompressé"):
        read(lying, suffix=".xlsx", max_mb=2)


def test_a_cell_at_the_end_of_the_world_is_refused(read: Any, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active["XFD1048576"] = 1
    book.save(tmp_path / "far.xlsx")
    with pytest.raises(UnreadableFile, match="millions de cellules"):
        read((tmp_path / "far.xlsx").read_bytes(), suffix=".xlsx")


def test_an_archive_that_is_not_a_workbook(read: Any) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("word/document.xml", "<x/>")
    with pytest.raises(UnreadableFile, match="un document Word"):
        read(out.getvalue(), suffix=".xlsx")


def test_nul_in_a_text_is_a_line_error(read: Any) -> None:
    table = read(HEAD + "2026-11-13 04:00;A\x00B;1\n2026-11-13 05:00;A;1\n")
    assert [(e.line, e.column, e.read) for e in table.report.errors] == [(2, "secteur", "A\x00B")]
    assert "\x00" not in table.report.errors[0].sentence()


def _samples(folder: Path) -> dict[str, bytes]:
    text = HEAD + "".join(f'2026-11-{d:02d} 04:00;"É{d}";{d},5\n' for d in range(1, 29))
    frame = pd.DataFrame(
        {
            "horodatage": pd.to_datetime(["2026-11-13"]).astype("datetime64[us]"),
            "secteur": pd.Series(["A"], dtype=object),
            "debit_m3h": [1.5],
        }
    )
    fastparquet.write(str(folder / "s.parquet"), frame)
    book = openpyxl.Workbook()
    for row in (["horodatage", "secteur", "debit_m3h"], ["2026-11-13 04:00", "A", 1.5]):
        book.active.append(row)
    book.save(folder / "s.xlsx")
    feature = '{"type":"Feature","properties":{"horodatage":"2026-11-13 04:00","secteur":"A","debit_m3h":1},"geometry":null}'
    return {
        ".csv": text.encode(),
        ".txt": text.encode("utf-16"),
        ".geojson": ('{"type":"FeatureCollection","features":[' + ",".join([feature] * 5) + "]}").encode(),
        ".parquet": (folder / "s.parquet").read_bytes(),
        ".xlsx": (folder / "s.xlsx").read_bytes(),
    }


@pytest.mark.parametrize("suffix", [".csv", ".txt", ".geojson", ".parquet", ".xlsx"])
def test_damaged_bytes_never_raise_anything_but_a_bocage_error(read: Any, tmp_path: Path, suffix: str) -> None:
    good = _samples(tmp_path)[suffix]
    rng = random.Random(7)
    for _ in range(3 if suffix == ".parquet" else 120):  # each Parquet file costs a process
        data = bytearray(good)
        for _ in range(rng.randrange(1, 8)):
            at = rng.randrange(len(data))
            kind = rng.randrange(4)
            if kind == 0:
                data[at] = rng.randrange(256)
            elif kind == 1:
                del data[at : at + rng.randrange(1, 40)]
            elif kind == 2:
                data[at:at] = rng.choice([b'"', b"\n", b";", b"\x00", b"\r", b"\xff", b"9" * 30, b"-", b"{", b"["])
            else:
                data[at : at + 4] = rng.randbytes(4)
            data = data or bytearray(b"x")
        try:
            table = read(bytes(data), suffix=suffix)
        except BocageError as error:
            assert error.message
        else:
            assert len(table.frame) == len(table.lines) == table.report.kept
            assert all(error.sentence().startswith("Ligne ") for error in table.report.errors)


def test_missing_columns_of_a_wide_junk_file_stays_short(read: Any) -> None:
    with pytest.raises(MissingColumns) as caught:
        read(";".join("y" * 500 for _ in range(1000)) + "\n1;2\n")
    assert len(caught.value.message) < 2000
