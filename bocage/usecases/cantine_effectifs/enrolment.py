"""What each site would serve if nothing changed but enrolment: the yardstick by which sites and years are compared."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bocage.usecases.cantine_effectifs.words import name_key

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
    pupils = _pupils(names, np.unique(years), enrolled, matching, notes)
    at = np.searchsorted(np.unique(years), years)
    by_day = pupils[at] if pupils is not None else np.full((len(years), len(names)), np.nan)
    if enrolled is not None and len(enrolled):
        lone = [name for name, known in zip(names, np.isfinite(by_day).any(axis=0), strict=True) if not known]
        if lone:
            notes.append(f"Effectifs introuvables (nom d’école non rapproché) pour : {_listed(lone)}.")
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


def _pupils(
    names: tuple[str, ...], years: np.ndarray, enrolled: pd.DataFrame | None, matching: pd.DataFrame | None, notes: list[str]
) -> np.ndarray | None:
    """(years, sites) pupils, a missing year taken from the year before, else the next; None without a table."""
    if enrolled is None or enrolled.empty:
        return None
    canteen = {name_key(name): name_key(name) for name in names}
    if matching is not None:
        canteen |= {
            name_key(str(school)): name_key(str(site)) for school, site in zip(matching["ecole"], matching["cantine_nom"], strict=True)
        }
    schools = enrolled["ecole"].astype(str)
    keys = schools.map(name_key)
    kept = keys.isin(list(canteen))
    year = enrolled["annee_scolaire"].astype(str).str[:4].astype(int)
    sums = enrolled["effectif"].astype(float)[kept].groupby([year[kept].rename("year"), keys[kept].rename("school")]).sum()
    columns = [name_key(name) for name in names]
    if sums.empty:
        return np.full((len(years), len(names)), np.nan)
    label, site = dict(zip(keys, schools, strict=True)), {key: canteen[key] for key in keys[kept] if canteen[key] in set(columns)}
    per_school = _carried(sums.unstack("school").reindex(columns=list(site)), int(years.max()), site, label, notes)
    table = per_school.T.groupby(site).sum(min_count=1).T.replace(0.0, np.nan)
    span = range(min(int(years.min()), int(table.index.min())), max(int(years.max()), int(table.index.max())) + 1)
    values: np.ndarray = table.reindex(span).ffill().bfill().reindex(index=years, columns=columns).to_numpy(dtype=float)
    return values


def _carried(table: pd.DataFrame, year: int, site: dict[str, str], label: dict[str, str], notes: list[str]) -> pd.DataFrame:
    """(years, schools) pupils: a year missing between two known ones is the one before; so is ``year``, the last to order for, when the
    school had a line the year before. A school of a site that a new school joins that year is taken for replaced, not for late."""
    filled = table.ffill().where(table.bfill().notna())
    before = table.index[table.index < year]
    if not len(before):
        return filled
    previous = filled.loc[before[-1]]
    if year not in table.index:
        if before[-1] == table.index[-1]:
            notes.append(
                f"Aucun effectif n’est donné pour {_named(year)} : ceux de {_named(before[-1])} sont repris. Ajoutez-les dès que connus."
            )
        return filled
    now = filled.loc[year]
    joined = {site[school] for school in table.columns[now.notna() & previous.isna()]}
    gone = list(table.columns[now.isna() & previous.notna()])
    late, replaced = ([school for school in gone if (site[school] in joined) == new] for new in (False, True))
    filled.loc[year, late] = previous[late]
    start = f"Sans ligne {_named(year)} dans les effectifs"
    if late:
        notes.append(
            f"{start}, et comptées avec leurs élèves de {_named(before[-1])} : {_listed([label[key] for key in late])}. "
            "Ajoutez leur ligne, avec zéro pour une école fermée."
        )
    if replaced:
        notes.append(
            f"{start}, et tenues pour remplacées par une nouvelle école du même site : {_listed([label[key] for key in replaced])}. "
            "Si elles restent ouvertes, ajoutez leur ligne."
        )
    return filled


def _named(year: int) -> str:
    return f"{year}-{year + 1}"


def _listed(names: list[str]) -> str:
    return ", ".join(names[:8]) + (f" et {len(names) - 8} autres" if len(names) > 8 else "")
