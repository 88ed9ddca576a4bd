"""Who may call an operation: a token with the scope that it needs. And the shape of every refusal."""

from __future__ import annotations

from django.http import HttpRequest
from ninja.errors import HttpError
from ninja.security import HttpBearer

from bocage.api.models import ApiToken, Scope
from bocage.api.schemas import ErrorOut

REFUSALS = dict.fromkeys((400, 401, 403, 404, 405, 413, 422, 500), ErrorOut)


class TokenAuth(HttpBearer):
    """The token found by the middleware, if it has the scope that the operation needs."""

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self.scope = scope

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken | None:
        """The token, or None (401). Raises 403 when the scope is missing."""
        found: ApiToken | None = getattr(request, "api_token", None)
        if found is None:
            return None
        if self.scope not in found.scopes:
            raise HttpError(403, f"Ce jeton n’a pas le droit « {self.scope.value} ». Demandez-en un autre à un administrateur.")
        return found


READ, DEPOSIT, RUN = TokenAuth(Scope.READ), TokenAuth(Scope.DEPOSIT), TokenAuth(Scope.RUN)
