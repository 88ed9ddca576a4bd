"""``bocage organisation add`` and ``bocage user``: what the operator does before anyone can sign in."""

from __future__ import annotations

from pathlib import Path

from tests.servers import server


def test_from_nothing_to_an_administrator_who_can_sign_in(tmp_path: Path):
    with server(tmp_path / "home") as own:
        own.bocage("migrate", check=True)
        place = ("--kind", "commune", "--time-zone", "America/Martinique", "--siren", "732829320")
        made = own.bocage("organisation", "add", "Le Diamant", *place)
        assert made.returncode == 0 and "/le-diamant/" in made.stdout
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
