"""Every wrong line is named, exactly: checked by a plain line-by-line reader written apart, and by round trips."""

from __future__ import annotations

import csv
import random
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bocage.contract.rows import Row, column
from bocage.contract.tables import LineError, TableReport, read_table, safe_cell, write_corrections

HEAD = "horodatage;secteur;debit_m3h\n"


def expected_errors(text: str) -> tuple[list[tuple[int, str]], int]:
    """(line, column) of each fault and the number of kept lines, by the plainest means."""
    faults, kept = [], 0
    for number, line in enumerate(text.split("\n")[1:], 2):
        if not line.replace(";", "").strip():
            continue
        cells = line.split(";")
        if len(cells) > 3 and any(cells[3:]):
            faults.append((number, ""))
            continue
        cells = [*cells, "", "", ""][:3]
        wrong = []
        try:
            datetime.strptime(cells[0], "%Y-%m-%d %H:%M")
        except ValueError:
            wrong.append("horodatage")
        if cells[1].strip() in ("", "-", "NA") or len(cells[1]) > 30:
            wrong.append("secteur")
        try:
            if "." in cells[2] or "n" in cells[2].lower() or "_" in cells[2] or not 0 <= float(cells[2].replace(",", ".")) <= 5000:
                wrong.append("debit_m3h")
        except ValueError:
            wrong.append("debit_m3h")
        faults += [(number, name) for name in wrong]
        kept += not wrong
    return faults, kept


def dirty(lines: int, share: float, seed: int) -> str:
    rng, start, made = random.Random(seed), datetime(2026, 4, 1), []
    for i in range(lines):
        cells = [
            f"{start + timedelta(hours=i // 5 % 4000):%Y-%m-%d %H:%M}",
            f"S{i % 5}",
            f"{rng.random() * 400:.{rng.randrange(1, 7)}f}".replace(".", ","),
        ]
        if rng.random() < share:
            k = rng.randrange(3)
            choices = (
                ["2026-13-01 00:00", "", "13/11/2026 04:00", "x", "2026-02-30 10:00"],
                ["", "-", "y" * 31],
                ["-1", "5000,1", "", "abc", "1.5", "1_0", "nan", "1e999"],
            )
            cells[k] = rng.choice(choices[k])
        line = ";".join(cells)
        if rng.random() < share / 4:
            line = rng.choice([line + ";7", cells[0], "", ";;", line + ";;"])
        made.append(line)
    return HEAD + "\n".join(made) + rng.choice(["", "\n"])


@pytest.mark.parametrize(("lines", "share"), [(20_000, 0.01), (8_000, 0.5), (5_000, 1.0), (300, 0.1)])
@pytest.mark.parametrize("quoted", [False, True])
def test_against_a_plain_reader(read: Any, lines: int, share: float, quoted: bool) -> None:
    text = dirty(lines, share, seed=lines + quoted)
    faults, kept = expected_errors(text)
    shown = text.replace(";S1;", ';"S1";') if quoted else text
    table = read(shown)
    assert [(e.line, e.column) for e in table.report.errors] == faults
    assert (len(table.frame), table.report.kept) == (kept, kept)
    source = shown.split("\n")
    for error in list(table.report.errors)[:500]:
        assert error.read in source[error.line - 1].replace('"', "")


@st.composite
def frames(draw: Any) -> list[tuple[datetime, str, float]]:
    moment = st.datetimes(datetime(1990, 1, 1), datetime(2037, 1, 1)).map(lambda m: m.replace(microsecond=0, second=0, hour=12))
    name = st.text(st.characters(codec="cp1252", exclude_categories=["C", "Z"]), min_size=1, max_size=12).filter(
        lambda s: s not in ("-", "NA", "na") and s.upper() not in ("N/A", "NULL") and not s.startswith(("#", "/"))
    )
    value = st.floats(0, 5000, allow_nan=False, allow_subnormal=False)
    return draw(st.lists(st.tuples(moment, name, value), min_size=1, max_size=12))


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    rows=frames(),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    separator=st.sampled_from([";", "\t", "|", ","]),
    decimal=st.sampled_from([",", "."]),
    layout=st.sampled_from(["%Y-%m-%d %H:%M", "%d/%m/%Y %H:%M", "%Y-%m-%dT%H:%M:%S", "%d.%m.%Y %Hh%M"]),
    ending=st.sampled_from(["\n", "\r\n"]),
)
def test_what_is_written_is_read_back(rows: Any, encoding: str, separator: str, decimal: str, layout: str, ending: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        with path.open("w", encoding=encoding, newline="") as file:
            writer = csv.writer(file, delimiter=separator, lineterminator=ending)
            writer.writerow(["horodatage", "secteur", "debit_m3h"])
            # a first line that settles the decimal mark and the order of day and month
            for moment, name, value in [(datetime(1990, 1, 31, 12), "x", 0.25), *rows]:
                writer.writerow([moment.strftime(layout), name, repr(value).replace(".", decimal)])
        table = read_table(path, _Mesure)
        got = list(zip(table.frame["horodatage"].dt.tz_localize(None), table.frame["secteur"], table.frame["debit_m3h"], strict=True))
    assert not len(table.report.errors), [e.sentence() for e in table.report.errors]
    assert got[1:] == rows


class _Mesure(Row):
    horodatage: datetime = column("Heure")
    secteur: str = column("Secteur")
    debit_m3h: float = column("Débit", ge=0)


def test_the_report_survives_json(read: Any) -> None:
    report = read(dirty(2000, 0.2, 3)).report
    back = TableReport.from_dict(report.to_dict())
    assert list(back.errors) == list(report.errors) and back.summary() == report.summary() and back.notes == report.notes
    short = report.to_dict(limit=3)
    assert len(short["errors"]) == 3 and short["errors_total"] == len(report.errors)


def test_summaries_are_french(read: Any) -> None:
    lines = "2026-11-13 04:00;A;1\n" * 1005 + "x;A;1\n" * 3
    assert read(HEAD + lines).report.summary() == "1\u202f005 lignes gardées, 3 à corriger"


def test_the_text_read_is_cut_at_80_characters(read: Any) -> None:
    error = read(HEAD + "2026-11-13 04:00;A;" + "é" * 500 + "\n2026-11-13 04:00;A;1\n").report.errors[0]
    assert error.read == "é" * 80


def test_a_sentence_without_column() -> None:
    assert LineError(3, "", "a;b", "3 champs").sentence() == "Ligne 3. Lu : a;b. Attendu : 3 champs."


def test_corrections_hold_the_wrong_lines_as_read_and_no_formula(read: Any, mesure: Any, tmp_path: Path) -> None:
    bad = ['=HYPERLINK("x")', "+cmd|' /C calc'!A0", "@SUM(1)", "-2+3", "-12,5", "\tx", " =1"]
    text = "horodatage;secteur;debit_m3h;remarque\n2026-11-13 04:00;A;1;ok\n"
    text += "".join('2026-11-13 05:00;A;abc;"{}"\n'.format(cell.replace('"', '""')) for cell in bad)
    table = read(text)
    out = write_corrections(tmp_path / "depot.csv", table, mesure, tmp_path / "corrections.csv")
    raw = out.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(raw.decode("utf-8-sig").splitlines(), delimiter=";"))
    assert rows[0] == ["ligne", "horodatage", "secteur", "debit_m3h", "remarque", "probleme"]
    assert [row[0] for row in rows[1:]] == [str(n) for n in range(3, 10)]
    assert [row[4] for row in rows[1:]] == [cell if cell == "-12,5" else "'" + cell for cell in bad]
    assert rows[1][5].startswith("Ligne 3, colonne debit_m3h. Lu : abc.")
    assert [p.name for p in tmp_path.iterdir() if p.suffix == ".part"] == []


@pytest.mark.parametrize(
    ("cell", "safe"), [("-5", "-5"), ("+33 1", "+33 1"), ("-5-5", "'-5-5"), ("abc", "abc"), ("", ""), ("\r=1", "'\r=1")]
)
def test_safe_cells(cell: str, safe: str) -> None:
    assert safe_cell(cell) == safe


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (-1e6, 1e6, "au moins −1\u202f000\u202f000 et au plus 1\u202f000\u202f000"),
        (0, 0.05, "au moins 0 et au plus 0,05"),
        (1e-7, 12.5, "au moins 0,0000001 et au plus 12,5"),
    ],
)
def test_bounds_are_said_with_all_their_figures(tmp_path: Path, low: float, high: float, said: str) -> None:
    class Bounded(Row):
        valeur: float = column("Valeur", ge=low, le=high)

    (tmp_path / "valeurs.csv").write_text("valeur\n1\nx\n0,01\n", encoding="utf-8")
    assert said in next(iter(read_table(tmp_path / "valeurs.csv", Bounded).report.errors)).expected
