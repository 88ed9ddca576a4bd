"""``bocage assistant ask`` and ``eval`` with ``--organisation``: what that organisation's visitors are told, and how often it is right."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bocage.cli.django_setup import setup_django
from bocage.cli.output import err, out, print_json
from bocage.contract.errors import BocageError
from bocage.contract.french import number

if TYPE_CHECKING:
    from bocage.assistant.answer_types import Answer
    from bocage.assistant.finding import Match
    from bocage.assistant.library import Library
    from bocage.organisations.models import Organisation

_SAID = {
    "reponse": "Réponse",
    "precision": "Demande une précision",
    "refus": "Ne répond pas",
    "urgence": "Numéros à appeler, et une personne prévenue",
    "humain": "Passe la main à une personne",
}


class NothingImported(BocageError):
    """There is nothing that the organisation's visitors could find."""

    code = "rien-a-chercher"
    exit_code = 2


def ask(slug: str, question: str, audience: str, limit: int, as_json: bool) -> None:
    """Print the answer to a first question of ``audience``, then the documents found, best first."""
    owner, library = _opened(slug)
    from bocage.assistant.answers import answer, found_first
    from bocage.assistant.documents import Audience
    from bocage.assistant.transitions import local_now
    from bocage.organisations.tenancy import organisation_context

    with organisation_context(owner):
        now, who = local_now(), Audience(audience)
        given = answer(question, (), who, owner, now)
        found = found_first(question, who, library, now.date())
    matches = found.matches[:limit]
    if as_json:
        hits = [_hit(match) for match in matches]
        said = {"refused": not found.accepted, "in_scope": round(found.in_scope, 4), "intents": [asked for asked, _ in found.intents]}
        print_json({"answer": given.to_json(), **said, "hits": hits})
        return
    _say(given)
    for match in matches:
        document = match.document
        out.print(f"{document.id}  {document.title}  ({number(100 * match.confidence, 0, '%')})", style="bold", markup=False)


def measured(slug: str, questions: Path, refuse: Path | None, audience: str) -> dict[str, Any]:
    """The figures of a file of questions asked by ``audience`` of the organisation."""
    owner, library = _opened(slug)
    from bocage.assistant.documents import Audience
    from bocage.assistant.transitions import local_now
    from bocage.assistant.visitors import measure
    from bocage.organisations.tenancy import organisation_context

    with organisation_context(owner):
        today = local_now().date()
    return measure(library, questions, refuse, Audience(audience), today)


def _opened(slug: str) -> tuple[Organisation, Library]:
    """The organisation and what its visitors search. Raises ``NothingImported``; a missing half is said."""
    setup_django()
    from bocage.assistant.library import library_of
    from bocage.organisations.services import get_organisation

    owner = get_organisation(slug)
    library = library_of(owner)
    if not library.shelves:
        raise NothingImported(
            f"Rien n’est importé ici pour « {owner.slug} ». Lancez « bocage assistant import --national FICHIER » pour les fiches "
            f"nationales, « bocage assistant import --pages DOSSIER --organisation {owner.slug} » pour ses pages."
        )
    for here, missing in (
        (any(shelf.national for shelf in library.shelves), "les fiches nationales"),
        (any(not shelf.national for shelf in library.shelves), f"les pages de « {owner.slug} »"),
    ):
        if not here:
            err.print(f"Ne sont pas importées ici : {missing}.", style="yellow", markup=False)
    return owner, library


def _say(given: Answer) -> None:
    out.print(_SAID[given.kind.value], style="bold", markup=False)
    for text in filter(None, (given.notice, given.reason)):
        out.print(f"    {text}", markup=False)
    for sentence in given.sentences:
        where = " › ".join((sentence.title, *sentence.path, *sentence.case))
        out.print(f"    {where} : {sentence.text}", markup=False)
    for option in given.options:
        out.print(f"    → {option.label}", markup=False)


def _hit(match: Match) -> dict[str, Any]:
    document, scores = match.document, match.passage_scores
    best = sorted(range(len(scores)), key=lambda n: -scores[n])[:1]
    return {
        "document": document.id,
        "title": document.title,
        "origin": document.origin.value,
        "confidence": round(match.confidence, 4),
        "passages": [{"text": p.text, "path": list(p.path), "case": list(p.case)} for p in (document.passages[n] for n in best)],
    }
