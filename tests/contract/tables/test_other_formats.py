"""Workbooks, Parquet and GeoJSON give the same table as a CSV."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import fastparquet
import openpyxl
import pandas as pd
import pytest

from bocage.contract.errors import MissingColumns, UnreadableFile
from bocage.contract.rows import Row, column

MOMENTS = [datetime(2026, 11, 13, hour) for hour in range(4, 8)]


def workbook(path: Path, rows: list[list[Any]], *, first_sheet: list[list[Any]] | None = None) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    if first_sheet is not None:
        for row in first_sheet:
            sheet.append(row)
        sheet = book.create_sheet("Données")
    for row in rows:
        sheet.append(row)
    book.save(path)
    return path.read_bytes()


def test_excel_with_real_dates_on_its_second_sheet(read: Any, tmp_path: Path) -> None:
    rows: list[list[Any]] = [["Relevé de novembre"], [], ["Horodatage", "Secteur", "Débit (m³/h)"]]
    rows += [[moment, "A", 12.5] for moment in MOMENTS] + [[MOMENTS[0], "A", "douze"]]
    table = read(workbook(tmp_path / "w.xlsx", rows, first_sheet=[["Lisez-moi"]]), suffix=".xlsx")
    assert (table.report.format, table.report.sheet) == ("xlsx", "Données")
    assert table.frame["horodatage"].tolist() == [pd.Timestamp(m, tz="Europe/Paris") for m in MOMENTS]
    assert table.lines.tolist() == [4, 5, 6, 7]
    assert [(e.line, e.column, e.read) for e in table.report.errors] == [(8, "debit_m3h", "douze")]


def test_excel_serial_numbers_text_numbers_and_booleans(read: Any, tout: Any, tmp_path: Path) -> None:
    head = ["code", "jour", "nombre", "valeur", "actif", "etat"]
    rows: list[list[Any]] = [head, ["35238", 46339, 5, "1 234,5", True, "ouvert"], [35238, date(2026, 11, 13), 5.0, 1.25, "non", "fermé"]]
    frame = read(workbook(tmp_path / "w.xlsx", rows), tout, suffix=".xlsx").frame
    assert frame["jour"].dt.strftime("%Y-%m-%d").tolist() == ["2026-11-13"] * 2
    assert (
        frame["valeur"].tolist() == [1234.5, 1.25] and frame["actif"].tolist() == [True, False] and frame["code"].tolist() == ["35238"] * 2
    )


def test_a_workbook_named_csv_is_still_read(read: Any, tmp_path: Path) -> None:
    assert len(read(workbook(tmp_path / "w.xlsx", [["horodatage", "secteur", "debit_m3h"], [MOMENTS[0], "A", 1]])).frame) == 1


def test_libreoffice(read: Any) -> None:
    assert len(read(ods([["horodatage", "secteur", "debit_m3h"], ["2026-11-13 04:00", "A", "1,5"]]), suffix=".ods").frame) == 1


def ods(rows: list[list[str]], tail: str = "") -> bytes:
    import io
    import zipfile

    cells = "".join(
        "<table:table-row>"
        + "".join(f'<table:table-cell office:value-type="string"><text:p>{c}</text:p></table:table-cell>' for c in row)
        + "</table:table-row>"
        for row in rows
    )
    xml = (
        '<?xml version="1.0"?><office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0">'
        f'<office:body><office:spreadsheet><table:table table:name="F">{cells}{tail}</table:table></office:spreadsheet></office:body>'
        "</office:document-content>"
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
        archive.writestr(
            "META-INF/manifest.xml",
            '<?xml version="1.0"?><manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        )
        archive.writestr("content.xml", xml)
    return out.getvalue()


def test_blank_repeats_at_the_end_of_a_libreoffice_sheet_cost_nothing(read: Any) -> None:
    tail = (
        '<table:table-row table:number-rows-repeated="1048570"><table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
    )
    assert len(read(ods([["horodatage", "secteur", "debit_m3h"], ["2026-11-13 04:00", "A", "1,5"]], tail), suffix=".ods").frame) == 1


def test_filled_repeats_are_refused(read: Any) -> None:
    cell = '<table:table-cell table:number-columns-repeated="16384" office:value-type="float" office:value="1"/>'
    tail = f'<table:table-row table:number-rows-repeated="1048570">{cell}</table:table-row>'
    with pytest.raises(UnreadableFile, match="millions de cellules"):
        read(ods([["horodatage", "secteur", "debit_m3h"]], tail), suffix=".ods")


@pytest.mark.parametrize("zone", [None, "UTC"])
def test_parquet(read: Any, tmp_path: Path, zone: str | None) -> None:
    moments = pd.Series(pd.to_datetime(MOMENTS)).astype("datetime64[us]")
    frame = pd.DataFrame(
        {
            "horodatage": moments.dt.tz_localize(zone) if zone else moments,
            "secteur": ["A", "B", "é", "D"],
            "debit_m3h": [0.1, 2.0, -1.0, 1 / 3],
        }
    )
    frame["secteur"] = frame["secteur"].astype(object)
    fastparquet.write(str(tmp_path / "w.parquet"), frame, row_group_offsets=[0, 2])
    table = read((tmp_path / "w.parquet").read_bytes(), suffix=".parquet")
    assert table.frame["debit_m3h"].tolist() == [0.1, 2.0, 1 / 3]
    assert [(e.line, e.column, e.read) for e in table.report.errors] == [(3, "debit_m3h", "-1.0")]
    assert table.frame["horodatage"].dt.hour.tolist() == ([5, 6, 8] if zone else [4, 5, 7])


class Lieu(Row):
    nom: str = column("Nom")
    capacite: int = column("Capacité", ge=0)
    geometry: dict[str, Any] = column("Lieu")


def test_geojson_properties_and_geometry(read: Any) -> None:
    point = {"type": "Point", "coordinates": [-1.2, 48.35]}
    features = [
        {"type": "Feature", "properties": {"nom": "Mairie", "capacite": 12}, "geometry": point},
        {"type": "Feature", "properties": {"nom": "École", "capacite": "dix"}, "geometry": point},
        {"type": "Feature", "properties": {"nom": "Stade", "capacite": 3}, "geometry": None},
    ]
    table = read(json.dumps({"type": "FeatureCollection", "features": features}), Lieu, suffix=".geojson")
    assert table.frame["geometry"].tolist() == [point] and table.frame["capacite"].tolist() == [12]
    assert [(e.line, e.column) for e in table.report.errors] == [(2, "capacite"), (3, "geometry")]


def test_a_workbook_without_the_columns_shows_its_titles_not_the_one_merged_above(read: Any, tmp_path: Path) -> None:
    rows = [
        ["Semaine du 10 au 14 novembre 2025", None, None],
        ["Restaurant", "Lundi 10/11", "Mardi 11/11", "Jeudi 13/11"],
        ["Jules-Ferry", 98, 0, 101],
    ]
    with pytest.raises(MissingColumns, match=r"Colonnes trouvées : Restaurant, Lundi 10/11.* Les dates y sont en colonnes"):
        read(workbook(tmp_path / "w.xlsx", rows), suffix=".xlsx")
