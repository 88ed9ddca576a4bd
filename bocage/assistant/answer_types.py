"""What the answering engine gives to the dialogue, and what the dialogue gives to it. Plain data, no database.

The engine is one function, ``bocage.assistant.answers.answer``, of the type ``Answerer``. It never writes to the dialogue: whether its
answer is kept is decided by ``handover`` when it comes back, since a person may have taken over in the meantime.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Protocol

from bocage.assistant.documents import Audience, Origin, Step, StepKind


class Kind(StrEnum):
    """What sort of answer it is: each has its own drawing."""

    ANSWER = "reponse"
    CLARIFY = "precision"
    REFUSAL = "refus"
    EMERGENCY = "urgence"
    PERSON = "humain"


class Author(StrEnum):
    """Who wrote a line of a conversation."""

    CITIZEN = "citoyen"
    MACHINE = "machine"
    AGENT = "agent"
    SYSTEM = "systeme"


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier line of the conversation, oldest first in a history."""

    author: Author
    text: str


@dataclass(frozen=True, slots=True)
class Cited:
    """One sentence of an answer, word for word as its source has it, and where it stands there."""

    text: str
    title: str
    path: tuple[str, ...] = ()
    """Headings from the top of the document down, without its title."""
    url: str = ""
    updated_on: date | None = None
    origin: Origin = Origin.LOCAL
    licence: str = ""
    publisher: str = ""
    document: str = ""
    """Identifier of the document in its source."""
    stale: bool = False
    """The source is more than twelve months old: the page says so beside the sentence."""
    case: tuple[str, ...] = ()
    """Branches that must hold for the sentence to be true, outermost first."""


@dataclass(frozen=True, slots=True)
class Worded:
    """One sentence of a language model, and the place in ``Answer.sentences`` of the passage that entails it."""

    text: str
    source: int


@dataclass(frozen=True, slots=True)
class Option:
    """One branch to choose from when the engine asks back."""

    label: str
    question: str = ""
    """What is asked when the person chooses it; the label when empty."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the engine says to one question. ``joules`` is what the answer consumed, ``confidence`` lies between 0 and 1."""

    kind: Kind
    sentences: tuple[Cited, ...] = ()
    options: tuple[Option, ...] = ()
    steps: tuple[Step, ...] = ()
    notice: str = ""
    """One sentence to read with the answer: « Cette fiche a plus de douze mois. »"""
    reason: str = ""
    """Why there is no answer, or what is asked back, in one French sentence said to the person."""
    joules: float = 0.0
    confidence: float = 0.0
    near: tuple[Cited, ...] = ()
    """Passages that came close: shown folded to the public, side by side to an agent."""
    worded: tuple[Worded, ...] = ()
    """The answer as a language model words it, where one is configured: each sentence is entailed by the passage it names."""
    model: str = ""
    """The model that was asked, even when nothing that it wrote was kept."""
    energy_partial: bool = False
    """The energy of the model is not known: ``joules`` leaves it out."""
    lang: str = ""
    """The language of ``reason`` where it is not French (BCP 47), for those who hear the page read."""

    @property
    def text(self) -> str:
        """The answer as plain text: sentences, else what is said instead."""
        said = "\n".join(sentence.text for sentence in self.sentences)
        return said or self.reason or self.notice

    def to_json(self) -> dict[str, Any]:
        """Plain JSON: dates as ISO 8601. ``from_json`` reads it back equal."""
        return {
            "kind": self.kind.value,
            "sentences": [_cited_json(sentence) for sentence in self.sentences],
            "options": [{"label": option.label, "question": option.question} for option in self.options],
            "steps": [{"kind": step.kind.value, "label": step.label, "target": step.target} for step in self.steps],
            "notice": self.notice,
            "reason": self.reason,
            "joules": self.joules,
            "confidence": self.confidence,
            "near": [_cited_json(sentence) for sentence in self.near],
            "worded": [{"text": sentence.text, "source": sentence.source} for sentence in self.worded],
            "model": self.model,
            "energy_partial": self.energy_partial,
            "lang": self.lang,
        }

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Answer:
        """The answer that ``to_json`` wrote. Raises ``KeyError`` or ``ValueError`` on anything else."""
        return cls(
            kind=Kind(found["kind"]),
            sentences=tuple(map(_cited, found["sentences"])),
            options=tuple(Option(option["label"], option["question"]) for option in found["options"]),
            steps=tuple(Step(StepKind(step["kind"]), step["label"], step["target"]) for step in found["steps"]),
            notice=found["notice"],
            reason=found["reason"],
            joules=float(found["joules"]),
            confidence=float(found["confidence"]),
            near=tuple(map(_cited, found["near"])),
            # Answers written before a model was configured have none of these.
            worded=tuple(Worded(sentence["text"], int(sentence["source"])) for sentence in found.get("worded", ())),
            model=found.get("model", ""),
            energy_partial=bool(found.get("energy_partial", False)),
            lang=found.get("lang", ""),
        )


class Answerer(Protocol):
    """The engine: ``answer(question, history, audience, organisation, now)``.

    ``organisation`` is the row of the commune, whose context is entered; ``history`` is oldest first and without the question; ``now`` is
    aware, in the commune's time zone. It may raise: the person is then told that the search does not answer, and shown the way to a human.
    """

    def __call__(self, question: str, history: Sequence[Turn], audience: Audience, organisation: Any, now: datetime) -> Answer: ...


def _cited_json(sentence: Cited) -> dict[str, Any]:
    return {
        "text": sentence.text,
        "title": sentence.title,
        "path": list(sentence.path),
        "url": sentence.url,
        "updated_on": sentence.updated_on.isoformat() if sentence.updated_on else None,
        "origin": sentence.origin.value,
        "licence": sentence.licence,
        "publisher": sentence.publisher,
        "document": sentence.document,
        "stale": sentence.stale,
        "case": list(sentence.case),
    }


def _cited(found: Mapping[str, Any]) -> Cited:
    return Cited(
        text=found["text"],
        title=found["title"],
        path=tuple(found["path"]),
        url=found["url"],
        updated_on=date.fromisoformat(found["updated_on"]) if found["updated_on"] else None,
        origin=Origin(found["origin"]),
        licence=found["licence"],
        publisher=found["publisher"],
        document=found["document"],
        stale=bool(found["stale"]),
        case=tuple(found["case"]),
    )
