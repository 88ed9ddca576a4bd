"""``bocage demo``: from nothing to a measured result on real data, then the table that says whether it was worth it."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from bocage.cli.django_setup import setup_django
from bocage.cli.output import json_option, out, print_json, progress_bar
from bocage.contract import discovery
from bocage.contract.errors import DataFolderMissing

ORGANISATION = "Pays de Brenoux"


@click.command("demo")
@click.option("--slug", default="eau_demande", show_default=True, help="The use case to show.")
@click.option("--weeks", default=0, show_default=True, help="Earlier weeks to play too (a minute each), and the examples of the others.")
@json_option
def demo_command(slug: str, weeks: int, as_json: bool) -> None:
    """Prepare the database and a demo organisation, run a use case on its demonstration, print what it gains."""
    setup_django(check=False)
    from django.core.management import call_command

    from bocage.organisations.services import ensure_organisation
    from bocage.organisations.tenancy import organisation_context

    call_command("migrate", verbosity=0, interactive=False)
    discovery.load_fiche(slug)
    owner = ensure_organisation(ORGANISATION, "epci")
    _shelve_demo_pages(owner)
    with tempfile.TemporaryDirectory(prefix="bocage-demo-") as folder, organisation_context(owner):
        demo = _files(slug, Path(folder))
        document, gains = _perform(slug, demo, owner, weeks, as_json)
    if as_json:
        print_json({**document, "evaluation": gains})
    elif document["error"]:
        from bocage.cli.render import print_run

        print_run(document)
    else:
        _print(slug, demo.source, document, gains)
    sys.exit(3 if document["error"] else 0)


def _files(slug: str, folder: Path) -> discovery.DemoFiles:
    """Real data written into ``folder`` where the use case knows some, else the example that it carries. Raises ``DataFolderMissing``."""
    write = discovery.load_demo(slug)
    demo = write(folder, 0) if write else discovery.example(slug)
    if demo is None:
        raise DataFolderMissing(f"« {slug} » n’a ni démonstration ni exemple. Essayez : bocage demo --slug eau_demande")
    return demo


def _shelve_demo_pages(owner: Any) -> None:
    """The pages of the demonstration's assistant. The national sheets come with ``bocage assistant import --national``."""
    from bocage.assistant import demo
    from bocage.assistant.library import import_local

    import_local(owner, demo.FOLDER)


def _perform(
    slug: str, demo: discovery.DemoFiles, owner: Any, weeks: int, quiet: bool
) -> tuple[dict[str, Any], dict[str, dict[str, float]]]:
    """Earlier weeks with their decisions, then the last one, left to decide; and what each method was worth on it."""
    from bocage.cli import story
    from bocage.cli.runs import run_document
    from bocage.contract.outcome import Outcome
    from bocage.execution import evaluate
    from bocage.organisations.membership import Role

    # What is only shown on an example is in nobody's service.
    agent = story.settle(owner, slug, publish=discovery.load_demo(slug) is not None)[Role.AGENT]
    folder = next(iter(demo.inputs.values())).parent
    with progress_bar(quiet) as progress:
        story.play_past_weeks(owner, slug, folder, weeks, progress)
        if weeks:
            story.play_examples(owner, slug, agent, progress)
        run = story.play_week(owner, slug, demo, agent, progress)
    gains = {}
    if run.state == run.State.DONE:
        for result in run.results.all():
            outcome = Outcome.from_json(json.dumps(result.outcome))
            gains[result.role] = evaluate(slug, outcome, demo.truth, timezone=owner.time_zone)
    return run_document(run), gains


def _print(slug: str, source: str, document: dict[str, Any], gains: dict[str, dict[str, float]]) -> None:
    from bocage.cli.render import print_gains, print_run

    fiche = discovery.load_fiche(slug)
    out.print(f"{fiche.titre}", style="bold", markup=False)
    out.print(f"Données : {source}\n", markup=False)
    print_run(document)
    out.print()
    print_gains(fiche, gains)
