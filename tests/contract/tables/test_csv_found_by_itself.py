"""Encoding, separator, decimal mark, header line and column names are found without being asked."""

from __future__ import annotations

from typing import Any

import pytest

from bocage.contract.errors import MissingColumns, UnreadableFile

PLAIN = "horodatage;secteur;debit_m3h\n2026-11-13 04:00;Élan côté;12,5\n2026-11-13 05:00;Élan côté;13,25\n"


def says(table: Any, words: str) -> bool:
    return any(words in note for note in table.report.notes)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "mac_roman", "cp850"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_every_encoding_and_line_ending_gives_the_same_table(read: Any, encoding: str, ending: str) -> None:
    table = read(PLAIN.replace("\n", ending).encode(encoding))
    assert table.frame["secteur"].tolist() == ["Élan côté"] * 2
    assert table.frame["debit_m3h"].tolist() == [12.5, 13.25]
    assert table.lines.tolist() == [2, 3]


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_separator_and_decimal_comma_are_found_and_said(read: Any, separator: str) -> None:
    table = read(PLAIN.replace(";", separator))
    assert (table.report.separator, table.report.decimal) == (separator, ",")
    assert table.frame["debit_m3h"].tolist() == [12.5, 13.25]
    if separator == ";":
        assert table.report.notes[0] == "Séparateur point-virgule et virgule décimale trouvés."


def test_comma_separated_with_points(read: Any) -> None:
    table = read(PLAIN.replace(",", ".").replace(";", ","))
    assert (table.report.separator, table.report.decimal) == (",", ".")
    assert table.frame["debit_m3h"].tolist() == [12.5, 13.25]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 234,5", 1234.5),
        ("1\u00a0234,5", 1234.5),
        ("1\u202f234,5", 1234.5),
        ("1.234,5", 1234.5),
        ("+12,5", 12.5),
        (" 12,5 ", 12.5),
        (",5", 0.5),
        ("1,25E+02", 125.0),
        ("0012", 12.0),
        ("4999,9999999999999", 4999.9999999999999),
    ],
)
def test_numbers_as_french_people_write_them(read: Any, text: str, value: float) -> None:
    table = read(PLAIN + f"2026-11-13 06:00;Sud;{text}\n")
    assert table.report.errors[:] == []
    assert table.frame["debit_m3h"].iloc[-1] == value


@pytest.mark.parametrize(
    "text", ["nan", "inf", "-inf", "1_000", "12.5", "1.234", "12 m³/h", "0x10", "١٢", "1,2,3", "12 34,5", "--5", "-", "1\x002"]
)
def test_what_is_not_a_number_of_the_column_is_named(read: Any, text: str) -> None:
    table = read(PLAIN + f"2026-11-13 06:00;Sud;{text}\n")
    assert [(e.line, e.column, e.read) for e in table.report.errors] == [(4, "debit_m3h", text)]


def test_title_lines_comments_units_blank_lines_and_trailing_separators(read: Any) -> None:
    text = (
        "Export du 13 novembre\n\nRéseau;de;Fougères\nhorodatage;secteur;debit_m3h;\nAAAA-MM-JJ HH:MM;;m³/h;\n"
        "# un commentaire\n\n2026-11-13 04:00;A;1,5;\n;;;\n2026-11-13 05:00;A;2,5\n"
    )
    table = read(text)
    assert table.lines.tolist() == [8, 10]
    assert table.report.lines == 2
    assert says(table, "ligne 4") and says(table, "Ligne 5 passée : unités") and says(table, "commentaire")


@pytest.mark.parametrize(
    "header",
    [
        "Horodatage;SECTEUR;Débit m3h",
        "horodatage ;secteur;Débit (m³/h)",
        "Horodatage;Secteur;debit-m3h",
        "horodatage;secteur;debit_m3h (m3/h)",
    ],
)
def test_header_names_are_tolerated_and_renamings_are_said(read: Any, header: str) -> None:
    table = read(PLAIN.replace("horodatage;secteur;debit_m3h", header))
    assert list(table.frame) == ["horodatage", "secteur", "debit_m3h"]
    assert says(table, "lue comme debit_m3h")


def test_a_column_in_another_unit_is_not_taken(read: Any) -> None:
    with pytest.raises(MissingColumns, match=r"Débit \(L/s\) » n’est pas en m³/h"):
        read(PLAIN.replace("debit_m3h", "Débit (L/s)"))


def test_a_first_line_with_an_empty_cell_is_not_a_line_of_units(read: Any, tout: Any) -> None:
    table = read("code;jour;nombre;actif;etat;valeur\n35238;2026-11-13;5;1;ouvert;\n", tout)
    assert len(table.frame) == 1


def test_missing_columns_say_what_was_found_and_the_nearest(read: Any) -> None:
    with pytest.raises(MissingColumns) as caught:
        read(PLAIN.replace("horodatage", "horodatges"))
    assert "La colonne horodatage manque" in caught.value.message
    assert "Colonnes trouvées : horodatges, secteur, debit_m3h" in caught.value.message
    assert "« horodatges » ressemble à horodatage" in caught.value.message


def test_duplicated_and_extra_columns_are_said(read: Any) -> None:
    table = read("horodatage;secteur;debit_m3h;debit_m3h;meteo\n2026-11-13 04:00;A;1,5;9,5;beau\n")
    assert table.frame["debit_m3h"].tolist() == [1.5]
    assert says(table, "présente 2 fois") and says(table, "Colonnes ignorées : debit_m3h, meteo.")


def test_quotes_hide_separators_and_newlines_and_lines_stay_those_of_an_editor(read: Any) -> None:
    table = read(
        'horodatage;secteur;debit_m3h\n2026-11-13 04:00;"A;""B""";1,5\n2026-11-13 05:00;"deux\nlignes";2,5\n2026-11-13 06:00;C;x\n'
    )
    assert table.frame["secteur"].tolist() == ['A;"B"', "deux\nlignes"]
    assert table.lines.tolist() == [2, 3]
    assert [(e.line, e.read) for e in table.report.errors] == [(5, "x")]


def test_a_quote_that_never_closes_costs_its_line_only(read: Any) -> None:
    lines = [f"2026-11-13 04:00;S{i};1,5" for i in range(2000)]
    lines[700] = '2026-11-13 04:00;"S700;1,5'
    table = read("horodatage;secteur;debit_m3h\n" + "\n".join(lines) + "\n")
    assert len(table.frame) == 2000
    assert table.lines.tolist() == list(range(2, 2002))
    assert says(table, "Ligne 702 : guillemet non refermé")


def test_ragged_lines_are_named_whole(read: Any) -> None:
    table = read("horodatage,secteur,debit_m3h\n2026-11-13 04:00,A,1.5\n2026-11-13 05:00,A,2,5\n2026-11-13 06:00,A\n")
    wrong = [(e.line, e.column) for e in table.report.errors]
    assert wrong == [(3, ""), (4, "debit_m3h")]
    assert "virgule décimale" in table.report.errors[0].advice
    assert table.report.summary() == "1 ligne gardée, 2 à corriger"


def test_a_file_with_a_header_only_says_so(read: Any) -> None:
    table = read("horodatage;secteur;debit_m3h\n")
    assert (table.report.lines, len(table.frame)) == (0, 0)


def test_empty_file(read: Any) -> None:
    with pytest.raises(UnreadableFile, match="est vide"):
        read(b"")


def test_progress_is_reported_and_ends_at_one(read: Any) -> None:
    seen: list[float] = []
    read(PLAIN + "2026-11-13 06:00;Sud;1,5\n" * 60_000, progress=lambda fraction, said: seen.append(fraction))
    assert len(seen) > 2 and seen == sorted(seen) and seen[-1] == 1.0


@pytest.mark.parametrize(
    "titles",
    [
        "Restaurant;Lundi 10/11;Mardi 11/11;Jeudi 13/11;Total",
        "Compteur;janv. 2025;févr. 2025;mars 2025;avril 2025",
        "Lieu;01/09/2025;02/09/2025;03/09/2025;04/09/2025",
    ],
)
def test_a_table_whose_dates_stand_in_columns_is_said_to_be_one(read: Any, titles: str) -> None:
    with pytest.raises(MissingColumns, match=r"Les dates y sont en colonnes .* une ligne par date"):
        read(f"{titles}\nA;1;2;3;6\n")


def test_columns_that_are_no_dates_are_not_said_to_be(read: Any) -> None:
    with pytest.raises(MissingColumns) as caught:
        read("marge;avril;marché;mardi;decor\n1;2;3;4;5\n")
    assert "en colonnes" not in caught.value.message


@pytest.mark.parametrize("written", ["Date", "Jour", "DATE/HEURE", "Horodate"])
def test_a_column_of_dates_under_a_usual_title_is_shown(read: Any, written: str) -> None:
    with pytest.raises(MissingColumns, match=f"« {written} » ressemble à horodatage : si c’est elle, renommez-la"):
        read(PLAIN.replace("horodatage", written))
