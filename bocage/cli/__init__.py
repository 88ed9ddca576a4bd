"""The command line: one thin door on the services. ``bocage --help`` lists the commands; ``docs/cli.md`` explains them."""

from __future__ import annotations

import os
import sys

import click

from bocage import __version__
from bocage.cli.output import fail
from bocage.contract.errors import BocageError, NoRoom, is_no_room


class _LazyGroup(click.Group):
    """Loads a command's module when it is called, so that ``bocage list`` does not wait for Django."""

    modules = {
        "list": "catalogue",
        "check": "catalogue",
        "new": "catalogue",
        "bench": "bench",
        "run": "runs",
        "runs": "runs",
        "restart": "runs",
        "serve": "serve",
        "worker": "server",
        "migrate": "server",
        "demo": "demo",
        "organisation": "people",
        "user": "people",
        "token": "tokens",
        "journal": "journal",
        "export": "export",
        "assistant": "assistant",
    }

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.modules:
            return None
        module = __import__(f"bocage.cli.{self.modules[cmd_name]}", fromlist=["commands"])
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="bocage")
def cli() -> None:
    """Put AI to work for a French local authority: sovereign, frugal, under human control."""


def main() -> None:
    """Entry point. Exit codes: 0 done, 1 the input is at fault, 2 the call or the server's setup is, 3 the engine failed."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bocage.settings")
    try:
        cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        fail("interruption", "Interrompu au clavier. Ce qui était enregistré le reste.", 130)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except BocageError as error:
        fail(error.code, error.message, error.exit_code)
    except BrokenPipeError:
        # « bocage list | head »: the reader left; the interpreter must not complain when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:
        if is_no_room(error):
            fail(NoRoom.code, NoRoom().message, NoRoom.exit_code)
        if not _from_the_database(error):
            raise
        # Full disk, lost server, a table that another version made: one sentence, as for every other error.
        first = next(iter(str(error).strip().splitlines()), type(error).__name__)
        fail("base-non-prete", f"La base de données a refusé : {first}. Vérifiez BOCAGE_DATABASE_URL et la place sur le disque.", 2)


def _from_the_database(error: Exception) -> bool:
    if "django" not in sys.modules:
        return False
    from django.db import DatabaseError, InterfaceError

    return isinstance(error, (DatabaseError, InterfaceError))
