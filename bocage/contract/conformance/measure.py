"""Promises about measure: ``evaluate`` gives finite figures on any part of the truth, and the gain is as published."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping

import numpy as np
import pandas as pd

from bocage.contract.conformance.lab import Lab, copied, differing, written
from bocage.contract.conformance.promise import Broken, NotApplicable, promise
from bocage.contract.french import number
from bocage.contract.outcome import Outcome

GAIN_SEED = 20240630
BLOCKS = 20
MIN_BLOCKS = 8
RESAMPLES = 200
Tables = dict[str, pd.DataFrame]


@promise("evaluate", "La mesure se calcule, sur toute partie de la vérité")
def evaluate(lab: Lab) -> str:
    """``evaluate`` gives finite floats, the fiche's measure among them, on all the truth, half of it, and one block; it changes nothing."""
    _need_truth(lab)
    rng = random.Random(GAIN_SEED)
    first: dict[str, float] = {}
    for name, outcome in _stored(lab).items():
        for what, truth in (("toute la vérité", lab.truth), ("la moitié", _half(lab.truth, rng)), ("un bloc", _part(lab.truth, [0]))):
            given = _tables(truth)
            metrics = _metrics(lab, outcome, given, f"{name}, {what}")
            if differing(truth, given):
                raise Broken(f"evaluate() a modifié {', '.join(differing(truth, given))}. Travaillez sur une copie.")
            first = first or metrics
    return "Mesuré : " + ", ".join(f"{key} = {number(value, 2)}" for key, value in first.items()) + "."


@promise("gain", "Le gain sur la méthode habituelle est publié tel qu’il est")
def gain(lab: Lab) -> str:
    """``gain_demontre`` says whether the 95 % interval of the gain, over blocks of truth lines, is above zero.

    The truth is cut into blocks of neighbouring lines (so that what varies together stays together). The gain is computed on 200 random
    halves of the blocks. Half-samples have the bootstrap's variance (Efron 1979, section 6) and never give ``evaluate`` a line twice.
    """
    published = lab.fiche.gain_demontre
    if not lab.engine.truth:
        if published:
            raise Broken("La fiche publie un gain, mais le cas d’usage n’a pas de vérité (truth est vide). Publiez gain_demontre = false.")
        return "Pas de vérité, et la fiche ne publie pas de gain."
    low, middle, high, blocks = _gain_interval(lab)
    unit = lab.fiche.mesure.unite
    text = f"{number(middle, 3, unit)} [{number(low, 3)} ; {number(high, 3)}] sur {lab.fiche.mesure.nom}, {blocks} blocs"
    shown = low > 0 and blocks >= MIN_BLOCKS
    if published and not shown:
        few = f" Il faut au moins {MIN_BLOCKS} blocs de vérité." if blocks < MIN_BLOCKS else ""
        todo = "Publiez gain_demontre = false, ou améliorez le moteur."
        raise Broken(f"La fiche publie un gain que l’exemple ne montre pas : {text}.{few} {todo}")
    if shown and not published:
        return f"Gain montré sur l’exemple, {text} ; la fiche ne le publie pas."
    return f"Gain publié et montré : {text}." if published else f"Gain non montré, {text}, et la fiche le dit."


def _need_truth(lab: Lab) -> None:
    if not lab.engine.truth:
        raise NotApplicable("Le cas d’usage n’a pas de vérité (truth est vide).")


def _stored(lab: Lab) -> dict[str, Outcome]:
    """Both outcomes as they come back from the database."""
    try:
        return {
            "le moteur": Outcome.from_json(written(lab.reference.outcome)),
            "la méthode habituelle": Outcome.from_json(written(lab.usual.outcome)),
        }
    except ValueError as error:
        raise Broken(f"Le résultat ne passe pas par le JSON ({' '.join(str(error).split())[:150]}).") from None


def _metrics(lab: Lab, outcome: Outcome, truth: Tables, what: str) -> dict[str, float]:
    try:
        metrics = lab.engine.evaluate(outcome, truth)
    except Exception as error:
        raise Broken(f"evaluate() échoue ({what}), {lab.said(error)}. Il doit accepter toute partie des lignes de la vérité.") from None
    if not isinstance(metrics, Mapping) or lab.fiche.mesure.nom not in metrics:
        raise Broken(f"evaluate() doit rendre « {lab.fiche.mesure.nom} », la mesure que la fiche annonce ({what}).")
    for key, value in metrics.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise Broken(f"evaluate() rend {key} = {value!r} ({what}) ; rendez un nombre fini.")
    return {key: float(value) for key, value in metrics.items()}


def _gain_interval(lab: Lab) -> tuple[float, float, float, int]:
    """(low, whole-truth gain, high, number of blocks): positive when the engine is better, in the measure's unit."""
    outcomes = _stored(lab)
    blocks = _block_count(lab.truth)
    rng = random.Random(GAIN_SEED)

    def gained(truth: Tables) -> float:
        ours, usual = (_metrics(lab, outcome, _tables(truth), name)[lab.fiche.mesure.nom] for name, outcome in outcomes.items())
        return usual - ours if lab.fiche.mesure.sens == "min" else ours - usual

    samples = [gained(_half(lab.truth, rng)) for _ in range(RESAMPLES if blocks > 1 else 1)]
    low, high = np.percentile(samples, [2.5, 97.5])
    return float(low), gained(lab.truth), float(high), blocks


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


def _tables(truth: Tables) -> Tables:
    return {name: value for name, value in copied(truth).items() if isinstance(value, pd.DataFrame)}
