"""What the register tells of the assistant: numbers by month, never a word of anyone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from bocage.assistant.configuration import configuration
from bocage.assistant.models import DayCount
from bocage.contract.fiche import Fiche, read_fiche

FICHE = Path(__file__).parent / "fiche.toml"
_FIELDS = ("questions", "answers", "clarifications", "refusals", "emergencies", "requests", "good", "bad", "joules")
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
        """Questions that got a sourced answer."""
        return self._share(self.answers)

    @property
    def refused_share(self) -> float | None:
        """Questions that were politely refused."""
        return self._share(self.refusals)

    @property
    def handed_over_share(self) -> float | None:
        """Questions after which a person was asked for."""
        return self._share(self.requests)

    @property
    def bad_share(self) -> float | None:
        """Answers said to be bad, of those that were judged."""
        judged = self.good + self.bad
        return self.bad / judged if judged else None

    @property
    def joules_per_answer(self) -> float | None:
        """Energy of one question, answered or not."""
        return self.joules / self.questions if self.questions else None

    def _share(self, part: int) -> float | None:
        return part / self.questions if self.questions else None


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


def last_days(days: int, today: date) -> Figures:
    """Figures of the last ``days`` days, today included."""
    return _sum(DayCount.objects.filter(day__gt=today - timedelta(days=days), day__lte=today).values(*_FIELDS))


def _sum(rows: Iterable[dict[str, float]]) -> Figures:
    totals = dict.fromkeys(_FIELDS, 0.0)
    for row in rows:
        for name in _FIELDS:
            totals[name] += row[name]
    return Figures(**{name: value if name == "joules" else int(value) for name, value in totals.items()})  # type: ignore[arg-type]
