"""Forecast, sector by sector, the drinking water to produce in the coming week, and tell inflows that look like a burst.

Tables in m³/h come in; ``prediction`` cleans them and forecasts; here the forecast becomes proposals, charts and a table.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar, Literal, cast

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

from bocage.contract import french
from bocage.contract.errors import InvalidParams
from bocage.contract.outcome import Chart, Column, DataTable, Outcome, Recommendation, Series
from bocage.contract.rows import FileInput, Row, TableInfo, column
from bocage.contract.usecase import Inputs, Resources, Truth
from bocage.methods.calendars import public_holidays
from bocage.methods.forecasting.pipeline import Plan
from bocage.methods.truth import Lines, unmatched
from bocage.usecases.eau_demande.alerts import Alert, find
from bocage.usecases.eau_demande.prediction import HORIZON_HOURS, Answer, answer

PRODUCE = "préparer le volume du jour"
CHECK = "vérifier une fuite possible"
SHOWN_DAYS = 7
"""Measured days drawn before the forecast."""


class DebitRow(Row):
    """The mean net inflow of a sector over one time step of the SCADA export."""

    TABLE: ClassVar[TableInfo] = TableInfo(title="Débits mesurés à l’entrée des secteurs")

    horodatage: datetime = column("Début du pas de temps (une heure ou moins)", example="2024-03-25T08:00:00+01:00")
    secteur: str = column("Nom du secteur de distribution", example="Bourg", min_length=1, max_length=120)
    debit_m3h: float = column("Débit net entrant moyen sur le pas de temps", unit="m³/h", example="12,4", ge=-1_000_000, le=1_000_000)


class MeteoRow(Row):
    """Weather of one hour, measured or forecast."""

    TABLE: ClassVar[TableInfo] = TableInfo(title="Météo horaire, mesurée puis prévue", required=False)

    horodatage: datetime = column("Début de l’heure", example="2024-03-25T08:00:00+01:00")
    temperature_c: float = column("Température de l’air", unit="°C", example="11,5", ge=-60, le=60)
    pluie_mm: float | None = column("Pluie de l’heure", unit="mm", example="0,4", default=None, ge=0, le=500)
    humidite_pct: float | None = column("Humidité relative de l’air", unit="%", example="71", default=None, ge=0, le=100)


class EauDemandeParams(BaseModel):
    """The choices of the person who runs the forecast."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    territoire: str = Field(
        "FR",
        pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$",
        description="Jours fériés : FR, FR-57 ou FR-6AE (Alsace-Moselle), FR-971 à FR-976, IT…",
    )
    zone_scolaire: Literal["A", "B", "C", "autre"] = Field(
        "autre", description="Zone de vacances scolaires ; « autre » pour ne pas en tenir compte"
    )
    alertes: bool = Field(True, description="Signaler les débits qui font penser à une fuite")
    seuil_alerte: float = Field(
        1.0, ge=0.5, le=3.0, description="Part du plus grand excès connu à partir de laquelle on signale : plus bas, plus d’alertes"
    )


class EauDemande:
    """Day curves and boosting, against the same hour of the week before."""

    inputs: ClassVar[dict[str, type[Row] | FileInput]] = {"debits": DebitRow, "meteo": MeteoRow}
    truth: ClassVar[dict[str, type[Row]]] = {"debits_constates": DebitRow}
    params: ClassVar[type[BaseModel]] = EauDemandeParams

    def run(self, inputs: Inputs, params: BaseModel, res: Resources) -> Outcome:
        """Volumes of the coming days and alerts. Raises ``NotEnoughData`` when no sector has two weeks of measures."""
        chosen = cast(EauDemandeParams, params)
        found = _answer(inputs, chosen, res, plan=None)
        alerts = find(found.grid.values, found.prediction, chosen.seuil_alerte) if chosen.alertes else []
        result = _outcome(found, alerts, usual=False)
        res.progress(1.0, "Terminé")
        return result

    def baseline(self, inputs: Inputs, params: BaseModel, res: Resources) -> Outcome:
        """The same hour of the week before (seasonal naive). Same subjects, same errors as ``run``."""
        return _outcome(_answer(inputs, cast(EauDemandeParams, params), res, plan=Plan(None, None)), [], usual=True)

    def evaluate(self, outcome: Outcome, truth: Truth) -> dict[str, float]:
        """Over the measured hours that were forecast: mean absolute gap (m³/h), share of them within the interval (%), how many of
        how many. Raises ``NotEnoughData`` when none was."""
        table = outcome.table("previsions")
        forecast = pd.DataFrame(table.rows, columns=[c.name for c in table.columns])
        forecast["horodatage"] = pd.to_datetime(forecast["horodatage"], utc=True)
        happened = truth["debits_constates"]
        hours = pd.DataFrame(
            {
                "horodatage": happened["horodatage"].dt.tz_convert("UTC").dt.floor("h"),
                "secteur": happened["secteur"],
                "mesure": happened["debit_m3h"],
            }
        )
        both = hours.groupby(["horodatage", "secteur"], as_index=False)["mesure"].mean().merge(forecast, on=["horodatage", "secteur"])
        if both.empty:
            told = forecast["horodatage"].dt.tz_convert(happened["horodatage"].dt.tz)
            read = Lines(happened["secteur"], happened["horodatage"])
            raise unmatched(("secteur", "secteurs"), Lines(forecast["secteur"], told), read)
        gap = float((both["mesure"] - both["prevu_m3h"]).abs().mean())
        result = {"ecart_horaire": gap, "heures": float(len(both)), "heures_attendues": float(len(forecast))}
        bounded = both.dropna(subset=["bas_m3h", "haut_m3h"])
        if len(bounded):
            result["couverture_pct"] = float(100 * bounded["mesure"].between(bounded["bas_m3h"], bounded["haut_m3h"]).mean())
        return result

    def explain(self, rec: Recommendation) -> str:
        """One French sentence; every number in it is in ``rec``."""
        return _explain_alert(rec) if rec.action == CHECK else _explain_volume(rec)


def _answer(inputs: Inputs, params: EauDemandeParams, res: Resources, plan: Plan | None) -> Answer:
    try:
        public_holidays(params.territoire, [2024])
    except ValueError:
        raise InvalidParams(
            f"Le territoire « {params.territoire} » est inconnu : donnez FR, FR-57, FR-6AE, FR-971… ou un autre pays."
        ) from None
    return answer(
        cast(pd.DataFrame, inputs["debits"]),
        cast("pd.DataFrame | None", inputs.get("meteo")),
        territory=params.territoire,
        school_zone=None if params.zone_scolaire == "autre" else params.zone_scolaire,
        seconds=res.seconds,
        seed=res.seed,
        pool=res.pool,
        progress=res.progress,
        plan=plan,
    )


def _outcome(found: Answer, alerts: list[Alert], *, usual: bool) -> Outcome:
    """Proposals, one chart per sector, and the hourly table that ``evaluate`` reads."""
    volumes = [rec for s in range(len(found.grid.names)) for rec in _volumes(found, s, usual)]
    table = _table(found, usual)
    charts = [_chart(found, table, s, usual) for s in range(len(found.grid.names))]
    told = [_alert(found, alert) for alert in alerts]
    return Outcome(sorted([*told, *volumes], key=lambda rec: (-rec.score, rec.subject)), [*charts, table], found.notes)


def _volumes(found: Answer, s: int, usual: bool) -> list[Recommendation]:
    """One proposal per whole day to come, with last week's volume beside it."""
    name, prediction = found.grid.names[s], found.prediction
    local_end = found.end.tz_convert(found.timezone).tz_localize(None)
    days = [d for d in range(len(prediction.value)) if found.start + pd.Timedelta(days=d) >= local_end]
    result = []
    for d in days[: HORIZON_HOURS // 24]:
        reference = _measured_before(found, d, s)
        value, low, high = _day_volume(found, d, s, usual)
        result.append(
            Recommendation(
                subject=name,
                action=PRODUCE,
                value=round(value, 1),
                unit="m³",
                interval=(round(low, 1), round(high, 1)) if np.isfinite([low, high]).all() else None,
                score=_score(value, reference),
                evidence={
                    "jour": (found.start + pd.Timedelta(days=d)).date().isoformat(),
                    "reference": None if reference is None else round(reference, 1),
                    "jour_de_reference": (found.start + pd.Timedelta(days=_reference_day(found, d))).date().isoformat(),
                    "meteo": found.weather and not usual,
                },
            )
        )
    return result


def _day_volume(found: Answer, d: int, s: int, usual: bool) -> tuple[float, float, float]:
    """Volume of day ``d`` to come, m³, as the sum of its own 23, 24 or 25 hours; its bounds, NaN where none can be told."""
    prediction = found.prediction
    hourly = np.maximum((prediction.usual if usual else prediction.value)[d, :, s], 0.0)
    value = float(hourly @ _hours_of(found, found.start + pd.Timedelta(days=d)))
    centre, low, high = (float(number) for number in prediction.daily[:, d, s])
    if usual or not np.isfinite([low, high]).all():
        return value, np.nan, np.nan
    ratio = value / centre if centre > 0 else 1.0
    return value, min(value, max(0.0, low * ratio)), max(value, high * ratio)


def _measured_before(found: Answer, d: int, s: int) -> float | None:
    """Volume of the same day of the week before, m³; None when less than two thirds of its hours were measured."""
    if np.isnan(found.reference[d, :, s]).mean() > 1 / 3:
        return None
    before = found.start + pd.Timedelta(days=_reference_day(found, d))
    return float(found.prediction.usual[d, :, s] @ _hours_of(found, before))


def _reference_day(found: Answer, d: int) -> int:
    return found.day_before(d) - len(found.grid.days)


def _hours_of(found: Answer, day: pd.Timestamp) -> np.ndarray:
    """How many times each of the 24 hours comes on a day (naive local midnight): a clock change skips one or repeats it."""
    first, last = (
        midnight.tz_localize(found.timezone, ambiguous=True, nonexistent="shift_forward") for midnight in (day, day + pd.Timedelta(days=1))
    )
    hours = pd.date_range(first, last, freq="h", inclusive="left").hour
    return np.bincount(hours, minlength=24).astype(float)


def _score(value: float, reference: float | None) -> float:
    """0 to 1. The farther from habit, the higher, and without any habit the highest: those are the days that ask for a decision. An alert
    always comes first."""
    return 1.0 if reference is None else round(min(1.0, abs(value - reference) / max(reference, 1.0)), 4)


def _alert(found: Answer, alert: Alert) -> Recommendation:
    first = (found.grid.days[0] + pd.Timedelta(hours=alert.start)).tz_localize(found.timezone, ambiguous=True, nonexistent="shift_forward")
    night = {} if alert.night_excess is None else {"exces_nuit_m3h": round(alert.night_excess, 2)}
    return Recommendation(
        subject=found.grid.names[alert.series],
        action=CHECK,
        value=round(alert.excess, 2),
        unit="m³/h",
        score=round(1.0 + alert.ratio, 3),
        evidence={
            "depuis": first.isoformat(),
            "heures": alert.end - alert.start,
            "debit_mesure_m3h": round(alert.observed, 2),
            "debit_attendu_m3h": round(alert.expected, 2),
            "borne_haute_m3h": round(alert.upper, 2),
            "rapport_au_plus_grand_exces_connu": round(alert.ratio, 2),
            **night,
        },
    )


def _hours(found: Answer) -> tuple[pd.DatetimeIndex, np.ndarray, np.ndarray]:
    """The next 168 real hours (zone-aware), with their day and slot in the prediction: the hour that autumn repeats is told twice."""
    hours = pd.date_range(found.end, periods=HORIZON_HOURS, freq="h").tz_convert(found.timezone)
    local = hours.tz_localize(None)
    return hours, ((local.normalize() - found.start) // pd.Timedelta(days=1)).to_numpy(), local.hour.to_numpy()


def _table(found: Answer, usual: bool) -> DataTable:
    hours, day, slot = _hours(found)
    stamps = [stamp.isoformat() for stamp in hours]
    prediction = found.prediction
    rows: list[tuple[str | float | None, ...]] = []
    for s, name in enumerate(found.grid.names):
        reference = found.reference[day, slot, s]
        value = (prediction.usual if usual else prediction.value)[day, slot, s]
        low, high = (np.full(len(day), np.nan),) * 2 if usual else (prediction.lower[day, slot, s], prediction.upper[day, slot, s])
        columns = [[_cell(x) for x in array] for array in (value, low, high, reference)]
        rows += list(zip(stamps, [name] * len(stamps), *columns, strict=True))
    titles = {
        "prevu_m3h": "Débit prévu",
        "bas_m3h": "Borne basse",
        "haut_m3h": "Borne haute",
        "reference_m3h": "Même heure, semaine d’avant",
    }
    columns_of = (
        Column("horodatage", "Heure"),
        Column("secteur", "Secteur"),
        *(Column(name, title, "m³/h") for name, title in titles.items()),
    )
    return DataTable("previsions", "Débits prévus, heure par heure", columns_of, tuple(rows))


def _cell(value: float) -> float | None:
    return round(max(0.0, float(value)), 3) if np.isfinite(value) else None


def _chart(found: Answer, table: DataTable, s: int, usual: bool) -> Chart:
    """The last measured week, then the forecast with its interval and the usual method."""
    name = found.grid.names[s]
    past_days = found.grid.days[-SHOWN_DAYS:]
    past = found.grid.values[-SHOWN_DAYS:, :, s].reshape(-1)
    before = [(past_days[0] + pd.Timedelta(hours=h)).isoformat() for h in range(len(past))]
    rows = table.rows[s * HORIZON_HOURS : (s + 1) * HORIZON_HOURS]
    ahead = [str(row[0])[:19] for row in rows]
    gap, none = (None,) * len(before), (None,) * len(ahead)
    value, low, high, reference = (tuple(cast("float | None", row[i]) for row in rows) for i in (2, 3, 4, 5))
    series = [Series("Mesuré", "measured", (*(_cell(x) for x in past), *none))]
    if not usual:
        series += [
            Series("Prévu", "forecast", (*gap, *value)),
            Series("Borne basse (90 %)", "lower", (*gap, *low)),
            Series("Borne haute (90 %)", "upper", (*gap, *high)),
        ]
    series.append(Series("Même heure, semaine d’avant", "usual", (*gap, *reference)))
    return Chart(f"prevision_{name}", f"{name} : débit mesuré et prévu", (*before, *ahead), tuple(series), "m³/h", name)


def _explain_volume(rec: Recommendation) -> str:
    when = date.fromisoformat(str(rec.evidence["jour"]))
    value = french.number(cast(float, rec.value), 1, "m³")
    bounds = f" ({french.between(rec.interval, 1, 'm³')})" if rec.interval else ""
    return f"Le {french.day(when)}, le secteur {rec.subject} devrait demander {value}{bounds}{_against(rec, when)}."


def _against(rec: Recommendation, when: date) -> str:
    """What the same day of the last known week measured, as the end of a sentence."""
    before = date.fromisoformat(str(rec.evidence["jour_de_reference"]))
    the_day = "le même jour de la semaine d’avant" if (when - before).days == 7 else f"le {french.day(before)}"
    reference = rec.evidence["reference"]
    if reference is None:
        return f" ; le débit n’a pas été mesuré {the_day}, ou trop peu"
    return f", contre {french.number(cast(float, reference), 1, 'm³')} {the_day}"


def _explain_alert(rec: Recommendation) -> str:
    since = datetime.fromisoformat(str(rec.evidence["depuis"]))
    above = french.number(cast(float, rec.value), 2, "m³/h")
    expected = french.number(cast(float, rec.evidence["debit_attendu_m3h"]), 2, "m³/h")
    measured = french.number(cast(float, rec.evidence["debit_mesure_m3h"]), 2, "m³/h")
    night = rec.evidence.get("exces_nuit_m3h")
    held = (
        f"et l’excès dure la nuit ({french.number(cast(float, night), 2, 'm³/h')})"
        if night is not None
        else "sans nuit encore pour le confirmer"
    )
    when = f"{french.day(since.date())} à {french.hour(since)}"
    return f"Depuis le {when}, le secteur {rec.subject} reçoit {above} de plus que prévu ({measured} au lieu de {expected}), {held}."
