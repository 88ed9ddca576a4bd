"""The fiche of a published use case: as installed or, once its folder is gone or no longer reads, as it was last published.

What was used stays said: a mistake in a file of the server must not take a use out of the register.
"""

from __future__ import annotations

from pydantic import ValidationError

from bocage.contract import discovery
from bocage.contract.errors import BocageError
from bocage.contract.fiche import Fiche, Mesure, Source
from bocage.register.models import Publication

_LOST = "Non connu : la fiche de cet usage ne se lit plus sur ce serveur."


def fiche_of(publication: Publication) -> tuple[Fiche, bool]:
    """The fiche to show, and whether the use case is installed and readable."""
    try:
        return discovery.load_fiche(publication.usecase), True
    except BocageError:
        return _as_published(publication), False


def _as_published(publication: Publication) -> Fiche:
    try:
        return Fiche.model_validate(publication.fiche)
    except ValidationError:  # published before fiches were kept
        return _without_text(publication.usecase)


def _without_text(slug: str) -> Fiche:
    """What can still be said of a use case of which no fiche was kept: its name, and that the rest is not known."""
    return Fiche.model_construct(
        slug=slug,
        titre=slug,
        domaine="non connu",
        finalite=_LOST,
        base_legale=_LOST,
        decideur=_LOST.rstrip("."),
        personnes_concernees=_LOST,
        donnees_personnelles="non connu",
        risque_ai_act="non connu",
        methode=_LOST,
        methode_habituelle=_LOST,
        mesure=Mesure.model_construct(nom="", titre="Mesure", unite="", sens="min"),
        gain_demontre=False,
        usages_exclus=(_LOST,),
        limites=(_LOST,),
        alternatives=(_LOST,),
        sources=(Source.model_construct(titre=_LOST, licence="non connue", url=""),),
        extra="",
    )
