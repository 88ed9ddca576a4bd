"""Signing in and out, with a local account or, in the demonstration, by choosing a person."""

from __future__ import annotations

from collections.abc import Sequence

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout, update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from bocage.contract.errors import BocageError
from bocage.organisations import oidc, people
from bocage.organisations.membership import Membership, organisations_of
from bocage.organisations.models import Organisation, User
from bocage.organisations.tenancy import organisation_context

_BACKEND = "django.contrib.auth.backends.ModelBackend"


class SignInForm(forms.Form):
    """Address and password."""

    email = forms.EmailField(label="Adresse électronique", widget=forms.EmailInput(attrs={"autocomplete": "username"}))
    password = forms.CharField(label="Mot de passe", strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}))


@never_cache
@sensitive_post_parameters()
def sign_in(request: HttpRequest) -> HttpResponse:
    """The sign-in page. A wrong pair gets one sentence that does not say which half is wrong."""
    form = SignInForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user = people.sign_in(form.cleaned_data["email"], form.cleaned_data["password"], request.META.get("REMOTE_ADDR", ""))
        except BocageError as error:
            form.add_error(None, error.message)
        else:
            if user:
                login(request, user, backend=_BACKEND)
                return redirect(after_sign_in(request, user, request.POST.get("next") or request.GET.get("next", "")))
            form.add_error(None, "L’adresse ou le mot de passe ne convient pas. Vérifiez la touche majuscules.")
    if form.non_field_errors():
        for field in form.fields.values():
            field.widget.attrs["aria-describedby"] = "erreur"
    status = 422 if form.errors else 200
    return render(
        request,
        "web/accounts/sign_in.html",
        {"form": form, "next": request.POST.get("next") or request.GET.get("next", ""), "oidc": settings.OIDC_ENABLED},
        status=status,
    )


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session, and the provider's too when it began there."""
    elsewhere = oidc.logout_url(request)
    logout(request)
    return redirect(elsewhere or "web:root")


@never_cache
@login_required
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def password(request: HttpRequest) -> HttpResponse:
    """One's own account: where one has which role, and a new password. Other sessions end with the old one."""
    user: User = request.user
    error = ""
    if request.method == "POST" and user.has_usable_password():
        try:
            people.change_password(user, request.POST.get("current", ""), request.POST.get("new", ""))
        except BocageError as refused:
            error = refused.message
        else:
            update_session_auth_hash(request, user)
            messages.success(request, "Votre mot de passe est changé. Vos autres sessions sont fermées.")
            return redirect("web:password")
    context = {"error": error, "places": _places(user)}
    return render(request, "web/accounts/password.html", context, status=422 if error else 200)


def _places(user: User) -> list[dict[str, object]]:
    """Each organisation of ``user`` with the roles held there."""
    places = []
    for organisation in organisations_of(user):
        with organisation_context(organisation):
            roles = [m.get_role_display() for m in Membership.objects.filter(user=user).order_by("pk")]
        places.append({"organisation": organisation, "roles": roles})
    return places


@require_POST
def demo_sign_in(request: HttpRequest) -> HttpResponse:
    """Enter the demonstration as one of its people, without a password. Exists only where the server runs the demonstration."""
    user = User.objects.filter(email=request.POST.get("email", "")).first()
    if not settings.DEMO or user is None or not user.email.endswith(settings.DEMO_DOMAIN):
        raise Http404
    login(request, user, backend=_BACKEND)
    return redirect(after_sign_in(request, user, request.POST.get("next") or request.GET.get("next", "")))


def demo_people(organisation: Organisation) -> Sequence[dict[str, str]]:
    """The sign-ins that the demonstration offers; none elsewhere."""
    if not settings.DEMO:
        return ()
    with organisation_context(organisation):
        members = Membership.objects.filter(user__email__endswith=settings.DEMO_DOMAIN).select_related("user").order_by("pk")
        seen = {m.user_id: m for m in reversed(list(members))}
    return [{"email": m.user.email, "name": m.user.name, "title": m.title or m.get_role_display()} for m in reversed(list(seen.values()))]


def after_sign_in(request: HttpRequest, user: User, wanted: str) -> str:
    """Where ``user`` goes once signed in: ``wanted`` if it is an address of this server, else their own space."""
    if url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        return wanted
    mine = organisations_of(user)[:2]
    return reverse("web:catalogue", kwargs={"organisation": mine[0].slug}) if len(mine) == 1 else reverse("web:root")


urlpatterns = [
    path("connexion/", sign_in, name="sign_in"),
    path("deconnexion/", sign_out, name="sign_out"),
    path("mot-de-passe/", password, name="password"),
    path("demonstration/", demo_sign_in, name="demo_sign_in"),
]
