"""A use case, its runs and their progress."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST, require_safe

from bocage.contract import discovery
from bocage.contract.errors import BocageError, InvalidParams, InvalidUseCase, UnknownUseCase
from bocage.contract.fiche import Fiche
from bocage.decisions import intake
from bocage.decisions.models import RoleResult, Run
from bocage.decisions.proposals import undecided_count
from bocage.decisions.repeats import decided_on, decided_twin
from bocage.decisions.services import RunNotRestartable, RunNotStoppable, mark_interrupted_runs, restart_run, stop_run
from bocage.deposits.models import Deposit
from bocage.deposits.services import last_deposits
from bocage.execution import describe
from bocage.execution.params import faults
from bocage.organisations.membership import Permission
from bocage.register.models import Evaluation, Publication
from bocage.web import param_form, run_view
from bocage.web.access import page
from bocage.web.pages.deposits import LICENCES, Received, page_of, query, receive, summary
from bocage.web.pages.examples import source_of_example

_LAST_RUNS = 5


def usecase(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    """The use-case page; posting to it deposits files."""
    return (_receive if request.method == "POST" else _show)(request, **kwargs)


usecase.permission = Permission.VOIR  # type: ignore[attr-defined]


@page(Permission.VOIR)
@require_safe
def _show(request: HttpRequest, slug: str) -> HttpResponse:
    return _usecase_page(request, _fiche(slug), _chosen(slug, request.GET.getlist("depot")))


@page(Permission.DEPOSER)
def _receive(request: HttpRequest, slug: str) -> HttpResponse:
    """Keep and read what the form brings, then show its report; what was right is kept even when the rest is not."""
    fiche = _fiche(slug)
    try:
        asked = describe(slug)
    except BocageError:
        return _usecase_page(request, fiche, [], status=422)
    received = receive(request, slug, asked)
    if received.faults:
        return _usecase_page(request, fiche, list(received.deposits.values()), received, 422)
    chosen = urlencode([("depot", deposit.pk) for deposit in received.deposits.values()])
    return redirect(f"{_url(request, 'usecase', slug=slug)}?{chosen}#deposer")


@page(Permission.DEPOSER)
@require_POST
def start_run(request: HttpRequest, slug: str) -> HttpResponse:
    """Start the calculation on the deposits shown."""
    fiche = _fiche(slug)
    chosen = _chosen(slug, request.POST.getlist("depot"))
    wrong: dict[str, str] = {}
    try:
        schema = describe(slug)["params"]
        given = param_form.given(schema, request.POST)
        wrong = faults(schema, given)
        run = intake.start(slug, chosen, given, request.user)
    except BocageError as error:
        beside = wrong and isinstance(error, InvalidParams)
        said = "Le calcul n’est pas lancé : un paramètre est à corriger ci-dessous." if beside else error.message
        return _usecase_page(request, fiche, chosen, Received({}, {"": said}), 422, wrong)
    return redirect("web:run", organisation=request.organisation.slug, run_id=run.pk)


def _usecase_page(
    request: HttpRequest,
    fiche: Fiche,
    chosen: list[Deposit],
    received: Received | None = None,
    status: int = 200,
    wrong: Mapping[str, str] | None = None,
) -> HttpResponse:
    """The page, with what the person typed; ``wrong`` says what is wrong with it, by parameter."""
    asked, absent = _asked(fiche.slug)
    misread = received.faults if received else {}
    took = {d.input_name: d.pk for d in chosen}
    reports = [summary(deposit) for deposit in chosen]
    missing = intake.missing_inputs(asked, took) if asked else []
    runs = list(Run.objects.filter(usecase=fiche.slug).select_related("requested_by").defer("reports", "params")[:_LAST_RUNS])
    context = {
        "fiche": fiche,
        "publication": Publication.objects.filter(usecase=fiche.slug).first(),
        "absent": absent,
        "example": source_of_example(fiche.slug),
        "inputs": _inputs(fiche.slug, (asked or {}).get("inputs", []), misread, took),
        "licences": LICENCES,
        "may_deposit": Permission.DEPOSER in request.granted,
        "fault": misread.get("", ""),
        "reports": reports,
        "twin": decided_on(fiche.slug, chosen),
        "ready": bool(reports) and not missing and all(r["usable"] for r in reports),
        "missing": missing,
        "kept": sum(r["kept"] for r in reports),
        "wrong": sum(r["wrong"] for r in reports),
        "upload_mb": settings.UPLOAD_MB,
        "params": param_form.fields_of(asked["params"], request.POST, wrong) if asked else [],
        "params_open": bool(wrong),
        "rows": _with_errors(run_view.rows(runs), fiche),
        "active": [r for r in runs if r.state in run_view.ACTIVE],
        "undecided": undecided_count(fiche.slug),
    }
    return render(request, "web/runs/usecase.html", context, status=status)


def _inputs(slug: str, asked: list[dict[str, Any]], misread: Mapping[str, str], took: Mapping[str, int]) -> list[dict[str, Any]]:
    """What the form shows of each input that is asked: its last deposit, what is wrong with the one brought, whether an example exists."""
    last, examples = last_deposits(slug, [entry["name"] for entry in asked]), discovery.example_inputs(slug)
    return [
        {**entry, "last": last.get(name), "fault": misread.get(name, ""), "taken": took.get(name), "example": name in examples}
        for entry in asked
        for name in [entry["name"]]
    ]


def _asked(slug: str) -> tuple[dict[str, Any] | None, str]:
    """What the use case asks for, or the sentence that says why it cannot be used here."""
    try:
        return describe(slug), ""
    except BocageError as error:
        return None, error.message


def _with_errors(rows: list[dict[str, Any]], fiche: Fiche) -> list[dict[str, Any]]:
    name = fiche.mesure.nom
    for row in rows:
        evaluation: Evaluation | None = row["evaluation"]
        row["engine"] = evaluation.engine.get(name) if evaluation else None
        row["baseline"] = evaluation.baseline.get(name) if evaluation else None
    return rows


@page(Permission.VOIR)
@require_safe
def runs(request: HttpRequest) -> HttpResponse:
    """Every run of the organisation, the latest first."""
    usecase, state = request.GET.get("cas", "").replace("\x00", "")[:40], request.GET.get("etat", "")
    found = Run.objects.select_related("requested_by").defer("reports", "params")
    if usecase:
        found = found.filter(usecase=usecase)
    if state in Run.State.values:
        found = found.filter(state=state)
    titles = {fiche.slug: fiche.titre for fiche in discovery.all_fiches()}
    shown = page_of(found, request.GET.get("page"), 25)
    rows = [{**row, "title": titles.get(row["run"].usecase, row["run"].usecase)} for row in run_view.rows(shown)]
    context = {
        "rows": rows,
        "page": shown,
        "query": query(request),
        "titles": titles,
        "usecase": usecase,
        "state": state,
        "states": Run.State.choices,
        "any": bool(usecase or state),
    }
    return render(request, "web/runs/list.html", context)


@page(Permission.VOIR)
@require_safe
def run(request: HttpRequest, run_id: int) -> HttpResponse:
    """One run: its progress, then its results."""
    return _run_page(request, _run(run_id))


def _run_page(request: HttpRequest, found: Run, fault: str = "", status: int = 200) -> HttpResponse:
    done = found.state == Run.State.DONE
    engine = RoleResult.objects.filter(run=found, role="engine").first() if done else None
    outcome = engine.outcome if engine else None
    titles = {fiche.slug: fiche.titre for fiche in discovery.all_fiches()}
    context = {
        "run": found,
        "title": titles.get(found.usecase, found.usecase),
        "known": found.usecase in titles,
        "fault": fault,
        **_progress(found),
        "example": source_of_example(found.usecase) if found.example else "",
        "inputs": list(found.inputs.select_related("deposit").defer("deposit__details")),
        "costs": run_view.costs(found),
        "notes": (outcome or {}).get("notes", []),
        "row": run_view.rows([found])[0],
        "twin": decided_twin(found) if done else None,
        **run_view.artifacts(outcome, request.GET.get("objet", ""), request.GET.get("page")),
        "query": query(request),
        "may_start": Permission.DEPOSER in request.granted,
        "restartable": found.state in (Run.State.INTERRUPTED, Run.State.FAILED) and intake.may_end_otherwise(found),
    }
    return render(request, "web/runs/run.html", context, status=status)


def _progress(found: Run) -> dict[str, Any]:
    """How far the run is; and, when it waits for long, whether that is because others are being computed."""
    progress = run_view.progress(found)
    return {"progress": progress, "busy": progress["slow"] and intake.others_running()}


@page(Permission.VOIR)
@require_safe
def run_progress(request: HttpRequest, run_id: int) -> HttpResponse:
    """The moving part of a run, asked every two seconds; once the run has ended, the page is to be loaded anew."""
    found = _run(run_id)
    context = {"run": found, **_progress(found)}
    # Said aloud at each new step only: every two seconds would be a noise.
    progress = context["progress"]
    if str(progress["step"]) != request.GET.get("etape", ""):
        context["reached"] = progress["steps"][progress["step"]]["text"]
    response = render(request, "web/runs/progress.html", context)
    response["Cache-Control"] = "no-store"
    if found.state not in run_view.ACTIVE:
        response["HX-Refresh"] = "true"
    return response


@page(Permission.DEPOSER)
@require_POST
def run_stop(request: HttpRequest, run_id: int) -> HttpResponse:
    """Stop the calculation."""
    found = _run(run_id)
    try:
        stop_run(found, request.user)
    except RunNotStoppable as error:
        return _run_page(request, found, error.message, 422)
    return redirect("web:run", organisation=request.organisation.slug, run_id=found.pk)


@page(Permission.DEPOSER)
@require_POST
def run_restart(request: HttpRequest, run_id: int) -> HttpResponse:
    """Put a stopped or failed run back in the queue."""
    mark_interrupted_runs()
    found = _run(run_id)
    try:
        restart_run(found, request.user)
    except RunNotRestartable as error:
        return _run_page(request, found, error.message, 422)
    return redirect("web:run", organisation=request.organisation.slug, run_id=found.pk)


def _run(run_id: int) -> Run:
    found: Run | None = Run.objects.filter(pk=run_id).select_related("requested_by").defer("reports").first()
    if found is None:
        raise Http404
    return found


def _fiche(slug: str) -> Fiche:
    try:
        return discovery.load_fiche(slug)
    except (UnknownUseCase, InvalidUseCase):
        raise Http404 from None


def _chosen(slug: str, ids: list[str]) -> list[Deposit]:
    """The deposits named by a form or an address, one per input, of this use case and organisation only."""
    numbers = [int(each[:18]) for each in ids[:20] if each.isascii() and each.isdecimal()]
    found = Deposit.objects.filter(pk__in=numbers, usecase=slug).select_related("deposited_by").defer("details").order_by("pk")
    return list({deposit.input_name: deposit for deposit in found}.values())


def _url(request: HttpRequest, name: str, **kwargs: Any) -> str:
    return reverse(f"web:{name}", kwargs={"organisation": request.organisation.slug, **kwargs})


urlpatterns = [
    path("cas-d-usage/<slug:slug>/", usecase, name="usecase"),
    path("cas-d-usage/<slug:slug>/calculer/", start_run, name="start_run"),
    path("executions/", runs, name="runs"),
    path("executions/<int:run_id>/", run, name="run"),
    path("executions/<int:run_id>/progression/", run_progress, name="run_progress"),
    path("executions/<int:run_id>/arreter/", run_stop, name="run_stop"),
    path("executions/<int:run_id>/relancer/", run_restart, name="run_restart"),
]
