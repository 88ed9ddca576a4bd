"""The second lock: on PostgreSQL, the database itself refuses the rows of other organisations, even to raw SQL that forgot its context."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import ProgrammingError, connection, transaction

from bocage.decisions.models import Run
from bocage.organisations import rowlevel
from bocage.organisations.membership import Membership, Role, organisations_of
from bocage.organisations.people import create_person, grant
from bocage.organisations.services import ensure_organisation
from bocage.organisations.tenancy import across, organisation_context

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="row-level security exists on PostgreSQL only"),
]


@pytest.fixture
def marsanne():
    return ensure_organisation("Marsanne")


@pytest.fixture
def runs(brenoux, marsanne) -> dict[str, int]:
    """One run in each organisation, by slug."""
    made = {}
    for owner in (brenoux, marsanne):
        with organisation_context(owner):
            run = Run(usecase="eau_demande")
            run.save()
            made[owner.slug] = run.pk
    return made


@pytest.fixture
def as_plain_role(runs) -> Iterator[None]:
    """What follows runs as a role that is not a superuser, as the role of a real server must be."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        if not cursor.fetchone()[0]:
            yield
            return
        cursor.execute("CREATE ROLE bocage_plain NOSUPERUSER NOBYPASSRLS")
        cursor.execute("GRANT USAGE ON SCHEMA public TO bocage_plain")
        cursor.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO bocage_plain")
        cursor.execute("GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO bocage_plain")
        cursor.execute("SET ROLE bocage_plain")
        yield
        cursor.execute("RESET ROLE")


def raw_runs() -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM decisions_run")
        return {row[0] for row in cursor.fetchall()}


def test_raw_sql_without_an_organisation_reads_nothing(as_plain_role, runs):
    assert raw_runs() == set()


def test_raw_sql_in_a_context_reads_that_organisation_only(as_plain_role, runs, brenoux, marsanne):
    with organisation_context(brenoux):
        assert raw_runs() == {runs[brenoux.slug]}
        with organisation_context(marsanne):
            assert raw_runs() == {runs[marsanne.slug]}
        assert raw_runs() == {runs[brenoux.slug]}
    assert raw_runs() == set()


def test_raw_sql_cannot_write_a_row_of_another_organisation(as_plain_role, runs, brenoux, marsanne):
    with organisation_context(brenoux):
        with connection.cursor() as cursor:
            cursor.execute("UPDATE decisions_run SET usecase = 'vole' WHERE id = %s", [runs[marsanne.slug]])
            assert cursor.rowcount == 0
            cursor.execute("DELETE FROM decisions_run WHERE id = %s", [runs[marsanne.slug]])
            assert cursor.rowcount == 0
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("UPDATE decisions_run SET organisation_id = %s WHERE id = %s", [marsanne.pk, runs[brenoux.slug]])
    with organisation_context(marsanne):
        assert Run.objects.get().usecase == "eau_demande"


def test_bulk_writing_for_another_organisation_is_refused(as_plain_role, brenoux, marsanne):
    """``bulk_create`` does not pass by ``save``: only the database can refuse it."""
    with organisation_context(brenoux), pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
        Run.objects.bulk_create([Run(organisation=marsanne, usecase="vole")])


def test_all_organisations_are_seen_only_within_across(as_plain_role, runs, brenoux):
    with across():
        assert raw_runs() == set(runs.values())
        with organisation_context(brenoux):
            assert raw_runs() == {runs[brenoux.slug]}
        assert raw_runs() == set(runs.values())
    assert raw_runs() == set()
    assert not Run.across_organisations.exists()


def test_a_rolled_back_transaction_leaves_the_scope_of_its_context(as_plain_role, runs, brenoux, marsanne):
    with organisation_context(brenoux):
        with pytest.raises(ProgrammingError), transaction.atomic(), organisation_context(marsanne), connection.cursor() as cursor:
            cursor.execute("SELECT nothing FROM nowhere")
        assert raw_runs() == {runs[brenoux.slug]}
    assert raw_runs() == set()


def test_the_organisations_of_a_person_are_found_from_outside(as_plain_role, brenoux):
    with organisation_context(brenoux):
        nadia = create_person("nadia@brenoux.example", "Nadia Le Goff")
        grant(nadia, Role.AGENT)
    assert list(organisations_of(nadia)) == [brenoux]
    assert not Membership.across_organisations.exists()


def test_every_table_of_an_organisation_is_protected():
    assert rowlevel.tenant_tables()
    assert rowlevel.unprotected_tables(connection, rowlevel.tenant_tables()) == []


def test_the_deploy_check_warns_of_a_role_that_bypasses_the_lock_and_of_a_bare_table(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        bypasses = cursor.fetchone()[0]
        assert [m.id for m in rowlevel.check_role(None, ["default"])] == (["bocage.W001"] if bypasses else [])
        cursor.execute("ALTER TABLE decisions_run NO FORCE ROW LEVEL SECURITY")
        assert "bocage.W002" in {m.id for m in rowlevel.check_role(None, ["default"])}


@pytest.mark.django_db(transaction=True)
def test_a_new_connection_gets_the_scope_of_its_thread(brenoux):
    with organisation_context(brenoux):
        connection.close()
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('bocage.organisation', true)")
            assert cursor.fetchone()[0] == str(brenoux.pk)
