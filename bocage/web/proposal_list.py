"""The list of a run's proposals as one person reads it: filtered, ranked, cut in pages, with one proposal open."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.utils import timezone

from bocage.contract.errors import BocageError
from bocage.contract.french import hour
from bocage.decisions.decide import is_number, mark_displayed, others_present
from bocage.decisions.models import Decision, Proposal, Run
from bocage.decisions.proposals import history, standing_decisions
from bocage.organisations.membership import Permission
from bocage.web.lines import Line, chart_of, figures_of, gap, line_of, plain, shared_scale, short_moment
from bocage.web.outline import outline

PAGE = 25
STATES = (
    ("", "Toutes"),
    ("a_decider", "À décider"),
    ("decidees", "Décidées"),
    ("acceptee", "Acceptées"),
    ("modifiee", "Modifiées"),
    ("refusee", "Refusées"),
)
SORTS = (("", "Rang proposé"), ("ecart", "Écart à l’habitude"), ("valeur", "Valeur"), ("sujet", "Sujet"))


@dataclass(frozen=True, slots=True)
class Typed:
    """What a person typed in the decision form, kept when it cannot be taken."""

    verdict: str = ""
    value: str = ""
    reason: str = ""
    ticked: tuple[int, ...] = ()
    revising: bool = False
    error: str = ""
    field: str = ""

    def with_error(self, error: BocageError) -> Typed:
        """The same, with the sentence to show and the field that it is about."""
        return replace(self, error=error.message, field=getattr(error, "field", ""), revising=True)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which proposals are listed, in which order, from which page; ``batch`` shows boxes to tick."""

    words: str = ""
    state: str = ""
    sort: str = ""
    page: int = 0
    batch: bool = False

    @staticmethod
    def of(query: Mapping[str, str]) -> Selection:
        """The selection that an address asks for; what it does not know is left out."""
        page = query.get("page", "")
        return Selection(
            words=query.get("q", "").strip()[:100],
            state=query.get("etat", "") if query.get("etat") in dict(STATES) else "",
            sort=query.get("tri", "") if query.get("tri") in dict(SORTS) else "",
            page=int(page) if page.isdecimal() and len(page) < 6 else 0,
            batch=query.get("lot") == "1",
        )

    def ticking(self) -> Selection:
        """The same list, with boxes to tick."""
        return replace(self, batch=True)

    def query(self, **changes: Any) -> str:
        """The address's query for this selection, with ``changes``."""
        pairs = {"q": self.words, "etat": self.state, "tri": self.sort, "lot": "1" if self.batch else "", **changes}
        text = urlencode({key: value for key, value in pairs.items() if value})
        return f"?{text}" if text else ""

    @property
    def filtered(self) -> bool:
        """Whether some proposals are left out."""
        return bool(self.words or self.state)

    def order(self, run: Run) -> list[Proposal]:
        """The proposals of ``run`` in this selection, without their heavy columns."""
        every = list(Proposal.objects.filter(run=run).defer("evidence", "geometry").order_by("rank"))
        return self.apply(every, standing_decisions(run) if self.state else {})

    def apply(self, every: list[Proposal], standing: Mapping[int, Decision]) -> list[Proposal]:
        """Those of ``every`` that this selection keeps, in its order."""
        words = plain(self.words).split()
        kept = [p for p in every if self._has_state(standing.get(p.pk))]
        if words:
            kept = [p for p in kept if all(word in plain(f"{p.subject} {p.action} {p.sentence}") for word in words)]
        if self.sort == "ecart":
            kept.sort(key=lambda p: -abs(gap(p, p.value) or 0.0))
        elif self.sort == "valeur":
            kept.sort(key=lambda p: -p.value if is_number(p.value) else math.inf)
        elif self.sort == "sujet":
            kept.sort(key=lambda p: plain(p.subject))
        return kept

    def _has_state(self, decision: Decision | None) -> bool:
        if not self.state:
            return True
        if self.state == "a_decider":
            return decision is None
        return decision is not None and self.state in ("decidees", decision.verdict)


def list_context(request: HttpRequest, run: Run, selection: Selection, chosen: Proposal | None, typed: Typed) -> dict[str, Any]:
    """What the template needs; keeps that the lines were displayed, and that this person reads the run."""
    every = list(Proposal.objects.filter(run=run).defer("evidence", "geometry").order_by("rank"))
    standing = standing_decisions(run)
    order = selection.apply(every, standing)
    if chosen is not None and chosen.pk not in {p.pk for p in order}:
        # Opened by its address, whatever the filter says.
        order = [chosen, *order]
    opened = chosen or _first_to_open(order, standing, selection)
    pages = max(1, math.ceil(len(order) / PAGE))
    number = min(selection.page or _page_of(order, opened), pages)
    shown = _whole(order[(number - 1) * PAGE : number * PAGE])
    if chosen is None and opened is not None and opened.pk not in {p.pk for p in shown}:
        opened = next((p for p in shown if p.pk not in standing), None)
    scale = shared_scale(every)
    lines = [line_of(p, standing.get(p.pk), scale) for p in shown]
    current = next((line for line in lines if opened is not None and line.proposal.pk == opened.pk), None)
    mark_displayed(shown, request.user)
    return {
        "run": run,
        "lines": lines,
        "open": _open_context(request, run, current, typed) if current else None,
        "typed": typed,
        "selection": selection,
        "query": selection.query(),
        "others": _others(request, run, current),
        "total": len(every),
        "kept": len(order),
        "waiting": len(every) - len(standing),
        "decided": len(standing),
        "states": [(code, label, _tally(code, every, standing)) for code, label in STATES],
        "sorts": SORTS,
        "first": (number - 1) * PAGE + 1,
        "last": (number - 1) * PAGE + len(shown),
        "next_query": selection.query(page=number + 1) if number < pages else "",
        "next_count": min(PAGE, len(order) - number * PAGE),
        "previous_query": selection.query(page=number - 1) if number > 1 else "",
        "here_query": selection.query(page=number),
        "tick_query": selection.ticking().query(page=number),
        "untick_query": replace(selection, batch=False).query(page=number),
        "may_decide": Permission.DECIDER in request.granted,  # type: ignore[attr-defined]
        "scale": f"{scale * 100:.0f}",
        "comparable": any(line.dot for line in lines),
        "tickable": sum(line.decision is None for line in lines),
    }


def _first_to_open(order: list[Proposal], standing: Mapping[int, Decision], selection: Selection) -> Proposal | None:
    if selection.batch:
        return None
    return next((p for p in order if p.pk not in standing), None)


def _page_of(order: list[Proposal], opened: Proposal | None) -> int:
    place = next((i for i, p in enumerate(order) if opened is not None and p.pk == opened.pk), 0)
    return place // PAGE + 1


def _whole(page: list[Proposal]) -> list[Proposal]:
    """The proposals of a page with all their columns, in the same order."""
    whole = Proposal.objects.in_bulk([p.pk for p in page])
    return [whole[p.pk] for p in page if p.pk in whole]


def _tally(code: str, every: list[Proposal], standing: Mapping[int, Decision]) -> int:
    if not code:
        return len(every)
    if code == "a_decider":
        return len(every) - len(standing)
    return sum(code in ("decidees", decision.verdict) for decision in standing.values())


def _open_context(request: HttpRequest, run: Run, line: Line, typed: Typed) -> dict[str, Any]:
    may_decide = Permission.DECIDER in request.granted  # type: ignore[attr-defined]
    past = history(line.proposal) if line.decision else []
    return {
        "line": line,
        "chart": chart_of(run, line.proposal),
        "outline": outline(line.proposal.geometry, line.name),
        "figures": figures_of(line.proposal),
        "history": [(decision, short_moment(decision.decided_at)) for decision in past],
        "form": may_decide and (line.decision is None or typed.revising),
        "seen": line.decision.pk if line.decision else "",
        "numeric": is_number(line.proposal.value),
    }


def _others(request: HttpRequest, run: Run, current: Line | None) -> list[str]:
    sentences = []
    for other in others_present(run, request.user, current.proposal if current else None):
        sentence = f"{other.person.name} lit aussi cette page"
        if other.proposal:
            sentence += f" : proposition {other.proposal.rank} ouverte à {hour_of(other.seen_at)}"
        sentences.append(f"{sentence}.")
    return sentences


def hour_of(at: datetime) -> str:
    """« 9 h 06 » in the current time zone."""
    return hour(timezone.localtime(at))
