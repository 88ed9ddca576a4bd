"""What really happened, brought by an agent: the run is measured against it, Bocage beside the usual method."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path

from bocage.contract import discovery
from bocage.contract.errors import BocageError
from bocage.contract.fiche import Fiche
from bocage.decisions.models import Run
from bocage.decisions.services import get_run
from bocage.organisations.membership import Permission
from bocage.register.evaluation import evaluate_run, truth_tables
from bocage.register.models import Evaluation
from bocage.web.access import page
from bocage.web.errors import too_large


@page(Permission.DEPOSER)
def truth(request: HttpRequest, run_id: int) -> HttpResponse:
    """Upload what really happened; then what the run was worth."""
    try:
        run = get_run(run_id)
        fiche = discovery.load_fiche(run.usecase)
    except BocageError:
        raise Http404 from None
    tables, error = _tables(run)
    if request.method == "POST" and tables:
        given = {t["name"]: request.FILES[t["name"]] for t in tables if t["name"] in request.FILES}
        heavy = [f.size for f in given.values() if f.size > settings.UPLOAD_MB << 20]
        if heavy:
            return too_large(request, heavy[0] / (1 << 20), settings.UPLOAD_MB)
        try:
            _evaluate(run, given, request.user)
        except BocageError as refusal:
            error = refusal.message
        else:
            return redirect("web:truth", organisation=request.organisation.slug, run_id=run.pk)
    evaluations = [_shown(e, fiche) for e in Evaluation.objects.filter(run=run).select_related("evaluated_by").order_by("-pk")]
    context = {
        "run": run,
        "fiche": fiche,
        "tables": tables,
        "error": error,
        "evaluations": evaluations,
        "limit_mb": settings.UPLOAD_MB,
        "done": run.state == Run.State.DONE,
    }
    return render(request, "web/register/truth.html", context, status=422 if error and request.method == "POST" else 200)


def _tables(run: Run) -> tuple[list[dict[str, Any]], str]:
    try:
        return truth_tables(run.usecase), ""
    except BocageError as error:
        return [], error.message


def _evaluate(run: Run, given: Mapping[str, UploadedFile[Any]], person: Any) -> Evaluation:
    with tempfile.TemporaryDirectory(prefix="bocage-realite-") as folder:
        files = {}
        for name, upload in given.items():
            # The person's own file name is never a path here: only its suffix tells the format.
            files[name] = Path(folder) / f"{name}{Path(upload.name or '').suffix.lower()[:12]}"
            with files[name].open("wb") as file:
                for chunk in upload.chunks():
                    file.write(chunk)
        return evaluate_run(run, files, person)


def _shown(evaluation: Evaluation, fiche: Fiche) -> dict[str, Any]:
    """One evaluation for the page: the fiche's measure first, then the other figures."""
    mesure = fiche.mesure
    names = sorted(evaluation.engine, key=lambda name: (name != mesure.nom, name))
    rows = [
        {
            "title": mesure.titre if name == mesure.nom else name.replace("_", " ").capitalize(),
            "unit": mesure.unite if name == mesure.nom else "",
            "engine": evaluation.engine[name],
            "baseline": evaluation.baseline.get(name),
        }
        for name in names
    ]
    ours, usual = evaluation.engine.get(mesure.nom), evaluation.baseline.get(mesure.nom)
    sign = 1 if mesure.sens == "min" else -1
    gain = sign * (usual - ours) / abs(usual) if usual and ours is not None else None
    return {"evaluation": evaluation, "rows": rows, "ours": ours, "usual": usual, "gain": gain, "better": gain is not None and gain > 0}


urlpatterns = [path("executions/<int:run_id>/realite/", truth, name="truth")]
