"""Shared by all tests: deposits go to a temporary folder, and one organisation is at hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def deposits_in_a_temporary_folder(settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "deposits"


@pytest.fixture(autouse=True, scope="session")
def flush_lifts_the_journal_triggers() -> Iterator[None]:
    """Transactional tests empty every table at their end, which the journal's triggers refuse: only that flush may."""
    from django.db import connection

    from bocage.journal.triggers import create_statements, drop_statements

    original = connection.ops.sql_flush

    def flush(style, tables, **options):
        statements = original(style, tables, **options)
        if "journal_entry" not in tables:
            return statements
        return [*drop_statements(connection.vendor), *statements, *create_statements(connection.vendor)]

    connection.ops.sql_flush = flush
    yield
    connection.ops.sql_flush = original


@pytest.fixture
def brenoux(db):
    """The organisation Pays de Brenoux."""
    from bocage.organisations.services import ensure_organisation

    return ensure_organisation("Pays de Brenoux", "epci")


@pytest.fixture
def in_brenoux(brenoux) -> Iterator[object]:
    """Pays de Brenoux, in context."""
    from bocage.organisations.tenancy import organisation_context

    with organisation_context(brenoux):
        yield brenoux
