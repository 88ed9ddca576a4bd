"""How a proposal reads on a page: its title, its state, its distance from the usual method, its figures."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.safestring import SafeString

from bocage.contract import french
from bocage.contract.figure_names import name_and_unit
from bocage.decisions.decide import is_number
from bocage.decisions.models import Decision, Proposal, Run
from bocage.decisions.saying import figure, moment_of, name_of
from bocage.web.charts import axis_label, dot_plot, gap_scale, line_chart


@dataclass(frozen=True, slots=True)
class Line:
    """One proposal of a list, ready for the template."""

    proposal: Proposal
    decision: Decision | None
    name: str
    title: str
    proposed: str
    usual: str
    state: str
    label: str
    when: str
    dot: SafeString


def line_of(proposal: Proposal, decision: Decision | None, scale: float) -> Line:
    """The line of ``proposal``, with the decision that holds on it; ``scale`` is the half-width shared by all dot plots."""
    proposed = amount(proposal.value, proposal.unit)
    name = name_of(proposal)
    label = decision.get_verdict_display() if decision else "À décider"
    if decision and decision.verdict == Decision.Verdict.AMEND:
        label = f"{label} : {amount(decision.value, proposal.unit)}"
    return Line(
        proposal=proposal,
        decision=decision,
        name=name,
        title=f"{name} : {_proposed_action(proposal.action, proposed)}",
        proposed=proposed,
        usual=amount(proposal.reference, proposal.unit),
        state=decision.verdict if decision else "a_decider",
        label=label,
        when=short_moment(decision.decided_at) if decision else "",
        dot=_dot(proposal, scale),
    )


def _proposed_action(action: str, proposed: str) -> str:
    """« prévoir 1 240 m³ », « préparer le volume du jour, 1 240 m³ »."""
    if not proposed:
        return action
    return f"{action}{', ' if ' ' in action else ' '}{proposed}"


def amount(value: object, unit: str = "") -> str:
    """A value as it will leave the system: every digit up to three decimals, with its unit; text as it is; nothing for None."""
    if value is None or value == "":
        return ""
    if not is_number(value):
        return str(value)
    assert isinstance(value, (int, float))
    return figure(value, unit)


def short_moment(at: datetime) -> str:
    """« 9 h 04 » today, « 21 novembre à 9 h 04 » before."""
    local = timezone.localtime(at)
    if local.date() == timezone.localdate():
        return french.hour(local)
    return f"{french.day(local, weekday=False)} à {french.hour(local)}"


def gap(proposal: Proposal, value: object) -> float | None:
    """Distance of ``value`` from the usual method, as a share of it; None where they cannot be compared."""
    reference = proposal.reference
    if not is_number(value) or not is_number(reference) or not reference:
        return None
    return float((value - reference) / abs(reference))  # type: ignore[operator]


def shared_scale(proposals: Iterable[Proposal]) -> float:
    """One half-width for the dot plots of all of ``proposals``, from the widest gap of each."""
    known = [[g for value in (p.value, p.low, p.high) if (g := gap(p, value)) is not None] for p in proposals]
    return gap_scale([max(gaps, key=abs) for gaps in known if gaps])


def _dot(proposal: Proposal, scale: float) -> SafeString:
    if gap(proposal, proposal.value) is None:
        return SafeString("")
    return dot_plot(proposal.value, proposal.low, proposal.high, proposal.reference, scale)


def chart_of(run: Run, proposal: Proposal) -> SafeString:
    """The engine's chart of the proposal's subject; empty when it drew none."""
    result = run.results.filter(role="engine").first()
    artifacts: list[dict[str, Any]] = (result.outcome or {}).get("artifacts", []) if result else []
    for artifact in artifacts:
        if artifact.get("kind") == "chart" and artifact.get("subject") == proposal.subject:
            moment = moment_of(proposal)
            mark = moment.isoformat() if isinstance(moment, date) else moment or ""
            return line_chart(artifact, f"graphique-{proposal.rank}", finding=proposal.sentence, beside_form=True, mark=mark)
    return SafeString("")


def figures_of(proposal: Proposal) -> list[tuple[str, str]]:
    """Everything that the proposal carries, named, for whoever wants to check."""
    rows = [
        ("Proposé", amount(proposal.value, proposal.unit)),
        ("Intervalle", _interval(proposal)),
        ("Méthode habituelle", amount(proposal.reference, proposal.unit)),
    ]
    evidence: Mapping[str, Any] = proposal.evidence or {}
    named = [(_figure_name(key), value) for key, value in evidence.items() if key != "reference"]
    rows += [(name[:1].upper() + name[1:], _figure(value)) for name, value in named]
    return [(name, text) for name, text in rows if text]


def _figure_name(key: str) -> str:
    """« reference_agents » → « référence agents », « niveau_pct » → « niveau (%) »."""
    words, unit = name_and_unit(key)
    return f"{words} ({unit})" if unit else words


def _interval(proposal: Proposal) -> str:
    if proposal.low is None or proposal.high is None:
        return ""
    return f"de {amount(proposal.low)} à {amount(proposal.high, proposal.unit)}"


def _figure(value: object) -> str:
    if isinstance(value, bool):
        return "oui" if value else "non"
    if isinstance(value, str):
        return axis_label(value)
    if isinstance(value, list):
        return ", ".join(_figure(item) for item in value[:12]) + (" …" if len(value) > 12 else "")
    if isinstance(value, dict):
        return ", ".join(f"{_figure_name(key)} : {_figure(item)}" for key, item in list(value.items())[:12])
    return amount(value)


def plain(text: str) -> str:
    """Lower case without accents, for searching."""
    return "".join(c for c in unicodedata.normalize("NFD", text.lower()) if not unicodedata.combining(c))
