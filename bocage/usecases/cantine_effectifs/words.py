"""Words as they are compared: of dishes, without figures; of names of schools and canteens, with them."""

from __future__ import annotations

import re
import unicodedata


def plain(text: str) -> str:
    """Lower case, no accent, œ as oe, one space between words, no figure, no final s or x: « Œufs durs » → « oeuf dur »."""
    return " ".join(_singular(word) for word in re.findall(r"[a-z]+", _letters(text)))


def name_key(name: str) -> str:
    """The same for a name, whose figures tell two schools apart: « Écoles Jules-Ferry n° 02 » → « ecole jule ferry n 2 »."""
    words = re.findall(r"[a-z]+|\d+", _letters(name))
    return " ".join(str(int(word)) if word.isdigit() else _singular(word) for word in words)


def _letters(text: str) -> str:
    lowered = text.lower().replace("œ", "oe").replace("æ", "ae")
    return "".join(c for c in unicodedata.normalize("NFD", lowered) if unicodedata.category(c) != "Mn")


def _singular(word: str) -> str:
    return word if len(word) < 4 else re.sub(r"(?<=\w)[sx]$", "", word)
