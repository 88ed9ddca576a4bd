"""French questions as people write them are read, scored and ranked as documented."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bocage.methods.retrieval import calibration, features
from bocage.methods.retrieval.collection import Entry, build_collection
from bocage.methods.retrieval.embed import unit, within_class_whitening
from bocage.methods.retrieval.normalise import PairsFormatError, Phrases, plain_words, read_pairs
from bocage.methods.retrieval.postings import bm25, count, statistics
from bocage.methods.retrieval.question import parts, read_question
from bocage.methods.retrieval.ranker import Ranker, average, train
from bocage.methods.retrieval.spelling import Speller
from bocage.methods.retrieval.text import stems, tokens


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("L’ÉCOLE, d'été", ["ecole", "ete"]),
        ("Qu'est-ce qu'un cœur", ["est", "ce", "un", "coeur"]),
        ("1 234,50 €", ["1", "234,50"]),
        ("ouiiiii!!!", ["oui"]),
        ("", []),
    ],
)
def test_words_are_folded(written, words):
    assert tokens(written) == words


def test_a_question_in_one_spelling_is_asked_in_the_other_too():
    assert read_question("la déchetterie").weights == read_question("la déchèterie").weights


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("g pa recu koi fair", "j ai pas recu quoi fair"),
        ("esque jpeux avoir", "est ce que je peux avoir"),
        ("cb sa coute pr un bb", "combien ca coute pour un bebe"),
        ("Comment obtenir une carte d'identité ?", "comment obtenir une carte identite"),
    ],
)
def test_text_messages_become_plain_french(written, plain):
    assert " ".join(plain_words(written)) == plain


@given(st.text(max_size=200))
def test_any_text_is_read(text):
    question = read_question(text, Speller({"mairie": 3}), Phrases([("mairie", "hôtel de ville")]))
    assert all(0 < w <= 1 for w in question.weights.values())
    assert parts(text)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("maryage", "mariage"),
        ("passeprot", "passeport"),
        ("passport", "passeport"),
        ("lecole", "ecole"),
        ("mariage", "mariage"),
        ("xyzzyq", "xyzzyq"),
    ],
)
def test_unknown_words_go_to_known_ones(wrong, right):
    assert Speller(Counter(mariage=9, passeport=9, ecole=9, mairie=9)).correct(wrong) == right


def test_pairs_out_of_form_are_named():
    with pytest.raises(PairsFormatError, match="ligne 2"):
        read_pairs("a => b\nsans flèche")


def test_longest_phrase_wins():
    phrases = Phrases([("carte", "x"), ("carte grise", "certificat immatriculation")])
    assert phrases.replace(["ma", "carte", "grise"]) == ["ma", "certificat", "immatriculation"]
    assert phrases.added(["ma", "carte", "grise"]) == ["certificat", "immatriculation"]


def test_two_questions_are_told_apart():
    assert len(parts("Comment refaire ma carte d'identité ? Et aussi, combien coûte un passeport ?")) == 2
    assert len(parts("Comment refaire ma carte d'identité perdue en vacances ?")) == 1
    joined = "quand passe le camion poubelle et comment avoir un composteur ?"
    assert parts(joined) == ["quand passe le camion poubelle", "comment avoir un composteur ?"]


def test_a_story_keeps_the_weight_of_its_question():
    story = (
        "Mon fils a eu dix-huit ans en mars et nous avons déménagé près de la gare avec le chien et les meubles de ma tante. "
        "Où refaire sa carte d'identité ?"
    )
    weights = read_question(story).weights
    assert weights[stems(["identite"])[0]] == 1
    assert weights[stems(["gare"])[0]] < 1


def test_bm25_is_the_textbook_formula():
    vocabulary: dict[str, int] = {}
    counts = count([["a", "b", "a"], ["b"]], vocabulary)
    postings = bm25(counts, statistics(counts, 2), k1=1.2, b=0.75)
    idf = np.log(1 + (2 - 1 + 0.5) / (1 + 0.5))
    expected = idf * 2 * 2.2 / (2 + 1.2 * (0.25 + 0.75 * 3 / 2))
    assert postings.score({vocabulary["a"]: 1.0}) == pytest.approx([expected, 0])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.sampled_from("abcdef"), max_size=8), min_size=1, max_size=8))
def test_scores_do_not_depend_on_the_order_of_rows(rows):
    def scores(some):
        vocabulary = {c: i for i, c in enumerate("abcdef")}
        counts = count(some, vocabulary)
        return bm25(counts, statistics(counts, 6)).score({0: 1.0, 3: 0.5})

    assert scores(rows[::-1])[::-1] == pytest.approx(scores(rows))


def test_whitening_brings_questions_of_one_class_together():
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(20), 10)
    centres = rng.normal(size=(20, 16))
    noise = rng.normal(size=(200, 16)) * np.r_[np.full(8, 4.0), np.full(8, 0.2)]
    vectors = (centres[labels] + noise).astype(np.float32)
    mean, projection = within_class_whitening(vectors, labels, 8)

    def right(v):
        v = unit(v)
        similar = v @ v.T - 2 * np.eye(len(v))
        return np.mean(labels[similar.argmax(1)] == labels)

    assert right((vectors - mean) @ projection) > right(vectors) + 0.3


def _ranking_data():
    rng = np.random.default_rng(1)
    table = rng.normal(size=(400, 3)).astype(np.float32)
    rows = np.arange(0, 401, 10)
    right = np.zeros(400, bool)
    for a, b in pairwise(rows):
        right[a + (table[a:b, 0] - 2 * table[a:b, 1]).argmax()] = True
    return table, right, rows


def test_the_ranker_learns_what_makes_a_document_right_and_is_reproducible():
    table, right, rows = _ranking_data()
    one = train(("x", "y", "z"), table, right, rows, hidden=4, epochs=200)
    again = train(("x", "y", "z"), table, right, rows, hidden=4, epochs=200)
    assert one.to_json() == again.to_json()
    first = [a + one.score(table[a:b]).argmax() for a, b in pairwise(rows)]
    assert right[first].mean() > 0.9


def test_the_average_of_rankers_scores_as_their_mean():
    rng = np.random.default_rng(3)
    table, right = rng.normal(size=(40, 3)).astype(np.float32), np.arange(40) % 10 == 0
    two = [train("abc", table, right, np.arange(0, 41, 10), hidden=4, epochs=2, seed=seed) for seed in (0, 1)]
    assert np.allclose(average(two).score(table), (two[0].score(table) + two[1].score(table)) / 2, atol=1e-5)


def test_the_ranker_survives_its_file_and_refuses_a_damaged_one():
    table, right, rows = _ranking_data()
    made = train(("x", "y", "z"), table, right, rows, hidden=4, epochs=2)
    assert Ranker.from_json(made.to_json()).score(table) == pytest.approx(made.score(table), abs=1e-3)
    damaged = json.loads(made.to_json()) | {"bias": [0.0]}
    with pytest.raises(ValueError, match="shapes"):
        Ranker.from_json(json.dumps(damaged))


def test_confidence_tells_two_kinds_apart_and_accepts_what_it_promises():
    rng = np.random.default_rng(2)
    size = len(calibration.SIGNALS)
    inside, outside = rng.normal(1.5, 1, (400, size)).astype(np.float32), rng.normal(0, 1, (80, size)).astype(np.float32)
    made = calibration.Calibration.from_json(calibration.fit(inside, outside, 0).to_json())
    assert np.mean(made.probability(inside) >= made.threshold) == pytest.approx(0.95, abs=0.01)
    assert np.mean(made.probability(outside) < made.threshold) > 0.9


ENTRIES = [
    Entry(
        "Carte nationale d'identité",
        "Demande de carte",
        ("Papiers",),
        ("Pièces",),
        (("Il faut une photo.", "Pièces"),),
        ("mes papiers perdus",),
    ),
    Entry("Passeport", "Demande de passeport", ("Papiers",), (), (("Il faut un timbre fiscal et une photo.", ""),)),
    Entry(
        "Mariage", "Se marier", ("Famille",), (), (("La mairie célèbre le mariage.", ""),), ("bague au doigt", "se passer la corde au cou")
    ),
]


def test_every_candidate_has_every_feature():
    nothing = np.zeros((3, 0), np.float32)
    collection = build_collection(ENTRIES, nothing, nothing)
    question = read_question("j'ai perdu mes papiers")
    scores = features.score(question, None, collection)
    rows = features.candidates(scores)
    table = features.table(question, [features.Part(scores, rows, collection)])
    assert table.shape == (3, len(features.NAMES))
    assert np.isfinite(table).all()
    assert table[:, features.NAMES.index("bank")].argmax() == 0


def test_a_local_collection_counts_words_with_its_base():
    nothing = np.zeros((3, 0), np.float32)
    base = build_collection(ENTRIES, nothing, nothing)
    local = build_collection(ENTRIES[:1], nothing[:1], nothing[:1], base)
    question = read_question("une photo")
    ours, theirs = features.score(question, None, local), features.score(question, None, base)
    assert ours.documents["title"][0] == pytest.approx(theirs.documents["title"][0], rel=0.5)
    assert local.stats["body"].rows == 4
