"""Search: local before national, curated wins, nothing of another organisation, and an index that a broken import never empties."""

from __future__ import annotations

import json
import threading
from dataclasses import replace

import numpy as np
import pytest

from bocage.assistant import index as index_module
from bocage.assistant import storage, vectors
from bocage.assistant.documents import Audience, Document, Origin, Passage, Step, StepKind
from bocage.assistant.index import IndexUnreadable, build, in_space_of, is_current
from bocage.assistant.index import open as open_index
from bocage.assistant.model import default_model
from bocage.assistant.search import read, search
from bocage.methods.retrieval import features
from bocage.methods.retrieval.text import stems


def sheet(number: str, title: str, *texts: str, origin: Origin = Origin.NATIONAL, **more) -> Document:
    return Document(number, title, origin, tuple(Passage(t, ("Démarche",), ("Cas général",)) for t in texts), **more)


LOST = ("j'ai paumé mes papiers", "carte d'identité perdue koi faire", "où déclarer la perte de ma carte ?")
ONLY_STAFF = frozenset({Audience.STAFF})
NATIONAL = [
    sheet("F1", "Carte nationale d’identité : perte", "Déclarez la perte.", theme=("Papiers", "Identité"), questions=LOST),
    sheet("F2", "Passeport", "Le passeport coûte un timbre fiscal de 86 €.", "Il faut une photo.", theme=("Papiers", "Passeport")),
    sheet("F3", "Collecte des déchets : quelles règles ?", "La commune organise la collecte des ordures.", theme=("Logement", "Déchets")),
    sheet("F4", "Licenciement pour motif personnel", "L’employeur convoque le salarié à un entretien.", theme=("Travail", "Contrat")),
    sheet("F5", "Mutation d’un fonctionnaire", "Il peut la demander.", theme=("Travail", "Fonction publique"), audiences=ONLY_STAFF),
]
TONDRE = ("À quelle heure puis-je tondre ma pelouse ?",)
LOCAL = [
    sheet("dechets", "Collecte des ordures ménagères", "Les ordures ménagères sont collectées le mardi.", origin=Origin.LOCAL),
    sheet("q-bruit", "Tondeuse", "La tonte est permise de 9 h à 12 h.", origin=Origin.CURATED, questions=TONDRE),
]


@pytest.fixture(scope="module")
def model():
    """The shipped weights without the embedder: words alone, and fast."""
    shipped = default_model()
    return replace(shipped, embedder=None)


@pytest.fixture(scope="module")
def national(tmp_path_factory, model):
    return build(NATIONAL, tmp_path_factory.mktemp("national"), model=model)


@pytest.fixture(scope="module")
def local(tmp_path_factory, model, national):
    return build(LOCAL, tmp_path_factory.mktemp("commune-a"), base=national, model=model)


def ids(found) -> list[str]:
    return [hit.document_id for hit in found.hits]


def test_the_right_sheet_comes_first_with_its_passage(national, model):
    hit = search("combien coûte un passeport", [national], model=model).hits[0]
    assert hit.document_id == "F2"
    assert hit.passages[0].passage == Passage("Le passeport coûte un timbre fiscal de 86 €.", ("Démarche",), ("Cas général",))
    assert hit.passages[0].number == 0


def test_text_messages_and_misspellings_find_it_too(national, model):
    assert ids(search("g paumé ma carte didentité koi fair", [national], model=model))[0] == "F1"
    assert ids(search("prix du pasepor", [national], model=model))[0] == "F2"


def test_a_local_page_goes_before_a_national_sheet(national, local, model):
    assert ids(search("collecte des ordures ménagères", [national, local], model=model))[0] == "dechets"


def test_a_curated_question_asked_again_wins(national, local, model):
    assert ids(search("a quelle heure je peux tondre ma pelouse", [national, local], model=model))[0] == "q-bruit"


def test_what_is_not_given_cannot_be_found(national, local, model):
    found = search("collecte des ordures ménagères le mardi", [national], None, 20, model=model)
    assert not {d.id for d in LOCAL} & set(ids(found))


def test_another_organisation_s_words_are_not_in_a_local_folder(local):
    files = [f.read_bytes() for f in local.folder.rglob("*") if f.is_file() and f.name.startswith("documents")]
    assert files
    assert not any(b"timbre fiscal" in content for content in files)


def test_audiences_and_origins_are_filters(national, local, model):
    assert "F5" not in ids(search("mutation d'un fonctionnaire", [national], Audience.CITIZENS, model=model))
    assert ids(search("mutation d'un fonctionnaire", [national], Audience.STAFF, model=model)) == ["F5"]
    assert {h.origin for h in search("ordures", [national, local], origins=[Origin.LOCAL], model=model).hits} == {Origin.LOCAL}


def test_two_questions_in_one_get_hits_for_each(national, model):
    found = search(
        "Combien coûte un passeport ? Et aussi, que faire en cas de perte de la carte d'identité ?", [national], None, 4, model=model
    )
    if len(found.intents) > 1:  # the shipped threshold decides on a corpus this small
        assert {h.intent for h in found.hits} == {0, 1}
    assert {"F1", "F2"} <= set(ids(found))


@pytest.mark.parametrize("question", ["", "   ", "???", "de la", "\x00\ud7ff" * 50, "a" * 5_000, "' OR 1=1 --", "\N{PILE OF POO}" * 3_000])
def test_any_question_gets_an_answer_or_a_refusal(national, model, question):
    found = search(question, [national], model=model)
    assert found.refused or found.hits


def test_no_index_no_hit(model):
    assert search("bonjour", [], model=model).refused


def test_a_document_comes_back_whole(tmp_path, model):
    step = Step(StepKind.FORM, "Cerfa", "https://exemple.invalid/cerfa")
    given = sheet("F9", "Titre", "Un", "Deux", steps=(step,), url="https://exemple.invalid", licence="LO 2.0", questions=("q ?",))
    assert build([NATIONAL[0], given], tmp_path, model=model).document("F9") == given


def test_a_broken_import_leaves_the_former_index(tmp_path, model, monkeypatch):
    build(NATIONAL, tmp_path, model=model).close()

    def breaks(*_, **__):
        raise OSError("disque plein")

    monkeypatch.setattr(storage, "write_collection", breaks)
    with pytest.raises(OSError, match="disque"):
        build(NATIONAL[:1], tmp_path, model=model)
    assert len(open_index(tmp_path).ids) == len(NATIONAL)
    assert len(list(tmp_path.glob("v-*"))) == 1


def test_documents_that_break_half_way_leave_the_former_index(tmp_path, model):
    build(NATIONAL, tmp_path, model=model).close()

    def source():
        yield NATIONAL[0]
        raise ValueError("fichier tronqué")

    with pytest.raises(ValueError, match="tronqué"):
        build(source(), tmp_path, model=model)
    assert len(open_index(tmp_path).ids) == len(NATIONAL)


def test_two_documents_of_one_id_are_refused(tmp_path, model):
    with pytest.raises(ValueError, match="F1"):
        build([NATIONAL[0], NATIONAL[0]], tmp_path, model=model)


def test_a_new_import_shows_and_readers_of_the_former_go_on(tmp_path, model):
    before = build(NATIONAL, tmp_path, model=model)
    after = build(NATIONAL[1:], tmp_path, model=model)
    assert not is_current(before)
    assert is_current(after)
    assert ids(search("perte de la carte d'identité", [before], model=model))[0] == "F1"
    assert "F1" not in ids(search("perte de la carte d'identité", [after], model=model))


@pytest.mark.parametrize(
    "harm",
    ["meta.json", "owner.npy", "vocabulary.txt", "grams.txt", "documents.sqlite", "body.rows.npy"],
)
def test_a_damaged_index_says_so(tmp_path, model, harm):
    made = build(NATIONAL, tmp_path, model=model)
    made.close()
    (tmp_path / made.version / harm).write_bytes(b"")
    with pytest.raises(IndexUnreadable):
        open_index(tmp_path)


def test_no_index_says_so(tmp_path):
    with pytest.raises(IndexUnreadable, match="importez"):
        open_index(tmp_path)


def test_the_version_file_cannot_lead_elsewhere(tmp_path, model):
    build(NATIONAL, tmp_path / "a", model=model).close()
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "current").write_text(f"v-/../../a/{(tmp_path / 'a' / 'current').read_text()}")
    with pytest.raises(IndexUnreadable):
        open_index(tmp_path / "b")


def test_an_index_outlives_the_model_it_was_made_with(tmp_path):
    model = default_model()
    build(NATIONAL, tmp_path / "former", model=model).close()
    turned = replace(model, name="suivant", projection=np.ascontiguousarray(model.projection[:, ::-1]))
    expected = build(NATIONAL, tmp_path / "new", model=turned)
    former = open_index(tmp_path / "former")
    assert in_space_of(former, model) is former
    moved = in_space_of(former, turned)
    assert not np.allclose(former.collection.centre, expected.collection.centre, atol=0.1)
    assert np.allclose(moved.collection.centre, expected.collection.centre, atol=0.01)
    assert np.allclose(moved.collection.own, expected.collection.own, atol=0.01)
    (tmp_path / "former" / former.version / "vectors.npy").write_bytes(b"")
    with pytest.raises(IndexUnreadable):
        in_space_of(former, turned)


PAGE = sheet(
    "chiens", "L’animal en ville", "La vaccination est obligatoire.", "Un chien court librement au parc des Saules avant dix heures.",
    origin=Origin.LOCAL,
)  # fmt: skip


def test_an_own_page_is_found_by_one_of_its_passages(tmp_path, national):
    model = default_model()
    own = build([PAGE, sheet("parc", "Le parc des Saules", "Le parc ouvre à huit heures.", origin=Origin.LOCAL)], tmp_path, model=model)
    assert own.collection.inner.shape == (3, model.projection.shape[1]) and not len(national.collection.inner)
    asked, vector = read("où lâcher mon toutou sans laisse", [own], model)
    by_passage, whole = features.score(asked, vector, own.collection).documents["inner"], own.collection.own @ vector
    assert by_passage[0] > whole[0] and by_passage[0] > by_passage[1]


def test_a_deliberation_and_what_is_beyond_the_first_passages_are_read_as_a_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(vectors, "_MOST_PASSAGES", 1)
    decided = replace(PAGE, id="d1", origin=Origin.DELIBERATION)
    made = build([decided, PAGE], tmp_path, model=default_model()).collection
    assert np.allclose(made.inner[:2], made.own[0], atol=1e-3), "a deliberation"
    assert not np.allclose(made.inner[2], made.own[1], atol=1e-2) and np.allclose(made.inner[3], made.own[1], atol=1e-3)


def test_an_index_of_the_former_format_is_read_without_passages(tmp_path):
    model = default_model()
    made = build([PAGE], tmp_path, model=model)
    meta = json.loads((tmp_path / made.version / "meta.json").read_text())
    (tmp_path / made.version / "meta.json").write_text(json.dumps(meta | {"format": 2}))
    for lacking in ("inner.npy", "services.npy", "inner_vectors.npy"):
        (tmp_path / made.version / lacking).unlink()
    former = open_index(tmp_path)
    assert not len(former.collection.inner) and search("chien au parc", [former], model=model).hits
    assert not len(in_space_of(former, replace(model, name="suivant")).collection.inner)
    assert len(build([PAGE], tmp_path, model=model).collection.inner) == 2


def test_unchanged_documents_keep_their_vectors(tmp_path):
    class Counting:
        name = "essai"
        encoded: list[str] = []

        def encode(self, texts):
            self.encoded += texts
            return np.ones((len(texts), 512), np.float32) / 512**0.5

    model = replace(default_model(), embedder=Counting())
    build(NATIONAL, tmp_path, model=model).close()
    first = len(Counting.encoded)
    build([*NATIONAL[1:], sheet("F8", "Nouvelle fiche", "Texte")], tmp_path, model=model).close()
    assert first == len(NATIONAL) + 3
    assert Counting.encoded[first:] == ["Nouvelle fiche. Démarche. Cas général. Texte"]
    second = len(Counting.encoded)
    build([*NATIONAL[1:], sheet("F8", "Nouvelle fiche", "Autre texte")], tmp_path, model=model).close()
    assert Counting.encoded[second:] == ["Nouvelle fiche. Démarche. Cas général. Autre texte"]


def test_a_commune_s_own_words_are_not_corrected_away(tmp_path, model, national):
    """« Passerort » is near « passeport »: what the commune’s pages say, even once, is a word all the same."""
    pages = [
        sheet("lieu", "Le hameau de Passerort", "On y va à pied.", origin=Origin.LOCAL),
        sheet("eau", "Eau", "La Gravouillette est captée.", origin=Origin.LOCAL),
    ]
    own = build(pages, tmp_path, base=national, model=model)
    for question, expected in (("Passerort", "lieu"), ("la gravouillette", "eau"), ("la gravouilette", "eau")):
        assert ids(search(question, [national, own], model=model))[0] == expected
    assert set(stems(["passeport"])) <= set(read("passporrt", [national, own], model)[0].weights)


def test_a_commune_without_national_sheets_keeps_its_words_too(tmp_path, model):
    pages = [
        sheet("lieu", "Le hameau de Passerort", "On y va à pied, passeport en poche. Un passeport suffit.", origin=Origin.LOCAL),
        sheet("eau", "Eau", "La source est captée.", origin=Origin.LOCAL),
    ]
    own = build(pages, tmp_path, model=model)
    assert own.speller.words(["passerort", "captee", "passseport"]) == ["passerort", "captee", "passeport"]


def test_threads_share_an_index(national, model):
    answers: list[list[str]] = []
    ask = lambda: answers.append(ids(search("prix du passeport", [national], model=model)))  # noqa: E731
    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 16
    assert all(a == answers[0] for a in answers)


def test_same_documents_same_ranking(tmp_path, national, model):
    again = build(NATIONAL, tmp_path, model=model)
    for question in ("perdu ma carte", "licencié", "poubelles"):
        one, two = (search(question, [i], model=model) for i in (national, again))
        assert [(h.document_id, h.score) for h in one.hits] == [(h.document_id, h.score) for h in two.hits]


def test_private_labour_does_not_crowd_a_town_s_staff(national, model):
    hits = search("entretien", [national], None, model=model).hits
    staff = replace(NATIONAL[3], audiences=frozenset({Audience.STAFF}))
    assert hits and staff
    private = index_module.entry(NATIONAL[3], ()).private_work
    public = index_module.entry(NATIONAL[4], ()).private_work
    assert (private, public) == (True, False)
