"""Deposits: what was received from the use-case page, its report, its corrections, its history."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Page, Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

from bocage.contract import discovery
from bocage.contract.errors import BocageError
from bocage.decisions.intake import check_deposits, corrections, usable
from bocage.deposits.models import Deposit
from bocage.deposits.services import UnknownDeposit, deposit_url, get_deposit, keep
from bocage.organisations.membership import Permission
from bocage.web.access import page
from bocage.web.errors import error_page

PER_PAGE = 50
LICENCES = ("Données internes, non publiées", "Licence Ouverte 2.0", "ODbL 1.0", "CC BY 4.0")


@dataclass
class Received:
    """What one form brought: the deposits by input name, and one sentence per input at fault."""

    deposits: dict[str, Deposit] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)


def receive(request: HttpRequest, slug: str, asked: dict[str, Any]) -> Received:
    """Keep every file, address or earlier deposit that the form names, then read them; what is right is kept whatever else is wrong."""
    received = Received()
    for entry in asked["inputs"]:
        name = entry["name"]
        try:
            deposit = _one(request, slug, entry)
        except BocageError as error:
            received.faults[name] = error.message
        else:
            if deposit is not None:
                received.deposits[name] = deposit
            elif entry["required"]:
                received.faults[name] = f"Il manque « {entry['title'] or name} ». Choisissez un fichier, ou reprenez le dernier dépôt."
    if received.deposits:
        try:
            check_deposits(request.organisation, slug, received.deposits.values())
        except BocageError as error:
            received.faults[""] = error.message
    return received


def _one(request: HttpRequest, slug: str, entry: dict[str, Any]) -> Deposit | None:
    """The deposit of one input: a file first, then an address, then an earlier deposit."""
    name = entry["name"]
    limit = min(entry["max_mb"] or settings.UPLOAD_MB, settings.UPLOAD_MB)
    licence = request.POST.get("licence", "").strip()
    licence = licence if licence in LICENCES else ""
    upload: UploadedFile | None = request.FILES.get(f"fichier-{name}")
    address = request.POST.get(f"adresse-{name}", "").strip()
    earlier = request.POST.get(f"reprendre-{name}", "")
    if upload is not None:
        return keep(upload, upload.name or "fichier", slug, name, request.user, licence=licence, max_mb=limit)
    if address:
        return deposit_url(address, slug, name, request.user, licence=licence, max_mb=limit)
    if earlier.isascii() and earlier.isdecimal():
        return Deposit.objects.filter(pk=int(earlier[:18]), usecase=slug, input_name=name).defer("details").first()
    return None


def summary(deposit: Deposit) -> dict[str, Any]:
    """What templates show of a report."""
    report = deposit.report or {}
    lines, kept = report.get("lines", 0), report.get("kept", 0)
    return {
        "deposit": deposit,
        "report": report,
        "error": (report.get("error") or {}).get("message", ""),
        "table": bool(report.get("table")),
        "kept": kept,
        "wrong": lines - kept,
        "lines": lines,
        "errors": report.get("errors", []),
        "errors_total": report.get("errors_total", 0),
        "usable": usable(deposit),
    }


@page(Permission.VOIR)
@require_safe
def deposits(request: HttpRequest) -> HttpResponse:
    """Everything that was deposited, the latest first."""
    q, usecase = request.GET.get("q", "").replace("\x00", "").strip()[:100], request.GET.get("cas", "").replace("\x00", "")[:40]
    found = Deposit.objects.select_related("deposited_by").defer("details")
    if usecase:
        found = found.filter(usecase=usecase)
    if q:
        found = found.filter(filename__icontains=q)
    titles = {fiche.slug: fiche.titre for fiche in discovery.all_fiches()}
    shown = page_of(found, request.GET.get("page"))
    rows = [{**summary(d), "title": titles.get(d.usecase, d.usecase)} for d in shown]
    context = {
        "rows": rows,
        "page": shown,
        "query": query(request),
        "q": q,
        "usecase": usecase,
        "titles": titles,
        "any": bool(q or usecase),
    }
    return render(request, "web/deposits/list.html", context)


@page(Permission.VOIR)
@require_safe
def deposit(request: HttpRequest, deposit_id: int) -> HttpResponse:
    """One deposit: where it comes from, and every wrong cell, page by page."""
    found = _found(deposit_id)
    details = found.details or {"kinds": [], "cells": []}
    shown = page_of(details["cells"], request.GET.get("page"))
    try:
        title = discovery.load_fiche(found.usecase).titre
    except BocageError:
        title = found.usecase
    context = {
        **summary(found),
        "title": title,
        "page": shown,
        "query": query(request),
        "cells": list(_cells(shown, details["kinds"])),
        "runs": _runs_of(found),
    }
    return render(request, "web/deposits/detail.html", context)


@page(Permission.VOIR)
@require_safe
def deposit_corrections(request: HttpRequest, deposit_id: int) -> HttpResponse:
    """The wrong lines as a CSV, always as an attachment."""
    found = _found(deposit_id)
    if not found.path.is_file():
        raise Http404
    try:
        content = corrections(request.organisation, found)
    except BocageError as error:
        steps = ["Déposez à nouveau ce fichier."]
        return error_page(request, 422, "Les lignes à corriger ne se lisent pas", error.message, steps, "Le dépôt est gardé tel quel.")
    response = HttpResponse(content, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="a-corriger-depot-{found.pk}.csv"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


@page(Permission.VOIR)
@require_safe
def deposit_file(request: HttpRequest, deposit_id: int) -> FileResponse:
    """The bytes as received: never shown by the browser, only saved."""
    found = _found(deposit_id)
    try:
        file = found.path.open("rb")
    except OSError:
        raise Http404 from None
    response = FileResponse(file, as_attachment=True, filename=found.filename, content_type="application/octet-stream")
    response["X-Content-Type-Options"] = "nosniff"
    return response


def page_of(things: Any, number: str | None, size: int = PER_PAGE) -> Page[Any]:
    """The page asked for, or the nearest that exists."""
    return Paginator(things, size).get_page(number)


def query(request: HttpRequest) -> str:
    """The filters of the page, to put before « page=2 »."""
    kept = request.GET.copy()
    kept.pop("page", None)
    return f"{kept.urlencode()}&" if kept else ""


def _found(deposit_id: int) -> Deposit:
    try:
        return get_deposit(deposit_id)
    except (UnknownDeposit, OverflowError):
        raise Http404 from None


def _cells(shown: Page[Any], kinds: list[list[str]]) -> Iterator[dict[str, Any]]:
    for line, kind, read in shown:
        column, expected, advice = kinds[kind]
        yield {"line": line, "column": column, "read": read, "expected": expected, "advice": advice}


def _runs_of(found: Deposit) -> list[Any]:
    from bocage.decisions.models import Run

    return list(Run.objects.filter(inputs__deposit=found).only("pk", "state", "requested_at", "organisation_id")[:20])


urlpatterns = [
    path("depots/", deposits, name="deposits"),
    path("depots/<int:deposit_id>/", deposit, name="deposit"),
    path("depots/<int:deposit_id>/corrections.csv", deposit_corrections, name="deposit_corrections"),
    path("depots/<int:deposit_id>/fichier/", deposit_file, name="deposit_file"),
]
