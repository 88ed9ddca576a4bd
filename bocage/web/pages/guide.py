"""The guide: public, one click from every page; under an organisation's address with its colours, else without."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.views.decorators.http import require_safe

from bocage.api.models import Scope
from bocage.organisations.membership import GRANTS, Permission, Role
from bocage.register.services import FEWEST_FOR_INTERVAL
from bocage.web.access import public_page
from bocage.web.guide import TOPICS, Topic, neighbours

View = Callable[..., HttpResponse]


def _index(request: HttpRequest) -> HttpResponse:
    """The questions that the guide answers, by part."""
    parts = [(part, list(topics)) for part, topics in groupby(TOPICS, key=lambda topic: topic.part)]
    return render(request, "web/guide/index.html", {"parts": parts})


def _page_of(topic: Topic) -> View:
    def page(request: HttpRequest) -> HttpResponse:
        """One page; what the code decides (limits, roles, scopes) is read from it, so that the guide cannot lag behind."""
        before, after = neighbours(topic)
        context: dict[str, Any] = {
            "topic": topic,
            "before": before,
            "after": after,
            "upload_mb": settings.UPLOAD_MB,
            "few": FEWEST_FOR_INTERVAL,
            "scopes": [scope.label for scope in Scope],
            "rights": [(role.label, [right in GRANTS[role] for right in Permission]) for role in Role],
            "right_names": [right.label.capitalize() for right in Permission],
            "address": request.build_absolute_uri("/api/v1/"),
        }
        return render(request, f"web/guide/{topic.slug}.html", context)

    return page


def _addresses(door: Callable[[View], View]) -> list[URLPattern]:
    pages = [path(f"aide/{topic.slug}/", require_safe(door(_page_of(topic))), name=f"guide_{topic.slug}") for topic in TOPICS]
    return [path("aide/", require_safe(door(_index)), name="guide"), *pages]


def _without_organisation(view: View) -> View:
    view.permission = None  # type: ignore[attr-defined]
    return view


server_urlpatterns = _addresses(_without_organisation)
"""For the pages that belong to no organisation: the list of those served here, signing in."""
urlpatterns = _addresses(public_page)
