"""A form that comes back refused says so first: in the title of the page, and with the focus on the field at fault or on the reason.

Applied once to every refused form (409, 422), by a middleware: no view and no template can forget it, and it needs no JavaScript. Whoever
hears the page instead of seeing it would otherwise read it again from its top to find out that nothing was recorded.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

_REFUSED = (409, 422)
_FIELD = re.compile(r'(<(?:input|select|textarea)\b[^>]*\baria-invalid="true")')
_REASON = re.compile(r'(<(?:p|div) class="note bad" role="alert")')


def said_first(html: str) -> str:
    """``html`` with « Erreur : » before its title, and the focus where the person is needed."""
    html = html.replace("<title>", "<title>Erreur : ", 1)
    found, many = _FIELD.subn(r"\1 autofocus", html, count=1)
    return found if many else _REASON.sub(r'\1 tabindex="-1" autofocus', html, count=1)


class RefusedFormMiddleware:
    """Applies ``said_first`` to the pages that answer a refused form; not to those that say by themselves that something failed."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        page = not response.streaming and response.get("Content-Type", "").startswith("text/html")
        if page and request.method == "POST" and response.status_code in _REFUSED:
            response.content = said_first(response.content.decode()).encode()
        return response
