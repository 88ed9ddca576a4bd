"""A use case, its runs and their progress."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path


def _absent(request: HttpRequest, **kwargs: object) -> HttpResponse:
    raise Http404


urlpatterns = [
    path("cas-d-usage/<slug:slug>/", _absent, name="usecase"),
    path("executions/", _absent, name="runs"),
    path("executions/<int:run_id>/", _absent, name="run"),
]
