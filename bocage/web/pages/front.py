"""Home, catalogue, brand and the pages that the law asks for."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.views.decorators.cache import cache_control

from bocage.contract import discovery
from bocage.organisations.membership import Permission, organisations_of
from bocage.organisations.models import Organisation
from bocage.web.access import page, public_page


def root(request: HttpRequest) -> HttpResponse:
    """To the only organisation, or the list of those served here (one's own first)."""
    organisations = list(Organisation.objects.all())
    mine = list(organisations_of(request.user)) if request.user.is_authenticated else []
    if len(organisations) == 1:
        return redirect("web:home", organisation=organisations[0].slug)
    return render(request, "web/front/root.html", {"organisations": organisations, "mine": mine})


@public_page
def home(request: HttpRequest) -> HttpResponse:
    """What Bocage is here, in one minute."""
    return render(request, "web/front/home.html", {})


@page(Permission.VOIR)
def catalogue(request: HttpRequest) -> HttpResponse:
    """The use cases by domain."""
    return render(request, "web/front/catalogue.html", {"fiches": discovery.all_fiches()})


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
