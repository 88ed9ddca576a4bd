"""Forecasts as people read them: proposals, one table, charts, and one French sentence each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import cast

import numpy as np
import pandas as pd

from bocage.contract import french
from bocage.contract.outcome import Chart, Column, DataTable, Outcome, Recommendation, Series
from bocage.methods.forecasting.periods import PeriodForecast
from bocage.usecases.frequentation_prevision.openings import SHUT, UNCOUNTED
from bocage.usecases.frequentation_prevision.prediction import Answer
from bocage.usecases.frequentation_prevision.preparation import Prepared, Rhythm, counts_of_steps
from bocage.usecases.frequentation_prevision.rows import FrequentationPrevisionParams

EXPECT = "prévoir l’accueil du jour"
STAY_SHUT = "compter sur un jour fermé"
EXPECT_PERIOD = "prévoir l’accueil de la période"
MOST_CHARTS = 40
"""Charts of a run at most: the table has every place."""

SHOWN_DAYS = 28


@dataclass(frozen=True)
class PeriodAnswer:
    """A forecast of months or quarters: ``known`` (periods, places) and ``found`` (horizon, places)."""

    rhythm: str
    known: pd.DataFrame
    found: PeriodForecast

    @property
    def periods(self) -> pd.PeriodIndex:
        """The periods forecast."""
        last = cast(pd.PeriodIndex, self.known.index)[-1]
        return pd.period_range(last + 1, periods=len(self.found.value), freq=last.freq)


def unit_of(params: FrequentationPrevisionParams) -> str:
    """The unit of the counts, empty for « sans »."""
    return "" if params.unite == "sans" else params.unite


def proposals(found: Answer, params: FrequentationPrevisionParams, usual: bool) -> list[Recommendation]:
    """One proposal per place and day, except the days that are usually not counted."""
    result = []
    for s, name in enumerate(found.grid.names):
        for d, day in enumerate(found.days):
            if found.state[d, s] == UNCOUNTED:
                continue
            reference = round(float(found.usual[d, :, s].sum()))
            facts = {"jour": day.date().isoformat(), "reference": reference, "niveau_pct": params.niveau_pct, **_facts(found, d)}
            if found.doubtful[d, s]:
                facts["a_verifier"] = "ouverture inconnue ce jour férié"
            if found.state[d, s] == SHUT:
                reason = found.why.get((d, s), "") or ("fermeture déclarée" if (d, s) in found.why else "fermé d’habitude ce genre de jour")
                result.append(Recommendation(name, STAY_SHUT, 0.0, unit_of(params), (0.0, 0.0), 0.0, {**facts, "raison": reason}))
                continue
            value, low, high = (float(number) for number in found.daily[:, d, s])
            value = float(reference) if usual else float(round(value))
            bounded = not usual and np.isfinite([low, high]).all()
            score = round(min(1.0, abs(value - reference) / (reference + 1.0)), 4)
            interval = (float(min(value, np.floor(low))), float(max(value, np.ceil(high)))) if bounded else None
            result.append(Recommendation(name, EXPECT, value, unit_of(params), interval, score, facts))
    return result


def _facts(found: Answer, d: int) -> dict[str, str | bool]:
    """What makes the day unlike others, in the words of the calendar."""
    line = found.calendar.iloc[len(found.grid.days) + d]
    facts: dict[str, str | bool] = {}
    if line["holiday"]:
        facts["jour_ferie"] = str(line["holiday_name"])
    if line["bridge"]:
        facts["pont"] = True
    if line["school_holiday"] is not pd.NA and bool(line["school_holiday"]):
        facts["vacances_scolaires"] = True
    return facts


def table_of_days(found: Answer, prepared: Prepared, usual: bool) -> DataTable:
    """A line per place and hour (or day) forecast. The hour that spring skips is left out, the one that autumn repeats stands once."""
    slots = found.grid.slots
    naive = [day + pd.Timedelta(hours=h * 24 // slots) for day in found.days for h in range(slots)]
    local = pd.DatetimeIndex(naive).tz_localize(prepared.timezone, ambiguous=np.ones(len(naive), dtype=bool), nonexistent="NaT")
    rows: list[tuple[str | float | None, ...]] = []
    for s, name in enumerate(found.grid.names):
        for i, stamp in enumerate(local):
            d, h = divmod(i, slots)
            if stamp is pd.NaT or found.state[d, s] == UNCOUNTED:
                continue
            reference = float(found.usual[d, h, s])
            if slots == 1 and not usual:
                value, low, high = (float(number) for number in found.daily[:, d, s])
            else:
                value, low, high = (float(array[d, h, s]) for array in (found.value, found.lower, found.upper))
            bounds = (None, None) if usual else (_cell(low), _cell(high))
            rows.append((stamp.isoformat(), name, _cell(reference if usual else value), *bounds, _cell(reference)))
    return _table(rows, "heure par heure" if slots > 1 else "jour par jour")


def table_of_periods(told: PeriodAnswer, prepared: Prepared, usual: bool) -> DataTable:
    """A line per place and period forecast."""
    rows: list[tuple[str | float | None, ...]] = []
    found = told.found
    for s, name in enumerate(told.known.columns):
        for k, period in enumerate(told.periods):
            stamp = period.start_time.tz_localize(prepared.timezone, nonexistent="shift_forward").isoformat()
            reference = float(found.usual[k, s])
            bounds = (None, None) if usual else (_cell(found.lower[k, s]), _cell(found.upper[k, s]))
            rows.append((stamp, str(name), _cell(reference if usual else found.value[k, s]), *bounds, _cell(reference)))
    return _table(rows, f"{told.rhythm} par {told.rhythm}")


def _table(rows: list[tuple[str | float | None, ...]], what: str) -> DataTable:
    columns = (
        Column("debut", "Début"),
        Column("lieu", "Lieu"),
        Column("prevu", "Fréquentation prévue"),
        Column("bas", "Borne basse"),
        Column("haut", "Borne haute"),
        Column("reference", "Méthode habituelle"),
    )
    return DataTable("previsions", f"Fréquentation prévue, {what}", columns, tuple(rows))


def rhythm_of(outcome: Outcome) -> Rhythm:
    """The step of the lines of ``previsions``."""
    for rec in outcome.recommendations:
        if "periode" in rec.evidence:
            return "trimestre" if "trimestre" in str(rec.evidence["periode"]) else "mois"
    return "heure" if "heure par heure" in outcome.table("previsions").title else "jour"


def matched(told: pd.DataFrame, happened: pd.DataFrame, rhythm: Rhythm) -> pd.DataFrame:
    """Forecast lines with the counts of their own step, settled and added up as the inputs are (``preparation.counts_of_steps``).

    Counts of a coarser step than the forecast's have no line of their own, and are left out.
    """
    told = told.assign(debut=pd.to_datetime(told["debut"], utc=True))
    if told.empty or happened.empty:
        return told.iloc[:0].assign(valeur=[])
    return counts_of_steps(happened, rhythm).merge(told, on=["lieu", "debut"])


def chart_of_days(found: Answer, s: int, params: FrequentationPrevisionParams, usual: bool) -> Chart:
    """The last counted days, then the forecast with its interval and the usual method: day totals."""
    name = found.grid.names[s]
    grid, shown = found.grid, slice(-SHOWN_DAYS, None)
    empty = np.isnan(grid.values[shown, :, s]).all(axis=1)
    past = np.where(empty, np.nan, np.nansum(grid.values[shown, :, s], axis=1))
    told = found.state[:, s] != UNCOUNTED
    reference = np.where(told, found.usual[:, :, s].sum(axis=1), np.nan)
    value, low, high = (np.where(told, line, np.nan) for line in found.daily[:, :, s])
    days = [day.date().isoformat() for day in (*grid.days[shown], *found.days)]
    return _chart(name, days, past, (value, low, high), reference, params, usual, "Même jour, semaine d’avant")


def chart_of_periods(told: PeriodAnswer, s: int, params: FrequentationPrevisionParams, usual: bool) -> Chart:
    """The last five years, then the forecast."""
    name = str(told.known.columns[s])
    past = told.known.iloc[-60 if told.rhythm == "mois" else -20 :]
    labels = [label_of(period, told.rhythm) for period in (*past.index, *told.periods)]
    found = told.found
    lines = (found.value[:, s], found.lower[:, s], found.upper[:, s])
    return _chart(
        name, labels, past.iloc[:, s].to_numpy(dtype=float), lines, found.usual[:, s], params, usual, "Même période, année d’avant"
    )


def _chart(
    name: str,
    x: list[str],
    past: np.ndarray,
    lines: tuple[np.ndarray, np.ndarray, np.ndarray],
    reference: np.ndarray,
    params: FrequentationPrevisionParams,
    usual: bool,
    method: str,
) -> Chart:
    gap, none = (None,) * len(past), (None,) * len(reference)
    series = [Series("Compté", "measured", (*(_cell(v) for v in past), *none))]
    if not usual:
        level = f"({params.niveau_pct}{french.NBSP}%)"
        roles = (("Prévu", "forecast"), (f"Borne basse {level}", "lower"), (f"Borne haute {level}", "upper"))
        for (title, role), line in zip(roles, lines, strict=True):
            series.append(Series(title, role, (*gap, *(_cell(v) for v in line))))  # type: ignore[arg-type]
    series.append(Series(method, "usual", (*gap, *(_cell(v) for v in reference))))
    return Chart(f"prevision_{name}", f"{name} : fréquentation comptée et prévue", tuple(x), tuple(series), unit_of(params), name)


def _cell(value: float) -> float | None:
    return round(max(0.0, float(value)), 2) if np.isfinite(value) else None


def label_of(period: pd.Period, rhythm: str) -> str:
    """« mars 2024 », « 2e trimestre 2024 »."""
    if rhythm == "mois":
        return f"{french.MONTHS[period.month - 1]} {period.year}"
    return f"{'1er' if period.quarter == 1 else f'{period.quarter}e'} trimestre {period.year}"


def period_proposals(told: PeriodAnswer, params: FrequentationPrevisionParams, usual: bool) -> list[Recommendation]:
    """One proposal per place and period."""
    result = []
    found = told.found
    for s, name in enumerate(told.known.columns):
        for k, period in enumerate(told.periods):
            reference = round(float(found.usual[k, s]), 1)
            value = reference if usual else round(float(found.value[k, s]), 1)
            bounds = (round(min(value, float(found.lower[k, s])), 1), round(max(value, float(found.upper[k, s])), 1))
            facts = {"periode": label_of(period, told.rhythm), "reference": reference, "niveau_pct": params.niveau_pct}
            score = round(min(1.0, abs(value - reference) / (reference + 1.0)), 4)
            result.append(Recommendation(str(name), EXPECT_PERIOD, value, unit_of(params), None if usual else bounds, score, facts))
    return result


def period_notes(told: PeriodAnswer) -> list[str]:
    """What was not learnt from, and the places of which last year's value was taken."""
    notes = []
    known = cast(pd.PeriodIndex, told.known.index)
    for s, name in enumerate(told.known.columns):
        at = np.flatnonzero(told.found.accidents[:, s])
        if len(at):
            first, last = label_of(known[at[0]], told.rhythm), label_of(known[at[-1]], told.rhythm)
            when = first if len(at) == 1 else f"{len(at)} périodes de {first} à {last}"
            notes.append(f"{name} : {when}, très loin des mêmes périodes des années d’avant et d’après (fermeture, crise) : jamais appris.")
    repeated = [str(name) for name, flag in zip(told.known.columns, told.found.repeated, strict=True) if flag]
    if repeated:
        notes.append(f"L’année d’avant a nettement mieux prévu que la méthode, elle est reprise telle quelle pour : {', '.join(repeated)}.")
    return notes


def explain(rec: Recommendation) -> str:
    """One French sentence; every number in it is in ``rec``."""
    reference = french.number(cast(float, rec.evidence["reference"]), 1 if rec.action == EXPECT_PERIOD else 0)
    unit = rec.unit or "entrées comptées"
    if rec.action == EXPECT_PERIOD:
        value = french.number(cast(float, rec.value), 1)
        when = f"{'Au' if 'trimestre' in str(rec.evidence['periode']) else 'En'} {rec.evidence['periode']}"
        return f"{when}, {rec.subject} devrait compter {value} {unit}{_bounds(rec, 1)}, contre {reference} un an plus tôt."
    when = french.day(date.fromisoformat(str(rec.evidence["jour"])))
    if rec.action == STAY_SHUT:
        return f"Le {when}, {rec.subject} devrait être fermé ({rec.evidence['raison']})."
    value = french.number(cast(float, rec.value))
    what = f"devrait compter {value} {unit}{_bounds(rec, 0)}"
    check = f" À vérifier : {rec.evidence['a_verifier']}." if "a_verifier" in rec.evidence else ""
    return f"Le {when}{_why(rec)}, {rec.subject} {what}, contre {reference} le même jour de la dernière semaine comptée.{check}"


def _bounds(rec: Recommendation, decimals: int) -> str:
    if rec.interval is None:
        return ""
    level = french.number(cast(float, rec.evidence["niveau_pct"]))
    return f" ({french.between(rec.interval, decimals)}, {level}{french.NBSP}fois sur cent)"


def _why(rec: Recommendation) -> str:
    words = [str(rec.evidence["jour_ferie"])] if "jour_ferie" in rec.evidence else []
    words += ["pont"] * ("pont" in rec.evidence) + ["vacances scolaires"] * ("vacances_scolaires" in rec.evidence)
    return f" ({', '.join(words)})" if words else ""
