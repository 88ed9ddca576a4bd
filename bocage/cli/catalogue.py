"""``bocage list``, ``bocage check`` and ``bocage new``: what a developer of a use case needs; no database."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from bocage.cli.output import json_option, out, print_json, progress_bar, table
from bocage.contract import discovery


@click.command("list")
@json_option
def list_command(as_json: bool) -> None:
    """List the installed use cases."""
    problems = discovery.problems()
    fiches = discovery.all_fiches()
    if as_json:
        print_json({"usecases": [f.model_dump(mode="json") for f in fiches], "problems": problems})
        return
    rows = [[f.slug, f.titre, f.domaine, "À corriger" if f.slug in problems else "Disponible"] for f in fiches]
    table("Cas d’usage", [("Cas", "left"), ("Titre", "left"), ("Domaine", "left"), ("État", "left")], rows)
    for name, sentence in problems.items():
        out.print(f"{name} : {sentence}", markup=False, style="bold")


@click.command("check")
@click.argument("slug", required=False)
@click.option("--all", "every", is_flag=True, help="Check every installed use case.")
@click.option("--only", multiple=True, metavar="PROMISE", help="Check this promise only (repeatable).")
@json_option
def check_command(slug: str | None, every: bool, only: tuple[str, ...], as_json: bool) -> None:
    """Check that a use case keeps the promises of the contract."""
    from bocage.contract import conformance

    if every == bool(slug):
        raise click.UsageError("give one SLUG, or --all")
    slugs = discovery.slugs() if every else [slug or ""]
    reports = []
    for name in slugs:
        with _prints_aside(), progress_bar(as_json) as progress:
            reports.append(conformance.check(name, only=only or None, progress=progress))
    if as_json:
        print_json([report.to_dict() for report in reports])
    else:
        for report in reports:
            _print_report(report)
    codes = [report.exit_code for report in reports] + ([1] if every and discovery.problems() else [])
    # A broken promise is said before a package that this machine lacks.
    sys.exit(1 if 1 in codes else max(codes, default=0))


@contextmanager
def _prints_aside() -> Iterator[None]:
    """What an engine and its processes print goes to standard error: standard output is the report's, which scripts read."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)


def _print_report(report) -> None:  # type: ignore[no-untyped-def]
    rows = [[r.state, r.id, r.title, r.sentence] for r in report.results]
    table(report.slug, [("État", "left"), ("Promesse", "left"), ("Ce qui est promis", "left"), ("Constat", "left")], rows)
    out.print()


@click.command("new")
@click.argument("slug")
@click.option("--parent", type=click.Path(file_okay=False, path_type=Path), help="Folder that receives it. Default: bocage/usecases.")
def new_command(slug: str, parent: Path | None) -> None:
    """Create a use case: one folder, complete, that passes the suite as it is."""
    from bocage.contract.scaffold import new_use_case

    folder = new_use_case(slug, parent)
    out.print(f"Le cas d’usage « {slug} » est créé dans {folder}.", markup=False)
    out.print(f"Lisez engine.py, remplissez-le, puis : bocage check {slug}", markup=False)
