"""Promises about measure: ``evaluate`` gives finite figures on the truth or says that nothing compares; the gain is as published."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from typing import Literal, get_args, get_origin

import numpy as np
import pandas as pd

from bocage.contract.conformance.lab import Lab, copied, differing
from bocage.contract.conformance.promise import Broken, NotApplicable, Unmet, promise
from bocage.contract.conformance.sentences import is_french
from bocage.contract.errors import NotEnoughData
from bocage.contract.french import count, number
from bocage.contract.outcome import Outcome
from bocage.contract.rows import Row

GAIN_SEED = 20240630
BLOCKS = 20
MIN_BLOCKS = 8
RESAMPLES = 200
FAR = pd.Timedelta(days=364 * 30)
"""Thirty years on, to the weekday: no proposal is about such a day."""
Tables = dict[str, pd.DataFrame]


@promise("evaluate", "La mesure se calcule, sur toute partie de la vérité")
def evaluate(lab: Lab) -> str:
    """``evaluate`` gives finite floats, the fiche's measure among them, on all the truth, half of it, and one block; it changes nothing.

    A part of which no line is about a proposal may be refused by ``NotEnoughData``; all the truth may not.
    """
    _need_truth(lab)
    rng = random.Random(GAIN_SEED)
    first: dict[str, float] = {}
    for name, outcome in lab.stored.items():
        for what, truth in (("toute la vérité", lab.truth), ("la moitié", _half(lab.truth, rng)), ("un bloc", _part(lab.truth, [0]))):
            given = _tables(truth)
            try:
                metrics = _metrics(lab, outcome, given, f"{name}, {what}")
            except NotEnoughData as error:
                if truth is lab.truth:
                    raise Broken(f"evaluate() refuse l’exemple de vérité ({name}) : {error.message}") from None
                metrics = {}
            if differing(truth, given):
                raise Broken(f"evaluate() a modifié {', '.join(differing(truth, given))}. Travaillez sur une copie.")
            first = first or metrics
    return "Mesuré : " + ", ".join(f"{key} = {number(value, 2)}" for key, value in first.items()) + "."


@promise("unmatched_truth", "Une vérité qui ne parle d’aucune proposition est refusée par une phrase")
def unmatched_truth(lab: Lab) -> str:
    """Other names, other days, or no line at all: ``evaluate`` raises ``NotEnoughData`` in French, and never gives a zero as a figure."""
    _need_truth(lab)
    elsewhere = {name: _elsewhere(table, lab.engine.truth[name]) for name, table in lab.truth.items()}
    nothing = {name: table.iloc[:0] for name, table in lab.truth.items()}
    said = ""
    for who, outcome in lab.stored.items():
        for what, truth in (("d’autres noms et d’autres jours", elsewhere), ("rien", nothing)):
            try:
                metrics = _metrics(lab, outcome, _tables(truth), f"{who}, {what}")
            except NotEnoughData as error:
                if not is_french(error.message) or len(error.message) < 15:
                    raise Broken(
                        f"Sur une vérité sans rapport, evaluate() dit « {error.message} » : dites en français quoi donner."
                    ) from None
                said = said or error.message
            else:
                figures = ", ".join(f"{key} = {number(value, 2)}" for key, value in metrics.items())
                raise Broken(
                    f"evaluate() mesure une vérité qui ne parle d’aucune proposition ({who}, {what}) : {figures}. "
                    "Levez NotEnoughData, par exemple par bocage.methods.truth.unmatched : un zéro serait publié comme un résultat."
                )
    return f"Refusée : « {said} »"


@promise("gain", "Le gain sur la méthode habituelle est publié tel qu’il est")
def gain(lab: Lab) -> str:
    """``gain_demontre`` says whether the 95 % interval of the gain, over blocks of truth lines, is above zero.

    The truth is cut into blocks of neighbouring lines (so that what varies together stays together). The gain is computed on 200 random
    halves of the blocks. Half-samples have the bootstrap's variance (Efron 1979, section 6) and never give ``evaluate`` a line twice.
    A half that ``evaluate`` refuses, for none of its lines is about a proposal, is left out; when most are, nothing is shown.
    """
    published = lab.fiche.gain_demontre
    if not lab.engine.truth:
        if published:
            raise Broken("La fiche publie un gain, mais le cas d’usage n’a pas de vérité (truth est vide). Publiez gain_demontre = false.")
        return "Pas de vérité, et la fiche ne publie pas de gain."
    try:
        low, middle, high, blocks, refused = _gain_interval(lab)
    except NotEnoughData as error:
        raise Unmet("evaluate", f"evaluate() refuse l’exemple de vérité : {error.message}") from None
    unit = lab.fiche.mesure.unite
    text = f"{number(middle, 3, unit)} [{number(low, 3)} ; {number(high, 3)}] sur {lab.fiche.mesure.nom}, {blocks} blocs"
    shown = low > 0 and blocks >= MIN_BLOCKS and refused <= RESAMPLES // 2
    if published and not shown:
        few = f" Il faut au moins {MIN_BLOCKS} blocs de vérité." if blocks < MIN_BLOCKS else ""
        few += f" {count(refused, 'moitié')} de la vérité ne parlent d’aucune proposition." if refused > RESAMPLES // 2 else ""
        todo = "Publiez gain_demontre = false, ou améliorez le moteur."
        raise Broken(f"La fiche publie un gain que l’exemple ne montre pas : {text}.{few} {todo}")
    if shown and not published:
        return f"Gain montré sur l’exemple, {text} ; la fiche ne le publie pas."
    return f"Gain publié et montré : {text}." if published else f"Gain non montré, {text}, et la fiche le dit."


def _need_truth(lab: Lab) -> None:
    if not lab.engine.truth:
        raise NotApplicable("Le cas d’usage n’a pas de vérité (truth est vide).")


def _metrics(lab: Lab, outcome: Outcome, truth: Tables, what: str) -> dict[str, float]:
    """The figures of ``evaluate``, checked. Raises ``NotEnoughData`` as it does, ``Broken`` for the rest."""
    try:
        metrics = lab.engine.evaluate(outcome, truth)
    except NotEnoughData:
        raise
    except Exception as error:
        raise Broken(f"evaluate() échoue ({what}), {lab.said(error)}. Il doit accepter toute partie des lignes de la vérité.") from None
    if not isinstance(metrics, Mapping) or lab.fiche.mesure.nom not in metrics:
        raise Broken(f"evaluate() doit rendre « {lab.fiche.mesure.nom} », la mesure que la fiche annonce ({what}).")
    for key, value in metrics.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise Broken(f"evaluate() rend {key} = {value!r} ({what}) ; rendez un nombre fini.")
    return {key: float(value) for key, value in metrics.items()}


def _gain_interval(lab: Lab) -> tuple[float, float, float, int, int]:
    """(low, whole-truth gain, high, blocks, halves refused): positive when the engine is better, in the measure's unit.

    Raises ``NotEnoughData`` when ``evaluate`` refuses the whole truth.
    """
    outcomes = lab.stored
    blocks = _block_count(lab.truth)
    rng = random.Random(GAIN_SEED)

    def gained(truth: Tables) -> float:
        ours, usual = (_metrics(lab, outcome, _tables(truth), name)[lab.fiche.mesure.nom] for name, outcome in outcomes.items())
        return usual - ours if lab.fiche.mesure.sens == "min" else ours - usual

    middle, samples, refused = gained(lab.truth), [], 0
    for _ in range(RESAMPLES if blocks > 1 else 1):
        try:
            samples.append(gained(_half(lab.truth, rng)))
        except NotEnoughData:
            refused += 1
    low, high = np.percentile(samples or [middle], [2.5, 97.5])
    return float(low), middle, float(high), blocks, refused


def _largest(truth: Tables) -> str:
    return max(truth, key=lambda name: len(truth[name]))


def _block_count(truth: Tables) -> int:
    return min(BLOCKS, len(truth[_largest(truth)]))


def _half(truth: Tables, rng: random.Random) -> Tables:
    count = _block_count(truth)
    return _part(truth, sorted(rng.sample(range(count), max(1, count // 2))))


def _part(truth: Tables, chosen: list[int]) -> Tables:
    """The truth with the chosen blocks of its largest table; the other tables whole."""
    name = _largest(truth)
    table = truth[name]
    block = np.arange(len(table)) * _block_count(truth) // max(1, len(table))
    return {**truth, name: table[np.isin(block, chosen)].reset_index(drop=True)}


def _elsewhere(table: pd.DataFrame, row: type[Row]) -> pd.DataFrame:
    """The same lines about other things on other days. Whole numbers are identifiers only where a table names things no other way."""
    moved = table.copy()
    kinds = {name: _kind(moved[name], field.annotation) for name, field in row.model_fields.items() if name in moved}
    for name, kind in kinds.items():
        if kind == "text":
            moved[name] = moved[name].map(lambda text: text if pd.isna(text) else f"{text} (ailleurs)")
        elif kind == "day":
            moved[name] = pd.to_datetime(moved[name]) + FAR
        elif kind == "whole" and not {"text", "day"} & set(kinds.values()):
            moved[name] = moved[name] + 10**9
    return moved


def _kind(values: pd.Series, annotation: object) -> str:
    """What a column tells apart: « text », « day », « whole », or nothing. The words of a Literal are kinds of things, not names."""
    if get_origin(annotation) is Literal or any(get_origin(part) is Literal for part in get_args(annotation)):
        return ""
    if pd.api.types.is_datetime64_any_dtype(values):
        return "day"
    if pd.api.types.is_integer_dtype(values):
        return "whole"
    return "text" if pd.api.types.is_object_dtype(values) or pd.api.types.is_string_dtype(values) else ""


def _tables(truth: Tables) -> Tables:
    return {name: value for name, value in copied(truth).items() if isinstance(value, pd.DataFrame)}
