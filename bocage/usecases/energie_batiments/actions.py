"""Works and settings whose savings are to be verified: each one is judged, or the reason why it is not is said."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bocage.contract import french
from bocage.usecases.energie_batiments import savings
from bocage.usecases.energie_batiments.daily import Calendar

Saved = tuple[str, float, float, float, float, int]
"""Label, kWh saved, low and high bounds, share of what was foreseen, days."""


@dataclass(frozen=True)
class Action:
    """An action on one meter, days included."""

    point: str
    first: pd.Timestamp
    last: pd.Timestamp
    label: str


def judge(own: Iterable[Action], day: np.ndarray, known: Calendar, temperature: np.ndarray | None) -> tuple[list[Saved], list[str]]:
    """What each action of one meter saved, and a French note for each that cannot be judged. ``day`` (1, days) kWh of standard days."""
    result: list[Saved] = []
    notes: list[str] = []
    for action in own:
        first, last = (int(known.days.searchsorted(stamp)) for stamp in (action.first, action.last))
        before, after = slice(max(0, first - savings.BASE_DAYS), first), slice(last + 1, last + 1 + savings.BASE_DAYS)
        lacking = _lacking(*(int(np.isfinite(day[0, part]).sum()) for part in (before, after)))
        if lacking is None:
            found = savings.savings(day, known, temperature, before, after)
            lacking = None if np.isfinite(found.kwh[0]) else "la consommation attendue est nulle ; vérifiez les relevés du compteur."
        if lacking is not None:
            notes.append(f"{_named(action)} n’est pas jugée : {lacking}")
            continue
        kwh, low, high, share = (round(float(x[0]), 4) for x in (found.kwh, found.low, found.high, found.share))
        result.append((action.label, kwh, low, high, share, int(found.days[0])))
    return result, notes


def too_rare(own: Iterable[Action]) -> list[str]:
    """A French note for each action on a meter that is read too rarely."""
    return [f"{_named(action)} n’est pas jugée : ses relevés sont trop espacés ; donnez-les jour par jour." for action in own]


def unknown(actions: Iterable[Action], points: Iterable[str]) -> list[str]:
    """A French note for each action on a meter that is not among ``points``, those that have readings."""
    read = set(points)
    why = "aucun relevé de ce compteur n’est donné ; vérifiez son numéro, ou donnez ses relevés."
    return [f"{_named(action)} n’est pas jugée : {why}" for action in actions if action.point not in read]


def _lacking(before: int, after: int) -> str | None:
    """What an action lacks to be judged, given how many known days come before and after it; None when it lacks nothing."""
    if before < savings.LEAST_BASE:
        count = french.count(before, "jour connu la précède", "jours connus la précèdent")
        return f"{count} dans l’année d’avant, il en faut {savings.LEAST_BASE} ; donnez des relevés plus anciens."
    if after < savings.LEAST_AFTER:
        count = french.count(after, "jour connu la suit", "jours connus la suivent")
        return f"{count}, il en faut {savings.LEAST_AFTER} ; recommencez quand ils seront là."
    return None


def _named(action: Action) -> str:
    day = french.day(action.first.date(), weekday=False, year=True)
    return f"L’action « {action.label} » du {day} sur le compteur {action.point}"
