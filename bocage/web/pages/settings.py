"""Settings of an organisation: its name and contact, its colour, its logo."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from bocage.contract.errors import BocageError
from bocage.organisations import colour, identity
from bocage.organisations.logo import MAX_BYTES, InvalidLogo
from bocage.organisations.membership import Permission
from bocage.organisations.models import Organisation
from bocage.web.access import page


@require_http_methods(["GET", "POST"])
@page(Permission.ADMINISTRER)
def settings_page(request: HttpRequest) -> HttpResponse:
    """The three forms of the page; what is wrong is said beside the form that sent it, with what was typed."""
    if request.method != "POST":
        return _show(request)
    form = request.POST.get("form", "")
    if form not in _FORMS:
        return _show(request, "", "Ce formulaire n’est pas de cette page.")
    try:
        said = _FORMS[form](request)
    except BocageError as error:
        return _show(request, form, error.message, getattr(error, "nearest", ""), getattr(error, "mode", ""))
    messages.success(request, said)
    return redirect("web:settings", organisation=request.organisation.slug)


def _identity(request: HttpRequest) -> str:
    values = {field: request.POST[field] for field in identity.FIELDS if field in request.POST}
    identity.change_settings(request.organisation, request.user, values)
    return "Le nom, le contact et le fuseau horaire sont enregistrés."


def _colour(request: HttpRequest) -> str:
    chosen = request.POST.get("choice", "autre")
    pair = next(((day, night) for name, day, night in colour.ACCENTS if name == chosen), None)
    accent, night = pair or (request.POST.get("accent", ""), request.POST.get("accent_night", ""))
    identity.change_colours(request.organisation, request.user, accent, night)
    return f"La couleur est enregistrée : {request.organisation.accent} de jour, {request.organisation.accent_night} de nuit."


def _logo(request: HttpRequest) -> str:
    file = request.FILES.get("logo")
    if file is None:
        raise InvalidLogo("Aucun fichier n’est choisi. Choisissez une image PNG, JPEG ou WebP.")
    # One byte more than the limit is enough to refuse.
    identity.change_logo(request.organisation, request.user, file.read(MAX_BYTES + 1))
    return "Le logo est enregistré."


def _no_logo(request: HttpRequest) -> str:
    identity.change_logo(request.organisation, request.user, None)
    return "Le logo est retiré ; le dessin de Bocage le remplace."


_FORMS: dict[str, Callable[[HttpRequest], str]] = {"identite": _identity, "couleur": _colour, "logo": _logo, "sans-logo": _no_logo}


def _show(request: HttpRequest, form: str = "", error: str = "", nearest: str = "", mode: str = "") -> HttpResponse:
    owner: Organisation = request.organisation
    typed = request.POST if form else {}
    values = {field: typed.get(field, getattr(owner, field)) for field in (*identity.FIELDS, "accent", "accent_night")}
    pair = (owner.accent, owner.accent_night)
    held = next((name for name, day, night in colour.ACCENTS if (day, night) == pair), "autre")
    context = {
        "form": form,
        "error": error,
        "nearest": nearest,
        "nearest_field": "accent" if mode == "day" else "accent_night",
        "values": values,
        "choice": typed.get("choice", held),
        "accents": [name for name, _, _ in colour.ACCENTS],
        "time_zones": identity.TIME_ZONES,
        "measures": [
            {"when": when, "accent": accent, "ratios": colour.measures(accent, key)}
            for when, key, accent in (("De jour", "day", owner.accent), ("De nuit", "night", owner.accent_night))
        ],
        "max_kb": MAX_BYTES // 1000,
        "reads": Permission.VOIR in request.granted,
    }
    return render(request, "web/members/settings.html", context, status=422 if error else 200)
