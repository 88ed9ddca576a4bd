"""What search has learnt, as small files beside this one; ``python -m benchmarks.assistant_training`` makes them again from the bank.

``projection.npy`` (1 + k, d) float16: mean, then axes onto which sentence vectors are projected. ``ranker.json``, ``calibration.json``: a
few thousand numbers. ``bank_vectors.npy`` int8 (sheets, d) with ``bank_vectors.json`` (scale, then « sheet: fingerprint of its questions
»): mean vectors of the bank's questions, so that the national index need not embed 25,000 questions on every server; a sheet whose
questions have changed is embedded again. No weight has seen the tenth of the sheets that ``bank.held_out`` names.

A server that takes its sentence vectors elsewhere learns files of the same names for them (``bocage assistant train``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from bocage.assistant.bank import every_question
from bocage.assistant.documents import Document
from bocage.assistant.storage import fingerprint
from bocage.methods.retrieval import features
from bocage.methods.retrieval.calibration import SIGNALS, Calibration
from bocage.methods.retrieval.embed import Embedder, UniversalSentenceEncoder
from bocage.methods.retrieval.normalise import Phrases, read_pairs
from bocage.methods.retrieval.postings import Floats
from bocage.methods.retrieval.ranker import Ranker

FOLDER = Path(str(resources.files("bocage.assistant.model")))
_CALIBRATIONS = ("calibration.json", "calibration_beside.json")


@dataclass(eq=False)
class Model:
    """Everything that search uses besides the index. ``embedder`` may be None: search then goes by words alone.

    ``calibration`` says when to refuse among the national sheets alone, ``beside`` where an organisation's own pages are searched too.
    """

    name: str
    embedder: Embedder | None
    mean: Floats
    projection: Floats
    ranker: Ranker | None
    calibration: Calibration | None
    beside: Calibration | None = None
    lexicon: Phrases | None = None
    bank_vectors: Mapping[tuple[str, str], Floats] = field(default_factory=dict)

    @property
    def embedder_name(self) -> str:
        """Name of the embedder, empty without one."""
        return self.embedder.name if self.embedder else ""

    @property
    def dimensions(self) -> int:
        """Dimensions of the embedder's vectors."""
        return len(self.mean)

    def bank_vector(self, document: Document) -> Floats | None:
        """The stored mean vector of a document's questions, when they are exactly those it was made from."""
        return self.bank_vectors.get((document.id, fingerprint(*document.questions))) if document.questions else None


@lru_cache(maxsize=1)
def default_model() -> Model:
    """The model of the package."""
    return load(FOLDER, UniversalSentenceEncoder())


def load(folder: Path, embedder: Embedder) -> Model:
    """What ``save`` wrote for ``embedder``. Raises ``OSError`` or ``ValueError`` when a file is missing, damaged or of another version."""
    saved = np.load(folder / "projection.npy", allow_pickle=False).astype(np.float32)
    ranker = Ranker.from_json((folder / "ranker.json").read_text(encoding="utf-8"))
    kept = [Calibration.from_json((folder / file).read_text(encoding="utf-8")) for file in _CALIBRATIONS]
    projection = np.ascontiguousarray(saved[1:].T)
    if ranker.names != features.NAMES or any(len(each.weights) != len(SIGNALS) + projection.shape[1] for each in kept):
        raise ValueError("learnt by a version of Bocage that looked at other things")
    return Model(fingerprint(ranker.to_json()), embedder, saved[0], projection, ranker, *kept, lexicon(), _bank_vectors(folder))


def save(
    folder: Path,
    mean: Floats,
    projection: Floats,
    ranker: Ranker,
    calibrations: tuple[Calibration, Calibration],
    questions: Mapping[str, Floats],
) -> None:
    """Write what was learnt. ``calibrations``: of the national sheets alone, and beside an organisation's own pages; ``questions``: the
    mean vector (d,) of the questions of each sheet of the bank as it is now."""
    np.save(folder / "projection.npy", np.vstack([mean[None], projection.T]).astype(np.float16), allow_pickle=False)
    (folder / "ranker.json").write_text(ranker.to_json(), encoding="utf-8")
    for file, calibration in zip(_CALIBRATIONS, calibrations, strict=True):
        (folder / file).write_text(calibration.to_json(), encoding="utf-8")
    _write_bank_vectors(questions, folder)


@lru_cache(maxsize=1)
def lexicon() -> Phrases:
    """Everyday words → administrative words."""
    return Phrases(read_pairs(resources.files("bocage.assistant").joinpath("lexicon.txt").read_text(encoding="utf-8"), "lexicon.txt"))


def _bank_vectors(folder: Path) -> dict[tuple[str, str], Floats]:
    notes: dict[str, Any] = json.loads((folder / "bank_vectors.json").read_text(encoding="utf-8"))
    vectors = np.load(folder / "bank_vectors.npy", mmap_mode="r", allow_pickle=False)
    scale = np.float32(notes["scale"])
    return {(sheet, mark): vectors[n] * scale for n, (sheet, mark) in enumerate(notes["sheets"].items())}


def _write_bank_vectors(means: Mapping[str, Floats], folder: Path) -> None:
    known = every_question()
    sheets = sorted(means)
    stacked = np.stack([means[s] for s in sheets])
    scale = float(np.abs(stacked).max()) / 127
    np.save(folder / "bank_vectors.npy", np.round(stacked / scale).astype(np.int8), allow_pickle=False)
    notes = {"scale": scale, "sheets": {s: fingerprint(*known[s]) for s in sheets}}
    (folder / "bank_vectors.json").write_text(json.dumps(notes, indent=0), encoding="utf-8")
