"""Files of Enedis and GRDF to the long table: Data Connect, R63, R64, the CSV of the customer space, ADICT."""

from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from bocage.contract.errors import UnreadableFile
from bocage.usecases.energie_batiments import instants, units
from bocage.usecases.energie_batiments.lines import COLUMNS, Falls, empty, index_uses

When = Literal["auto", "début", "fin"]


@dataclass
class Reading:
    """How a file is read: what its times tell (``when``), the ``zone`` of those without an offset, kWh PCS per m³ by meter (``gas``);
    ``falls`` gathers the indexes that go back."""

    when: When
    zone: str
    gas: dict[str, float]
    falls: Falls


def from_json(text: str, reading: Reading) -> pd.DataFrame:
    """The long table of one JSON object, a list of them, or one per line. Raises ``UnreadableFile`` on another kind of object."""
    try:
        objects: Any = json.loads(text)
    except json.JSONDecodeError:
        objects = [json.loads(line) for line in text.splitlines() if line.strip()]
    frames, gas = [], []
    for thing in objects if isinstance(objects, list) else [objects]:
        if "meter_reading" in thing:
            frames.append(_data_connect(thing["meter_reading"], reading))
        elif "mesures" in thing:
            frames += [_r6x(measure, reading) for measure in thing["mesures"]]
        elif "consommation" in thing:
            gas.append(thing)
        else:
            raise UnreadableFile("Ce JSON n’est ni d’Enedis (meter_reading, mesures) ni de GRDF (consommation). Déposez le fichier reçu.")
    if gas:
        frames.append(_grdf(gas, reading))
    return pd.concat(frames, ignore_index=True) if frames else empty()


def _data_connect(found: dict[str, Any], reading: Reading) -> pd.DataFrame:
    """Enedis Data Connect v5: values are strings; a load curve gives average W, the daily one Wh."""
    readings = pd.DataFrame(found["interval_reading"])
    kind = found["reading_type"]
    unit = str(kind["unit"])
    if str(kind.get("measurement_kind", "")) == "power" and unit not in units.POWER:
        raise UnreadableFile(f"Data Connect annonce une puissance en « {unit} » : attendu W ou kW.")
    length = (
        readings["interval_length"] if "interval_length" in readings else pd.Series([kind.get("measuring_period", "PT30M")] * len(readings))
    )
    daily = readings["date"].astype(str).str.len() == 10
    hours = length.map(instants.duration).where(~daily)  # days take their own length: 23, 24 or 25 hours
    return _table(str(found["usage_point_id"]), readings["date"], readings["value"], unit, hours, reading, str(found.get("start", "")))


def _r6x(measure: dict[str, Any], reading: Reading) -> pd.DataFrame:
    """Enedis R63 (points of a curve) or R64 (indexes, by temporal class or in total)."""
    point, frames = str(measure["idPrm"]), []
    start = str(measure.get("periode", {}).get("dateDebut", ""))
    for context in measure.get("contexte", [measure]):
        for quantity in context.get("grandeur", []):
            if quantity.get("grandeurMetier", "CONS") != "CONS" or quantity.get("grandeurPhysique", "EA") not in ("EA", "PA"):
                continue
            unit = str(quantity["unite"])
            if quantity.get("points"):
                points = pd.DataFrame(quantity["points"])
                hours = points["p"].map(instants.duration) if "p" in points else pd.Series([np.nan] * len(points))
                frames.append(_table(point, points["d"], points["v"], unit, hours, reading, start))
            elif "calendrier" in quantity:
                frames.append(_index(point, _r64_total(quantity), unit, reading))
    return pd.concat(frames, ignore_index=True) if frames else empty()


def _r64_total(quantity: dict[str, Any]) -> pd.Series:
    """The index in all, by date: the sum of the distributor's classes, which do not overlap (the supplier's count the same energy
    again)."""
    calendars = quantity["calendrier"]
    own = [c for c in calendars if str(c.get("idCalendrier", "")).startswith("DI") or "istributeur" in str(c.get("libelleGrille", ""))]
    series = []
    for one in (own or calendars)[:1]:
        for group in one.get("classeTemporelle", []):
            points = {
                str(p["d"]): float(p["v"]) for p in group.get("valeur", []) if p.get("v") is not None and int(p.get("iv", 0) or 0) == 0
            }
            series.append(pd.Series(points, dtype=float))
    return pd.concat(series, axis=1).dropna().sum(axis=1) if series else pd.Series(dtype=float)


def _grdf(things: list[dict[str, Any]], reading: Reading) -> pd.DataFrame:
    """GRDF ADICT: ``energie`` is kWh PCS; without it, the volume times the bill's conversion coefficient."""
    rows = []
    for thing in things:
        used = thing["consommation"]
        energy = used.get("energie")
        if energy is None:
            factor = (used.get("coeff_calcul") or {}).get("coeff_conversion")
            if factor is None or used.get("volume_brut") is None:
                continue
            energy = float(used["volume_brut"]) * float(factor)
        point = str((thing.get("pce") or {}).get("id_pce", ""))
        rows.append((point, used["date_debut_consommation"], used["date_fin_consommation"], float(energy)))
    if not rows:
        return empty()
    table = pd.DataFrame(rows, columns=["point", "start", "end", "kwh"])
    first, last = (instants.to_utc(table[name], reading.zone) for name in ("start", "end"))
    known = (first != instants.UNKNOWN) & (last != instants.UNKNOWN)
    hours = np.where(known, last - np.where(known, first, 0), 0) / 3.6e9
    return pd.DataFrame({"point": table["point"], "debut": instants.as_series(first), "heures": hours, "kwh": table["kwh"]})[known]


def from_enedis_csv(text: str, reading: Reading) -> pd.DataFrame:
    """The CSV of the customer space: a line of metadata, then times and values; several blocks may follow one another."""
    frames = []
    for block in re.split(r"(?m)^(?=Identifiant PRM)", text):
        lines = [line for line in block.replace("\r", "").split("\n") if line.strip()]
        if len(lines) < 3:
            continue
        about = dict(zip(lines[0].split(";"), lines[1].split(";"), strict=False))
        point, unit = about["Identifiant PRM"], about.get("Unite", "")
        if about.get("Grandeur metier", "Consommation") != "Consommation" or "Puissance max" in about.get("Type de donnees", ""):
            continue
        body = [line for line in lines[2:] if line.startswith("Horodate") or re.match(r"\d{4}-\d\d-\d\d[T ]", line)]
        table = pd.read_csv(io.StringIO("\n".join(body)), sep=";", dtype=str)
        if about.get("Type de donnees") == "Index":
            total = pd.to_numeric(table["EAS T"], errors="coerce")
            frames.append(_index(point, pd.Series(total.to_numpy(), index=table["Horodate"]).dropna(), unit, reading))
            continue
        step = float(about["Pas en minutes"]) / 60 if about.get("Pas en minutes", "").strip().isdigit() else np.nan
        hours = pd.Series([step] * len(table))
        start = "-".join(reversed(about.get("Date de debut", "").split("/")))
        frames.append(_table(point, table["Horodate"], table["Valeur"], unit, hours, reading, start))
    return pd.concat(frames, ignore_index=True) if frames else empty()


def _table(point: str, stamps: pd.Series, values: pd.Series, unit: str, hours: pd.Series, reading: Reading, start: str) -> pd.DataFrame:
    micros = instants.to_utc(stamps, reading.zone)
    length = hours.to_numpy(dtype=float)
    if np.isnan(length).any():
        length = np.where(np.isnan(length), _steps(micros), length)
    value = pd.to_numeric(values, errors="coerce").to_numpy(dtype=float)
    known = micros != instants.UNKNOWN
    if _at_end(micros[known], length, reading, start):
        micros = np.where(known, micros - np.rint(length * 3.6e9).astype(np.int64), micros)
    return pd.DataFrame({"point": point, "debut": instants.as_series(micros), "heures": length, "kwh": units.to_kwh(value, unit, length)})


def _steps(micros: np.ndarray) -> np.ndarray:
    """Hours of each step of one series, in any order; a day where the time is not known."""
    result = np.full(len(micros), 24.0)
    order = np.argsort(micros, kind="stable")
    order = order[micros[order] != instants.UNKNOWN]
    result[order] = instants.step_lengths(np.zeros(len(order), dtype=np.int64), micros[order])
    return result


def _at_end(micros: np.ndarray, hours: np.ndarray, reading: Reading, start: str) -> bool:
    """Whether stamps end their step. Enedis curves do, unless the first one is the very midnight where the period is said to begin."""
    if not len(micros) or not (hours < 20).all() or reading.when == "début":
        return False
    if reading.when == "fin":
        return True
    first = pd.Timestamp(int(micros.min()), unit="us", tz="UTC").tz_convert(reading.zone)
    return not (first.hour == 0 and first.minute == 0 and start[:10] == first.date().isoformat())


def _index(point: str, total: pd.Series, unit: str, reading: Reading) -> pd.DataFrame:
    """Uses between successive readings of an index."""
    kwh = units.index_to_kwh(total.to_numpy(dtype=float), unit, point, reading.gas.get(point))
    start = instants.to_utc(pd.Series(total.index.astype(str)), reading.zone)
    known = start != instants.UNKNOWN
    uses = index_uses(np.zeros(int(known.sum()), dtype=np.int64), start[known], kwh[known], [point], reading.falls)
    return pd.DataFrame(dict(zip(COLUMNS, (point, instants.as_series(uses[1]), *uses[2:]), strict=True)))
