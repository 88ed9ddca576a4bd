"""Answers are made of the document's own passages, and of one situation at a time."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bocage.assistant.compose import MOST_CHARACTERS, MOST_PASSAGES, compose
from bocage.assistant.documents import Document, Origin, Passage, Step, StepKind

LEASE = Document(
    "F1",
    "Préavis du locataire",
    Origin.NATIONAL,
    (
        Passage("Le locataire prévient le propriétaire par lettre recommandée.", ("Comment faire ?",)),
        Passage("Le préavis est de trois mois.", ("Durée",), ("Logement vide",)),
        Passage("Il est d’un mois en zone tendue.", ("Durée",), ("Logement vide", "Zone tendue")),
        Passage("Le préavis est d’un mois.", ("Durée",), ("Logement meublé",)),
        Passage("Remplissez le formulaire.", ("Durée",), ("Logement meublé", "En ligne")),
        Passage("Envoyez la lettre.", ("Durée",), ("Logement meublé", "Par courrier")),
    ),
    steps=(Step(StepKind.FORM, "Lettre type", case=("Logement meublé",)), Step(StepKind.ONLINE, "Calculer le préavis")),
)


def test_a_document_that_depends_asks_back_and_shows_no_branch():
    asked = compose(LEASE, "quelle est la durée du préavis ?")
    assert not asked.passages and asked.branches == ("Logement vide", "Logement meublé")
    assert [step.label for step in asked.steps] == ["Calculer le préavis"]


def test_the_branch_that_was_chosen_is_the_only_one_shown():
    chosen = compose(LEASE, "quelle est la durée du préavis ? (Logement meublé)")
    texts = [passage.text for passage in chosen.passages]
    assert "Le préavis est d’un mois." in texts and "Le préavis est de trois mois." not in texts
    assert {step.label for step in chosen.steps} == {"Lettre type", "Calculer le préavis"}


def test_ways_of_doing_the_same_thing_are_no_situations():
    chosen = compose(LEASE, "préavis meublé formulaire lettre ?")
    assert {"Remplissez le formulaire.", "Envoyez la lettre."} <= {passage.text for passage in chosen.passages}
    assert chosen.branches == ()


def test_what_holds_for_everybody_is_said_with_the_situations_offered():
    common = compose(LEASE, "prévenir le propriétaire par lettre recommandée")
    assert [passage.text for passage in common.passages] == ["Le locataire prévient le propriétaire par lettre recommandée."]
    assert common.branches == ("Logement vide", "Logement meublé")


def test_the_ordinary_case_is_taken_and_the_others_stay_one_click_away():
    sheet = Document(
        "F2",
        "Acte de naissance",
        Origin.NATIONAL,
        (
            Passage("La demande se fait à la mairie.", case=("Cas général",)),
            Passage("Écrivez à Nantes.", case=("Naissance à l’étranger",)),
        ),
    )
    told = compose(sheet, "où demander l’acte ?")
    assert [passage.text for passage in told.passages] == ["La demande se fait à la mairie."]
    assert told.branches == ("Naissance à l’étranger",)
    abroad = compose(sheet, "je suis née à l’étranger, ma naissance, où demander ?")
    assert [passage.text for passage in abroad.passages] == ["Écrivez à Nantes."]


def test_a_document_without_passages_says_nothing():
    empty = compose(Document("F3", "Vide", Origin.LOCAL, ()), "bonjour")
    assert empty.passages == () and empty.branches == ()


labels = st.sampled_from(["Locataire", "Propriétaire", "Cas général", "Mineur", "Majeur", "En ligne", "Par courrier"])
passages = st.builds(
    Passage,
    text=st.text(alphabet="abcdé ", min_size=1, max_size=300).map(lambda t: f"x{t}"),
    case=st.lists(labels, max_size=3, unique=True).map(tuple),
)


@given(st.lists(passages, max_size=12), st.text(max_size=60), st.randoms(use_true_random=False))
def test_whatever_the_document_situations_are_never_mixed(parts, asked, random):
    document = Document("F4", "Titre", Origin.NATIONAL, tuple(parts))
    scores = [random.random() for _ in parts]
    composed = compose(document, asked, scores)
    assert all(passage in document.passages for passage in composed.passages)
    assert len(composed.passages) <= MOST_PASSAGES
    assert len(composed.passages) < 2 or sum(len(p.text) for p in composed.passages) <= MOST_CHARACTERS
    ways = {"En ligne", "Par courrier"}
    for one, other in combinations(composed.passages, 2):
        a, b = (tuple(label for label in p.case if label not in ways) for p in (one, other))
        assert a[: len(b)] == b[: len(a)], "two situations side by side"
    assert composed.passages or composed.branches or not parts


@pytest.mark.parametrize("asked", ["", " ", "?!", "locataire " * 500])
def test_no_question_breaks_it(asked):
    compose(LEASE, asked)


WOOD = (
    Passage("Les habitants peuvent demander un lot de bois de chauffage."),
    Passage("L’inscription se fait en mairie du 15 septembre au 31 octobre."),
    Passage("La coupe doit être finie le 15 avril."),
    Passage("La chasse est fermée le dimanche.", ("Chasse",)),
)


def test_a_short_section_of_ones_own_page_is_shown_whole_and_not_its_neighbour():
    page = Document("bois", "L’affouage", Origin.LOCAL, WOOD)
    assert compose(page, "avoir du bois de chauffage", [5.0, 0.1, 0.2, 0.0]).passages == WOOD[:3]


def test_a_long_section_and_a_national_sheet_are_shown_by_their_best_passages():
    long = (*WOOD[:3], *(Passage(f"Article {n}. " + "Il est arrêté ceci. " * 10) for n in range(4)))
    for page in (Document("arrete", "Arrêté", Origin.LOCAL, long), Document("F1", "Bois", Origin.NATIONAL, WOOD)):
        assert compose(page, "avoir du bois de chauffage", [5.0, 0.1, 0.2, *[0.0] * (len(page.passages) - 3)]).passages == WOOD[:1]
