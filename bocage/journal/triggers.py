"""The database's own refusal: entries of the journal are written once.

An administrator of the database can lift it; the chain shows what was done then.
"""

from __future__ import annotations

_REFUSAL = "Le journal ne se modifie pas : ses entrees s''ajoutent, rien de plus."
_NAMES = ("journal_no_update", "journal_no_delete")
# REPLACE deletes without firing the trigger of deletion: what it would take away must not be there.
_THERE = (
    "WHEN EXISTS (SELECT 1 FROM journal_entry WHERE hash = NEW.hash OR (organisation_id = NEW.organisation_id AND sequence = NEW.sequence))"
)
NO_REPLACE = (
    f"CREATE TRIGGER IF NOT EXISTS journal_no_replace BEFORE INSERT ON journal_entry {_THERE} BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
)


_SQLITE_CREATE = [
    f"CREATE TRIGGER {name} BEFORE {name.rsplit('_', 1)[1].upper()} ON journal_entry BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
    for name in _NAMES
] + [NO_REPLACE]
_SQLITE_DROP = [f"DROP TRIGGER IF EXISTS {name}" for name in (*_NAMES, "journal_no_replace")]
_POSTGRESQL_CREATE = [
    f"CREATE OR REPLACE FUNCTION journal_refuse() RETURNS trigger LANGUAGE plpgsql AS "
    f"$$ BEGIN RAISE EXCEPTION '{_REFUSAL}' USING ERRCODE = 'integrity_constraint_violation'; END $$",
    "CREATE TRIGGER journal_no_change BEFORE UPDATE OR DELETE ON journal_entry FOR EACH ROW EXECUTE FUNCTION journal_refuse()",
    "CREATE TRIGGER journal_no_truncate BEFORE TRUNCATE ON journal_entry FOR EACH STATEMENT EXECUTE FUNCTION journal_refuse()",
]
_POSTGRESQL_DROP = [
    "DROP TRIGGER IF EXISTS journal_no_change ON journal_entry",
    "DROP TRIGGER IF EXISTS journal_no_truncate ON journal_entry",
    "DROP FUNCTION IF EXISTS journal_refuse()",
]


def create_statements(vendor: str) -> list[str]:
    """SQL that makes the table refuse updates and deletions, for « sqlite » or « postgresql »."""
    return {"sqlite": _SQLITE_CREATE, "postgresql": _POSTGRESQL_CREATE}[vendor]


def drop_statements(vendor: str) -> list[str]:
    """SQL that takes the refusal away: migrations backwards, and tests that play the attacker."""
    return {"sqlite": _SQLITE_DROP, "postgresql": _POSTGRESQL_DROP}[vendor]
