"""What is set aside from the tables before anything is learnt: repeated lines, overlapping exports, lone dates, meals out of proportion."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

import numpy as np
import pandas as pd

from bocage.contract import french

LONE_GAP, LONE_DAYS = 90, 5
"""Served dates fewer than ``LONE_DAYS``, farther than ``LONE_GAP`` days from all others (no summer is so long), are mistyped."""

AROUND = 10
"""Served days of a site, on each side of a day, that tell what it may serve."""

FAR_TIMES, FAR_MEALS = 2.0, 10.0
"""Meals beyond this many times the most of those days, and so many more, are mistyped (1359 for 135) or a feast: neither is a habit."""

MOST_TOLD = 8


def one_per_cell(table: pd.DataFrame, measures: list[str], notes: list[str]) -> pd.DataFrame:
    """One line per site and day, ``measures`` being the columns of figures (``reel``…). Repeated lines are averaged; two types of a site (M
    and E) are added; a line without type beside typed ones comes from another export of the same meals, and only fills what they lack."""
    keys = ["site_nom", "date"]
    given = table.reindex(columns=[*keys, "site_type", *measures])
    given["site_type"] = given["site_type"].astype("string").fillna("").map(_type_of)
    given[measures] = given[measures].astype(float)
    single = given.groupby([*keys, "site_type"], as_index=False)[measures].mean()
    if len(single) < len(given):
        extra = french.count(len(given) - len(single), "ligne répète", "lignes répètent")
        notes.append(f"{extra} un site et un jour déjà donnés : la moyenne est gardée.")
    single = _without_totals(single, measures[-1], notes)
    typed = single["site_type"] != ""
    added = single[typed].groupby(keys)[measures].sum(min_count=1)
    bare = single[~typed].set_index(keys)[measures]
    both = bare.index.intersection(added.index)
    if len(both):
        notes.append(_overlap(added.loc[both, measures[-1]], bare.loc[both, measures[-1]]))
    return added.combine_first(bare)[measures].reset_index()


def _type_of(written: str) -> str:
    """« M », « E » or « M/E » for the ways they are written (« ME », « maternelle + élémentaire »…); any other type in capitals."""
    text = "".join(c for c in unicodedata.normalize("NFD", written.strip().upper()) if not unicodedata.combining(c))
    words = frozenset(re.findall(r"[A-Z]+", text))
    nursery, elementary = words & {"M", "ME", "MAT", "MATERNELLE"}, words & {"E", "ME", "ELEM", "ELEMENTAIRE"}
    if not words or words - nursery - elementary - {"ET"}:
        return text
    return "/".join(letter for letter, named in (("M", nursery), ("E", elementary)) if named)


def _without_totals(single: pd.DataFrame, measure: str, notes: list[str]) -> pd.DataFrame:
    """``single`` without the lines M/E that are the sum of the lines M and E of the same site and day."""
    wide = single.pivot_table(index=["site_nom", "date"], columns="site_type", values=measure)
    if not {"M", "E", "M/E"} <= set(wide.columns):
        return single
    total = (wide["M/E"] - wide["M"] - wide["E"]).abs() < 1
    if not total.any():
        return single
    told = french.count(int(total.sum()), "ligne M/E est le total", "lignes M/E sont les totaux")
    notes.append(f"{told} des lignes M et E du même site et du même jour : ces repas ne sont comptés qu’une fois.")
    cells = pd.MultiIndex.from_frame(single[["site_nom", "date"]])
    return single[~((single["site_type"] == "M/E") & cells.isin(total.index[total]))]


def _overlap(added: pd.Series, bare: pd.Series) -> str:
    """The sentence on lines without type that meet typed ones."""
    counted = french.count(len(bare), "ligne sans « site_type » tombe", "lignes sans « site_type » tombent")
    told = (
        f"{counted} sur un site et un jour où d’autres lignes portent un type : deux exports se recouvrent, ces repas ne sont pas ajoutés"
    )
    differ = bare.notna() & added.notna() & ~np.isclose(bare, added)
    if not differ.any():
        return f"{told}."
    names = sorted(set(map(str, bare.index[differ].get_level_values("site_nom"))))
    return (
        f"{told}. Leurs repas diffèrent pour {', '.join(names[:MOST_TOLD])} : les lignes typées sont gardées ; "
        "si ce sont d’autres repas, donnez un type à chaque ligne."
    )


def without_lone_dates(table: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """``table`` (one line per site and day) without served dates far from all others: a mistyped year would move every day to order."""
    served = pd.DatetimeIndex(sorted(set(table.loc[table["reel"] > 0, "date"])))
    starts = [0, *(i + 1 for i, (left, right) in enumerate(pairwise(served)) if (right - left).days > LONE_GAP), len(served)]
    lone = [day for first, last in pairwise(starts) if last - first < LONE_DAYS for day in served[first:last]]
    if not lone or len(lone) == len(served):
        return table
    told = ", ".join(french.day(day.date(), year=True) for day in lone[:MOST_TOLD])
    notes.append(
        f"Repas servis à plus de {LONE_GAP} jours de tous les autres, mis de côté : {told}. "
        "Si c’est une faute de frappe, corrigez la date dans « frequentation »."
    )
    return table[~(table["date"].isin(lone) & (table["reel"] > 0))]


def out_of_proportion(meals: np.ndarray, *, later: bool = True) -> np.ndarray:
    """Where ``meals`` (days, sites; NaN when unknown) are far above all that the site has on its ``AROUND`` known days before and after;
    without ``later``, before only. A site that takes in another for a week is believed: its days vouch for each other."""
    found = np.zeros(meals.shape, dtype=bool)
    for s in range(meals.shape[1]):
        known = np.flatnonzero(np.isfinite(meals[:, s]))
        if len(known) <= AROUND:
            continue
        values = meals[known, s]
        windows = np.lib.stride_tricks.sliding_window_view(np.pad(values, AROUND, constant_values=np.nan), 2 * AROUND + 1)
        near = np.delete(windows, AROUND, axis=1)[:, : 2 * AROUND if later else AROUND]
        enough = np.isfinite(near).sum(axis=1) >= AROUND
        found[known, s] = enough & (values > FAR_TIMES * np.nan_to_num(near).max(axis=1) + FAR_MEALS)
    return found


def told_out_of_proportion(far: np.ndarray, meals: np.ndarray, days: pd.DatetimeIndex, names: tuple[str, ...]) -> str:
    """« 1 359 à Coudray le mardi 15 septembre 2015 »: the last few cells of ``far`` (days, sites), and how many more there are."""
    cells = np.argwhere(far)
    told = [f"{french.number(meals[i, s], 0)} à {names[s]} le {french.day(days[i].date(), year=True)}" for i, s in cells[-MOST_TOLD:]]
    return ", ".join(told) + (f", et {len(cells) - MOST_TOLD} autres plus anciens" if len(cells) > MOST_TOLD else "")
