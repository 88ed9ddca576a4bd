"""From the tables of a deposit to orders: the one path of the engine and of its benchmark."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np
import pandas as pd

from bocage.contract import french
from bocage.contract.errors import InvalidParams, NotEnoughData
from bocage.contract.usecase import Inputs
from bocage.methods.calendars import public_holidays
from bocage.usecases.cantine_effectifs.agenda import MAINLAND, read_agenda, school_zone
from bocage.usecases.cantine_effectifs.forecast import Effort, Forecast, effort_for, forecast
from bocage.usecases.cantine_effectifs.kernels import day_pairs
from bocage.usecases.cantine_effectifs.margin import Margin, choose, expected_sites, judged_days, orders, rounded, served_per_year
from bocage.usecases.cantine_effectifs.menus import read_menus, wrong_tags
from bocage.usecases.cantine_effectifs.panel import Panel, read_panel
from bocage.usecases.cantine_effectifs.rows import CantineEffectifsParams
from bocage.usecases.cantine_effectifs.strikes import StrikeShares, strike_notes, strike_shares

NORMAL_90 = 1.645
LEAST_WEEKDAY = 4
"""Served days of a weekday under which nothing is known of it."""

MOST_TAGS_TOLD = 8


@dataclass(frozen=True)
class Answer:
    """Orders, and what explains them.

    ``order`` (days, sites): whole meals, zero where none is wanted. ``expected``, ``low`` and ``high`` (days): forecast of the total and
    its 90 % interval, NaN on a day of strike that past strikes cannot tell. ``site_expected`` (days, sites). ``reference`` (days, sites):
    the order of the usual method, NaN where nothing is wanted; ``usual_expected``: the same before its margin, NaN where it is the
    agents’ forecast, whose margin nobody tells; ``agents`` (days, sites): whether it is. ``past_order`` (past days, sites): what would
    have been ordered. ``strikes``: what past strikes teach, None when a coming day has none or they are too few.
    """

    panel: Panel
    found: Forecast
    margin: Margin
    order: np.ndarray
    expected: np.ndarray
    low: np.ndarray
    high: np.ndarray
    site_expected: np.ndarray
    reference: np.ndarray
    usual_expected: np.ndarray
    agents: np.ndarray
    past_order: np.ndarray
    strikes: StrikeShares | None
    notes: tuple[str, ...]


def prepared(inputs: Inputs, params: CantineEffectifsParams) -> tuple[Panel, dict[str, np.ndarray], list[str]]:
    """The panel, the matrices between its days, and notes. Raises ``NotEnoughData`` or ``InvalidParams``."""
    try:
        public_holidays(params.territoire, [2024])
    except ValueError:
        raise InvalidParams(
            f"Le territoire « {params.territoire} » est inconnu : donnez FR, FR-57, FR-6AE, FR-971… ou un autre pays."
        ) from None
    panel = read_panel(inputs, params)
    notes: list[str] = []
    zone = school_zone(panel.days[: panel.past], params.zone_scolaire, params.territoire)
    if zone is None and params.territoire in MAINLAND:
        notes.append("Aucune zone scolaire n’explique les jours servis : les vacances passées sont déduites des jours sans repas.")
    menus = cast("pd.DataFrame | None", inputs.get("menus"))
    agenda = read_agenda(panel.days, panel.past, zone, params.territoire)
    facts = read_menus(menus, panel.days)
    if menus is None or not facts.known[panel.past :].any():
        notes.append("Les menus des jours à commander ne sont pas donnés : la prévision s’en passe et elle est un peu moins bonne.")
    wrong = wrong_tags(menus)
    for day, dish, tag, family in wrong[-MOST_TAGS_TOLD:]:
        said = family.replace("_", " ")
        when = french.day(day.date(), year=True)
        notes.append(f"Étiquette à vérifier : « {dish} », le {when}, est étiqueté « {tag} » et se lit « {said} ».")
    if len(wrong) > MOST_TAGS_TOLD:
        notes.append(f"{french.count(len(wrong), 'étiquette')} de plats à vérifier en tout ; les plus récentes sont dites ci-dessus.")
    return panel, day_pairs(panel.days, agenda, facts), notes


def answer(
    inputs: Inputs,
    params: CantineEffectifsParams,
    *,
    seconds: float = 60.0,
    effort: Effort | None = None,
    tell: Callable[[float, str], None] | None = None,
) -> Answer:
    """Orders for the days to come. Raises ``NotEnoughData`` when the past is too short, ``InvalidParams`` for an unknown territory."""
    panel, pairs, notes = prepared(inputs, params)
    work = effort or effort_for(seconds, panel.past)
    if work.town < 8:
        notes.append("Le temps accordé est court : une version allégée de la méthode a été employée, un peu moins précise.")
    found = forecast(panel, pairs, agents=params.prevision_agents, effort=work, tell=tell)
    margin = choose(panel, found, params.jours_courts_acceptes_par_an)
    _, sites = orders(found, margin)
    coming = slice(panel.past, len(panel.days))
    strike = panel.strike[coming]
    shares = strike_shares(panel, found) if strike.any() else None
    asked = np.where(panel.wanted, sites[coming] * _part(strike, shares, "ordered")[:, None], 0.0)
    expected = found.total[coming] * _part(strike, shares, "expected")
    low, high = _bounds(found.total[coming], NORMAL_90 * found.deviation[coming], strike, shares)
    reference, usual_expected, told = usual_orders(panel, params.jours_courts_acceptes_par_an)
    notes += [*strike_notes(panel, shares), *_notes(panel, found, margin)]
    return Answer(
        panel=panel,
        found=found,
        margin=margin,
        order=np.stack([rounded(line) for line in asked]),
        expected=expected,
        low=low,
        high=high,
        site_expected=np.where(panel.wanted, expected_sites(found, margin)[coming] * _part(strike, shares, "expected")[:, None], 0.0),
        reference=reference,
        usual_expected=usual_expected,
        agents=told,
        past_order=sites[: panel.past],
        strikes=shares,
        notes=(*panel.notes, *notes),
    )


def _part(strike: np.ndarray, shares: StrikeShares | None, which: Literal["ordered", "expected"]) -> np.ndarray:
    """(days) the part of an ordinary day's meals: 1 out of strikes, and when past strikes are too few."""
    return np.where(strike, getattr(shares, which) if shares is not None else 1.0, 1.0)


def _bounds(total: np.ndarray, spread: np.ndarray, strike: np.ndarray, shares: StrikeShares | None) -> tuple[np.ndarray, np.ndarray]:
    """(days) 90 % interval of the total: the forecast's own, or that of past strikes, far wider; NaN when these are too few."""
    rare = (shares.low, shares.high) if shares is not None else (np.nan, np.nan)
    low, high = (np.where(strike, total * part, total * np.exp(sign * spread)) for part, sign in zip(rare, (-1, 1), strict=True))
    return low, high


def usual_orders(panel: Panel, accepted: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What is ordered without the machine (days to order, sites), the same before its margin, and where it is the agents’ forecast. It is
    theirs wherever the file has one; elsewhere the mean of the last four same weekdays served, as known when the order is placed, raised
    by the ratio that past errors of this very method ask for to be short ``accepted`` days a year."""
    told = panel.wanted & np.isfinite(panel.prevision[panel.past :])
    if told.sum() == panel.wanted.sum():
        return np.where(told, panel.prevision[panel.past :], np.nan), np.full(told.shape, np.nan), told
    same = same_weekdays(panel, np.arange(len(panel.days)), panel.lead)
    days = judged_days(panel)
    gaps = np.nansum(panel.reel[days], axis=1) / np.nansum(np.where(np.isfinite(panel.reel[days]), same[days], 0.0), axis=1)
    allowed = int(accepted * len(days) / served_per_year(panel))
    ratio = np.sort(gaps)[::-1][min(allowed, len(gaps) - 1)] if len(days) else 1.0
    usual = np.where(told, panel.prevision[panel.past :], same[panel.past :] * ratio)
    return np.where(panel.wanted, usual, np.nan), np.where(panel.wanted & ~told, same[panel.past :], np.nan), told


def same_weekdays(panel: Panel, wanted: np.ndarray, lead: int) -> np.ndarray:
    """Mean (wanted, sites) of the last four same weekdays served at least ``lead`` days before; the site’s weight when there is none."""
    weekday = panel.days.day_of_week.to_numpy()
    learnt = np.flatnonzero(panel.learnt | panel.later)
    result = panel.weight[wanted].copy()
    for i, day in enumerate(wanted):
        known = learnt[panel.number[learnt] <= panel.number[day] - lead]
        last = known[weekday[known] == weekday[day]][-4:]
        values = panel.reel[last if len(last) else known[-4:]]
        counts = np.isfinite(values).sum(axis=0)
        sums = np.where(np.isfinite(values), values, 0.0).sum(axis=0)
        result[i] = np.where(counts > 0, sums / np.maximum(counts, 1), result[i])
    return result


def _notes(panel: Panel, found: Forecast, margin: Margin) -> list[str]:
    notes = []
    if margin.errors == 0 or margin.errors < 60:
        notes.append("Trop peu de jours passés pour choisir la marge sur leurs erreurs : une marge prudente est prise.")
    if found.agents_weight[0] > 0 or found.agents_weight[1] > 0:
        town, sites = (french.percent(w, 0) for w in found.agents_weight)
        notes.append(
            f"La prévision des agents, corrigée de son écart habituel, compte pour {town} du total et, en moyenne, "
            f"{sites} du partage entre sites."
        )
    young = [name for s, name in enumerate(panel.names) if np.isfinite(panel.reel[: panel.past, s]).sum() < 30 and panel.wanted[:, s].any()]
    if young:
        more = f" et {len(young) - 8} autres" if len(young) > 8 else ""
        notes.append(f"Moins de trente jours servis, à regarder de près : {', '.join(young[:8])}{more}.")
    notes += _unknown_weekdays(panel)
    if not panel.wanted.any():
        raise NotEnoughData("Aucun site n’est à commander : donnez des lignes sans « reel » après le dernier jour servi.")
    return notes


def _unknown_weekdays(panel: Panel) -> list[str]:
    """One sentence per weekday to order that was hardly ever served: the order then follows the other weekdays."""
    weekday = panel.days.day_of_week.to_numpy()
    notes = []
    for asked in np.unique(weekday[panel.past :]):
        served = int((panel.learnt & (weekday == asked)).sum())
        if served >= LEAST_WEEKDAY:
            continue
        name = french.day(panel.days[panel.past :][weekday[panel.past :] == asked][0].date()).split()[0]
        seen = f"ne compte que {french.count(served, name)}" if served else f"ne compte aucun {name}"
        notes.append(
            f"L’historique {seen} : rien n’est connu de ce jour de la semaine, et sa commande suit les autres jours. "
            "Fixez-la vous-même, d’après les inscriptions."
        )
    return notes
