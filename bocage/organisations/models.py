"""Organisations and the people who work in them."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.core.validators import RegexValidator
from django.db import models


class Organisation(models.Model):
    """A commune, an intercommunalité, a département or a syndicat: the owner of every other row."""

    class Kind(models.TextChoices):
        """Kinds of local authority."""

        COMMUNE = "commune", "Commune"
        EPCI = "epci", "Intercommunalité"
        DEPARTEMENT = "departement", "Département"
        SYNDICAT = "syndicat", "Syndicat"

    slug = models.SlugField(unique=True, max_length=60)
    name = models.CharField("nom", max_length=200)
    kind = models.CharField("nature", max_length=12, choices=Kind.choices, default=Kind.COMMUNE)
    siren = models.CharField("SIREN", max_length=9, blank=True, validators=[RegexValidator(r"^\d{9}$", "Un SIREN compte neuf chiffres.")])
    time_zone = models.CharField("fuseau horaire", max_length=40, default="Europe/Paris")
    administered_by = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="administered",
        help_text="A syndicat that manages members and settings, without reading contents.",
    )
    accent = models.CharField("couleur, jour", max_length=7, default="#2b5b3f")
    accent_night = models.CharField("couleur, nuit", max_length=7, default="#9ccaa8")
    logo_png = models.BinaryField("logo", null=True, editable=False)
    contact = models.CharField("contact public", max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class User(AbstractBaseUser):
    """A person. What a person may do is said by a membership, never by this row."""

    email = models.EmailField("adresse électronique", unique=True)
    name = models.CharField("nom", max_length=200)
    oidc_issuer = models.CharField(max_length=200, blank=True)
    oidc_subject = models.CharField(max_length=255, blank=True, help_text="Given once by the identity provider, never changed.")
    is_active = models.BooleanField(default=True)
    password_is_provisional = models.BooleanField(default=False, help_text="Given by somebody else: to be changed before anything else.")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = BaseUserManager["User"]()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar = ["name"]

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["oidc_issuer", "oidc_subject"], condition=~models.Q(oidc_subject=""), name="one_person_per_subject"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SignInAttempt(models.Model):
    """Failed sign-ins of one account or one network address, within a window. In the database: no other server is needed."""

    key = models.CharField(max_length=255, unique=True)
    failures = models.PositiveIntegerField(default=0)
    since = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.key} : {self.failures}"
