"""What is looked at before anything is searched: distress and danger, and questions about somebody else's file.

Three readers, so that none has to be perfect. *Turns of phrase* (``data/screening_patterns.toml``) are short patterns over word classes:
``{proche} ..4 {moi} ?{etre} {frapper}``. *A learnt score* adds what nobody thought of writing down: a multinomial logistic regression on
word stems, word classes, their pairs and n-grams of characters, shipped as one byte a weight (``data/screening_weights.npz``). *A score
on the meaning* (``screening_sense.py``) adds what nobody wrote with those words. Both are fitted on the sentences of
``data/screening/*.txt`` and on the messages of ``model/off_topic.txt`` and ``bank/asked.jsonl``, which are neither. They read French; plain
cries in other languages are whole phrases (``screening_abroad.py``), looked for first.

The first two read the same words: lower case without accents, SMS spellings put right, doubled letters made single (« frape », « frappe »),
phrases that only sound grave put out of the way (« mort de fatigue », « assurance vie »). Figures: docs/assistant.md.

After a change in the sentences or in the patterns: ``python -m bocage.assistant.screening`` writes the weights again.
"""

from __future__ import annotations

import hashlib
import itertools
import sys
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from bocage.assistant import screening_sense
from bocage.assistant.bank import ASKED, by_others
from bocage.assistant.model import FOLDER, default_model
from bocage.assistant.screening_abroad import plain_cry
from bocage.assistant.screening_words import (
    DATA,
    Level,
    by_patterns,
    grammar,
    may_mean_somebody,
    names_somebody,
    sentences_of,
    settings,
    terms_of,
)
from bocage.methods.retrieval.text import stem

WEIGHTS = DATA / "screening_weights.npz"
_BUCKETS = 1 << 15
_PENALTY = 1e-5
_PAIR_REACH = 7
_FEWEST_WORDS = 8
_WHOLE_WORDS = 60
_BY_HAND = ("3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "paires")
NEUTRAL, THIRD_PARTY = "neutre", "tiers"
Model = tuple[list[str], np.ndarray, np.ndarray, np.ndarray]
"""Kind names, weights (buckets, kinds), bias (kinds) and rarity of each bucket (buckets)."""


@dataclass(frozen=True, slots=True)
class Emergency:
    """What is said at once, and the numbers to call: (number, what it is)."""

    kind: str
    sentence: str
    numbers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Screening:
    """What was seen: distress or danger at a level, a question about another person's file, or neither."""

    emergency: Emergency | None = None
    level: Level = Level.NONE
    third_party: bool = False
    doubtful: bool = False
    """Distress is the less likely reading: not said where a page plainly answers the question."""
    third_doubtful: bool = False
    """A third person's file is not the only likely reading: a page that plainly answers is given, and the rule said above it."""


def screen(text: str) -> Screening:
    """Look at a message sentence by sentence, and whole when it is short: a cry may be buried in a request for a form."""
    if cry := plain_cry(text):
        return Screening(_said_abroad(*cry), Level.ATTENTION if cry[0] in settings()["besoins"] else Level.URGENT)
    sentences = sentences_of(text)
    found = by_patterns(sentences)
    if not found and len({word for sentence in sentences for word in sentence}) < 2:
        return Screening()
    scores = _joined(_by_scores(sentences), _by_sense(text))
    limits = settings()["seuils"]
    # A turn of phrase adds to the odds, an ordinary one takes from them; one that leaves little doubt is below attention only where
    # everything else denies it.
    sure = {kind for level, kind in found if level is Level.URGENT}
    hinted = sure | {kind for level, kind in found if level is Level.ATTENTION}
    harmed = sure - {THIRD_PARTY}
    told = {level for level, kind in found if kind != THIRD_PARTY}
    distress = scores.distress + next((limits[f"motif_{level}"] for level in reversed(Level) if level in told), 0.0)
    least = limits["attention"] - (limits["motif_sur"] if harmed else 0.0)
    level = Level.URGENT if distress >= limits["urgence"] else Level.ATTENTION if distress >= least else Level.NONE
    other = scores.third_party + (limits["motif_tiers"] if THIRD_PARTY in sure else 0.0)
    third = other >= limits["tiers"] and may_mean_somebody(text, sentences)
    unsure = other < limits["tiers_net"] or not names_somebody(sentences)
    if level is Level.NONE:
        return Screening(third_party=third, third_doubtful=third and unsure)
    kind = _spoken_for(scores.kind, sure, hinted)
    if kind in settings()["besoins"] and kind not in sure:
        level = Level.ATTENTION
    doubtful = not harmed and distress < limits["net"]
    third = third and level is not Level.URGENT
    return Screening(emergency_table()[kind], level, third, doubtful, third and unsure)


def _spoken_for(likeliest: str, sure: Set[str], hinted: Set[str]) -> str:
    """The likeliest of the kinds that were named; where it is none of them, the one with most at stake.

    A need never hides a danger that is likelier.
    """
    needs = set(settings()["besoins"]) - {likeliest}
    return next((kind for seen in (sure, hinted) for kind in (likeliest, *emergency_table()) if kind in seen - needs), likeliest)


def _said_abroad(kind: str, first: str) -> Emergency:
    """What is said of ``kind``, after ``first``, in the language of whoever writes."""
    known = emergency_table()[kind]
    return replace(known, sentence=f"{first} {known.sentence}")


@lru_cache(maxsize=1)
def emergency_table() -> dict[str, Emergency]:
    """Every kind of emergency, the most pressing first."""
    return {
        kind: Emergency(kind, entry["phrase"], tuple((number, what) for number, what in entry["numeros"]))
        for kind, entry in settings()["urgence"].items()
    }


# Learnt score ----------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Scores:
    """Log-odds of distress and of a third person, and the likeliest kind of distress."""

    distress: float
    third_party: float
    kind: str


def _by_sense(text: str) -> _Scores | None:
    """The same from the meaning of the message; None without an embedder."""
    read = screening_sense.scores(text)
    if read is None:
        return None
    names, logs = read
    neutral, third = names.index(NEUTRAL), names.index(THIRD_PARTY)
    harms = [i for i in range(len(names)) if i not in (neutral, third)]
    harm = np.logaddexp.reduce(logs[:, harms], axis=1)
    # A part of a long message must say more than the whole of a short one: among many, one will always sound grave.
    apart = np.r_[0.0, np.full(len(logs) - 1, settings()["seuils"]["partie"])]
    distress = harm - np.logaddexp(logs[:, neutral], logs[:, third]) - apart
    other = logs[:, third] - np.logaddexp(logs[:, neutral], harm) - apart
    at = int(np.argmax(distress))
    return _Scores(float(distress[at]), float(other.max()), names[harms[int(np.argmax(logs[at, harms]))]])


def _joined(words: _Scores, sense: _Scores | None) -> _Scores:
    """The two scores together. Without the meaning, the words count for both."""
    if sense is None:
        return _Scores(2 * words.distress, 2 * words.third_party, words.kind)
    return _Scores(sense.distress + words.distress, sense.third_party + words.third_party, sense.kind)


def _by_scores(sentences: Sequence[Sequence[str]]) -> _Scores:
    names, weights, bias, rarity = _model()
    neutral, third = names.index(NEUTRAL), names.index(THIRD_PARTY)
    harms = [i for i in range(len(names)) if i not in (neutral, third)]
    best = _Scores(-np.inf, -np.inf, "")
    for part in _parts(sentences):
        buckets = _buckets(part)
        rare = rarity[buckets]
        scores = rare @ weights[buckets] / max(float(np.linalg.norm(rare)), 1.0) + bias
        harm = np.logaddexp.reduce(scores[harms])
        distress = float(harm - np.logaddexp(scores[neutral], scores[third]))
        other = float(scores[third] - np.logaddexp(scores[neutral], harm))
        kind = names[harms[int(np.argmax(scores[harms]))]] if distress > best.distress else best.kind
        best = _Scores(max(best.distress, distress), max(best.third_party, other), kind)
    return best


def _parts(sentences: Sequence[Sequence[str]]) -> Iterator[Sequence[Sequence[str]]]:
    """Sentences glued until they hold enough words to be judged; the whole too, when it is short enough for a cry not to drown in it."""
    blocks: list[list[Sequence[str]]] = [[]]
    for sentence in sentences:
        if sum(map(len, blocks[-1])) >= _FEWEST_WORDS:
            blocks.append([])
        blocks[-1].append(sentence)
    if len(blocks) > 1 and sum(map(len, blocks[-1])) < _FEWEST_WORDS:
        last = blocks.pop()
        blocks[-1] += last
    yield from blocks
    if len(blocks) > 1 and sum(map(len, sentences)) <= _WHOLE_WORDS:
        yield sentences


def _buckets(sentences: Sequence[Sequence[str]]) -> list[int]:
    """Hashed names of what a text holds: stems, pairs of stems, word classes and their pairs, n-grams of 3 to 5 characters."""
    names: set[str] = set()
    for sentence in sentences:
        kept = [stem(word) for word in sentence]
        names.update(kept, (f"{a} {b}" for a, b in itertools.pairwise(kept)))
        for word in sentence:
            names.update(_ngrams(word))
        seen = [(i, name) for i, word in enumerate(sentence) for name in _class_names(word)]
        names.update(f"@{name}" for _, name in seen)
        names.update(f"@{a}@{b}" for (i, a), (j, b) in itertools.combinations(seen, 2) if 0 < j - i <= _PAIR_REACH)
    return sorted({zlib.crc32(name.encode()) % _BUCKETS for name in names})


@lru_cache(maxsize=50_000)
def _ngrams(word: str) -> tuple[str, ...]:
    spelt = f"<{word}>"
    return tuple(f"#{spelt[i : i + n]}" for n in (3, 4, 5) for i in range(len(spelt) - n + 1))


@lru_cache(maxsize=50_000)
def _class_names(word: str) -> tuple[str, ...]:
    named = grammar().named
    return tuple(sorted(named[term] for term in terms_of(word) if term in named))


@lru_cache(maxsize=1)
def _model() -> Model:
    """The shipped weights."""
    with np.load(WEIGHTS, allow_pickle=False) as stored:
        weights = stored["weights"].astype(np.float32) * stored["scale"]
        return [str(name) for name in stored["names"]], weights, stored["bias"], stored["rarity"].astype(np.float32)


# Learning --------------------------------------------------------------------------------------------------------------------------------


def examples() -> dict[str, list[str]]:
    """The sentences learnt from, by kind (the file's name up to « _ »).

    Neutral ones by other authors than the bank's are few and count four times.
    """
    found: dict[str, list[str]] = {}
    for path in sorted((DATA / "screening").glob("*.txt")):
        found.setdefault(path.stem.split("_")[0], []).extend(_lines(path))
    asked = [question for _, question in by_others()]
    by_hand = [line for part in _BY_HAND for line in _lines(DATA / "screening" / f"neutre_{part}.txt")]
    found[NEUTRAL] += 3 * by_hand + 4 * (_lines(FOLDER / "off_topic.txt") + asked)
    return found


def _lines(path: Path) -> list[str]:
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def fingerprint() -> str:
    """Of what the weights depend on: sentences and word classes. Stored with them, compared by a test."""
    digest = hashlib.sha256()
    learnt = sorted((DATA / "screening").glob("*.txt"))
    for path in [*learnt, DATA / "screening_patterns.toml", FOLDER / "off_topic.txt", ASKED]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def fit_sense(written: Mapping[str, Sequence[str]]) -> tuple[list[str], screening_sense.Net]:
    """Names and network of the score on the meaning. Of the many ordinary questions of the bank, one in three is enough."""
    bank = frozenset(_lines(DATA / "screening" / "neutre_courant.txt"))
    names = sorted(written)
    counts = [Counter(t for n, t in enumerate(written[name]) if name != NEUTRAL or t not in bank or n % 3 == 0) for name in names]
    embedder = default_model().embedder
    assert embedder is not None, "the weights are made where the encoder is installed"
    texts = [text for count in counts for text in count]
    targets = np.repeat(np.arange(len(names)), [len(count) for count in counts])
    times = np.array([n for count in counts for n in count.values()], np.float64)
    return names, screening_sense.fit(len(names), embedder.encode(texts), targets, times)


def fit(written: Mapping[str, Sequence[str]]) -> Model:
    """Weights by penalised maximum likelihood (L-BFGS); each kind weighs alike, however many sentences were written for it."""
    from scipy.optimize import minimize
    from scipy.sparse import csr_matrix
    from scipy.special import logsumexp

    names = sorted(written)
    rows = [_buckets(sentences_of(text)) for name in names for text in written[name]]
    targets = np.repeat(np.arange(len(names)), [len(written[name]) for name in names])
    lengths = np.array([len(row) for row in rows])
    indices = np.concatenate(rows).astype(np.int32)
    # Learnt with the precision that is stored.
    rarity = np.log(len(rows) / (1.0 + np.bincount(indices, minlength=_BUCKETS))).astype(np.float16).astype(np.float64)
    norms = np.array([max(float(np.linalg.norm(rarity[row])), 1.0) for row in rows])
    data = rarity[indices] / np.repeat(norms, lengths)
    features = csr_matrix((data, indices, np.concatenate([[0], np.cumsum(lengths)])), shape=(len(rows), _BUCKETS))
    counts = np.bincount(targets, minlength=len(names))
    weight = (counts**0.5 / (counts**0.5).sum() / counts)[targets]
    one_hot = np.eye(len(names))[targets]
    shape = (_BUCKETS + 1, len(names))

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        both = flat.reshape(shape)
        weights, bias = both[:-1], both[-1]
        logs = features @ weights + bias
        logs = logs - logsumexp(logs, axis=1, keepdims=True)
        residue = (np.exp(logs) - one_hot) * weight[:, None]
        gradient = np.vstack([features.T @ residue + 2 * _PENALTY * weights, residue.sum(axis=0)])
        return float(-(weight * logs[np.arange(len(targets)), targets]).sum() + _PENALTY * (weights**2).sum()), gradient.ravel()

    found = minimize(loss, np.zeros(shape).ravel(), jac=True, method="L-BFGS-B", options={"maxiter": 150}).x.reshape(shape)
    return names, found[:-1], found[-1], rarity


def store(path: Path = WEIGHTS) -> None:
    """Fit on every sentence and write one byte a weight."""
    written = examples()
    screening_sense.store(*fit_sense(written), fingerprint())
    names, weights, bias, rarity = fit(written)
    scale = np.float32(np.abs(weights).max() / 127)
    small = np.round(weights / scale).astype(np.int8)
    np.savez_compressed(
        path,
        names=np.array(names),
        weights=small,
        scale=scale,
        bias=bias.astype(np.float32),
        rarity=rarity.astype(np.float16),
        made_from=np.array(fingerprint()),
    )


if __name__ == "__main__":
    store()
    sys.stdout.write(f"{WEIGHTS.name} : {WEIGHTS.stat().st_size // 1024} ko\n")
