"""Sign-in through an OpenID Connect provider, in the way of ProConnect: code flow with PKCE, state and nonce, signed user information.

mozilla-django-oidc drives the flow. Here stands what it leaves open: every token is checked for its signature, algorithm, issuer, audience
and dates; the user information must be a signed JWT about the same subject; and a person is known by (issuer, subject), never by an e-mail
address.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode, urlsplit

import jwt
import requests
from django.conf import settings
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from mozilla_django_oidc.auth import OIDCAuthenticationBackend

from bocage.contract.errors import BocageError
from bocage.journal.services import record
from bocage.organisations.membership import organisations_of
from bocage.organisations.models import User
from bocage.organisations.people import normal_email
from bocage.organisations.tenancy import organisation_context

BACKEND = "bocage.organisations.oidc.Backend"
_DISCOVERY_SECONDS = 3600
_MAX_BYTES = 200_000
_LEEWAY_S = 30


class ProviderUnavailable(BocageError):
    """The identity provider does not answer, or not as OpenID Connect asks."""

    code = "fournisseur-indisponible"


class SignInRefused(BocageError):
    """What the provider sent does not prove who signs in."""

    code = "identite-refusee"


class UnknownPerson(BocageError):
    """The provider knows the person; no administrator has invited them here."""

    code = "personne-inconnue"


def provider() -> dict[str, Any]:
    """The provider's own description (``/.well-known/openid-configuration``), kept for an hour. Raises ``ProviderUnavailable``."""
    issuer = settings.OIDC_ISSUER
    key = f"oidc:{issuer}"
    found: dict[str, Any] | None = cache.get(key)
    if found is None:
        found = fetch_json("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        _check_description(found, issuer)
        cache.set(key, found, _DISCOVERY_SECONDS)
    return found


def fetch(method: str, url: str, **arguments: Any) -> requests.Response:
    """One request to the provider: bounded in time and size, without redirects. Raises ``ProviderUnavailable``."""
    try:
        with requests.request(method, url, timeout=settings.OIDC_TIMEOUT, allow_redirects=False, stream=True, **arguments) as response:
            body = response.raw.read(_MAX_BYTES + 1, decode_content=True)
    except (requests.RequestException, OSError) as error:
        raise ProviderUnavailable(f"Le fournisseur d’identité ne répond pas ({type(error).__name__}).") from None
    if len(body) > _MAX_BYTES:
        raise ProviderUnavailable("Le fournisseur d’identité envoie une réponse trop longue.")
    response._content = body
    if response.status_code != 200:
        if 400 <= response.status_code < 500 and method == "POST":
            raise SignInRefused("Le fournisseur d’identité refuse ce code de connexion : il a déjà servi, ou il est périmé.")
        raise ProviderUnavailable(f"Le fournisseur d’identité répond par une erreur ({response.status_code}).")
    return response


def fetch_json(method: str, url: str, **arguments: Any) -> dict[str, Any]:
    """The JSON object that the provider answers. Raises ``ProviderUnavailable``."""
    try:
        answer = fetch(method, url, **arguments).json()
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise ProviderUnavailable("Le fournisseur d’identité ne répond pas en JSON.")
    return answer


def logout_url(request: HttpRequest) -> str:
    """Where to end the provider's own session, or nothing when this session did not begin there or the provider is away."""
    token = request.session.get("oidc_id_token")
    if not settings.OIDC_ENABLED or not token:
        return ""
    try:
        endpoint = provider().get("end_session_endpoint", "")
    except ProviderUnavailable:
        return ""
    back = {"id_token_hint": token, "post_logout_redirect_uri": request.build_absolute_uri("/")}
    return f"{endpoint}?{urlencode(back)}" if endpoint else ""


class Backend(OIDCAuthenticationBackend):  # type: ignore[misc]
    """Authenticates the holder of a code, by the provider's tokens."""

    def __init__(self) -> None:
        # Not the library's: it reads endpoints from the settings, and Django makes a backend for each request of a signed-in person.
        self.OIDC_RP_CLIENT_ID = settings.OIDC_RP_CLIENT_ID
        self.OIDC_RP_CLIENT_SECRET = settings.OIDC_RP_CLIENT_SECRET
        self.OIDC_RP_SIGN_ALGO = settings.OIDC_RP_SIGN_ALGO
        self.UserModel = User

    def get_token(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Exchange the code for tokens."""
        return fetch_json("POST", provider()["token_endpoint"], data=payload)

    def verify_token(self, token: str, **kwargs: Any) -> dict[str, Any]:
        """The claims of the ID token, once its signature, issuer, audience, dates and nonce are right. Raises ``SignInRefused``."""
        claims = self._verified(token, ["iss", "sub", "aud", "exp", "iat"])
        nonce = kwargs.get("nonce")
        if not nonce or claims.get("nonce") != nonce:
            raise SignInRefused("La réponse du fournisseur d’identité n’est pas celle de cette demande de connexion.")
        if claims.get("azp", settings.OIDC_RP_CLIENT_ID) != settings.OIDC_RP_CLIENT_ID:
            raise SignInRefused("La réponse du fournisseur d’identité s’adresse à un autre service.")
        return claims

    def get_userinfo(self, access_token: str, id_token: str, payload: dict[str, Any]) -> dict[str, Any]:
        """The claims of the signed user information, about the subject of the ID token. Raises ``SignInRefused``."""
        answer = fetch("GET", provider()["userinfo_endpoint"], headers={"Authorization": f"Bearer {access_token}"})
        if answer.headers.get("content-type", "").split(";")[0].strip().lower() != "application/jwt":
            raise SignInRefused("Le fournisseur d’identité n’a pas signé les informations de la personne.")
        claims = self._verified(answer.text.strip(), ["iss", "sub", "aud"])
        if claims["sub"] != payload["sub"]:
            raise SignInRefused("Les informations reçues ne concernent pas la personne qui se connecte.")
        return claims

    def get_or_create_user(self, access_token: str, id_token: str, payload: dict[str, Any]) -> User:
        """The person of this issuer and subject; at the first sign-in, the one whom an administrator invited under that address.

        Raises ``UnknownPerson``: no account is ever made here.
        """
        claims = self.get_userinfo(access_token, id_token, payload)
        issuer, subject = settings.OIDC_ISSUER, claims["sub"]
        user = User.objects.filter(oidc_issuer=issuer, oidc_subject=subject).first() or link_invited(issuer, subject, claims)
        if user is None or not user.is_active:
            raise UnknownPerson("Votre identité est bien reconnue, mais aucun compte ne vous attend ici sous cette identité.")
        return user

    def get_user(self, user_id: int) -> User | None:
        """The person of a session; none once the account is closed."""
        return User.objects.filter(pk=user_id, is_active=True).first()

    def _verified(self, token: str | None, needed: list[str]) -> dict[str, Any]:
        try:
            header = jwt.get_unverified_header(token or "")
            if header.get("alg") != self.OIDC_RP_SIGN_ALGO:
                raise SignInRefused("La réponse du fournisseur d’identité n’est pas signée comme convenu.")
            claims: dict[str, Any] = jwt.decode(
                token or "",
                _signing_key(header),
                algorithms=[self.OIDC_RP_SIGN_ALGO],
                audience=settings.OIDC_RP_CLIENT_ID,
                issuer=settings.OIDC_ISSUER,
                leeway=_LEEWAY_S,
                options={"require": needed},
            )
        except (jwt.PyJWTError, ValueError, TypeError):
            raise SignInRefused("La signature du fournisseur d’identité ne convient pas, ou sa réponse est périmée.") from None
        if not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= 255:
            raise SignInRefused("Le fournisseur d’identité ne dit pas qui se connecte.")
        return claims


def link_invited(issuer: str, subject: str, claims: dict[str, Any]) -> User | None:
    """Link the account that was invited under the address in ``claims`` and never linked; None when there is none.

    Invited means: made without a password by an administrator, and holding a role. An account with a password is never taken over.
    """
    email = claims.get("email")
    if not isinstance(email, str) or not email or claims.get("email_verified") is False:
        return None
    user = User.objects.filter(email=normal_email(email), oidc_subject="", is_active=True).first()
    if user is None or user.has_usable_password() or not (places := list(organisations_of(user))):
        return None
    try:
        with transaction.atomic():
            # Conditional, so that of two first sign-ins at once only one is linked.
            if not User.objects.filter(pk=user.pk, oidc_subject="").update(oidc_issuer=issuer, oidc_subject=subject):
                return None
            for organisation in places:
                with organisation_context(organisation):
                    record("membre.identite_liee", user, personne=user.pk, nom=user.name, fournisseur=issuer)
    except IntegrityError:
        return None
    user.refresh_from_db()
    return user


def _signing_key(header: dict[str, Any]) -> Any:
    keys = fetch_json("GET", provider()["jwks_uri"]).get("keys", [])
    for key in keys if isinstance(keys, list) else []:
        wrong = key.get("kid") != header.get("kid") or key.get("use", "sig") != "sig" or key.get("alg", header["alg"]) != header["alg"]
        if not wrong:
            return jwt.PyJWK(key, algorithm=header["alg"]).key
    raise SignInRefused("La clé qui signe la réponse n’est pas de celles que le fournisseur d’identité publie.")


def _check_description(found: dict[str, Any], issuer: str) -> None:
    needed = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")
    addresses = [found.get(name) for name in needed]
    if found.get("issuer") != issuer or not all(isinstance(address, str) and _is_safe(address) for address in addresses):
        raise ProviderUnavailable("La description du fournisseur d’identité ne convient pas : vérifiez BOCAGE_OIDC_ISSUER.")


def _is_safe(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost"))
