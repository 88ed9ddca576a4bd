"""``bocage token add``, ``list`` and ``revoke``: access of other software to the API, from the server's own command line."""

from __future__ import annotations

from datetime import timedelta

import click

from bocage.cli.django_setup import setup_django
from bocage.cli.output import json_option, out, print_json, table
from bocage.contract.errors import BocageError

_organisation = click.option("--organisation", default="", metavar="SLUG", help="Whose token. Default: the only organisation.")


@click.group("token")
def token_command() -> None:
    """Tokens with which other software reaches the API."""


@token_command.command("add")
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, type=click.Choice(["lire", "deposer", "lancer"]), help="What it may do; several times.")
@click.option("--days", type=click.IntRange(1, 3660), help="Days until it ends. Default: no end.")
@_organisation
def token_add(name: str, scopes: tuple[str, ...], days: int | None, organisation: str) -> None:
    """Make a token for the use NAME and print its secret, once."""
    setup_django()
    from django.utils import timezone

    from bocage.api.tokens import make_token
    from bocage.organisations.services import choose_organisation
    from bocage.organisations.tenancy import organisation_context

    with organisation_context(choose_organisation(organisation)):
        _, secret = make_token(name, scopes, expires_at=timezone.now() + timedelta(days=days) if days else None)
    # Alone on standard output, so that it can be piped into a secrets file.
    click.echo(secret)


@token_command.command("list")
@_organisation
@json_option
def token_list(organisation: str, as_json: bool) -> None:
    """List the tokens, without their secrets."""
    setup_django()
    from bocage.api.models import ApiToken
    from bocage.organisations.services import choose_organisation
    from bocage.organisations.tenancy import organisation_context

    with organisation_context(choose_organisation(organisation)):
        rows = [
            {
                "id": token.pk,
                "name": token.name,
                "scopes": token.scopes,
                "expires_at": token.expires_at and token.expires_at.isoformat(timespec="seconds"),
                "revoked_at": token.revoked_at and token.revoked_at.isoformat(timespec="seconds"),
                "last_used_on": token.last_used_on and token.last_used_on.isoformat(),
            }
            for token in ApiToken.objects.all()
        ]
    if as_json:
        print_json(rows)
        return
    columns = [("Nº", "right"), ("Usage", "left"), ("Droits", "left"), ("Fin", "left"), ("Révoqué", "left"), ("Dernier appel", "left")]
    dates = ("expires_at", "revoked_at", "last_used_on")
    table(
        "Jetons de l’API",
        columns,
        [[str(row["id"]), row["name"], ", ".join(row["scopes"]), *(str(row[key] or "–") for key in dates)] for row in rows],
        "" if rows else "Aucun jeton. En créer un : bocage token add USAGE --scope lire",
    )


@token_command.command("revoke")
@click.argument("number", type=int)
@_organisation
def token_revoke(number: int, organisation: str) -> None:
    """End the token NUMBER (see ``bocage token list``) for ever."""
    setup_django()
    from bocage.api.models import ApiToken
    from bocage.api.tokens import revoke_token
    from bocage.organisations.services import choose_organisation
    from bocage.organisations.tenancy import organisation_context

    with organisation_context(choose_organisation(organisation)):
        token = ApiToken.objects.filter(pk=number).first()
        if token is None:
            raise UnknownToken(f"Aucun jeton ne porte le numéro {number}. Les numéros : bocage token list")
        revoke_token(token)
    out.print(f"Le jeton « {token.name} » n’ouvre plus rien.", markup=False)


class UnknownToken(BocageError):
    """No token of the organisation has that number."""

    code = "jeton-inconnu"
