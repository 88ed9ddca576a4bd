"""What the figures of an evaluation say: how much was compared, what was observed, what compares the methods; and which one stands.

The names that ``evaluate`` gives carry it: ``lignes`` beside ``lignes_attendues`` is a coverage, ``…_constatee…`` was
observed whichever method is judged, and every other figure belongs to the method.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import QuerySet

from bocage.contract.figure_names import name_and_unit, words_of
from bocage.contract.french import number
from bocage.register.models import Evaluation

Figures = Mapping[str, float]

_EXPECTED = re.compile(r"(?P<count>.+)_(?P<word>attendue?s)")
_OBSERVED = re.compile(r".*_constatee?s?(_.*)?")


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many of the ``things`` proposed were found in what happened; ``word`` is « attendus » or « attendues »."""

    things: str
    word: str
    found: float
    expected: float

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return self.found / self.expected if self.expected else 1.0

    def __str__(self) -> str:
        things = self.things if self.found >= 2 else re.sub(r"s\b", "", self.things)
        word = self.word if self.expected >= 2 else self.word.removesuffix("s")
        return f"{number(self.found)} {things} sur {number(self.expected)} {word}"


def coverages(figures: Figures) -> list[Coverage]:
    """How much was compared, in the engine's order."""
    found = [(_EXPECTED.fullmatch(name), value) for name, value in figures.items()]
    return [
        Coverage(words_of(match["count"]), match["word"], figures[match["count"]], value)
        for match, value in found
        if match and match["count"] in figures
    ]


def share_covered(figures: Figures) -> float | None:
    """The smallest share of what was proposed that was found, from 0 to 1; None where the engine does not say."""
    return min((each.share for each in coverages(figures)), default=None)


def observed(figures: Figures) -> list[str]:
    """Names of what happened, the same whichever method is judged."""
    return [name for name in figures if _OBSERVED.fullmatch(name)]


def of_the_method(figures: Figures) -> list[str]:
    """Names of the figures by which methods are compared."""
    said = {name for name in figures if _EXPECTED.fullmatch(name)}
    said |= {match["count"] for match in map(_EXPECTED.fullmatch, said) if match} | set(observed(figures))
    return [name for name in figures if name not in said]


def title(name: str) -> tuple[str, str]:
    """French title and unit of a figure: ``pire_site_pct`` → (« Pire site », « % »)."""
    words, unit = name_and_unit(name)
    return words[:1].upper() + words[1:], unit


def compares_nothing(engine: Figures, baseline: Figures) -> bool:
    """Whether nothing was found to compare: several figures, their counts among them, and every one is zero."""
    return len(engine) > 1 and not any(engine.values()) and not any(baseline.values())


def standing(evaluations: QuerySet[Evaluation]) -> dict[int, Evaluation]:
    """The evaluation that stands for each run among ``evaluations``, by run: the last one brought that compares something."""
    return {e.run_id: e for e in evaluations.order_by("run_id", "pk") if not compares_nothing(e.engine, e.baseline)}
