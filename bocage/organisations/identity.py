"""The settings of an organisation: name, contact, SIREN, time zone, colour, logo. Each change is checked, then journalled."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from django.db import transaction

from bocage.contract.french import number
from bocage.journal.services import record
from bocage.organisations import colour
from bocage.organisations.logo import clean_logo
from bocage.organisations.models import Organisation, User
from bocage.organisations.services import InvalidOrganisation, slug_of
from bocage.organisations.tenancy import organisation_context

TIME_ZONES: tuple[tuple[str, str], ...] = (
    ("Europe/Paris", "France métropolitaine"),
    ("America/Guadeloupe", "Guadeloupe"),
    ("America/Martinique", "Martinique"),
    ("America/Cayenne", "Guyane"),
    ("Indian/Reunion", "La Réunion"),
    ("Indian/Mayotte", "Mayotte"),
    ("America/Miquelon", "Saint-Pierre-et-Miquelon"),
    ("America/St_Barthelemy", "Saint-Barthélemy"),
    ("America/Marigot", "Saint-Martin"),
    ("Pacific/Noumea", "Nouvelle-Calédonie"),
    ("Pacific/Tahiti", "Polynésie française, îles de la Société"),
    ("Pacific/Marquesas", "Polynésie française, îles Marquises"),
    ("Pacific/Gambier", "Polynésie française, îles Gambier"),
    ("Pacific/Wallis", "Wallis-et-Futuna"),
)
FIELDS = ("name", "contact", "siren", "time_zone")


class IllegibleColour(InvalidOrganisation):
    """A colour whose text cannot be read everywhere; ``nearest`` is the closest that can, ``mode`` says where it fails."""

    code = "couleur-illisible"

    def __init__(self, accent: str, mode: colour.Mode) -> None:
        self.mode = mode
        self.nearest = colour.nearest(accent, mode)
        worst = min(colour.measures(accent, mode), key=lambda measure: measure.ratio)
        when = "de jour" if mode == "day" else "de nuit"
        super().__init__(
            f"La couleur {when} {accent} n’est pas assez lisible {worst.pair} : contraste {number(worst.ratio, 2)}, "
            f"il faut {number(colour.ENOUGH, 1)} au moins. La plus proche qui convient : {self.nearest}."
        )


def check_siren(siren: str) -> str:
    """The nine digits of ``siren`` without its spaces, or nothing. Raises ``InvalidOrganisation`` when the key does not fit (Luhn)."""
    digits = "".join(siren.split())
    if not digits:
        return ""
    if len(digits) != 9 or not (digits.isascii() and digits.isdecimal()):
        raise InvalidOrganisation(f"Le SIREN compte neuf chiffres ; lu : « {siren[:30]} ».")
    doubled = [int(d) * (2 if i % 2 else 1) for i, d in enumerate(digits)]
    if sum(d - 9 if d > 9 else d for d in doubled) % 10:
        raise InvalidOrganisation(f"Le SIREN {siren[:30]} contient une faute : sa clé de contrôle ne convient pas.")
    return digits


def check_time_zone(zone: str) -> None:
    """Raises ``InvalidOrganisation`` unless ``zone`` is one of a French territory."""
    if zone not in dict(TIME_ZONES):
        raise InvalidOrganisation(f"« {zone[:40]} » n’est pas un fuseau horaire proposé. Proposés : {', '.join(dict(TIME_ZONES))}.")


def change_settings(organisation: Organisation, by: User, values: Mapping[str, str]) -> None:
    """Change the name, contact, SIREN and time zone that ``values`` gives. Raises ``InvalidOrganisation`` before anything is written."""
    clean = {field: " ".join(values[field].split()) for field in FIELDS if field in values}
    if "name" in clean:
        # The address stays as it is, but a name without a letter is none.
        if not clean["name"] or len(clean["name"]) > 200:
            raise InvalidOrganisation("Le nom manque, ou dépasse 200 caractères.")
        slug_of(f"Organisation {clean['name']}")
    if len(clean.get("contact", "")) > 200:
        raise InvalidOrganisation(f"Le contact compte {len(clean['contact'])} caractères ; la limite est 200.")
    if "siren" in clean:
        clean["siren"] = check_siren(clean["siren"])
    if "time_zone" in clean:
        check_time_zone(clean["time_zone"])
    _write(organisation, by, clean)


def change_colours(organisation: Organisation, by: User, accent: str, night: str = "") -> None:
    """Change the colour, and its night twin, which is derived when none is given. Raises ``IllegibleColour`` or ``InvalidOrganisation``."""
    accent, night = accent.strip().lower(), night.strip().lower()
    for text in filter(None, (accent, night)):
        if not colour.is_colour(text):
            raise InvalidOrganisation(
                f"« {text[:20]} » n’est pas une couleur. Écrivez un dièse et six chiffres ou lettres de a à f : #2b5b3f."
            )
    if not accent:
        raise InvalidOrganisation("La couleur manque. Écrivez par exemple #2b5b3f.")
    if not colour.passes(accent, "day"):
        raise IllegibleColour(accent, "day")
    night = night or colour.night_of(accent)
    if not colour.passes(night, "night"):
        raise IllegibleColour(night, "night")
    _write(organisation, by, {"accent": accent, "accent_night": night})


def change_logo(organisation: Organisation, by: User, data: bytes | None) -> None:
    """Replace the logo, or take it away with None. Raises ``InvalidLogo``."""
    png = clean_logo(data) if data is not None else None
    with organisation_context(organisation), transaction.atomic():
        Organisation.objects.filter(pk=organisation.pk).update(logo_png=png)
        record("organisation.logo", by, empreinte=hashlib.sha256(png).hexdigest() if png else None)
    organisation.logo_png = png


def _write(organisation: Organisation, by: User, values: Mapping[str, str]) -> None:
    with organisation_context(organisation), transaction.atomic():
        held = Organisation.objects.select_for_update().get(pk=organisation.pk)
        changed = {field: value for field, value in values.items() if getattr(held, field) != value}
        if not changed:
            return
        Organisation.objects.filter(pk=held.pk).update(**changed)
        record("organisation.reglages", by, avant={field: getattr(held, field) for field in changed}, apres=changed)
    for field, value in changed.items():
        setattr(organisation, field, value)
