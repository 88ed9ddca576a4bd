"""What each site would serve if nothing changed but enrolment: the yardstick by which sites and years are compared."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bocage.usecases.cantine_effectifs.menus import plain

RECENT = 250
"""Served days of a site from which its usual number of meals is drawn."""


def school_year(days: pd.DatetimeIndex) -> np.ndarray:
    """The year in which the school year of each day began (August opens it)."""
    years: np.ndarray = np.where(days.month >= 8, days.year, days.year - 1)
    return years


def weights(
    reel: np.ndarray,
    years: np.ndarray,
    names: tuple[str, ...],
    enrolled: pd.DataFrame | None,
    matching: pd.DataFrame | None,
    notes: list[str],
) -> np.ndarray:
    """(days, sites) meals. ``reel`` (past days, sites) with NaN; ``years`` (all days). A site with enrolment follows it year by year;
    a site without keeps its usual meals; a site without history takes the town's share of its enrolment, or the town's median site."""
    usual = np.array([_usual(reel[:, s]) for s in range(len(names))])
    pupils = _pupils(names, np.unique(years), enrolled, matching)
    at = np.searchsorted(np.unique(years), years)
    by_day = pupils[at] if pupils is not None else np.full((len(years), len(names)), np.nan)
    if enrolled is not None and len(enrolled):
        lone = [name for name, known in zip(names, np.isfinite(by_day).any(axis=0), strict=True) if not known]
        if lone:
            more = f" et {len(lone) - 8} autres" if len(lone) > 8 else ""
            notes.append(f"Effectifs introuvables (nom d’école non rapproché) pour : {', '.join(lone[:8])}{more}.")
    with np.errstate(invalid="ignore", divide="ignore"):
        ratios = reel / by_day[: len(reel)]
    rate = np.array([_usual(ratios[:, s]) for s in range(len(names))])
    known_rates = rate[np.isfinite(rate)]
    rate = np.where(np.isfinite(rate), rate, np.median(known_rates) if len(known_rates) else np.nan)
    median = np.nanmedian(usual)
    fixed = np.where(np.isfinite(usual), usual, median)
    followed = by_day * rate
    return np.where(np.isfinite(followed) & (followed > 0), followed, fixed[None])


def _usual(series: np.ndarray) -> float:
    known = series[np.isfinite(series)][-RECENT:]
    return float(np.median(known)) if len(known) else float("nan")


def _pupils(names: tuple[str, ...], years: np.ndarray, enrolled: pd.DataFrame | None, matching: pd.DataFrame | None) -> np.ndarray | None:
    """(years, sites) pupils, a missing year taken from the year before, else the next; None without a table."""
    if enrolled is None or enrolled.empty:
        return None
    canteen = {plain(name): plain(name) for name in names}
    if matching is not None:
        canteen |= {plain(str(school)): plain(str(site)) for school, site in zip(matching["ecole"], matching["cantine_nom"], strict=True)}
    year = enrolled["annee_scolaire"].astype(str).str[:4].astype(int)
    site = enrolled["ecole"].astype(str).map(lambda school: canteen.get(plain(school), ""))
    sums = enrolled["effectif"].astype(float).groupby([year.rename("year"), site.rename("site")]).sum()
    table = sums.unstack("site").replace(0.0, np.nan)
    span = range(min(int(years.min()), int(table.index.min())), max(int(years.max()), int(table.index.max())) + 1)
    filled = table.reindex(span).ffill().bfill()
    columns = [plain(name) for name in names]
    values: np.ndarray = filled.reindex(index=years, columns=columns).to_numpy(dtype=float)
    return values
