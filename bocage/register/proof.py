"""The journal verified, and with it what the portal and the register show: a decision, a measure or a publication changed in the database
alone no longer says what its entry says."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from bocage.contract.french import count
from bocage.decisions.decide import is_number
from bocage.decisions.models import Decision
from bocage.decisions.saying import figure
from bocage.journal.canonical import canonical
from bocage.journal.models import Entry
from bocage.journal.verification import Verification
from bocage.journal.verification import verify as verify_chain
from bocage.register.models import Evaluation, Publication

_SAID = 50
Facts = Mapping[str, Any]


def verify(anchors: Iterable[Mapping[str, Any]] = ()) -> Verification:
    """``journal.verification.verify`` for the organisation in context, and ``altered``: a sentence for each decision, measure or
    publication that is no longer what the journal says was recorded (fifty of each at most).
    """
    found = verify_chain(anchors)
    return replace(found, altered=(*_first(_decisions()), *_first(_evaluations()), *_first(_publications())))


def _first(sentences: Iterator[str]) -> list[str]:
    said = list(sentences)
    more = len(said) - _SAID
    return [*said[:_SAID], f"Et {count(more, 'autre écart', 'autres écarts')} de la même sorte."] if more > 0 else said


def _recorded(event: str, key: str) -> dict[Any, tuple[int, Facts, int | None]]:
    """The last entry of each subject of ``event``: its number, its facts, its author."""
    entries = Entry.objects.filter(event=event).order_by("sequence").values_list("sequence", "content", "actor_id")
    told = ((sequence, json.loads(content), actor) for sequence, content, actor in entries.iterator(chunk_size=1000))
    return {facts[key]: (sequence, facts, actor) for sequence, facts, actor in told if key in facts}


def _differs(held: Any, told: Any) -> bool:
    """Whether a value of a table is not what its entry says, read as the journal wrote it."""
    return canonical({"v": held}) != canonical({"v": told})


def _value(value: Any) -> str:
    return figure(value) if is_number(value) else f"« {value} »" if value else "rien"


def _decisions() -> Iterator[str]:
    recorded = _recorded("decision.enregistree", "decision")
    columns = ("pk", "proposal_id", "proposal__run_id", "person_id", "verdict", "value", "reason")
    for pk, proposal, run, person, verdict, value, reason in (
        Decision.objects.order_by("pk").values_list(*columns).iterator(chunk_size=1000)
    ):
        name = f"La décision {pk} (exécution {run})"
        sequence, told, actor = recorded.pop(pk, (0, {}, None))
        if not sequence:
            yield f"{name} n’est pas au journal."
        elif _differs(value, told["decide"]):
            yield f"{name} montre {_value(value)} ; l’entrée {sequence} du journal dit {_value(told['decide'])}."
        elif _differs([proposal, verdict, reason, person], [told["proposition"], told["verdict"], told.get("motif", ""), actor]):
            yield f"{name} ne dit plus la même chose que l’entrée {sequence} du journal : proposition, réponse, motif ou personne."
    for pk, (sequence, told, _) in recorded.items():
        yield f"La décision {pk} (exécution {told['execution']}), à l’entrée {sequence} du journal, n’est plus dans la base."


def _evaluations() -> Iterator[str]:
    recorded = _recorded("evaluation.enregistree", "evaluation")
    columns = ("pk", "run_id", "engine", "baseline", "decided")
    for pk, run, engine, baseline, decided in Evaluation.objects.order_by("pk").values_list(*columns).iterator(chunk_size=1000):
        name = f"La mesure {pk} (exécution {run})"
        sequence, told, _ = recorded.pop(pk, (0, {}, None))
        if not sequence:
            yield f"{name} n’est pas au journal."
        elif _differs([run, engine, baseline, decided], [told["execution"], told["bocage"], told["habituel"], told.get("decide")]):
            yield f"{name} ne montre plus les chiffres de l’entrée {sequence} du journal."
    for pk, (sequence, told, _) in recorded.items():
        yield f"La mesure {pk} (exécution {told['execution']}), à l’entrée {sequence} du journal, n’est plus dans la base."


def _publications() -> Iterator[str]:
    recorded = _recorded("registre.publication", "cas")
    for usecase, status, decider in Publication.objects.order_by("usecase").values_list("usecase", "status", "decider"):
        sequence, told, _ = recorded.pop(usecase, (0, {}, None))
        if not sequence:
            yield f"La publication de « {usecase} » au registre n’est pas au journal."
        elif _differs([status, decider], [told["apres"], told["decide"]]):
            yield f"La publication de « {usecase} » au registre ne dit plus la même chose que l’entrée {sequence} du journal."
    for usecase, (sequence, _, _) in recorded.items():
        yield f"« {usecase} », publié à l’entrée {sequence} du journal, n’est plus au registre."
