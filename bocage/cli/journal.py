"""``bocage journal verify`` and ``bocage journal anchor``: proving that the journal was not changed, and publishing where it stands."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from bocage.cli.django_setup import setup_django
from bocage.cli.output import json_option, out, print_json
from bocage.contract.french import count

organisation_option = click.option("--organisation", default="", metavar="SLUG", help="Whose journal. Default: all of them.")


@click.group("journal")
def journal_command() -> None:
    """Prove that the journal was not changed, and publish where it stands."""


@journal_command.command("verify")
@organisation_option
@click.option(
    "--anchors",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Anchors kept elsewhere: the register's JSON, or a list.",
)
@json_option
def verify_command(organisation: str, anchors: Path | None, as_json: bool) -> None:
    """Check every entry, the head and the published anchors, then decisions, measures and publications against their entries. Exit 0 when
    all is sound, 1 when not."""
    setup_django()
    from bocage.journal.verification import read_anchors
    from bocage.organisations.services import choose_organisation
    from bocage.organisations.tenancy import organisation_context
    from bocage.register.proof import verify

    # Anchors belong to one journal: with a file, one organisation must be meant.
    owners = [choose_organisation(organisation)] if anchors else _owners(organisation)
    found: list[tuple[Any, Any]] = []
    for owner in owners:
        kept = read_anchors(anchors, owner.slug) if anchors else []
        with organisation_context(owner):
            found.append((owner, verify(kept)))
    if as_json:
        print_json([_document(owner, result) for owner, result in found])
    else:
        for owner, result in found:
            _say(owner.name, result)
    sys.exit(0 if all(result.sound for _, result in found) else 1)


@journal_command.command("anchor")
@organisation_option
@json_option
def anchor_command(organisation: str, as_json: bool) -> None:
    """Publish where the journal stands, now. The register shows it; keep a copy elsewhere."""
    setup_django()
    from bocage.journal.services import publish_anchor
    from bocage.organisations.tenancy import organisation_context

    published = []
    for owner in _owners(organisation):
        with organisation_context(owner):
            published.append((owner, publish_anchor()))
    if as_json:
        print_json([{"organisation": o.slug, "sequence": a.sequence if a else 0, "hash": a.hash if a else None} for o, a in published])
        return
    for owner, anchor in published:
        said = f"ancre publiée à l’entrée {anchor.sequence} : {anchor.hash}" if anchor else "journal vide, rien à publier"
        out.print(f"{owner.name} : {said}", markup=False, soft_wrap=True)


def _owners(slug: str) -> list[Any]:
    from bocage.organisations.models import Organisation
    from bocage.organisations.services import choose_organisation, get_organisation

    if slug:
        return [get_organisation(slug)]
    return list(Organisation.objects.all()) or [choose_organisation()]


def _say(name: str, result: Any) -> None:
    if result.sound:
        anchors = f", {count(result.anchors, 'ancre retrouvée', 'ancres retrouvées')}" if result.anchors else ""
        out.print(f"{name} : le journal est intact. {count(result.entries, 'entrée relue', 'entrées relues')}{anchors}.", markup=False)
        return
    broken = "le journal est rompu." if result.breaks else "le journal est intact, mais ce qui est affiché n’est plus ce qu’il dit."
    out.print(f"{name} : {broken}", markup=False, style="bold")
    for sentence in (*result.breaks, *result.altered):
        out.print(f"  {sentence}", markup=False)


def _document(owner: Any, result: Any) -> dict[str, Any]:
    return {
        "organisation": owner.slug,
        "sound": result.sound,
        "entries": result.entries,
        "anchors": result.anchors,
        "head": result.head,
        "breaks": list(result.breaks),
        "altered": list(result.altered),
    }
