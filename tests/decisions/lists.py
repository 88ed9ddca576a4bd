"""A run with proposals, and the people around it, for the tests of decisions."""

from __future__ import annotations

import itertools
import json

from bocage.contract.outcome import Chart, Outcome, Recommendation, Series
from bocage.decisions.models import Proposal, RoleResult, Run
from bocage.decisions.proposals import write_proposals
from bocage.organisations.membership import Membership, Role
from bocage.organisations.models import User

_numbers = itertools.count(1)
PLACES = ("Saint-Aubin", "Bourg", "Moulin", "Les Landes", "Val-d’Aure")


def person(name: str, *roles: str, title: str = "") -> User:
    """A person with roles in the organisation in context."""
    user = User.objects.create(email=f"personne{next(_numbers)}@brenoux.example", name=name)
    for role in roles:
        Membership(user=user, role=Role(role), title=title).save()
    return user


def proposals_of(count: int = 3, **changes: object) -> list[Recommendation]:
    """``count`` volumes, each beside its usual value, the first ranked first."""
    return [
        Recommendation(
            f"{PLACES[i % len(PLACES)]} {i + 1}" if count > len(PLACES) else PLACES[i],
            "prévoir",
            1240.5 + i,
            "m³",
            (1150.0 + i, 1340.0 + i),
            1 - i / 1000,
            {"reference": 1085.0, "jour": "2026-11-21"},
        )
        for i in range(count)
    ]


def finished_run(recommendations: list[Recommendation] | None = None, chart_of: str = "") -> Run:
    """A finished run with its proposals, in the organisation in context."""
    given = proposals_of() if recommendations is None else recommendations
    run = Run(usecase="eau_demande", state=Run.State.DONE)
    run.save()
    outcome = Outcome(given, [_chart(chart_of)] if chart_of else [])
    costs = {"seconds": 1.0, "joules": 1.0, "joules_low": 1.0, "joules_high": 1.0, "cpu_seconds": 1.0, "peak_mb": 1.0}
    RoleResult(run=run, role="engine", outcome=json.loads(outcome.to_json()), energy_method="rapl", **costs).save()
    write_proposals(run, outcome, None, [f"Prévoir {rec.value} pour {rec.subject}." for rec in given])
    return run


def first_of(run: Run) -> Proposal:
    """The proposal ranked first."""
    return run.proposals.order_by("rank").first()


def _chart(subject: str) -> Chart:
    days = tuple(f"2026-11-{day:02d}" for day in range(9, 23))
    gap = (None,) * 7
    return Chart(
        "volumes",
        f"Volume à {subject}",
        days,
        (
            Series("Mesuré", "measured", (*(1000.0 + 5 * i for i in range(7)), *gap)),
            Series("Prévu", "forecast", (*gap, *(1100.0 + 9 * i for i in range(7)))),
        ),
        "m³",
        subject,
    )
