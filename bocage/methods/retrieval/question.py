"""A question as the index reads it: words made plain and corrected, weighted stems, character n-grams, and the sentences that carry it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bocage.methods.retrieval.normalise import Phrases, plain_words
from bocage.methods.retrieval.spelling import JointSpeller, Speller
from bocage.methods.retrieval.text import STOP, both_spellings, fold, stems, tokens

# Weight of words that the lexicon adds, and of sentences that tell the story around the question.
ADDED, AROUND = 0.4, 0.5
LONG_STORY = 25
_SENTENCE = re.compile(r"[^.!?…\n]+[.!?…]*")
_ASKS = re.compile(
    r"\?|\b(?:comment|combien|pourquoi|quand|quell?e?s?|qui|quoi|ou (?:est|sont|aller|dois|faire|puis|faut|trouver|demander|m')|est-ce|"
    r"puis-je|peut-on|dois-je|doit-on|faut-il|ai-je|a-t-on|y a-t-il|je (?:voudrais|cherche|veux|souhaite|souhaiterais|peux|dois)|"
    r"j'aimerais|que (?:faire|dois|puis)|a qui|on (?:peut|doit) )"
)
_PRACTICAL = re.compile(
    r"heure|horaire|\bouv[er]|\bferm|telephon|\btel\b|\bnumeros?\b|\badresses?\b|\bmails?\b|courriel|\bappel|joindre|contact|\bsitue|rendez-vous|\brdv\b"
)
_TWO = re.compile(
    r"[?!.;]\s+(?:et|puis|aussi|sinon|par ailleurs|autre chose|autre question|en plus|ensuite|et puis|d'ailleurs)?\b"
    r"|,?\s+(?:et (?:aussi|puis|sinon|en plus|ensuite|par ailleurs|autre chose)|sinon|par ailleurs|autre question|au passage|en meme temps|"
    r"et(?= (?:comment|combien|quand|est-ce|faut-il|dois-je|puis-je|peut-on|qui|quel|ou (?:est|faire|aller|dois|puis)|a qui|cmt|koi|esque"
    r"|cb))"
    r"|et(?= je (?:voudrais|veux|souhaite|cherche|dois))|pis|plus)\s*,?\s+"
)
_JOINS = re.compile(r"(?:[ ,]+(?:et|aussi|puis|sinon|par ailleurs|ensuite|en plus))+$", re.IGNORECASE)
"""What joins a piece to the next one, and is no part of it."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is searched for. ``weights``: stem → weight; ``grams``: character n-gram → weight; ``text``: what the embedder reads;
    ``practical``: it asks when, where or whom to call, as one does of a service."""

    text: str
    words: tuple[str, ...]
    weights: Mapping[str, float]
    grams: Mapping[str, float]
    practical: bool = False


def grams(word: str) -> list[str]:
    """Character 3- and 4-grams of a folded word with its edges marked: they survive misspelling."""
    edged = f"<{word}>"
    return [edged[i : i + n] for n in (3, 4) for i in range(len(edged) - n + 1)]


def text_grams(words: list[str]) -> list[str]:
    """N-grams of the words that say something."""
    return [g for w in words if w not in STOP or len(w) > 4 for g in grams(w)]


def sentences(text: str) -> list[str]:
    """The sentences of a question, in order."""
    return [s.strip() for s in _SENTENCE.findall(text) if s.strip()] or [text]


def asking(text: str) -> list[bool]:
    """For each sentence, whether it asks something. All of them when none does."""
    found = [bool(_ASKS.search(fold(s))) for s in sentences(text)]
    return found if any(found) else [True] * len(found)


def parts(text: str) -> list[str]:
    """Pieces of a question that may each be a question of their own; a single piece when it cannot be cut."""
    folded = fold(text)
    if len(folded) != len(text):  # a letter that folds into two would shift the cut
        text = folded
    cuts = [0]
    for match in _TWO.finditer(folded):
        end = match.end() if match.group()[0] not in "?!.;" else match.start() + 1
        cuts.append(end)
    pieces = [_JOINS.sub("", text[a:b].strip(" ,;")) for a, b in zip(cuts, [*cuts[1:], len(text)], strict=True)]
    asked = [p for p in pieces if p and _ASKS.search(fold(p)) and len(stems(tokens(p))) >= 2]
    return asked if len(asked) >= 2 else [text]


def read_question(text: str, speller: Speller | JointSpeller | None = None, lexicon: Phrases | None = None) -> Question:
    """Analyse a question. A long story keeps all its words, those of sentences that do not ask at half weight."""
    weights: dict[str, float] = {}
    small: dict[str, float] = {}
    every: list[str] = []
    pieces = sentences(text)
    long = len(text.split()) > LONG_STORY
    for sentence, asks in zip(pieces, asking(text) if long else [True] * len(pieces), strict=True):
        words = plain_words(sentence)
        if speller is not None:
            words = speller.words(words)
        every += words
        share = 1.0 if asks else AROUND
        for one in both_spellings(stems(words)):
            weights[one] = max(weights.get(one, 0.0), share)
        for gram in text_grams(words):
            small[gram] = max(small.get(gram, 0.0), share)
    if lexicon is not None:
        for one in stems(lexicon.added(every)):
            weights.setdefault(one, ADDED)
    return Question(text, tuple(every), weights, small, bool(_PRACTICAL.search(" ".join(every))))
