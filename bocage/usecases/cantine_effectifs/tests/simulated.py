"""A simulated town: ten canteens, two school years, menus, strikes. The example of ``data/`` is ``write_example`` of this file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from bocage.methods.calendars import public_holidays, school_holidays

SITES = {
    "Les Tilleuls": 212.0,
    "Jean Moulin": 148.0,
    "Sainte-Luce Centre": 96.0,
    "Émilie du Châtelet": 174.0,
    "La Fontaine M": 58.0,
    "L’Orée du Bois": 122.0,
    "Les Hauts-Pavés": 187.0,
    "Jacques Prévert": 239.0,
    "Port-Boyer": 83.0,
    "Louise Michel": 134.0,
}
STARTERS = ("Carottes râpées bio", "Betteraves", "Œufs durs mayonnaise", "Salade verte", "Taboulé", "Concombres", "Potage de légumes")
MAINS = {
    "viande": ("Sauté de porc, haricots verts", "Rôti de bœuf, purée", "Poulet d’Ancenis, pommes rissolées", "Boulettes de bœuf, semoule"),
    "poisson": ("Filet de lieu, riz", "Parmentier de poisson", "Poisson pané, épinards", "Brandade de morue"),
    "vegetarien": ("Omelette, ratatouille", "Lasagnes de légumes", "Galette de soja, pâtes"),
}
DESSERTS = ("Pomme", "Yaourt fermier", "Crème dessert chocolat", "Banane", "Fromage blanc", "Flan caramel")
TAGS = {"viande": None, "poisson": "poisson", "vegetarien": "végétarien"}
LEAD_DAYS = 21


def served_days(first: str = "2022-09-01", last: str = "2024-05-31", zone: str = "B") -> pd.DatetimeIndex:
    """Mondays, Tuesdays, Thursdays and Fridays of school."""
    span = pd.date_range(first, last).as_unit("s")
    holidays = public_holidays("FR", range(span[0].year, span[-1].year + 1))
    closed = school_holidays(span, zone).to_numpy(dtype=bool)  # type: ignore[arg-type]
    off = np.array([day.date() in holidays for day in span]) | closed
    return span[~off & np.isin(span.day_of_week, [0, 1, 3, 4])]


def tables(days: pd.DatetimeIndex | None = None, sites: dict[str, float] | None = None, seed: int = 11) -> dict[str, pd.DataFrame]:
    """``frequentation`` (all served), ``menus``, ``greves``, ``effectifs``, ``correspondances`` of the days."""
    drawn = np.random.default_rng(seed)
    when = served_days() if days is None else days
    levels = sites or SITES
    kinds = drawn.choice(["viande", "poisson", "vegetarien"], len(when), p=[0.55, 0.3, 0.15])
    weekday = when.day_of_week.to_numpy()
    day = np.array([0.97, 1.0, 0.0, 0.995, 1.05, 0.0, 0.0])[weekday]
    day = day * np.where(kinds == "poisson", 1.03, np.where(kinds == "vegetarien", 0.98, 1.0))
    day = day * np.exp(0.012 * drawn.standard_normal(len(when)))
    strikes = np.sort(drawn.choice(np.arange(20, len(when) - 40), 6, replace=False))
    later = np.where(when >= when[0] + pd.Timedelta(days=365), 1.03, 1.0)
    lines = []
    for rank, (name, level) in enumerate(levels.items()):
        habit = 1 + 0.03 * drawn.standard_normal(7)[weekday]
        slow = np.exp(np.cumsum(0.0015 * drawn.standard_normal(len(when))))
        served = np.round(level * later * day * habit * slow * np.exp(0.05 * drawn.standard_normal(len(when))))
        served[strikes] = np.round(served[strikes] * drawn.uniform(0.0, 0.5, len(strikes)))
        agents = np.round(
            level * later * np.array([1.06, 1.07, 1, 1.07, 1.1, 1, 1])[weekday] * np.exp(0.05 * drawn.standard_normal(len(when)))
        )
        kind = ("M/E", "E", "M")[rank % 3]
        lines.append(pd.DataFrame({"site_nom": name, "site_type": kind, "date": when, "prevision": agents, "reel": served}))
    announced = when[strikes] - pd.Timedelta(days=6)
    return {
        "frequentation": pd.concat(lines, ignore_index=True),
        "menus": _menus(when, kinds, drawn),
        "greves": pd.DataFrame({"date": when[strikes], "date_annonce": announced}),
        **_schools(levels, when),
    }


def _menus(when: pd.DatetimeIndex, kinds: np.ndarray, drawn: np.random.Generator) -> pd.DataFrame:
    rows = []
    for date, kind in zip(when, kinds, strict=True):
        rows.append((date, 1, str(drawn.choice(STARTERS)), None))
        rows.append((date, 2, str(drawn.choice(MAINS[kind])), TAGS[kind]))
        rows.append((date, 6, str(drawn.choice(DESSERTS)), None))
    return pd.DataFrame(rows, columns=["date", "rang", "plat", "etiquette"])


def _schools(levels: dict[str, float], when: pd.DatetimeIndex) -> dict[str, pd.DataFrame]:
    years = sorted({day.year if day.month >= 8 else day.year - 1 for day in when})
    pupils, matching = [], []
    for name, level in levels.items():
        for part in ("MATERNELLE", "ELEMENTAIRE"):
            school = f"{name.upper()} {part}"
            matching.append((school, name))
            pupils += [(school, f"{year}-{year + 1}", round(level * (0.68 + 0.02 * i))) for i, year in enumerate(years)]
    return {
        "effectifs": pd.DataFrame(pupils, columns=["ecole", "annee_scolaire", "effectif"]),
        "correspondances": pd.DataFrame(matching, columns=["ecole", "cantine_nom"]),
    }


def cut(
    given: dict[str, pd.DataFrame], first: pd.Timestamp, days: int = 12, agents: bool = False
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """What is known ``LEAD_DAYS`` before ``first``, with ``days`` served days to order; and what they will serve."""
    meals = given["frequentation"]
    known = meals[meals["date"] <= first - pd.Timedelta(days=LEAD_DAYS)]
    wanted = sorted(set(meals.loc[meals["date"] >= first, "date"]))[:days]
    coming = meals[meals["date"].isin(wanted)]
    asked = coming.assign(reel=np.nan) if agents else coming.assign(reel=np.nan, prevision=np.nan)
    return {**given, "frequentation": pd.concat([known, asked], ignore_index=True)}, coming


def write_example(folder: Path) -> None:
    """Write the files of ``data/``: the sixth dish of the last week is mis-tagged on purpose, and leftovers are weighed at two sites."""
    given = tables()
    inputs, coming = cut(given, pd.Timestamp("2024-05-13"), agents=True)
    last = pd.Timestamp(max(coming["date"]))
    menus = inputs["menus"][inputs["menus"]["date"] <= last].copy()
    wrong = menus.index[(menus["date"] == last) & (menus["rang"] == 2)][0]
    menus.loc[wrong, ["plat", "etiquette"]] = ["Sauté de porc, haricots verts", "végétarien"]
    weighed = coming[coming["site_nom"].isin(["Les Tilleuls", "Jean Moulin"])][["site_nom", "date", "reel"]]
    weighed = weighed.assign(restes_kg=(0.11 * weighed["reel"]).round(1)).drop(columns="reel")
    served = coming[["site_nom", "date", "reel"]].sort_values(["date", "site_nom"])
    files = inputs | {"menus": menus, "verite/repas_servis": served, "verite/pesees": weighed}
    (folder / "verite").mkdir(parents=True, exist_ok=True)
    for name, table in files.items():
        whole = {column: table[column].astype("Int64") for column in ("prevision", "reel", "rang") if column in table}
        table.assign(**whole).to_csv(folder / f"{name}.csv", index=False, lineterminator="\n", date_format="%Y-%m-%d")
