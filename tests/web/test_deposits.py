"""A file dropped in the portal: kept as received, read in a worker, each wrong line named, nothing of it ever shown by the browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bocage.deposits.models import Deposit
from bocage.deposits.services import plain_name
from bocage.journal.models import Entry
from bocage.organisations.services import ensure_organisation
from bocage.organisations.tenancy import organisation_context
from tests.web import portal
from tests.web.portal import HEADER, HOME, PAGE, RIGHT, WRONG, client_of

pytestmark = pytest.mark.django_db
agent, trial_usecases = portal.agent, portal.trial_usecases


def csv(text: str, name: str = "volumes.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, text.encode())


def drop(client, text: str, name: str = "volumes.csv"):
    return client.post(PAGE, {"fichier-volumes": csv(text, name)}, follow=True)


def only_deposit(brenoux) -> Deposit:
    with organisation_context(brenoux):
        return Deposit.objects.get()


def test_the_report_names_each_wrong_line_and_keeps_the_others(agent, brenoux):
    answer = drop(agent, WRONG)
    assert answer.redirect_chain[0][1] == 302
    page = answer.content.decode()
    assert "1 ligne gardée, 1 à corriger" in page.replace("\u202f", " ").replace("\xa0", " ")
    assert "<code>2026-13-01</code>" in page and "<code>12,4O</code>" in page
    assert "Continuer avec 1 ligne" in page.replace("\xa0", " ")
    deposit = only_deposit(brenoux)
    assert deposit.deposited_by.name == "Hugo Marchand" and deposit.report["kept"] == 1
    with organisation_context(brenoux):
        assert list(Entry.objects.values_list("event", flat=True))[-2:] == ["depot.recu", "depot.verifie"]


def test_a_right_file_offers_the_calculation_at_once(agent):
    assert "Lancer le calcul</button>" in drop(agent, RIGHT).content.decode()


def test_corrections_are_an_attachment_that_no_spreadsheet_runs(agent, brenoux):
    drop(agent, WRONG)
    answer = agent.get(f"{HOME}/depots/{only_deposit(brenoux).pk}/corrections.csv")
    assert answer["Content-Disposition"].startswith("attachment;") and answer["X-Content-Type-Options"] == "nosniff"
    assert "3;2026-13-01;'=1+1;12,4O;" in answer.content.decode("utf-8-sig")


def test_the_original_is_only_ever_saved(agent, brenoux):
    drop(agent, "<script>alert(1)</script>", "page.html")
    answer = agent.get(f"{HOME}/depots/{only_deposit(brenoux).pk}/fichier/")
    assert answer["Content-Type"] == "application/octet-stream" and answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Disposition"] == 'attachment; filename="page.html"'
    assert b"".join(answer.streaming_content) == b"<script>alert(1)</script>"


def test_a_file_that_does_not_read_is_said_beside_the_form_and_is_kept(agent, brenoux):
    page = drop(agent, "colonne;autre\n1;2\n").content.decode()
    assert "volumes.csv</span> ne se lit pas" in page and "jour" in page
    assert "Lancer le calcul</button>" not in page
    assert only_deposit(brenoux).report["error"]["code"] == "colonnes-manquantes"


def test_no_file_is_a_sentence_beside_the_field(agent):
    answer = agent.post(PAGE, {})
    assert answer.status_code == 422
    assert 'aria-describedby="aide-volumes faute-volumes"' in answer.content.decode()


def test_the_same_file_twice_is_one_deposit_and_can_be_taken_again(agent, brenoux):
    drop(agent, RIGHT)
    drop(agent, RIGHT)
    deposit = only_deposit(brenoux)
    answer = agent.post(PAGE, {"reprendre-volumes": deposit.pk})
    assert answer.status_code == 302 and f"depot={deposit.pk}" in answer["Location"]


def test_a_file_above_the_limit_is_refused_before_it_is_kept(agent, brenoux, settings):
    settings.UPLOAD_MB = 1
    answer = agent.post(PAGE, {"fichier-volumes": csv("x" * 2_000_000)})
    assert answer.status_code == 413
    assert "la limite est 1" in answer.content.decode()
    assert not kept_files(settings)


def test_the_history_says_who_when_and_what_and_can_be_searched(agent):
    drop(agent, RIGHT, "débits de mai.csv")
    page = agent.get(f"{HOME}/depots/?q=mai").content.decode()
    assert "débits de mai.csv" in page and "Hugo Marchand" in page
    assert "Rien trouvé" in agent.get(f"{HOME}/depots/?q=juin").content.decode()
    assert "Aucun dépôt" not in page


def test_many_errors_come_page_by_page(agent, brenoux):
    drop(agent, HEADER + "2026-01-01;Nord;1\n" + "2026-01-01;Nord;x\n" * 120)
    address = f"{HOME}/depots/{only_deposit(brenoux).pk}/"
    first, last = agent.get(address).content.decode(), agent.get(f"{address}?page=3").content.decode()
    assert first.count("<code>x</code>") == 50 and last.count("<code>x</code>") == 20
    assert "Page 1 sur 3" in first


def test_another_organisation_sees_nothing(agent, brenoux):
    drop(agent, RIGHT)
    number = only_deposit(brenoux).pk
    stranger = client_of(ensure_organisation("Marsanne"), "agent", "a@marsanne.example", "Anne")
    for address in ("", "corrections.csv", "fichier/"):
        assert stranger.get(f"{HOME}/depots/{number}/{address}").status_code == 404
        assert stranger.get(f"/marsanne/depots/{number}/{address}").status_code == 404
    assert stranger.post("/marsanne/cas-d-usage/essai_tableau/calculer/", {"depot": number}).status_code == 422


def test_a_reader_may_look_but_not_drop(brenoux, agent):
    reader = client_of(brenoux, "lecteur", "lea@brenoux.example", "Léa")
    assert reader.get(PAGE).status_code == 200
    assert reader.post(PAGE, {}).status_code == 403


NAMES = st.one_of(
    st.binary(max_size=300),
    st.text(max_size=200).map(str.encode),
    st.sampled_from(
        [b"../../etc/passwd", b"a\x00b.csv", b"..", b"/", "é".encode() * 250 + b".csv", "\u202egnp.exe".encode(), b"C:\\a\\b.csv"]
    ),
)


def form(name: bytes, content: bytes) -> bytes:
    """A form as a hostile browser may send it, byte for byte."""
    head = b'--X\r\nContent-Disposition: form-data; name="fichier-volumes"; filename="' + name + b'"\r\nContent-Type: text/csv\r\n\r\n'
    return head + content + b"\r\n--X--\r\n"


@given(content=st.binary(max_size=300), name=NAMES)
@example(content=b"", name=b"")
@example(content=RIGHT.encode(), name=b"../../../../tmp/evade.csv")
@settings(suppress_health_check=list(HealthCheck), max_examples=10, deadline=None)
def test_whatever_is_sent_the_portal_answers_and_writes_nowhere_else(agent, brenoux, tmp_path, content, name):
    before = outside(tmp_path)
    answer = agent.generic("POST", PAGE, form(name, content), content_type="multipart/form-data; boundary=X")
    assert answer.status_code < 500
    assert outside(tmp_path) == before
    with organisation_context(brenoux):
        for deposit in Deposit.objects.all():
            assert deposit.path.resolve().parent == (tmp_path / "deposits" / str(brenoux.pk)).resolve()
            assert agent.get(f"{HOME}/depots/{deposit.pk}/fichier/").status_code == 200
            assert agent.get(f"{HOME}/depots/{deposit.pk}/").status_code == 200


def outside(folder: Path) -> set[Path]:
    return {p for p in folder.rglob("*") if "deposits" not in p.relative_to(folder).parts}


@given(name=st.text(max_size=400))
def test_a_kept_name_is_plain(name):
    kept = plain_name(name)
    assert kept and len(kept) <= 120 and not set(kept) & set("/\\\x00\r\n")
    assert plain_name(kept) == kept


def kept_files(settings) -> list[Path]:
    return [p for p in Path(settings.MEDIA_ROOT).rglob("*") if p.is_file()]


def test_whoever_downloads_the_lines_to_correct_is_told_to_deposit_the_whole_file(agent, brenoux):
    """The corrected lines alone would be a file of their own: a calculation would know nothing of the others."""
    said = "Reportez vos corrections dans le fichier complet"
    assert said in drop(agent, WRONG).content.decode()
    assert said in agent.get(f"{HOME}/depots/{only_deposit(brenoux).pk}/").content.decode()
