"""How a proposal is said, everywhere it is told: what it is about, when, and its figures."""

from __future__ import annotations

from datetime import date

from bocage.contract import french
from bocage.decisions.models import Proposal

_DAY_KEYS = ("jour", "date")
_MAX_PERIOD = 60


def moment_of(proposal: Proposal) -> date | str | None:
    """The day that the proposal is about (evidence « jour » or « date », ISO), or its period in words (« periode »); None where neither."""
    for key in _DAY_KEYS:
        text = proposal.evidence.get(key)
        if isinstance(text, str):
            try:
                return date.fromisoformat(text[:10])
            except ValueError:
                continue
    period = proposal.evidence.get("periode")
    return period.strip()[:_MAX_PERIOD] or None if isinstance(period, str) else None


def when(proposal: Proposal, year: bool = True) -> str:
    """« samedi 21 novembre 2026 » (no year unless ``year``), « mars 2024 » as the engine says it; empty where nothing says when."""
    moment = moment_of(proposal)
    return french.day(moment, year=year) if isinstance(moment, date) else moment or ""


def name_of(proposal: Proposal, year: bool = False) -> str:
    """What the proposal is about and when: « Saint-Aubin, samedi 21 novembre ». A subject that is itself that day is said once."""
    said = when(proposal, year)
    moment = moment_of(proposal)
    if isinstance(moment, date) and proposal.subject == moment.isoformat():
        return said
    return f"{proposal.subject}, {said}" if said else proposal.subject


def figure(value: float, unit: str = "") -> str:
    """A number as it will leave the system, every digit up to three decimals, with its unit: « 1 240,5 m³ »."""
    return french.number(value, next((d for d in range(3) if round(value, d) == value), 3), unit)
