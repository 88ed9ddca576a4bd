"""The commune's directory in TOML: services, addresses, contacts, dated tariffs, opening hours. One service is one document.

Each service takes a few plain sentences that can be cited, and keeps its hours as data (``facts["horaires"]``, read back by
``schedule_of``) so that « ouvert samedi à 17 h ? » is answered by computation. What people ask of any service (where, when, which number)
it takes as questions of its own, for a name alone does not hold the words « numéro » or « où ».
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from bocage.assistant.documents import Document, Origin, Passage, Step, StepKind
from bocage.assistant.hours_notation import ScheduleError, fold, parse_schedule
from bocage.assistant.hours_sentences import describe
from bocage.assistant.opening_hours import Schedule
from bocage.assistant.sources.nodes import collapse
from bocage.assistant.sources.pages import audiences, day, decode, read_bytes, step, texts
from bocage.assistant.sources.report import FileError
from bocage.assistant.sources.steps import safe_url
from bocage.contract import french
from bocage.contract.errors import UnreadableFile

MAX_SERVICES = 2_000
_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+){0,20}")
_EMAIL = re.compile(r"[^\s@<>]{1,64}@[^\s@<>]{1,190}")


def read_directory(path: Path, errors: list[FileError] | None = None) -> Iterator[Document]:
    """The services of the TOML at ``path``. A wrong service is named in ``errors`` and skipped.

    Raises ``UnreadableFile``: no TOML, or no ``[[service]]`` in it.
    """
    data = _load(path)
    services = data.get("service")
    if not isinstance(services, list) or not services or len(services) > MAX_SERVICES:
        raise UnreadableFile(
            f"« {path.name} » ne contient pas de « [[service]] » (ou plus de {MAX_SERVICES}). Voir l’exemple de la documentation."
        )
    seen: set[str] = set()
    for number, service in enumerate(services, 1):
        try:
            document = _document(service, data, path.name)
            if document.id in seen:
                raise UnreadableFile(f"deux services ont l’identifiant « {document.id} »")
            seen.add(document.id)
            yield document
        except (ScheduleError, UnreadableFile, TypeError, AttributeError) as error:
            name = service.get("nom") if isinstance(service, Mapping) else None
            if errors is not None:
                errors.append(FileError(path.name, f"service {number}{f' ({name})' if name else ''} : {error}"))


def schedule_of(document: Document) -> Schedule | None:
    """The opening hours of a directory entry; None when it has none. ``facts`` may have travelled through JSON."""
    table = document.facts.get("horaires")
    return parse_schedule(table) if isinstance(table, Mapping) else None


def _load(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(decode(read_bytes(path), path.name).replace("\r\n", "\n"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UnreadableFile(f"« {path.name} » n’est pas du TOML : {error}.") from None


def _document(service: Mapping[str, Any], top: Mapping[str, Any], name: str) -> Document:
    title = collapse(str(service.get("nom", "")))
    if not title:
        raise UnreadableFile("le service n’a pas de « nom »")
    identity = str(service.get("id") or re.sub(r"[^a-z0-9]+", "-", fold(title)).strip("-"))
    if not _ID.fullmatch(identity):
        raise UnreadableFile(f"l’identifiant « {identity[:60]} » n’est pas fait de minuscules, de chiffres et de tirets")
    passages = [Passage(collapse(str(service["description"])))] if service.get("description") else []
    passages += _where(service)
    facts: dict[str, object] = {"service": identity}
    if "horaires" in service:
        hours = {"fuseau": top.get("fuseau", "Europe/Paris"), "territoire": top.get("territoire", "FR"), **service["horaires"]}
        lines = describe(parse_schedule(hours))
        passages.append(Passage("\n".join(lines), ("Horaires",)))
        facts["horaires"] = _plain(hours)
    passages += _tariffs(service.get("tarifs", []))
    if not passages:
        raise UnreadableFile("le service n’a ni description, ni adresse, ni contact, ni horaires, ni tarifs")
    return Document(
        id=identity,
        title=title,
        origin=Origin.DIRECTORY,
        passages=tuple(passages),
        description=collapse(str(service.get("description", ""))),
        url=safe_url(str(service.get("site", ""))),
        theme=tuple(texts(service.get("theme", []), name, "theme")),
        audiences=audiences(service.get("public"), name),
        updated_on=day(service.get("date", top.get("date")), name),
        licence=str(top.get("licence", "")),
        publisher=str(top.get("editeur", "")),
        questions=(*texts(service.get("questions", []), name, "questions"), *_usually_asked(service, title)),
        steps=(*_contacts(service, title), *(step(item, name) for item in service.get("etapes", []))),
        facts=facts,
    )


def _where(service: Mapping[str, Any]) -> list[Passage]:
    """Address and contacts, a line each."""
    lines = [
        f"{label} : {collapse(str(service[key]))}"
        for key, label in (
            ("adresse", "Adresse"),
            ("acces", "Accès"),
            ("telephone", "Téléphone"),
            ("courriel", "Courriel"),
            ("site", "Site"),
        )
        if service.get(key)
    ]
    return [Passage("\n".join(lines), ("Adresse et contact",))] if lines else []


def _usually_asked(service: Mapping[str, Any], title: str) -> Iterator[str]:
    """What people ask of a service, as far as its entry can answer."""
    if "horaires" in service:
        yield f"{title} : quels sont les horaires, quand est-ce ouvert ou fermé ?"
        yield f"à quelle heure ouvre et ferme {title} ?"
    if service.get("adresse"):
        yield f"adresse de {title} : où est-ce, où se trouve {title} ?"
    if service.get("telephone"):
        yield f"numéro de téléphone de {title}, qui appeler ?"
    if service.get("courriel"):
        yield f"mail, adresse électronique de {title}, à qui écrire ?"
    if service.get("tarifs"):
        yield f"{title} : quel prix, quel tarif, combien ça coûte ?"


def _contacts(service: Mapping[str, Any], title: str) -> list[Step]:
    steps = [Step(StepKind.OFFICE, title, collapse(str(service["adresse"])))] if service.get("adresse") else []
    if service.get("telephone"):
        steps.append(Step(StepKind.PHONE, title, collapse(str(service["telephone"]))))
    if service.get("courriel") and not _EMAIL.fullmatch(str(service["courriel"])):
        raise UnreadableFile(f"« {service['courriel']} » n’est pas une adresse de courriel")
    return steps


def _tariffs(tariffs: list[Mapping[str, Any]]) -> list[Passage]:
    """One passage a tariff: who, how much, since when. An undated tariff is refused: people act on it."""
    passages = []
    for item in tariffs:
        label, price = collapse(str(item.get("libelle", ""))), item.get("prix")
        since = item.get("depuis")
        if not label or not isinstance(price, (int, float, str)) or not isinstance(since, date):
            raise UnreadableFile("un tarif a un « libelle », un « prix » et une date « depuis » (depuis = 2026-09-01)")
        said = collapse(price) if isinstance(price, str) else "gratuit" if price == 0 else french.number(price, 2 if price % 1 else 0, "€")
        unit = f" {collapse(str(item['unite']))}" if item.get("unite") and price != 0 else ""
        start = french.day(since, weekday=False, year=True)
        passages.append(Passage(collapse(f"{label} : {said}{unit} (tarif depuis le {start})."), ("Tarifs",)))
    return passages


def _plain(value: Any) -> Any:
    """The same with dates as texts: what an index can store as JSON."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value
