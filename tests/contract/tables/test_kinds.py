"""Each kind of field: what is accepted, what is named, which dtype comes out."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest
from pydantic import field_validator

from bocage.contract.rows import Row, column

HEAD = "code;jour;nombre;valeur;actif;etat;note;poids\n"
GOOD = "35238;13/11/2026;5;1,5;oui;ouvert;bon;3\n"


def test_dtypes_and_defaults(read: Any, tout: Any) -> None:
    frame = read(HEAD + GOOD + "01001;14/11/2026;-3;n/a;FAUX;fermé;NULL;\n", tout).frame
    assert {name: str(kind) for name, kind in frame.dtypes.items()} == {
        "code": "str",
        "jour": "datetime64[s]",
        "nombre": "int64",
        "valeur": "float64",
        "actif": "bool",
        "etat": "str",
        "note": "str",
        "poids": "Int64",
        "marge": "float64",
    }
    assert frame["code"].tolist() == ["35238", "01001"]
    assert frame["note"].isna().tolist() == [False, True] and frame["poids"].isna().tolist() == [False, True]
    assert frame["marge"].tolist() == [1.5, 1.5] and frame["actif"].tolist() == [True, False]
    assert isinstance(frame.index, pd.RangeIndex)


def test_absent_optional_columns_take_their_default(read: Any, tout: Any) -> None:
    frame = read("code;jour;nombre;actif;etat\n35238;2026-11-13;5;1;ouvert\n", tout).frame
    assert frame["poids"].isna().all() and str(frame["poids"].dtype) == "Int64" and str(frame["note"].dtype) == "str"


@pytest.mark.parametrize(
    ("field", "cell", "advice"),
    [
        ("code", "3523", ""),
        ("code", "", "Cette valeur est obligatoire."),
        ("jour", "31/02/2026", "Cette date n’existe pas."),
        ("jour", "2026-11-13", "La colonne est écrite JJ/MM/AAAA."),
        ("jour", "13/11/2026 04:00", "Gardez la date sans l’heure."),
        ("nombre", "-11", ""),
        ("nombre", "2,5", "Ce nombre n’est pas entier."),
        ("nombre", "99999999999999999999", ""),
        ("actif", "peut-être", ""),
        ("etat", "fermée", "La valeur la plus proche est fermé."),
        ("valeur", "12 kg", "Gardez le nombre seul, sans « kg » : 12."),
        ("valeur", "1OO", "Des lettres y tiennent lieu de chiffres : 100, sans doute."),
        ("valeur", "l2,5O", "Des lettres y tiennent lieu de chiffres : 12,50, sans doute."),
    ],
)
def test_a_wrong_cell_is_named_with_advice(read: Any, tout: Any, field: str, cell: str, advice: str) -> None:
    names = HEAD.strip().split(";")
    cells = GOOD.strip().split(";")
    cells[names.index(field)] = cell
    table = read(HEAD + GOOD * 3 + ";".join(cells) + "\n", tout)
    assert [(e.line, e.column, e.read, e.advice) for e in table.report.errors] == [(5, field, cell, advice)]
    assert len(table.frame) == 3


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-13 04:00", "2026-11-13T04:00:00", "2026-11-13T04:00:00.000", "2026-11-13 03:00Z", "2026-11-13T04:00+01:00",
        "2026-11-13 05:00:00+0200", "20261113 04:00", "13/11/2026 04:00", "13/11/2026 4:00",
        "13-11-2026 04h00", "13.11.2026 4h", "13/11/26 04:00",
    ],
)  # fmt: skip
def test_one_moment_in_many_writings(read: Any, text: str) -> None:
    frame = read(f"horodatage;secteur;debit_m3h\n{text};A;1\n").frame
    assert str(frame["horodatage"].dtype) == "datetime64[us, Europe/Paris]"
    assert frame["horodatage"].iloc[0] == pd.Timestamp("2026-11-13 04:00", tz="Europe/Paris")


def test_day_and_month_inverted_is_advised_word_for_word(read: Any) -> None:
    good = "".join(f"2026-11-{day:02d} 04:00;A;1\n" for day in range(1, 29))
    table = read("horodatage;secteur;debit_m3h\n" + good + "2026-13-11 04:00;A;1\n")
    assert table.report.errors[0].sentence() == (
        "Ligne 30, colonne horodatage. Lu : 2026-13-11 04:00. Attendu : AAAA-MM-JJ HH:MM. "
        "Le jour et le mois semblent inversés : 2026-11-13 04:00."
    )


def test_french_order_unless_the_column_says_otherwise(read: Any) -> None:
    head = "horodatage;secteur;debit_m3h\n"
    assert read(head + "05/06/2026 04:00;A;1\n").frame["horodatage"].iloc[0].month == 6
    american = read(head + "".join(f"06/{day:02d}/2026 04:00;A;1\n" for day in range(1, 29)))
    assert len(american.frame) == 28 and american.frame["horodatage"].dt.month.eq(6).all()
    assert any("le mois est écrit avant le jour" in note for note in american.report.notes)


def test_midnight_written_24(read: Any) -> None:
    table = read("horodatage;secteur;debit_m3h\n2026-12-31 24:00;A;1\n")
    assert table.frame["horodatage"].iloc[0] == pd.Timestamp("2027-01-01", tz="Europe/Paris")
    assert any("24:00" in note for note in table.report.notes)


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-29 04:00",
        "2026-11-13 25:00",
        "2026-11-13 04:61",
        "0000-01-01 00:00",
        "13/2026",
        "hier",
        "2026-11-13 04:00+99:00",
        "46000",
        "2026-11-13 04:00 " + "x" * 200,
    ],
)
def test_what_is_not_a_moment_is_named(read: Any, text: str) -> None:
    table = read(f"horodatage;secteur;debit_m3h\n2026-11-13 04:00;A;1\n{text};A;1\n")
    assert [(e.line, e.column, e.read) for e in table.report.errors] == [
        (3, "horodatage", text[:80].strip() if len(text) < 80 else text[:80])
    ]


def test_the_rows_own_validators_are_applied(read: Any) -> None:
    class Paire(Row):
        nom: str = column("Nom")
        quand: datetime | None = column("Quand", default=None)

        @field_validator("nom")
        @classmethod
        def _no_z(cls, value: str) -> str:
            if "z" in value:
                raise ValueError("un nom sans z")
            return value

    table = read("nom;quand\nabc;\nxyz;\n", Paire)
    assert table.frame["nom"].tolist() == ["abc"] and table.lines.tolist() == [2]
    assert table.report.errors[0].sentence() == "Ligne 3, colonne nom. Lu : xyz. Attendu : un nom sans z."


def test_exact_floats(read: Any) -> None:
    rng = np.random.default_rng(5)
    values = [float(f"{v:.{int(d)}g}") for v, d in zip(rng.random(20_000) * 5000, rng.integers(1, 17, 20_000), strict=True)]
    text = "".join(f"2026-11-13 04:00;A;{str(v).replace('.', ',')}\n" for v in values)
    assert read("horodatage;secteur;debit_m3h\n" + text).frame["debit_m3h"].tolist() == values


def test_a_choice_written_another_way_is_the_choice_and_it_is_said(read: Any, tout: Any) -> None:
    cells = [GOOD.strip().split(";") for _ in range(2)]
    for line, written in zip(cells, ("Ouvert", "FERME"), strict=True):
        line[HEAD.strip().split(";").index("etat")] = written
    table = read(HEAD + "".join(";".join(line) + "\n" for line in cells), tout)
    assert table.frame["etat"].tolist() == ["ouvert", "fermé"] and not table.report.errors
    assert {"Colonne etat : « Ouvert » lu comme ouvert.", "Colonne etat : « FERME » lu comme fermé."} <= set(table.report.notes)


def test_a_text_that_two_choices_share_is_neither(read: Any) -> None:
    class Mesure(Row):
        unite: Literal["mW", "MW"] = column("Unité")

    assert read("unite\nmW\nMW\n", Mesure).frame["unite"].tolist() == ["mW", "MW"]
    assert len(read("unite\nmW\nmw\n", Mesure).report.errors) == 1
