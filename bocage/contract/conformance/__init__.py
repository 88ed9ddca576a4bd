"""The conformance suite: checks, promise by promise, that a use case does what the contract says. The developer's tool.

It runs the engine in this process on the example data of the use case's folder. ``docs/use_case.md`` lists the promises.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence

from bocage.contract.conformance import answers, conduct, identity, measure, robustness, source, spread
from bocage.contract.conformance.lab import Lab
from bocage.contract.conformance.promise import PROMISES as _REGISTERED
from bocage.contract.conformance.promise import Broken, NotApplicable, Promise, Unmet
from bocage.contract.conformance.report import Report, Result
from bocage.contract.errors import BocageError, InvalidParams

_ORDER = [module.__name__ for module in (identity, source, answers, conduct, robustness, measure, spread)]
PROMISES: dict[str, Promise] = dict(sorted(_REGISTERED.items(), key=lambda item: _ORDER.index(item[1].check.__module__)))
"""Every promise by id, in the order in which they are checked."""

__all__ = ["PROMISES", "Promise", "Report", "Result", "check"]


def check(slug: str, *, only: Sequence[str] | None = None, progress: Callable[[float, str], None] | None = None) -> Report:
    """Check the promises of ``slug``, or those named in ``only``.

    Raises ``UnknownUseCase`` or ``InvalidUseCase`` when there is no fiche to start from, ``InvalidParams`` when ``only`` names a
    promise that does not exist. A defect of the use case never raises: it is a broken promise with its sentence.
    """
    unknown = [name for name in only or () if name not in PROMISES]
    if unknown:
        raise InvalidParams(f"Aucune promesse ne s’appelle « {unknown[0]} ». Les promesses : {', '.join(PROMISES)}.")
    lab = Lab(slug)
    chosen = [promise for promise in PROMISES.values() if not only or promise.id in only]
    results: list[Result] = []
    for done, one in enumerate(chosen):
        if progress:
            progress(done / len(chosen), one.title)
        results.append(_result(one, lab, {p.id for p in chosen}))
    if progress:
        progress(1.0, "Terminé")
    return Report(slug, tuple(results), lab.missing)


def _result(one: Promise, lab: Lab, chosen: set[str]) -> Result:
    started = time.monotonic()
    try:
        state, sentence = "tenu", one.check(lab)
    except NotApplicable as error:
        state, sentence = "sans objet", str(error)
    except Unmet as error:
        hidden = error.needs != one.id and error.needs in chosen
        state, sentence = ("sans objet", f"Corrigez d’abord « {error.needs} ».") if hidden else ("rompu", str(error))
    except (Broken, BocageError) as error:
        state, sentence = "rompu", str(error)
    except Exception as error:  # a class or a value so odd that the check itself stumbled on it
        state, sentence = "rompu", f"La vérification a échoué, {lab.said(error)}. Voyez ce que docs/use_case.md demande ici."
    if re.match(r"[a-zà-ÿ]+[ ,’]", sentence):
        sentence = sentence[:1].upper() + sentence[1:]
    return Result(one.id, one.title, state, sentence, round(time.monotonic() - started, 3))  # type: ignore[arg-type]
