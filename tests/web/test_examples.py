"""The example of a use case: the whole path in one click, said to be an example everywhere, and never counted in the register."""

from __future__ import annotations

import csv
import io
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from bocage.contract import discovery
from bocage.decisions.decide import decide, mark_displayed
from bocage.decisions.exports import export_decisions
from bocage.decisions.models import Proposal, Run
from bocage.decisions.services import perform_run
from bocage.deposits.examples import EXAMPLE_NOT_COUNTED
from bocage.journal.models import Entry
from bocage.organisations.people import create_person, grant
from bocage.organisations.tenancy import organisation_context
from bocage.register.models import Evaluation
from bocage.register.services import entry, publish
from tests.servers import USECASES
from tests.web import portal
from tests.web.portal import HOME, PAGE, client_of

pytestmark = pytest.mark.django_db
agent, trial_usecases = portal.agent, portal.trial_usecases
FILE = USECASES / "essai_tableau" / "data" / "volumes.csv"


def tried(client, owner) -> Run:
    """« Essayer avec l’exemple », then its worker."""
    answer = client.post(f"{PAGE}exemple/")
    assert answer.status_code == 302, answer.content.decode()
    run_id = int(re.findall(r"executions/(\d+)/", answer["Location"])[0])
    return perform_run(owner, run_id)


def test_one_click_runs_the_example_and_every_page_says_what_it_is(agent, brenoux):
    assert "Essayer avec l’exemple" in agent.get(PAGE).content.decode()
    run = tried(agent, brenoux)
    assert (run.state, run.example) == (Run.State.DONE, True)
    for page in (f"{HOME}/executions/{run.pk}/", f"{HOME}/executions/{run.pk}/propositions/"):
        assert "ce calcul porte sur des fichiers fournis avec le cas d’usage" in agent.get(page).content.decode(), page
    assert ", exemple</th>" in agent.get(f"{HOME}/executions/").content.decode()
    assert "(exemple)" in agent.get(f"{HOME}/a-decider/").content.decode()
    with organisation_context(brenoux):
        asked = Entry.objects.get(event="execution.demandee")
    assert asked.data["exemple"] is True


def test_a_second_click_deposits_nothing_twice(agent, brenoux):
    first, second = tried(agent, brenoux), tried(agent, brenoux)
    with organisation_context(brenoux):
        assert [link.deposit_id for link in first.inputs.all()] == [link.deposit_id for link in second.inputs.all()]


def test_files_of_the_example_are_given_as_they_are_and_no_other(agent):
    answer = agent.get(f"{PAGE}exemple/volumes")
    assert b"".join(answer.streaming_content) == FILE.read_bytes()
    assert answer["Content-Disposition"] == 'attachment; filename="exemple-volumes.csv"'
    assert f"{PAGE}exemple/volumes" in agent.get(PAGE).content.decode()
    assert agent.get(f"{PAGE}exemple/engine").status_code == agent.get(f"{PAGE}exemple/absent").status_code == 404


def test_a_reader_sees_the_example_and_starts_nothing(brenoux, trial_usecases):
    reader = client_of(brenoux, "lecteur", "paul.lecteur@brenoux.example", "Paul Lecteur")
    assert "Essayer avec l’exemple" not in reader.get(PAGE).content.decode()
    assert reader.post(f"{PAGE}exemple/").status_code == 403


def run_on(client, owner, text: bytes) -> Run:
    page = client.post(PAGE, {"fichier-volumes": SimpleUploadedFile("mes-volumes.csv", text)}, follow=True).content.decode()
    answer = client.post(f"{PAGE}calculer/", {"depot": re.findall(r'name="depot" value="(\d+)"', page)})
    return perform_run(owner, int(re.findall(r"executions/(\d+)/", answer["Location"])[0]))


def test_the_example_is_known_under_another_name_and_a_changed_file_is_ones_own(agent, brenoux):
    assert run_on(agent, brenoux, FILE.read_bytes()).example
    assert not run_on(agent, brenoux, FILE.read_bytes() + b"2025-03-09;Est;90\n").example


def test_the_register_counts_no_example(agent, brenoux):
    run = tried(agent, brenoux)
    page = agent.get(f"{HOME}/executions/{run.pk}/realite/").content.decode()
    assert "Comparer avec la suite de l’exemple" in page and "le registre public ne compte pas les exemples" in page
    compared = agent.post(f"{HOME}/executions/{run.pk}/realite/exemple/", follow=True)
    assert "Comparé à ce qui s’est vraiment passé" in compared.content.decode()
    with organisation_context(brenoux):
        assert Evaluation.objects.filter(run=run).count() == 1
        nadia = create_person("nadia@brenoux.example", "Nadia Le Goff")
        grant(nadia, "decideur")
        publish("essai_tableau", "service", "La cheffe du service", nadia)
        first = Proposal.objects.filter(run=run).order_by("rank")[0]
        mark_displayed([first], nadia)
        decide(first, nadia, "acceptee")
        counted = entry("essai_tableau")
        assert (counted.examples, counted.runs, counted.proposals, counted.decided) == (1, 0, 0, 0)
        assert (counted.joules, counted.measures) == (0.0, ())
        taken = export_decisions(run, nadia, "csv")
    lines = list(csv.DictReader(io.StringIO(taken.content.decode("utf-8-sig")), delimiter=";"))
    assert [line["à vérifier"] for line in lines] == [EXAMPLE_NOT_COUNTED] and taken.name.startswith("decisions-exemple-")
    public = agent.get(f"{HOME}/registre/essai_tableau/").content.decode()
    assert "1 essai sur l’exemple fourni avec le cas d’usage n’est pas compté" in public.replace("\u00a0", " ").replace("\u202f", " ")


def test_only_a_run_of_the_example_is_compared_with_it(agent, brenoux):
    run = run_on(agent, brenoux, FILE.read_bytes() + b"2025-03-09;Est;90\n")
    assert "Comparer avec la suite" not in agent.get(f"{HOME}/executions/{run.pk}/realite/").content.decode()
    assert agent.post(f"{HOME}/executions/{run.pk}/realite/exemple/").status_code == 404


def test_each_use_case_of_the_library_carries_an_example_that_says_what_it_is():
    discovery.clear()
    for slug in discovery.slugs():
        example = discovery.example(slug)
        assert example and example.inputs and example.truth and example.licence, slug
        assert example.source == "données simulées", slug
