"""French text analysis for search: what people write, cut into stems that compare. No database, no index here.

``tokens("J’ai perdu l'acte")`` gives ``["j", "ai", "perdu", "l", "acte"]`` less the elided letters; ``stems`` folds inflections with the
Snowball French stemmer (Porter's, through PyStemmer, BSD/MIT). Accents are folded before anything else, because half of the questions
come without them; Snowball is run on folded words on both sides, so that what it loses there it loses alike.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from importlib import resources

import Stemmer

_WORD = re.compile(r"[a-z]+|[0-9]+(?:[.,][0-9]+)?")
_ELISION = re.compile(r"\b(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|quoiqu|quelqu|presqu)'(?=\w)")
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss", "’": "'", "ʼ": "'", "‘": "'", "`": "'", "´": "'", "−": "-", "‑": "-"})
_LONG = re.compile(r"([a-z])\1{2,}")


class _Folding(dict[int, str]):
    """What each character becomes, worked out when it is first met: a text is then folded by one ``translate``."""

    def __missing__(self, code: int) -> str:
        apart = unicodedata.normalize("NFD", chr(code).translate(_LIGATURES).casefold())
        self[code] = found = "".join(c for c in apart if not unicodedata.combining(c))
        return found


_folding = _Folding()
_stemmer = Stemmer.Stemmer("french")

# Words that say nothing of the subject. Interrogatives stay: « combien », « où », « quand » tell one sheet from another.
STOP = frozenset(resources.files("bocage.methods.retrieval").joinpath("stop.txt").read_text(encoding="ascii").split())


def fold(text: str) -> str:
    """Lower case without accents, ligatures or typographic variants; blanks and punctuation are kept."""
    return unicodedata.normalize("NFKC", text).translate(_folding)


def tokens(text: str) -> list[str]:
    """Folded words and numbers in order, elided articles removed, letters repeated for emphasis reduced to one."""
    return _WORD.findall(_LONG.sub(r"\1", _ELISION.sub("", fold(text))))


@lru_cache(maxsize=200_000)
def stem(word: str) -> str:
    """Snowball French stem of one folded word."""
    found: str = _stemmer.stemWord(word)
    return found


def stems(words: Iterable[str], keep_stop: bool = False) -> list[str]:
    """Stems of folded words, stop words left out."""
    return [stem(w) for w in words if keep_stop or (w not in STOP and (len(w) > 1 or w.isdigit()))]


# Words that dictionaries spell in two ways of different stems: a question in one is answered by a page in the other.
_TWO_SPELLINGS = (("déchetterie", "déchèterie"), ("clé", "clef"), ("oignon", "ognon"))
_OTHER_SPELLING = {stem(fold(a)): stem(fold(b)) for pair in _TWO_SPELLINGS for a, b in (pair, pair[::-1]) if stem(fold(a)) != stem(fold(b))}


def both_spellings(found: Iterable[str]) -> list[str]:
    """The stems, each with that of its other spelling where it has one: « déchèterie », « déchetterie »."""
    return [one for each in found for one in (each, _OTHER_SPELLING.get(each)) if one]
