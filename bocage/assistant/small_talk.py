"""Courtesy, insults and questions about the assistant itself: short answers written beforehand (``data/small_talk.toml``).

Only when a message is nothing else: « bonjour, où est la mairie » is a question, and « merci, et pour un mineur ? » leans on the last.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from django.urls import reverse

from bocage.assistant.answer_types import Answer, Kind
from bocage.assistant.configuration import configuration
from bocage.assistant.documents import Step, StepKind
from bocage.assistant.improving import language_model
from bocage.assistant.mail import portal_address
from bocage.assistant.screening_words import settings
from bocage.organisations.models import Organisation

_LONGEST = 120
"""Characters of a message that says only this."""


@dataclass(frozen=True, slots=True)
class Itself:
    """What the assistant says of itself: whose it is, days that a conversation is kept, the language model if there is one, its page in the
    register."""

    organisation: str = "la collectivité"
    retention_days: int = 30
    model: str = ""
    register: str = ""


def itself_in(organisation: Organisation) -> Itself:
    """The assistant of ``organisation``, whose context is entered, as it is set today."""
    model = language_model()
    page = portal_address(reverse("web:register_assistant", kwargs={"organisation": organisation.slug}))
    return Itself(organisation.name, configuration().retention_days, model.model if model else "", page)


def small_talk(question: str, first: bool, itself: Callable[[], Itself]) -> Answer | None:
    """The answer to a message that asks nothing of the town hall; None for any other. ``first``: nothing was asked before.

    ``itself`` is called only when something is said.
    """
    said = _said(question, first)
    return None if said is None else _answer(said, itself())


def is_small_talk(text: str) -> bool:
    """Whether ``text`` is nothing but that, wherever it stands: what is asked next does not lean on it."""
    return _said(text, first=False) is not None


@dataclass(frozen=True, slots=True)
class _Said:
    pattern: re.Pattern[str]
    answer: str
    register: bool
    first: bool


def _said(question: str, first: bool) -> _Said | None:
    if len(question) > _LONGEST:
        return None
    whole, politeness = _plain(question), _politeness()
    bare = " ".join(politeness.sub(" ", whole).split())
    # « merci », « bonjour merci »: nothing but politeness is itself answered, by the word that came last.
    words = (whole, bare) if bare else (whole, *reversed(politeness.findall(whole)))
    return next((each for text in words for each in _all() if (first or not each.first) and each.pattern.fullmatch(text)), None)


def _answer(said: _Said, itself: Itself) -> Answer:
    data = settings("small_talk")
    model = data["avec_modele"].format(nom=itself.model) if itself.model else data["sans_modele"]
    days = f"{itself.retention_days} jour{'s' if itself.retention_days > 1 else ''}"
    text = said.answer.format(organisation=itself.organisation, jours=days, modele=model)
    more = (
        (Step(StepKind.PAGE, "Ce que le registre public dit de l’assistant", itself.register),) if said.register and itself.register else ()
    )
    return Answer(Kind.ANSWER, steps=more, reason=text, confidence=1.0)


def _plain(text: str) -> str:
    """Lower case, no accents, words separated by one space."""
    letters = unicodedata.normalize("NFKD", text.lower().replace("œ", "oe"))
    return " ".join(re.sub(r"[^a-z0-9]+", " ", "".join(c for c in letters if not unicodedata.combining(c))).split())


@lru_cache(maxsize=1)
def _politeness() -> re.Pattern[str]:
    longest_first = sorted(settings("small_talk")["politesse"], key=len, reverse=True)
    return re.compile(rf"\b(?:{'|'.join(longest_first)})\b")


@lru_cache(maxsize=1)
def _all() -> tuple[_Said, ...]:
    data = settings("small_talk")
    ways = "|".join(sorted(data["es"], key=len, reverse=True))
    return tuple(
        _Said(
            re.compile("|".join(f"(?:{pattern.replace('{es}', ways)})" for pattern in entry["motifs"])),
            entry["reponse"],
            entry.get("registre", False),
            entry.get("premier", False),
        )
        for entry in data["propos"]
    )
