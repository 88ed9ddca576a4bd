"""Propose, for each day to come, how many meals to order for the town and for each school canteen.

``prediction`` reads the tables and forecasts; here the orders become proposals, charts and tables that a person reads and amends.
"""

from __future__ import annotations

from typing import ClassVar, cast

import numpy as np
import pandas as pd
from pydantic import BaseModel, JsonValue

from bocage.contract.outcome import Outcome, Recommendation
from bocage.contract.rows import FileInput, Row
from bocage.contract.usecase import Inputs, Resources, Truth
from bocage.methods.truth import Lines, unmatched
from bocage.usecases.cantine_effectifs.cleaning import one_per_cell
from bocage.usecases.cantine_effectifs.forecast import Effort
from bocage.usecases.cantine_effectifs.pictures import artifacts
from bocage.usecases.cantine_effectifs.prediction import Answer, answer
from bocage.usecases.cantine_effectifs.rows import (
    CantineEffectifsParams,
    CorrespondanceRow,
    EffectifRow,
    FrequentationRow,
    GreveRow,
    MenuRow,
    PeseeRow,
    ServiRow,
)
from bocage.usecases.cantine_effectifs.wording import sentence, top_factors

ORDER_TOWN = "commander pour toute la ville"
ORDER_SITE = "commander pour le site"


class CantineEffectifs:
    """Town total, then sites, then one margin; against the agents’ forecast, or the last four same weekdays and a margin."""

    inputs: ClassVar[dict[str, type[Row] | FileInput]] = {
        "frequentation": FrequentationRow,
        "effectifs": EffectifRow,
        "correspondances": CorrespondanceRow,
        "menus": MenuRow,
        "greves": GreveRow,
    }
    truth: ClassVar[dict[str, type[Row]]] = {"repas_servis": ServiRow, "pesees": PeseeRow}
    params: ClassVar[type[BaseModel]] = CantineEffectifsParams

    def run(self, inputs: Inputs, params: BaseModel, res: Resources) -> Outcome:
        """Orders for the town and each site. Raises ``NotEnoughData`` when fewer than forty normal days were served."""
        found = answer(inputs, cast(CantineEffectifsParams, params), seconds=res.seconds, tell=res.progress)
        result = _outcome(found, usual=False)
        res.progress(1.0, "Terminé")
        return result

    def baseline(self, inputs: Inputs, params: BaseModel, res: Resources) -> Outcome:
        """The agents’ forecast where the file has one, else the last four same weekdays and a margin. Subjects and errors are ``run``’s."""
        light = Effort(0, 0)
        return _outcome(answer(inputs, cast(CantineEffectifsParams, params), seconds=res.seconds, effort=light), usual=True)

    def evaluate(self, outcome: Outcome, truth: Truth) -> dict[str, float]:
        """Against the meals served: ``ecart_par_site`` (mean absolute gap, meals per site and day), ``surproduction_pct``
        (ordered over served), ``jours_courts`` (days when the town ran short), ``pire_site_pct`` (share of short days of the worst site);
        on how many lines and days of how many; ``restes_constates_par_repas_g`` when leftovers were weighed (of what was really ordered,
        whoever proposed it). Raises ``NotEnoughData`` when no order of a site and day has its meals served."""
        ordered = _ordered(outcome)
        # Repeated lines are read here as in the past: what was told of the inputs need not be told again.
        served = one_per_cell(truth["repas_servis"], ["reel"], [])
        served["date"] = pd.to_datetime(served["date"])
        both = ordered.merge(served[served["reel"] > 0], on=["site_nom", "date"])
        if both.empty:
            lines = (Lines(table["site_nom"], table["date"], step) for table, step in ((ordered, "jour"), (served, "")))
            raise unmatched(("site", "sites"), *lines)
        gap = both["commande"] - both["reel"]
        days = gap.groupby(both["date"]).sum()
        result = {
            "ecart_par_site": float(gap.abs().mean()),
            "surproduction_pct": float(100 * gap.sum() / both["reel"].sum()),
            "jours_courts": float((days < 0).sum()),
            "pire_site_pct": float(100 * (gap < 0).groupby(both["site_nom"]).mean().max()),
            "lignes": float(len(both)),
            "lignes_attendues": float(len(ordered)),
            "jours": float(len(days)),
            "jours_attendus": float(ordered["date"].nunique()),
        }
        return result | _leftovers(truth.get("pesees"), both)

    def explain(self, rec: Recommendation) -> str:
        """One French sentence; every number in it is in ``rec``."""
        return sentence(rec)


def _ordered(outcome: Outcome) -> pd.DataFrame:
    """The order of each site and day. Read from the proposals, so that orders which a person amended are measured alike."""
    lines = [(rec.subject, str(rec.evidence["jour"]), rec.value) for rec in outcome.recommendations if rec.action == ORDER_SITE]
    return pd.DataFrame(lines, columns=["site_nom", "date", "commande"]).astype({"date": "datetime64[ns]", "commande": float})


def _leftovers(weighed: pd.DataFrame | None, both: pd.DataFrame) -> dict[str, float]:
    """Grams left per meal served, over the sites and days that weighed; nothing when none did."""
    if weighed is None or weighed.empty:
        return {}
    table = weighed[["site_nom", "date", "restes_kg"]].assign(date=pd.to_datetime(weighed["date"]))
    pairs = table.groupby(["site_nom", "date"], as_index=False)["restes_kg"].sum().merge(both, on=["site_nom", "date"])
    if pairs.empty:
        return {}
    grams = float(1000 * pairs["restes_kg"].sum() / pairs["reel"].sum())
    return {"restes_constates_par_repas_g": grams, "pesees_constatees": float(len(pairs))}


def _outcome(found: Answer, *, usual: bool) -> Outcome:
    """Proposals (the town’s days first, then sites: those that ``evaluate`` reads), the table of orders, and what helps to decide."""
    panel = found.panel
    proposals: list[Recommendation] = []
    for i, day in enumerate(panel.days[panel.past :]):
        when = day.date().isoformat()
        reference = np.where(panel.wanted[i], found.reference[i], 0.0)
        proposals.append(_town(found, i, when, float(np.nansum(reference)), usual))
        proposals += [_site(found, i, int(s), when, usual) for s in np.flatnonzero(panel.wanted[i])]
    proposals.sort(key=lambda rec: (-rec.score, str(rec.evidence["jour"]), rec.subject))
    return Outcome(proposals, artifacts(found, usual), found.notes)


def _town(found: Answer, i: int, when: str, reference: float, usual: bool) -> Recommendation:
    panel = found.panel
    value = float(round(reference) if usual else found.order[i].sum())
    evidence: dict[str, JsonValue] = {
        "jour": when,
        "reference": round(reference),
        "reference_agents": bool(found.agents[i].sum() == panel.wanted[i].sum()),
        "sites": int(panel.wanted[i].sum()),
        "sites_selon_agents": int(found.agents[i].sum()),
        "greve": bool(panel.strike[panel.past + i]),
        **_before_margin(reference, found.usual_expected[i][panel.wanted[i]]),
    }
    if usual:
        return Recommendation(when, ORDER_TOWN, value, "repas", None, 1.0, evidence)
    expected = round(float(found.expected[i]))
    evidence |= {"attendu": expected, "marge": round(value) - expected, "facteurs": top_factors(found.found.factors[i])}
    bounds = None
    if np.isfinite(found.low[i]):
        low, high = round(float(found.low[i])), round(float(found.high[i]))
        evidence |= {"bas": low, "haut": high, "niveau_pct": 90}
        bounds = (min(low, value), max(high, value))
    if panel.strike[panel.past + i] and found.strikes is not None:
        evidence["part_servie_les_jours_de_greve"] = round(found.strikes.expected, 2)
        evidence["part_commandee_ce_jour_de_greve"] = round(found.strikes.ordered, 2)
    # The town’s days come first; among them, those that leave habit most.
    score = 1.0 + min(1.0, abs(value - reference) / (reference + 1e-9))
    return Recommendation(when, ORDER_TOWN, value, "repas", bounds, round(score, 4), evidence)


def _site(found: Answer, i: int, s: int, when: str, usual: bool) -> Recommendation:
    panel = found.panel
    reference = float(found.reference[i, s])
    value = float(round(reference) if usual else found.order[i, s])
    evidence: dict[str, JsonValue] = {
        "jour": when,
        "reference": round(reference),
        "reference_agents": bool(found.agents[i, s]),
        **_before_margin(reference, found.usual_expected[i, s]),
    }
    if usual:
        return Recommendation(panel.names[s], ORDER_SITE, value, "repas", None, 0.0, evidence)
    expected = float(found.site_expected[i, s])
    evidence |= {"attendu": round(expected), "marge": round(value) - round(expected)}
    score = round(min(1.0, abs(value - reference) / (reference + 1e-9)), 4)
    if panel.strike[panel.past + i]:
        # A strike closes some schools and not others: the errors of normal days say nothing of one school that day.
        return Recommendation(panel.names[s], ORDER_SITE, value, "repas", None, score, evidence)
    # The scale is a median absolute error: 1.4826 times it is a standard deviation for errors that follow a normal law.
    reach = 1.645 * 1.4826 * float(found.margin.site_scale[s])
    low, high = round(max(0.0, expected - reach)), round(expected + reach)
    evidence |= {"bas": low, "haut": high, "niveau_pct": 90}
    return Recommendation(panel.names[s], ORDER_SITE, value, "repas", (min(low, value), max(high, value)), score, evidence)


def _before_margin(reference: float, expected: np.ndarray) -> dict[str, JsonValue]:
    """What the usual method expects and its margin, where both are known; nothing where an agent forecasts."""
    if not np.isfinite(expected).all():
        return {}
    before = round(float(np.sum(expected)))
    return {"reference_attendu": before, "reference_marge": round(reference) - before}
