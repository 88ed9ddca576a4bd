"""The operations of /api/v1. One POST …/runs per use case, named after its fiche; everything else is common."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.http import HttpRequest
from ninja import File, Form, NinjaAPI, Status, UploadedFile
from ninja.errors import HttpError
from ninja.pagination import PageNumberPagination, paginate
from pydantic import Field

from bocage import __version__
from bocage.api.assistant import router as assistant_router
from bocage.api.auth import DEPOSIT, READ, REFUSALS, RUN
from bocage.api.errors import answer_errors
from bocage.api.schemas import DecisionOut, DepositOut, DescriptionOut, EvaluationOut, ProposalOut, RunIn, RunOut
from bocage.contract import discovery
from bocage.contract.fiche import Fiche
from bocage.decisions import intake, services
from bocage.decisions.models import Decision, Proposal, Run
from bocage.decisions.saying import moment_of
from bocage.deposits.models import Deposit
from bocage.deposits.services import deposit_file
from bocage.execution import describe
from bocage.register.evaluation import evaluate_run, truth_tables
from bocage.register.models import Evaluation


class Pages(PageNumberPagination):
    """Pages by number; no database is asked for a page that no list has."""

    class Input(PageNumberPagination.Input):
        """Which page."""

        page: int = Field(1, ge=1, le=1_000_000)


api = NinjaAPI(
    title="Bocage",
    version=__version__,
    description="Dépôts, exécutions, propositions et décisions d’une collectivité. Un jeton ne décide pas : une décision a une personne.",
    docs_url=None,
    urls_namespace="api-v1",
)
answer_errors(api)


@api.get(
    "/usecases", auth=READ, response={200: list[Fiche], **REFUSALS}, tags=["catalogue"], summary="Les fiches des cas d’usage installés"
)
def list_usecases(request: HttpRequest) -> list[Fiche]:
    """The public identity cards."""
    return discovery.all_fiches()


@api.get("/usecases/{slug}", auth=READ, response={200: Fiche, **REFUSALS}, tags=["catalogue"], summary="Une fiche")
def get_usecase(request: HttpRequest, slug: str) -> Fiche:
    """One identity card."""
    return discovery.load_fiche(slug)


@api.get(
    "/usecases/{slug}/description",
    auth=READ,
    response={200: DescriptionOut, **REFUSALS},
    tags=["catalogue"],
    summary="Ce qu’un cas d’usage demande : fichiers, colonnes, paramètres",
)
def describe_usecase(request: HttpRequest, slug: str) -> dict[str, Any]:
    """What a run needs, and between which bounds: enough to fill a form, or to check a request before sending it."""
    return describe(slug)


@api.get("/deposits", auth=READ, response={200: list[DepositOut], **REFUSALS}, tags=["dépôts"], summary="Les dépôts, les derniers d’abord")
@paginate(Pages, page_size=100)
def list_deposits(request: HttpRequest) -> Any:
    """The organisation's deposits."""
    return Deposit.objects.all()


@api.post("/deposits", auth=DEPOSIT, response={200: DepositOut, 201: DepositOut, **REFUSALS}, tags=["dépôts"], summary="Déposer un fichier")
def create_deposit(request: HttpRequest, usecase: Form[str], input_name: Form[str], file: File[UploadedFile]) -> Any:
    """Keep a file. Idempotent: the same bytes under the same name are one deposit (200 the second time, 201 the first)."""
    intake.check_input_name(usecase, input_name)
    newest = Deposit.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    with tempfile.TemporaryDirectory() as folder:
        deposit = deposit_file(_keep(file, Path(folder)), usecase, input_name)
    return Status(201 if deposit.pk > newest else 200, deposit)


@api.get("/runs", auth=READ, response={200: list[RunOut], **REFUSALS}, tags=["exécutions"], summary="Les exécutions, les dernières d’abord")
@paginate(Pages, page_size=100)
def list_runs(request: HttpRequest) -> Any:
    """The organisation's runs."""
    return Run.objects.all()


@api.get("/runs/{int:run_id}", auth=READ, response={200: RunOut, **REFUSALS}, tags=["exécutions"], summary="Une exécution")
def get_run(request: HttpRequest, run_id: int) -> Run:
    """Where a run stands."""
    return services.get_run(run_id)


@api.post(
    "/runs/{int:run_id}/restart",
    auth=RUN,
    response={200: RunOut, **REFUSALS},
    tags=["exécutions"],
    summary="Relancer une exécution arrêtée",
)
def restart_run(request: HttpRequest, run_id: int) -> Run:
    """Put an interrupted or failed run back in the queue."""
    run = services.get_run(run_id)
    services.restart_run(run)
    return services.get_run(run_id)


@api.get(
    "/runs/{int:run_id}/proposals", auth=READ, response={200: list[ProposalOut], **REFUSALS}, tags=["décisions"], summary="Les propositions"
)
@paginate(Pages, page_size=100)
def list_proposals(request: HttpRequest, run_id: int) -> Any:
    """What the machine proposes, ranked."""
    return Proposal.objects.filter(run=services.get_run(run_id))


@api.get(
    "/runs/{int:run_id}/decisions", auth=READ, response={200: list[DecisionOut], **REFUSALS}, tags=["décisions"], summary="La liste décidée"
)
def list_decisions(request: HttpRequest, run_id: int) -> list[dict[str, Any]]:
    """What people decided: the only list that leaves the system."""
    standing = Decision.objects.filter(proposal__run=services.get_run(run_id), replaced_by__isnull=True).select_related(
        "proposal", "person"
    )
    return [
        {
            "proposal": d.proposal_id,
            "subject": d.proposal.subject,
            "action": d.proposal.action,
            "when": str(moment_of(d.proposal) or ""),
            "verdict": d.verdict,
            "value": d.value,
            "unit": d.proposal.unit,
            "reason": d.reason,
            "person": d.person.name,
            "decided_at": d.decided_at,
        }
        for d in standing.order_by("proposal__rank")
    ]


@api.get(
    "/runs/{int:run_id}/evaluations",
    auth=READ,
    response={200: list[EvaluationOut], **REFUSALS},
    tags=["mesures"],
    summary="Ce que valait une exécution, la méthode habituelle à côté",
)
def list_evaluations(request: HttpRequest, run_id: int) -> Any:
    """The run measured against what really happened, the latest first: that one stands, and the register shows it."""
    return Evaluation.objects.filter(run=services.get_run(run_id)).order_by("-pk")


@api.post(
    "/runs/{int:run_id}/evaluations",
    auth=DEPOSIT,
    response={200: EvaluationOut, 201: EvaluationOut, **REFUSALS},
    tags=["mesures"],
    summary="Apporter ce qui s’est vraiment passé",
)
def create_evaluation(request: HttpRequest, run_id: int, names: Form[list[str]], files: File[list[UploadedFile]]) -> Any:
    """Measure a run. One name per file, in the same order. The evaluation stands, whatever stood before (201); the one that stands already
    is given back (200)."""
    run = services.get_run(run_id)
    known = {table["name"] for table in truth_tables(run.usecase)}
    if len(names) != len(files) or len(set(names)) != len(names) or not set(names) <= known:
        raise HttpError(
            422, f"Il faut un fichier par nom, chacun une fois, parmi {', '.join(sorted(known))}. Lu : {', '.join(names)[:200]}."
        )
    newest = Evaluation.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: _keep(file, Path(folder), name) for name, file in zip(names, files, strict=True)}
        evaluation = evaluate_run(run, paths, names={name: _plain_name(file.name) for name, file in zip(names, files, strict=True)})
    return Status(201 if evaluation.pk > newest else 200, evaluation)


def _keep(file: UploadedFile, folder: Path, stem: str = "") -> Path:
    """Write an upload, whose weight was counted while it arrived, into ``folder``: under ``stem`` and its own suffix, or its own name."""
    name = _plain_name(file.name) or "fichier"
    path = folder / (f"{stem}{Path(name).suffix.lower()[:12]}" if stem else name)
    with path.open("wb") as writer:
        for chunk in file.chunks():
            writer.write(chunk)
    return path


def _start_of(slug: str) -> Callable[[HttpRequest, RunIn], Any]:
    def start_run(request: HttpRequest, body: RunIn) -> Any:
        deposits = {d.pk: d for d in Deposit.objects.filter(pk__in=body.deposits.values(), usecase=slug)}
        absent = [f"{name} : {pk}" for name, pk in body.deposits.items() if pk not in deposits]
        if absent:
            raise HttpError(404, f"Ces dépôts n’existent pas pour « {slug} » : {', '.join(absent)}.")
        intake.check_request(slug, body.deposits, body.params)
        return Status(201, services.request_run(slug, {name: deposits[pk] for name, pk in body.deposits.items()}, body.params, body.seed))

    return start_run


def _plain_name(name: str | None) -> str:
    """The file's own name, without any folder, NUL or control character, short enough for every disk."""
    kept = "".join(c for c in (name or "").replace("\\", "/").rsplit("/", 1)[-1] if c.isprintable())
    return kept.strip(". ").encode()[-200:].decode(errors="ignore")


for _fiche in discovery.all_fiches():
    api.post(
        f"/usecases/{_fiche.slug}/runs",
        auth=RUN,
        response={201: RunOut, **REFUSALS},
        tags=[_fiche.slug],
        operation_id=f"run_{_fiche.slug}",
        summary=f"Lancer : {_fiche.titre}",
        description=(
            f"{_fiche.finalite}\n\nMéthode habituelle, calculée à côté : {_fiche.methode_habituelle}\n\n"
            f"Fichiers et paramètres : GET /api/v1/usecases/{_fiche.slug}/description."
        ),
    )(_start_of(_fiche.slug))

api.add_router("", assistant_router)
