"""Bocage against the seasonal naive and simple peers on counters, canteens and tourism, in one run.

    python -m benchmarks.frequentation_prevision [--data DIR] [--json]       the evaluation periods
    python -m benchmarks.frequentation_prevision --selection                 earlier periods, on which the choices were made
    python -m benchmarks.frequentation_prevision --others                    twelve other counters, on which nothing was chosen

Rules. Each forecast is made from what precedes it, by the engine's own path.
- Counters: four pedestrian counters of Melbourne, hourly, 7 days ahead; evaluation from July to December 2016.
- Canteens: meals of all the canteens of Nantes, a day, 21 days ahead (towns order three weeks ahead); evaluation from September 2017 to
  December 2018, on days that are not in the city's list of strikes. Past strikes are declared closures, for every method; coming ones
  are unknown.
- Tourism: 304 quarterly series (region and purpose), 4 quarters ahead; evaluation from 2015 to 2017.
Skill: 1 - MAE / MAE of the seasonal naive (same weekday of the last week that has it; same quarter of last year), in per cent. The MAE
is the mean over all forecast steps and series, at the data's own step (hour, day, quarter). Coverage: share within the 80 % interval.
docs/bench/frequentation_prevision.md keeps the log of every look at the evaluation periods.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bocage.contract.bench import Bar, BenchResult, DatasetUsed
from bocage.contract.errors import DataFolderMissing
from bocage.methods.forecasting.panel import DayGrid, to_grid
from bocage.methods.forecasting.periods import forecast_periods, same_period_before
from bocage.methods.forecasting.pipeline import Plan
from bocage.usecases.frequentation_prevision.prediction import DAILY, HOURLY, answer
from bocage.usecases.frequentation_prevision.preparation import prepare

SLUG = "frequentation_prevision"
FILES = {
    "compteurs": Path("energy") / "presence" / "pedestrian.csv",
    "tourisme": Path("energy") / "presence" / "tourism.csv",
    "cantines": Path("energy") / "nantes_cantines" / "raw" / "frequentation.csv",
    "greves": Path("energy") / "nantes_cantines" / "extra" / "Journees_de_greve.csv",
}
ORIGINS = {
    "compteurs": {"evaluation": ("2016-07-04", "2016-12-19", "28D"), "selection": ("2016-01-18", "2016-06-13", "49D")},
    "cantines": {"evaluation": ("2017-09-11", "2018-12-03", "21D"), "selection": ("2015-09-14", "2017-06-12", "49D")},
}
QUARTERS = {"evaluation": range(68, 77, 2), "selection": range(48, 66, 2)}
"""Known quarters at each origin: 68 is the end of 2014, 76 the end of 2016."""

OTHER_COUNTERS = (
    "Bourke Street Mall (South)", "Collins Place (South)", "Flagstaff Station", "Melbourne Central", "New Quay", "Princes Bridge",
    "Sandridge Bridge", "Southern Cross Station", "Town Hall (West)", "Victoria Point", "Waterfront City", "Webb Bridge",
)  # fmt: skip
"""Counters of the same city with a whole history from January 2012 to February 2015."""

Forecast = dict[str, np.ndarray]
"""``truth`` and, per method, its forecast: arrays of one shape; ``lower`` and ``upper`` are Bocage's."""


@dataclass(frozen=True)
class Given:
    """A table of counts, what was declared, and what the engine is told of the territory; days of ``left_out`` are not judged."""

    table: pd.DataFrame
    timezone: str
    territory: str
    zone: Any
    horizon: int
    left_out: frozenset[pd.Timestamp]


def default_data_dir() -> Path:
    """``BOCAGE_DONNEES``, else ``../shared/data`` beside the project."""
    return Path(os.environ.get("BOCAGE_DONNEES") or Path(__file__).resolve().parents[2] / "shared" / "data")


def run(data_dir: Path | None = None, progress: Callable[[float, str], None] | None = None, span: str = "evaluation") -> BenchResult:
    """The whole benchmark. Raises ``DataFolderMissing`` when a file is not on this machine."""
    started = time.monotonic()
    tell = progress or (lambda done, what: None)
    folder = data_dir or default_data_dir()
    for path in FILES.values():
        if not (folder / path).is_file():
            raise DataFolderMissing(f"Il manque {folder / path} : indiquez le dossier des données par BOCAGE_DONNEES.")
    rows: list[dict[str, Any]] = []
    skills, coverages = {}, {}
    for done, (name, found) in enumerate((("tourisme", tourism), ("cantines", canteens), ("compteurs", counters))):
        tell(done / 3, name)
        parts = found(folder, span)
        rows += _rows(name, parts)
        skills[name], coverages[name] = rows[-len(_methods(parts))]["skill_pct"], rows[-len(_methods(parts))]["coverage_pct"]
    worst = min(coverages.values(), key=lambda share: -abs(share - 80))
    return BenchResult(
        slug=SLUG,
        seconds=time.monotonic() - started,
        rows=rows,
        bars=[
            Bar(id="skill_pct_min", value=min(skills.values()), sense=">=", target=30.0),
            Bar(id="coverage_gap_points", value=round(abs(worst - 80), 1), sense="<=", target=5.0),
        ],
        datasets=[
            DatasetUsed(name=path.name, version=f"sha256:{_digest(folder / path)}", licence=_LICENCES[key]) for key, path in FILES.items()
        ],
        notes=["Choix faits sur les périodes antérieures (--selection) ; journal des regards : docs/bench/frequentation_prevision.md."],
    )


_LICENCES = {"compteurs": "CC BY 4.0", "tourisme": "CC BY 3.0 AU", "cantines": "MIT", "greves": "MIT"}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def _methods(parts: list[Forecast]) -> list[str]:
    return [name for name in parts[0] if name not in ("truth", "lower", "upper", "seconds")]


def _rows(dataset: str, parts: list[Forecast]) -> list[dict[str, Any]]:
    """One row per method; the first is Bocage."""
    truth = [part["truth"] for part in parts]
    usual = _mae([part["Saisonnier naïf"] for part in parts], truth)
    rows = []
    for method in _methods(parts):
        error = _mae([part[method] for part in parts], truth)
        rows.append({"name": f"{dataset} : {method}", "mae": round(error, 2), "skill_pct": round(100 * (1 - error / usual), 1)})
    known = np.concatenate([~np.isnan(t).reshape(-1) for t in truth])
    inside = np.concatenate([((p["truth"] >= p["lower"]) & (p["truth"] <= p["upper"])).reshape(-1) for p in parts])
    rows[0]["coverage_pct"] = round(100 * float(inside[known].mean()), 1)
    rows[0]["forecasts"] = int(known.sum())
    rows[0]["seconds"] = round(sum(float(part["seconds"]) for part in parts), 1)
    return rows


def _mae(forecasts: list[np.ndarray], truths: list[np.ndarray]) -> float:
    gaps = np.concatenate([np.abs(f - t).reshape(-1) for f, t in zip(forecasts, truths, strict=True)])
    return float(np.nanmean(gaps))


def counters(folder: Path, span: str) -> list[Forecast]:
    """Four pedestrian counters, hours."""
    raw = pd.read_csv(folder / FILES["compteurs"])
    stamp = pd.to_datetime(raw["Date_Time"], unit="s", utc=True).dt.tz_convert("Australia/Melbourne")
    table = pd.DataFrame({"horodatage": stamp, "lieu": raw["Sensor"], "valeur": raw["Count"].astype(float)})
    given = Given(table, "Australia/Melbourne", "AU-VIC", None, 7, frozenset())
    return [_day_part(given, origin, None) for origin in pd.date_range(*ORIGINS["compteurs"][span][:2], freq=ORIGINS["compteurs"][span][2])]


def other_counters(folder: Path) -> list[dict[str, Any]]:
    """Rows on ``OTHER_COUNTERS`` from eight Mondays of 2014: hours 7 days ahead, then days 14 days ahead."""
    with zipfile.ZipFile(folder / "energy" / "presence" / "pedestriancounts_melbourne.zip") as archive:
        raw = pd.read_csv(archive.open(archive.namelist()[0]), header=None, skipinitialspace=True).set_axis(
            ["time", "weekday", "hour", "id", "place", "count"], axis=1
        )
    raw = raw[raw["place"].isin(OTHER_COUNTERS)].dropna()
    clock = pd.to_datetime(raw["time"].str.strip(), format="%d-%b-%Y %H:%M")
    # The hours that clock changes double or skip have no certain moment.
    moment = clock.dt.tz_localize("Australia/Melbourne", ambiguous="NaT", nonexistent="NaT")
    hours = pd.DataFrame({"horodatage": moment, "lieu": raw["place"], "valeur": raw["count"].astype(float)}).dropna()
    days = hours.assign(horodatage=hours["horodatage"].dt.normalize()).groupby(["horodatage", "lieu"], as_index=False)["valeur"].sum()
    rows: list[dict[str, Any]] = []
    for name, table, horizon in (("heures", hours, 7), ("jours", days, 14)):
        given = Given(table, "Australia/Melbourne", "AU-VIC", None, horizon, frozenset())
        rows += _rows(name, [_day_part(given, origin, None) for origin in pd.date_range("2014-02-03", "2014-11-24", freq="42D")])
    return rows


def canteens(folder: Path, span: str) -> list[Forecast]:
    """Meals of the town, days."""
    raw = pd.read_csv(folder / FILES["cantines"], parse_dates=["date"])
    meals = raw.groupby("date", as_index=False)["reel"].sum()
    strikes = pd.to_datetime(pd.read_csv(folder / FILES["greves"])["Jour"], format="%d/%m/%y")
    stamp = meals["date"].dt.tz_localize("Europe/Paris")
    table = pd.DataFrame({"horodatage": stamp, "lieu": "Nantes", "valeur": meals["reel"].astype(float)})
    given = Given(table, "Europe/Paris", "FR", "B", 21, frozenset(strikes))
    origins = pd.date_range(*ORIGINS["cantines"][span][:2], freq=ORIGINS["cantines"][span][2])
    return [_day_part(given, origin, _closures(strikes, origin)) for origin in origins]


def _closures(strikes: pd.Series, origin: pd.Timestamp) -> pd.DataFrame:
    """Strikes that had taken place: their counts say nothing of ordinary days."""
    past = strikes[strikes < origin].dt.date
    return pd.DataFrame({"debut": past, "fin": past, "lieu": "", "type": "fermeture", "intitule": "grève"})


def _day_part(given: Given, origin: pd.Timestamp, events: pd.DataFrame | None) -> Forecast:
    """All methods from one origin: arrays (horizon, slots, places), NaN where not judged."""
    start = origin.tz_localize(given.timezone)
    prepared = prepare(given.table[given.table["horodatage"] < start])
    assert prepared.grid is not None
    gap = (origin - prepared.grid.days[-1]).days - 1
    ahead = {"events": events, "territory": given.territory, "school_zone": given.zone}
    began = time.monotonic()
    ours = answer(prepared, gap + given.horizon, seconds=3600.0, **ahead)
    seconds = time.monotonic() - began
    full = DAILY if prepared.rhythm == "jour" else HOURLY
    boosted = answer(prepared, gap + given.horizon, plan=Plan(None, full.boost, boost_weight=1.0), **ahead)
    profile = answer(prepared, gap + given.horizon, plan=Plan(None, None), **ahead)
    part = {
        "Bocage": ours.value,
        "LightGBM sur le profil, mêmes préparations": boosted.value,
        "Lissage exponentiel par genre de jour": profile.value,
        "Moyenne de 4 semaines": _mean_of_weeks(ours.grid, gap + given.horizon),
        "Saisonnier naïf": ours.usual,
        "lower": ours.lower if ours.grid.slots > 1 else ours.daily[1][:, None],
        "upper": ours.upper if ours.grid.slots > 1 else ours.daily[2][:, None],
    }
    part["truth"] = _truth(given, ours.days, ours.grid)
    return {name: array[gap:] for name, array in part.items()} | {"seconds": np.float64(seconds)}


def _truth(given: Given, days: pd.DatetimeIndex, grid: DayGrid) -> np.ndarray:
    result = np.full((len(days), grid.slots, len(grid.names)), np.nan)
    end = (days[-1] + pd.Timedelta(days=1)).tz_localize(given.timezone)
    coming = given.table[(given.table["horodatage"] >= days[0].tz_localize(given.timezone)) & (given.table["horodatage"] < end)]
    if len(coming):
        found = to_grid(coming, series="lieu", time="horodatage", value="valeur", timezone=given.timezone, slots=grid.slots)
        at = days.get_indexer(found.days)
        columns = [grid.names.index(name) for name in found.names if name in grid.names]
        mine = [found.names.index(grid.names[s]) for s in columns]
        result[np.ix_(at[at >= 0], range(grid.slots), columns)] = found.values[np.ix_(np.flatnonzero(at >= 0), range(grid.slots), mine)]
    result[days.isin(list(given.left_out))] = np.nan
    return result


def _mean_of_weeks(grid: DayGrid, horizon: int, weeks: int = 4) -> np.ndarray:
    """Mean of the same weekday over the last ``weeks`` weeks that have it."""
    result = np.full((horizon, *grid.values.shape[1:]), np.nan)
    known = len(grid.days)
    for k in range(horizon):
        rows = np.arange((known + k) % 7, known, 7)
        for s in range(len(grid.names)):
            had = [r for r in rows if np.nansum(grid.values[r, :, s]) > 0][-weeks:]
            if had:
                with np.errstate(all="ignore"):
                    result[k, :, s] = np.nanmean(grid.values[had, :, s], axis=0)
    return result


def tourism(folder: Path, span: str) -> list[Forecast]:
    """304 quarterly series."""
    raw = pd.read_csv(folder / FILES["tourisme"])
    quarter = pd.to_datetime(raw["Quarter"].round(), unit="D")
    wide = raw.assign(quarter=quarter).pivot_table(index="quarter", columns=["Region", "State", "Purpose"], values="Trips").to_numpy()
    return [_quarters(wide[:known], wide[known : known + 4]) for known in QUARTERS[span]]


def _quarters(past: np.ndarray, truth: np.ndarray) -> Forecast:
    began = time.monotonic()
    ours = forecast_periods(past, 4, 4)
    seconds = np.float64(time.monotonic() - began)
    return {
        "Bocage": ours.value,
        "LightGBM, retards et saison": _lightgbm_quarters(past),
        "ETS (niveau et saison lissés)": _holt_winters(past),
        "Theta": _theta(past),
        "Moyenne de 3 ans": np.mean([same_period_before(past[: len(past) - 4 * back], 4, 4) for back in range(3)], axis=0),
        "Saisonnier naïf": ours.usual,
        "lower": ours.lower,
        "upper": ours.upper,
        "truth": truth,
        "seconds": seconds,
    }


def _holt_winters(past: np.ndarray) -> np.ndarray:
    """ETS(A,N,A): smoothing weights of each series chosen on its own one-step errors, on a small grid."""
    best = np.full(past.shape[1], np.inf)
    result = np.zeros((4, past.shape[1]))
    for alpha in (0.05, 0.1, 0.2, 0.4, 0.6):
        for gamma in (0.02, 0.1, 0.25):
            season = past[:8].reshape(2, 4, -1).mean(axis=0) - past[:8].mean(axis=0)
            level, loss = past[:4].mean(axis=0), np.zeros(past.shape[1])
            for t, value in enumerate(past):
                error = value - level - season[t % 4]
                loss += np.abs(error) * (t >= 8)
                level, season[t % 4] = level + alpha * error, season[t % 4] + gamma * error
            forecast = np.stack([level + season[(len(past) + k) % 4] for k in range(4)])
            result = np.where(loss < best, forecast, result)
            best = np.minimum(loss, best)
    return np.maximum(result, 0.0)


def _theta(past: np.ndarray) -> np.ndarray:
    """Theta (Assimakopoulos and Nikolopoulos, 2000), deseasonalised by quarterly means: mean of a line and of simple smoothing."""
    season = np.stack([past[q::4].mean(axis=0) for q in range(4)]) - past.mean(axis=0)
    flat = past - season[np.arange(len(past)) % 4]
    time_ = np.arange(len(past)) - (len(past) - 1) / 2
    slope = time_ @ flat / (time_ @ time_)
    level = flat[:4].mean(axis=0)
    for value in flat:
        level = level + 0.3 * (value - level)
    return np.maximum(np.stack([level + 0.5 * slope * (k + 1) + season[(len(past) + k) % 4] for k in range(4)]), 0.0)


def _lightgbm_quarters(past: np.ndarray) -> np.ndarray:
    """One LightGBM for all series and horizons, on scaled lags: what a data scientist would try first."""
    import lightgbm

    scale = past[-20:].mean(axis=0) + 1e-9

    def table(known: int, k: int) -> np.ndarray:
        lags = [past[known - lag] / scale for lag in (1, 2, 3, 4, 5, 6, 7, 8)]
        same = [past[known - 4 * y + k % 4] / scale for y in (1, 2, 3, 4, 5)]
        means = [past[known - w : known].mean(axis=0) / scale for w in (4, 8, 20)]
        fixed = [np.full(len(scale), (known + k) % 4), np.full(len(scale), k), np.log(scale)]
        return np.column_stack([*lags, *same, *means, *fixed])

    rows, targets = [], []
    for known in range(20, len(past)):
        for k in range(min(4, len(past) - known)):
            rows.append(table(known, k))
            targets.append(past[known + k] / scale)
    settings = {
        "objective": "l1",
        "learning_rate": 0.05,
        "num_leaves": 15,
        "min_data_in_leaf": 100,
        "num_threads": 1,
        "verbosity": -1,
        "seed": 0,
    }
    model = lightgbm.train(settings, lightgbm.Dataset(np.concatenate(rows), np.concatenate(targets)), 150)
    return np.stack([np.asarray(model.predict(table(len(past), k), num_threads=1)) * scale for k in range(4)])


def main() -> None:
    """The command line of this file; ``bocage bench frequentation_prevision`` is the usual door."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--selection", action="store_true")
    parser.add_argument("--others", action="store_true")
    chosen = parser.parse_args()
    if chosen.others:
        print(pd.DataFrame(other_counters(chosen.data or default_data_dir())).to_string())
        return
    result = run(chosen.data, span="selection" if chosen.selection else "evaluation").as_json()
    print(json.dumps(result, ensure_ascii=False) if chosen.json else f"{pd.DataFrame(result['rows']).to_string()}\n{result['bars']}")


if __name__ == "__main__":
    main()
