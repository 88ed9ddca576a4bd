"""A message that is plainly in another language: two sentences in that language, since only French is read here.

Languages are data (``data/languages.toml``). Plainly: by the script, or by words that French has not; never one word, which may be a name,
a regional word or SMS spelling. Cries for help are read before (``screening_abroad``).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from bocage.assistant.answer_types import Answer, Kind
from bocage.assistant.screening_words import settings
from bocage.methods.retrieval.text import STOP, fold

_FEWEST, _SHARE = 2, 0.3
"""Words of the language, all different, and their part of the message."""
_OTHERWISE = "en"
"""What is said in a script of which the language is not known."""
_ROMAN = "LATIN"
_COURTESY = frozenset({"bonjour", "bonsoir", "merci", "salut", "madame", "monsieur", "svp"})
"""French words that people who speak none begin with."""


@dataclass(frozen=True, slots=True)
class _Language:
    code: str
    answer: str
    words: frozenset[str]
    shared: frozenset[str]
    scripts: frozenset[str]
    letters: frozenset[str]


def in_another_script(question: str) -> Answer | None:
    """What is said, in their language, to whoever writes mostly in another script than ours; None for others."""
    return _said(_by_script(question))


def in_other_words(question: str) -> Answer | None:
    """What is said, in their language, to whoever writes with words that French has not; None for what is, or may be, French."""
    return _said(_by_words(question))


def _said(language: _Language | None) -> Answer | None:
    return None if language is None else Answer(Kind.REFUSAL, reason=language.answer, confidence=1.0, lang=language.code)


def _by_script(question: str) -> _Language | None:
    letters = [letter for letter in unicodedata.normalize("NFKC", question) if letter.isalpha()]
    scripts = Counter(unicodedata.name(letter, _ROMAN).split()[0].split("-")[0] for letter in letters)
    if len(letters) < _FEWEST or 2 * scripts[_ROMAN] >= len(letters):
        return None
    del scripts[_ROMAN]
    main = scripts.most_common(1)[0][0]
    same = [language for language in _languages().values() if main in language.scripts]
    telling = next((language for language in same if language.letters & set(question)), None)
    return telling or next((language for language in same if not language.letters), None) or _languages()[_OTHERWISE]


def _by_words(question: str) -> _Language | None:
    """The language of which most words are found, when they outnumber twice the French ones."""
    words = re.findall(r"[a-z]+", fold(question).replace("ı", "i"))
    best = max(_languages().values(), key=lambda language: len(language.words & set(words)))
    known = [word for word in words if word in best.words]
    french = [word for word in words if word in STOP - best.words - best.shared - _COURTESY]
    plainly = len(set(known)) >= max(_FEWEST, 2 * len(french)) and len(known) >= _SHARE * len(words)
    return best if plainly else None


@lru_cache(maxsize=1)
def _languages() -> dict[str, _Language]:
    return {
        code: _Language(
            code,
            said["reponse"],
            frozenset(said.get("mots", ())) - frozenset(said.get("partages", ())),
            frozenset(said.get("partages", ())),
            frozenset(said.get("ecritures", ())),
            frozenset(said.get("lettres", "")),
        )
        for code, said in settings("languages").items()
    }
