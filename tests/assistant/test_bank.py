"""The everyday-language bank and the lexicon are data reviewed like code: their form is checked here."""

from __future__ import annotations

import re
import unicodedata
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocage.assistant.bank import BrokenBank, bank, by_others, every_question, held_out, read_asked, read_bank, with_bank
from bocage.assistant.documents import Document, Origin, Passage
from bocage.assistant.model import lexicon
from bocage.methods.retrieval.normalise import read_pairs
from bocage.methods.retrieval.text import tokens

E_MAIL = re.compile(r"\S@\S+\.\w")
PHONE = re.compile(r"(?:\+33|\b0)[ .-]?[1-9](?:[ .-]?\d{2}){4}\b")
SECURITY_NUMBER = re.compile(r"\b[12] ?\d{2} ?(?:0[1-9]|1[0-2]) ?\d{2} ?\d{3} ?\d{3}\b")


def test_every_sheet_has_four_to_twelve_questions():
    assert not {sheet: len(q) for sheet, q in bank().items() if not 4 <= len(q) <= 12}


def test_the_bank_covers_what_a_town_hall_meets():
    assert len(bank()) >= 1_500
    assert sum(map(len, bank().values())) >= 20_000


def test_no_question_is_asked_twice():
    seen: dict[str, str] = {}
    double = []
    for sheet, questions in bank().items():
        for question in questions:
            key = " ".join(tokens(question))
            if key in seen:
                double.append((sheet, seen[key], question))
            seen[key] = sheet
    assert not double


def test_no_personal_data():
    found = [q for qs in every_question().values() for q in qs if E_MAIL.search(q) or PHONE.search(q) or SECURITY_NUMBER.search(q)]
    assert not found


def test_questions_of_other_authors_are_indexed_with_the_bank():
    assert len(by_others()) >= 7_000
    known = every_question()
    assert not [(sheet, q) for sheet, q in by_others() if q not in known[sheet] or not 3 <= len(q) <= 1_000]
    assert not {sheet for sheet, _ in by_others()} - bank().keys()


def test_questions_are_one_clean_line():
    odd = [
        q
        for qs in bank().values()
        for q in qs
        if "  " in q or any(unicodedata.category(c) in ("Cc", "Cf", "Co", "Cs") for c in q) or unicodedata.normalize("NFC", q) != q
    ]
    assert not odd


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("- question sans fiche", 1),
        ("## F12 Titre\n- un mot\ntexte libre", 3),
        ("## X12 Titre\n- une question", 1),
        ("## F12 Titre\n- une question \n", 2),
        ("## F12 Titre\n- " + "a" * 401, 2),
        ("## F012 Titre\n", 1),
        ("## F12 Titre\n- une question\n## F12 Titre\n- autre", 3),
    ],
)
def test_a_line_out_of_form_is_named(text, line):
    with pytest.raises(BrokenBank, match=f"ligne {line}"):
        read_bank(text, "essai.md")


@pytest.mark.parametrize(
    "line", ["", "F12", "[]", '{"sheet": "F12"}', '{"sheet": "F12", "q": 3}', '{"sheet": "F12", "q": " "}', "[" * 100_000]
)
def test_a_broken_line_of_other_authors_is_named(line):
    with pytest.raises(BrokenBank, match="ligne 2"):
        read_asked(f'{{"sheet": "F12", "q": "Où aller ?"}}\n{line}\n')


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused_with_its_line(text):
    try:
        found = read_bank(text)
    except BrokenBank as error:
        assert "ligne" in error.message
    else:
        assert all(q.strip() for qs in found.values() for q in qs)


def test_only_national_sheets_take_questions_of_the_bank():
    sheet = next(iter(bank()))
    national = Document(sheet, "t", Origin.NATIONAL, (Passage("p"),))
    local = Document(sheet, "t", Origin.LOCAL, (Passage("p"),))
    assert [len(d.questions) > 0 for d in with_bank([national, local])] == [True, False]
    assert next(with_bank([national], frozenset({sheet}))).questions == ()


def test_about_a_tenth_is_held_out_and_always_the_same():
    held = [sheet for sheet in bank() if held_out(sheet)]
    assert 0.08 < len(held) / len(bank()) < 0.12
    assert held_out("F10037") == held_out("F10037")


def test_the_lexicon_has_its_form_and_no_variant_twice():
    text = resources.files("bocage.assistant").joinpath("lexicon.txt").read_text(encoding="utf-8")
    lefts = [" ".join(tokens(left)) for left, _ in read_pairs(text)]
    assert len(lefts) >= 1_000
    assert all(lefts)
    assert lexicon().added(["le", "fisc"])
