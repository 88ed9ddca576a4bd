"""Lines that are the total of others: when decisions part them, people are told."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bocage.contract.french import count
from bocage.decisions.decide import is_number
from bocage.decisions.models import Decision, Proposal
from bocage.decisions.saying import figure, name_of, when


@dataclass(frozen=True, slots=True)
class Total:
    """A proposal and those, at least two, of which it is the sum."""

    line: Proposal
    parts: tuple[Proposal, ...]


def totals_among(proposals: Iterable[Proposal]) -> list[Total]:
    """Each proposal whose value is exactly the sum of all those of another action, at the same moment and in the same unit.

    The contract has no word for « total »: the figures say it. All of an action must add up, of at least two figures that are not zero.
    """
    groups: dict[tuple[str, str], dict[str, list[Proposal]]] = defaultdict(lambda: defaultdict(list))
    for proposal in proposals:
        if is_number(proposal.value):
            groups[when(proposal), proposal.unit][proposal.action].append(proposal)
    found = []
    for actions in groups.values():
        # A total stands alone under its action.
        for lone in (lines[0] for lines in actions.values() if len(lines) == 1):
            parts = next((tuple(lines) for action, lines in actions.items() if action != lone.action and _add_up(lone, lines)), None)
            if parts:
                found.append(Total(lone, parts))
    return found


def _add_up(lone: Proposal, lines: list[Proposal]) -> bool:
    if sum(bool(line.value) for line in lines) < 2:
        return False
    return math.isclose(float(lone.value), math.fsum(float(line.value) for line in lines), rel_tol=1e-9, abs_tol=1e-9)


def disagreement(total: Total, standing: Mapping[int, Decision]) -> str:
    """What to tell where the decisions part a total from its parts; empty where they agree, or where nobody decided anything on them.

    A line without a decision counts as proposed; a refused one as the usual method, whose roundings are left room.
    """
    lines = (total.line, *total.parts)
    decided = [standing[line.pk] for line in lines if line.pk in standing]
    kept = [standing[line.pk].value if line.pk in standing else line.value for line in lines]
    if not decided or not all(is_number(value) for value in kept):
        return ""
    whole, parts = float(kept[0]), math.fsum(float(value) for value in kept[1:])
    rounding = 0.5 * sum(decision.verdict == Decision.Verdict.REFUSE for decision in decided)
    if abs(whole - parts) <= max(rounding, 1e-6 * abs(whole)):
        return ""
    waiting = len(lines) - len(decided)
    agreed = "comptées comme proposées" if waiting > 1 else "comptée comme proposée"
    proposed = f" ({count(waiting, 'ligne')} sans décision, {agreed})" if waiting else ""
    name, unit = name_of(total.line, year=True), total.line.unit
    return (
        f"{name}, {total.line.action} : {figure(whole, unit)}, alors que les {len(total.parts)} lignes dont c’était le total "
        f"font {figure(parts, unit)}{proposed}. Revenez sur l’une ou l’autre si ce n’est pas voulu."
    )


def disagreements(proposals: Iterable[Proposal], standing: Mapping[int, Decision], touching: Iterable[int] = ()) -> dict[int, str]:
    """What ``disagreement`` tells, by id of the total; only of the totals that the proposals ``touching`` (ids) belong to, if any."""
    wanted = set(touching)
    told = {
        total.line.pk: disagreement(total, standing)
        for total in totals_among(proposals)
        if not wanted or not wanted.isdisjoint({total.line.pk, *(part.pk for part in total.parts)})
    }
    return {pk: sentence for pk, sentence in told.items() if sentence}
