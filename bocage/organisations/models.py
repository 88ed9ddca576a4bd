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
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class User(AbstractBaseUser):
    """A person. What a person may do is said by a membership, never by this row."""

    email = models.EmailField("adresse électronique", unique=True)
    name = models.CharField("nom", max_length=200)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = BaseUserManager["User"]()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name
