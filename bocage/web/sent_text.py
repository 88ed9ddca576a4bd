"""What no database keeps is refused once, at the door of the portal and of the API, rather than by each page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.http.request import UnreadablePostError

from bocage.contract.text_checks import is_storable


class StorableTextMiddleware:
    """400 for an address, a query or a form with a NUL or half a character: no keyboard writes them. Such a cookie is forgotten.

    JSON is read, and refused in words, by those who take it (``text_checks.refuse_unstorable``).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.COOKIES = {name: value for name, value in request.COOKIES.items() if is_storable(name + value)}
        return self._get_response(request)

    def process_view(self, request: HttpRequest, view: Any, arguments: Any, named: Any) -> None:
        """Raises ``BadRequest``. Called within every other middleware, so that the API answers it in its own form."""
        if not all(map(is_storable, _sent(request, form=not getattr(view, "csrf_exempt", False)))):
            raise BadRequest("a NUL or half a character")


def _sent(request: HttpRequest, form: bool) -> Iterator[str]:
    yield request.path_info
    try:
        # Views that are exempt take JSON: parsing a body that they would refuse costs time to anybody who asks.
        read = (request.GET, request.POST) if form else (request.GET,)
    except UnreadablePostError:
        # The visitor has left.
        return
    for name, values in (pair for query in read for pair in query.lists()):
        yield name
        yield from values
