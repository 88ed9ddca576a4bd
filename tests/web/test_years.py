"""After years of use, a page asks for what it shows: no count of all that was ever proposed, no list without pages."""

from __future__ import annotations

import json
import re
import tracemalloc
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from bocage.cli.server import renew_statistics
from bocage.decisions.decide import decide
from bocage.decisions.models import Proposal, RoleResult, Run
from bocage.decisions.proposals import standing_decisions, undecided_count
from bocage.journal.models import Entry, Head
from bocage.journal.services import record
from bocage.organisations.services import ensure_organisation
from bocage.organisations.tenancy import organisation_context
from bocage.register import services as register
from tests.decisions.lists import finished_run, first_of, person, proposals_of
from tests.register.material import decided, done_run

HOME = "/pays-de-brenoux"


@pytest.fixture
def nadia(in_brenoux):
    return person("Nadia Le Goff", "decideur", "dpo")


@pytest.fixture
def portal(client, nadia):
    client.force_login(nadia)
    return client


def asked(do) -> list[str]:
    """The queries that ``do`` sends."""
    with CaptureQueriesContext(connection) as queries:
        do()
    return [query["sql"] for query in queries.captured_queries]


@pytest.mark.parametrize("page", ["/executions/", "/cas-d-usage/eau_demande/", "/a-decider/", "/depots/", "/journal/"])
def test_no_page_counts_all_the_proposals_again(portal, page):
    for _ in range(3):
        finished_run()
    queries = asked(lambda: portal.get(HOME + page))
    assert queries and not [sql for sql in queries if re.search(r'(FROM|JOIN) "decisions_(proposal|decision)"', sql) and "COUNT(" in sql]


def test_a_run_knows_how_many_of_its_proposals_wait(nadia):
    hugo = person("Hugo Marchand", "decideur")
    run = finished_run(proposals_of(3))
    decision = decide(first_of(run), nadia, "acceptee")
    decide(first_of(run), hugo, "refusee", reason="Vidange du réservoir.", seen=decision.pk)
    run.refresh_from_db()
    assert (run.proposed, run.undecided, undecided_count()) == (3, 2, 2), "a decision that replaces another one decides nothing more"


def test_an_upgraded_server_counts_what_was_there(nadia):
    half, none, failed = finished_run(proposals_of(4)), finished_run(proposals_of(2)), finished_run([])
    first = decide(first_of(half), nadia, "acceptee")
    decide(first_of(half), nadia, "refusee", reason="Vidange du réservoir.", seen=first.pk)
    Run.objects.filter(pk=failed.pk).update(state=Run.State.FAILED)
    Run.objects.update(proposed=0, undecided=0)
    import_module("bocage.decisions.migrations.0003_count_what_is_there").count_what_is_there(apps, None)
    counted = {run.pk: (run.proposed, run.undecided) for run in Run.objects.all()}
    assert counted == {half.pk: (4, 3), none.pk: (2, 2), failed.pk: (0, 0)}


def test_what_waits_is_cut_in_pages_from_either_end(portal):
    runs = [finished_run(proposals_of(1)) for _ in range(27)]
    listed = [re.findall(r"Exécution (\d+)", portal.get(f"{HOME}/a-decider/{query}").content.decode()) for query in ("", "?page=2")]
    assert [len(page) for page in listed] == [25, 2]
    assert [int(number) for page in listed for number in page] == [run.pk for run in runs]
    latest = portal.get(f"{HOME}/a-decider/?ordre=recentes").content.decode()
    assert int(re.findall(r"Exécution (\d+)", latest)[0]) == runs[-1].pk
    assert "?ordre=recentes&amp;page=2" in latest or "?ordre=recentes&page=2" in latest


def test_the_register_counts_again_only_when_the_journal_has_moved(client, nadia):
    register.publish("eau_demande", "service", "Nadia Le Goff", nadia)
    run = finished_run(proposals_of(3))
    with transaction.atomic():
        record("execution.terminee", execution=run.pk, cas="eau_demande", propositions=3)
    assert "aucune encore décidée" in client.get(f"{HOME}/registre/eau_demande/").content.decode()
    again = asked(lambda: client.get(f"{HOME}/registre/eau_demande/"))
    assert not [sql for sql in again if "decisions_decision" in sql or "register_evaluation" in sql]
    decide(first_of(run), nadia, "acceptee")
    assert "1 acceptée" in client.get(f"{HOME}/registre/eau_demande/").content.decode()


def test_what_is_remembered_of_one_organisation_is_not_told_of_another(nadia):
    register.publish("eau_demande", "service", "", nadia)
    decided(done_run({"Nord": 1.0}, {}, slug="eau_demande"), nadia, ["acceptee"])
    with transaction.atomic():
        record("essai.bouge", nadia)
    assert register.entries()[0].accepted == 1
    with organisation_context(ensure_organisation("Marsanne", "commune")):
        register.publish("eau_demande", "service", "", None)
        assert register.entries()[0].accepted == 0


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="PostgreSQL keeps its statistics by itself")
def test_the_decisions_of_a_run_are_not_looked_for_among_all_those_of_the_organisation(nadia):
    for _ in range(40):
        run = finished_run(proposals_of(6))
        for proposal in run.proposals.all():
            decide(proposal, nadia, "acceptee")
    renew_statistics()
    queries = asked(lambda: standing_decisions(run)) + asked(lambda: list(RoleResult.objects.filter(run__in=[run.pk])))
    for sql in queries:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
            plan = " ; ".join(row[3] for row in cursor.fetchall())
        assert "run_id" in plan and "organisation_id=?" not in plan, plan
    assert Proposal.objects.count() == 240


def test_the_journal_of_years_is_exported_without_being_held_in_memory(portal, in_brenoux):
    with transaction.atomic():
        first = record("essai.fait", None, texte="x")
    lines = [
        Entry(
            organisation=in_brenoux, sequence=2 + i, hash=f"{i:064d}", time=first.time, event="essai.fait", actor_name="Bocage",
            content=json.dumps({"texte": "x" * 2000}), previous_hash="0" * 64,
        )
        for i in range(8000)
    ]  # fmt: skip
    Entry.objects.bulk_create(lines, batch_size=500)
    Head.objects.update(sequence=8001)
    del lines
    tracemalloc.start()
    response = portal.post(f"{HOME}/journal/export.csv")
    size = sum(len(part) for part in response.streaming_content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size > 16_000_000 and peak < 8_000_000, (size, peak)
