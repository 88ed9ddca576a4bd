"""Whether a passage says a sentence: one of its claims, whole. Strict by construction, and the same every time.

A passage is cut into claims: a sentence with the exceptions that follow it, an item with the line that introduces it, a row with the cell
that names it. A sentence is entailed when, written in one way (``same_words``), it is one claim word for word. What may differ is listed:
the other words for the same thing of ``data/wording.toml``; an adjunct moved whole from the front to the end or back; label and value of a
row joined by « coûte », « est », « pour »; hours left out after the days on which something is open; two claims joined by « et ». Nothing
else can be left out, moved or added, so no condition, number, negation or audience can.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from bocage.assistant.claims import Claim, Way, claims
from bocage.assistant.same_words import KNOWN, Said, plain, said

_ADJUNCTS, _JOINTS, _DANGLING, _LIMITERS = (frozenset(KNOWN[name]) for name in ("adjuncts", "joints", "dangling", "limiters"))
_CONNECTORS = tuple(said(word) for word in KNOWN["connectors"])
_PRICE_CONNECTORS = _CONNECTORS + tuple(said(word) for word in KNOWN["price_connectors"])
_DAYS, _MONTHS = frozenset(KNOWN["days"]), frozenset(KNOWN["months"])
_HOURS = re.compile(r"^(.*?) (?:(?:et )?de \d+h\d* à \d+h\d*(?: |$))+$")
_LONGEST = 600  # characters; a longer sentence is no simpler wording, and would only keep the server busy
_NEVER_SHORTENED = frozenset({"ne", "si", "sauf", "hors", "que", *KNOWN["exceptions"]}) - {"et"}


def _alternatives(words: Sequence[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


_IMPERSONAL = re.compile(rf"\b(?:{_alternatives(KNOWN['impersonal'])})\b")
_ANAPHORIC = re.compile(
    rf"(?<![\w-])(?:{_alternatives(KNOWN['anaphoric'])})(?![\w-])|^\W*(?:{_alternatives(KNOWN['anaphoric_openings'])})(?![\w'-])"
)


def place_of(sentence: str, passage: str, conditions: tuple[str, ...] = ()) -> int | None:
    """The place among the passage's claims of the one that is ``sentence`` (the last, of several), None when none is.

    ``conditions`` hold for the whole passage: the sentence must state them.
    """
    sentence = re.sub(r"[*_#]+", "", sentence).strip()
    if sentence.endswith("?") or len(sentence) > _LONGEST:
        return None
    return _place(said(sentence), claims(passage, conditions))


def anaphoric(sentence: str) -> bool:
    """Whether the sentence speaks of something said before it (« Elle est fermée »): alone, nobody knows of what."""
    return bool(_ANAPHORIC.search(_IMPERSONAL.sub(" ", plain(sentence))))


def _place(sentence: Said, found: tuple[Claim, ...]) -> int | None:
    place = next((n for n, claim in enumerate(found) if _is(claim, sentence)), None)
    if place is not None:
        return place
    ands = (n for n, word in enumerate(sentence.words) if word == "et" and 1 < n < len(sentence) - 2)
    seconds = (_place(sentence.part(n + 1), found) for n in ands if any(_is(claim, sentence.part(0, n)) for claim in found))
    return next((second for second in seconds if second is not None), None)


def _is(claim: Claim, sentence: Said) -> bool:
    return any(_row(way, sentence) if len(way.free) > 1 else _same(way.free[0], sentence) for way in claim)


def _same(claim: Said, sentence: Said) -> bool:
    return any(form.says(sentence) for form in _forms(claim)) or any(_ended(claim, form, at) for form, at in _moved(sentence))


@lru_cache(maxsize=1024)
def _forms(claim: Said) -> tuple[Said, ...]:
    """The claim itself, with its first adjunct at its end, and without the hours after its days of opening."""
    shorter = _without_hours(claim)
    moved = [form for form, at in _moved(claim) if not _JOINTS & set(form.words[:at])]
    return (claim, *moved, *([shorter] if shorter else []))


def _ended(claim: Said, moved: Said, at: int) -> bool:
    """Whether the claim ends with what ``moved`` had first: after a pause, or in a sentence of one part only."""
    if claim.words != moved.words or not (claim.pauses[at - 1] or not _JOINTS & set(moved.words[:at])):
        return False
    return claim.says(Said(moved.words, tuple(pause and n != at - 1 for n, pause in enumerate(moved.pauses))))


def _moved(sentence: Said) -> Iterator[tuple[Said, int]]:
    """The sentence with what stands before its first pause put last, and where that now begins, where that leaves both whole."""
    at = next((n + 1 for n, pause in enumerate(sentence.pauses[:-1]) if pause), 0)
    front, rest = sentence.part(0, at), sentence.part(at)
    if not at or front.words[0] not in _ADJUNCTS | _DAYS or rest.words[-1] in _DANGLING or rest.words[0] in _JOINTS:
        return
    if _LIMITERS & set(rest.words):
        return
    if front.words[0] == "à" and any(word[0].isdigit() or word in _DAYS | _MONTHS for word in front.words):
        return  # The end of « de 9 h à 12 h » is no adjunct.
    yield rest + front, len(rest)


def _without_hours(claim: Said) -> Said | None:
    """« Ouvert du mardi au samedi » for « ouvert du mardi au samedi, de 9 h à 12 h et de 14 h à 18 h »: true of the days that it names."""
    ending = _HOURS.search(" ".join(claim.words))
    if ending is None or _NEVER_SHORTENED & set(claim.words):
        return None
    shorter = claim.part(0, len(ending[1].split()))
    opens = any(word.startswith("ouvert") for word in shorter.words) and "et" not in shorter.words
    return shorter if opens and shorter.words[-1] in _DAYS | _MONTHS else None


def _row(way: Way, sentence: Said) -> bool:
    priced = any(word.endswith("€") or word.startswith("gratuit") for part in way.free for word in part.words)
    return _joined(way, sentence, _PRICE_CONNECTORS if priced else _CONNECTORS)


def _joined(way: Way, sentence: Said, connectors: tuple[Said, ...]) -> bool:
    """Whether the sentence is every part, whole and once, with only connecting words between."""
    if not len(sentence):
        return not way.free and not way.ordered
    left = [(part, Way(way.free[:n] + way.free[n + 1 :], way.ordered)) for n, part in enumerate(way.free)]
    left += [(way.ordered[0], Way(way.free, way.ordered[1:]))] if way.ordered else []
    left += [(word, way) for word in connectors]
    return any(part.says(sentence.part(0, len(part))) and _joined(after, sentence.part(len(part)), connectors) for part, after in left)
