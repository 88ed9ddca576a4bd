"""Forecast how many people come, place by place and day by day, with an interval and the usual method beside it.

``preparation`` finds the rhythm of the table; hours and days go through ``prediction`` (the house's forecasting methods), months and
quarters through ``bocage.methods.forecasting.periods``; here the forecast becomes proposals, charts and a table (``telling``).
"""

from __future__ import annotations

from typing import ClassVar, cast

import pandas as pd
from pydantic import BaseModel

from bocage.contract.errors import NotEnoughData
from bocage.contract.french import count
from bocage.contract.outcome import Outcome, Recommendation
from bocage.contract.rows import FileInput, Row
from bocage.contract.usecase import Inputs, Resources, Truth
from bocage.methods.forecasting.periods import LEAST_SEASONS, forecast_periods
from bocage.methods.forecasting.pipeline import Plan
from bocage.methods.truth import Lines, unmatched
from bocage.usecases.frequentation_prevision import telling
from bocage.usecases.frequentation_prevision.prediction import Answer, answer
from bocage.usecases.frequentation_prevision.preparation import Prepared, prepare
from bocage.usecases.frequentation_prevision.rows import EvenementRow, FrequentationPrevisionParams, FrequentationRow, MeteoRow


class FrequentationPrevision:
    """The house's forecasting methods, against the same weekday of the week before (months and quarters: the same period of last year)."""

    inputs: ClassVar[dict[str, type[Row] | FileInput]] = {
        "frequentation": FrequentationRow,
        "evenements": EvenementRow,
        "meteo": MeteoRow,
    }
    truth: ClassVar[dict[str, type[Row]]] = {"frequentation_constatee": FrequentationRow}
    params: ClassVar[type[BaseModel]] = FrequentationPrevisionParams

    def run(self, inputs: Inputs, params: BaseModel, res: Resources) -> Outcome:
        """The coming days (or periods) of each place. Raises ``NotEnoughData``, which says how much is needed, and ``InvalidParams``."""
        outcome = _outcome(inputs, cast(FrequentationPrevisionParams, params), res, usual=False)
        res.progress(1.0, "Terminé")
        return outcome

    def baseline(self, inputs: Inputs, params: BaseModel, res: Resources) -> Outcome:
        """The same weekday of the last week that has it, or the same period of last year. Same subjects, same errors as ``run``."""
        return _outcome(inputs, cast(FrequentationPrevisionParams, params), res, usual=True)

    def evaluate(self, outcome: Outcome, truth: Truth) -> dict[str, float]:
        """Over what was forecast and counted: mean absolute gap per step of time (``ecart_moyen``), share within the interval (%), how
        many of how many. Raises ``NotEnoughData`` when nothing was."""
        table = outcome.table("previsions")
        told = pd.DataFrame(table.rows, columns=[c.name for c in table.columns])
        happened = truth["frequentation_constatee"].dropna(subset=["valeur"])
        rhythm = telling.rhythm_of(outcome)
        both = telling.matched(told, happened, rhythm)
        if both.empty:
            proposed = Lines(told["lieu"], told["debut"].str[:10], rhythm)
            raise unmatched(("lieu", "lieux"), proposed, Lines(happened["lieu"], happened["horodatage"]))
        gap = float((both["valeur"] - both["prevu"]).abs().mean())
        result = {"ecart_moyen": gap, "comptages": float(len(both)), "comptages_attendus": float(len(told))}
        bounded = both.dropna(subset=["bas", "haut"])
        if len(bounded):
            result["couverture_pct"] = float(100 * bounded["valeur"].between(bounded["bas"], bounded["haut"]).mean())
        return result

    def explain(self, rec: Recommendation) -> str:
        """One French sentence; every number in it is in ``rec``."""
        return telling.explain(rec)


def _outcome(inputs: Inputs, params: FrequentationPrevisionParams, res: Resources, usual: bool) -> Outcome:
    prepared = prepare(cast(pd.DataFrame, inputs["frequentation"]))
    if prepared.grid is None:
        return _periods(prepared, params, usual)
    found = answer(
        prepared,
        params.horizon_jours,
        events=cast("pd.DataFrame | None", inputs.get("evenements")),
        weather=cast("pd.DataFrame | None", inputs.get("meteo")),
        territory=params.territoire,
        school_zone=None if params.zone_scolaire == "autre" else params.zone_scolaire,
        level=params.niveau_pct / 100,
        seconds=res.seconds,
        seed=res.seed,
        pool=res.pool,
        progress=res.progress,
        plan=Plan(None, None) if usual else None,
    )
    return _days(found, prepared, params, usual)


def _days(found: Answer, prepared: Prepared, params: FrequentationPrevisionParams, usual: bool) -> Outcome:
    recommendations = telling.proposals(found, params, usual)
    if not recommendations:
        raise NotEnoughData(
            "Aucun des jours demandés n’est d’habitude compté (vacances, jours de fermeture) : allongez l’horizon, ou donnez les comptages "
            "de jours semblables."
        )
    skipped = int((found.state == telling.UNCOUNTED).sum())
    notes = list(found.notes)
    if skipped:
        said = count(skipped, "jour de lieu n’est pas proposé", "jours de lieu ne sont pas proposés")
        notes.append(f"{said} : d’habitude, ce genre de jour n’est pas compté (une absence de comptage n’est pas un zéro).")
    table = telling.table_of_days(found, prepared, usual)
    shown = range(min(len(found.grid.names), telling.MOST_CHARTS))
    return Outcome(recommendations, [*(telling.chart_of_days(found, s, params, usual) for s in shown), table], notes)


def _periods(prepared: Prepared, params: FrequentationPrevisionParams, usual: bool) -> Outcome:
    """Months and quarters. Raises ``NotEnoughData`` under three years."""
    assert prepared.periods is not None
    season = 12 if prepared.rhythm == "mois" else 4
    least = LEAST_SEASONS * season
    known = prepared.periods.notna()
    enough = (known.sum() >= least) & known.iloc[-season:].any()
    notes = [
        f"{name} : {count(int(known[name].sum()), f'{prepared.rhythm} compté', _plural(prepared.rhythm))} (ou plus rien depuis un an), "
        f"aucune prévision : il en faut {least}, dont un récent."
        for name in prepared.periods.columns[~enough]
    ]
    if not enough.any():
        best = int(known.sum().max())
        raise NotEnoughData(
            f"Aucun lieu n’a trois années de comptages ({least} {_plural(prepared.rhythm)}, au mieux {best} ici) : "
            "une saison ne se distingue pas du hasard sur moins ; donnez trois ans au moins, ou des comptages par jour."
        )
    kept = prepared.periods.loc[:, enough]
    found = forecast_periods(kept.to_numpy(dtype=float), season, params.horizon_periodes, level=params.niveau_pct / 100)
    told = telling.PeriodAnswer(prepared.rhythm, kept, found)
    notes += telling.period_notes(told)
    recommendations = telling.period_proposals(told, params, usual)
    shown = range(min(kept.shape[1], telling.MOST_CHARTS))
    charts = [telling.chart_of_periods(told, s, params, usual) for s in shown]
    return Outcome(recommendations, [*charts, telling.table_of_periods(told, prepared, usual)], [*prepared.notes, *notes])


def _plural(rhythm: str) -> str:
    return "mois comptés" if rhythm == "mois" else "trimestres comptés"
