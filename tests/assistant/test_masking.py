"""Phones, addresses, social security numbers, accounts and plates are masked wherever they stand; words and amounts are not."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bocage.assistant.masking import MaskPersonalData, mask

DIGITS = "0123456789"
SEPARATORS = st.sampled_from(["", " ", ".", "-", "\u00a0", "\u202f"])
WORDS = st.sampled_from(["", "mon numéro : ", "appelez le ", "c'est ", "(", "tél."])


def grouped(text: str, sizes: list[int], separator: str) -> str:
    parts, at = [], 0
    for size in sizes:
        parts.append(text[at : at + size])
        at += size
    return separator.join(parts)


@st.composite
def phones(draw) -> str:
    rest = draw(st.text("123456789", min_size=1, max_size=1)) + draw(st.text(DIGITS, min_size=8, max_size=8))
    separator = draw(SEPARATORS)
    national = grouped(rest, [1, 2, 2, 2, 2], separator)
    return draw(st.sampled_from([f"0{national}", f"+33{separator}{national}", f"+33 (0){national}", f"0033{separator}{national}"]))


@st.composite
def nirs(draw) -> str:
    number = draw(st.sampled_from("12")) + draw(st.text(DIGITS, min_size=4, max_size=4)) + draw(st.sampled_from(["35", "2A", "2B", "97"]))
    number += draw(st.text(DIGITS, min_size=6, max_size=6)) + draw(st.sampled_from(["", "42"]))
    return grouped(number, [1, 2, 2, 2, 3, 3, 2], draw(SEPARATORS)).strip(" .-\u00a0\u202f")


@st.composite
def ibans(draw) -> str:
    number = f"FR{draw(st.text(DIGITS, min_size=25, max_size=25))}"
    return grouped(number, [4] * 7, draw(st.sampled_from(["", " "])))


@st.composite
def emails(draw) -> str:
    name = draw(st.text("abcdefghijklmnopqrstuvwxyz.0123456789_+-", min_size=1, max_size=20))
    return f"{name}@{draw(st.sampled_from(['orange.fr', 'mairie-brenoux.example', 'gmail.com']))}"


@st.composite
def plates(draw) -> str:
    letters = st.text("ABCDEFGHJKLMNPQRSTVWXYZ", min_size=2, max_size=2)
    return draw(st.sampled_from(["-", " ", ""])).join([draw(letters), draw(st.text(DIGITS, min_size=3, max_size=3)), draw(letters)])


KINDS = {"téléphone": phones(), "numéro de sécurité sociale": nirs(), "compte bancaire": ibans(), "adresse électronique": emails()}


@pytest.mark.parametrize("kind", KINDS)
def test_each_number_is_masked_in_any_sentence(kind):
    @given(KINDS[kind], WORDS, st.sampled_from(["", ".", " merci", ", voilà", ")"]))
    @settings(max_examples=150, deadline=None, database=None)
    def check(number, before, after):
        masked = mask(f"{before}{number}{after}")
        assert number not in masked and "[" in masked
        assert sum(c.isdigit() for c in masked) <= 1, masked

    check()


@given(plates(), WORDS)
@settings(max_examples=100, deadline=None, database=None)
def test_plates(plate, before):
    assert "[plaque]" in mask(f"{before.replace('tél.', '')} {plate} est ma voiture")


@given(st.text(max_size=400))
@settings(max_examples=200, deadline=None, database=None)
def test_masking_twice_changes_nothing_more_and_never_fails(text):
    assert mask(mask(text)) == mask(text)


@pytest.mark.parametrize(
    "text",
    [
        "La déchetterie ouvre à 9 h 30 et ferme à 17 h.",
        "Cerfa 15776*02, article L. 2121-29, loi 78-17",
        "Cela coûte 1 240,50 € pour 2026, ou 86,25 €.",
        "35000 Rennes, 12 rue des Lilas",
        "le 14/07/2026 entre 10:00 et 12:00",
        "Fiche F1444, délibération 2026-118",
        "Voir chatons.fr et la page /plat.du.jour",
        "JE SUIS TRES EN COLERE CONTRE LA MAIRIE DE BRENOUX",
    ],
)
def test_what_is_no_personal_number_stays(text):
    assert mask(text) == text


@pytest.mark.parametrize("text", ["1" * 20_000, "a@" * 9000, "0 6 " * 5000, "FR76 " * 4000, "AB-" * 7000, "/assistant/" * 3000])
@pytest.mark.timeout(10)
def test_hostile_text_is_masked_in_no_time(text):
    mask(text)


def test_logs_carry_neither_numbers_nor_the_key_of_a_conversation():
    record = logging.LogRecord(
        "bocage", logging.ERROR, "f.py", 1, "Not Found: %s (%s)", ("/x/assistant/k3y-k3y-k3y-k3y-k3y-k3y-k3y/", "06 12 34 56 78"), None
    )
    try:
        raise ValueError("jean@orange.fr")
    except ValueError as error:
        record.exc_info = (ValueError, error, error.__traceback__)
    assert MaskPersonalData().filter(record)
    shown = logging.Formatter().format(record)
    assert "Not Found: /x/assistant/[clé]/ ([téléphone])" in shown
    assert "jean@" not in shown and "ValueError" in shown


def test_the_servers_own_log_goes_through_the_mask():
    from bocage.settings import LOGGING

    assert all("masked" in handler["filters"] for handler in LOGGING["handlers"].values())
    assert set(LOGGING["loggers"]) == {"bocage", "django"}
