"""The two addresses of OpenID Connect: leaving for the provider, and coming back. Every refusal is a page in French."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.core.exceptions import SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.cache import never_cache
from mozilla_django_oidc.views import OIDCAuthenticationCallbackView, OIDCAuthenticationRequestView

from bocage.contract.errors import BocageError
from bocage.organisations import oidc
from bocage.web.pages.accounts import after_sign_in


class _Leave(OIDCAuthenticationRequestView):  # type: ignore[misc]
    """To the provider, with a fresh state, nonce and PKCE challenge."""

    def __init__(self, **kwargs: Any) -> None:
        super(OIDCAuthenticationRequestView, self).__init__(**kwargs)
        self.OIDC_OP_AUTH_ENDPOINT = oidc.provider()["authorization_endpoint"]
        self.OIDC_RP_CLIENT_ID = settings.OIDC_RP_CLIENT_ID


class _Return(OIDCAuthenticationCallbackView):  # type: ignore[misc]
    """Back from the provider: the state is looked up and used once by the library, then our backend verifies the rest."""

    def login_success(self) -> HttpResponse:
        """Open a new session for the person."""
        token = self.request.session.pop("oidc_id_token", None)
        wanted = self.request.session.pop("oidc_login_next", None) or ""
        login(self.request, self.user, backend=oidc.BACKEND)
        # Needed to end the provider's session too.
        self.request.session["oidc_id_token"] = token
        return redirect(after_sign_in(self.request, self.user, wanted))

    def login_failure(self) -> HttpResponse:
        """The provider said no, or the session is gone."""
        raise oidc.SignInRefused("Le fournisseur d’identité n’a pas confirmé la connexion, ou elle a pris trop de temps.")


@never_cache
def leave(request: HttpRequest) -> HttpResponse:
    """Go to the provider."""
    return _answer(request, _Leave)


@never_cache
def come_back(request: HttpRequest) -> HttpResponse:
    """Come back from the provider."""
    return _answer(request, _Return)


def _answer(request: HttpRequest, view: Any) -> HttpResponse:
    if not settings.OIDC_ENABLED:
        raise Http404
    try:
        answer: HttpResponse = view.as_view()(request)
    except oidc.ProviderUnavailable as error:
        steps = ["Réessayez dans quelques minutes.", "Ou connectez-vous avec un mot de passe."]
        return _refused(request, 503, "ProConnect ne répond pas", error.message, steps)
    except oidc.UnknownPerson as error:
        steps = [
            "Demandez à un administrateur de votre collectivité de vous donner un rôle, avec l’adresse que connaît ProConnect.",
            "Si votre identité ProConnect a changé, ou si vous aviez un mot de passe, l’exploitant du serveur peut vous aider.",
        ]
        return _refused(request, 403, "Aucun compte ne vous attend ici", error.message, steps)
    except (SuspiciousOperation, BocageError) as error:
        lede = error.message if isinstance(error, BocageError) else "La réponse reçue n’est pas celle de votre demande de connexion."
        steps = ["Recommencez depuis la page de connexion, dans la même fenêtre.", "Si cela continue, prévenez votre service informatique."]
        return _refused(request, 403, "La connexion n’est pas confirmée", lede, steps)
    return answer


def _refused(request: HttpRequest, status: int, heading: str, lede: str, steps: list[str]) -> HttpResponse:
    return render(request, "web/accounts/oidc_refused.html", {"heading": heading, "lede": lede, "steps": steps}, status=status)


urlpatterns = [
    path("authenticate/", leave, name="oidc_authentication_init"),
    path("callback/", come_back, name="oidc_authentication_callback"),
]
