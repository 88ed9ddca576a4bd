"""Making, finding and revoking tokens."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable
from datetime import datetime

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from bocage.api.errors import in_json
from bocage.api.models import ApiToken, Scope
from bocage.contract.errors import BocageError
from bocage.journal.services import record
from bocage.organisations.models import Organisation, User
from bocage.organisations.tenancy import across, organisation_context

PREFIX = "bocage_"
_MAX_NAME = 120


class InvalidToken(BocageError):
    """A scope that does not exist, or a token without a name, or with one too long."""

    code = "jeton-invalide"


def make_token(name: str, scopes: Iterable[str], person: User | None = None, expires_at: datetime | None = None) -> tuple[ApiToken, str]:
    """A token of the organisation in context, and its secret, which is not kept. Raises ``InvalidToken``."""
    chosen, name = sorted(set(scopes)), " ".join(name.split())
    unknown = [scope for scope in chosen if scope not in Scope.values]
    if unknown or not chosen or not name:
        raise InvalidToken(
            f"Un jeton a un usage et au moins un droit parmi {', '.join(Scope.values)}. Lu : « {name[:80]} », {chosen or 'aucun droit'}."
        )
    if len(name) > _MAX_NAME:
        raise InvalidToken(f"L’usage du jeton compte {len(name)} caractères ; la limite est {_MAX_NAME}. Dites-le en quelques mots.")
    secret = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        token = ApiToken(name=name, digest=_digest(secret), scopes=chosen, created_by=person, expires_at=expires_at)
        token.save()
        record("jeton.cree", person, jeton=token.pk, usage=token.name, droits=chosen)
    return token, secret


def revoke_token(token: ApiToken, person: User | None = None) -> None:
    """End a token for ever. Doing it twice changes nothing."""
    with transaction.atomic():
        if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()):
            record("jeton.revoque", person, jeton=token.pk, usage=token.name)


def find_token(secret: str) -> ApiToken | None:
    """The living token of this secret, whatever its organisation."""
    if not secret.startswith(PREFIX) or len(secret) > 200:
        return None
    with across():
        living = ApiToken.across_organisations.filter(digest=_digest(secret), revoked_at=None)
        token: ApiToken | None = living.select_related("organisation").first()
    if token is None or (token.expires_at and token.expires_at <= timezone.now()):
        return None
    return token


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


class ApiOrganisationMiddleware:
    """Runs each API request in the context of its token's organisation, without a valid token in none; what comes back is never a page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith("/api/"):
            return self._get_response(request)
        return in_json(request, self._within(request))

    def _within(self, request: HttpRequest) -> HttpResponse:
        kind, _, secret = request.headers.get("Authorization", "").partition(" ")
        token = find_token(secret.strip()) if kind.lower() == "bearer" else None
        request.api_token = token  # type: ignore[attr-defined]
        if token is None:
            return self._get_response(request)
        organisation: Organisation = token.organisation
        with organisation_context(organisation):
            today = timezone.localdate()
            if token.last_used_on != today:
                ApiToken.objects.filter(pk=token.pk).update(last_used_on=today)
            return self._get_response(request)
