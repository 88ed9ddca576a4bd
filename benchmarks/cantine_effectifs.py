"""Bocage, the agents, and simple peers on the canteens of Nantes, in one run.

    python -m benchmarks.cantine_effectifs [--data DIR] [--json]      167 normal days, September 2017 to December 2018
    python -m benchmarks.cantine_effectifs --selection                the two school years before, on which everything was chosen

Rules: a day is normal when it is not in the city's list of strike days. Parameters are learnt again at the start of each period (a
new one opens after six days or more without a meal: eight periods), from days at least ``lead`` days older than its first day; the
forecast of each day then uses the meals served up to ``lead`` days before it, and nothing later. Margins are set on errors before
the period. Over-production is meals ordered over meals served, minus one; a day is short when the town ordered less than it served.
The three are always told together. Meals out of proportion (one site mistyped) teach nothing, as in the engine; they remain in the
truth that judges, and MAE and short days are told without them too (``believed``), for every method alike.
docs/bench/cantine_effectifs.md keeps the log of looks at the evaluation days.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bocage.contract.bench import Bar, BenchResult, DatasetUsed
from bocage.contract.errors import DataFolderMissing
from bocage.usecases.cantine_effectifs import agenda, enrolment, menus, prediction
from bocage.usecases.cantine_effectifs.cleaning import out_of_proportion
from bocage.usecases.cantine_effectifs.forecast import forecast
from bocage.usecases.cantine_effectifs.kernels import day_pairs
from bocage.usecases.cantine_effectifs.margin import choose, expected_sites, orders, rounded
from bocage.usecases.cantine_effectifs.panel import Panel, read_panel
from bocage.usecases.cantine_effectifs.rows import CantineEffectifsParams

SLUG = "cantine_effectifs"
FOLDER = Path("energy") / "nantes_cantines"
EVALUATION = ("2017-09-01", "2019-01-01")
SELECTION = ("2015-09-01", "2017-08-01")
BREAK_DAYS = 5
PARAMS = CantineEffectifsParams(zone_scolaire="B")
RISKS = (3.0, 1.0, 6.0, 10.0)
"""Short days a year whose price is measured; the bars look at the default, 3."""
LEADS = (21, 14, 2)
"""Days ahead: the order by the machine alone, its correction with the agents, then the last one, which no bar looks at."""
LIGHTGBM = {
    "num_leaves": 31, "learning_rate": 0.08, "min_data_in_leaf": 40, "feature_fraction": 0.7, "verbose": -1, "seed": 0,
    "deterministic": True, "force_row_wise": True, "num_threads": 1,
}  # fmt: skip
ROUNDS = 250
TAUGHT_DAYS = 450
"""Last normal days from which LightGBM learns, about three school years."""
Tables = dict[str, pd.DataFrame]


@dataclass(frozen=True)
class Period:
    """One refit: ``panel`` knows its past by the first day of the period minus ``lead``, its ``later`` days as they come; ``pairs``: the
    matrices between days; ``flags``: calendar and menu facts per day; ``days``: positions of the normal days of the period; ``served``
    (all days, sites): the truth of the days that come, as the city wrote it; ``believed``: the same without meals out of proportion."""

    panel: Panel
    pairs: dict[str, np.ndarray]
    flags: np.ndarray
    days: np.ndarray
    lead: int
    served: np.ndarray
    believed: np.ndarray

    def table(self, values: np.ndarray) -> pd.DataFrame:
        """Orders (days of the period, sites) as a table; NaN where nothing was served."""
        kept = np.where(np.isfinite(self.served[self.days]), values, np.nan)
        return pd.DataFrame(kept, self.panel.days[self.days], list(self.panel.names))


def default_data_dir() -> Path:
    """``BOCAGE_DONNEES``, else ``../shared/data`` beside the project."""
    return Path(os.environ.get("BOCAGE_DONNEES") or Path(__file__).resolve().parents[2] / "shared" / "data")


@lru_cache(maxsize=2)
def tables(folder: Path) -> Tables:
    """The city's files under the names of the use case. Raises ``DataFolderMissing`` when they are not on this machine."""
    base = folder / FOLDER
    if not (base / "raw" / "frequentation.csv").is_file():
        raise DataFolderMissing(f"Il manque {base} : indiquez le dossier des données par BOCAGE_DONNEES.")
    meals = pd.read_csv(base / "raw" / "frequentation.csv", parse_dates=["date"])
    strikes = pd.read_csv(base / "extra" / "Journees_de_greve.csv")["Jour"]
    old = pd.read_csv(base / "extra" / "menus_2011-2015.csv", encoding="cp1252", parse_dates=["date"])
    new = pd.read_csv(base / "extra" / "menus_2016-2019.csv")
    dishes = [
        pd.DataFrame({"date": old["date"], "plat": old["menu"]}),
        pd.DataFrame({"date": pd.to_datetime(new["Date"], format="%d/%m/%Y"), "plat": new["Plat"]}),
    ]
    pupils = pd.read_csv(base / "extra" / "Effectifs_ecoles.csv")
    return {
        "frequentation": meals,
        "greves": pd.DataFrame({"date": pd.to_datetime(strikes, format="%d/%m/%y")}),
        "menus": pd.concat(dishes, ignore_index=True).dropna(),
        "effectifs": pupils.set_axis(["ecole", "annee_scolaire", "effectif"], axis=1),
        "correspondances": pd.read_csv(base / "mappings" / "mapping_ecoles_cantines.csv"),
    }


def periods(given: Tables, span: tuple[str, str], lead: int) -> Iterator[Period]:
    """The refits of ``span``, one at a time: the matrices between days are heavy."""
    meals = given["frequentation"]
    days = pd.DatetimeIndex(sorted(meals["date"].unique()))
    inside = days[(days >= span[0]) & (days < span[1])]
    gaps = np.diff(inside.to_numpy()).astype("timedelta64[D]").astype(int)
    starts = [inside[0], *inside[1:][gaps > BREAK_DAYS]]
    ends = [*(inside[inside < start][-1] for start in starts[1:]), inside[-1]]
    for first, last in zip(starts, ends, strict=True):
        yield _period(given, first, last, lead)


def _period(given: Tables, first: pd.Timestamp, last: pd.Timestamp, lead: int) -> Period:
    meals = given["frequentation"]
    refit = first - pd.Timedelta(days=lead)
    coming = meals[(meals["date"] > refit) & (meals["date"] <= last)]
    known = pd.concat([meals[meals["date"] <= refit], coming.assign(reel=np.nan)], ignore_index=True)
    panel = read_panel({**given, "frequentation": known}, PARAMS)
    served = coming.groupby(["date", "site_nom"])["reel"].sum().unstack()
    after = panel.days[panel.past :]
    filled = panel.reel.copy()
    values = served.reindex(index=after, columns=list(panel.names)).to_numpy(dtype=float)
    filled[panel.past :] = np.where(values > 0, values, np.nan)
    # A day that comes is judged by the days before it alone: what is known when it is used.
    believed = np.where(out_of_proportion(filled, later=False) & (np.arange(len(filled)) >= panel.past)[:, None], np.nan, filled)
    later = np.zeros(len(panel.days), dtype=bool)
    later[panel.past :] = ~after.isin(given["greves"]["date"])
    panel = replace(panel, reel=believed, later=later)
    facts = agenda.read_agenda(panel.days, panel.past, "B", "FR")
    dishes = menus.read_menus(given["menus"], panel.days)
    flags = np.column_stack([facts.flags, dishes.families, facts.since, facts.until, facts.since_summer, facts.until_summer])
    days = np.flatnonzero(later & (panel.days >= first))
    kept = np.where(out_of_proportion(filled), np.nan, filled)
    return Period(panel, day_pairs(panel.days, facts, dishes), flags, days, lead, filled, kept)


def bocage(period: Period, agents: bool) -> dict[str, pd.DataFrame]:
    """The engine's own path: forecast, margin from past errors, allocation, rounding; at each of ``RISKS``, then without margin."""
    found = forecast(period.panel, period.pairs, agents=agents, lead=period.lead)
    name = f"Bocage {'et agents' if agents else 'seul'}, J−{period.lead}"
    told = {}
    for accepted in RISKS:
        margin = choose(period.panel, found, accepted)
        _, sites = orders(found, margin)
        said = "" if accepted == PARAMS.jours_courts_acceptes_par_an else f", {accepted:.0f} jours courts acceptés"
        told[name + said] = period.table(np.stack([rounded(line) for line in sites[period.days]]))
    return told | {f"{name}, sans marge": period.table(expected_sites(found, margin)[period.days])}


def told_by_agents(period: Period) -> pd.DataFrame:
    """What the agents forecast, as it is."""
    return period.table(period.panel.prevision[period.days])


def same_weekdays(period: Period) -> pd.DataFrame:
    """Mean of the last four same weekdays known ``lead`` days before."""
    return period.table(prediction.same_weekdays(period.panel, period.days, period.lead))


def lightgbm(period: Period) -> dict[str, pd.DataFrame]:
    """One direct LightGBM for all sites, on our calendar, menus and enrolment, with lags of ``lead`` days or more: median, then q80."""
    import lightgbm as lgb

    panel = period.panel
    taught = np.flatnonzero(panel.learnt)[100:][-TAUGHT_DAYS:]
    past, coming = _features(period, taught), _features(period, period.days)
    served = (panel.reel[taught] / panel.weight[taught]).reshape(-1)
    known = np.isfinite(served)
    weight = panel.weight[taught].reshape(-1)[known]
    told = {}
    for name, objective in {"L1": {"objective": "l1"}, "q80": {"objective": "quantile", "alpha": 0.8}}.items():
        data = lgb.Dataset(past[known], served[known], weight=weight, categorical_feature=[0, 1])
        ratio = np.asarray(lgb.train({**LIGHTGBM, **objective}, data, ROUNDS).predict(coming)).reshape(len(period.days), -1)
        told[f"LightGBM {name}, J−{period.lead}"] = period.table(ratio * panel.weight[period.days])
    return told


def _features(period: Period, days: np.ndarray) -> np.ndarray:
    """(days x sites, features): site, weekday, month, facts of the day, lags as ratios to the site's weight."""
    panel = period.panel
    ratio = panel.reel / panel.weight
    usable = np.flatnonzero(panel.learnt | panel.later)
    weekday, number = panel.days.day_of_week.to_numpy(), panel.number
    lag = np.full((len(days), len(panel.names), 4), np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        for i, day in enumerate(days):
            known = usable[number[usable] <= number[day] - period.lead]
            if not len(known):
                continue
            same = known[weekday[known] == weekday[day]]
            lag[i, :, 0] = np.nanmean(ratio[same[-4:]], axis=0) if len(same) else np.nan
            lag[i, :, 1] = np.nanmean(ratio[known[-8:]], axis=0)
            lag[i, :, 2] = np.nanmean(ratio[known[-120:]], axis=0)
            year = known[(np.abs(number[known] - number[day] + 364) <= 10)]
            lag[i, :, 3] = np.nanmean(ratio[year], axis=0) if len(year) else np.nan
    size = len(panel.names)
    common = np.column_stack([weekday[days], panel.days[days].month, period.flags[days], enrolment.school_year(panel.days[days])])
    flat = np.repeat(common, size, axis=0)
    site = np.tile(np.arange(size), len(days))[:, None]
    return np.column_stack([site, flat, panel.weight[days].reshape(-1), lag.reshape(-1, 4)])


def score(ordered: pd.DataFrame, served: pd.DataFrame) -> dict[str, float]:
    """MAE (meals per site and day), over-production (%), short days of the town, share of short days of the worst site (%)."""
    both = served.notna() & ordered.notna()
    gap = (ordered - served).where(both)
    short = ((gap < 0) & both).sum() / both.sum().replace(0, np.nan)
    return {
        "mae": round(float(np.nanmean(gap.abs().to_numpy())), 3),
        "over_pct": round(float(100 * gap.sum().sum() / served.where(both).sum().sum()), 2),
        "short_days": int((gap.sum(axis=1) < 0).sum()),
        "worst_site_short_pct": round(float(100 * short.max()), 1),
        "days": len(gap),
    }


def run(data_dir: Path | None = None, progress: Callable[[float, str], None] | None = None) -> BenchResult:
    """The whole benchmark. Raises ``DataFolderMissing`` when the city's files are not on this machine."""
    started = time.monotonic()
    folder = data_dir or default_data_dir()
    rows = rows_of(tables(folder), EVALUATION, progress or (lambda done, what: None))
    alone, helped = (next(row for row in rows if row["name"] == name) for name in ("Bocage seul, J−21", "Bocage et agents, J−14"))
    worst = max(alone["worst_site_short_pct"], helped["worst_site_short_pct"])
    return BenchResult(
        slug=SLUG,
        seconds=time.monotonic() - started,
        rows=rows,
        bars=[
            Bar(id="mae_alone", value=alone["mae"], sense="<=", target=9.5),
            Bar(id="over_pct_alone", value=alone["over_pct"], sense="<=", target=4.0),
            Bar(id="short_days_alone", value=alone["short_days"], sense="<=", target=1),
            Bar(id="mae_with_agents", value=helped["mae"], sense="<=", target=8.5),
            Bar(id="over_pct_with_agents", value=helped["over_pct"], sense="<=", target=3.0),
            Bar(id="short_days_with_agents", value=helped["short_days"], sense="<=", target=1),
            Bar(id="worst_site_short_pct", value=worst, sense="<=", target=50.0),
        ],
        datasets=[_dataset(folder)],
        notes=[
            "Surproduction, jours courts et écart par site se lisent ensemble : chacun se gagne aux dépens des autres.",
            "Marges choisies sur les seules périodes passées ; méthode choisie sur 2015-2017 (--selection refait ce choix).",
        ],
    )


def rows_of(given: Tables, span: tuple[str, str], tell: Callable[[float, str], None]) -> list[dict[str, Any]]:
    """Bocage alone, and with the agents at each correction, then the peers, on the normal days of ``span``."""
    told: dict[str, list[pd.DataFrame]] = {}
    ahead: dict[str, int] = {}
    served: dict[int, list[pd.DataFrame]] = {lead: [] for lead in LEADS}
    believed: dict[int, list[pd.DataFrame]] = {lead: [] for lead in LEADS}
    for rank, lead in enumerate(LEADS):
        for done, period in enumerate(periods(given, span, lead), start=1):
            found = bocage(period, agents=lead != 21) | (_peers(period) if lead == 21 else {})
            for name, table in found.items():
                told.setdefault(name, []).append(table)
                ahead[name] = lead
            served[lead].append(period.table(period.served[period.days]))
            believed[lead].append(period.table(period.believed[period.days]))
            tell(min(0.99, (rank + done / 8) / len(LEADS)), f"J−{lead}, du {period.panel.days[period.days[0]].date()}")
    truth, kept = ({lead: _joined(parts) for lead, parts in tables_of.items()} for tables_of in (served, believed))
    rows = []
    for name, parts in told.items():
        ordered, lead = _joined(parts), ahead[name]
        without = score(ordered, kept[lead])
        seen = {f"{key}_believed": without[key] for key in ("mae", "short_days")}
        rows.append({"name": name, **score(ordered, truth[lead]), **seen})
    return sorted(rows, key=lambda row: (row["name"].count(",") > 1, not row["name"].startswith("Bocage")))


def _joined(parts: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(parts).sort_index(axis=1)


def _peers(period: Period) -> dict[str, pd.DataFrame]:
    return {
        "Agents": told_by_agents(period),
        "Quatre derniers mêmes jours, J−21": same_weekdays(period),
        **lightgbm(period),
    }


def _dataset(folder: Path) -> DatasetUsed:
    digest = hashlib.sha256((folder / FOLDER / "raw" / "frequentation.csv").read_bytes()).hexdigest()[:16]
    return DatasetUsed(name="Cantines de Nantes 2011-2018 (Nantes Métropole)", version=f"sha256:{digest}", licence="MIT")


def main() -> None:
    """The command line of this file; ``bocage bench cantine_effectifs`` is the usual door."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=None)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--selection", action="store_true", help="the two school years before the evaluation")
    chosen = parser.parse_args()
    if chosen.selection:
        given = tables(chosen.data or default_data_dir())
        print(pd.DataFrame(rows_of(given, SELECTION, lambda done, what: None)).to_string())
        return
    result = run(chosen.data).as_json()
    print(json.dumps(result, ensure_ascii=False) if chosen.json else f"{pd.DataFrame(result['rows']).to_string()}\n{result['bars']}")


if __name__ == "__main__":
    main()
