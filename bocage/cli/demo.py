"""``bocage demo``: from nothing to a measured result on real data, then the table that says whether it was worth it."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from bocage.cli.django_setup import setup_django
from bocage.cli.output import json_option, out, print_json, progress_bar, table
from bocage.contract import discovery
from bocage.contract.errors import DataFolderMissing
from bocage.contract.french import number, percent

ORGANISATION = "Pays de Brenoux"


@click.command("demo")
@click.option("--slug", default="eau_demande", show_default=True, help="The use case to show.")
@json_option
def demo_command(slug: str, as_json: bool) -> None:
    """Prepare the database and a demo organisation, run a use case on real data, print what it gains."""
    setup_django(check=False)
    from django.core.management import call_command

    from bocage.organisations.services import ensure_organisation
    from bocage.organisations.tenancy import organisation_context

    call_command("migrate", verbosity=0, interactive=False)
    owner = ensure_organisation(ORGANISATION, "epci")
    with tempfile.TemporaryDirectory(prefix="bocage-demo-") as folder, organisation_context(owner):
        write = discovery.load_demo(slug)
        if write is None:
            raise DataFolderMissing(f"« {slug} » n’a pas de démonstration. Essayez : bocage demo --slug eau_demande")
        demo = write(Path(folder), 0)
        document, gains = _perform(slug, demo, owner, as_json)
    if as_json:
        print_json({**document, "evaluation": gains})
    elif document["error"]:
        from bocage.cli.render import print_run

        print_run(document)
    else:
        _print(slug, demo.source, document, gains)
    sys.exit(3 if document["error"] else 0)


def _perform(slug: str, demo: discovery.DemoFiles, owner: Any, quiet: bool) -> tuple[dict[str, Any], dict[str, dict[str, float]]]:
    from bocage.cli.runs import run_document
    from bocage.contract.outcome import Outcome
    from bocage.decisions import services
    from bocage.deposits.services import deposit_file
    from bocage.execution import evaluate

    deposits = {name: deposit_file(path, slug, name) for name, path in demo.inputs.items()}
    run = services.create_run(slug, deposits, demo.params)
    with progress_bar(quiet) as progress:
        run = services.perform_run(owner, run.pk, progress)
    gains = {}
    if run.state == run.State.DONE:
        import json

        for result in run.results.all():
            outcome = Outcome.from_json(json.dumps(result.outcome))
            gains[result.role] = evaluate(slug, outcome, demo.truth, timezone=owner.time_zone)
    return run_document(run), gains


def _print(slug: str, source: str, document: dict[str, Any], gains: dict[str, dict[str, float]]) -> None:
    from bocage.cli.render import print_run

    fiche = discovery.load_fiche(slug)
    out.print(f"{fiche.titre}", style="bold", markup=False)
    out.print(f"Données : {source}\n", markup=False)
    print_run(document)
    out.print()
    rows = []
    for metric in gains["engine"]:
        ours, usual = gains["engine"][metric], gains["baseline"].get(metric)
        gap = percent(ours / usual - 1, 1, signed=True) if usual else ""
        rows.append([_metric_title(fiche, metric), number(ours, 2), number(usual, 2) if usual is not None else "", gap])
    columns = [("", "left"), ("Bocage", "right"), ("Habituelle", "right"), ("Écart", "right")]
    table("Comparé à ce qui s’est vraiment passé ensuite", columns, rows)
    out.print(f"Méthode habituelle : {fiche.methode_habituelle}", markup=False, style="dim")


def _metric_title(fiche: Any, metric: str) -> str:
    if metric == fiche.mesure.nom:
        return f"{fiche.mesure.titre} ({fiche.mesure.unite})" if fiche.mesure.unite else fiche.mesure.titre
    return metric.removesuffix("_pct").replace("_", " ").capitalize() + (" (%)" if metric.endswith("_pct") else "")
