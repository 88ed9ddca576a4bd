"""Official meter files, as received, to one long table: what was used, between which instants, in kWh.

Read: Enedis Data Connect (``meter_reading``: average W, as strings, or daily Wh), Enedis R63 (load curves) and R64 (indexes) in JSON, the
CSV of the Enedis customer space (load curve in W, indexes in Wh), GRDF ADICT (JSON, one object, a list, or one per line), the contract's
own columns in CSV, and a .zip of any of them. Nothing is guessed of a unit: an unknown one is an error that names it.

Times without an offset are Europe/Paris. On the day of 25 hours the first of two equal times is summer's; a time that does not exist is
set aside and told.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from bocage.contract.errors import UnreadableFile
from bocage.contract.french import count

COLUMNS = ["point", "debut", "heures", "kwh"]
"""``debut`` UTC; ``heures`` length of the step; ``kwh`` used during it (kWh PCS for gas)."""

When = Literal["auto", "début", "fin"]
PCI_TO_PCS = 1.11
"""Natural gas: heat with the condensed water over heat without (arrêté du 15 septembre 2006, annexe 4)."""

_ENERGY = {"Wh": 1e-3, "kWh": 1.0, "MWh": 1e3, "kWh PCS": 1.0, "MWh PCS": 1e3, "kWh PCI": PCI_TO_PCS, "MWh PCI": 1e3 * PCI_TO_PCS}
_POWER = {"W": 1e-3, "kW": 1.0}
_MAX_MEMBER = 500_000_000
_MAX_MEMBERS = 5_000


def to_kwh(values: pd.Series, unit: str, hours: pd.Series | float, gas: float | None = None) -> pd.Series:
    """``values`` in ``unit`` over steps of ``hours``, in kWh (PCS for gas). ``gas``: kWh PCS per m³, needed for m³.

    Raises ``UnreadableFile`` on a unit that is not known, or m³ without a coefficient: a wrong guess would be a factor of 10 to 1000.
    """
    if unit in _ENERGY:
        return values * _ENERGY[unit]
    if unit in _POWER:
        return values * _POWER[unit] * hours
    if unit == "m³" and gas:
        return values * gas
    if unit == "m³":
        raise UnreadableFile("Des volumes de gaz sont en m³ : donnez « coefficient_kwh_m3 » (sur la facture) dans la table des sites.")
    raise UnreadableFile(f"Unité « {unit} » inconnue : donnez W, kW, Wh, kWh, MWh (PCS ou PCI pour le gaz) ou m³.")


def read_curves(path: Path, when: When = "auto", zone: str = "Europe/Paris") -> tuple[pd.DataFrame, list[str]]:
    """The long table (``COLUMNS``) of a file and French notes. Raises ``UnreadableFile`` when nothing in it can be read."""
    notes: list[str] = []
    parts = []
    for name, data in _members(path):
        part = _parse(name, data, when, zone)
        parts.append(part[COLUMNS])
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)
    bad = table["debut"].isna() | ~np.isfinite(table["kwh"].astype(float))
    if bad.any():
        notes.append(
            f"{count(int(bad.sum()), 'mesure illisible a été écartée', 'mesures illisibles ont été écartées')} du fichier {path.name}."
        )
    table = table[~bad].reset_index(drop=True)
    if table.empty:
        raise UnreadableFile(f"Le fichier « {path.name} » ne contient aucune mesure lisible. Déposez le fichier reçu d’Enedis ou de GRDF.")
    return table, notes


def _members(path: Path) -> Iterator[tuple[str, str]]:
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                infos = [info for info in archive.infolist() if not info.is_dir()]
                if len(infos) > _MAX_MEMBERS or any(info.file_size > _MAX_MEMBER for info in infos):
                    raise UnreadableFile(f"L’archive « {path.name} » est trop grande : découpez-la.")
                for info in sorted(infos, key=lambda i: i.filename):
                    if info.filename.lower().endswith((".json", ".csv", ".txt")):
                        yield info.filename, archive.read(info).decode("utf-8-sig", errors="replace")
        else:
            yield path.name, path.read_bytes().decode("utf-8-sig", errors="replace")
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError, RuntimeError) as error:
        raise UnreadableFile(f"L’archive « {path.name} » est abîmée ({type(error).__name__}). Déposez-la à nouveau.") from None
    except Exception as error:
        if type(error).__module__ == "zlib":
            raise UnreadableFile(f"L’archive « {path.name} » est abîmée. Déposez-la à nouveau.") from None
        raise


def _parse(name: str, text: str, when: When, zone: str) -> pd.DataFrame:
    head = text.lstrip()[:400]
    try:
        if head[:1] in "{[":
            return _from_json(text, when, zone)
        if head.startswith("Identifiant PRM"):
            return _from_enedis_csv(text, when, zone)
        if "point_de_mesure" in head.partition("\n")[0]:
            return _from_contract_csv(text, zone)
    except UnreadableFile:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        raise UnreadableFile(
            f"Le fichier « {name} » est abîmé ou d’une forme inconnue ({type(error).__name__}). Déposez-le à nouveau."
        ) from None
    raise UnreadableFile(
        f"Le fichier « {name} » n’est pas d’une forme connue : donnez Data Connect, R63, R64, CSV d’Enedis, GRDF ADICT, "
        "ou les colonnes de « releves »."
    )


def _from_json(text: str, when: When, zone: str) -> pd.DataFrame:
    try:
        objects: Any = json.loads(text)
    except json.JSONDecodeError:
        objects = [json.loads(line) for line in text.splitlines() if line.strip()]
    frames = []
    for thing in objects if isinstance(objects, list) else [objects]:
        if "meter_reading" in thing:
            frames.append(_data_connect(thing["meter_reading"], when, zone))
        elif "mesures" in thing:
            frames += [_r6x(measure, when, zone) for measure in thing["mesures"]]
        elif "consommation" in thing:
            frames.append(_grdf(thing, zone))
        else:
            raise UnreadableFile("Ce JSON n’est ni d’Enedis (meter_reading, mesures) ni de GRDF (consommation). Déposez le fichier reçu.")
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=COLUMNS)


def _data_connect(found: dict[str, Any], when: When, zone: str) -> pd.DataFrame:
    """Enedis Data Connect v5: values are strings; a load curve gives average W, the daily one Wh."""
    readings = pd.DataFrame(found["interval_reading"])
    kind = found["reading_type"]
    unit = str(kind["unit"])
    if str(kind.get("measurement_kind", "")) == "power" and unit not in _POWER:
        raise UnreadableFile(f"Data Connect annonce une puissance en « {unit} » : attendu W ou kW.")
    length = (
        readings["interval_length"] if "interval_length" in readings else pd.Series([kind.get("measuring_period", "PT30M")] * len(readings))
    )
    daily = readings["date"].astype(str).str.len() == 10
    hours = length.map(_duration).where(~daily)  # days take their own length: 23, 24 or 25 hours
    return _table(str(found["usage_point_id"]), readings["date"], readings["value"], unit, hours, when, zone, str(found.get("start", "")))


def _r6x(measure: dict[str, Any], when: When, zone: str) -> pd.DataFrame:
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
                hours = points["p"].map(_duration) if "p" in points else pd.Series([np.nan] * len(points))
                frames.append(_table(point, points["d"], points["v"], unit, hours, when, zone, start))
            elif "calendrier" in quantity:
                frames.append(_index(point, _r64_total(quantity), unit, zone))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=COLUMNS)


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


def _grdf(thing: dict[str, Any], zone: str) -> pd.DataFrame:
    """GRDF ADICT: ``energie`` is kWh PCS; without it, the volume times the bill's conversion coefficient."""
    used = thing["consommation"]
    start, end = used["date_debut_consommation"], used["date_fin_consommation"]
    first, last = _instants(pd.Series([start, end]), zone)
    energy = used.get("energie")
    if energy is None:
        factor = (used.get("coeff_calcul") or {}).get("coeff_conversion")
        if factor is None or used.get("volume_brut") is None:
            return pd.DataFrame(columns=COLUMNS)
        energy = float(used["volume_brut"]) * float(factor)
    point = str((thing.get("pce") or {}).get("id_pce", ""))
    return pd.DataFrame({"point": [point], "debut": [first], "heures": [(last - first).total_seconds() / 3600], "kwh": [float(energy)]})


def _from_enedis_csv(text: str, when: When, zone: str) -> pd.DataFrame:
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
            frames.append(_index(point, pd.Series(total.to_numpy(), index=table["Horodate"]).dropna(), unit, zone))
            continue
        step = float(about["Pas en minutes"]) / 60 if about.get("Pas en minutes", "").strip().isdigit() else np.nan
        hours = pd.Series([step] * len(table))
        start = "-".join(reversed(about.get("Date de debut", "").split("/")))
        frames.append(_table(point, table["Horodate"], table["Valeur"], unit, hours, when, zone, start))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=COLUMNS)


def _from_contract_csv(text: str, zone: str) -> pd.DataFrame:
    table = pd.read_csv(io.StringIO(text), sep=None, engine="python", dtype=str)
    values = pd.to_numeric(table["valeur"].str.replace(",", "."), errors="coerce")
    stamps = _instants(table["horodatage"], zone)
    plain = pd.DataFrame({"point_de_mesure": table["point_de_mesure"], "horodatage": stamps, "valeur": values, "unite": table["unite"]})
    return from_readings(plain, {})


def _table(
    point: str, stamps: pd.Series, values: pd.Series, unit: str, hours: pd.Series, when: When, zone: str, start: str
) -> pd.DataFrame:
    instants = _instants(stamps, zone)
    hours = hours.astype(float).reset_index(drop=True)
    if hours.isna().any():
        hours = hours.fillna(steps(instants))
    value = pd.to_numeric(values.reset_index(drop=True), errors="coerce")
    if _at_end(instants, hours, when, start, zone):
        instants = instants - pd.to_timedelta(hours, unit="h")
    return pd.DataFrame({"point": point, "debut": instants, "heures": hours, "kwh": to_kwh(value, unit, hours)})


def _at_end(instants: pd.Series, hours: pd.Series, when: When, start: str, zone: str) -> bool:
    """Whether stamps end their step. Enedis curves do, unless the first one is the very midnight where the period is said to begin."""
    if when != "auto":
        return when == "fin" and bool((hours < 20).all())
    known = instants.dropna()
    if known.empty or not (hours < 20).all():
        return False
    first = known.min().tz_convert(zone)
    return not (first.hour == 0 and first.minute == 0 and start[:10] == first.date().isoformat())


def _index(point: str, total: pd.Series, unit: str, zone: str) -> pd.DataFrame:
    """Uses between successive readings of an index. A fall (meter changed, back to zero) is left out."""
    if total.empty:
        return pd.DataFrame(columns=COLUMNS)
    stamps = _instants(pd.Series(total.index.astype(str)), zone)
    known = pd.Series(total.to_numpy(dtype=float), index=stamps).sort_index()
    known = known[known.index.notna() & ~known.index.duplicated()]
    used = np.diff(known.to_numpy())
    hours = np.diff(known.index.to_numpy()) / np.timedelta64(1, "h")
    table = pd.DataFrame({"point": point, "debut": known.index[:-1], "heures": hours, "kwh": used * _ENERGY.get(unit, np.nan)})
    if unit not in _ENERGY:
        raise UnreadableFile(f"L’index du compteur {point} est en « {unit} » : attendu Wh ou kWh.")
    return table[used >= 0]


def from_readings(table: pd.DataFrame, gas: dict[str, float]) -> pd.DataFrame:
    """The long table of lines of ``ReleveRow``. ``gas``: kWh PCS per m³ by meter. Raises ``UnreadableFile`` on m³ without it."""
    frames = []
    ordered = table.sort_values(["point_de_mesure", "horodatage", "valeur"], kind="stable")
    if "nature" not in ordered:
        ordered = ordered.assign(nature="consommation")
    for (point, unit, nature), lines in ordered.groupby(["point_de_mesure", "unite", "nature"], sort=True, observed=True):
        stamps = lines["horodatage"].dt.tz_convert("UTC").reset_index(drop=True)
        values = lines["valeur"].astype(float).reset_index(drop=True)
        if nature == "index":
            frames.append(_index(str(point), pd.Series(values.to_numpy(), index=stamps.astype(str)), str(unit), "UTC"))
            continue
        hours = steps(stamps)
        if "fin" in lines:
            ends = pd.to_datetime(lines["fin"], utc=True).reset_index(drop=True)
            hours = ((ends - stamps).dt.total_seconds() / 3600).where(ends.notna(), hours)
        frames.append(
            pd.DataFrame(
                {"point": str(point), "debut": stamps, "heures": hours, "kwh": to_kwh(values, str(unit), hours, gas.get(str(point)))}
            )
        )
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=COLUMNS)


def steps(stamps: pd.Series) -> pd.Series:
    """The length in hours of the step that each stamp begins: the usual gap; the real one for days, whose clock may have 23 or 25 hours."""
    instants = stamps.dropna().drop_duplicates().sort_values()
    gaps = instants.diff().dt.total_seconds().dropna() / 3600
    usual = float(gaps.median()) if len(gaps) else 24.0
    if usual < 20:
        return pd.Series(usual, index=stamps.index)
    following = {now: gap for now, gap in zip(instants.iloc[:-1], gaps, strict=True) if abs(gap - usual) <= max(1.0, 0.15 * usual)}
    return stamps.map(following).astype(float).fillna(usual)


def _instants(stamps: pd.Series, zone: str) -> pd.Series:
    """UTC instants of ISO times, with or without an offset. File order tells the first from the second of the doubled hour."""
    text = stamps.astype(str).str.strip().reset_index(drop=True)
    offset = text.str.contains(r"(?:[+-]\d\d:?\d\d|Z)$", regex=True) & (text.str.len() > 10)
    result = pd.to_datetime(text.where(offset), utc=True, errors="coerce", format="ISO8601").astype("datetime64[us, UTC]")
    naive = pd.to_datetime(text.where(~offset), errors="coerce", format="ISO8601")
    if naive.notna().any():
        first = ~naive.duplicated()
        local = naive.dt.tz_localize(zone, ambiguous=first.to_numpy(), nonexistent="NaT")
        result = result.where(offset, local.dt.tz_convert("UTC").astype("datetime64[us, UTC]"))
    return result


def _duration(text: object) -> float:
    """Hours of an ISO 8601 duration: PT30M, PT1H, P1D; NaN otherwise."""
    match = re.fullmatch(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?", str(text))
    if not match or not any(match.groups()):
        return float("nan")
    days, hours, minutes = (int(group or 0) for group in match.groups())
    return days * 24 + hours + minutes / 60
