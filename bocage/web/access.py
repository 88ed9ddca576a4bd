"""The one door of every page of an organisation: who may enter, and in whose context the view runs."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from bocage.organisations.membership import GRANTS, Permission, Role, permissions_of
from bocage.organisations.models import Organisation
from bocage.organisations.tenancy import organisation_context

View = Callable[..., HttpResponse]


def public_page(view: View) -> View:
    """A page of an organisation that anyone may read."""
    return _page(view, None)


def page(permission: Permission) -> Callable[[View], View]:
    """A page that asks for ``permission``: a stranger gets 404, a visitor the sign-in page, a member without it 403 and whom to ask.

    What it answers, page or file, is kept by no cache, unless the view says otherwise.
    """
    return lambda view: _page(view, permission)


def _page(view: View, permission: Permission | None) -> View:
    @wraps(view)
    def guarded(request: HttpRequest, organisation: str, **kwargs: Any) -> HttpResponse:
        owner = Organisation.objects.filter(slug=organisation).select_related("administered_by").first()
        if owner is None:
            raise Http404
        granted = permissions_of(request.user, owner) if request.user.is_authenticated else frozenset()
        if permission is not None:
            if not request.user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if not granted:
                raise Http404
            # Known before any refusal: the page that says no keeps the member's own masthead and menu.
            request.organisation, request.granted = owner, granted  # type: ignore[attr-defined]
            if permission not in granted:
                raise PermissionDenied(_whom_to_ask(owner, permission))
            if request.user.password_is_provisional:
                return redirect("web:password")
        request.organisation = owner  # type: ignore[attr-defined]
        request.granted = granted  # type: ignore[attr-defined]
        with organisation_context(owner), timezone.override(owner.time_zone):
            response = view(request, **kwargs)
        if permission is not None and not response.has_header("Cache-Control"):
            # No proxy keeps it for the next visitor, and « back » after signing out shows nothing on a shared computer.
            response["Cache-Control"] = "private, no-store"
        return response

    guarded.permission = permission  # type: ignore[attr-defined]
    return guarded


def _whom_to_ask(owner: Organisation, permission: Permission) -> str:
    from bocage.organisations.membership import Membership

    roles = [role.label.lower() for role in Role if permission in GRANTS[role]]
    with organisation_context(owner):
        admin = Membership.objects.filter(role=Role.ADMINISTRATEUR).select_related("user").first()
    ask = f" Demandez l’accès à {admin.user.name}." if admin else ""
    return f"Cette page est réservée au rôle {' ou '.join(roles)} : {permission.label}.{ask}"
