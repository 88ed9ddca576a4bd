"""The public register: readable by anyone, honest, the same as data, and nothing of anyone else."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from bocage.contract import discovery
from bocage.journal.services import publish_anchor
from bocage.organisations.people import create_person, grant
from bocage.organisations.services import ensure_organisation
from bocage.organisations.tenancy import organisation_context
from bocage.register.models import Evaluation, Publication
from bocage.register.services import publish
from tests.register.material import SLUG, decided, done_run, measured
from tests.servers import USECASES

PUBLIC = [
    "/pays-de-brenoux/registre/",
    f"/pays-de-brenoux/registre/{SLUG}/",
    "/pays-de-brenoux/registre/registre.json",
    "/pays-de-brenoux/registre/registre.csv",
    "/pays-de-brenoux/registre/changements.atom",
    f"/pays-de-brenoux/registre/{SLUG}/fiche.json",
    f"/pays-de-brenoux/registre/{SLUG}/mesures.csv",
]
PAGE, JSON, CSV, FEED = PUBLIC[1], PUBLIC[2], PUBLIC[3], PUBLIC[4]


@pytest.fixture(autouse=True)
def use_cases(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("BOCAGE_USECASES_PATH", str(USECASES))
    discovery.clear()
    yield
    discovery.clear()


@pytest.fixture
def people(in_brenoux):
    """One person per role."""
    made = {}
    for role in ("lecteur", "agent", "decideur", "dpo", "administrateur"):
        made[role] = create_person(f"{role}@brenoux.example", f"Camille Secret {role}")
        grant(made[role], role)
    return made


@pytest.fixture
def published(people):
    publish(SLUG, "service", "Nadia Le Goff, cheffe du service Eau", people["dpo"])
    run = done_run({"Nord": 1.0, "Sud": 2.0, "Est": 3.0}, {"Nord": 1.0})
    decided(run, people["decideur"], ["acceptee", "refusee", "acceptee"])
    measured([(7, 10), (6, 10), (7, 9), (8, 10), (6, 9), (7, 10)])
    publish_anchor()


@pytest.fixture
def elsewhere(db):
    """Another organisation, with its own everything."""
    other = ensure_organisation("Marsanne")
    with organisation_context(other):
        person = create_person("zoe@marsanne.example", "Zoé Ailleurs")
        grant(person, "decideur")
        publish(SLUG, "essai", "Personne de Marsanne", person)
        run = done_run({"Quartier-de-Marsanne": 424242.0}, {"Quartier-de-Marsanne": 1.0}, joules=987654.0)
        decided(run, person, ["modifiee"])
        Evaluation(run=run, truth_sha256="e" * 64, engine={"ecart": 31337.0}, baseline={"ecart": 31338.0}).save()
        publish_anchor()
    return other


def signed_in(person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def plain(response) -> str:
    return re.sub(r"[\u00a0\u202f]", " ", response.content.decode())


@pytest.mark.parametrize("address", PUBLIC)
def test_anyone_reads_it(published, client, address):
    response = client.get(address)
    assert response.status_code == 200
    assert response["ETag"] and "public" in response["Cache-Control"] and "max-age=300" in response["Cache-Control"]
    again = client.get(address, headers={"If-None-Match": response["ETag"]})
    assert again.status_code == 304 and not again.content


@pytest.mark.parametrize("address", PUBLIC)
def test_nothing_of_another_organisation_and_no_agent_is_in_it(published, elsewhere, client, address):
    text = plain(client.get(address))
    for foreign in ("Marsanne", "marsanne", "424242", "424 242", "987654", "31337", "31 337", "Zoé", "Ailleurs", "eeeeeeee"):
        assert foreign not in text
    assert "@" not in text.replace("http://www.w3.org/2005/Atom", "")
    assert "Camille Secret" not in text and "motif tenu secret" not in text


def test_the_page_tells_the_result_the_decisions_and_the_energy(published, client):
    text = plain(client.get(PAGE))
    assert "Nadia Le Goff, cheffe du service Eau" in text
    assert "Un gain de 29,3 %" in text and "intervalle à 95 %, 6 mesures" in text
    assert "3 propositions décidées sur 9" in text and "2 acceptées" in text and "0 modifiée," in text and "telle quelle : 67 %" in text
    assert re.search(r'<td class="n">2</td><td class="n">0</td><td class="n">1</td>', text), "decisions by month"
    assert "L. 311-3-1" in text and "Tout usage réel" in text and "EUPL-1.2" in text
    assert "c0ffee" in text and "estimée d’après le temps de calcul" in text
    assert text.count('<svg class="wide"') == 3 and "Les mêmes chiffres en tableau" in text


def test_no_gain_is_said_as_large_as_a_gain(published, client):
    Evaluation.objects.all().delete()
    measured([(10, 10), (12, 10)])
    text = plain(client.get(PAGE))
    assert "<h3>Aucun gain démontré</h3>" in text and "Le gain s’est perdu" in text
    assert "Aucun gain démontré" in plain(client.get(PUBLIC[0]))


def test_a_use_case_without_measure_says_so(in_brenoux, client):
    publish(SLUG, "essai", "", None)
    text = plain(client.get(PAGE))
    assert "<h3>Pas encore mesuré</h3>" in text and "Aucune proposition encore" in text
    for address in PUBLIC:
        assert client.get(address).status_code == 200


def test_an_empty_register_teaches(brenoux, client):
    assert "Aucun usage d’intelligence artificielle" in client.get(PUBLIC[0]).content.decode()
    assert client.get(PAGE).status_code == 404
    for address in (JSON, CSV, FEED):
        assert client.get(address).status_code == 200


def test_the_json_has_its_documented_shape(published, client):
    document = json.loads(client.get(JSON).content)
    assert (document["format"], document["version"], document["organisation"]["slug"]) == ("bocage-register", "1.0", "pays-de-brenoux")
    (entry,) = document["entries"]
    assert entry["source_id"] == SLUG and entry["status"] == "service" and entry["human_intervention"].startswith("Nadia Le Goff")
    assert entry["performance"]["gain_shown"] is True and len(entry["performance"]["evaluations"]) == 6
    assert entry["decisions"] == {"proposals": 9, "decided": 3, "accepted": 2, "amended": 0, "refused": 1, "acceptance": 2 / 3}
    documented = (USECASES.parents[2] / "docs" / "register.md").read_text(encoding="utf-8")
    assert not [key for key in (*document, *entry, *entry["performance"]) if f"`{key}`" not in documented]


def test_its_anchors_are_what_the_verifier_reads(published, client, tmp_path, brenoux):
    from bocage.journal.services import verify
    from bocage.journal.verification import UnreadableAnchors, read_anchors

    file = tmp_path / "registre.json"
    file.write_bytes(client.get(JSON).content)
    anchors = read_anchors(file, "pays-de-brenoux")
    assert len(anchors) == 1 and verify(anchors).sound
    with pytest.raises(UnreadableAnchors, match="pays-de-brenoux"):
        read_anchors(file, "marsanne")


def test_the_csv_opens_in_a_spreadsheet_and_runs_nothing(in_brenoux, client):
    publish(SLUG, "essai", "=1+1", None)
    text = client.get(CSV).content.decode("utf-8-sig")
    (line,) = csv.DictReader(io.StringIO(text), delimiter=";")
    assert line["decider"] == "'=1+1" and line["gain"] == ""


def test_the_feed_tells_publications_and_measures(published, client):
    root = ElementTree.fromstring(client.get(FEED).content)
    atom = "{http://www.w3.org/2005/Atom}"
    titles = [e.findtext(f"{atom}title") for e in root.findall(f"{atom}entry")]
    assert len(titles) == 7 and "Essai d’un moteur sage : en service" in titles
    ids = [e.findtext(f"{atom}id") for e in root.findall(f"{atom}entry")]
    assert len(set(ids)) == 7


def test_the_feed_forgets_who_decided_once_the_register_does(in_brenoux, client):
    publish(SLUG, "essai", "Prénom Nom", None)
    publish(SLUG, "service", "Le service des eaux", None)
    feed = client.get(FEED).content.decode()
    assert "Prénom Nom" not in feed and "Décide : Le service des eaux." in feed


def test_a_signed_in_reader_is_never_cached_for_others(published, people):
    response = signed_in(people["lecteur"]).get(PAGE)
    assert "private" in response["Cache-Control"] and "ETag" not in response


@pytest.mark.parametrize(("role", "code"), [("lecteur", 403), ("agent", 403), ("decideur", 403), ("dpo", 200), ("administrateur", 200)])
def test_who_may_publish(people, role, code):
    assert signed_in(people[role]).get(f"{PAGE}publier/").status_code == code


def test_publishing(people, client):
    dpo = signed_in(people["dpo"])
    page = dpo.get(f"{PAGE}publier/").content.decode()
    assert "checked" not in page, "nothing is preselected"
    wrong = dpo.post(f"{PAGE}publier/", {"decider": "moi@ici.fr", "status": "essai"})
    assert wrong.status_code == 422 and "sans adresse électronique" in wrong.content.decode() and "moi@ici.fr" in wrong.content.decode()
    assert dpo.post(f"{PAGE}publier/", {"decider": "x"}).status_code == 422
    assert not Publication.objects.exists()
    done = dpo.post(f"{PAGE}publier/", {"decider": "La cheffe du service Eau", "status": "essai"}, follow=True)
    assert done.status_code == 200 and "Le registre est à jour" in done.content.decode()
    assert "La cheffe du service Eau" in client.get(PAGE).content.decode()
    assert dpo.get("/pays-de-brenoux/registre/rien_du_tout/publier/").status_code == 404
    assert client.get(f"{PAGE}publier/").status_code == 302


def test_bringing_the_truth(people, client):
    run = done_run({"Nord": 104.0}, {"Nord": 115.0})
    address = f"/pays-de-brenoux/executions/{run.pk}/realite/"
    agent = signed_in(people["agent"])
    form = agent.get(address).content.decode()
    assert 'name="mesures"' in form and "<code>volume</code>" in form
    wrong = agent.post(address, {"mesures": SimpleUploadedFile("x.csv", b"autre;chose\n1;2\n")})
    assert wrong.status_code == 422 and "volume" in wrong.content.decode()
    assert agent.post(address, {}).status_code == 422
    truth = SimpleUploadedFile("../../réalité.csv", b"jour;secteur;volume\n2026-01-05;Nord;104\n2026-01-06;Nord;106\n")
    done = agent.post(address, {"mesures": truth}, follow=True)
    assert done.redirect_chain and "Bocage a fait mieux : +90,0 %" in plain(done)
    assert Evaluation.objects.get().evaluated_by == people["agent"]
    assert signed_in(people["lecteur"]).get(address).status_code == 403
    assert client.get(address).status_code == 302


def test_the_page_of_a_measure_says_what_was_compared_read_and_replaced(people):
    run = done_run({"Nord": 104.0}, {"Nord": 115.0})
    address = f"/pays-de-brenoux/executions/{run.pk}/realite/"
    agent = signed_in(people["agent"])
    for volume in (100, 104):
        content = f"jour;secteur;volume\n2026-01-05;Nord;{volume}\n2026-01-06;Nord;cent\n".encode()
        agent.post(address, {"mesures": SimpleUploadedFile("volumes réels.csv", content)})
    text = plain(agent.get(address))
    assert "1 ligne gardée, les autres ne se lisent pas" in text and "cent" in text and "volumes réels.csv" in text
    assert "Mesures remplacées" in text and text.index("Résultat") < text.index("Mesures remplacées")
    assert ".." not in text
    again = plain(agent.post(address, {"mesures": SimpleUploadedFile("volumes réels.csv", content)}, follow=True))
    assert "cette mesure est déjà celle qui fait foi" in again
    other = agent.post(address, {"mesures": SimpleUploadedFile("autre.csv", b"jour;secteur;volume\n2026-01-05;Nrod;1\n")})
    assert other.status_code == 422 and "« autre.csv »" in plain(other) and "Nrod" in plain(other)


def test_a_partial_measure_is_said_so_to_agents_and_to_the_public(published, people, client):
    run = done_run({"Nord": 104.0}, {"Nord": 115.0})
    ours = {"ecart": 8.0, "lignes": 8.0, "lignes_attendues": 16.0, "pire_site_pct": 25.0, "restes_constates_par_repas_g": 91.8}
    Evaluation(run=run, truth_sha256="a" * 64, engine=ours, baseline={**ours, "ecart": 10.0}, decided={**ours, "ecart": 7.0}).save()
    text = plain(signed_in(people["agent"]).get(f"/pays-de-brenoux/executions/{run.pk}/realite/"))
    assert "Comparé : 8 lignes sur 16 attendues" in text and "Pire site (%)" in text and "Décidé" in text
    assert text.count("91,8") == 1, "what was weighed belongs to no method"
    assert "couvrait davantage" not in text
    Evaluation(run=run, truth_sha256="b" * 64, engine={**ours, "lignes": 1.0}, baseline={**ours, "ecart": 9.0}).save()
    text = plain(signed_in(people["agent"]).get(f"/pays-de-brenoux/executions/{run.pk}/realite/"))
    assert "1 ligne sur 16 attendues" in text and "couvrait davantage (8 lignes sur 16 attendues)" in text
    assert "1 mesure sur" in plain(client.get(PAGE)) and "une partie de ce qui était proposé" in plain(client.get(PAGE))


def test_the_truth_of_another_organisation_cannot_be_brought(people, elsewhere):
    with organisation_context(elsewhere):
        run = done_run({"Nord": 1.0}, {"Nord": 1.0})
    assert signed_in(people["agent"]).get(f"/pays-de-brenoux/executions/{run.pk}/realite/").status_code == 404
    assert signed_in(people["agent"]).get(f"/marsanne/executions/{run.pk}/realite/").status_code == 404


@pytest.mark.parametrize("address", PUBLIC)
def test_a_fiche_that_no_longer_reads_takes_no_page_away(published, tmp_path, monkeypatch, address):
    monkeypatch.setenv("BOCAGE_USECASES_PATH", str(tmp_path))
    discovery.clear()
    answer = Client().get(address)
    assert answer.status_code == 200
    said = answer.content.decode()
    assert address.endswith("mesures.csv") or "Essai d’un moteur sage" in said
    if address == PAGE:
        assert "Indisponible" in said and "n’est plus disponible sur ce serveur" in said
