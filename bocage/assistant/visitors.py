"""What the visitors of one organisation get for a file of questions: its own pages and the national sheets, under the rules of ``answers``.

« Right »: an answer is given and its first document is one that answers; « wrong »: one is given and it is not, or two questions were seen
in one; « refused »: none is given, and a person is offered. The towns of the benchmarks are counted in the same way.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from bocage.assistant.answers import found_first
from bocage.assistant.documents import Audience, Origin
from bocage.assistant.evaluation import Case, auc, read_cases, recalls, refused_at, times
from bocage.assistant.finding import Found
from bocage.assistant.library import Library
from bocage.assistant.screening import screen
from bocage.assistant.sources.pages import page_id
from bocage.contract.errors import BocageError

OUTCOMES = ("right", "wrong", "refused")


class UnknownGold(BocageError):
    """A question's answers are not among what the organisation's visitors can be shown."""

    code = "reponse-attendue-inconnue"
    exit_code = 2


def measure(library: Library, questions: Path, refuse: Path | None, audience: Audience, today: date) -> dict[str, Any]:
    """Ask every question of ``library`` as a first question of ``audience``. Raises ``UnreadableFile`` and ``UnknownGold``.

    Gold is an id (« F2891 », « commune:dechets-encombrants »), a page's file (« pages/dechets/encombrants.md ») or a service
    (« annuaire: Déchetterie »). ``screened`` counts those in place of whose answer the numbers to call or the rule on other people's files
    are shown; they are counted as search answers them too.
    """
    cases = [(case, _known(case, library)) for case in read_cases(questions)]
    # The first search of a process opens files and loads the model: a visitor comes after it.
    found_first(cases[0][0].question, audience, library, today)
    ranks, taken, inside, outcomes = [], [], [], Counter[str]()
    for case, gold in cases:
        begun = time.perf_counter()
        found = found_first(case.question, audience, library, today)
        taken.append((time.perf_counter() - begun) * 1000)
        ranks.append(rank_of(found, gold))
        inside.append(found.in_scope)
        outcomes[outcome(found, gold)] += 1
    # As many documents are looked at as for a visitor: eight, hence nothing is said of the first ten.
    shares = {name: share for name, share in recalls(ranks).items() if name != "recall_at_10"}
    result: dict[str, Any] = {"questions": len(cases), **shares, **times(taken)}
    result |= {f"{name}_pct": 100 * outcomes[name] / len(cases) for name in OUTCOMES}
    result["screened"] = sum(is_screened(case.question) for case, _ in cases)
    if refuse is not None:
        outside = [found_first(case.question, audience, library, today) for case in read_cases(refuse)]
        scores = (np.array(inside), np.array([found.in_scope for found in outside]))
        result |= {
            "out_of_scope": len(outside),
            "refusal_auc": auc(*scores),
            "refused_at_95_pct": 100 * refused_at(*scores),
            "refused_out_of_scope_pct": 100 * sum(not found.accepted for found in outside) / len(outside),
        }
    return result


def outcome(found: Found, gold: Collection[str]) -> str:
    """One of ``OUTCOMES``."""
    if not found.accepted or not found.matches:
        return "refused"
    return "right" if rank_of(found, gold) == 1 and len(found.intents) < 2 else "wrong"


def rank_of(found: Found, gold: Collection[str]) -> int:
    """Place of the first document that answers, from 1; 0 when none is found."""
    return next((place for place, match in enumerate(found.matches, 1) if match.document.id in gold), 0)


def is_screened(question: str) -> bool:
    """Whether the numbers to call, or the rule on other people's files, take the place of the answer."""
    seen = screen(question)
    return (seen.emergency is not None and seen.level == "urgence") or (seen.third_party and not seen.third_doubtful)


def _known(case: Case, library: Library) -> frozenset[str]:
    """The ids of the documents that answer. Raises ``UnknownGold`` when there is none: a slip of the pen would pass for a bad answer."""
    if not case.gold:
        raise UnknownGold(
            f"Rien n’est dit répondre à « {case.question[:80]} » (« gold » est vide). Une question à refuser va dans le fichier que donne "
            "--refuse."
        )
    known = frozenset(each for gold in case.gold for each in _ids(gold, library))
    if not known:
        raise UnknownGold(
            f"Rien de ce qui est dit répondre à « {case.question[:80]} » n’est indexé ici ({', '.join(sorted(case.gold))}). Attendu : un "
            "identifiant tel que « bocage assistant ask » le montre, « pages/fichier.md » ou « annuaire: Nom du service »."
        )
    return known


def _ids(gold: str, library: Library) -> Sequence[str]:
    if gold.startswith("annuaire:") and (named := gold.removeprefix("annuaire:").strip()):
        services = ((shelf, each) for shelf in library.shelves for each in shelf.ids if each.startswith(f"{Origin.DIRECTORY.value}:"))
        return [each for shelf, each in services if each == gold or shelf.document(each).title == named]
    if gold.startswith("pages/"):
        gold = f"{Origin.LOCAL.value}:{page_id(Path(PurePosixPath(gold).relative_to('pages')), Path())}"
    return [gold] if any(gold in shelf.ids for shelf in library.shelves) else []
