"""What is done with organisations."""

from __future__ import annotations

from django.utils.text import slugify

from bocage.contract.errors import BocageError
from bocage.organisations.models import Organisation


class UnknownOrganisation(BocageError):
    """No organisation has this slug."""

    code = "organisation-inconnue"
    exit_code = 2


def get_organisation(slug: str) -> Organisation:
    """The organisation called ``slug``. Raises ``UnknownOrganisation`` naming those that exist."""
    try:
        return Organisation.objects.get(slug=slug)
    except Organisation.DoesNotExist:
        known = ", ".join(Organisation.objects.values_list("slug", flat=True)[:20]) or "aucune"
        raise UnknownOrganisation(f"Aucune organisation ne s’appelle « {slug} ». Organisations connues : {known}.") from None


def ensure_organisation(name: str, kind: str = Organisation.Kind.COMMUNE, time_zone: str = "Europe/Paris") -> Organisation:
    """The organisation of that name, created if it is new. Calling it twice changes nothing."""
    organisation, _ = Organisation.objects.get_or_create(slug=slugify(name), defaults={"name": name, "kind": kind, "time_zone": time_zone})
    return organisation


class OrganisationToChoose(BocageError):
    """There are none or several organisations, and the caller did not say which."""

    code = "organisation-a-choisir"
    exit_code = 2


def choose_organisation(slug: str = "") -> Organisation:
    """The organisation called ``slug``, or the only one. Raises ``UnknownOrganisation`` or ``OrganisationToChoose``."""
    if slug:
        return get_organisation(slug)
    known = list(Organisation.objects.all()[:20])
    if len(known) == 1:
        return known[0]
    if not known:
        raise OrganisationToChoose("Aucune organisation n’existe encore. Lancez « bocage demo » pour créer celle de démonstration.")
    names = ", ".join(organisation.slug for organisation in known)
    raise OrganisationToChoose(f"Plusieurs organisations existent ({names}). Dites laquelle : --organisation SLUG.")
