"""The segments of the table, each once, and what their manager should know of them before any count is read."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import numpy as np
import pandas as pd

from bocage.contract.errors import NotEnoughData
from bocage.contract.french import NBSP, count, number
from bocage.usecases.eclairage_public import rules
from bocage.usecases.eclairage_public.places import misplaced, town_of
from bocage.usecases.eclairage_public.planning import Line, Segment, hours_mask, limits, segment_of
from bocage.usecases.eclairage_public.rows import EclairagePublicParams

MOST_NAMES = 5
"""Segments named in one remark; the others are counted."""


def segments_of(table: pd.DataFrame, params: EclairagePublicParams, timezone: str, assumed: bool) -> tuple[list[Segment], list[str]]:
    """The segments by name, and notes in French. ``params`` has a place (``places.placed``); ``assumed``:
    nobody gave it.

    Raises ``NotEnoughData`` when the table is empty.
    """
    if table.empty:
        raise NotEnoughData("Aucun segment n’est décrit : donnez au moins une ligne dans la table des segments.")
    said: list[tuple[str, str]] = []
    found: dict[str, Segment] = {}
    repeated = homeless = 0
    home = cast("dict[str, float]", {"latitude": params.latitude, "longitude": params.longitude})
    for line in table.sort_values(["segment", "classe", "niveau_installe", "puissance_w"], kind="stable").itertuples():
        segment, read = segment_of(line, params), Line(line)
        lost = misplaced(segment.latitude, segment.longitude, timezone)
        if lost:
            said.append((segment.name, f"{lost}. Le soleil de la commune a été pris"))
            segment = replace(segment, **home)
        homeless += bool(lost) or None in (read.number("latitude"), read.number("longitude"))
        said += [(segment.name, text) for text in _warnings(read, params)]
        repeated += segment.name in found
        found[segment.name] = _stricter(found[segment.name], segment) if segment.name in found else segment
    said += [(name, text) for name in sorted(found) for text in _eased(found[name], params)]
    notes = _grouped(said)
    if repeated:
        lines = count(repeated, "ligne de segment répète", "lignes de segment répètent")
        notes.append(f"{lines} un nom : à chaque heure, l’exigence la plus forte a été retenue.")
    if assumed and homeless:
        notes.append(
            f"Lieu : aucune latitude ni longitude n’est donnée ; le soleil est celui de {town_of(timezone)}. Donnez celles de la commune : "
            "les heures d’éclairage, donc les kWh, en dépendent."
        )
    return [found[name] for name in sorted(found)], notes


def _grouped(said: list[tuple[str, str]]) -> list[str]:
    """One sentence per remark, with the segments that it concerns."""
    names: dict[str, list[str]] = {}
    for name, text in said:
        names.setdefault(text, []).append(name)
    return [f"{_few(list(dict.fromkeys(those)))} : {text}." for text, those in names.items()]


def _few(names: list[str]) -> str:
    shown = ", ".join(names[:MOST_NAMES])
    return shown if len(names) <= MOST_NAMES else f"{shown} et {count(len(names) - MOST_NAMES, 'autre')}"


def _stricter(one: Segment, other: Segment) -> Segment:
    """Of two descriptions of a segment: at each slot the greater need, dark only where both are, presence only where both allow it."""
    return replace(
        one,
        minimum=np.maximum(one.minimum, other.minimum),
        empty=np.maximum(one.empty, other.empty),
        dark=one.dark & other.dark,
        able=one.able and other.able,
        why=one.why or other.why,
    )


def _warnings(line: Line, params: EclairagePublicParams) -> list[str]:
    """What is odd in a line, one sentence each."""
    said = []
    classe, quiet = line.text("classe"), line.text("classe_creuse")
    if rules.minimum_of(classe) > (line.number("niveau_installe") or 0.0):
        said.append("à pleine puissance, le niveau installé est sous le minimum de la classe ; vérifiez l’installation")
    if quiet and not rules.same_family(classe, quiet):
        said.append(
            f"la classe creuse {quiet} ne se compare pas à la classe {classe} (luminance pour M, éclairement pour C et P) ; {classe} est "
            "gardée toute la nuit"
        )
    elif quiet and rules.minimum_of(quiet) > rules.minimum_of(classe):
        said.append(f"la classe creuse {quiet} demande plus que la classe {classe} ; elle est tenue aux heures creuses, vérifiez-la")
    opening, closing, category = line.number("ouverture_h"), line.number("fermeture_h"), line.text("categorie")
    said += _morning(category, opening, closing)
    if (
        params.coupure
        and closing is not None
        and (hours_mask(params.coupure_debut_h, params.coupure_fin_h) & _busy(opening, closing)).any()
    ):
        said.append(
            "la coupure décidée par la commune l’éteint alors qu’il est ouvert, ou dans l’heure qui suit ; vérifiez-le avant de régler"
        )
    return said


def _morning(category: str, opening: float | None, closing: float | None) -> list[str]:
    """When the order of 27 December 2018 lets the place be lit again, and what its manager may have to say for it."""
    if category not in ("parc", "stationnement") or rules.extinction(category, closing) is None:
        return []
    until, order = rules.reopening(category), "au titre de l’arrêté du 27 décembre 2018"
    if opening is None and until is not None:
        early = "si le lieu ouvre plus tôt, ou dans l’heure qui suit, donnez ouverture_h : il sera rallumé une heure avant"
        return [f"éteint jusqu’à {number(until, 0, 'h')}, {order} ; {early}"]
    if opening is None:
        return [
            f"éteint jusqu’au coucher du soleil suivant, {order}, qui ne prévoit aucun rallumage le matin ; si le parc ouvre avant le "
            "lever du jour, donnez ouverture_h : il sera rallumé à cette heure"
        ]
    if until is None and opening < rules.NOON:
        return [
            f"rallumé à {_clock(opening)}, son heure d’ouverture, s’il fait encore nuit, pour qu’un parc ouvert ne soit pas éteint ; "
            "l’arrêté du 27 décembre 2018 ne prévoit pas de rallumage le matin, vérifiez-le avant de régler"
        ]
    return []


def _clock(hour: float) -> str:
    """« 6 h », « 6 h 30 »."""
    whole, minutes = divmod(round(hour * 60), 60)
    return f"{number(whole, 0, 'h')}" + (f"{NBSP}{minutes:02d}" if minutes else "")


def _busy(opening: float | None, closing: float) -> np.ndarray:
    """Slots (bool) when a place is open, and the hour after; of its opening hours only the last is sure when ``opening`` is unknown."""
    return hours_mask((closing - 1 if opening is None else opening) % 24, (closing + 1) % 24)


def _eased(segment: Segment, params: EclairagePublicParams) -> list[str]:
    """The limits on switching that the hours of darkness make impossible."""
    changes, dwell = limits(segment.dark, params)
    said, why = [], "les heures d’extinction ne laissent pas la place"
    if dwell < params.palier_min:
        said.append(f"{why} de plages d’au moins {number(params.palier_min, 0, 'minutes')} ; elles durent au moins {dwell} minutes")
    if changes > params.changements_max:
        said.append(
            f"{why} de s’en tenir à {count(params.changements_max, 'changement')} par nuit ; le programme en fait jusqu’à {changes}"
        )
    return said
