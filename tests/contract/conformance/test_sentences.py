"""How the suite reads the numbers of a French sentence, and tells one sentence from two."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocage.contract import french
from bocage.contract.conformance.sentences import is_french, not_one_sentence, printed_numbers, unsupported


@pytest.mark.parametrize(
    ("sentence", "numbers", "texts"),
    [
        ("Produire 1\u202f240 m³ samedi.", [1240.3], []),
        ("Produire 1 240,5 m³ samedi.", [1240.46], []),
        ("Une baisse de 12 % est attendue.", [-0.12], []),
        ("Une hausse de +4,3\u00a0% est attendue.", [0.0432], []),
        ("Le 21 novembre, à 8 h 05, il y en a 3.", [3], ["2024-11-21T08:05:00+01:00"]),
        ("Le 1er mars 2025, rien de moins que 0.", [0], ["2025-03-01"]),
        ("La classe 6 200 a 28 élèves.", [6, 200, 28], []),
        ("Le secteur R12 et le CO2 sont suivis.", [], []),
        ("L’école Jean Moulin 2 reçoit 40 repas.", [40], ["Jean Moulin 2"]),
        ("La fuite coûte 1,2 million d’euros.", [1_204_000], []),
        ("Entre 90-95 repas sont prévus.", [90, 95], []),
        ("Il fera \u22123,5 °C au matin.", [-3.46], []),
        ("L’opération 2024-07 est prévue.", [], ["2024-07"]),
    ],
)
def test_numbers_that_the_proposal_carries(sentence: str, numbers: list[float], texts: list[str]) -> None:
    assert unsupported(sentence, numbers, texts) is None


@pytest.mark.parametrize(
    ("sentence", "numbers", "texts", "wrong"),
    [
        ("Produire 1\u202f241 m³ samedi.", [1240.3], [], "1\u202f241"),
        ("Une baisse de 13 % est attendue.", [0.12], [], "13"),
        ("Il en faut 0,12 de plus.", [12.0], [], "0,12"),
        ("Le 22 novembre, rien.", [], ["2024-11-21"], "22"),
        ("L’école Jean Moulin 2 reçoit 2 repas.", [40], ["Jean Moulin 2 bis"], None),
        ("Il en faut 2,6.", [], ["6"], "2,6"),
        ("Il en faut 12 345 en tout.", [12], [], "12 345"),
    ],
)
def test_numbers_that_it_does_not(sentence: str, numbers: list[float], texts: list[str], wrong: str | None) -> None:
    assert unsupported(sentence, numbers, texts) == wrong


@given(st.floats(-1e9, 1e9), st.integers(0, 3))
def test_what_french_number_writes_is_read_back(value: float, decimals: int) -> None:
    assert unsupported(f"Il en faut {french.number(value, decimals, 'm³')} au total.", [value], []) is None


@given(st.floats(0, 1e6), st.integers(0, 2))
def test_a_number_off_by_two_last_digits_is_seen(value: float, decimals: int) -> None:
    shifted = round(value, decimals) + 2 * 10**-decimals
    assert unsupported(f"Il en faut {french.number(shifted, decimals)} au total.", [value], []) is not None


@given(st.dates(date(1000, 1, 1)), st.times())
def test_dates_and_hours_are_read_back(day: date, hour: object) -> None:
    when = datetime.combine(day, hour)  # type: ignore[arg-type]
    assert unsupported(f"Le {french.day(day, year=True)} à {french.hour(when)}, rien.", [], [when.isoformat()]) is None


@given(st.text(max_size=80))
def test_any_text_is_read_without_an_exception(text: str) -> None:
    list(printed_numbers(text))
    unsupported(text, [1.0], [text[:5]])
    not_one_sentence(text, [text[:3]])


@pytest.mark.parametrize(
    "sentence",
    [
        "Le lieu École St. Martin. Nord reçoit 40 repas.",
        "M. Martin décide avant le 3 mars.",
        "La rue Av. Foch est à refaire en priorité !",
    ],
)
def test_one_sentence(sentence: str) -> None:
    assert not_one_sentence(sentence, ["École St. Martin. Nord", "Av. Foch"]) is None


@pytest.mark.parametrize(
    "sentence", ["", "Oui.\nNon.", "Le lieu est fermé. La rue aussi.", "le lieu est fermé.", "Le lieu est fermé", "Fermé " * 99 + "."]
)
def test_not_one_sentence(sentence: str) -> None:
    assert not_one_sentence(sentence)


def test_french_is_told_from_english() -> None:
    assert is_french("Aucune ligne n’est valide : donnez au moins un jour.")
    assert not is_french("The value is not in the expected range.")
    assert not is_french("KeyError")
