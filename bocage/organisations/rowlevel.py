"""Row-level security on PostgreSQL: the database itself refuses rows of other organisations (the second lock of tenancy).

The policy is put on the table of every ``TenantModel`` after each ``migrate``, so that a new table is never forgotten. It holds for the
owner of the tables too (FORCE), but not for a superuser nor for a role with BYPASSRLS: Bocage's role must be neither, and
``check --deploy`` says so.
"""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig, apps
from django.core.checks import CheckMessage, Warning
from django.db import DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from bocage.organisations.tenancy import TenantModel

POLICY = "bocage_tenancy"
# An unset or empty scope is NULL: no row. The sub-selects make PostgreSQL compute each setting once a query, not once a row.
_VISIBLE = (
    "organisation_id = (SELECT nullif(current_setting('bocage.organisation', true), '')::bigint)"
    " OR (SELECT current_setting('bocage.across', true)) = 'on'"
)


def tenant_tables(app_config: AppConfig | None = None) -> list[str]:
    """The tables whose rows belong to an organisation: of one application, or of all."""
    models = app_config.get_models() if app_config else apps.get_models()
    return sorted(model._meta.db_table for model in models if issubclass(model, TenantModel))


def put_policies(sender: AppConfig, using: str, **_: Any) -> None:
    """After ``migrate``: put the policy on each table of ``sender`` that has it not, on PostgreSQL only."""
    database = connections[using]
    if database.vendor != "postgresql":
        return
    missing = unprotected_tables(database, tenant_tables(sender))
    with database.cursor() as cursor:
        for table in missing:
            name = database.ops.quote_name(table)
            cursor.execute(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
            cursor.execute(f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")
            cursor.execute(f"DROP POLICY IF EXISTS {POLICY} ON {name}")
            cursor.execute(f"CREATE POLICY {POLICY} ON {name} USING ({_VISIBLE}) WITH CHECK ({_VISIBLE})")


def unprotected_tables(database: BaseDatabaseWrapper, tables: list[str]) -> list[str]:
    """Those of ``tables`` that exist in ``database`` and lack the forced policy."""
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_class c LEFT JOIN pg_policy p ON p.polrelid = c.oid AND p.polname = %s"
            " WHERE c.relkind = 'r' AND c.relname = ANY(%s) AND pg_table_is_visible(c.oid)"
            " AND NOT (c.relrowsecurity AND c.relforcerowsecurity AND p.oid IS NOT NULL) ORDER BY c.relname",
            [POLICY, tables],
        )
        return [row[0] for row in cursor.fetchall()]


def check_role(app_configs: Any, databases: list[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Deploy check: on PostgreSQL, the role must be subject to the policies, and every table must have one."""
    found: list[CheckMessage] = []
    for alias in ["default"] if databases is None else databases:
        database = connections[alias]
        if database.vendor != "postgresql":
            continue
        try:
            found += _findings(database)
        except DatabaseError as error:
            found.append(Warning(f"PostgreSQL does not answer: row-level security was not checked ({error}).", id="bocage.W003"))
    return found


def _findings(database: BaseDatabaseWrapper) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    with database.cursor() as cursor:
        cursor.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
        bypasses = cursor.fetchone()[0]
    if bypasses:
        hint = "ALTER ROLE … NOSUPERUSER NOBYPASSRLS, and make it the owner of the database."
        found.append(
            Warning("The database role bypasses row-level security: the second lock of tenancy is open.", hint=hint, id="bocage.W001")
        )
    if tables := unprotected_tables(database, tenant_tables()):
        found.append(Warning(f"Tables without row-level security: {', '.join(tables)}.", hint="Run « bocage migrate ».", id="bocage.W002"))
    return found
