"""A deposit: one file, as received."""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar

from django.conf import settings
from django.db import models

from bocage.organisations.models import User
from bocage.organisations.tenancy import TenantModel


class Deposit(TenantModel):
    """One file as received. The bytes live under ``MEDIA_ROOT/<organisation>/<sha256>``; the row is the only way to them."""

    usecase = models.CharField(max_length=40)
    input_name = models.CharField(max_length=60)
    filename = models.CharField("nom du fichier", max_length=255)
    sha256 = models.CharField(max_length=64)
    size = models.PositiveBigIntegerField("octets")
    deposited_at = models.DateTimeField(auto_now_add=True)
    deposited_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    source_url = models.URLField("adresse d’origine", max_length=500, blank=True)
    licence = models.CharField(max_length=120, blank=True)
    report = models.JSONField("compte rendu", null=True)
    details = models.JSONField(
        "toutes les erreurs", null=True, help_text="Every wrong cell, up to 100 000: loaded only by the page that shows them."
    )

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["-deposited_at", "-pk"]
        indexes: ClassVar = [models.Index(fields=["organisation", "usecase", "-deposited_at"], name="deposit_latest")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organisation", "usecase", "input_name", "sha256", "filename"], name="deposit_once"),
        ]

    def __str__(self) -> str:
        return self.filename

    @property
    def path(self) -> Path:
        """Where the bytes are. The suffix is kept: readers choose their format by content and suffix."""
        suffix = re.sub(r"[^.a-z0-9]", "", Path(self.filename).suffix.lower())[:12]
        return Path(settings.MEDIA_ROOT) / str(self.organisation_id) / f"{self.sha256}{suffix}"
