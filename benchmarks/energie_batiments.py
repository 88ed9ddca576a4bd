"""Bocage, ``opendsm`` daily, a degree-day regression and last year's month on the same meters; savings, faults, and seven thousand meters.

    python -m benchmarks.energie_batiments [--data DIR] [--json]     all of it (about a quarter of an hour on two cores)
    python -m benchmarks.energie_batiments --selection               the figures by which the method was chosen (never the held-out ones)

The bars on accuracy are medians over the pairs that were held out of every choice (``energie_meters.SELECTION`` lists the
others); rows give both. docs/bench/energie_batiments.md keeps the log of looks.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:  # the command line loads this file by its path
    sys.path.insert(0, str(ROOT))

from benchmarks import energie_faults, energie_referee, energie_scale  # noqa: E402
from benchmarks.energie_meters import DECLARED_SAVING, IL, Meter, Pair, meters, pairs  # noqa: E402
from bocage.contract.bench import Bar, BenchResult, DatasetUsed  # noqa: E402
from bocage.contract.errors import DataFolderMissing  # noqa: E402
from bocage.usecases.energie_batiments import daily, savings  # noqa: E402
from bocage.usecases.energie_batiments.tests import simulated  # noqa: E402

SLUG = "energie_batiments"
LOADS = Path("energy") / "building_loads"
SPEED_METERS = 2000
Predictions = dict[str, tuple[np.ndarray, np.ndarray | None]]
"""By pair: what was foreseen of the base year and of the next, kWh per day."""


def default_data_dir() -> Path:
    """``BOCAGE_DONNEES``, else ``../shared/data`` beside the project."""
    return Path(os.environ.get("BOCAGE_DONNEES") or ROOT.parent / "shared" / "data")


def cv_rmse(kwh: np.ndarray, foreseen: np.ndarray) -> float:
    """Root mean square gap over the mean, on days known to both."""
    known = np.isfinite(kwh) & np.isfinite(foreseen)
    return float(np.sqrt(np.mean((kwh - foreseen)[known] ** 2)) / kwh[known].mean())


def run(data_dir: Path | None = None, progress: Callable[[float, str], None] | None = None) -> BenchResult:
    """The whole benchmark. Raises ``DataFolderMissing`` when the building loads are not on this machine."""
    started = time.monotonic()
    tell = progress or (lambda done, what: None)
    loads = (data_dir or default_data_dir()) / LOADS
    if not loads.is_dir():
        raise DataFolderMissing(f"Il manque {loads} : indiquez le dossier des données par BOCAGE_DONNEES.")
    tell(0.01, "opendsm, dans son propre environnement")
    python, why = energie_referee.prepare()
    found = meters(loads, energie_referee.samples(python) if python else None)
    rows, bars = _accuracy(pairs(found), python, tell)
    tell(0.35, "Économies déclarées et placebos")
    more = [_savings(found), _placebo(found)]
    tell(0.4, "Défauts injectés")
    told, sound = energie_faults.simulated_faults(energie_faults.EVALUATION_SEEDS)
    faults = energie_faults.summary("Défauts injectés, bâtiments simulés (graines réservées)", told, sound)
    real = energie_faults.summary("Défauts injectés, bâtiments réels (LBNL, école)", *energie_faults.real_faults(found))
    name = "Les mêmes, lus en totaux du jour seulement (hors barre)"
    totals = energie_faults.summary(name, *energie_faults.simulated_faults(energie_faults.EVALUATION_SEEDS, energie_faults.IN_TOTALS))
    tell(0.55, "7 000 compteurs")
    with tempfile.TemporaryDirectory(prefix="bocage-bench-") as folder:
        fleet = [energie_scale.measured(step, Path(folder)) for step in ("daily", "hourly")]
    rows += [part for part, _ in more] + [faults, totals, real, *fleet]
    for _, own in more:
        bars += own
    bars += _fault_bars(faults, fleet)
    return BenchResult(
        slug=SLUG,
        seconds=time.monotonic() - started,
        rows=rows,
        bars=bars,
        datasets=_datasets(loads, python is not None),
        notes=([why] if why else []) + NOTES,
    )


NOTES = [
    "Les seuils de précision (cv_ratio_base, cv_ratio_next) sont des médianes sur les paires tenues à l’écart de tout choix.",
    "savings_error_points : moyenne des écarts à 10 % sur les compteurs du paquet dont l’économie est déclarée ; chacun est dans la ligne.",
    "Précision des alertes : autant de trimestres sains que de défauts. La mémoire est la somme des trois processus, une borne haute.",
]


def _fault_bars(faults: dict[str, Any], fleet: list[dict[str, Any]]) -> list[Bar]:
    return [
        Bar(id="fault_recall", value=faults["recall"], sense=">=", target=0.85),
        Bar(id="fault_precision", value=faults["precision"], sense=">=", target=0.80),
        Bar(id="fault_delay_days", value=faults["median_delay_days"], sense="<=", target=3.0),
        Bar(id="false_per_building_quarter", value=faults["false_per_building_quarter"], sense="<=", target=1.0),
        Bar(id="seconds_7000_daily", value=fleet[0]["seconds"], sense="<=", target=60.0),
        Bar(id="seconds_7000_hourly", value=fleet[1]["seconds"], sense="<=", target=300.0),
        Bar(id="peak_gb", value=max(row["peak_gb"] for row in fleet), sense="<=", target=4.0),
    ]


def _accuracy(wanted: list[Pair], python: Path | None, tell: Callable[[float, str], None]) -> tuple[list[dict[str, Any]], list[Bar]]:
    """CV(RMSE) of base and next year by method, and the ratio to the referee."""
    methods: dict[str, Predictions] = {
        "Bocage": {pair.name: bocage(pair) for pair in wanted},
        "Régression sur les DJU 18": {pair.name: degree_days(pair) for pair in wanted},
        "Même mois de l’an passé, corrigé des DJU": {pair.name: last_year(pair) for pair in wanted},
    }
    seconds: dict[str, float] = {"Bocage": _own_speed()}
    if python:
        tell(0.05, "opendsm daily, un compteur après l’autre")
        cases = {pair.name: _case(pair) for pair in wanted}
        answered = energie_referee.fit(python, cases)
        methods["opendsm daily"] = {pair.name: _referee(pair, answered[pair.name]) for pair in wanted}
        seconds["opendsm daily"] = float(np.median([case["seconds"] for case in answered.values()]))
    scores = {name: pd.DataFrame({pair.name: _scores(pair, found[pair.name]) for pair in wanted}).T for name, found in methods.items()}
    held = [pair.name for pair in wanted if pair.held_out]
    rows = [_row(name, table, held, scores.get("opendsm daily"), seconds.get(name)) for name, table in scores.items()]
    for pair in wanted:
        row: dict[str, Any] = {"name": f"{pair.name}{'' if pair.held_out else ' (a servi au choix)'}"}
        for name, table in scores.items():
            row |= {
                f"{name}, {year}": round(float(table.loc[pair.name, year]), 4)
                for year in ("base", "next")
                if table.loc[pair.name, year] > 0
            }
        rows.append(row)
    if not python:
        return rows, []
    own = rows[0]
    ratio = seconds["opendsm daily"] / seconds["Bocage"]
    return rows, [
        Bar(id="cv_ratio_base", value=own["ratio_base_held_out"], sense="<=", target=1.0),
        Bar(id="cv_ratio_next", value=own["ratio_next_held_out"], sense="<=", target=1.0),
        Bar(id="speedup", value=round(ratio), sense=">=", target=100.0),
    ]


def _row(name: str, table: pd.DataFrame, held: list[str], referee: pd.DataFrame | None, seconds: float | None) -> dict[str, Any]:
    row: dict[str, Any] = {"name": name}
    for year in ("base", "next"):
        row[f"cv_{year}_median"] = round(float(table[year].median()), 4)
        if referee is not None:
            ratio = table[year] / referee[year]
            row[f"ratio_{year}_all"] = round(float(ratio.median()), 4)
            row[f"ratio_{year}_held_out"] = round(float(ratio[held].median()), 4)
    return row if seconds is None else row | {"seconds_per_meter": round(seconds, 5)}


def _scores(pair: Pair, foreseen: tuple[np.ndarray, np.ndarray | None]) -> dict[str, float]:
    kwh = pair.meter.daily()
    result = {"base": cv_rmse(kwh[pair.base], foreseen[0]), "next": np.nan}
    if pair.after is not None and foreseen[1] is not None:
        result["next"] = cv_rmse(kwh[pair.after], foreseen[1])
    return result


def bocage(pair: Pair) -> tuple[np.ndarray, np.ndarray | None]:
    """The engine's daily model, as the watch fits it."""
    known = daily.calendar(pair.meter.days(), pair.meter.territory)
    rows, shrink = daily.design(known, pair.meter.temperature(), pair.base)
    found = daily.fit(rows[pair.base], shrink, pair.meter.daily()[None, pair.base])
    return found.predict(rows[pair.base])[0], None if pair.after is None else found.predict(rows[pair.after])[0]


def degree_days(pair: Pair) -> tuple[np.ndarray, np.ndarray | None]:
    """Least squares of the day's use on its degree days, base 18 °C."""
    mean = pair.meter.temperature().mean(axis=1)
    rows = np.column_stack([np.ones(len(mean)), np.maximum(daily.DJU_BASE - mean, 0.0)])
    kwh = pair.meter.daily()[pair.base]
    known = np.isfinite(kwh)
    beta = np.linalg.lstsq(rows[pair.base][known], kwh[known], rcond=None)[0]
    return rows[pair.base] @ beta, None if pair.after is None else rows[pair.after] @ beta


def last_year(pair: Pair) -> tuple[np.ndarray, np.ndarray | None]:
    """The mean day of the same month of the base year, in proportion of the two months' degree days (where both have thirty or more)."""
    days, mean = pair.meter.days(), pair.meter.temperature().mean(axis=1)
    table = pd.DataFrame({"kwh": pair.meter.daily(), "dju": np.maximum(daily.DJU_BASE - mean, 0.0), "month": days.month}, index=days)
    base = table.iloc[pair.base].groupby("month")[["kwh", "dju"]].mean()
    inside = table["month"].iloc[pair.base].map(base["kwh"]).to_numpy(dtype=float)
    if pair.after is None:
        return inside, None
    later = table.iloc[pair.after]
    now = later.groupby("month")["dju"].mean().reindex(base.index)
    ratio = (now / base["dju"]).where((now >= 1) & (base["dju"] >= 1), 1.0)
    return inside, later["month"].map(base["kwh"] * ratio).to_numpy(dtype=float)


def _case(pair: Pair) -> dict[str, Any]:
    days, kwh, mean = pair.meter.days(), pair.meter.daily(), pair.meter.temperature().mean(axis=1)
    years = {"base": pair.base, "after": pair.after}
    parts = {name: None if part is None else energie_referee.part(days[part], kwh[part], mean[part]) for name, part in years.items()}
    return {**parts, "gas": "gas" in pair.name}


def _referee(pair: Pair, answer: dict[str, Any]) -> tuple[np.ndarray, np.ndarray | None]:
    days = pair.meter.days()
    base, later = (
        None if part is None else np.array([answer[name].get(str(day.date()), np.nan) for day in days[part]])
        for name, part in (("base", pair.base), ("after", pair.after))
    )
    assert base is not None
    return base, later


def _own_speed() -> float:
    """Seconds per meter of the same work (fit a year, foresee two), on one core, for two thousand meters at once."""
    days = pd.date_range("2022-01-01", periods=730, freq="D")
    drawn = np.random.default_rng(0)
    temperature = 12 - 8 * np.cos(np.arange(730 * 24) / 8766 * 2 * np.pi).reshape(730, 24) + drawn.normal(0, 2, (730, 24))
    kwh = (50 + 5 * np.maximum(16 - temperature.mean(axis=1), 0)) * np.exp(0.1 * drawn.standard_normal((SPEED_METERS, 730)))
    known = daily.calendar(days, "FR")
    started = time.monotonic()
    rows, shrink = daily.design(known, temperature)
    daily.fit(rows[:365], shrink, kwh[:, :365]).predict(rows)
    return (time.monotonic() - started) / SPEED_METERS


def _savings(found: dict[str, Meter]) -> tuple[dict[str, Any], list[Bar]]:
    """Declared savings of the wheel's simulated meters: the year before, the year after the works."""
    row: dict[str, Any] = {"name": "Économies déclarées (10 %), mesurées en % [intervalle à 90 %]"}
    errors = []
    for name in IL:
        if name not in found:
            continue
        meter = found[name]
        days = meter.days()
        a, b, c, d = (int(days.searchsorted(pd.Timestamp(day))) for day in ("2015-12-26", "2016-12-26", "2017-01-05", "2018-01-05"))
        saved = savings.savings(meter.daily()[None], daily.calendar(days, meter.territory), meter.temperature(), slice(a, b), slice(c, d))
        share, low, high = (100 * float(x[0] / saved.foreseen[0]) for x in (saved.kwh, saved.low, saved.high))
        row[name] = f"{share:.1f} [{low:.1f} ; {high:.1f}]"
        errors.append(abs(share - 100 * DECLARED_SAVING))
    if not errors:
        return row, []
    row |= {"mean_error": round(float(np.mean(errors)), 2), "largest_error": round(max(errors), 2)}
    return row, [Bar(id="savings_error_points", value=row["mean_error"], sense="<=", target=2.0)]


def _placebo(found: dict[str, Meter]) -> tuple[dict[str, Any], list[Bar]]:
    """Actions never made, on fleets and dates held out."""
    table = energie_faults.placebo(found, energie_faults.EVALUATION_SEEDS, held_out=True)
    middle, inside = 100 * float(table["share"].median()), 100 * float(table["inside"].mean())
    row: dict[str, Any] = {
        "name": "Économies placebo",
        "cases": len(table),
        "median_pct": round(middle, 2),
        "coverage_pct": round(inside, 1),
    }
    for source, part in table.groupby("source"):
        row[f"{source}"] = f"{100 * part['share'].median():.1f} %, {100 * part['inside'].mean():.0f} % couverts ({len(part)})"
    row["median_absolute_pct"] = round(100 * float(table["share"].abs().median()), 2)
    return row, [
        Bar(id="placebo_savings_pct", value=round(abs(middle), 2), sense="<=", target=1.0),
        Bar(id="placebo_coverage_pct", value=round(inside, 1), sense=">=", target=85.0),
    ]


def _datasets(loads: Path, wheel: bool) -> list[DatasetUsed]:
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(loads.rglob("*.csv")))).hexdigest()[:16]
    used = [DatasetUsed(name="LBNL RMV2.0, kW-Labs nmecr", version=f"sha256:{digest}", licence="MIT")]
    return [*used, DatasetUsed(name="opendsm, sample meters", version=energie_referee.VERSION, licence="Apache-2.0")] if wheel else used


def selection() -> None:
    """Print the figures of the selection pairs, fleets and dates."""
    python, why = energie_referee.prepare()
    print(why)
    found = meters(default_data_dir() / LOADS, energie_referee.samples(python) if python else None)
    for pair in pairs(found):
        if not pair.held_out:
            print(pair.name, _scores(pair, bocage(pair)))
    for faults in (simulated.FAULTS, energie_faults.IN_TOTALS):
        print(energie_faults.summary("faults", *energie_faults.simulated_faults(energie_faults.SELECTION_SEEDS, faults)))
    table = energie_faults.placebo(found, energie_faults.SELECTION_SEEDS, held_out=False)
    print(table.groupby("source")[["share", "inside"]].agg(["median", "mean", "size"]))


def main() -> None:
    """The command line of this file; ``bocage bench energie_batiments`` is the usual door."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--selection", action="store_true")
    chosen = parser.parse_args()
    if chosen.selection:
        selection()
        return
    result = run(chosen.data).as_json()
    if chosen.json:
        print(json.dumps(result, ensure_ascii=False))
    else:
        print(*(f"{row}" for row in result["rows"]), *result["bars"], *result["notes"], sep="\n")


if __name__ == "__main__":
    main()
