"""From the tables of a deposit to a panel: days x sites, what is known of each, and which days are to be ordered.

What is set aside becomes an absence, and leaves a French sentence. Nothing is invented.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import pandas as pd

from bocage.contract import french
from bocage.contract.errors import NotEnoughData
from bocage.contract.usecase import Inputs
from bocage.usecases.cantine_effectifs.asked import asked_days
from bocage.usecases.cantine_effectifs.cleaning import one_per_cell, out_of_proportion, told_out_of_proportion, without_lone_dates
from bocage.usecases.cantine_effectifs.enrolment import school_year, weights
from bocage.usecases.cantine_effectifs.rows import CantineEffectifsParams

LEAST_DAYS = 40
"""Served days under which nothing honest can be said of a weekly habit and of its errors."""

KEPT_DAYS = 1_000
"""Served days kept, about seven school years of four days a week: older habits teach little, and time grows with their cube."""


@dataclass(frozen=True)
class Panel:
    """``days``: served days in the order of time, then days to order; the first ``past`` are served.

    Arrays (days, sites): ``reel`` and ``prevision`` in meals, NaN when unknown; ``weight``: expected meals if nothing changed but
    enrolment. ``wanted`` (days to order, sites): what to order. ``learnt`` (days): days that teach; ``strike`` (days): strikes known for
    that day when the order is placed. ``later`` (days): served after the parameters were learnt; such days inform the days that follow
    them by the lead, and teach nothing (a backtest sets them; never the engine).
    """

    days: pd.DatetimeIndex
    past: int
    names: tuple[str, ...]
    reel: np.ndarray
    prevision: np.ndarray
    weight: np.ndarray
    wanted: np.ndarray
    learnt: np.ndarray
    strike: np.ndarray
    notes: tuple[str, ...]
    later: np.ndarray

    @property
    def number(self) -> np.ndarray:
        """Day numbers, for distances in days."""
        numbers: np.ndarray = self.days.to_numpy().astype("datetime64[D]").astype(np.int64)
        return numbers

    @property
    def lead(self) -> int:
        """Days between the last known day and the first to order: the horizon of the margin."""
        return int(self.number[self.past] - self.number[self.past - 1])


def read_panel(inputs: Inputs, params: CantineEffectifsParams) -> Panel:
    """The panel of a deposit. Raises ``NotEnoughData`` when fewer than ``LEAST_DAYS`` days were served."""
    notes: list[str] = []
    given = cast(pd.DataFrame, inputs["frequentation"])
    if given.empty:
        raise NotEnoughData(f"Aucun repas n’est renseigné : donnez au moins {LEAST_DAYS} jours de repas servis par site.")
    table = without_lone_dates(one_per_cell(given, ["prevision", "reel"], notes), notes)
    reel = table.pivot(index="date", columns="site_nom", values="reel")
    reel = reel.where(reel > 0).dropna(how="all").iloc[-KEPT_DAYS:]
    if len(reel) < LEAST_DAYS:
        counted = french.count(len(reel), "jour servi", "jours servis")
        raise NotEnoughData(f"L’historique compte {counted} : donnez au moins {LEAST_DAYS} jours de repas servis par site.")
    known = pd.DatetimeIndex(reel.index)
    wanted = asked_days(table, reel, cast("pd.DataFrame | None", inputs.get("menus")), params, notes)
    names = tuple(sorted(str(name) for name in wanted.columns[wanted.any(axis=0)]))
    kept = [name for name in reel.columns if reel[name].notna().any()]
    names = tuple(sorted(set(names) | set(map(str, kept))))
    days = known.append(pd.DatetimeIndex(wanted.index))
    values = _believed(reel.reindex(index=days, columns=list(names)).to_numpy(dtype=float), days, names, notes)
    prevision = _forecasts(table, days, names)
    if params.prevision_agents:
        _tell_doubtful(prevision, days, len(known), names, notes)
    weight = weights(
        values[: len(known)],
        school_year(days),
        names,
        cast("pd.DataFrame | None", inputs.get("effectifs")),
        cast("pd.DataFrame | None", inputs.get("correspondances")),
        notes,
    )
    strike, all_strikes = _strikes(cast("pd.DataFrame | None", inputs.get("greves")), days, len(known), notes)
    learnt = _learnt(values, weight, len(known), all_strikes, notes)
    asked = wanted.reindex(columns=list(names), fill_value=False).to_numpy(dtype=bool)
    return Panel(days, len(known), names, values, prevision, weight, asked, learnt, strike, tuple(notes), np.zeros(len(days), dtype=bool))


def _believed(meals: np.ndarray, days: pd.DatetimeIndex, names: tuple[str, ...], notes: list[str]) -> np.ndarray:
    """``meals`` (days, sites) without those out of proportion: one mistyped figure would raise the margin of the whole town for years."""
    far = out_of_proportion(meals)
    if far.any():
        notes.append(
            "Repas servis hors de proportion avec ceux des jours voisins, mis de côté : "
            f"{told_out_of_proportion(far, meals, days, names)}. "
            "Corrigez « reel » dans « frequentation » si c’est une faute de frappe."
        )
    return np.where(far, np.nan, meals)


def _tell_doubtful(prevision: np.ndarray, days: pd.DatetimeIndex, past: int, names: tuple[str, ...], notes: list[str]) -> None:
    """A sentence on the agents' forecasts of the days to order that are out of proportion: they are not blended in."""
    far = out_of_proportion(prevision)
    far[:past] = False
    if far.any():
        notes.append(
            "Prévisions des agents hors de proportion avec celles des jours voisins, non mêlées à celle de la machine : "
            f"{told_out_of_proportion(far, prevision, days, names)}. "
            "Vérifiez-les ; si elles sont justes, fixez vous-même la commande du site."
        )


def _forecasts(table: pd.DataFrame, days: pd.DatetimeIndex, names: tuple[str, ...]) -> np.ndarray:
    given = table.pivot(index="date", columns="site_nom", values="prevision").reindex(index=days, columns=list(names))
    values = given.to_numpy(dtype=float)
    return np.where(values > 0, values, np.nan)


def _strikes(table: pd.DataFrame | None, days: pd.DatetimeIndex, past: int, notes: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """(days) strikes known when the order is placed, and (days) every past strike: a strike of a coming day counts only when its
    announcement is not later than the last served day."""
    marked, known = np.zeros(len(days), dtype=bool), np.zeros(len(days), dtype=bool)
    if table is None or table.empty:
        notes.append("Sans table des grèves, les jours anormaux ne sont écartés que s’ils se voient dans les repas servis.")
        return known, marked
    announced = table["date_annonce"] if "date_annonce" in table.columns else pd.Series(pd.NaT, index=table.index)
    today = days[past - 1]
    for day, since in zip(pd.to_datetime(table["date"]), pd.to_datetime(announced), strict=True):
        at = days.get_indexer(pd.DatetimeIndex([day]))[0]
        if at < 0:
            continue
        marked[at] |= at < past
        known[at] |= at < past or (not pd.isna(since) and since <= today)
    return known, marked


def _learnt(reel: np.ndarray, weight: np.ndarray, past: int, strikes: np.ndarray, notes: list[str]) -> np.ndarray:
    """Days that teach: no strike, and half of the usual meals at least came from sites that answered."""
    learnt = np.zeros(len(reel), dtype=bool)
    present = np.where(np.isfinite(reel[:past]), weight[:past], 0.0).sum(axis=1)
    learnt[:past] = (present > 0.5 * np.median(present)) & ~strikes[:past]
    if strikes[:past].any():
        counted = french.count(int(strikes[:past].sum()), "jour de grève passé est écarté", "jours de grève passés sont écartés")
        notes.append(f"{counted} de l’apprentissage.")
    if learnt.sum() < LEAST_DAYS:
        kept = french.count(int(learnt.sum()), "jour normal", "jours normaux")
        raise NotEnoughData(f"L’historique ne garde que {kept} : donnez au moins {LEAST_DAYS} jours servis, grèves non comprises.")
    return learnt
