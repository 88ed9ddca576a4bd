"""Why two days resemble each other, for the town and for a site: the parts of the covariances, and their matrices between days."""

from __future__ import annotations

import numpy as np
import pandas as pd

from bocage.methods.forecasting.kernels import Covariance, Part
from bocage.usecases.cantine_effectifs.agenda import FAR, Agenda
from bocage.usecases.cantine_effectifs.enrolment import school_year
from bocage.usecases.cantine_effectifs.menus import MenuFacts

TOWN = {
    "niveau des dernières semaines": Part(0.10, memory=30.0),
    "niveau des derniers mois": Part(0.10, memory=400.0),
    "jour de la semaine": Part(0.50, match="weekday", memory=800.0),
    "saison": Part(0.05, match="season"),
    "fin de l’année scolaire": Part(1.00, match="end"),
    "fin de l’année scolaire, selon le jour": Part(0.30, match="end_weekday"),
    "veille des grandes vacances": Part(0.10, match="last"),
    "rentrée de septembre": Part(1.00, match="start"),
    "place entre deux vacances": Part(0.03, match="place"),
    "calendrier (vacances, ponts, fêtes)": Part(0.10, match="flags"),
    "menu (poisson, viande…)": Part(0.10, match="family", memory=1500.0),
    "menu (poisson, viande…) selon le jour": Part(0.05, match="family_weekday", memory=800.0),
    "menu (mots des plats)": Part(0.10, match="word"),
}
"""Parts of the town’s total, named as a reader is told: prior amplitudes, in variances of the daily total. Learnt from the past."""

SITES = (
    Part(0.10, memory=30.0),
    Part(0.30, memory=400.0),
    Part(0.30, match="year"),
    Part(0.30, match="weekday", memory=800.0),
    Part(0.20, match="weekday_year"),
    Part(0.05, match="season"),
    Part(0.05, match="family", memory=800.0),
    Part(0.10, match="family_centred", memory=1500.0),
    Part(0.05, match="flags"),
)
"""Parts of what a site does apart from the town."""

AGENTS_TOWN = (Part(0.20, memory=30.0), Part(0.20, memory=400.0), Part(0.30, match="weekday", memory=800.0), Part(0.10, match="flags"))
AGENTS_SITES = (Part(0.20, memory=30.0), Part(0.30, match="year"), Part(0.20, match="weekday_year"))
"""Parts of the usual error of the agents."""


def town_covariance() -> Covariance:
    """The covariance of the town’s total."""
    return Covariance(tuple(TOWN.values()))


def day_pairs(days: pd.DatetimeIndex, agenda: Agenda, menus: MenuFacts) -> dict[str, np.ndarray]:
    """The matrices (days, days) that the parts name. ``gap`` in days; the others are likenesses, 1 for alike, or products of facts."""
    number = days.to_numpy().astype("datetime64[D]").astype(np.int64)
    weekday, year = days.day_of_week.to_numpy(), school_year(days)
    phase = 2 * np.pi * days.day_of_year.to_numpy() / 365.25
    same_day, same_year = _same(weekday), _same(year)
    end = _near(agenda.until_summer, 0.25, 20.0)
    centred = menus.families - np.average(menus.families, axis=0, weights=menus.known + 1e-9)
    centred[menus.known == 0] = 0.0
    family = menus.families @ menus.families.T
    near_end = agenda.until_summer <= 9
    return {
        "gap": np.abs(number[:, None] - number[None]),
        "weekday": same_day,
        "year": same_year,
        "weekday_year": same_day * same_year,
        "season": np.exp(-2 * np.sin((phase[:, None] - phase[None]) / 2) ** 2 / 0.5**2),
        "end": end,
        "end_weekday": end * same_day,
        "last": _same(agenda.until_summer) * np.outer(near_end, near_end),
        "start": _near(agenda.since_summer, 0.25, 10.0),
        "place": _bell(np.minimum(agenda.until, 60), 0.4) * _bell(np.minimum(agenda.since, 60), 0.4),
        "flags": agenda.flags @ agenda.flags.T,
        "family": family,
        "family_weekday": family * same_day,
        "family_centred": centred @ centred.T,
        "word": menus.words @ menus.words.T,
    }


def _same(label: np.ndarray) -> np.ndarray:
    return (label[:, None] == label[None]).astype(float)


def _bell(distance: np.ndarray, width: float) -> np.ndarray:
    """Likeness of two positions counted in days: their ratio matters, not their difference."""
    scale = np.log(distance + 0.5)
    bell: np.ndarray = np.exp(-0.5 * ((scale[:, None] - scale[None]) / width) ** 2)
    return bell


def _near(distance: np.ndarray, width: float, fading: float) -> np.ndarray:
    """The same, fading away from the event; nothing where it is not known."""
    known = distance < FAR
    return _bell(distance, width) * np.exp(-np.maximum(distance[:, None], distance[None]) / fading) * np.outer(known, known)
