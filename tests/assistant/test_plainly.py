"""A page of the commune that holds what is asked answers although the learnt threshold would refuse; of two editions, the one in force."""

from __future__ import annotations

from datetime import date

import pytest

from bocage.assistant.documents import Document, Origin, Passage
from bocage.assistant.editions import in_force
from bocage.assistant.finding import Match
from bocage.assistant.plainly import plain_answer
from bocage.methods.retrieval.text import tokens


def match(title: str, *texts: str, score: float = 0.0, origin: Origin = Origin.LOCAL) -> Match:
    document = Document(title, title, origin, tuple(Passage(text) for text in texts))
    return Match(document, score, 0.3)


LONG = "Cette page dit aussi tout autre chose. " * 20
LOANS = match("Prêt de matériel", "Un barnum coûte 40 euros le week-end.", LONG, "Les clés sont au guichet.", score=3.0)
OTHER = match("Salle des fêtes", "La salle coûte 90 euros.")


def answered(question: str, *matches: Match) -> str | None:
    found = plain_answer(question, tokens(question), matches)
    return found.document.title if found else None


@pytest.mark.parametrize("question", ["prix du barnum", "combien coûte un barnum le week-end ?", "où sont les clés du guichet"])
def test_one_passage_that_holds_all_that_is_asked_answers_whatever_the_title(question: str):
    assert answered(question, LOANS, OTHER) == "Prêt de matériel"


@pytest.mark.parametrize("question", ["prix du barnum chez un loueur", "les clés du barnum", "combien ça coûte", "bonjour madame"])
def test_words_scattered_over_a_long_page_or_said_nowhere_or_of_every_page_are_no_answer(question: str):
    assert answered(question, LOANS, OTHER) is None


def test_a_page_hardly_ahead_of_the_next_or_a_national_sheet_is_none_either():
    near = match("Salle des fêtes", "La salle coûte 90 euros.", score=2.5)
    assert answered("prix du barnum", LOANS, near) is None
    sheet = match("Prêt de matériel", "Un barnum coûte 40 euros.", score=3.0, origin=Origin.NATIONAL)
    assert answered("prix du barnum", sheet, OTHER) is None


def test_a_short_page_is_one_passage():
    assert (
        answered("ticket de bus", match("Se déplacer", "Le ticket coûte 1,60 €.", "Pas de bus le 1er mai.", score=3.0), OTHER)
        == "Se déplacer"
    )


@pytest.mark.parametrize(("title", "asked"), [("Déchèterie de Perthes", "déchetterie"), ("La déchetterie", "la déchèterie l’hiver")])
def test_both_spellings_of_a_word_are_one(title: str, asked: str):
    assert answered(f"horaires de {asked}", match(title, "Ouverte le mercredi.", LONG), OTHER) == title


def titles(question: str, today: date, *named: str) -> list[str]:
    found = in_force([match(title, "Texte.", score=float(-n)) for n, title in enumerate(named)], question, today)
    assert [each.score for each in found] == [float(-n) for n in range(len(named))], "a place keeps its score"
    return [each.document.title for each in found]


def test_of_two_editions_the_one_in_force_answers():
    today = date(2026, 11, 24)
    assert titles("prix du repas", today, "Tarifs 2024", "Cantine", "Tarifs 2026") == ["Tarifs 2026", "Cantine", "Tarifs 2024"]
    assert titles("prix du repas", today, "Tarifs 2027", "Tarifs 2026") == ["Tarifs 2026", "Tarifs 2027"]
    assert titles("prix du repas", date(2027, 1, 2), "Tarifs 2026", "Tarifs 2027") == ["Tarifs 2027", "Tarifs 2026"]
    assert titles("prix du repas", today, "Tarifs 2024", "Tarifs 2025") == ["Tarifs 2025", "Tarifs 2024"]


def test_a_school_year_begins_in_august():
    named = ("Inscriptions 2027-2028", "Inscriptions 2025-2026", "Inscriptions 2026-2027")
    assert titles("m’inscrire", date(2026, 11, 24), *named)[0] == "Inscriptions 2026-2027"
    assert titles("m’inscrire", date(2026, 5, 2), *named)[0] == "Inscriptions 2025-2026"


def test_the_year_that_is_asked_and_pages_of_other_names_stay_where_search_puts_them():
    assert titles("prix du repas en 2024", date(2026, 11, 24), "Tarifs 2024", "Tarifs 2026")[0] == "Tarifs 2024"
    assert titles("la brocante", date(2026, 11, 24), "Brocante 2024", "Vœux 2026") == ["Brocante 2024", "Vœux 2026"]
