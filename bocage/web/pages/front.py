"""Home, catalogue, brand and the pages that the law asks for."""

from __future__ import annotations

import unicodedata
from itertools import groupby

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.cache import cache_control

from bocage.contract import discovery
from bocage.contract.fiche import Fiche
from bocage.journal.models import Anchor
from bocage.organisations.membership import Permission, organisations_of
from bocage.organisations.models import Organisation
from bocage.register import services as register
from bocage.web.access import page, public_page
from bocage.web.pages.accounts import demo_people


def root(request: HttpRequest) -> HttpResponse:
    """To the only organisation, or the list of those served here (one's own first)."""
    organisations = list(Organisation.objects.all())
    mine = list(organisations_of(request.user)) if request.user.is_authenticated else []
    if len(organisations) == 1:
        return redirect("web:home", organisation=organisations[0].slug)
    return render(request, "web/front/root.html", {"organisations": organisations, "mine": mine})


@public_page
def home(request: HttpRequest) -> HttpResponse:
    """What Bocage does here, in one minute."""
    shown = register.entries()
    context = {
        "entries": shown,
        "accepted": sum(e.accepted for e in shown),
        "amended": sum(e.amended for e in shown),
        "refused": sum(e.refused for e in shown),
        "decided": sum(e.decided for e in shown),
        "joules": sum(e.joules for e in shown),
        "anchor": Anchor.objects.last(),
        "demo": demo_people(request.organisation) if not request.user.is_authenticated else (),
    }
    return render(request, "web/front/home.html", context)


@page(Permission.VOIR)
def catalogue(request: HttpRequest) -> HttpResponse:
    """The use cases by domain, filtered by words and domain."""
    fiches = discovery.all_fiches()
    q, domain = request.GET.get("q", "").strip()[:100], request.GET.get("domaine", "")
    published = {e.fiche.slug: e for e in register.entries()}
    kept = [f for f in fiches if (not domain or f.domaine == domain) and all(word in _words(f) for word in plain(q).split())]
    groups = [
        {"domain": name, "rows": [_row(f, published.get(f.slug)) for f in group]}
        for name, group in groupby(sorted(kept, key=lambda f: (f.domaine, f.titre)), key=lambda f: f.domaine)
    ]
    context = {
        "groups": groups,
        "total": len(fiches),
        "q": q,
        "domain": domain,
        "domains": sorted({f.domaine for f in fiches}),
        "problems": discovery.problems(),
    }
    return render(request, "web/front/catalogue.html", context)


def plain(text: str) -> str:
    """Lower case without accents, for searching."""
    return "".join(c for c in unicodedata.normalize("NFD", text.lower()) if not unicodedata.combining(c))


def _words(fiche: Fiche) -> str:
    return plain(f"{fiche.slug} {fiche.titre} {fiche.domaine} {fiche.finalite}")


def _row(fiche: Fiche, entry: register.Entry | None) -> dict[str, object]:
    if entry is None:
        return {"fiche": fiche, "code": "disponible", "label": "Disponible", "gain": None}
    return {"fiche": fiche, "code": entry.publication.status, "label": entry.publication.get_status_display(), "gain": entry.gain}


@public_page
def accessibility(request: HttpRequest) -> HttpResponse:
    """Accessibility statement."""
    return render(request, "web/front/accessibility.html", {})


@public_page
def privacy(request: HttpRequest) -> HttpResponse:
    """Personal data."""
    return render(request, "web/front/privacy.html", {})


@public_page
def legal(request: HttpRequest) -> HttpResponse:
    """Legal notice."""
    return render(request, "web/front/legal.html", {})


@cache_control(max_age=300, public=True)
def brand(request: HttpRequest, organisation: str) -> HttpResponse:
    """The organisation's two colours, checked when they were saved."""
    owner = Organisation.objects.filter(slug=organisation).first()
    if owner is None:
        raise Http404
    return HttpResponse(f":root {{ --accent: {owner.accent}; --accent-night: {owner.accent_night} }}\n", content_type="text/css")


@cache_control(max_age=300, public=True)
def logo(request: HttpRequest, organisation: str) -> HttpResponse:
    """The organisation's logo, re-encoded as PNG when it was saved."""
    owner = Organisation.objects.filter(slug=organisation).first()
    if owner is None or not owner.logo_png:
        raise Http404
    return HttpResponse(bytes(owner.logo_png), content_type="image/png")


brand_urlpatterns = [
    path("marque/<slug:organisation>.css", brand, name="brand"),
    path("marque/<slug:organisation>.png", logo, name="logo"),
]
urlpatterns = [
    path("", home, name="home"),
    path("cas-d-usage/", catalogue, name="catalogue"),
    path("accessibilite/", accessibility, name="accessibility"),
    path("donnees-personnelles/", privacy, name="privacy"),
    path("mentions-legales/", legal, name="legal"),
]
