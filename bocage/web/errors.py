"""Error pages that say what happened, what to do and what was kept. Never a trace."""

from __future__ import annotations

import sys
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from bocage.contract.errors import is_no_room
from bocage.contract.french import hour
from bocage.deposits.fetch import LIGHTER
from bocage.organisations.membership import permissions_of
from bocage.organisations.models import Organisation

_NOTHING = "Rien n’a été enregistré à moitié."


def error_page(request: HttpRequest, status: int, heading: str, lede: str, steps: list[str], kept: str = _NOTHING) -> HttpResponse:
    """The error template with its HTTP ``status``."""
    owner = getattr(request, "organisation", None)
    # The hour that the person's own clock shows: they are asked to tell it.
    now = timezone.localtime(timezone=ZoneInfo(owner.time_zone) if owner else None)
    context = {"status": status, "heading": heading, "lede": lede, "steps": steps, "kept": kept, "time": hour(now)}
    return render(request, "web/error.html", context, status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400, or 413 when more was sent than the server reads."""
    if isinstance(exception, RequestDataTooBig):
        return too_large(request, getattr(exception, "weight_mb", None), getattr(exception, "limit_mb", 20))
    return error_page(
        request,
        400,
        "Cette demande n’a pas été comprise",
        "Ce que le navigateur a envoyé n’a pas la forme attendue.",
        ["Revenez à la page précédente et recommencez.", "Si vous avez suivi un lien, vérifiez qu’il est entier."],
    )


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403: for whom the page is, and whom to ask."""
    lede = str(exception) if exception and str(exception) else "Votre compte n’ouvre pas cette page."
    return error_page(
        request,
        403,
        "Cette page ne vous est pas ouverte",
        lede,
        ["Vérifiez le compte avec lequel vous êtes connecté.", "Demandez ce rôle à un administrateur."],
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 of a form sent too late or from elsewhere."""
    return error_page(
        request,
        403,
        "Ce formulaire n’est plus valable",
        "La page est restée ouverte trop longtemps, ou la demande vient d’un autre site.",
        ["Revenez à la page précédente, actualisez-la et renvoyez le formulaire.", "Acceptez le cookie de session : il ne sert qu’à cela."],
    )


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: the same for what does not exist and for what belongs to others."""
    _place(request)
    return error_page(
        request,
        404,
        "Cette page n’existe pas",
        "L’adresse est peut-être incomplète, ou la page n’est pas à votre collectivité.",
        ["Vérifiez l’adresse.", "Cherchez depuis l’accueil."],
    )


def _place(request: HttpRequest) -> None:
    """Whose address it is, told by its first word: masthead and menu stay those of the organisation, and nobody is lost."""
    if getattr(request, "organisation", None) is not None:
        return
    owner = Organisation.objects.filter(slug=request.path.split("/")[1]).select_related("administered_by").first()
    if owner is not None:
        user = getattr(request, "user", None)
        request.organisation = owner  # type: ignore[attr-defined]
        request.granted = permissions_of(user, owner) if user and user.is_authenticated else frozenset()  # type: ignore[attr-defined]


def too_large(request: HttpRequest, weight_mb: float | None = None, limit_mb: int = 20) -> HttpResponse:
    """413: how much was sent, the limit, and how to go on."""
    weight = f"Ce fichier pèse {weight_mb:.0f} Mo ; la" if weight_mb else "L’envoi dépasse la limite. La"
    return error_page(
        request,
        413,
        "Ce fichier est trop lourd",
        f"{weight} limite est {limit_mb} Mo.",
        [LIGHTER, "Ou demandez à l’administrateur de relever la limite."],
    )


def no_room(request: HttpRequest) -> HttpResponse:
    """507: the disk is full; reading goes on, and whoever keeps the server can make room."""
    return error_page(
        request,
        507,
        "Le serveur n’a plus de place",
        "Le disque du serveur est plein : cette demande ne peut pas être enregistrée. Les pages se lisent encore.",
        ["Prévenez votre service informatique : c’est à lui de faire de la place.", "Recommencez ensuite : rien d’autre n’est à refaire."],
        "Rien n’a été enregistré à moitié ; ce qui l’était avant le reste.",
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """500: nothing half-written, try again, whom to tell."""
    if is_no_room(sys.exception()):
        return no_room(request)
    return error_page(
        request,
        500,
        "Le portail n’a pas pu répondre",
        "L’erreur vient de Bocage, pas de vous. Elle est notée dans les journaux du serveur.",
        ["Réessayez dans une minute.", "Si cela continue, appelez votre service informatique."],
    )


def method_not_allowed(request: HttpRequest, *_: Any) -> HttpResponse:
    """405, in words."""
    return error_page(
        request,
        405,
        "Cette action n’est pas possible ici",
        "La page ne répond pas à cette sorte de demande.",
        ["Revenez à la page précédente."],
    )
