"""Proposals and decisions: what waits, the ranked list with one proposal open, the form, the batch, and the list to take away."""

from __future__ import annotations

import re
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from bocage.contract import discovery
from bocage.contract.errors import BocageError
from bocage.contract.fiche import Fiche
from bocage.contract.french import count
from bocage.decisions.decide import AlreadyDecided, DecisionRefused, NotADecider, decide, decide_batch, is_number
from bocage.decisions.exports import NothingDecided, UnknownFormat, export_decisions
from bocage.decisions.models import Decision, Proposal, Run
from bocage.decisions.proposals import standing_decisions, undecided_count, undecided_runs
from bocage.decisions.repeats import decided_twin
from bocage.decisions.saying import name_of
from bocage.decisions.services import UnknownRun, get_run
from bocage.decisions.totals import disagreements
from bocage.organisations.membership import Membership, Permission, Role
from bocage.web.access import page
from bocage.web.lines import amount
from bocage.web.pages.deposits import page_of, query
from bocage.web.pages.examples import source_of_example
from bocage.web.proposal_list import Selection, Typed, list_context

# Fifteen figures: beyond, a float no longer holds them all.
_NUMBER = re.compile(r"[+-]?\d{1,15}(?:\.\d{0,15})?")
_MAX_WARNINGS = 3
_RUNS_A_PAGE = 25
_TWO_READINGS = re.compile(r"([+-]?[1-9]\d{0,2})\.(\d{3})")
_SPACES = str.maketrans({" ": "", "\u00a0": "", "\u202f": "", "\u2009": "", "\u2212": "-"})


@require_GET
@page(Permission.VOIR)
def to_decide(request: HttpRequest) -> HttpResponse:
    """Runs with proposals that wait for a person, by use case, the oldest first (or the latest), some at a time."""
    latest_first = request.GET.get("ordre") == "recentes"
    found = undecided_runs().select_related("requested_by").defer("reports", "params")
    shown = page_of(found if latest_first else found.reverse(), request.GET.get("page"), _RUNS_A_PAGE)
    groups: dict[str, dict[str, Any]] = {}
    for run in shown:
        group = groups.setdefault(run.usecase, {"title": title_of(run.usecase), "runs": []})
        group["runs"].append(run)
    context = {
        "groups": list(groups.values()),
        "page": shown,
        "query": query(request),
        "latest_first": latest_first,
        "waiting": undecided_count(),
        "deciders": deciders(),
        "decided_runs": Decision.objects.exists(),
    }
    return render(request, "web/decisions/to_decide.html", context)


@require_GET
@page(Permission.VOIR)
def proposals(request: HttpRequest, run_id: int) -> HttpResponse:
    """The ranked list of a run, the first undecided proposal open."""
    return _show(request, _run(run_id), Selection.of(request.GET))


@require_http_methods(["GET", "HEAD", "POST"])
@page(Permission.VOIR)
def proposal(request: HttpRequest, run_id: int, rank: int) -> HttpResponse:
    """The same list with proposal ``rank`` open; a POST is the decision on it."""
    run, selection = _run(run_id), Selection.of(request.GET)
    chosen = Proposal.objects.filter(run=run, rank=rank).first()
    if chosen is None:
        raise Http404
    if request.method == "POST":
        return _decide(request, run, chosen, selection)
    return _show(request, run, selection, chosen, Typed(revising="revenir" in request.GET))


def _decide(request: HttpRequest, run: Run, chosen: Proposal, selection: Selection) -> HttpResponse:
    seen = request.POST.get("vu", "")
    post = request.POST
    typed = Typed(post.get("verdict", ""), post.get("valeur", ""), post.get("motif", ""), revising=bool(seen))
    order = selection.order(run)
    try:
        if seen and not seen.isdecimal():
            raise DecisionRefused("Le formulaire est abîmé. Relisez la proposition et recommencez.")
        value = amended_value(typed.value, chosen) if typed.verdict == Decision.Verdict.AMEND else None
        sure = bool(typed.value) and post.get("confirme", "") == typed.value
        decision = decide(chosen, request.user, typed.verdict, value, typed.reason, int(seen) if seen else None, sure=sure)
    except NotADecider as error:
        raise PermissionDenied(error.message) from None
    except (DecisionRefused, AlreadyDecided) as error:
        return _show(request, run, selection, chosen, typed.with_error(error), status=422)
    kept = amount(decision.value, chosen.unit)
    said = f"{name_of(chosen)} : {decision.get_verdict_display().lower()}{', ' if kept else ''}{kept}"
    messages.success(request, f"Décision enregistrée. {said}.")
    _warn_of_totals(request, run, [chosen])
    return redirect(_next_url(run, selection, order, chosen))


def _warn_of_totals(request: HttpRequest, run: Run, decided: list[Proposal]) -> None:
    """Tell which totals no longer agree with the lines that they were the sum of, now that ``decided`` are decided."""
    every = Proposal.objects.filter(run=run).defer("geometry", "sentence").order_by("rank")
    told = list(disagreements(every, standing_decisions(run), touching=[p.pk for p in decided]).values())
    for sentence in told[:_MAX_WARNINGS]:
        messages.warning(request, sentence)
    if len(told) > _MAX_WARNINGS:
        others = count(len(told) - _MAX_WARNINGS, "autre total ne s’accorde plus", "autres totaux ne s’accordent plus")
        messages.warning(request, f"{others} avec ses lignes : la liste à emporter les signale.")


def amended_value(text: str, chosen: Proposal) -> float | str:
    """What was typed as the retained value: « 1 240,5 » or « 1240,5 m³ » as a number where a number was proposed, else text.

    Raises ``DecisionRefused`` for « 1.240 »: some mean a thousand, others one and a quarter.
    """
    text = text.strip()
    if not is_number(chosen.value):
        return text
    digits = (text.removesuffix(chosen.unit) if chosen.unit else text).translate(_SPACES)
    if two := _TWO_READINGS.fullmatch(digits):
        raise DecisionRefused(f"« {text} » se lit de deux façons. Écrivez {two[1]} {two[2]}, ou {two[1]},{two[2]}.", "valeur")
    digits = digits.replace(",", ".")
    if not _NUMBER.fullmatch(digits):
        return text
    return float(digits) if "." in digits else int(digits)


def _next_url(run: Run, selection: Selection, order: list[Proposal], chosen: Proposal) -> str:
    """The next undecided proposal in the reader's own order, or the list once all are decided."""
    ids = [p.pk for p in order]
    start = ids.index(chosen.pk) + 1 if chosen.pk in ids else 0
    standing = standing_decisions(run)
    following = next((p for p in order[start:] + order[:start] if p.pk not in standing), None)
    where = {"organisation": run.organisation.slug, "run_id": run.pk}
    if following is None:
        # A browser keeps the fragment of the form, the line just decided: what is said at the top of the list would be out of sight.
        return reverse("web:proposals", kwargs=where) + "#contenu"
    return f"{reverse('web:proposal', kwargs={**where, 'rank': following.rank})}{selection.query()}#proposition-{following.rank}"


@require_POST
@page(Permission.VOIR)
def batch(request: HttpRequest, run_id: int) -> HttpResponse:
    """One verdict for the lines that were ticked, all of them shown to this person before."""
    run, selection = _run(run_id), Selection.of(request.GET)
    ranks = [int(text) for text in request.POST.getlist("rang")[:200] if text.isdecimal() and len(text) < 9]
    typed = Typed(verdict=request.POST.get("verdict", ""), reason=request.POST.get("motif", ""), ticked=tuple(ranks))
    chosen = list(Proposal.objects.filter(run=run, rank__in=ranks).select_related("run"))
    try:
        decisions = decide_batch(chosen, request.user, typed.verdict, typed.reason)
    except NotADecider as error:
        raise PermissionDenied(error.message) from None
    except (DecisionRefused, AlreadyDecided) as error:
        return _show(request, run, selection.ticking(), typed=typed.with_error(error), status=422)
    verb = "acceptée" if typed.verdict == Decision.Verdict.ACCEPT else "refusée"
    messages.success(request, f"Décisions enregistrées : {count(len(decisions), f'proposition {verb}', f'propositions {verb}s')}.")
    _warn_of_totals(request, run, chosen)
    return redirect("web:proposals", organisation=run.organisation.slug, run_id=run.pk)


@require_GET
@page(Permission.VOIR)
def decisions_export(request: HttpRequest, run_id: int, kind: str) -> HttpResponse:
    """The decided list as a file; journalled."""
    run = _run(run_id)
    try:
        file = export_decisions(run, request.user, kind, title_of(run.usecase))
    except UnknownFormat:
        raise Http404 from None
    except NothingDecided as error:
        messages.error(request, error.message)
        return redirect("web:proposals", organisation=run.organisation.slug, run_id=run.pk)
    response = HttpResponse(file.content, content_type=file.content_type)
    response["Content-Disposition"] = f'attachment; filename="{file.name}"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


def _show(
    request: HttpRequest, run: Run, selection: Selection, chosen: Proposal | None = None, typed: Typed | None = None, status: int = 200
) -> HttpResponse:
    context = list_context(request, run, selection, chosen, typed or Typed())
    context |= {"title": title_of(run.usecase), "fiche": fiche_of(run.usecase), "deciders": deciders(), "twin": decided_twin(run)}
    context["example"] = source_of_example(run.usecase) if run.example else ""
    # A message stands beside the open proposal: the reader is sent there, not to the top of the page.
    context["notices"] = list(messages.get_messages(request)) if context["open"] else []
    return render(request, "web/decisions/proposals.html", context, status=status)


def _run(run_id: int) -> Run:
    try:
        return get_run(run_id)
    except UnknownRun:
        raise Http404 from None


def fiche_of(slug: str) -> Fiche | None:
    """The fiche of a use case, or None when it was uninstalled since."""
    try:
        return discovery.load_fiche(slug)
    except BocageError:
        return None


def title_of(slug: str) -> str:
    """What people call the use case."""
    fiche = fiche_of(slug)
    return fiche.titre if fiche else slug


def deciders() -> list[Membership]:
    """Who decides in the organisation in context, by name."""
    return list(Membership.objects.filter(role=Role.DECIDEUR, user__is_active=True).select_related("user").order_by("user__name"))


urlpatterns = [
    path("a-decider/", to_decide, name="to_decide"),
    path("executions/<int:run_id>/propositions/", proposals, name="proposals"),
    path("executions/<int:run_id>/propositions/lot/", batch, name="decide_batch"),
    path("executions/<int:run_id>/propositions/decisions.<slug:kind>", decisions_export, name="decisions_export"),
    path("executions/<int:run_id>/propositions/<int:rank>/", proposal, name="proposal"),
]
