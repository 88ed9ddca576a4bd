"""Tables and charts of an outcome: the orders that ``evaluate`` reads, the town’s total, fairness between schools, price of the risk."""

from __future__ import annotations

from typing import Literal

import numpy as np

from bocage.contract.outcome import Artifact, Chart, Column, DataTable, Series
from bocage.usecases.cantine_effectifs.margin import judged_days, scores, served_per_year
from bocage.usecases.cantine_effectifs.prediction import Answer

SHOWN_DAYS = 30
"""Served days drawn before the days to order."""

RISKS = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
"""Short days a year whose price is told."""

_ORDERS_NOTE = "Deux commandes, chacune avec sa marge : celle de Bocage et l’habituelle."
_EXPECTED_NOTE = "Des prévisions, sans marge ; la bande dit où tombent 90 jours sur 100."

Role = Literal["forecast", "usual", "lower", "upper"]
Cells = list[tuple[str | float | int | None, ...]]


def artifacts(found: Answer, usual: bool) -> list[Artifact]:
    """The pictures of the engine’s answer, or of the usual method’s (its orders only)."""
    told: list[Artifact] = [_orders(found, usual)]
    if not usual:
        told += [*_town(found), *_fairness(found), *_risks(found)]
    return told


def _orders(found: Answer, usual: bool) -> DataTable:
    panel = found.panel
    rows: Cells = []
    for i, day in enumerate(panel.days[panel.past :]):
        for s in np.flatnonzero(panel.wanted[i]):
            reference, order = float(found.reference[i, s]), int(found.order[i, s])
            ours = (round(reference), None) if usual else (order, round(float(found.site_expected[i, s]), 1))
            before = float(found.usual_expected[i, s])
            without = round(before, 1) if np.isfinite(before) else None
            rows.append((day.date().isoformat(), panel.names[s], *ours, round(reference, 1), without))
    columns = (
        Column("date", "Jour"),
        Column("site_nom", "Site"),
        Column("commande", "Repas à commander", "repas"),
        Column("attendu", "Repas attendus, sans marge", "repas"),
        Column("reference", _usual_title(found), "repas"),
        Column("reference_attendu", "La même sans sa marge (inconnue pour les agents)", "repas"),
    )
    return DataTable("commandes", "Repas à commander, par site et par jour", columns, tuple(rows))


def _usual_title(found: Answer) -> str:
    if found.agents.sum() == found.panel.wanted.sum():
        return "Commande habituelle : la prévision des agents"
    same = "mêmes jours des dernières semaines et une marge"
    return f"Commande habituelle : prévision des agents ; sans elle, {same}" if found.agents.any() else f"Commande habituelle : {same}"


def _town(found: Answer) -> list[Chart]:
    """The last served days, then order beside order; then forecast beside forecast, neither with its margin."""
    panel = found.panel
    past = np.flatnonzero(panel.learnt)[-SHOWN_DAYS:]
    days = (*(panel.days[d].date().isoformat() for d in past), *(day.date().isoformat() for day in panel.days[panel.past :]))
    none = (None,) * (len(panel.days) - panel.past)
    served = Series("Repas servis", "measured", (*(float(np.nansum(panel.reel[d])) for d in past), *none))

    def ahead(name: str, role: Role, values: np.ndarray) -> Series:
        return Series(name, role, (*(None,) * len(past), *(round(float(x), 1) if np.isfinite(x) else None for x in values)))

    bounds = (ahead("Borne basse (90 %)", "lower", found.low), ahead("Borne haute (90 %)", "upper", found.high))
    orders = (
        ahead("Commande proposée", "forecast", found.order.sum(axis=1)),
        ahead(_usual_title(found), "usual", np.nansum(found.reference, axis=1)),
    )
    expected = (ahead("Repas attendus", "forecast", found.expected), *bounds)
    if not found.agents.any():
        same = np.nansum(found.usual_expected, axis=1)
        expected += (ahead("Mêmes jours des dernières semaines", "usual", same),)
    return [
        Chart("ville", "Toute la ville : repas servis, puis à commander", days, (served, *orders), "repas", note=_ORDERS_NOTE),
        Chart("ville_attendus", "Toute la ville : repas servis, puis attendus", days, (served, *expected), "repas", note=_EXPECTED_NOTE),
    ]


def _fairness(found: Answer) -> list[DataTable]:
    """Per site, over the past year: share of days when it would have been short, with the agents’ figures beside where they exist."""
    panel = found.panel
    days = judged_days(panel)
    days = days[panel.number[days] > panel.number[panel.past - 1] - 365]
    if len(days) < 20:
        return []
    served, machine, told = panel.reel[days], found.past_order[days], panel.prevision[days]
    rows: Cells = []
    for s, name in enumerate(panel.names):
        if not panel.wanted[:, s].any():
            continue
        known = np.isfinite(served[:, s])
        both = known & np.isfinite(told[:, s])
        if not known.any():
            continue
        ours = round(float(100 * (machine[known, s] < served[known, s]).mean()), 1)
        theirs = round(float(100 * (told[both, s] < served[both, s]).mean()), 1) if both.any() else None
        spare = round(float(100 * (machine[known, s].sum() / served[known, s].sum() - 1)), 1)
        rows.append((name, int(known.sum()), ours, theirs, spare))
    rows.sort(key=lambda row: (-float(row[2] or 0.0), str(row[0])))
    columns = (
        Column("site_nom", "Site"),
        Column("jours", "Jours comparés", "j"),
        Column("jours_courts_pct", "Jours où la commande proposée aurait manqué", "%"),
        Column("jours_courts_agents_pct", "Jours où la prévision des agents a manqué", "%"),
        Column("surproduction_pct", "Commandé de plus que servi", "%"),
    )
    return [DataTable("equite", "Équité entre sites, sur l’année passée", columns, tuple(rows))]


def _risks(found: Answer) -> list[DataTable]:
    """What each accepted number of short days would have cost in meals, on the past days that set the margin."""
    panel = found.panel
    days = judged_days(panel)
    if len(days) < 60:
        return []
    ordered = np.sort(scores(panel, found.found, days))[::-1]
    served = np.nansum(panel.reel[days], axis=1)
    rows: Cells = []
    for risk in RISKS:
        allowed = int(np.floor(risk * len(days) / served_per_year(panel)))
        z = ordered[min(allowed, len(ordered) - 1)]
        total = found.found.total[days] * np.exp(z * found.found.deviation[days])
        rows.append((risk, int((total < served - 1e-6).sum()), len(days), round(float(100 * (total.sum() / served.sum() - 1)), 2)))
    columns = (
        Column("jours_courts_acceptes_par_an", "Jours courts acceptés par an", "j"),
        Column("jours_courts", "Jours courts sur la période", "j"),
        Column("jours", "Jours de la période", "j"),
        Column("surproduction_pct", "Commandé de plus que servi", "%"),
    )
    return [DataTable("prix_du_risque", "Ce que coûte chaque niveau de risque, sur les jours passés", columns, tuple(rows))]
