"""Strike days announced: the part of the usual meals that past strikes left, and how far it varies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit, stdtrit

from bocage.contract import french
from bocage.usecases.cantine_effectifs.forecast import Forecast
from bocage.usecases.cantine_effectifs.panel import Panel

LEAST_STRIKES = 3
STRIKE_QUANTILE = 0.8
AROUND = 5
"""Normal days on each side of a strike that tell which sites would have served."""

EDGE = 0.005
"""Parts served are kept this far from nothing and from everything: a strike that closed all says nothing more precise."""


@dataclass(frozen=True)
class StrikeShares:
    """Parts of the usual meals on a strike day: ``ordered`` (enough for four strikes in five), ``expected`` (the median one), ``low`` and
    ``high`` (90 % interval of the next strike)."""

    ordered: float
    expected: float
    low: float
    high: float


def strike_shares(panel: Panel, found: Forecast) -> StrikeShares | None:
    """What past strikes teach. None when there were fewer than ``LEAST_STRIKES``."""
    served = _past_shares(panel, found)
    if len(served) < LEAST_STRIKES:
        return None
    # Few strikes: Student's law for the next one, on a scale where a part cannot leave 0 to 1.
    scale = logit(np.clip(served, EDGE, 1 - EDGE))
    reach = stdtrit(len(scale) - 1, 0.95) * np.std(scale, ddof=1) * np.sqrt(1 + 1 / len(scale))
    low, high = expit(scale.mean() - reach), expit(scale.mean() + reach)
    return StrikeShares(float(np.quantile(served, STRIKE_QUANTILE)), float(np.median(served)), float(low), float(high))


def _past_shares(panel: Panel, found: Forecast) -> np.ndarray:
    """(past strikes with a forecast) meals served over those expected of the sites that served around that day, at most 1."""
    learnt = np.flatnonzero(panel.learnt)
    shares = []
    for day in np.flatnonzero(panel.strike[: panel.past]):
        around = np.concatenate([learnt[learnt < day][-AROUND:], learnt[learnt > day][:AROUND]])
        opened = np.isfinite(panel.reel[around]).mean(axis=0)
        served = np.isfinite(panel.reel[day])
        # The forecast of a past day is for the sites that served; a strike is judged by all those that would have.
        level = found.total[day] / panel.weight[day][served].sum()
        shares.append(float(np.nansum(panel.reel[day]) / (level * (panel.weight[day] * np.maximum(opened, served)).sum())))
    told = np.array(shares, dtype=float)
    return np.minimum(told[np.isfinite(told)], 1.0)


def strike_notes(panel: Panel, shares: StrikeShares | None) -> list[str]:
    """One sentence per coming day of strike: what its order follows."""
    days = [french.day(day.date()) for day in panel.days[panel.past :][panel.strike[panel.past :]]]
    if shares is not None:
        return [f"Grève connue le {day} : la commande suit les grèves passées ; voyez les écoles qui ferment." for day in days]
    past = int(panel.strike[: panel.past].sum())
    known = f"ne compte que {french.count(past, 'grève passée', 'grèves passées')}" if past else "ne compte aucune grève passée"
    return [
        f"Grève connue le {day} : l’historique {known}, il en faut {LEAST_STRIKES} pour dire combien d’élèves viennent. "
        "La commande est celle d’un jour ordinaire, sans fourchette : abaissez-la selon les écoles qui ferment."
        for day in days
    ]
