"""Timetable or presence dimming, street by street: the programme that saves most without one minute below the class minimum.

``nights`` reads the counts, ``planning`` compares (its optimum is exact: ``schedule``), ``telling`` says it. Nothing is ever sent to a
luminaire: a named person approves a programme, and sets it.
"""

from __future__ import annotations

from typing import ClassVar, cast

import pandas as pd
from pydantic import BaseModel

from bocage.contract.errors import InvalidParams, NotEnoughData
from bocage.contract.french import count
from bocage.contract.outcome import Outcome, Recommendation
from bocage.contract.rows import FileInput, Row
from bocage.contract.usecase import Inputs, Resources, Truth
from bocage.usecases.eclairage_public import telling
from bocage.usecases.eclairage_public.measure import measured
from bocage.usecases.eclairage_public.nights import Nights, read_nights
from bocage.usecases.eclairage_public.places import placed
from bocage.usecases.eclairage_public.planning import Segment, plan_segment
from bocage.usecases.eclairage_public.roster import segments_of
from bocage.usecases.eclairage_public.rows import EclairagePublicParams, PresenceRow, SegmentRow

LEAST_NIGHTS = 14
"""Counted nights under which presence is not judged."""


class EclairagePublic:
    """The exact optimum of presence and timetable, against the usual timetable (lowered in the small hours)."""

    inputs: ClassVar[dict[str, type[Row] | FileInput]] = {"segments": SegmentRow, "presence": PresenceRow}
    truth: ClassVar[dict[str, type[Row]]] = {"presence_constatee": PresenceRow}
    params: ClassVar[type[BaseModel]] = EclairagePublicParams

    def run(self, inputs: Inputs, params: BaseModel, res: Resources) -> Outcome:
        """One proposal per segment. Raises ``NotEnoughData`` when no segment has ``LEAST_NIGHTS`` counted nights."""
        return _outcome(inputs, cast(EclairagePublicParams, params), res, usual=False)

    def baseline(self, inputs: Inputs, params: BaseModel, res: Resources) -> Outcome:
        """The usual timetable: the class of the segment, lowered in the small hours. Same subjects, same errors as ``run``."""
        return _outcome(inputs, cast(EclairagePublicParams, params), res, usual=True)

    def evaluate(self, outcome: Outcome, truth: Truth) -> dict[str, float]:
        """What the proposed programmes would have drawn on the passages that took place: mean power per lit hour (W), and minutes with
        someone below the minimum (``minutes_sous_minimum``)."""
        return measured(outcome, truth["presence_constatee"])

    def explain(self, rec: Recommendation) -> str:
        """One French sentence; every number in it is in ``rec``."""
        return telling.explain(rec)


def _outcome(inputs: Inputs, params: EclairagePublicParams, res: Resources, usual: bool) -> Outcome:
    if params.niveau_min_pct + params.pas_niveau_pct > 100 and params.niveau_min_pct < 100:
        raise InvalidParams("Le plus bas niveau et le pas entre niveaux dépassent ensemble 100 % : choisissez un pas plus petit.")
    counts = cast(pd.DataFrame, inputs["presence"])
    if counts["passages"].isna().all():
        raise NotEnoughData(f"Aucun passage n’est renseigné : donnez au moins {LEAST_NIGHTS} nuits de comptages par segment.")
    timezone, until = str(counts["horodatage"].dt.tz), counts["horodatage"].max()
    params, assumed = placed(params, timezone)
    segments, notes = segments_of(cast(pd.DataFrame, inputs["segments"]), params, timezone, assumed)
    # Lines without a count stay: they say that the counter was there, and how long its steps are.
    known = {str(name): lines for name, lines in counts.groupby("segment", sort=True) if lines["passages"].notna().any()}
    strangers = sorted(set(known) - {segment.name for segment in segments})
    if strangers:
        said = count(len(strangers), "segment compté n’est pas décrit", "segments comptés ne sont pas décrits")
        notes.append(f"{said} dans la table des segments : {', '.join(strangers[:5])}.")
    judged: list[telling.Judged] = []
    for done, segment in enumerate(segments, start=1):
        judged.append(_judge(segment, known.get(segment.name), params, timezone, until, res.seed, notes))
        res.progress(0.95 * done / len(segments), f"Segment {done} sur {len(segments)}")
    if not any(one.plan is not None or one.dead for one in judged):
        most = max(one.nights for one in judged)
        raise NotEnoughData(
            f"Aucun segment n’a {LEAST_NIGHTS} nuits comptées (au mieux {count(most, 'nuit')}) : donnez au moins deux semaines "
            "de comptages par segment, sous les mêmes noms que dans la table des segments."
        )
    outcome = telling.outcome(judged, params, usual, notes)
    res.progress(1.0, "Terminé")
    return outcome


def _judge(
    segment: Segment,
    counts: pd.DataFrame | None,
    params: EclairagePublicParams,
    timezone: str,
    until: pd.Timestamp,
    seed: int,
    notes: list[str],
) -> telling.Judged:
    """A segment with its plan, or why there is none. What was set aside is added to ``notes``."""
    if counts is None:
        return telling.Judged(segment, None, "", 0)
    nights: Nights = read_nights(counts, segment.latitude, segment.longitude, timezone, params.decalage_min, until)
    notes += telling.doubts(segment.name, nights)
    if nights.dead:
        return telling.Judged(segment, None, nights.dead, nights.counted)
    if nights.counted < LEAST_NIGHTS:
        return telling.Judged(segment, None, "", nights.counted)
    return telling.Judged(segment, plan_segment(segment, nights, params, timezone, seed), "", nights.counted)
