"""What the register tells of the assistant: numbers by month, never a word of anyone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from bocage.assistant.answer_types import Answer, Kind
from bocage.assistant.configuration import configuration
from bocage.assistant.documents import Audience
from bocage.assistant.models import DayCount
from bocage.assistant.transitions import add_to_day
from bocage.contract.fiche import Fiche, read_fiche

FICHE = Path(__file__).parent / "fiche.toml"
_FIELDS = ("questions", "answers", "clarifications", "refusals", "emergencies", "requests", "good", "bad", "joules")
_COUNTED_AS = {Kind.ANSWER: "answers", Kind.CLARIFY: "clarifications", Kind.REFUSAL: "refusals", Kind.EMERGENCY: "emergencies"}
"""Where an answer is counted; a question that goes to a person is counted as their request."""
MONTHS_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts of one period, and the shares drawn from them (None when nothing was counted)."""

    questions: int = 0
    answers: int = 0
    clarifications: int = 0
    refusals: int = 0
    emergencies: int = 0
    requests: int = 0
    good: int = 0
    bad: int = 0
    joules: float = 0.0

    @property
    def answered_share(self) -> float | None:
        """Of the questions, those that got a sourced answer."""
        return _share(self.answers, self._asked)

    @property
    def refused_share(self) -> float | None:
        """Of the questions, those that were politely refused."""
        return _share(self.refusals, self._asked)

    @property
    def handed_over_share(self) -> float | None:
        """Of all that was asked, questions and requests for a person together, the requests: some ask for a person and nothing else."""
        return _share(self.requests, self._asked + self.requests)

    @property
    def bad_share(self) -> float | None:
        """Of the answers that were judged, those said to be bad."""
        return _share(self.bad, self.good + self.bad)

    @property
    def joules_per_answer(self) -> float | None:
        """Energy of one question, answered or not."""
        return self.joules / self._asked if self._asked else None

    @property
    def _asked(self) -> int:
        """Questions, at least as many as were answered: one put just before midnight counts for the day before its answer."""
        return max(self.questions, self.answers + self.clarifications + self.refusals + self.emergencies)


@dataclass(frozen=True, slots=True)
class Report:
    """The assistant of one organisation, for its register."""

    fiche: Fiche
    in_service: bool
    audiences: tuple[str, ...]
    retention_days: int
    total: Figures
    months: tuple[tuple[date, Figures], ...] = field(default=())
    """First day of the month and its figures, oldest first, the last twelve that have any."""


def report() -> Report | None:
    """What the register shows of the assistant of the organisation in context; None where it never was in service."""
    settings = configuration()
    days = list(DayCount.objects.order_by("day").values("day", *_FIELDS))
    if not settings.audiences and not days:
        return None
    months: dict[date, list[dict[str, float]]] = {}
    for day in days:
        months.setdefault(day.pop("day").replace(day=1), []).append(day)
    return Report(
        read_fiche(FICHE),
        bool(settings.audiences),
        tuple(sorted(audience.value for audience in settings.audiences)),
        settings.retention_days,
        _sum(row for rows in months.values() for row in rows),
        tuple((first, _sum(rows)) for first, rows in sorted(months.items())[-MONTHS_SHOWN:]),
    )


def count_answer(audience: Audience, answer: Answer) -> None:
    """Count for today a question that was put outside any conversation, by the API, and its answer: numbers only."""
    add_to_day(audience.value, questions=1, joules=answer.joules, **counted(answer))


def counted(answer: Answer) -> dict[str, float]:
    """What an answer adds to the counts of its day. A courtesy is no sourced answer: it cites nothing."""
    sourced = answer.kind != Kind.ANSWER or bool(answer.sentences)
    return {_COUNTED_AS[answer.kind]: 1} if sourced and answer.kind in _COUNTED_AS else {}


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _sum(rows: Iterable[dict[str, float]]) -> Figures:
    totals = dict.fromkeys(_FIELDS, 0.0)
    for row in rows:
        for name in _FIELDS:
            totals[name] += row[name]
    return Figures(**{name: value if name == "joules" else int(value) for name, value in totals.items()})  # type: ignore[arg-type]
