"""What really happened, brought by an agent: the run is measured against it, Bocage beside the usual method."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path

from bocage.contract import discovery
from bocage.contract.errors import BocageError
from bocage.contract.fiche import Fiche
from bocage.decisions.models import Run
from bocage.decisions.services import get_run
from bocage.organisations.membership import Permission
from bocage.register import figures
from bocage.register.evaluation import evaluate_run, standing_evaluation, truth_tables
from bocage.register.models import Evaluation
from bocage.web.access import page
from bocage.web.errors import too_large
from bocage.web.pages.examples import truth_of_example


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
        before = standing_evaluation(run)
        try:
            after = _evaluate(run, given, request.user)
        except BocageError as refusal:
            error = refusal.message
        else:
            if after == before:
                messages.success(request, "Rien n’a changé : cette mesure est déjà celle qui fait foi.")
            return redirect("web:truth", organisation=request.organisation.slug, run_id=run.pk)
    standing = standing_evaluation(run)
    former = [_shown(e, fiche) for e in _all(run) if e != standing]
    shown = _shown(standing, fiche) if standing else None
    context = {
        "run": run,
        "fiche": fiche,
        "tables": tables,
        "error": error,
        "shown": shown,
        "former": former,
        # The last truth stands, whatever it covers: that it covers less than the one before is to be seen at once.
        "wider": former[0] if shown and former and (former[0]["share"] or 0.0) > (shown["share"] or 1.0) else None,
        "usual_method": fiche.methode_habituelle.rstrip("."),
        "limit_mb": settings.UPLOAD_MB,
        "done": run.state == Run.State.DONE,
        "example_truth": truth_of_example(run.usecase),
    }
    return render(request, "web/register/truth.html", context, status=422 if error and request.method == "POST" else 200)


def _all(run: Run) -> QuerySet[Evaluation]:
    found: QuerySet[Evaluation] = Evaluation.objects.filter(run=run).select_related("evaluated_by").order_by("-pk")
    return found


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
        return evaluate_run(run, files, person, {name: upload.name or name for name, upload in given.items()})


def _shown(evaluation: Evaluation, fiche: Fiche) -> dict[str, Any]:
    """One evaluation for the page: how much was compared, the fiche's measure, the other figures, what was read."""
    mesure, engine = fiche.mesure, evaluation.engine
    ours, usual = engine.get(mesure.nom), evaluation.baseline.get(mesure.nom)
    share = figures.share_covered(engine)
    sign = 1 if mesure.sens == "min" else -1
    gain = sign * (usual - ours) / abs(usual) if usual and ours is not None else None
    names = sorted(figures.of_the_method(engine), key=lambda name: name != mesure.nom)
    return {
        "evaluation": evaluation,
        "rows": [_row(evaluation, name, fiche) for name in names],
        "observed": [{**_named(name, fiche), "value": engine[name]} for name in figures.observed(engine)],
        "coverage": ", ".join(map(str, figures.coverages(engine))),
        "share": share,
        "partial": share is not None and share < 1,
        "ours": ours,
        "usual": usual,
        "gain": gain,
        "better": gain is not None and gain > 0,
        "files": ", ".join(f"« {report['file']} »" for report in evaluation.reading),
    }


def _row(evaluation: Evaluation, name: str, fiche: Fiche) -> dict[str, Any]:
    """One figure of the methods, side by side."""
    decided = (evaluation.decided or {}).get(name)
    return {**_named(name, fiche), "engine": evaluation.engine[name], "baseline": evaluation.baseline.get(name), "decided": decided}


def _named(name: str, fiche: Fiche) -> dict[str, str]:
    title, unit = (fiche.mesure.titre, fiche.mesure.unite) if name == fiche.mesure.nom else figures.title(name)
    return {"title": title, "unit": unit}


urlpatterns = [path("executions/<int:run_id>/realite/", truth, name="truth")]
