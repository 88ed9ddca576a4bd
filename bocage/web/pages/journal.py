"""The journal, for the DPO: what happened, who did it, when; and the proof that nothing was changed."""

from __future__ import annotations

import csv
import io
import tempfile
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.core.paginator import Paginator
from django.db import transaction
from django.http import FileResponse, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from bocage.contract.tables import safe_cell
from bocage.journal.models import Entry
from bocage.journal.reading import Search, events_used, persons_used
from bocage.journal.sentences import label, sentence
from bocage.journal.services import record
from bocage.organisations.membership import Permission
from bocage.register.proof import verify
from bocage.web.access import page

_PER_PAGE = 50
# The last three, with « numero », « personne », « evenement », « donnees » and « empreinte_precedente », are what the hash covers.
_COLUMNS = (
    "numero", "date", "personne", "evenement", "phrase", "donnees", "empreinte_precedente", "empreinte", "instant_utc", "numero_personne",
    "numero_organisation",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One entry as the page shows it; ``at`` and ``when`` are the organisation's time."""

    sequence: int
    at: datetime
    person: str
    event: str
    label: str
    sentence: str
    hash: str

    @property
    def when(self) -> str:
        """« 22/11/2026 08:05:12 »."""
        return f"{self.at:%d/%m/%Y %H:%M:%S}"


@require_safe
@page(Permission.JOURNAL)
def journal(request: HttpRequest) -> HttpResponse:
    """The entries found, newest first, fifty a page."""
    return _page(request)


@require_POST
@page(Permission.JOURNAL)
def check(request: HttpRequest) -> HttpResponse:
    """Verify the whole chain and what is shown with it; say what was found on the journal's page. Nothing is written."""
    return _page(request, {"checked": verify(), "checked_at": timezone.now()})


@require_POST
@page(Permission.JOURNAL)
def export(request: HttpRequest) -> FileResponse:
    """The entries found, oldest first, as CSV. That they were exported is in the journal too, and in the file.

    The file is made on disk: the journal of years does not fit in the memory of a small server.
    """
    search, _ = _search(request.POST, request.organisation.time_zone)
    with transaction.atomic():
        record("journal.exporte", request.user, lignes=search.entries().count(), recherche=_asked(request.POST))
    file = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the response)
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerow(_COLUMNS)
    for entry in search.entries().order_by("sequence").iterator(chunk_size=1000):
        line = _line(entry, request.organisation.time_zone)
        cells = [
            line.at.isoformat(timespec="seconds"),
            line.person,
            line.event,
            line.sentence,
            entry.content,
            entry.previous_hash,
            entry.hash,
            entry.time,
            "" if entry.actor_id is None else str(entry.actor_id),
            str(entry.organisation_id),
        ]
        writer.writerow([entry.sequence, *map(safe_cell, cells)])
    text.detach().seek(0)
    name = f"journal-{request.organisation.slug}.csv"
    return FileResponse(file, as_attachment=True, filename=name, content_type="text/csv; charset=utf-8")


def _page(request: HttpRequest, more: dict[str, Any] | None = None) -> HttpResponse:
    zone = request.organisation.time_zone  # type: ignore[attr-defined]
    search, problem = _search(request.GET, zone)
    pages = Paginator(search.entries(), _PER_PAGE)
    shown = pages.get_page(request.GET.get("page"))
    asked = _asked(request.GET)
    context = {
        "lines": [_line(entry, zone) for entry in shown],
        "page": shown,
        "total": pages.count,
        "empty": not Entry.objects.exists(),
        "asked": asked,
        "query": urlencode(asked),
        "events": events_used(),
        "persons": persons_used(),
        "problem": problem,
        **(more or {}),
    }
    return render(request, "web/journal/journal.html", context, status=422 if problem else 200)


def _asked(query: QueryDict) -> dict[str, str]:
    """The filters that were given, for links, forms and the trace of an export."""
    return {name: query[name].strip()[:100] for name in ("evenement", "personne", "du", "au", "q") if query.get(name, "").strip()}


def _search(query: QueryDict, zone: str) -> tuple[Search, str]:
    asked = _asked(query)
    days: dict[str, date | None] = {}
    problem = ""
    for name in ("du", "au"):
        try:
            days[name] = date.fromisoformat(asked[name]) if name in asked else None
        except ValueError:
            days[name], problem = None, f"La date « {asked[name]} » ne se lit pas. Écrivez AAAA-MM-JJ, par exemple 2026-11-22."
    if days["du"] and days["au"] and days["du"] > days["au"]:
        problem = "La période finit avant de commencer. Échangez les deux dates."
    return Search(asked.get("evenement", ""), asked.get("personne", ""), days["du"], days["au"], asked.get("q", ""), zone), problem


def _line(entry: Entry, zone: str) -> Line:
    return Line(
        entry.sequence,
        entry.at.astimezone(ZoneInfo(zone)),
        entry.actor_name,
        entry.event,
        label(entry.event),
        sentence(entry.event, entry.data),
        entry.hash,
    )


urlpatterns = [
    path("journal/", journal, name="journal"),
    path("journal/verification/", check, name="journal_check"),
    path("journal/export.csv", export, name="journal_export"),
]
