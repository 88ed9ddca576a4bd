"""Tokens of the API: who made them, what they may do, and how to end them. The secret is shown once."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from bocage.api.models import ApiToken, Scope
from bocage.api.tokens import make_token, revoke_token
from bocage.contract.errors import BocageError
from bocage.organisations.membership import Permission
from bocage.web.access import page

# Value in the form → (label, days). A token without an end is a choice, never the default.
LIFETIMES = {"90": ("Trois mois", 90), "365": ("Un an", 365), "": ("Sans fin", None)}


@never_cache
@require_http_methods(["GET", "POST"])
@page(Permission.ADMINISTRER)
@sensitive_variables("secret")
def tokens(request: HttpRequest) -> HttpResponse:
    """The tokens of the organisation; a new one, whose secret stands in the answer and nowhere else."""
    _check_reads(request)
    if request.method != "POST":
        return _list(request)
    _, days = LIFETIMES.get(request.POST.get("lifetime", "365"), LIFETIMES["365"])
    end = timezone.now() + timedelta(days=days) if days else None
    try:
        token, secret = make_token(request.POST.get("name", ""), request.POST.getlist("scopes"), request.user, end)
    except BocageError as error:
        return _list(request, error.message)
    return render(request, "web/members/token_once.html", {"token": token, "secret": secret})


@require_POST
@page(Permission.ADMINISTRER)
def revoke(request: HttpRequest, token_id: int) -> HttpResponse:
    """End a token for ever."""
    _check_reads(request)
    token = ApiToken.objects.filter(pk=token_id).first()
    if token is None:
        raise Http404
    revoke_token(token, request.user)
    messages.success(request, f"Le jeton « {token.name} » n’ouvre plus rien.")
    return redirect("web:tokens", organisation=request.organisation.slug)


def _check_reads(request: HttpRequest) -> None:
    """Whoever administers from outside would read the contents with a token of their own making."""
    if Permission.VOIR not in request.granted:
        raise PermissionDenied("Un jeton ouvre les contenus de la collectivité : seul un de ses propres administrateurs en crée.")


def _list(request: HttpRequest, error: str = "") -> HttpResponse:
    now = timezone.now()
    shown = [
        {"token": token, "living": not token.revoked_at and (token.expires_at is None or token.expires_at > now)}
        for token in ApiToken.objects.select_related("created_by").order_by("-pk")
    ]
    context = {
        "tokens": sorted(shown, key=lambda line: not line["living"]),
        "scopes": [{"value": scope.value, "label": scope.label} for scope in Scope],
        "lifetimes": [(value, label) for value, (label, _) in LIFETIMES.items()],
        "typed": {
            "name": request.POST.get("name", ""),
            "scopes": request.POST.getlist("scopes"),
            "lifetime": request.POST.get("lifetime", "365"),
        },
        "address": request.build_absolute_uri("/api/v1/"),
        "error": error,
    }
    return render(request, "web/members/tokens.html", context, status=422 if error else 200)


urlpatterns = [
    path("jetons/", tokens, name="tokens"),
    path("jetons/<int:token_id>/revoquer/", revoke, name="token_revoke"),
]
