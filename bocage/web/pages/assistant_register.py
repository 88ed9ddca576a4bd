"""The assistant in the public register: its fiche, how much it is used, how often it refuses or hands over, what it consumes."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import path
from django.utils.formats import date_format
from django.views.decorators.http import require_safe

from bocage.assistant.figures import Figures, Report, report
from bocage.assistant.library import sources_of
from bocage.web.access import public_page
from bocage.web.bars import Bar, bar_chart

_AUDIENCES = {"citoyens": "habitants", "accueil": "agents d’accueil", "rh": "ressources humaines"}


@require_safe
@public_page
def assistant_entry(request: HttpRequest) -> HttpResponse:
    """The page of the assistant; 404 where it never was in service."""
    found = _report()
    bars = [
        Bar(date_format(first, "N Y"), (month.answers, month.clarifications, month.refusals + month.emergencies))
        for first, month in found.months
    ]
    chart = bar_chart(
        bars, ("Répondues", "Précision demandée", "Refusées ou urgentes"), ("p", "q", "r"), "Questions par mois", name="questions"
    )
    context = {
        "r": found,
        "audiences": [_AUDIENCES[audience] for audience in found.audiences],
        "chart": chart,
        "sources": sources_of(request.organisation),
    }
    return render(request, "web/register/assistant.html", context)


@require_safe
@public_page
def assistant_json(request: HttpRequest) -> HttpResponse:
    """The same as JSON."""
    found = _report()
    document = {
        "organisation": request.organisation.name,
        "fiche": found.fiche.model_dump(mode="json"),
        "in_service": found.in_service,
        "audiences": list(found.audiences),
        "retention_days": found.retention_days,
        "total": _figures(found.total),
        "months": [{"month": first.isoformat()[:7], **_figures(month)} for first, month in found.months],
        "sources": sources_of(request.organisation),
    }
    response = JsonResponse(document, json_dumps_params={"ensure_ascii": False, "indent": 1})
    response["Access-Control-Allow-Origin"] = "*"
    return response


def _report() -> Report:
    found = report()
    if found is None:
        raise Http404
    return found


def _figures(of: Figures) -> dict[str, Any]:
    return {
        "questions": of.questions,
        "requests": of.requests,
        "answered_share": of.answered_share,
        "refused_share": of.refused_share,
        "handed_over_share": of.handed_over_share,
        "bad_share": of.bad_share,
        "watt_hours_per_answer": of.joules_per_answer / 3600 if of.joules_per_answer is not None else None,
    }


urlpatterns = [
    path("registre/assistant/", assistant_entry, name="register_assistant"),
    path("registre/assistant/fiche.json", assistant_json, name="register_assistant_json"),
]
