"""Reads French sentences: the numbers they print, and whether they are one sentence, in French."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_SPACE = "[ \u00a0\u202f]"
_NUMBER = re.compile(rf"(?<![\w,.])(?:(?<!\w)[-−+])?(?:\d{{1,3}}(?:{_SPACE}\d{{3}})+(?!\d)|\d+)(?:[,.]\d+)?")
_SCALES = {"millier": 1e3, "million": 1e6, "milliard": 1e9}
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2}))?)?")
_END = re.compile(r"(?<!\bM)(?<!\bMe)(?<!\bSt)(?<!\bav)(?<!\bbd)(?<!\bp)(?<!\bart)(?<!\bn)[.!?…][»\s]+(?=[A-ZÀ-ÖØ-Þ«0-9])")
_FRENCH = frozenset(
    re.findall(
        r"\S+",
        "le la les l un une des de du d et ou en au aux à ce cet cette ces il elle ils elles on ne pas plus que qui dans par pour sur avec "
        "sans entre contre est sont a ont sera faut son sa ses leur leurs donnez vérifiez aucun aucune moins",
    )
)
_ENGLISH = frozenset(
    re.findall(r"\S+", "the of and to in is are with for this that not has have by from at be was value expected invalid must error")
)


@dataclass(frozen=True, slots=True)
class Printed:
    """A number as printed: its text, the value read, the weight of its last digit, and whether « % » follows."""

    text: str
    value: float
    step: float
    percent: bool


def printed_numbers(sentence: str) -> Iterator[tuple[Printed, ...]]:
    """The numbers of a French sentence. « 12 345 » may be one number or two: all readings of a place come together, the whole first.

    Digits glued to a letter (« R12 », « CO2 ») are names, not numbers.
    """
    for match in _NUMBER.finditer(sentence):
        after = sentence[match.end() :]
        pieces = re.split(_SPACE, match.group())
        whole = _printed("".join(pieces), match.group(), after)
        yield (whole, *(_printed(piece, piece, "") for piece in pieces)) if len(pieces) > 1 else (whole,)


def _printed(digits: str, text: str, after: str) -> Printed:
    plain = digits.replace(",", ".").replace("−", "-")
    decimals = len(plain.partition(".")[2])
    scale = next((factor for word, factor in _SCALES.items() if re.match(rf"{_SPACE}{word}s?\b", after)), 1.0)
    return Printed(text, float(plain) * scale, scale * 10.0**-decimals, bool(re.match(rf"{_SPACE}?%", after)))


def unsupported(sentence: str, numbers: Iterable[float], texts: Iterable[str]) -> str | None:
    """The first number of ``sentence`` that no number of the proposal explains, or None.

    ``numbers`` are those the proposal carries, ``texts`` its strings: numbers written in them count, and so do the parts of their ISO
    dates. A number matches when the carried one rounds to the digits printed, whatever its sign; before « % », a ratio matches too.
    """
    known, strings = list(numbers), sorted((t for t in texts if t), key=len, reverse=True)
    for text in strings:
        known += _carried(text)
        if re.search(r"\d", text):
            sentence = re.sub(rf"(?<![\w,.]){re.escape(text)}(?!\w|[,.]\d)", " … ", sentence)
    for readings in printed_numbers(sentence):
        whole, parts = readings[0], readings[1:]
        if not _matches(whole, known) and not (parts and all(_matches(part, known) for part in parts)):
            return whole.text.strip()
    return None


def _carried(text: str) -> Iterator[float]:
    for match in _ISO.finditer(text):
        yield from (float(part) for part in match.groups() if part)
    for readings in printed_numbers(_ISO.sub(" ", text)):
        yield from (reading.value for reading in readings)


def _matches(printed: Printed, known: list[float]) -> bool:
    reach = printed.step / 2 * (1 + 1e-6) + 1e-9
    scales = (1.0, 100.0) if printed.percent else (1.0,)
    return any(abs(abs(value) * scale - abs(printed.value)) <= reach for value in known for scale in scales)


def not_one_sentence(text: str, names: Iterable[str] = ()) -> str | None:
    """Why ``text`` is not exactly one French sentence (a French clause), or None. ``names`` are left out before looking."""
    for name in sorted((n for n in names if n), key=len, reverse=True):
        text = text.replace(name, "Nom")
    if not text.strip() or "\n" in text or text != text.strip():
        return "est vide, ou porte un retour à la ligne ou un espace de trop"
    if text[-1] not in ".!?…":
        return "ne finit pas par un point"
    if not re.match(r"[A-ZÀ-ÖØ-Þ«0-9]", text):
        return "ne commence pas par une majuscule"
    if _END.search(text):
        return "fait plus d’une phrase"
    if len(text) > 500:
        return "fait plus de 500 signes"
    if re.search(r"\d\.\d", text):
        return "écrit un nombre avec un point : prenez la virgule (bocage.contract.french.number)"
    return None if is_french(text) else "ne semble pas écrite en français"


def is_french(text: str) -> bool:
    """Whether the small words of ``text`` are French ones."""
    words = re.findall(r"[a-zà-ÿ]+", text.lower())
    french, english = sum(word in _FRENCH for word in words), sum(word in _ENGLISH for word in words)
    return french >= 1 and french > english
