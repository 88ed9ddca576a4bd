"""Start Django for a command, and say in one sentence when the database is not ready."""

from __future__ import annotations

from bocage.contract.errors import BocageError


class DatabaseNotReady(BocageError):
    """The database cannot be reached, or its tables are not those of this version."""

    code = "base-non-prete"
    exit_code = 2


def setup_django(check: bool = True) -> None:
    """Load Django; with ``check``, raise ``DatabaseNotReady`` unless the database answers and is up to date."""
    import django

    django.setup()
    if check:
        _check_database()


def _check_database() -> None:
    from django.db import DatabaseError, connection
    from django.db.migrations.executor import MigrationExecutor

    try:
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise DatabaseNotReady(f"La base de données ne répond pas : {first}. Vérifiez BOCAGE_DATABASE_URL.") from None
    if pending:
        raise DatabaseNotReady("La base de données n’est pas à jour. Lancez d’abord : bocage migrate")
