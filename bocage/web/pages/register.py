"""The public register."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path


def _absent(request: HttpRequest, **kwargs: object) -> HttpResponse:
    raise Http404


urlpatterns = [
    path("registre/", _absent, name="register"),
    path("registre/<slug:slug>/", _absent, name="register_entry"),
]
