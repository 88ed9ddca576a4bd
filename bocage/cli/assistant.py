"""``bocage assistant``: what the operator does with the assistant."""

from __future__ import annotations

import click

from bocage.cli.assistant_import import assistant_import
from bocage.cli.assistant_search import ask_command, eval_command
from bocage.cli.assistant_train import reindex_command, train_command
from bocage.cli.django_setup import setup_django
from bocage.cli.output import out
from bocage.cli.serve import serve_command


@click.group("assistant")
def assistant_command() -> None:
    """The assistant of citizens and agents."""


@assistant_command.command("purge")
@click.option("--organisation", default="", metavar="SLUG", help="Whose conversations. Default: every organisation's.")
def assistant_purge(organisation: str) -> None:
    """Erase the conversations that are older than they are kept."""
    setup_django()
    from bocage.assistant.retention import purge, purge_all
    from bocage.organisations.services import get_organisation

    done = purge(get_organisation(organisation)) if organisation else purge_all()
    out.print(f"Conversations effacées : {done.erased} ; masquées, en attente d’une personne : {done.masked}.")


assistant_command.add_command(assistant_import)
assistant_command.add_command(ask_command)
assistant_command.add_command(eval_command)
assistant_command.add_command(train_command)
assistant_command.add_command(reindex_command)
# The assistant's pages, widget and API are those of the portal: one server, under the name that one looks for here.
assistant_command.add_command(serve_command, "serve")
