"""Settings of the assistant: whom it serves, which services answer, how long it keeps, which sites embed it."""

from __future__ import annotations

from typing import Any

from django.conf import settings as server
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods

from bocage.assistant import configuration
from bocage.assistant.documents import Audience
from bocage.contract.errors import BocageError
from bocage.organisations.membership import Permission
from bocage.web.access import page

_LABELS = {
    Audience.CITIZENS: "Les habitants, sur la page publique et le module des sites",
    Audience.COUNTER: "Les agents d’accueil",
    Audience.STAFF: "Les agents, pour leurs questions de ressources humaines",
}
_BLANK_ROWS = 2


@require_http_methods(["GET", "POST"])
@page(Permission.ADMINISTRER)
def assistant_settings(request: HttpRequest) -> HttpResponse:
    """One form; what is wrong is said with what was typed."""
    held = configuration.configuration()
    if request.method != "POST":
        rows = [{"name": s.name, "email": s.email, "hours": s.hours} for s in held.services]
        return _show(request, held.audiences, str(held.retention_days), str(held.answer_minutes), rows, "\n".join(held.widget_origins))
    sent = request.POST
    fields = [sent.getlist(name)[: configuration.MOST_SERVICES + 1] for name in ("service_name", "service_email", "service_hours")]
    rows = [dict(zip(("name", "email", "hours"), row, strict=True)) for row in zip(*fields, strict=False)]
    audiences, origins = sent.getlist("audiences"), sent.get("origins", "")
    days, minutes = sent.get("retention_days", ""), sent.get("answer_minutes", "")
    try:
        configuration.change(request.user, audiences, days, minutes, rows, origins.splitlines())  # type: ignore[arg-type]
    except BocageError as error:
        return _show(request, audiences, days, minutes, rows, origins, error.message)
    messages.success(request, "Les réglages de l’assistant sont enregistrés.")
    return redirect("web:assistant_settings", organisation=request.organisation.slug)  # type: ignore[attr-defined]


def _show(
    request: HttpRequest, audiences: Any, days: str, minutes: str, rows: list[dict[str, str]], origins: str, error: str = ""
) -> HttpResponse:
    owner = request.organisation  # type: ignore[attr-defined]
    filled = [row for row in rows if any(row.values())]
    context = {
        "audiences": [
            {"value": audience.value, "label": label, "on": audience.value in set(audiences)} for audience, label in _LABELS.items()
        ],
        "retention_days": days,
        "answer_minutes": minutes,
        "rows": [*filled, *[{"name": "", "email": "", "hours": ""}] * _BLANK_ROWS],
        "origins": origins,
        "error": error,
        "mail": server.MAIL_ENABLED,
        "script": request.build_absolute_uri("/static/web/assistant-widget.js"),
        "page_address": request.build_absolute_uri(reverse("web:assistant", kwargs={"organisation": owner.slug})),
    }
    return render(request, "web/assistant/settings.html", context, status=422 if error else 200)


urlpatterns = [path("reglages/assistant/", assistant_settings, name="assistant_settings")]
