"""Questions and answers that agents propose: reviewed by a person, put in service at once, corrected or withdrawn as easily."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from bocage.assistant import curation, library
from bocage.assistant.conversations import InvalidMessage
from bocage.assistant.models import CuratedPair
from bocage.contract.errors import BocageError
from bocage.organisations.membership import Permission
from bocage.organisations.models import Organisation, User
from bocage.web.access import page

_SHOWN = 100
_FIELDS = ("question", "answer", "title", "url")
_DECISIONS: dict[str, Callable[[CuratedPair, User, Mapping[str, str]], None]] = {
    "valider": lambda pair, person, written: curation.review(pair, person, True, **written),
    "rejeter": lambda pair, person, written: curation.review(pair, person, False),
    "corriger": lambda pair, person, written: curation.correct(pair, person, **written),
    "retirer": lambda pair, person, written: curation.withdraw(pair, person),
}
# What is said once the next question meets the decision, and while it does not.
_SERVED = {
    "valider": "La réponse est en service : elle passe devant les autres dès la prochaine question.",
    "rejeter": "La proposition est rejetée.",
    "corriger": "La correction est en service dès la prochaine question.",
    "retirer": "La réponse est retirée : elle n’est plus donnée.",
}
_NOT_YET = {
    "valider": "La réponse est validée, mais elle n’est pas encore en service.",
    "corriger": "La correction est enregistrée, mais l’ancienne réponse est encore donnée.",
    "retirer": "Le retrait est enregistré, mais la réponse est encore donnée.",
}


@never_cache
@require_http_methods(["GET", "POST"])
@page(Permission.REPONDRE)
def pairs(request: HttpRequest) -> HttpResponse:
    """Questions and answers that wait for a review, those in service, those put aside; posted: what is validated goes in service again."""
    owner: Organisation = request.organisation  # type: ignore[attr-defined]
    if request.method == "POST":
        hindrance = _serve(owner)
        _say(request, hindrance or "Toutes les réponses validées sont en service.", not hindrance)
        return redirect(request.path)
    found = CuratedPair.objects.select_related("proposed_by", "reviewed_by")
    context = {
        "to_review": found.filter(state=CuratedPair.State.TO_REVIEW).order_by("pk")[:_SHOWN],
        "validated": found.filter(state=CuratedPair.State.VALIDATED)[:_SHOWN],
        "aside": found.filter(state=CuratedPair.State.REJECTED).order_by("-reviewed_at")[:_SHOWN],
        "served": library.pairs_are_served(owner),
    }
    return render(request, "web/assistant/pairs.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
@page(Permission.REPONDRE)
def pair(request: HttpRequest, pair_id: int) -> HttpResponse:
    """One pair: complete and validate it or reject it; once in service, correct or withdraw it; once put aside, put it back."""
    found = CuratedPair.objects.select_related("proposed_by", "reviewed_by").filter(pk=pair_id).first()
    if found is None:
        raise Http404
    if request.method != "POST":
        return _show(request, found)
    action = request.POST.get("action", "")
    try:
        if action not in _DECISIONS:
            raise InvalidMessage("Cette action n’existe pas. Actualisez la page.")
        curation.check_unchanged(found, request.POST.get("lue", ""))
        written = {name: request.POST.get(name, "") for name in _FIELDS}
        _DECISIONS[action](found, request.user, written)  # type: ignore[arg-type]
    except BocageError as error:
        return _show(request, found, error.message, 409 if error.code.startswith("dialogue-") else 422)
    hindrance = "" if action == "rejeter" else _serve(request.organisation)  # type: ignore[attr-defined]
    _say(request, f"{_NOT_YET[action]} {hindrance}" if hindrance else _SERVED[action], not hindrance)
    if action in ("valider", "corriger") and (shapes := curation.private_shapes(found.answer)):
        messages.warning(request, _warning(shapes))
    return redirect("web:inbox_pairs", organisation=request.organisation.slug)  # type: ignore[attr-defined]


def _show(request: HttpRequest, found: CuratedPair, error: str = "", status: int = 200) -> HttpResponse:
    """The page of a pair; after an error, with what was typed beside what stands."""
    held = dict(zip(_FIELDS, (found.question, found.answer, found.source_title, found.source_url), strict=True))
    typed = {name: request.POST.get(name, value).replace("\r\n", "\n") for name, value in held.items()} if error else held
    shapes = curation.private_shapes(typed["answer"])
    others = curation.other_reviewers(found, request.user)  # type: ignore[arg-type]
    context = {
        "others": others,
        "alone": others == [],
        "same_person": found.reviewed_by is not None and found.reviewed_by == found.proposed_by,
        "pair": found,
        "typed": typed,
        "stands": held if status == 409 and typed != held else None,
        "version": curation.version(found),
        "warning": _warning(shapes) if shapes else "",
        "served": library.pairs_are_served(request.organisation),  # type: ignore[attr-defined]
        "error": error,
    }
    return render(request, "web/assistant/pair.html", context, status=status)


def _serve(owner: Organisation) -> str:
    """Put what was decided in service; what hinders it, as a sentence, or nothing."""
    try:
        alone = library.serve_pairs(owner)
    except BocageError as error:
        return error.message
    except OSError as error:
        return (
            f"L’index ne s’écrit pas sur le serveur ({error.strerror or type(error).__name__}) : prévenez son exploitant, puis réessayez."
        )
    return "" if alone else "Une importation est en cours : la décision prend effet à sa fin."


def _say(request: HttpRequest, sentence: str, served: bool) -> None:
    (messages.success if served else messages.error)(request, sentence)


def _warning(shapes: tuple[str, ...]) -> str:
    return (
        f"Cette réponse est publique et contient : {', '.join(shapes)}. Gardez ce qui est à un service, retirez ce qui est à une personne. "
        "Rien n’est masqué à votre place."
    )


urlpatterns = [
    path("boite/reponses/", pairs, name="inbox_pairs"),
    path("boite/reponses/<int:pair_id>/", pair, name="inbox_pair"),
]
