"""Promises about how the engine behaves: same answer each time, hands off its inputs and the machine, on time, saying how far it is."""

from __future__ import annotations

import json
import math
import time
from typing import Literal

import pandas as pd

from bocage.contract.conformance.lab import Lab, Loaded, copied, written
from bocage.contract.conformance.promise import Broken, NotApplicable, Unmet, promise
from bocage.contract.conformance.sentences import is_french
from bocage.contract.errors import NotEnoughData, TimeBudgetExceeded
from bocage.contract.outcome import Outcome

SHUFFLE_SEED = 20240229
FLOOR_SECONDS = 2.0
"""Below this, a budget says nothing: imports and the first compilation weigh as much as the work."""


@promise("deterministic", "À la même graine, le même résultat")
def deterministic(lab: Lab) -> str:
    """The same engine, and a fresh one, give the same bytes at the same seed."""
    for baseline, first in ((False, lab.reference.outcome), (True, lab.usual.outcome)):
        for fresh in (False, True):
            place = difference(first, lab.outcome(lab.inputs, baseline=baseline, fresh=fresh))
            if place:
                who = "Un autre exemplaire du moteur" if fresh else "Le même moteur, une seconde fois,"
                raise Broken(f"{who} répond autrement ({place}). Tirez tout hasard de res.seed et ne gardez rien d’un calcul à l’autre.")
    return "Deux calculs de plus, identiques à l’octet."


@promise("row_order", "L’ordre des lignes ne change rien")
def row_order(lab: Lab) -> str:
    """Shuffled lines give the same outcome, but for the last digits of floating sums."""
    if not lab.rows:
        raise NotApplicable("Aucune entrée n’est une table.")
    for baseline, first in ((False, lab.reference.outcome), (True, lab.usual.outcome)):
        place = difference(first, lab.outcome(shuffled(lab.inputs), baseline=baseline), tolerance=1e-9)
        if place:
            who = "la méthode habituelle" if baseline else "le moteur"
            raise Broken(f"Les lignes mêlées, {who} répond autrement ({place}). Triez les tables dès l’entrée, sur toutes leurs colonnes.")
    return "Même résultat, lignes mêlées."


@promise("inputs_untouched", "Les entrées et les paramètres restent intacts")
def inputs_untouched(lab: Lab) -> str:
    """``run`` and ``baseline`` change no cell, column, index nor parameter that they were given."""
    for name, run in (("run()", lab.reference), ("baseline()", lab.usual)):
        if run.touched:
            raise Broken(f"{name} a modifié {', '.join(run.touched)}. Travaillez sur une copie : frame.assign(…) ou frame.copy().")
    return "Aucune cellule modifiée."


@promise("no_network", "Aucun appel au réseau pendant le calcul")
def no_network(lab: Lab) -> str:
    """No socket is opened while the engine runs, even inside a library, even if the error is swallowed."""
    tried = [what for attempts in _attempts(lab, "network") for what in attempts]
    if tried:
        raise Broken(f"Le calcul a cherché le réseau ({tried[0]}). Donnez ces données en entrée, ou mettez-les dans le dossier.")
    return "Sockets bloquées, aucune demandée."


@promise("no_writing", "Aucun fichier écrit, aucun processus lancé pendant le calcul")
def no_writing(lab: Lab) -> str:
    """No file is opened for writing and no process started while the engine runs without a pool."""
    tried = [what for attempts in _attempts(lab, "writing") for what in attempts]
    if tried:
        raise Broken(f"Le calcul a voulu écrire ou lancer ({tried[0]}). Rendez tout dans Outcome ; calculez par res.pool.")
    return "Rien d’écrit, rien de lancé."


@promise("no_reading", "Aucun fichier lu hors des entrées et du dossier")
def no_reading(lab: Lab) -> str:
    """No file is read but the inputs, the use case's folder, installed code and the system's: a worker has walls around it."""
    tried = [what for attempts in _attempts(lab, "reading") for what in attempts]
    if tried:
        raise Broken(f"Le calcul a voulu lire {tried[0]}, que le serveur lui refusera. Mettez ce fichier dans le dossier, ou en entrée.")
    return "Rien de lu au-dehors."


@promise("progress", "L’avancement va de 0 à 1 sans reculer")
def progress(lab: Lab) -> str:
    """``res.progress`` hears fractions that never go down, each with a short French phrase."""
    heard = lab.reference.progress
    if not heard and lab.reference.seconds >= FLOOR_SECONDS:
        raise Broken(f"Le calcul dure {lab.reference.seconds:.0f} s sans rien dire : appelez res.progress(fraction, phrase).")
    if not heard:
        raise NotApplicable(f"Le calcul dure moins de {FLOOR_SECONDS:.0f} s et ne dit rien de son avancement.")
    last = 0.0
    for done, message in heard:
        if not (isinstance(done, (int, float)) and math.isfinite(done) and 0 <= done <= 1):
            raise Broken(f"L’avancement vaut {done} : donnez une fraction de 0 à 1.")
        if done < last:
            raise Broken(f"L’avancement recule, de {last:.2f} à {done:.2f} : comptez ce qui est fait sur tout ce qui est à faire.")
        if not isinstance(message, str) or not message.strip() or len(message) > 80:
            raise Broken(f"La phrase de l’avancement est « {message} » : dites en 80 signes au plus ce qui est en cours.")
        last = done
    return f"{len(heard)} nouvelles, jusqu’à {last:.2f}."


@promise("time_budget", "Le temps accordé est tenu")
def time_budget(lab: Lab) -> str:
    """Given half the time it took (2 s at least), the engine answers, or declines, within 1.5 times that budget and one second.

    An engine that answers faster than the budget keeps it whatever it does. The better of two tries counts: machines are busy.
    """
    budget = max(FLOOR_SECONDS, lab.reference.seconds / 2)
    limit = 1.5 * budget + FLOOR_SECONDS / 2
    took = []
    for _ in range(2):
        took.append(_seconds_within(lab, budget))
        if took[-1] <= limit:
            return f"{took[-1]:.1f} s pour un temps accordé de {budget:.1f} s."
    raise Broken(
        f"Pour {budget:.1f} s accordées, le moteur a pris {min(took):.1f} s. Surveillez time.monotonic() contre res.seconds : "
        "simplifiez le calcul, ou levez TimeBudgetExceeded."
    )


def _seconds_within(lab: Lab, budget: float) -> float:
    started = time.monotonic()
    try:
        return lab.watched(lab.fresh_engine().run, copied(lab.inputs), lab.params, seconds=budget).seconds
    except (NotEnoughData, TimeBudgetExceeded) as error:
        if not is_french(error.message):
            raise Broken(f"Faute de temps, le moteur dit « {error.message} » : dites-le en français.") from None
        return time.monotonic() - started


def _attempts(lab: Lab, kind: Literal["network", "writing", "reading"]) -> list[list[str]]:
    """What the reference runs tried. An engine that failed because it was blocked is judged on what it tried."""
    failure: Unmet | None = None
    for run in ("reference", "usual"):
        try:
            getattr(lab, run)
        except Unmet as error:
            failure = error
    found = [getattr(attempts, kind) for attempts in lab.attempts]
    if failure and not any(found):
        raise failure
    return found


def shuffled(inputs: Loaded) -> Loaded:
    """The same inputs, the lines of each table in another order and numbered from zero."""
    return {
        name: value.sample(frac=1.0, random_state=SHUFFLE_SEED).reset_index(drop=True) if isinstance(value, pd.DataFrame) else value
        for name, value in inputs.items()
    }


def difference(first: Outcome, second: Outcome, tolerance: float = 0.0) -> str:
    """Where two outcomes differ, in words; empty when they are the same. Numbers may differ by ``tolerance``, relative."""
    try:
        one, two = written(first), written(second)
    except Exception as error:
        raise Broken(f"Le résultat ne s’écrit pas en JSON ({' '.join(str(error).split())[:200]}).") from None
    return "" if one == two else _differ(json.loads(one), json.loads(two), "résultat", tolerance)


def _differ(one: object, two: object, where: str, tolerance: float) -> str:
    if isinstance(one, dict) and isinstance(two, dict) and one.keys() == two.keys():
        return next((found for key in one if (found := _differ(one[key], two[key], f"{where}.{key}", tolerance))), "")
    if isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
        pairs = enumerate(zip(one, two, strict=True))
        return next((found for i, (a, b) in pairs if (found := _differ(a, b, f"{where}[{i}]", tolerance))), "")
    if isinstance(one, float | int) and isinstance(two, float | int) and tolerance:
        return "" if math.isclose(one, two, rel_tol=tolerance, abs_tol=tolerance) else f"{where} : {one} puis {two}"
    return "" if one == two else f"{where} : {str(one)[:60]} puis {str(two)[:60]}"
