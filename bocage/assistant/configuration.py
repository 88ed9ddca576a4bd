"""The settings of the assistant in one organisation: who is served, by which services, for how long it is kept, where it is embedded."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.text import slugify

from bocage.assistant.documents import Audience
from bocage.assistant.hours_line import InvalidHours, parse_hours
from bocage.assistant.models import AssistantSettings
from bocage.assistant.opening_hours import Schedule
from bocage.contract.errors import BocageError
from bocage.journal.services import record
from bocage.organisations.models import User

log = logging.getLogger(__name__)
MOST_SERVICES, MOST_ORIGINS, MOST_HOURS = 20, 20, 600
RETENTION_DAYS, ANSWER_MINUTES = (1, 365), (15, 2880)
_MOST_DIGITS = 9
_HOST = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?|[0-9a-f:.]*:[0-9a-f:.]*")
"""A name, or an IPv6 address, as browsers send it."""


class InvalidAssistantSettings(BocageError):
    """A setting of the assistant that cannot be taken."""

    code = "reglage-assistant-invalide"


@dataclass(frozen=True, slots=True)
class Service:
    """Who answers: a name, where its mail goes, when it is open (text, see ``hours_line``)."""

    slug: str
    name: str
    email: str = ""
    hours: str = ""


_RECEPTION = Service("accueil", "Accueil")


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings, read. There is always one service at least: a request goes somewhere."""

    audiences: frozenset[Audience] = frozenset()
    retention_days: int = 30
    answer_minutes: int = 60
    services: tuple[Service, ...] = (_RECEPTION,)
    widget_origins: tuple[str, ...] = ()
    time_zone: str = "Europe/Paris"

    def schedule(self, service: Service) -> Schedule | None:
        """When ``service`` is open, on the organisation's clock; None when it gave no hours, or hours that can no longer be read."""
        try:
            return parse_hours(service.hours, self.time_zone)
        except InvalidHours as error:
            # Kept by an earlier version: no reason to refuse a citizen's request.
            log.warning("hours of service %s: %s", service.slug, error.message)
            return None

    @property
    def default_service(self) -> Service:
        """The service that gets what nobody chose."""
        return self.services[0]

    @property
    def within(self) -> timedelta:
        """Opening time within which a person answers."""
        return timedelta(minutes=self.answer_minutes)

    def service(self, slug: str) -> Service:
        """The service of that slug; one that was taken away since keeps its slug for a name."""
        return next((service for service in self.services if service.slug == slug), Service(slug, slug.replace("-", " ").capitalize()))

    def knows(self, slug: str) -> bool:
        """Whether there is such a service."""
        return any(service.slug == slug for service in self.services)


def configuration() -> Configuration:
    """The settings of the organisation in context; out of service where nobody has put it in service."""
    row = AssistantSettings.objects.select_related("organisation").first()
    if row is None:
        return Configuration()
    return Configuration(
        audiences=frozenset(Audience(audience) for audience in row.audiences),
        retention_days=row.retention_days,
        answer_minutes=row.answer_minutes,
        services=tuple(Service(**service) for service in row.services) or (_RECEPTION,),
        widget_origins=tuple(row.widget_origins),
        time_zone=row.organisation.time_zone,
    )


def change(
    by: User | None,
    audiences: Iterable[str],
    retention_days: str | int,
    answer_minutes: str | int,
    services: Iterable[Mapping[str, str]],
    origins: Iterable[str],
) -> Configuration:
    """Check and write the settings of the organisation in context, and journal what changed. Raises ``InvalidAssistantSettings``."""
    new = Configuration(
        audiences=frozenset(_audience(value) for value in audiences),
        retention_days=_whole(retention_days, "La durée de conservation", "jours", *RETENTION_DAYS),
        answer_minutes=_whole(answer_minutes, "Le délai de réponse", "minutes", *ANSWER_MINUTES),
        services=_services(services),
        widget_origins=_origins(origins),
    )
    values = {
        "audiences": sorted(new.audiences),
        "retention_days": new.retention_days,
        "answer_minutes": new.answer_minutes,
        "services": [asdict(service) for service in new.services],
        "widget_origins": list(new.widget_origins),
    }
    with transaction.atomic():
        row = AssistantSettings.objects.select_for_update().first() or AssistantSettings()
        changed = [name for name, value in values.items() if getattr(row, name) != value]
        if changed:
            before = {name: getattr(row, name) for name in changed}
            for name in changed:
                setattr(row, name, values[name])
            row.save()
            record(
                "assistant.reglages", by, reglages=sorted(changed), publics=values["audiences"], jours=new.retention_days,
                avant=before, apres={name: values[name] for name in changed},
            )  # fmt: skip
    return new


def _audience(value: str) -> Audience:
    try:
        return Audience(value)
    except ValueError:
        raise InvalidAssistantSettings(f"« {value[:40]} » n’est pas un public. Publics possibles : {', '.join(Audience)}.") from None


def _whole(value: str | int, what: str, unit: str, least: int, most: int) -> int:
    text = str(value).strip()
    # Its length first: Python reads no number of thousands of digits.
    if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS) or not least <= int(text) <= most:
        raise InvalidAssistantSettings(f"{what} vaut « {text[:20]} » ; il faut un nombre entier de {unit}, entre {least} et {most}.")
    return int(text)


def _services(rows: Iterable[Mapping[str, str]]) -> tuple[Service, ...]:
    found: dict[str, Service] = {}
    for row in rows:
        clean = {name: " ".join(row.get(name, "").split()) for name in ("name", "email", "hours")}
        if not any(clean.values()):
            continue
        slug = slugify(clean["name"])[:60]
        if not slug or len(clean["name"]) > 80:
            raise InvalidAssistantSettings("Un service a un nom, de 80 caractères au plus : Accueil, Urbanisme, État civil…")
        if slug in found:
            raise InvalidAssistantSettings(f"Deux services s’appellent « {clean['name']} ». Donnez-leur des noms différents.")
        if clean["email"]:
            _check_email(clean["email"])
        if len(clean["hours"]) > MOST_HOURS:
            raise InvalidAssistantSettings(f"Les heures de « {clean['name']} » dépassent {MOST_HOURS} caractères.")
        parse_hours(clean["hours"])
        found[slug] = Service(slug, **clean)
    if len(found) > MOST_SERVICES:
        raise InvalidAssistantSettings(f"{len(found)} services ; la limite est {MOST_SERVICES}.")
    return tuple(found.values()) or (_RECEPTION,)


def _check_email(address: str) -> None:
    try:
        validate_email(address)
    except ValidationError:
        raise InvalidAssistantSettings(f"« {address[:80]} » n’est pas une adresse électronique, comme accueil@brenoux.example") from None


def _origins(lines: Iterable[str]) -> tuple[str, ...]:
    found = list(dict.fromkeys(_origin(line) for line in (text.strip().lower() for text in lines) if line))
    if len(found) > MOST_ORIGINS:
        raise InvalidAssistantSettings(f"{len(found)} sites ; la limite est {MOST_ORIGINS}.")
    return tuple(found)


def _origin(line: str) -> str:
    """The site as browsers name it in ``Origin``: accents in punycode, no usual port. Raises ``InvalidAssistantSettings``."""
    try:
        parts = urlsplit(line)
        port = parts.port
        # Browsers keep « ß » where Python's older rule writes « ss »: such a name is to be given in punycode.
        host = (parts.hostname or "").encode("idna").decode() if "ß" not in line else ""
    except ValueError:
        parts, host, port = urlsplit(""), "", None
    loopback = host in ("127.0.0.1", "localhost", "::1")
    plain = not (parts.path.strip("/") or parts.query or parts.fragment or parts.username) and "*" not in line and len(line) <= 200
    if not _HOST.fullmatch(host) or not plain or parts.scheme not in ("https", *(["http"] if loopback else [])):
        raise InvalidAssistantSettings(f"« {line[:80]} » n’est pas l’adresse d’un site. Exemple : https://www.brenoux.example")
    name = f"[{host}]" if ":" in host else host
    default = port in (None, 443 if parts.scheme == "https" else 80)
    return f"{parts.scheme}://{name}" + ("" if default else f":{port}")
