"""``bocage assistant train`` and ``reindex``: another server of sentence vectors in place of Bocage's own."""

from __future__ import annotations

import click

from bocage.cli.django_setup import setup_django
from bocage.cli.output import err, out


@click.command("train")
@click.option("--per-fold", type=click.IntRange(20, 5_000), default=500, show_default=True, help="Questions of the bank asked in a fold.")
def train_command(per_fold: int) -> None:
    """Learn to search with the vectors of BOCAGE_EMBEDDINGS_URL, then index everything again with them.

    Takes minutes. Until all is learnt, and after a failure, search stays what it was; then words alone are searched in what is not
    indexed again yet.
    """
    setup_django()
    from bocage.assistant.library import national_shelf, reindex
    from bocage.assistant.served_model import train

    folder = train(national_shelf, lambda line: err.print(line, style="dim", markup=False), per_fold)
    out.print(f"Appris : {folder.name}. Index refaits : {reindex()}.", markup=False)


@click.command("reindex")
def reindex_command() -> None:
    """Index again what every index holds, with the bank and the model of now. After a change of BOCAGE_EMBEDDINGS_…, or an upgrade."""
    setup_django()
    from bocage.assistant.library import reindex

    out.print(f"Index refaits : {reindex()}.", markup=False)
