"""``bocage run``, ``bocage runs`` and ``bocage restart``: from files to proposals, and what happened before."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bocage.cli.django_setup import setup_django
from bocage.cli.output import err, json_option, out, print_json, progress_bar, table
from bocage.contract import discovery
from bocage.contract.errors import InvalidParams, MissingInput

if TYPE_CHECKING:
    from bocage.decisions.models import Run

organisation_option = click.option("--organisation", default="", metavar="SLUG", help="Whose run it is. Default: the only one.")


@click.command("run")
@click.argument("slug")
@click.option("--input", "inputs", multiple=True, metavar="NAME=FILE", help="A file for one input (repeatable).")
@click.option("--example", is_flag=True, help="Use the example that comes with the use case.")
@click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="A parameter (repeatable); JSON, or plain text.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="Seed of all randomness.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the whole result there, as JSON.")
@click.option("--enqueue", is_flag=True, help="Leave the run to « bocage worker » instead of performing it now.")
@organisation_option
@json_option
def run_command(
    slug: str,
    inputs: tuple[str, ...],
    example: bool,
    params: tuple[str, ...],
    seed: int,
    output: Path | None,
    enqueue: bool,
    organisation: str,
    as_json: bool,
) -> None:
    """Run a use case and its baseline on your files, and keep the record."""
    discovery.load_fiche(slug)
    files = {**(_example_files(slug) if example else {}), **_input_files(inputs)}
    setup_django()
    from bocage.decisions import intake, services
    from bocage.deposits.services import deposit_file
    from bocage.organisations.services import choose_organisation
    from bocage.organisations.tenancy import organisation_context

    owner = choose_organisation(organisation)
    chosen = _params(params)
    intake.check_request(slug, files, chosen)
    with organisation_context(owner):
        deposits = {name: deposit_file(path, slug, name) for name, path in files.items()}
        make = services.request_run if enqueue else services.create_run
        run = make(slug, deposits, chosen, seed)
        if not enqueue:
            with progress_bar(as_json) as progress:
                run = services.perform_run(owner, run.pk, progress)
        document = run_document(run)
        if output and not enqueue:
            _write_atomically(output, document)
        if as_json:
            print_json(document)
        elif enqueue:
            out.print(f"L’exécution {run.pk} attend un processus « bocage worker ».")
        else:
            from bocage.cli.render import print_run

            print_run(document)
    sys.exit(0 if enqueue else exit_code_of(run))


@click.command("runs")
@organisation_option
@json_option
def runs_command(organisation: str, as_json: bool) -> None:
    """List the last fifty runs of an organisation."""
    setup_django()
    from bocage.decisions.models import Run
    from bocage.decisions.services import mark_interrupted_runs
    from bocage.organisations.services import choose_organisation
    from bocage.organisations.tenancy import organisation_context

    mark_interrupted_runs()
    with organisation_context(choose_organisation(organisation)):
        runs = list(Run.objects.all()[:50])
    if as_json:
        print_json([{"id": r.pk, "usecase": r.usecase, "state": r.state, "error": r.error_message or None} for r in runs])
        return
    if not runs:
        out.print("Aucune exécution pour l’instant. La première : bocage demo")
        return
    rows = [[str(r.pk), r.usecase, r.get_state_display(), f"{r.requested_at:%Y-%m-%d %H:%M}", r.error_message] for r in runs]
    table("Exécutions", [("N°", "right"), ("Cas", "left"), ("État", "left"), ("Demandée (UTC)", "left"), ("", "left")], rows)


@click.command("restart")
@click.argument("run_id", type=int)
@organisation_option
def restart_command(run_id: int, organisation: str) -> None:
    """Put an interrupted or failed run back in the queue."""
    setup_django()
    from bocage.decisions.services import get_run, mark_interrupted_runs, restart_run
    from bocage.organisations.services import choose_organisation
    from bocage.organisations.tenancy import organisation_context

    mark_interrupted_runs()
    with organisation_context(choose_organisation(organisation)):
        restart_run(get_run(run_id))
    out.print(f"L’exécution {run_id} attend un processus « bocage worker ».")


def exit_code_of(run: Run) -> int:
    """0 when the run is done; 1 when the input is at fault; 3 when the engine or the machine is."""
    if run.state == run.State.DONE:
        return 0
    return 3 if run.error_code in ("temps-depasse", "memoire-depassee", "calcul-interrompu", "erreur-moteur") else 1


def run_document(run: Run) -> dict[str, Any]:
    """The whole record of a run, as published by ``--json`` and ``--output``."""
    results = {r.role: r for r in run.results.all()}
    return {
        "run": run.pk,
        "usecase": run.usecase,
        "organisation": run.organisation.slug,
        "state": run.state,
        "error": {"code": run.error_code, "message": run.error_message} if run.error_code else None,
        "params": run.params,
        "seed": run.seed,
        "engine_version": run.engine_version,
        "input_hash": run.input_hash,
        "sandbox": run.sandbox,
        "reports": run.reports,
        "results": {
            role: {
                "seconds": result.seconds,
                "peak_mb": result.peak_mb,
                "energy": {
                    "joules": result.joules,
                    "low": result.joules_low,
                    "high": result.joules_high,
                    "method": result.energy_method,
                    "cpu_seconds": result.cpu_seconds,
                },
                "outcome": result.outcome,
            }
            for role, result in results.items()
        },
        "proposals": list(run.proposals.order_by("rank").values("rank", "subject", "sentence")),
    }


def _input_files(pairs: tuple[str, ...]) -> dict[str, Path]:
    files = {}
    for pair in pairs:
        name, _, path = pair.partition("=")
        if not path:
            raise click.UsageError(f"--input reads NAME=FILE; got « {pair} »")
        if not Path(path).is_file():
            raise MissingInput(f"Le fichier « {path} » donné pour « {name} » n’existe pas. Vérifiez le chemin.")
        files[name] = Path(path)
    return files


def _example_files(slug: str) -> dict[str, Path]:
    found = discovery.example(slug)
    if found is None:
        raise MissingInput(f"« {slug} » n’apporte pas d’exemple. Donnez vos fichiers : --input NOM=FICHIER.")
    return found.inputs


def _params(pairs: tuple[str, ...]) -> dict[str, Any]:
    params: dict[str, Any] = {}
    for pair in pairs:
        name, separator, text = pair.partition("=")
        if not separator:
            raise InvalidParams(f"--param se lit NOM=VALEUR ; lu : « {pair} ».")
        try:
            params[name] = json.loads(text, parse_constant=_refuse)
        except ValueError:
            params[name] = text
    return params


def _refuse(constant: str) -> Any:
    """JSON as the standard defines it: NaN and Infinity are no numbers, and stay the words that were typed."""
    raise ValueError(constant)


def _write_atomically(path: Path, document: dict[str, Any]) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False), encoding="utf-8")
    part.replace(path)
    err.print(f"Résultat écrit dans {path}.", markup=False)
