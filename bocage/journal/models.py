"""Entries of the journal, its head, and the anchors published in the register."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from bocage.organisations.models import User
from bocage.organisations.tenancy import TenantModel


class Entry(TenantModel):
    """One fact. ``hash`` = SHA-256 over the canonical JSON of everything here and ``previous_hash``; never updated, never deleted."""

    sequence = models.PositiveBigIntegerField()
    at = models.DateTimeField()
    actor = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    actor_name = models.CharField(max_length=200)
    event = models.CharField(max_length=60, db_index=True)
    data = models.JSONField(default=dict)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["sequence"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["organisation", "sequence"], name="journal_sequence")]


class Head(TenantModel):
    """Where the chain of an organisation stands; moved in the same transaction as each entry."""

    sequence = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64, default="0" * 64)

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [models.UniqueConstraint(fields=["organisation"], name="journal_head_once")]


class Anchor(TenantModel):
    """A head published in the register on a given day, so that others hold a copy."""

    sequence = models.PositiveBigIntegerField()
    hash = models.CharField(max_length=64)
    published_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["sequence"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["organisation", "sequence"], name="journal_anchor_once")]
