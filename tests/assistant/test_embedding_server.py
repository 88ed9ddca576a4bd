"""Any OpenAI-compatible server of sentence vectors can replace Bocage's own: search learns again for it, and outlives it."""

from __future__ import annotations

import json
import shutil
import zlib
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from bocage.assistant import library, rehearsal
from bocage.assistant import model as package
from bocage.assistant import served_model as served_model_module
from bocage.assistant.bank import bank, by_others
from bocage.assistant.documents import Audience, Document, Origin, Passage
from bocage.assistant.embedding_server import PROBE, EmbeddingServer
from bocage.assistant.index import build
from bocage.assistant.model import default_model
from bocage.assistant.rehearsal import TooLittleToLearn
from bocage.assistant.search import search
from bocage.assistant.served_model import NoEmbeddingServer, learning_is_missing, served_model, train
from bocage.llm.client import ModelUnavailable
from bocage.methods.retrieval.embed import UniversalSentenceEncoder
from bocage.methods.retrieval.text import stems, tokens
from tests.llm.server import embedding, replying

SHEETS = 60


def hashed(texts: Sequence[str]) -> np.ndarray:
    """Vectors by another method than those shipped: stems thrown into 96 numbers."""
    out = np.full((len(texts), 96), 0.01)
    for n, text in enumerate(texts):
        for word in stems(tokens(text)):
            at = zlib.crc32(word.encode())
            out[n, at % 96] += 1 if at >> 20 & 1 else -1
    return out


def national_sheets(count: int = SHEETS) -> list[Document]:
    """Sheets of the bank, titled by their first question: what a national archive would give, in small."""
    some = list(bank().items())[:count]
    return [Document(sheet, asked[0], Origin.NATIONAL, (Passage(f"{asked[0]} {asked[1]}"),), theme=("Essai",)) for sheet, asked in some]


@pytest.fixture
def vectors(settings, tmp_path) -> Iterator[tuple[str, list[list[str]]]]:
    """A server of vectors in the settings, and an empty home."""
    settings.HOME = tmp_path / "home"
    with embedding(hashed) as (url, requests):
        settings.EMBEDDINGS_URL, settings.EMBEDDINGS_MODEL = url, "hachage"
        yield url, requests


def test_vectors_over_http_are_those_of_the_embedder_behind_it():
    own = UniversalSentenceEncoder()
    texts = ["carte d’identité perdue", "", *(f"question {n} ?" for n in range(70))]
    with embedding(own.encode) as (url, requests):
        found = EmbeddingServer(url, "use").encode(texts)
        assert EmbeddingServer(url, "use").encode([]).shape == (0, 512)
    assert np.allclose(found, own.encode(texts), atol=1e-5)
    assert [len(some) for some in requests] == [64, 8, 1]


def test_the_prefix_goes_before_each_text_and_makes_other_vectors():
    with embedding(hashed) as (url, requests):
        server = EmbeddingServer(url, "e5", prefix="query: ")
        server.encode(["bonjour", "x" * 2_000])
    assert requests == [["query: bonjour", f"query: {'x' * 1_200}"]]
    assert server.name != EmbeddingServer(url, "e5").name


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[" * 100_000,
        b'{"data": [{"index": 0, "embedding": []}]}',
        b'{"data": [{"index": 0, "embedding": [NaN]}]}',
        b'{"data": []}',
        b'{"data": [{"index": 0, "embedding": [1' + b"0" * 400 + b"]}]}",
    ],
)
def test_what_is_no_vector_is_refused_and_not_asked_again_at_once(body):
    with replying(200, body, "application/json") as url:
        server = EmbeddingServer(url, "m")
        with pytest.raises(ModelUnavailable):
            server.encode(["bonjour"])
    with pytest.raises(ModelUnavailable, match="demi-minute"):
        server.encode(["bonjour"])


def test_a_server_that_changed_its_model_under_the_same_name_is_found_out():
    with embedding(hashed) as (url, _):
        probe = EmbeddingServer(url, "m").encode(["autre chose"])[0]
        with pytest.raises(ModelUnavailable, match="bocage assistant train"):
            EmbeddingServer(url, "m", probe=probe).encode(["bonjour"])


def test_vectors_of_another_size_are_refused():
    sizes = iter((4, 4, 5))
    with embedding(lambda texts: np.ones((len(texts), next(sizes)))) as (url, _):
        server = EmbeddingServer(url, "m", probe=np.full(4, 0.5, np.float32))
        assert server.encode(["a"]).shape == (1, 4)
        with pytest.raises(ModelUnavailable, match="5 nombres"):
            server.encode(["b"])


def test_before_it_has_learnt_the_package_s_own_model_serves(vectors):
    assert served_model() is default_model()
    assert learning_is_missing()


def test_without_a_server_there_is_nothing_to_learn():
    with pytest.raises(NoEmbeddingServer, match="BOCAGE_EMBEDDINGS_URL"):
        train(library.national_shelf, print)
    assert not learning_is_missing()


def test_too_few_sheets_say_what_to_do(vectors, tmp_path):
    with pytest.raises(TooLittleToLearn, match="bocage assistant import"):
        train(lambda: build(national_sheets(20), tmp_path / "index"), print)
    assert served_model() is default_model()


@pytest.mark.django_db
def test_search_learns_again_reindexes_and_outlives_the_server(settings, served, vectors, monkeypatch):
    # A part of what is learnt from: the way is the same, in less time.
    parts = {"off_topic_lines": rehearsal.off_topic_lines()[::20], "towns": rehearsal.towns()[:2], "by_others": list(by_others())[::4]}
    for name, some in parts.items():
        monkeypatch.setattr(rehearsal, name, lambda some=some: some)
    url, requests = vectors
    shelf = settings.HOME / "assistant"
    national = build(library.with_bank(national_sheets()), shelf / "national")
    page = Document("local:puits", "Le puits de Brenoux", Origin.LOCAL, (Passage("Le puits se visite le mardi."),))
    build([page], shelf / str(served.pk), base=national)
    said: list[str] = []
    train(library.national_shelf, said.append, per_fold=20)
    assert any(line.startswith("held-out tenth") for line in said) and any("refusal" in line for line in said)
    model = served_model()
    assert not learning_is_missing() and model.dimensions == 96
    assert search("le puits", library.library_of(served).shelves, model=model).hits, "until reindexed, found by words alone"
    assert library.reindex() == 2
    shelves = library.library_of(served).shelves
    assert [index.embedder for index in shelves] == [model.embedder_name] * 2
    _finds(served, url, requests)
    settings.EMBEDDINGS_URL = "http://127.0.0.1:9/v1"
    _finds(served, url, [])
    settings.EMBEDDINGS_URL = ""
    assert served_model() is default_model()
    _finds(served, url, [])


def _finds(owner, url: str, requests: list[list[str]]) -> None:
    """National sheets by a question of the bank, the local page by its words; ``requests``: of the server, if it is the one asked."""
    before = len(requests)
    sheet, asked = list(bank().items())[3]
    assert library.library_of(owner).find(asked[2], Audience.CITIZENS).matches[0].document.id == sheet
    assert library.library_of(owner).find("quand se visite le puits ?", Audience.CITIZENS).matches[0].document.id == "local:puits"
    assert len(requests) > before or not requests


def test_a_model_learnt_by_another_version_is_not_served(vectors):
    url, _ = vectors
    server = EmbeddingServer(url, "hachage")
    folder = served_model_module._folder()
    folder.mkdir(parents=True)
    for file in ("projection.npy", "ranker.json", "calibration.json", "calibration_beside.json", "bank_vectors.json", "bank_vectors.npy"):
        shutil.copy(package.FOLDER / file, folder / file)
    np.save(folder / "probe.npy", server.encode([PROBE])[0])
    assert not learning_is_missing()
    kept = json.loads((folder / "ranker.json").read_text(encoding="utf-8"))
    narrow = {key: kept[key][:-1] for key in ("names", "mean", "deviation", "hidden", "straight")}
    (folder / "ranker.json").write_text(json.dumps(kept | narrow), encoding="utf-8")
    assert learning_is_missing() and served_model() is default_model()
