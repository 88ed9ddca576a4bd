"""What a worker sends back is parsed by the parent: how much of it, how deep, and of what shape, is decided here."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

from pydantic import ValidationError

from bocage.contract.errors import EngineFault
from bocage.contract.outcome import Outcome, interval_holds

MAX_RECOMMENDATIONS = 100_000
MAX_ARTIFACTS = 2_000
MAX_NOTES = 1_000
MAX_TEXT = 100_000
MAX_DEPTH = 40
MAX_SENTENCE = 5_000
MAX_METRICS = 1_000


def parsed(blob: bytes) -> Any:
    """The JSON value of ``blob``; raises ``EngineFault`` when it is not JSON, too deep, or has a text too long."""
    try:
        value = json.loads(blob, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise EngineFault("Le moteur a rendu une réponse illisible (JSON non valide). Signalez-le à son auteur.") from None
    _measure(value)
    return value


def prepared(blob: bytes) -> dict[str, Any]:
    """What the worker read before it started the engine: ``params`` and ``reports``. Raises ``EngineFault``."""
    value = parsed(blob)
    whole = {"params": {}, "reports": {}, **value} if isinstance(value, dict) else {}
    if not all(isinstance(whole.get(name), dict) for name in ("params", "reports")):
        raise EngineFault("Le moteur a rendu un message sans forme. Signalez-le à son auteur.")
    return whole


def outcome(blob: bytes) -> Outcome:
    """The outcome in ``blob``: within bounds, of the right types, each interval around its value. Raises ``EngineFault``."""
    value = parsed(blob)
    if isinstance(value, dict):
        for name, most in (("recommendations", MAX_RECOMMENDATIONS), ("artifacts", MAX_ARTIFACTS), ("notes", MAX_NOTES)):
            if isinstance(value.get(name), list) and len(value[name]) > most:
                raise EngineFault(f"Le moteur a rendu {len(value[name])} « {name} », au-delà des {most} admis.")
    try:
        found = Outcome.from_json(blob)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])[:200]
        raise EngineFault(
            f"Le moteur a rendu un résultat qui n’a pas la forme promise : {where}, lu « {str(first['input'])[:80]} » "
            f"({first['msg'][:120]}). Signalez-le à son auteur."
        ) from None
    _check_intervals(found)
    return found


def _check_intervals(found: Outcome) -> None:
    """Nobody may be shown « 12, entre 14 et 10 », whatever the data that led an engine there."""
    for rec in found.recommendations:
        if rec.interval is not None and not interval_holds(rec):
            value, low, high = (str(number)[:40].replace(".", ",") for number in (rec.value, *rec.interval))
            raise EngineFault(
                f"Le moteur a rendu pour « {rec.subject[:80]} » la valeur {value} et les bornes {low} à {high} : la première borne doit "
                "être la plus petite, et la valeur entre les deux. Signalez-le à son auteur."
            )


def metrics(blob: bytes) -> dict[str, float]:
    """The figures that ``evaluate`` gave. Raises ``EngineFault``."""
    value = parsed(blob)
    if not isinstance(value, dict) or len(value) > MAX_METRICS:
        raise EngineFault("evaluate() n’a pas rendu un dictionnaire de nombres. Signalez-le à l’auteur du moteur.")
    for name, figure in value.items():
        if isinstance(figure, bool) or not isinstance(figure, (int, float)) or not math.isfinite(figure):
            raise EngineFault(f"evaluate() a rendu « {str(figure)[:40]} » pour « {name[:80]} » au lieu d’un nombre fini.")
    return {name: float(figure) for name, figure in value.items()}


def sentences(blob: bytes, expected: int) -> list[str]:
    """The sentences that ``explain`` gave, one per recommendation. Raises ``EngineFault``."""
    value = parsed(blob)
    right = isinstance(value, list) and len(value) == expected
    if not right or any(not isinstance(item, str) or len(item) > MAX_SENTENCE for item in value):
        raise EngineFault("explain() n’a pas rendu une phrase par proposition. Signalez-le à l’auteur du moteur.")
    return list(value)


def non_finite(value: Any, where: str = "outcome") -> str:
    """« outcome.recommendations[3].value = nan »: the first number of ``value`` that JSON does not have; empty when there is none."""
    if isinstance(value, float):
        return "" if math.isfinite(value) else f"{where} = {value}"
    if isinstance(value, dict):
        below = ((f"{where}.{key}", item) for key, item in value.items())
    elif isinstance(value, (list, tuple)):
        below = ((f"{where}[{index}]", item) for index, item in enumerate(value))
    elif dataclasses.is_dataclass(value):
        below = ((f"{where}.{each.name}", getattr(value, each.name)) for each in dataclasses.fields(value))
    else:
        return ""
    return next((fault for fault in (non_finite(item, name) for name, item in below) if fault), "")


def _refuse(constant: str) -> float:
    raise ValueError(constant)


def _measure(value: Any) -> None:
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                below += item.values()
                below += item.keys()
            elif isinstance(item, list):
                below += item
            elif isinstance(item, str) and len(item) > MAX_TEXT:
                raise EngineFault(f"Le moteur a rendu un texte de {len(item)} caractères, au-delà des {MAX_TEXT} admis.")
        if not below:
            return
        level = below
    raise EngineFault(f"Le moteur a rendu un résultat imbriqué sur plus de {MAX_DEPTH} niveaux.")
