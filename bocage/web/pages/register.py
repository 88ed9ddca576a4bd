"""The public register: the list, one page per use case, the same as data, and a feed of what changes."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response, patch_cache_control
from django.utils.feedgenerator import Atom1Feed
from django.utils.formats import date_format
from django.utils.http import quote_etag
from django.views.decorators.http import require_safe

from bocage.assistant.figures import report as assistant_report
from bocage.contract import discovery
from bocage.contract.errors import BocageError, UnknownUseCase
from bocage.contract.french import count, number, percent
from bocage.organisations.membership import Permission
from bocage.register import documents, history
from bocage.register import services as register
from bocage.register.fiches import fiche_of
from bocage.register.models import Publication
from bocage.web.access import page, public_page
from bocage.web.bars import Bar, bar_chart
from bocage.web.charts import line_chart
from bocage.web.pages.truth import urlpatterns as truth_urlpatterns

_SECONDS = 300
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@require_safe
@public_page
def register_list(request: HttpRequest) -> HttpResponse:
    """Every use case published, in service first."""
    shown = register.entries()
    context = {
        "entries": shown,
        "decided": sum(e.decided for e in shown),
        "joules": sum(e.joules for e in shown),
        "joules_low": sum(e.joules_low for e in shown),
        "joules_high": sum(e.joules_high for e in shown),
        "anchors": history.anchors(1),
        "assistant": assistant_report(),
    }
    return _public(request, render(request, "web/register/list.html", context))


@require_safe
@public_page
def register_entry(request: HttpRequest, slug: str) -> HttpResponse:
    """One use case: what it is for, who decides, what it changed, what it consumed."""
    entry = _entry(slug)
    runs = history.run_lines(slug)
    context = {
        "e": entry,
        "chart": _chart(entry),
        "interval": entry.gain_interval and _range(entry.gain_interval),
        "few": register.FEWEST_FOR_INTERVAL,
        "runs": runs,
        "methods": sorted({history.METHODS.get(line.method, line.method) for line in runs}),
        "decisions_chart": _decisions_chart(slug),
        "energy_chart": _energy_chart(runs),
        "last": runs[0] if runs else None,
        "updated": history.updated_at(entry),
        "anchors": history.anchors(1),
    }
    return _public(request, render(request, "web/register/entry.html", context))


@require_safe
@public_page
def register_json(request: HttpRequest) -> HttpResponse:
    """The register as JSON (``docs/register.md``)."""
    return _json(request, documents.register_document(request.organisation, register.entries(), _website(request)), "registre")


@require_safe
@public_page
def register_csv(request: HttpRequest) -> HttpResponse:
    """The register as CSV, one line per use case."""
    return _data(
        request,
        documents.register_csv(register.entries(), _website(request)),
        "text/csv; charset=utf-8",
        f"registre-{request.organisation.slug}.csv",
    )


@require_safe
@public_page
def register_entry_json(request: HttpRequest, slug: str) -> HttpResponse:
    """One use case as JSON."""
    entry = _entry(slug)
    return _json(request, documents.entry_document(request.organisation, entry, _website(request)(slug)), slug)


@require_safe
@public_page
def register_entry_csv(request: HttpRequest, slug: str) -> HttpResponse:
    """The evaluations of one use case as CSV."""
    return _data(request, documents.entry_csv(_entry(slug)), "text/csv; charset=utf-8", f"mesures-{slug}.csv")


@require_safe
@public_page
def register_feed(request: HttpRequest) -> HttpResponse:
    """What changed in the register, as an Atom feed: publications and evaluations."""
    owner = request.organisation
    here = request.build_absolute_uri(reverse("web:register", kwargs={"organisation": owner.slug}))
    feed = Atom1Feed(
        f"Registre de l’IA, {owner.name}",
        here,
        "Les usages publiés et leurs mesures.",
        language="fr",
        feed_url=request.build_absolute_uri(),
    )
    website = _website(request)
    for change in history.changes(register.entries()):
        link = website(change.slug)
        feed.add_item(change.title, link, change.text, unique_id=f"{link}#{change.key}", updateddate=change.at, pubdate=change.at)
    text = feed.writeString("utf-8") if feed.items else _still(feed)
    return _data(request, text, "application/atom+xml; charset=utf-8")


@page(Permission.PUBLIER)
def publish(request: HttpRequest, slug: str) -> HttpResponse:
    """Put a use case in the register, or change its state and who decides."""
    current = Publication.objects.filter(usecase=slug).first()
    try:
        # A use case that no longer reads can still be said to be stopped.
        fiche = fiche_of(current)[0] if current else discovery.load_fiche(slug)
    except BocageError:
        raise Http404 from None
    status, decider, error = (current.status, current.decider, "") if current else ("", "", "")
    if request.method == "POST":
        status, decider = request.POST.get("status", ""), request.POST.get("decider", "")
        try:
            register.publish(slug, status, decider, request.user)
        except BocageError as refusal:
            error = refusal.message
        else:
            messages.success(request, "Le registre est à jour.")
            return redirect("web:register_entry", organisation=request.organisation.slug, slug=slug)
    context = {
        "fiche": fiche,
        "current": current,
        "status": status,
        "decider": decider,
        "error": error,
        "states": Publication.Status.choices,
    }
    return render(request, "web/register/publish.html", context, status=422 if error else 200)


def _entry(slug: str) -> register.Entry:
    try:
        return register.entry(slug)
    except UnknownUseCase:
        raise Http404 from None


def _website(request: HttpRequest) -> Any:
    owner = request.organisation.slug  # type: ignore[attr-defined]
    return lambda slug: request.build_absolute_uri(reverse("web:register_entry", kwargs={"organisation": owner, "slug": slug}))


def _chart(entry: register.Entry) -> str:
    measures, mesure = entry.measures, entry.fiche.mesure
    days = [timezone.localdate(m.run_at).isoformat() if m.run_at else "" for m in measures]
    distinct = len(set(days)) == len(days)
    better = "Plus bas est mieux." if mesure.sens == "min" else "Plus haut est mieux."
    chart = {
        "title": mesure.titre,
        "unit": mesure.unite,
        "note": f"Par exécution{'' if distinct else ' (numéro)'}. {better}",
        "x": days if distinct else [f"n° {m.run}" for m in measures],
        "series": [
            {"name": "Bocage", "role": "forecast", "values": [m.engine for m in measures]},
            {"name": "Méthode habituelle", "role": "usual", "values": [m.baseline for m in measures]},
        ],
    }
    if not measures:
        return ""
    ours, usual = number(entry.engine_mean, 2, mesure.unite), number(entry.baseline_mean, 2, mesure.unite)
    finding = f"{mesure.titre} : {ours} en moyenne avec Bocage, {usual} avec la méthode habituelle, sur {count(len(measures), 'mesure')}."
    return line_chart(chart, "gain", finding, from_zero=True)


def _decisions_chart(slug: str) -> str:
    bars = [Bar(date_format(m.first, "N Y"), (m.accepted, m.amended, m.refused)) for m in history.decisions_by_month(slug)]
    return bar_chart(
        bars, ("Acceptées", "Modifiées", "Refusées"), ("p", "q", "r"), "Décisions par mois", note="Telles qu’elles valent aujourd’hui.",
        name="decisions",
    )  # fmt: skip


def _energy_chart(runs: list[history.RunLine]) -> str:
    in_wh = any(line.joules >= 360 for line in runs)
    scale, unit = (3600, "Wh") if in_wh else (1, "J")
    bars = [Bar(f"n° {line.run}", (line.joules / scale,)) for line in reversed(runs)]
    return bar_chart(
        bars, ("Énergie",), ("p",), "Énergie de chaque exécution", unit, "Les vingt dernières, méthode habituelle comprise.", name="energie"
    )


def _range(interval: tuple[float, float]) -> str:
    return f"entre {percent(interval[0], 1, signed=True)} et {percent(interval[1], 1, signed=True)}"


def _public(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """A visitor's page may be kept by caches; a signed-in person's may not (it bears a name and a form's token)."""
    if request.user.is_authenticated or messages.get_messages(request):
        patch_cache_control(response, private=True, no_cache=True)
        return response
    return _conditional(request, response)


def _json(request: HttpRequest, document: dict[str, Any], name: str) -> HttpResponse:
    text = json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False)
    response = _data(request, text, "application/json; charset=utf-8")
    response["Content-Disposition"] = f'inline; filename="{name}.json"'
    return response


def _data(request: HttpRequest, text: str, kind: str, filename: str = "") -> HttpResponse:
    response = HttpResponse(text, content_type=kind)
    response["Access-Control-Allow-Origin"] = "*"
    if filename:
        response["Content-Disposition"] = f'attachment; filename="{filename}"'
    return _conditional(request, response)


def _conditional(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """With an ETag and five minutes of cache; 304 when the reader has it already."""
    response["ETag"] = quote_etag(hashlib.sha256(response.content).hexdigest()[:32])
    patch_cache_control(response, public=True, max_age=_SECONDS)
    return get_conditional_response(request, etag=response["ETag"], response=response)


def _still(feed: Atom1Feed) -> str:
    """An empty feed says nothing of the hour at which it is read, so that it stays the same."""
    feed.latest_post_date = lambda: _EPOCH  # type: ignore[method-assign]
    return feed.writeString("utf-8")


urlpatterns = [
    path("registre/", register_list, name="register"),
    path("registre/registre.json", register_json, name="register_json"),
    path("registre/registre.csv", register_csv, name="register_csv"),
    path("registre/changements.atom", register_feed, name="register_feed"),
    path("registre/<slug:slug>/", register_entry, name="register_entry"),
    path("registre/<slug:slug>/fiche.json", register_entry_json, name="register_entry_json"),
    path("registre/<slug:slug>/mesures.csv", register_entry_csv, name="register_entry_csv"),
    path("registre/<slug:slug>/publier/", publish, name="publish"),
    *truth_urlpatterns,
]
