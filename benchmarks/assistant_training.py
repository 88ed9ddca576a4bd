"""Makes ``bocage/assistant/model`` again from the bank: ``python -m benchmarks.assistant_training --cache FOLDER [--write]``.

How it learns is told in ``bocage.assistant.learning``, which is also what ``bocage assistant train`` runs on a server. The files shipped
were made from the sheets of the test corpus, with the default ``--per-fold``.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

import numpy as np

from benchmarks.assistant import national_documents
from bocage.assistant import model as package
from bocage.assistant.learning import Learnt, learn
from bocage.assistant.rehearsal import PER_FOLD
from bocage.methods.retrieval.embed import UniversalSentenceEncoder


def main() -> None:
    """Train, print cross-validated figures, keep the tables in the cache, and with ``--write`` replace the model's files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "data")
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--per-fold", type=int, default=PER_FOLD, help="questions of the bank asked in each fold")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    documents = national_documents(given.data)
    learnt = learn(documents, UniversalSentenceEncoder(), lambda line: print(line, flush=True), given.per_fold, given.cache)
    _keep_tables(learnt, given.cache)
    if given.write:
        learnt.save(package.FOLDER)


def _keep_tables(learnt: Learnt, cache: Path) -> None:
    """The questions asked, as arrays: to try another ranker or calibration without asking again."""
    np.savez(cache / "asked.npz", **{field.name: getattr(learnt.asked, field.name) for field in dataclasses.fields(learnt.asked)})
    tables = [s.table for s in learnt.outside]
    rows, vectors = np.cumsum([0, *map(len, tables)]), np.stack([s.vector for s in learnt.outside])
    np.savez(cache / "outside.npz", table=np.vstack(tables), rows=rows, vector=vectors, line=[s.line for s in learnt.outside])


if __name__ == "__main__":
    main()
