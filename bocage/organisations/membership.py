"""Who may do what in which organisation: roles, and the one table of permissions."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from bocage.organisations.models import Organisation, User
from bocage.organisations.tenancy import TenantModel, across, organisation_context


class Role(models.TextChoices):
    """The five roles. A person may hold several in one organisation, and others elsewhere."""

    LECTEUR = "lecteur", "Lecteur"
    AGENT = "agent", "Agent"
    DECIDEUR = "decideur", "Décideur"
    DPO = "dpo", "Délégué à la protection des données"
    ADMINISTRATEUR = "administrateur", "Administrateur"


class Permission(models.TextChoices):
    """What pages and API operations ask for. The label completes « réservé à… »."""

    VOIR = "voir", "consulter l’espace agents"
    DEPOSER = "deposer", "déposer un fichier et lancer un calcul"
    DECIDER = "decider", "décider"
    REPONDRE = "repondre", "répondre aux habitants"
    JOURNAL = "journal", "lire le journal"
    PUBLIER = "publier", "publier au registre"
    ADMINISTRER = "administrer", "gérer les membres et les réglages"


GRANTS: dict[Role, frozenset[Permission]] = {
    Role.LECTEUR: frozenset({Permission.VOIR}),
    Role.AGENT: frozenset({Permission.VOIR, Permission.DEPOSER, Permission.REPONDRE}),
    Role.DECIDEUR: frozenset({Permission.VOIR, Permission.DEPOSER, Permission.DECIDER, Permission.REPONDRE}),
    Role.DPO: frozenset({Permission.VOIR, Permission.JOURNAL, Permission.PUBLIER}),
    Role.ADMINISTRATEUR: frozenset({Permission.VOIR, Permission.ADMINISTRER, Permission.PUBLIER}),
}


class Membership(TenantModel):
    """One role of one person in one organisation. ``title`` is the function shown beside decisions (« cheffe du service Eau »)."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    role = models.CharField("rôle", max_length=16, choices=Role.choices)
    title = models.CharField("fonction", max_length=120, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        app_label = "organisations"
        constraints: ClassVar = [models.UniqueConstraint(fields=["organisation", "user", "role"], name="membership_once")]


def permissions_of(user: User, organisation: Organisation) -> frozenset[Permission]:
    """What ``user`` may do in ``organisation``: empty for a stranger.

    An administrator of the syndicat that administers a commune may manage its members and settings, and see nothing of its contents.
    """
    if not user.is_active:
        return frozenset()
    granted = _granted(user, organisation)
    if organisation.administered_by and Permission.ADMINISTRER in _granted(user, organisation.administered_by):
        granted |= {Permission.ADMINISTRER}
    return granted


def members_who_may(permission: Permission) -> models.QuerySet[User]:
    """The people with an open account whose own role, in the organisation in context, grants ``permission``, by name."""
    roles = [role for role, granted in GRANTS.items() if permission in granted]
    ids = set(Membership.objects.filter(role__in=roles).values_list("user_id", flat=True))
    return User.objects.filter(pk__in=ids, is_active=True).order_by("name", "pk")


def _granted(user: User, organisation: Organisation) -> frozenset[Permission]:
    with organisation_context(organisation):
        roles = Membership.objects.filter(user=user).values_list("role", flat=True)
        return frozenset().union(*(GRANTS[Role(role)] for role in roles))


def organisations_of(user: User) -> models.QuerySet[Organisation]:
    """The organisations in which ``user`` holds a role, by name."""
    with across():
        # Read here and not as a sub-query: outside ``across()`` PostgreSQL would show none.
        ids = set(Membership.across_organisations.filter(user=user).values_list("organisation_id", flat=True))
    return Organisation.objects.filter(pk__in=ids)
