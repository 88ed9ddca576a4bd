"""``bocage export``: everything that one organisation has here, in one file that it can take elsewhere."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from bocage.cli.django_setup import setup_django
from bocage.cli.output import err, json_option, out, print_json
from bocage.contract.french import count


@click.command("export")
@click.option("--organisation", default="", metavar="SLUG", help="Whose data. Default: the only one.")
@click.option("--output", required=True, type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="The ZIP file to write.")
@json_option
def export_command(organisation: str, output: Path, as_json: bool) -> None:
    """Write everything of one organisation: tables as JSON and CSV, people, deposited files, and a manifest with fingerprints."""
    setup_django()
    from bocage.organisations.archive import export_organisation
    from bocage.organisations.services import choose_organisation

    manifest = export_organisation(choose_organisation(organisation), output)
    if as_json:
        print_json(manifest)
    else:
        rows = sum(table["rows"] for table in manifest["tables"])
        files = count(len(manifest["deposits"]), "fichier déposé", "fichiers déposés")
        out.print(f"{output} : {count(rows, 'ligne')} de {count(len(manifest['tables']), 'table')}, {files}.", markup=False)
    for name in manifest["missing"]:
        err.print(
            f"Le fichier déposé {name} manque sur le disque : l’export ne l’a pas. Rétablissez-le depuis une sauvegarde.", markup=False
        )
    sys.exit(1 if manifest["missing"] else 0)
