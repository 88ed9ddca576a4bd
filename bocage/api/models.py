"""Tokens of the API: one organisation each, with scopes; only a hash is kept."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from bocage.organisations.models import User
from bocage.organisations.tenancy import TenantModel


class Scope(models.TextChoices):
    """What a token may do."""

    READ = "lire", "Lire les cas d’usage, dépôts, exécutions et décisions"
    DEPOSIT = "deposer", "Déposer des fichiers"
    RUN = "lancer", "Lancer et relancer des calculs"


class ApiToken(TenantModel):
    """A token. The secret is shown once, when it is made; ``digest`` is its SHA-256 (the secret has 256 bits: no slow hash is needed)."""

    name = models.CharField("usage", max_length=120)
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    created_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    last_used_on = models.DateField(null=True)

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return self.name
