"""Proposals and decisions."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path


def _absent(request: HttpRequest, **kwargs: object) -> HttpResponse:
    raise Http404


urlpatterns = [
    path("a-decider/", _absent, name="to_decide"),
    path("executions/<int:run_id>/propositions/", _absent, name="proposals"),
]
