"""The journal, as the DPO reads it."""

from __future__ import annotations

import csv
import hashlib
import html
import io
import json
import re
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.test import Client

import bocage
from bocage.journal.models import Entry
from bocage.journal.sentences import KINDS, sentence
from bocage.journal.services import record
from bocage.journal.triggers import drop_statements
from bocage.organisations.people import create_person, grant
from bocage.organisations.services import ensure_organisation
from bocage.organisations.tenancy import organisation_context

PAGE = "/pays-de-brenoux/journal/"


@pytest.fixture
def dpo(in_brenoux) -> Client:
    person = create_person("dpo@brenoux.example", "Ines Caron")
    grant(person, "dpo")
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def facts(dpo):
    """A few facts of several kinds, one of them of a kind that nobody described."""
    nadia = create_person("nadia@brenoux.example", "Nadia Le Goff")
    decision = {"execution": 4, "cas": "essai_tableau", "sujet": "Nord", "propose": 1240.5, "decide": 1300, "unite": "m³"}
    with transaction.atomic():
        record("decision.enregistree", nadia, **decision, verdict="modifiee", motif="fête de l’été")
        record("essai.inconnu", None, couleur="bleue", nombre=3)
        record("execution.demandee", nadia, execution=4, cas="essai_tableau", depots={})


def plain(response) -> str:
    return re.sub(r"[\u00a0\u202f]", " ", response.content.decode())


def rows(response) -> int:
    return response.content.decode().count('<th role="rowheader"')


def test_events_are_sentences_and_unknown_ones_are_shown_plainly(dpo, facts):
    text = plain(dpo.get(PAGE))
    assert "Proposition modifiée pour « Nord » (exécution 4) : proposé 1 240,50 m³, retenu 1 300 m³. Motif : fête de l’été" in text
    assert "essai.inconnu" in text and "couleur : bleue, nombre : 3" in text
    assert "Exécution 4 de « essai_tableau » demandée." in text
    assert Entry.objects.last().hash[:12] in text and "Nadia Le Goff" in text


@pytest.mark.parametrize("event", sorted(KINDS))
def test_facts_of_another_version_are_not_hidden(event):
    assert sentence(event, {"surprise": 3})
    assert sentence(event, {}) is not None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("evenement=essai.inconnu", 1),
        ("personne=Nadia+Le+Goff", 2),
        ("q=été", 1),
        ("q=bleue", 1),
        ("q=nord+modifiee", 1),
        ("q=Décision", 1),
        ("q=rien_de_tel", 0),
        ("du=2000-01-01&au=2000-01-02", 0),
        ("du=2000-01-01", 4),
        ("du=0001-01-01&au=9999-12-31", 4),
        ("du=9999-12-31", 0),
        ("au=0001-01-01", 0),
        ("page=99", 4),
    ],
)
def test_finding_entries(dpo, facts, query, found):
    assert rows(dpo.get(f"{PAGE}?{query}")) == found


def test_the_day_is_that_of_the_organisation(dpo, brenoux, monkeypatch):
    from datetime import UTC, datetime

    from django.utils import timezone

    brenoux.time_zone = "Pacific/Noumea"
    brenoux.save()
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 3, 1, 20, 0, tzinfo=UTC))
    with transaction.atomic():
        record("essai.nuit", None)
    monkeypatch.undo()
    assert rows(dpo.get(f"{PAGE}?evenement=essai.nuit&du=2026-03-02&au=2026-03-02")) == 1
    assert rows(dpo.get(f"{PAGE}?evenement=essai.nuit&au=2026-03-01")) == 0
    assert "02/03/2026 07:00:00" in dpo.get(f"{PAGE}?evenement=essai.nuit").content.decode()


@pytest.mark.parametrize("query", ["du=hier", "au=2026-13-01", "du=2026-02-01&au=2026-01-01"])
def test_a_wrong_period_is_said(dpo, facts, query):
    response = dpo.get(f"{PAGE}?{query}")
    assert response.status_code == 422 and 'id="faute"' in response.content.decode()


def test_fifty_a_page(dpo):
    with transaction.atomic():
        for number in range(60):
            record("essai.fait", None, numero=number)
    first = dpo.get(f"{PAGE}?evenement=essai.fait")
    assert rows(first) == 50 and "evenement=essai.fait&amp;page=2" in first.content.decode()
    assert rows(dpo.get(f"{PAGE}?evenement=essai.fait&page=2")) == 10


def test_verifying_says_sound_then_where_it_broke(dpo, facts):
    assert "Le journal est intact." in plain(dpo.post(f"{PAGE}verification/"))
    with connection.cursor() as cursor:
        for statement in drop_statements(connection.vendor):
            cursor.execute(statement)
        cursor.execute("UPDATE journal_entry SET actor_name = 'Personne' WHERE sequence = 2")
    text = plain(dpo.post(f"{PAGE}verification/"))
    assert "Le journal est rompu." in text and "L’entrée 2 a été modifiée" in text


def test_the_export_is_escaped_and_leaves_its_own_trace(dpo, facts):
    with transaction.atomic():
        record("=cmd|' /C calc'!A0", None, x="@somme")
    response = dpo.post(f"{PAGE}export.csv", {"q": ""})
    assert "attachment" in response["Content-Disposition"]
    lines = list(csv.DictReader(io.StringIO(response.getvalue().decode("utf-8-sig")), delimiter=";"))
    assert [int(line["numero"]) for line in lines] == list(range(1, len(lines) + 1))
    assert lines[-2]["evenement"].startswith("'=cmd") and lines[-1]["evenement"] == "journal.exporte"
    assert Entry.objects.last().data["lignes"] == len(lines) - 1


def test_the_export_can_be_verified_by_whoever_has_only_the_file(dpo, facts):
    """A verifier written from ``docs/journal.md`` alone."""
    text = dpo.post(f"{PAGE}export.csv", {"q": ""}).getvalue().decode("utf-8-sig")
    before = "0" * 64
    for line in csv.DictReader(io.StringIO(text), delimiter=";"):
        covered = {
            "actor": int(line["numero_personne"]) if line["numero_personne"] else None, "actor_name": line["personne"],
            "content": line["donnees"], "event": line["evenement"], "organisation": int(line["numero_organisation"]),
            "previous_hash": line["empreinte_precedente"], "sequence": int(line["numero"]), "time": line["instant_utc"],
        }  # fmt: skip
        written = json.dumps(covered, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert hashlib.sha256(written.encode()).hexdigest() == line["empreinte"] and line["empreinte_precedente"] == before
        before = line["empreinte"]
    assert before != "0" * 64


def test_every_event_that_the_code_records_has_its_sentence():
    recorded = {
        event
        for module in Path(bocage.__file__).parent.rglob("*.py")
        if "tests" not in module.parts
        for event in re.findall(r"\brecord\(\s*\"([a-z_]+\.[a-z_]+)\"", module.read_text(encoding="utf-8"))
    }
    assert len(recorded) > 20 and recorded <= set(KINDS)


def test_what_changed_in_the_settings_of_the_assistant_is_told(dpo):
    before, after = {"services": []}, {"services": [{"slug": "accueil", "name": "Accueil", "email": "a@brenoux.example", "hours": ""}]}
    with transaction.atomic():
        record("assistant.reglages", None, reglages=["services"], publics=["citoyens"], jours=30, avant=before, apres=after)
        record("organisation.reglages", None, avant={"contact": "Mairie"}, apres={"contact": "Mairie de Brenoux"})
    text = html.unescape(plain(dpo.get(PAGE)))
    assert "Services : rien devient « Accueil, a@brenoux.example »." in text
    assert "contact « Mairie » devient « Mairie de Brenoux »" in text


def test_an_export_holds_what_was_searched_only(dpo, facts):
    response = dpo.post(f"{PAGE}export.csv", {"evenement": "essai.inconnu"})
    assert len(response.getvalue().decode().splitlines()) == 2
    assert Entry.objects.last().data["recherche"] == {"evenement": "essai.inconnu"}
    assert dpo.get(f"{PAGE}export.csv").status_code == 405


def test_an_empty_journal_teaches(in_brenoux):
    from bocage.organisations.membership import Membership, Role

    person = create_person("dpo@brenoux.example", "Ines Caron")
    Membership(user=person, role=Role.DPO).save()
    client = Client()
    client.force_login(person)
    assert "Le journal se remplit tout seul" in client.get(PAGE).content.decode()


@pytest.mark.parametrize("role", ["lecteur", "agent", "decideur", "administrateur"])
def test_only_the_dpo_reads_it(in_brenoux, role):
    person = create_person(f"{role}@brenoux.example", "Camille")
    grant(person, role)
    client = Client()
    client.force_login(person)
    assert client.get(PAGE).status_code == 403
    assert client.post(f"{PAGE}verification/").status_code == 403
    assert client.post(f"{PAGE}export.csv").status_code == 403


def test_nothing_of_another_organisation(dpo, facts):
    other = ensure_organisation("Marsanne")
    with organisation_context(other), transaction.atomic():
        record("essai.ailleurs", None, lieu="Marsanne")
    assert "Marsanne" not in dpo.get(PAGE).content.decode()
    assert "Marsanne" not in dpo.post(f"{PAGE}export.csv").getvalue().decode()
    assert dpo.get("/marsanne/journal/").status_code == 404
    assert Client().get(PAGE).status_code == 302
