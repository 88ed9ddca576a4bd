"""Who works here and with which role; the communes that a syndicat administers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST

from bocage.contract.errors import BocageError
from bocage.organisations import people
from bocage.organisations.membership import GRANTS, Membership, Permission, Role
from bocage.organisations.models import User
from bocage.web.access import page
from bocage.web.pages.settings import settings_page

_INVITATION = ("email", "name", "title", "role", "way")


@never_cache
@require_http_methods(["GET", "POST"])
@page(Permission.ADMINISTRER)
@sensitive_variables("password")
def members(request: HttpRequest) -> HttpResponse:
    """The people of the organisation and their roles; a role given to a person, known or new."""
    if request.method != "POST":
        return _list(request)
    typed = {field: request.POST.get(field, "") for field in _INVITATION}
    local = not settings.OIDC_ENABLED or typed["way"] == "local"
    try:
        membership, password = people.invite(typed["email"], typed["name"], typed["role"], typed["title"], request.user, local)
    except BocageError as error:
        return _list(request, error=error.message, typed=typed)
    if password:
        return _password_once(request, membership.user, password)
    messages.success(request, f"{membership.user.name} a le rôle {membership.get_role_display().lower()}.")
    return redirect("web:members", organisation=request.organisation.slug)


@never_cache
@require_POST
@page(Permission.ADMINISTRER)
def member_role(request: HttpRequest, membership_id: int) -> HttpResponse:
    """Change the function shown with a role, or take the role away."""
    membership = Membership.objects.filter(pk=membership_id).select_related("user").first()
    if membership is None:
        raise Http404
    action = request.POST.get("action", "")
    if action not in _ON_A_ROLE:
        return _list(request, error=_NO_SUCH_ACTION)
    try:
        said = _ON_A_ROLE[action](request, membership)
    except BocageError as error:
        return _list(request, error=error.message)
    return _back(request, said)


@never_cache
@require_POST
@page(Permission.ADMINISTRER)
def member_person(request: HttpRequest, person_id: int) -> HttpResponse:
    """Renew a person's password, or take every role away."""
    if not Membership.objects.filter(user=person_id).exists():
        raise Http404
    action = request.POST.get("action", "")
    if action not in _ON_A_PERSON:
        return _list(request, error=_NO_SUCH_ACTION)
    try:
        return _ON_A_PERSON[action](request, User.objects.get(pk=person_id))
    except BocageError as error:
        return _list(request, error=error.message)


def _name_function(request: HttpRequest, held: Membership) -> str:
    people.grant(held.user, held.role, request.POST.get("title", ""), request.user)
    return f"La fonction de {held.user.name} est enregistrée."


def _take_role(request: HttpRequest, held: Membership) -> str:
    people.revoke(held, request.user)
    closed = not User.objects.filter(pk=held.user_id, is_active=True).exists()
    end = " C’était son dernier rôle : son compte est fermé." if closed else ""
    return f"{held.user.name} n’a plus le rôle {held.get_role_display().lower()}.{end}"


@sensitive_variables("password")
def _renew_password(request: HttpRequest, person: User) -> HttpResponse:
    password = people.renew_password(person, request.user)
    return _password_once(request, person, password)


def _take_every_role(request: HttpRequest, person: User) -> HttpResponse:
    people.remove_person(person, request.user)
    return _back(request, f"{person.name} n’a plus de rôle ici.")


# What a form may ask, and nothing else: an action that nobody wrote changes nothing.
_NO_SUCH_ACTION = "Cette action n’existe pas. Actualisez la page."
_ON_A_ROLE: dict[str, Callable[[HttpRequest, Membership], str]] = {"fonction": _name_function, "retirer": _take_role}
_ON_A_PERSON: dict[str, Callable[[HttpRequest, User], HttpResponse]] = {"mot-de-passe": _renew_password, "retirer": _take_every_role}


@require_http_methods(["GET"])
@page(Permission.ADMINISTRER)
def administered(request: HttpRequest) -> HttpResponse:
    """The communes whose members and settings this organisation manages."""
    return render(request, "web/members/administered.html", {"communes": request.organisation.administered.all()})


def _back(request: HttpRequest, said: str) -> HttpResponse:
    messages.success(request, said)
    mine = Permission.ADMINISTRER in _granted_now(request)
    return redirect("web:members" if mine else "web:root", **({"organisation": request.organisation.slug} if mine else {}))


def _granted_now(request: HttpRequest) -> frozenset[Permission]:
    """The rights left after the change: one may have taken one's own away."""
    from bocage.organisations.membership import permissions_of

    return permissions_of(request.user, request.organisation)


def _list(request: HttpRequest, error: str = "", typed: dict[str, str] | None = None) -> HttpResponse:
    held: dict[int, dict[str, Any]] = {}
    for membership in Membership.objects.select_related("user").order_by("user__name", "user_id", "pk"):
        held.setdefault(membership.user_id, {"user": membership.user, "roles": []})["roles"].append(membership)
    context = {
        "people": list(held.values()),
        "roles": [{"value": role.value, "label": role.label, "rights": _rights(role)} for role in Role],
        "error": error,
        "typed": typed or {"role": Role.AGENT.value, "way": "oidc"},
        "oidc": settings.OIDC_ENABLED,
        "reads": Permission.VOIR in request.granted,
        "administers": request.organisation.administered.exists(),
    }
    return render(request, "web/members/members.html", context, status=422 if error else 200)


def _rights(role: Role) -> str:
    return ", ".join(permission.label for permission in Permission if permission in GRANTS[role])


def _password_once(request: HttpRequest, person: User, password: str) -> HttpResponse:
    """Shown in the answer itself, not after a redirect: a password must not be kept in the session's row."""
    return render(request, "web/members/password_once.html", {"person": person, "password": password})


urlpatterns = [
    path("membres/", members, name="members"),
    path("membres/<int:membership_id>/", member_role, name="member_role"),
    path("membres/personnes/<int:person_id>/", member_person, name="member_person"),
    path("communes/", administered, name="administered"),
    path("reglages/", settings_page, name="settings"),
]
