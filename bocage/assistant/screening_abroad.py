"""Plain cries in other languages: « je veux mourir » in Arabic, Ukrainian or Chinese, which the three readers of French cannot see.

A short list of whole phrases (``data/screening_abroad.toml``), found as they stand; what else is written in another language is no matter
of this module. No weights depend on it.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from bocage.assistant.screening_words import settings, shortened

_ALIKE = str.maketrans({"ı": "i", "ł": "l", "ة": "ه", "ى": "ي", "ی": "ي", "ک": "ك", "\u200c": " ", "ـ": None})
"""Letters that keyboards interchange and that no decomposition brings together."""
_NO_SPACES = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]")


def plain_cry(text: str) -> tuple[str, str] | None:
    """Kind of emergency, the gravest first, and what is said first in that language; None where no phrase of the list is found."""
    plain = f" {_plain(shortened(text))} "
    return next(((kind, first) for kind, phrase, first in _phrases() if phrase in plain), None)


def _plain(text: str) -> str:
    """Without case, accents, vowel signs or punctuation, each run of spaces one: phrases and messages alike."""
    letters = unicodedata.normalize("NFKD", text.casefold().translate(_ALIKE))
    kept = "".join(letter for letter in letters if unicodedata.category(letter) != "Mn")
    return " ".join(re.sub(r"[^\w\s]", " ", kept).split())


@lru_cache(maxsize=1)
def _phrases() -> tuple[tuple[str, str, str], ...]:
    """Kind, phrase and what is said first, in the order of lives at stake."""
    return tuple(
        (kind, phrase, language["debut"])
        for kind in settings()["urgence"]
        for language in settings("screening_abroad").values()
        for written in language.get(kind, ())
        for phrase in _whole(_plain(written))
    )


def _whole(phrase: str) -> tuple[str, ...]:
    """A phrase as whole words; Chinese has no spaces, and Arabic writes « and » as one letter with the word that follows."""
    return (phrase,) if _NO_SPACES.search(phrase) else (f" {phrase} ", f" و{phrase} ")
