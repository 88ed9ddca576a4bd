"""Entries of the journal, its head, and the anchors published in the register."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, ClassVar

from django.db import models

from bocage.organisations.models import User
from bocage.organisations.tenancy import TenantModel


class Entry(TenantModel):
    """One fact, never updated nor deleted (triggers of the database refuse it). Its key is its hash, which covers every other column.

    Times and facts are kept as text, exactly as they were hashed: no database normalises them, so that a changed byte is a changed hash.
    """

    hash = models.CharField(primary_key=True, max_length=64)
    sequence = models.PositiveBigIntegerField()
    time = models.CharField(max_length=32, help_text="UTC, ISO 8601 to the microsecond: sorted as text, it is sorted in time.")
    actor = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    actor_name = models.CharField(max_length=200)
    event = models.CharField(max_length=60, db_index=True)
    content = models.TextField(help_text="The facts: canonical JSON (sorted keys, no spaces, UTF-8).")
    previous_hash = models.CharField(max_length=64)

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["sequence"]
        # What the page filters by, in the order in which it shows.
        indexes: ClassVar = [
            models.Index(fields=["organisation", "event", "sequence"], name="journal_event"),
            models.Index(fields=["organisation", "actor_name", "sequence"], name="journal_actor"),
        ]
        constraints: ClassVar = [models.UniqueConstraint(fields=["organisation", "sequence"], name="journal_sequence")]

    def __str__(self) -> str:
        return f"{self.sequence} {self.event}"

    @property
    def at(self) -> datetime:
        """When it happened (UTC)."""
        return datetime.fromisoformat(self.time)

    @property
    def data(self) -> dict[str, Any]:
        """The facts."""
        facts: dict[str, Any] = json.loads(self.content)
        return facts


class Head(TenantModel):
    """Where the chain of an organisation stands; moved in the same transaction as each entry."""

    sequence = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64, default="0" * 64)

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [models.UniqueConstraint(fields=["organisation"], name="journal_head_once")]


class Anchor(TenantModel):
    """A head published in the register, so that others hold a copy: the only thing that a whole journal rewritten cannot bring back."""

    sequence = models.PositiveBigIntegerField()
    hash = models.CharField(max_length=64)
    published_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["sequence"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["organisation", "sequence"], name="journal_anchor_once")]
