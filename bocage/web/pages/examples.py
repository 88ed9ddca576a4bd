"""The example of a use case: its files to look at, and a run of it in one click, for who has no file at hand yet."""

from __future__ import annotations

from pathlib import Path

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.views.decorators.http import require_POST, require_safe

from bocage.contract import discovery
from bocage.contract.errors import BocageError
from bocage.decisions import intake
from bocage.decisions.services import get_run
from bocage.organisations.membership import Permission
from bocage.register.evaluation import evaluate_run
from bocage.web.access import page


@page(Permission.DEPOSER)
@require_POST
def start_example(request: HttpRequest, slug: str) -> HttpResponse:
    """Start the calculation on the example."""
    _known(slug)
    try:
        run = intake.start_example(request.organisation, slug, request.user)
    except BocageError as error:
        messages.error(request, error.message)
        return redirect("web:usecase", organisation=request.organisation.slug, slug=slug)
    return redirect("web:run", organisation=request.organisation.slug, run_id=run.pk)


@page(Permission.DEPOSER)
@require_safe
def example_file(request: HttpRequest, slug: str, input_name: str) -> HttpResponse | FileResponse:
    """One file of the example, always as a download."""
    _known(slug)
    found = {**discovery.example_truth(slug), **discovery.example_inputs(slug)}.get(input_name)
    if found is None:
        raise Http404
    return FileResponse(found.open("rb"), as_attachment=True, filename=f"exemple-{found.name}", content_type="application/octet-stream")


@page(Permission.DEPOSER)
@require_POST
def example_truth(request: HttpRequest, run_id: int) -> HttpResponse:
    """Compare a run of the example with what the example says happened afterwards."""
    try:
        run = get_run(run_id)
    except BocageError:
        raise Http404 from None
    files = truth_of_example(run.usecase) if run.example else {}
    if not files:
        raise Http404
    try:
        evaluate_run(run, files, request.user, {name: f"exemple-{path.name}" for name, path in files.items()})
    except BocageError as error:
        messages.error(request, error.message)
    return redirect("web:truth", organisation=request.organisation.slug, run_id=run.pk)


def truth_of_example(slug: str) -> dict[str, Path]:
    """The truth of the example by name; empty where there is none, or where the use case no longer reads."""
    try:
        return discovery.example_truth(slug)
    except BocageError:
        return {}


def source_of_example(slug: str) -> str:
    """What the example of ``slug`` is (« données simulées »); empty where there is none."""
    try:
        example = discovery.example(slug)
    except BocageError:
        return ""
    return example.source if example else ""


def _known(slug: str) -> None:
    try:
        discovery.load_fiche(slug)
    except BocageError:
        raise Http404 from None


urlpatterns = [
    path("cas-d-usage/<slug:slug>/exemple/", start_example, name="start_example"),
    path("cas-d-usage/<slug:slug>/exemple/<slug:input_name>", example_file, name="example_file"),
    path("executions/<int:run_id>/realite/exemple/", example_truth, name="example_truth"),
]
