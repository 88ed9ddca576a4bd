"""Opening hours as a commune writes them in TOML, close to OpenStreetMap's ``opening_hours`` but in French. See docs/assistant_sources.md.

``semaine = { "lundi-vendredi" = "9h-12h, 14h-17h30", "1er samedi" = "9h-12h" }``
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from itertools import pairwise
from typing import Any, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bocage.assistant.opening_hours import DatedException, MonthDay, NthDay, Range, Ranges, Schedule, Season, Week, fold
from bocage.contract import french
from bocage.methods.calendars import FRENCH_TIME_ZONES, OVERSEAS_CODES, holiday_territory, public_holidays

WEEKDAYS = french.WEEKDAYS
MONTHS = tuple(fold(month) for month in french.MONTHS)
"""As questions and files are read: without accents."""
CLOSED = "fermé"
OPEN = "ouvert"

_RANKS = {"1er": 1, "premier": 1, "2e": 2, "deuxieme": 2, "3e": 3, "troisieme": 3, "4e": 4, "quatrieme": 4, "5e": 5, "dernier": -1}
_TIME = re.compile(r"(\d{1,2})(?:\s*[h:]\s*(\d{2})?)?")
_MONTH_DAY = re.compile(r"(\d{2})-(\d{2})")
_KEYS = frozenset({"semaine", "saisons", "exceptions", "feries", "feries_nommes", "fuseau", "territoire"})


class ScheduleError(ValueError):
    """Hours that cannot be read; the message, in French, says what was read and what is expected."""


def parse_schedule(data: Mapping[str, Any], timezone: str = "Europe/Paris", territory: str = "FR") -> Schedule:
    """The schedule that a ``[service.horaires]`` table declares; dates may be TOML dates or ISO texts.

    ``timezone`` and ``territory`` hold unless the table says otherwise. Raises ``ScheduleError``.
    """
    if unknown := set(data) - _KEYS:
        raise ScheduleError(f"« {sorted(unknown)[0]} » n’est pas connu. Attendu : {', '.join(sorted(_KEYS))}")
    zone, land = _zone(str(data.get("fuseau", timezone))), _territory(str(data.get("territoire", territory)))
    named = {fold(name): _holiday_rule(str(rule)) for name, rule in _table(data.get("feries_nommes", {}), "feries_nommes").items()}
    return Schedule(
        week=parse_week(_table(data.get("semaine", {}), "semaine")),
        seasons=tuple(_season(_table(season, "saisons")) for season in _list(data.get("saisons", []), "saisons")),
        exceptions=tuple(_exception(_table(item, "exceptions")) for item in _list(data.get("exceptions", []), "exceptions")),
        holidays=_holiday_rule(str(data.get("feries", CLOSED))),
        named_holidays=_known_holidays(named, land),
        timezone=zone,
        territory=land,
    )


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ScheduleError(f"le fuseau « {name} » n’existe pas. Attendu : {', '.join(FRENCH_TIME_ZONES)}") from None
    return name


def _territory(code: str) -> str:
    """``code`` in capitals, once its public holidays are known to be computable."""
    code = code.strip().upper()
    try:
        public_holidays(holiday_territory(code), [2026])
    except ValueError:
        raise ScheduleError(
            f"le territoire « {code} » n’est pas connu. Attendu : FR, ou FR- et le numéro du département (FR-67, FR-2A…), "
            f"outre-mer {', '.join(f'FR-{number}' for number in OVERSEAS_CODES)}"
        ) from None
    return code


def parse_ranges(text: str) -> Ranges:
    """``"9h-12h, 14h-17h30"`` → two ranges; « fermé » → none; « 24h/24 » → the whole day; ``"20h-2h"`` ends the next day."""
    folded = fold(text)
    if folded in ("ferme", ""):
        return ()
    if folded in ("24h/24", "24/24"):
        return (Range(0, 1440),)
    ranges = []
    for part in re.split(r",|;|\bet\b", folded):
        ends = re.split(r"\s*(?:-|–|\ba\b)\s*", part.strip().removeprefix("de "))
        if len(ends) != 2:
            raise ScheduleError(f"« {text} » n’est pas un horaire. Exemple : 9h-12h, 14h-17h30")
        start, end = _minutes(ends[0], text), _minutes(ends[1], text)
        if start == end or start >= 1440:
            raise ScheduleError(f"« {text} » commence et finit à la même heure. Exemple : 9h-12h, ou 24h/24")
        ranges.append(Range(start, end if end > start else end + 1440))
    ranges.sort(key=lambda r: r.start)
    if any(first.end > second.start for first, second in pairwise(ranges)):
        raise ScheduleError(f"« {text} » a deux plages qui se recouvrent. Exemple : 9h-12h, 14h-17h30")
    return tuple(ranges)


def _minutes(text: str, whole: str) -> int:
    found = _TIME.fullmatch({"midi": "12h", "minuit": "24h"}.get(text.strip(), text.strip()))
    if not found or (minutes := int(found[1]) * 60 + int(found[2] or 0)) > 1440 or int(found[2] or 0) > 59:
        raise ScheduleError(f"« {whole} » : « {text} » n’est pas une heure. Exemple : 9h, 9h30 ou 09:30")
    return minutes


def parse_week(table: Mapping[str, Any]) -> Week:
    """``{"lundi-vendredi": "9h-12h", "1er samedi": "9h-12h"}``: days named alone, in a range, in a list, or by rank in the month."""
    days: list[Ranges] = [()] * 7
    nth: list[NthDay] = []
    for key, text in table.items():
        try:
            ranges = parse_ranges(str(text))
        except ScheduleError as error:
            raise ScheduleError(f"{key} : {error}") from None
        for part in re.split(r",|\bet\b", fold(key)):
            found = read_days(part.strip(), key)
            if isinstance(found, tuple):
                nth.append(NthDay(*found, ranges))
            else:
                for number in found:
                    days[number] = ranges
    return Week(cast("tuple[Ranges, Ranges, Ranges, Ranges, Ranges, Ranges, Ranges]", tuple(days)), tuple(nth))


def read_days(part: str, key: str) -> list[int] | tuple[int, int]:
    """« lundi », « samedi au mardi », « tous les jours » → numbers from 0; « 1er samedi du mois » → (rank, number). ``part`` is folded.
    Raises ``ScheduleError``, which shows ``key``.
    """
    if part == "tous les jours":
        return list(range(7))
    words = part.removesuffix(" du mois").split()
    if len(words) == 2 and words[0] in _RANKS and words[1] in WEEKDAYS:
        return _RANKS[words[0]], WEEKDAYS.index(words[1])
    ends = [end.strip().removeprefix("du ") for end in re.split(r"-|–|\bau\b", part)]
    if len(ends) > 2 or any(end not in WEEKDAYS for end in ends):
        raise ScheduleError(f"« {key} » n’est pas un jour. Exemples : lundi, lundi-vendredi, 1er samedi, dernier lundi")
    first, last = WEEKDAYS.index(ends[0]), WEEKDAYS.index(ends[-1])
    return [number % 7 for number in range(first, (last if last >= first else last + 7) + 1)]


def _season(table: Mapping[str, Any]) -> Season:
    start, end = _edge(table.get("du"), "du"), _edge(table.get("au"), "au")
    if isinstance(start, date) != isinstance(end, date):
        raise ScheduleError("une saison va d’une date à une date (2026-07-01), ou d’un jour à un jour de chaque année (07-01)")
    if isinstance(start, date) and isinstance(end, date) and end < start:
        raise ScheduleError(f"la saison finit ({end}) avant de commencer ({start})")
    return Season(str(table.get("nom", "")), start, end, parse_week(_table(table.get("semaine", {}), "saisons.semaine")))


def _exception(table: Mapping[str, Any]) -> DatedException:
    start = _date(table.get("date", table.get("du")), "date")
    end = _date(table.get("au", start), "au")
    if end < start:
        raise ScheduleError(f"l’exception finit ({end}) avant de commencer ({start})")
    return DatedException(start, end, parse_ranges(str(table.get("heures", CLOSED))), str(table.get("motif", "")))


def _holiday_rule(text: str) -> Ranges | None:
    return None if fold(text) == OPEN else parse_ranges(text)


def _known_holidays(named: dict[str, Ranges | None], territory: str) -> dict[str, Ranges | None]:
    """The names as the calendar of the territory writes them: a misspelt one would be closed without a word."""
    known = {fold(name): name for names in public_holidays(holiday_territory(territory), [2026]).values() for name in names.split("; ")}
    if unknown := set(named) - set(known):
        raise ScheduleError(f"« {sorted(unknown)[0]} » n’est pas un jour férié de {territory}. Attendu : {', '.join(known.values())}")
    return {known[name]: rule for name, rule in named.items()}


def _edge(value: object, key: str) -> date | MonthDay:
    found = _MONTH_DAY.fullmatch(value) if isinstance(value, str) else None
    if not found:
        return _date(value, key)
    month_day = int(found[1]), int(found[2])
    try:
        date(2024, *month_day)
    except ValueError:
        raise ScheduleError(f"{key} : « {value} » n’est pas un jour. Exemple : 07-01 pour le 1er juillet") from None
    return month_day


def _date(value: object, key: str) -> date:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise ScheduleError(f"{key} : « {value} » n’est pas une date. Exemple : 2026-12-24") from None


def _table(value: object, key: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ScheduleError(f'« {key} » doit être une table. Exemple : semaine = {{ lundi = "9h-12h" }}')
    return value


def _list(value: object, key: str) -> list[Any]:
    if not isinstance(value, list):
        raise ScheduleError(f"« {key} » doit être une liste de tables : [[service.horaires.{key}]]")
    return value
