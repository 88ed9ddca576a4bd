"""Writes the files of ``data/``: thirty-six simulated buildings, one read each hour in a file of Enedis's shape, ten drifting."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd

from bocage.usecases.energie_batiments.tests import simulated

START, DAYS, SEED = "2022-11-07", 462, 21
MONTH = 365.25 / 12
NAMES = {
    "école": ("École Jules-Ferry", "École des Tilleuls", "École Simone-Veil", "École du Port", "École Pasteur", "École Prévert"),
    "mairie": ("Mairie", "Mairie annexe", "Hôtel d’agglomération", "Maison des associations", "Trésorerie", "Centre social"),
    "gymnase": ("Gymnase Jean-Moulin", "Gymnase des Prés", "Halle des sports", "Dojo", "Gymnase du Lac", "Salle de danse"),
    "bibliothèque": ("Médiathèque", "Bibliothèque du Bourg", "Conservatoire", "Musée", "Ludothèque", "Archives"),
    "piscine": ("Piscine", "Patinoire", "Résidence autonomie", "Foyer", "Bassin nordique", "Thermes"),
    "crèche": ("Crèche des Lutins", "Crèche du Parc", "Halte-garderie", "Maison de l’enfance", "Crèche des Pins", "Crèche du Canal"),
}
FAULTS = {
    "Gymnase Jean-Moulin": ("lost_setback", 45),
    "École des Tilleuls": ("weekend_heating", 30),
    "Médiathèque": ("base_load", 50),
    "Crèche du Parc": ("lost_setback", 35),
    "Maison des associations": ("weekend_heating", 40),
    "Piscine": ("base_load", 60),
    "Dojo": ("lost_setback", 25),
    "École Simone-Veil": ("lost_setback", 33),
    "Musée": ("weekend_heating", 38),
    "Foyer": ("lost_setback", 28),
}
BASE_TIMES = 3
"""The example's base loads drift by three times the benchmark's 15 %, or nobody would phone."""

HOURLY = "Gymnase Jean-Moulin"


def tables() -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """``sites``, daily ``releves``, ``meteo``, ``constats``; and the hourly meter's curve (``debut``, ``kwh``)."""
    found = simulated.fleet(36, START, DAYS / 365.25, SEED)
    names = [NAMES[kind][i // 6] for i, kind in enumerate(found.kinds)]
    drawn = np.random.default_rng(SEED)
    sites, readings, truth, curve = [], [], [], pd.DataFrame()
    for i, name in enumerate(names):
        point, price = f"{30001000000101 + 7 * i}", round(float(drawn.uniform(0.16, 0.24)), 3)
        kwh = _drifting(found, i, name)
        gap = (kwh - found.kwh[i])[-30:].sum() / 30
        truth.append({"point_de_mesure": point, "surcout_eur_mois": round(float(gap) * MONTH * price, 1)})
        used = float(found.kwh[i][:365].sum())
        sites.append(
            {
                "point_de_mesure": point,
                "nom": name,
                "usage": found.kinds[i],
                "energie": "électricité",
                "surface_m2": round(used / 90),
                "prix_eur_kwh": price,
                "puissance_souscrite_kva": float(np.ceil(found.kwh[i].max() * (1.3 if i % 3 else 1.9))),
                "annee_reference": 2019,
                "conso_reference_kwh": round(used * 1.12),
            }
        )
        if name == HOURLY:
            curve = pd.DataFrame({"debut": _hours(found.days), "kwh": kwh.reshape(-1)})
            continue
        daily = pd.DataFrame({"point_de_mesure": point, "horodatage": found.days.strftime("%Y-%m-%d"), "valeur": kwh.sum(axis=1).round(1)})
        readings.append(daily.assign(unite="kWh"))
    hours = _hours(found.days)[::3]
    weather = pd.DataFrame({"horodatage": hours, "temperature_c": found.temperature.reshape(-1)[::3].round(1)})
    frames = {"sites": sites, "constats": truth}
    result = {key: pd.DataFrame(rows) for key, rows in frames.items()}
    return {**result, "releves": pd.concat(readings, ignore_index=True), "meteo": weather}, curve


def _drifting(found: simulated.Fleet, i: int, name: str) -> np.ndarray:
    clean = found.kwh[i].astype(float)
    if name not in FAULTS:
        return clean
    fault, days = FAULTS[name]
    changed = simulated.inject(found, i, fault, DAYS - days, SEED)
    return np.asarray(clean + (changed - clean) * (BASE_TIMES if fault == "base_load" else 1))


def _hours(days: pd.DatetimeIndex) -> pd.Series:
    """Local times of 24 slots a day; simulated days have no change of hour, so the file keeps winter time and says so."""
    hours = days.repeat(24) + pd.to_timedelta(np.tile(np.arange(24), len(days)), unit="h")
    return pd.Series(hours.tz_localize("Etc/GMT-1"))


def enedis_csv(point: str, curve: pd.DataFrame) -> str:
    """The CSV of Enedis's customer space: average W, each time the end of its hour."""
    text = io.StringIO()
    first, last = (stamp.strftime("%d/%m/%Y") for stamp in (curve["debut"].iloc[0], curve["debut"].iloc[-1]))
    head = "Identifiant PRM;Type de donnees;Date de debut;Date de fin;Grandeur physique;Grandeur metier;Etape metier;Unite;Pas en minutes"
    text.write(f"{head}\n{point};Courbe de charge;{first};{last};Energie active;Consommation;Comptage Brut;W;60\nHorodate;Valeur\n")
    for stamp, kwh in zip(curve["debut"] + pd.Timedelta(hours=1), curve["kwh"], strict=True):
        text.write(f"{stamp.isoformat()};{round(1000 * kwh)}\n")
    return text.getvalue()


def write_example(folder: Path) -> None:
    """Write the files of ``data/``."""
    made, curve = tables()
    (folder / "verite").mkdir(parents=True, exist_ok=True)
    weather = made["meteo"].assign(horodatage=made["meteo"]["horodatage"].map(lambda stamp: stamp.isoformat(timespec="minutes")))
    for name, table in {"sites": made["sites"], "meteo": weather, "verite/constats": made["constats"]}.items():
        table.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
    # Parquet: thirty-five meters weigh less than a fifth of their CSV.
    made["releves"].to_parquet(folder / "releves.parquet", index=False, compression="gzip")
    sites = made["sites"]
    point = str(sites.loc[sites["nom"] == HOURLY, "point_de_mesure"].iloc[0])
    actions = pd.DataFrame(
        [
            {
                "point_de_mesure": sites["point_de_mesure"].iloc[1],
                "debut": "2023-11-20",
                "fin": "2023-11-24",
                "libelle": "réglage de la régulation",
            }
        ]
    )
    actions.to_csv(folder / "actions.csv", index=False, lineterminator="\n")
    with zipfile.ZipFile(folder / "courbes.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        member = zipfile.ZipInfo(f"Enedis_courbe_{point}.csv", (2024, 2, 12, 0, 0, 0))
        member.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(member, enedis_csv(point, curve))
