"""What is done with organisations."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
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


class InvalidOrganisation(BocageError):
    """A name, a SIREN, a time zone or a colour that an organisation cannot take."""

    code = "organisation-invalide"


RESERVED = frozenset(
    {"connexion", "deconnexion", "mot-de-passe", "demonstration", "marque", "aide", "api", "static", "oidc", "sante", "accueil", "admin"}
    | {"robots"}
)
"""First words of the server's own addresses: an organisation cannot be called so."""


def ensure_organisation(name: str, kind: str = Organisation.Kind.COMMUNE, time_zone: str = "Europe/Paris") -> Organisation:
    """The organisation of that name, created if it is new. Calling it twice changes nothing. Raises ``InvalidOrganisation``."""
    slug = slug_of(name)
    organisation, _ = Organisation.objects.get_or_create(slug=slug, defaults={"name": name, "kind": kind, "time_zone": time_zone})
    return organisation


class OrganisationExists(BocageError):
    """An organisation already has this address."""

    code = "organisation-existante"


def create_organisation(name: str, kind: str, time_zone: str = "", siren: str = "", administered_by: str = "") -> Organisation:
    """A new organisation, whose journal begins with its opening.

    Raises ``InvalidOrganisation``, ``OrganisationExists``, or ``UnknownOrganisation`` for ``administered_by``.
    """
    from bocage.journal.services import record
    from bocage.organisations.identity import check_siren, check_time_zone
    from bocage.organisations.tenancy import organisation_context

    name, zone = " ".join(name.split()), time_zone or settings.TIME_ZONE
    slug = slug_of(name)
    if len(name) > 200:
        raise InvalidOrganisation(f"Le nom compte {len(name)} caractères ; la limite est 200.")
    check_time_zone(zone)
    digits = check_siren(siren)
    over = get_organisation(administered_by) if administered_by else None
    if Organisation.objects.filter(slug=slug).exists():
        raise OrganisationExists(f"« {slug} » existe déjà. Donnez un nom qui la distingue, avec le département par exemple.")
    with transaction.atomic():
        made = Organisation.objects.create(slug=slug, name=name, kind=kind, time_zone=zone, siren=digits, administered_by=over)
        facts = {"nom": name, "nature": kind, "fuseau": zone, "siren": digits, "administree_par": over.name if over else ""}
        with organisation_context(made):
            record("organisation.ouverte", None, **facts)
    return made


_LIGATURES = str.maketrans({"œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE"})


def slug_of(name: str) -> str:
    """The address of the organisation called ``name``: « Pays de Brenoux » gives « pays-de-brenoux ». Raises ``InvalidOrganisation``."""
    # Two letters in one, which slugify would drop: « Vandœuvre » is written « vandoeuvre » in addresses.
    slug = slugify(name.translate(_LIGATURES))[:60].strip("-_")
    if not slug:
        raise InvalidOrganisation(f"« {name} » ne donne pas d’adresse : il faut au moins une lettre ou un chiffre.")
    if slug in RESERVED:
        raise InvalidOrganisation(f"« {slug} » est une adresse du serveur. Ajoutez un mot, par exemple « Commune de {name} ».")
    return slug


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
