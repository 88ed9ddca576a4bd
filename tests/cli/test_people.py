"""``bocage organisation add`` and ``bocage user``: what the operator does before anyone can sign in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bocage.organisations.services import InvalidOrganisation, create_organisation, slug_of
from tests.servers import server

OPENING = """
from bocage.journal.models import Entry
from bocage.journal.sentences import sentence
from bocage.organisations.services import get_organisation
from bocage.organisations.tenancy import organisation_context
with organisation_context(get_organisation("le-diamant")):
    first = Entry.objects.get()
print(sentence(first.event, first.data))
"""


def test_from_nothing_to_an_administrator_who_can_sign_in(tmp_path: Path):
    with server(tmp_path / "home") as own:
        own.bocage("migrate", check=True)
        place = ("--kind", "commune", "--time-zone", "America/Martinique", "--siren", "732829320")
        made = own.bocage("organisation", "add", "Le Diamant", *place)
        assert made.returncode == 0 and "/le-diamant/" in made.stdout
        assert own.python(OPENING).strip() == "« Le Diamant » ouverte sur ce serveur, à l’heure de America/Martinique."
        again = own.bocage("organisation", "add", "Le Diamant")
        assert again.returncode == 1 and "organisation-existante" in again.stderr
        secret = tmp_path / "secret"
        secret.write_text("trois haies et un talus\n", encoding="utf-8")
        person = ("--email", "Maire@lediamant.example", "--name", "Édith Rose", "--role", "administrateur", "--title", "maire")
        added = own.bocage("user", "add", *person, "--password-file", str(secret))
        assert added.returncode == 0 and "Édith Rose a le rôle" in added.stdout
        check = "from bocage.organisations.people import sign_in; print(sign_in('maire@lediamant.example', 'trois haies et un talus', ''))"
        assert own.python(check).strip() == "Édith Rose"
        weak = own.bocage("user", "password", "--email", "maire@lediamant.example", "--password-file", "/dev/null")
        assert weak.returncode == 1 and "compte-invalide" in weak.stderr
        mute = own.bocage("user", "add", "--email", "b@lediamant.example", "--name", "B", "--role", "agent")
        assert mute.returncode == 2 and "--password-file" in mute.stderr


def test_a_token_is_made_listed_and_revoked_by_the_operator(tmp_path: Path):
    with server(tmp_path / "home") as own:
        own.bocage("migrate", check=True)
        own.bocage("organisation", "add", "Le Diamant", check=True)
        made = own.bocage("token", "add", "supervision", "--scope", "lire", "--scope", "deposer", "--days", "30")
        assert made.returncode == 0 and made.stdout.startswith("bocage_") and len(made.stdout.split()) == 1
        (listed,) = json.loads(own.bocage("token", "list", "--json", check=True).stdout)
        assert listed["scopes"] == ["deposer", "lire"] and listed["revoked_at"] is None
        assert made.stdout.strip() not in own.bocage("token", "list").stdout
        assert own.bocage("token", "revoke", str(listed["id"])).returncode == 0
        (listed,) = json.loads(own.bocage("token", "list", "--json", check=True).stdout)
        assert listed["revoked_at"]
        unknown = own.bocage("token", "revoke", "999")
        assert unknown.returncode == 1 and "jeton-inconnu" in unknown.stderr
        assert own.bocage("token", "add", "sans droit").returncode == 1


def test_a_database_that_refuses_is_a_sentence(tmp_path: Path):
    with server(tmp_path / "home") as own:
        own.bocage("migrate", check=True)
        own.bocage("organisation", "add", "Le Diamant", check=True)
        own.python("from django.db import connection; connection.cursor().execute('ALTER TABLE decisions_run RENAME TO ailleurs')")
        refused = own.bocage("runs")
        assert refused.returncode == 2 and "base-non-prete" in refused.stderr and "Traceback" not in refused.stderr


def test_a_password_file_saved_by_windows_gives_the_password_that_people_type(tmp_path: Path):
    with server(tmp_path / "home") as own:
        own.bocage("migrate", check=True)
        own.bocage("organisation", "add", "Le Diamant", check=True)
        secret = tmp_path / "secret"
        secret.write_bytes("\ufefftrois haies et un talus\r\n".encode())
        person = ("--email", "maire@lediamant.example", "--name", "Édith Rose", "--role", "administrateur")
        own.bocage("user", "add", *person, "--password-file", str(secret), check=True)
        check = "from bocage.organisations.people import sign_in; print(sign_in('maire@lediamant.example', 'trois haies et un talus', ''))"
        assert own.python(check).strip() == "Édith Rose"


def test_a_closed_account_gets_no_new_password(tmp_path: Path):
    with server(tmp_path / "home") as own:
        own.bocage("migrate", check=True)
        own.bocage("organisation", "add", "Le Diamant", check=True)
        secret = tmp_path / "secret"
        secret.write_text("trois haies et un talus", encoding="utf-8")
        own.bocage(
            "user", "add", "--email", "b@lediamant.example", "--name", "B", "--role", "agent", "--password-file", str(secret), check=True
        )
        own.python("from bocage.organisations.models import User; User.objects.update(is_active=False)")
        refused = own.bocage("user", "password", "--email", "b@lediamant.example", "--password-file", str(secret))
        assert refused.returncode == 1 and "est fermé" in refused.stderr and "user add" in refused.stderr


def test_an_organisation_s_address_keeps_the_letters_of_its_name():
    assert slug_of("Vandœuvre-lès-Nancy") == "vandoeuvre-les-nancy"
    assert slug_of("Œuilly") == "oeuilly" and slug_of("Læffe") == "laeffe"


@pytest.mark.django_db
def test_a_name_longer_than_its_column_is_refused_on_every_database():
    with pytest.raises(InvalidOrganisation, match="limite est 200"):
        create_organisation("Communauté " * 20, "epci")
