"""Plans as people read them: one proposal per segment, the programme by clock times, a chart of the night, one French sentence each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
from pydantic import JsonValue

from bocage.contract import french
from bocage.contract.outcome import Chart, Column, DataTable, Outcome, Recommendation, Series
from bocage.usecases.eclairage_public.nights import MINUTES, SLOTS, Nights
from bocage.usecases.eclairage_public.planning import FIXED, OFF, PRESENCE, Plan, Programme, Segment, power
from bocage.usecases.eclairage_public.rows import EclairagePublicParams

ADOPT = "faire valider la gradation par présence"
KEEP = "garder l’horaire"
FULL = "faire réparer le détecteur"
MEANWHILE, WITHOUT = "plein éclairage en attendant", "horaire sans détection"
"""What to set where the detector is dead, and what is set without it."""

KINDS = ("semaine", "fin de semaine")
MOST_CHARTS = 40


@dataclass(frozen=True)
class Judged:
    """A segment with its plan; or why there is none: ``dead`` sensor, or too few counted ``nights``."""

    segment: Segment
    plan: Plan | None
    dead: str
    nights: int


def outcome(judged: list[Judged], params: EclairagePublicParams, usual: bool, notes: list[str]) -> Outcome:
    """Proposals, tables ``programme`` and ``segments``, charts."""
    recommendations = [_proposal(one, params, usual) for one in judged]
    charts = [_chart(one, params, usual) for one in judged if one.plan is not None][:MOST_CHARTS]
    notes = [*notes, "Sur panne ou silence d’un détecteur, le programme revient au plein éclairage (colonne niveau_si_muet_pct)."]
    return Outcome(recommendations, [_programmes(judged, params, usual), _segments(judged, params), *charts], notes)


def doubts(name: str, nights: Nights) -> list[str]:
    """What was not believed of a segment's counts, one sentence each."""
    said = []
    if len(nights.steps) > 1:
        steps = ", puis ".join(french.count(step, "minute") for step in nights.steps)
        said.append(f"{name} : le pas de ses comptages change ({steps}) ; chaque partie est lue à son pas.")
    if nights.twice:
        times = french.count(nights.twice, "instant est compté", "instants sont comptés")
        said.append(f"{name} : {times} à deux pas à la fois ; le plus court a été gardé, ne donnez qu’un des deux.")
    for first, last in nights.aside:
        span = f"du {french.day(first, weekday=False, year=True)} au {french.day(last, weekday=False, year=True)}"
        said.append(f"{name} : les comptages {span} ont été écartés, le détecteur y paraît muet ou figé ; ce ne sont pas des zéros.")
    if nights.asleep:
        start, end = clock(nights.asleep[0]), clock(nights.asleep[1] + 1)
        said.append(
            f"{name} : aucune nuit n’a de passage entre {start} et {end}, alors que l’heure d’avant en a beaucoup ; le détecteur y dort "
            "peut-être : ces heures sont prises comme toujours occupées."
        )
    if nights.dead.startswith("aucun comptage"):
        said.append(
            f"{name} : ses comptages cessent avant la fin du fichier ; si la campagne y était simplement finie, donnez-les dans un fichier "
            "à part, sans les lignes qui suivent."
        )
    return said


def _proposal(one: Judged, params: EclairagePublicParams, usual: bool) -> Recommendation:
    """The proposal of a segment: a saving in kWh a year over the usual timetable (``reference`` 0: without a decision, none), or a detector
    to mend."""
    name, plan = one.segment.name, one.plan
    if one.dead and not usual:
        return Recommendation(name, FULL, MEANWHILE, "", None, 1e9, {"raison": one.dead, "reference": WITHOUT})
    if plan is None:
        few = f"{one.nights} nuits comptées, il en faut 14" if one.nights else "aucun comptage"
        return Recommendation(name, KEEP, 0.0, "kWh/an", None, 0.0, {"raison": few, "reference": 0.0})
    adopt = plan.adopt and not usual
    # Presence is judged against the best timetable; what is proposed is told against today's.
    trimmed = plan.timetable_saved * params.prix_kwh_eur if adopt else 0.0
    euros, low_euros, high_euros = (round(x + trimmed) for x in plan.euros)
    facts: dict[str, JsonValue] = {
        "reference": 0.0,
        "consommation_habituelle_kwh_an": round(plan.used),
        "euros_an": euros,
        "euros_an_bas": low_euros,
        "euros_an_haut": high_euros,
        "presence_kwh_an": round(plan.saved[0]),
        "nuits": plan.nights,
        "detecteurs": one.segment.detectors,
    }
    if not adopt:
        reason = "méthode habituelle" if usual else (one.segment.why or _why_not(plan))
        kept = 0.0 if usual else float(round(plan.timetable_saved))
        return Recommendation(name, KEEP, kept, "kWh/an", None, 0.0, {**facts, "raison": reason})
    low, value, high = (float(round(x + plan.timetable_saved)) for x in (plan.saved[1], plan.saved[0], plan.saved[2]))
    return Recommendation(name, ADOPT, value, "kWh/an", (low, high), round(plan.euros[0], 2), facts)


def _why_not(plan: Plan) -> str:
    if plan.presence is None:
        return "le passage y est tel que la présence n’abaisserait rien"
    return "la présence y perd de l’argent, détecteurs payés" if plan.euros[0] <= 0 else "le gain de la présence n’y est pas sûr"


def programmes_of(one: Judged, usual: bool) -> tuple[Programme, Programme]:
    """The programmes (week, weekend) that the outcome proposes for a segment."""
    if one.plan is not None:
        return one.plan.usual if usual else one.plan.proposed
    level = one.segment.minimum if usual or not one.dead else np.full(SLOTS, 100.0)
    level = np.where(one.segment.dark, 0.0, level)
    still = Programme(np.where(one.segment.dark, OFF, FIXED), level, level)
    return still, still


def _programmes(judged: list[Judged], params: EclairagePublicParams, usual: bool) -> DataTable:
    columns = (
        Column("segment", "Segment"),
        Column("nuit", "Nuit"),
        Column("debut", "De"),
        Column("fin", "À"),
        Column("mode", "Mode"),
        Column("niveau_pct", "Niveau, quelqu’un présent", "%"),
        Column("niveau_vide_pct", "Niveau, personne", "%"),
        Column("niveau_si_muet_pct", "Niveau si le détecteur se tait", "%"),
        Column("minimum_pct", "Minimum, quelqu’un présent", "%"),
        Column("minimum_vide_pct", "Minimum, personne", "%"),
        Column("puissance_w", "Puissance, quelqu’un présent", "W"),
        Column("puissance_vide_w", "Puissance, personne", "W"),
    )
    rows = []
    for one in judged:
        for kind, programme in zip(KINDS, programmes_of(one, usual), strict=True):
            rows += [(one.segment.name, kind, *line) for line in _periods(one.segment, programme, params)]
    return DataTable("programme", "Programme proposé, à l’heure locale, entre l’allumage et l’extinction", columns, tuple(rows))


def _periods(segment: Segment, programme: Programme, params: EclairagePublicParams) -> list[tuple[str | float, ...]]:
    """Stretches of slots on which nothing changes."""
    need, empty = (np.where(segment.dark, 0.0, x) for x in (segment.minimum, segment.empty))
    facts = [programme.level, programme.low, need, empty]
    change = np.zeros(SLOTS, dtype=bool)
    change[0] = True
    for column in (programme.mode, *facts):
        change[1:] |= column[1:] != column[:-1]
    starts = np.flatnonzero(change)
    lines: list[tuple[str | float, ...]] = []
    for start, end in zip(starts, [*starts[1:], SLOTS], strict=True):
        level, low = float(programme.level[start]), float(programme.low[start])
        watts = (round(float(power(np.array(x), segment.watts, segment.lamps, params)), 2) for x in (level, low))
        mute = 0.0 if programme.mode[start] == OFF else 100.0
        minima = (float(need[start]), float(empty[start]))
        lines.append((clock(int(start)), clock(int(end)), str(programme.mode[start]), level, low, mute, *minima, *watts))
    return lines


def clock(slot: int) -> str:
    """``0`` → « 12:00 », ``48`` → « 00:00 »."""
    minutes = (slot * MINUTES + 720) % 1440
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _segments(judged: list[Judged], params: EclairagePublicParams) -> DataTable:
    columns = (
        Column("segment", "Segment"),
        Column("latitude", "Latitude"),
        Column("longitude", "Longitude"),
        Column("decalage_min", "Décalage au soleil", "min"),
        Column("maintien_min", "Maintien", "min"),
        Column("horaire_kwh_an", "Horaire habituel", "kWh/an"),
        Column("presence_kwh_an", "Gain de la présence", "kWh/an"),
        Column("presence_bas_kwh_an", "Gain, borne basse", "kWh/an"),
        Column("presence_haut_kwh_an", "Gain, borne haute", "kWh/an"),
        Column("presence_eur_an", "Gain détecteurs payés", "€/an"),
        Column("presence_bas_eur_an", "Gain, borne basse", "€/an"),
        Column("presence_haut_eur_an", "Gain, borne haute", "€/an"),
    )
    rows: list[tuple[str | float | None, ...]] = []
    for one in judged:
        fixed = (one.segment.name, one.segment.latitude, one.segment.longitude, params.decalage_min, params.maintien_min)
        plan = one.plan
        figures = (None,) * 7 if plan is None else tuple(round(x, 1) for x in (plan.used, *plan.saved, *plan.euros))
        rows.append((*fixed, *figures))
    return DataTable("segments", "Comparaison par segment", columns, tuple(rows))


def _chart(one: Judged, params: EclairagePublicParams, usual: bool) -> Chart:
    """Levels of a week night: today's timetable; the mean level of the programme proposed and, where it senses presence, the band from its
    level with nobody to that with someone there."""
    plan = cast(Plan, one.plan)
    proposed = programmes_of(one, usual)[0]
    labels = tuple(clock(slot) for slot in range(SLOTS))
    series, note = [Series("Horaire habituel", "usual", tuple(plan.usual[0].level.tolist()))], "Entre l’allumage et l’extinction."
    sensing = proposed.mode == PRESENCE
    if not usual:
        mean = np.where(sensing, proposed.low + plan.raised[0] * (proposed.level - proposed.low), proposed.level)
        series.append(Series("Proposé, en moyenne des nuits", "forecast", tuple(mean.round(1).tolist())))
    if sensing.any():
        series.append(Series("Proposé, personne", "lower", tuple(proposed.low.tolist())))
        series.append(Series("Proposé, quelqu’un présent", "upper", tuple(proposed.level.tolist())))
        note += " La bande va du niveau quand il n’y a personne au niveau quand quelqu’un est là."
    name = one.segment.name
    return Chart(f"nuit_{name}", f"{name} : niveaux d’une nuit de semaine", labels, tuple(series), "%", name, note)


def explain(rec: Recommendation) -> str:
    """One French sentence; every number in it is in ``rec``."""
    fact = rec.evidence
    if rec.action == FULL:
        seems = f"le détecteur paraît muet ou figé ({fact['raison']})"
        return f"Sur le segment {rec.subject}, {seems} : faites-le réparer et, en attendant, éclairez pleinement."
    if rec.action == KEEP:
        return f"Sur le segment {rec.subject}, gardez l’horaire : {fact['raison']}{_lost(rec)}."
    saved = french.number(cast(float, rec.value), 0, "kWh")
    kwh = french.between(cast("tuple[float, float]", rec.interval), 0)
    euros = french.number(cast(float, fact["euros_an"]), 0, "€")
    between = french.between((cast(float, fact["euros_an_bas"]), cast(float, fact["euros_an_haut"])), 0)
    nights = french.count(cast(int, fact["nuits"]), "nuit comptée", "nuits comptées")
    return (
        f"Sur le segment {rec.subject}, la gradation par présence économiserait {saved} par an ({kwh}), soit {euros} détecteurs payés "
        f"({between}), d’après {nights}."
    )


def _lost(rec: Recommendation) -> str:
    if "euros_an" not in rec.evidence or not str(rec.evidence["raison"]).startswith(("la présence", "le gain")):
        return ""
    euros = french.number(cast(float, rec.evidence["euros_an"]), 0, "€")
    bounds = (cast(float, rec.evidence["euros_an_bas"]), cast(float, rec.evidence["euros_an_haut"]))
    return f" ({euros} par an, {french.between(bounds, 0)})"
