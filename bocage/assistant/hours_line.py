"""Opening hours as an agent types them in one line, for the services that answer. The directory's own notation is ``hours_notation``.

« lundi au vendredi 9 h-12 h, 14 h-17 h 30 ; 1er samedi du mois 9 h-12 h ; fermé du 24/12/2026 au 02/01/2027 »
"""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import date
from typing import cast

from bocage.assistant.hours_notation import MONTHS, WEEKDAYS, ScheduleError, parse_ranges, read_days
from bocage.assistant.opening_hours import DatedException, NthDay, Ranges, Schedule, Week, fold
from bocage.contract.errors import BocageError
from bocage.methods.calendars import territory_of_time_zone

_CLOCK = r"\d{1,2}\s*(?:h|:)\s*(?:\d{2})?"
_RANGE = re.compile(rf"(?:de\s+)?({_CLOCK})\s*(?:-|–|a)\s*({_CLOCK})")
_DATE = rf"(?:\d{{1,2}}[/.]\d{{1,2}}[/.]\d{{4}}|\d{{4}}-\d{{2}}-\d{{2}}|\d{{1,2}}(?:er)? (?:{'|'.join(MONTHS)}) \d{{4}})"
_DATED = re.compile(
    rf"(?P<shut>ferme[es]*)?\s*(?:exceptionnellement)?\s*(?:le|du)?\s*(?P<first>{_DATE})(?:\s*(?:au|-)\s*(?P<last>{_DATE}))?"
)
_ALSACE = re.compile(r"jours? feries? d'alsace[- ]moselle")
_OPEN_ON_HOLIDAYS = re.compile(r"ouverte? (?:les|aux) jours? feries?")
_EXAMPLE = "Exemple : lundi au vendredi 9 h-12 h, 14 h-17 h ; fermé du 24/12/2026 au 02/01/2027"


class InvalidHours(BocageError):
    """Opening hours that cannot be read."""

    code = "horaires-illisibles"


def parse_hours(text: str, time_zone: str = "Europe/Paris") -> Schedule | None:
    """The schedule of a line; None for an empty one. Closed on the public holidays of the territory of ``time_zone``, unless it says
    « ouvert les jours fériés »; « jours fériés d’Alsace-Moselle » adds theirs. Raises ``InvalidHours``.
    """
    if not text.strip():
        return None
    days: dict[int | tuple[int, int], list[str]] = defaultdict(list)
    exceptions: list[DatedException] = []
    holidays: Ranges | None = ()
    territory = territory_of_time_zone(time_zone)
    for part in filter(None, map(fold, re.split(r"[;\n]+", text))):
        if _ALSACE.fullmatch(part):
            territory = "FR-6AE"
        elif _OPEN_ON_HOLIDAYS.fullmatch(part):
            holidays = None
        elif dated := _DATED.match(part):
            exceptions.append(_exception(dated, part))
        else:
            named, ranges = _ordinary(part)
            for day in named:
                days[day].append(ranges)
    if not days:
        raise InvalidHours(f"Ces heures ne nomment aucun jour de la semaine. {_EXAMPLE}")
    return Schedule(_week(days), (), tuple(exceptions), holidays, {}, time_zone, territory)


def _week(days: dict[int | tuple[int, int], list[str]]) -> Week:
    found = {day: _ranges(", ".join(texts), day) for day, texts in days.items()}
    ordinary = tuple(found.get(number, ()) for number in range(7))
    nth = tuple(NthDay(*day, ranges) for day, ranges in found.items() if isinstance(day, tuple))
    return Week(cast("tuple[Ranges, Ranges, Ranges, Ranges, Ranges, Ranges, Ranges]", ordinary), nth)


def _ranges(text: str, day: int | tuple[int, int]) -> Ranges:
    name = WEEKDAYS[day if isinstance(day, int) else day[1]]
    try:
        ranges = parse_ranges(text)
    except ScheduleError as error:
        raise InvalidHours(f"{name.capitalize()} : {error}.") from None
    if late := next((r for r in ranges if r.end > 1440), None):
        raise InvalidHours(f"Une plage du {name} finit avant de commencer ({late.start // 60} h). Écrivez-la sur un même jour.")
    return ranges


def _ordinary(part: str) -> tuple[list[int | tuple[int, int]], str]:
    """Days (0 Monday, or rank and day of the month), and their ranges as ``parse_ranges`` reads them."""
    days, ranges = _cut(part)
    return _days(days), ranges


def _cut(part: str) -> tuple[str, str]:
    """What stands before the hours, and the hours."""
    found = list(_RANGE.finditer(part))
    if not found:
        raise InvalidHours(f"« {part[:60]} » ne donne pas d’heures. {_EXAMPLE}")
    rest = _RANGE.sub(" ", part[found[0].start() :])
    if re.sub(r"\bet\b|[,\s]", "", rest):
        raise InvalidHours(f"« {rest.strip()[:60]} » n’a pas été compris après les heures. Séparez les jours par un point-virgule.")
    ranges = ", ".join("-".join(re.sub(r"\s", "", end) for end in match.groups()) for match in found)
    return part[: found[0].start()].strip(" :,"), ranges


def _days(text: str) -> list[int | tuple[int, int]]:
    chosen: list[int | tuple[int, int]] = []
    for piece in re.split(r",|\bet\b", re.sub(r"^(?:du|les?) ", "", text).replace("chaque jour", "tous les jours")):
        named = " ".join(_whole(word) for word in re.sub(r"\s*(?:-|–|\ba\b|\bau\b)\s*", " au ", piece).split())
        try:
            found = read_days(named.removeprefix("le "), text)
        except ScheduleError:
            raise InvalidHours(f"« {text[:60]} » ne donne pas de jours. Écrivez lundi, mardi au jeudi, 1er samedi du mois…") from None
        chosen += [found] if isinstance(found, tuple) else found
    return chosen


def _whole(word: str) -> str:
    """« lun », « lundis » → « lundi »."""
    name = word.removesuffix("s")
    return next((day for day in WEEKDAYS if len(name) >= 3 and day.startswith(name)), word)


def _exception(dated: re.Match[str], part: str) -> DatedException:
    """« fermé du … au … », « le 24/12/2026 9 h-12 h »; what follows a colon is the reason."""
    first, last = _date(dated["first"], part), _date(dated["last"] or dated["first"], part)
    if last < first:
        raise InvalidHours(f"« {part[:60]} » finit avant de commencer. {_EXAMPLE}")
    rest = part[dated.end() :].strip(" :,")
    if dated["shut"] or rest.startswith("ferme"):
        reason = re.sub(r"^(?:fermee?s?)?\s*[:,(]?\s*", "", rest).strip(" )")
        return DatedException(first, last, (), reason[:80])
    before, ranges = _cut(rest)
    if before:
        raise InvalidHours(f"« {before[:60]} » n’a pas été compris après la date. {_EXAMPLE}")
    return DatedException(first, last, _ranges(ranges, first.weekday()))


def _date(text: str, part: str) -> date:
    try:
        if re.match(r"\d{4}-", text):
            return date.fromisoformat(text)
        day, month, year = re.split(r"[/. ]", text)
        return date(int(year), int(month) if month.isdigit() else MONTHS.index(month) + 1, int(day.removesuffix("er")))
    except ValueError:
        raise InvalidHours(f"« {text} » n’est pas un jour du calendrier, dans « {part[:60]} ».") from None
