"""Words that the index has never seen, brought back to words that it has: glued articles, letters missing, swapped or written by ear."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from bocage.methods.retrieval.text import STOP, stem

_GLUED = re.compile(r"^(?:qu|[cdjlmnst])(?=[aeiouyh])|^j(?=[a-z]{3})")
# How a word sounds, roughly: pairs are applied in order, on folded letters. French keys in the manner of Soundex, kept readable.
_SOUNDS = [
    (re.compile(p), r)
    for p, r in (
        ("eaux?|aux?|ot$|os$", "o"),
        ("ph", "f"),
        ("qu|ck|k", "c"),
        ("c(?=[eiy])|ss|tion", "s"),
        ("ge(?=[aou])|j|g(?=[eiy])", "j"),
        ("(?:ai|ei|ee|er|ez|et|es|e)$", "e"),
        ("ai|ei|ay", "e"),
        ("[ae][mn](?=[^aeiouymn]|$)", "a"),
        ("ou", "u"),
        ("oi", "wa"),
        ("y", "i"),
        ("h", ""),
        ("z", "s"),
        ("[estdxp]+$", ""),
        (r"(.)\1", r"\1"),
    )
]


def sound(word: str) -> str:
    """A key shared by words that sound alike: « maryage » and « mariage »."""
    for pattern, by in _SOUNDS:
        word = pattern.sub(by, word)
    return word


def _deletions(word: str) -> set[str]:
    return {word[:i] + word[i + 1 :] for i in range(len(word))}


class Speller:
    """Corrects towards a vocabulary of folded words with their counts, those seen ``least`` times. Numbers, stop words and words of three
    letters are left alone.
    """

    def __init__(self, counts: Mapping[str, int], least: int = 2) -> None:
        self._counts = {w: n for w, n in counts.items() if n >= least}
        self._stems = {stem(w) for w in self._counts}
        self._by_sound: dict[str, list[str]] = defaultdict(list)
        self._by_deletion: dict[str, list[str]] = defaultdict(list)
        for word in self._counts:
            if len(word) >= 4 and word.isalpha():
                self._by_sound[sound(word)].append(word)
                for shorter in _deletions(word):
                    self._by_deletion[shorter].append(word)
        self.correct = lru_cache(maxsize=4096)(self._correct)

    def known(self, word: str) -> bool:
        """Whether a word needs no correction."""
        return len(word) < 4 or not word.isalpha() or word in STOP or word in self._counts or stem(word) in self._stems

    def _correct(self, word: str) -> str:
        if self.known(word):
            return word
        bare = _GLUED.sub("", word)
        if bare != word and len(bare) >= 3 and self.known(bare) and (len(bare) > 3 or bare in self._counts):
            return bare
        near = set(self._by_deletion.get(word, ()))
        for shorter in _deletions(word):
            near.update(self._by_deletion.get(shorter, ()))
            if shorter in self._counts:
                near.add(shorter)
        near = {w for w in near if len(word) >= 5 or w[0] == word[0]}
        alike = set(self._by_sound.get(sound(word), ()))
        found = (near & alike) or near or alike
        if not found:
            return word
        # The first letter is rarely wrong; then the commoner word.
        return max(found, key=lambda w: (w[0] == word[0], (w in near) + (w in alike), self._counts[w], w))

    def words(self, words: Iterable[str]) -> list[str]:
        """Each word corrected."""
        return [self.correct(word) for word in words]


class JointSpeller:
    """Corrects towards a large vocabulary; words of the others (a commune's own places and names) stand as they are, and are corrected to
    when the large one knows nothing near.
    """

    def __init__(self, large: Speller, others: Sequence[Speller]) -> None:
        self._large, self._others = large, others

    def words(self, words: Iterable[str]) -> list[str]:
        """Each word corrected."""
        return [self._correct(word) for word in words]

    def _correct(self, word: str) -> str:
        if self._large.known(word) or any(other.known(word) for other in self._others):
            return word
        found = (speller.correct(word) for speller in (self._large, *self._others))
        return next((corrected for corrected in found if corrected != word), word)
