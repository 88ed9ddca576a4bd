"""Signing in and out."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path


def _absent(request: HttpRequest, **kwargs: object) -> HttpResponse:
    raise Http404


urlpatterns = [
    path("connexion/", _absent, name="sign_in"),
    path("deconnexion/", _absent, name="sign_out"),
]
