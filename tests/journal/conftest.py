"""A journal with facts in it, and the hand of an attacker who has the database."""

from __future__ import annotations

from typing import Any

import pytest

from bocage.journal.models import Entry
from bocage.journal.services import record
from bocage.journal.triggers import drop_statements


class Attacker:
    """Writes to the database directly, triggers lifted."""

    def sql(self, statement: str, *values: Any) -> None:
        """Run one statement, past the row-level security of PostgreSQL."""
        from django.db import connection

        from bocage.organisations.tenancy import across

        with across(), connection.cursor() as cursor:
            cursor.execute(statement, values)

    def set(self, sequence: int, column: str, value: Any) -> None:
        """Change one column of one entry."""
        self.sql(f"UPDATE journal_entry SET {column} = %s WHERE sequence = %s", value, sequence)


@pytest.fixture
def nadia(db):
    """A person of the organisation."""
    from bocage.organisations.people import create_person

    return create_person("nadia@brenoux.example", "Nadia Le Goff")


@pytest.fixture
def journal(in_brenoux, nadia) -> list[Entry]:
    """Six facts, by two authors, with the numbers and letters that databases like to change."""
    from django.db import transaction

    facts: list[dict[str, Any]] = [
        {"sujet": "Secteur Nord", "propose": 1240.0, "grand": 1e22, "petit": 1e-7},
        {"motif": "l’été, « canicule » ; 33 °C", "e\u0301": "é", "\U0001f30a": None},
        {"zeros": [-0.0, 0.0, 1.10, 5e-324, 1.7976931348623157e308], "b": True},
        {"z": 1, "a": {"z": 2, "a": [1, 2, {"y": 0, "x": 0}]}},
        {"nul": "a\x00b", "moitie": "\ud800"},
        {},
    ]
    with transaction.atomic():
        return [record("essai.fait", nadia if i % 2 else None, **fact) for i, fact in enumerate(facts)]


@pytest.fixture
def attacker(journal) -> Attacker:
    """With the triggers lifted, as an administrator of the database can."""
    from django.db import connection

    hand = Attacker()
    for statement in drop_statements(connection.vendor):
        hand.sql(statement)
    return hand
