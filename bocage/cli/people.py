"""``bocage organisation add``, ``bocage user add`` and ``bocage user password``: what the operator does before anyone can sign in."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from bocage.cli.django_setup import setup_django
from bocage.cli.output import out
from bocage.contract.errors import UnreadableFile

_password_option = click.option(
    "--password-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File whose first line is the password. Default: asked for on a terminal.",
)
_kinds = click.Choice(["commune", "epci", "departement", "syndicat"])


@click.group("organisation")
def organisation_command() -> None:
    """Organisations that this server serves."""


@organisation_command.command("add")
@click.argument("name")
@click.option("--kind", type=_kinds, default="commune", show_default=True, help="Its nature.")
@click.option("--time-zone", default="", metavar="ZONE", help="Its time zone, as in America/Guadeloupe. Default: that of the server.")
@click.option("--siren", default="", help="Its SIREN, nine digits.")
@click.option(
    "--administered-by", default="", metavar="SLUG", help="The organisation that manages its members and settings, without its contents."
)
def organisation_add(name: str, kind: str, time_zone: str, siren: str, administered_by: str) -> None:
    """Create the organisation NAME."""
    setup_django()
    from bocage.organisations.services import create_organisation

    made = create_organisation(name, kind, time_zone, siren, administered_by)
    out.print(f"« {made.name} » est créée, à l’adresse /{made.slug}/. Son administrateur : bocage user add", markup=False)


@click.group("user")
def user_command() -> None:
    """People who sign in to the portal."""


@user_command.command("add")
@click.option("--email", required=True, help="The person's professional address.")
@click.option("--name", default="", help="First name and family name; needed for a new account.")
@click.option("--role", required=True, type=click.Choice(["lecteur", "agent", "decideur", "dpo", "administrateur"]), help="The role given.")
@click.option("--organisation", default="", metavar="SLUG", help="Where the role is held. Default: the only organisation.")
@click.option("--title", default="", help="The person's function, written beside decisions.")
@click.option("--oidc", is_flag=True, help="No password: the person signs in through the identity provider.")
@_password_option
def user_add(email: str, name: str, role: str, organisation: str, title: str, oidc: bool, password_file: Path | None) -> None:
    """Give a role to a person, whose account is created when it is new."""
    setup_django()
    from django.db import transaction

    from bocage.organisations import people
    from bocage.organisations.models import User
    from bocage.organisations.services import choose_organisation
    from bocage.organisations.tenancy import organisation_context

    owner = choose_organisation(organisation)
    user = User.objects.filter(email=people.normal_email(email), is_active=True).first()
    password = None if user or oidc else _password(password_file)
    with organisation_context(owner), transaction.atomic():
        user = user or people.open_account(email, name, password)
        people.grant(user, role, title)
    out.print(f"{user.name} a le rôle « {role} » dans {owner.name}.", markup=False)


@user_command.command("password")
@click.option("--email", required=True, help="Whose password changes.")
@_password_option
def user_password(email: str, password_file: Path | None) -> None:
    """Replace a person's password; every session of theirs ends."""
    setup_django()
    from bocage.organisations import people

    user = people.get_person(email)
    if not user.is_active:
        raise people.InvalidPerson(f"Le compte de {user.name} est fermé. Donnez-lui un rôle, qui le rouvre : bocage user add")
    people.replace_password(user, _password(password_file))
    out.print(f"Le mot de passe de {user.name} est changé ; ses sessions sont fermées.", markup=False)


def _password(file: Path | None) -> str:
    """The password, from ``file`` or typed twice on a terminal: never from the command line, which other users can read."""
    if file is not None:
        try:
            # Windows puts a byte-order mark at the head of a file: nobody could ever type it.
            lines = file.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise UnreadableFile(f"« {file} » ne se lit pas ({error}). Corrigez le chemin ou les droits.") from None
        return lines[0] if lines else ""
    if not sys.stdin.isatty():
        raise click.UsageError("no terminal to ask for the password on: give --password-file FILE")
    typed: str = click.prompt("Mot de passe", hide_input=True, confirmation_prompt="Le même, encore une fois")
    return typed
