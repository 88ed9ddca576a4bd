"""Calendars that explain how people use a service: public holidays, bridge days, school holidays, clock changes.

Dates come from two kept libraries: ``holidays`` (public holidays of most countries, with the subdivisions of France: Alsace-Moselle and
overseas) and ``vacances-scolaires-france`` (school zones A, B and C, from the ministry's open data). Nothing is guessed: what they do not
cover is an error or an absent value, never ``False``.

Not covered, and said so: the school calendars of Corsica and of overseas territories (each rector sets them), local pedagogical days, and
school years that the library does not publish yet.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, Literal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

SchoolZone = Literal["A", "B", "C"]

# Alsace-Moselle keeps Good Friday and 26 December (ordinance of 16 August 1892); ``holidays`` files it under these two codes.
_LOCAL_LAW = {"57": "57", "67": "6AE", "68": "6AE"}
_OVERSEAS = {
    "971": "971", "972": "972", "973": "973", "974": "974", "975": "PM", "976": "976", "977": "BL", "978": "MF", "986": "WF", "987": "PF",
    "988": "NC",
}  # fmt: skip
OVERSEAS_CODES = tuple(_OVERSEAS)
"""Overseas departments, and the collectivities by the codes of their communes (COG of INSEE)."""
# Good Friday is a holiday there only in communes with a Protestant temple or a mixed church: ``holidays`` counts it everywhere.

_TERRITORIES = {
    "America/Guadeloupe": "FR-971", "America/Martinique": "FR-972", "America/Cayenne": "FR-973", "Indian/Reunion": "FR-974",
    "Indian/Mayotte": "FR-976", "America/Miquelon": "FR-PM", "America/St_Barthelemy": "FR-BL", "America/Marigot": "FR-MF",
    "Pacific/Noumea": "FR-NC", "Pacific/Tahiti": "FR-PF", "Pacific/Marquesas": "FR-PF", "Pacific/Gambier": "FR-PF",
    "Pacific/Wallis": "FR-WF",
}  # fmt: skip
FRENCH_TIME_ZONES = ("Europe/Paris", *_TERRITORIES)

# Academies and their zones: decree of 2015, unchanged since (education.gouv.fr).
_ZONES: dict[SchoolZone, str] = {
    "A": "01 03 07 15 16 17 19 21 23 24 25 26 33 38 39 40 42 43 47 58 63 64 69 70 71 73 74 79 86 87 89 90",
    "B": "02 04 05 06 08 10 13 14 18 22 27 28 29 35 36 37 41 44 45 49 50 51 52 53 54 55 56 57 59 60 61 62 67 68 72 76 80 83 84 85 88",
    "C": "09 11 12 30 31 32 34 46 48 65 66 75 77 78 81 82 91 92 93 94 95",
}
_CORSICA = ("2A", "2B")


def territory_of_department(department: str) -> str:
    """The territory code of a French department or collectivity: ``"67"`` → ``"FR-6AE"``, ``"978"`` → ``"FR-MF"``, ``"35"`` → ``"FR"``.

    Raises ``ValueError``: there is no such code.
    """
    code = department.strip().upper()
    subdivision = {**_LOCAL_LAW, **_OVERSEAS}.get(code, "")
    if not subdivision and code not in _CORSICA and school_zone_of_department(code) is None:
        raise ValueError(f"département inconnu : {department!r}")
    return f"FR-{subdivision}" if subdivision else "FR"


@lru_cache(maxsize=256)
def holiday_territory(territory: str) -> str:
    """The code that ``public_holidays`` has for ``territory``: ``"FR-67"`` → ``"FR-6AE"``, ``"FR-2A"`` → ``"FR"``; any other as it is."""
    country, _, subdivision = territory.partition("-")
    try:
        return territory_of_department(subdivision) if country == "FR" else territory
    except ValueError:
        return territory


def territory_of_time_zone(zone: str) -> str:
    """The territory code of a French time zone: ``"Indian/Reunion"`` → ``"FR-974"``; ``"FR"`` for metropolitan France and any other."""
    return _TERRITORIES.get(zone, "FR")


def school_zone_of_department(department: str) -> SchoolZone | None:
    """Zone A, B or C of a metropolitan department; None in Corsica and overseas, whose calendars are their own."""
    code = department.strip().upper()
    return next((zone for zone, codes in _ZONES.items() if code in codes.split()), None)


def public_holidays(territory: str, years: Iterable[int]) -> dict[date, str]:
    """Public holidays of a territory and their names.

    ``territory`` is a country code, alone or with a subdivision of ``holidays``: ``FR``, ``FR-57``, ``FR-974``, ``IT``, ``IT-TS``.
    Raises ``ValueError`` when the library does not know it.
    """
    found: dict[date, str] = {}
    for year in sorted(set(years)):
        found.update(_holidays_of_year(territory, year))
    return found


@lru_cache(maxsize=256)
def _holidays_of_year(territory: str, year: int) -> dict[date, str]:
    import holidays

    country, _, subdivision = territory.partition("-")
    try:
        # The names' language is fixed: by default the library follows the machine's locale, and two servers would differ.
        language = "fr" if country == "FR" else getattr(holidays, country).default_language
        return dict(holidays.country_holidays(country, subdiv=subdivision or None, years=year, language=language))
    except (NotImplementedError, AttributeError) as error:
        raise ValueError(f"territoire inconnu : {territory!r}") from error


@lru_cache(maxsize=1)
def _school_calendar() -> Any:
    """The library's calendar, read once: it parses a file of thirty years."""
    from vacances_scolaires_france import SchoolHolidayDates

    return SchoolHolidayDates()


def school_holidays(days: pd.DatetimeIndex, zone: SchoolZone | None) -> pd.Series:
    """Whether each day is a school holiday in ``zone``: a nullable boolean, ``<NA>`` where the calendar is not known."""
    known = _school_calendar()
    # The last published year is incomplete after its summer; the library ends with the last day on holiday.
    first, last = min(known.data), max(known.data)
    values = [
        known.is_holiday_for_zone(day, zone) if zone is not None and first <= day <= last else None
        for day in (stamp.date() for stamp in days)
    ]
    return pd.Series(pd.array(values, dtype="boolean"), index=days, name="school_holiday")


def clock_shift(days: pd.DatetimeIndex, timezone: str) -> np.ndarray:
    """Hours by which clocks move during each day: +1 in spring (a day of 23 h), -1 in autumn (25 h), else 0."""
    zone = ZoneInfo(timezone)
    starts = days.append(pd.DatetimeIndex([days[-1] + pd.Timedelta(days=1)])) if len(days) else days
    offsets = [pd.Timestamp(day).tz_localize(zone).utcoffset().total_seconds() / 3600 for day in starts]
    return np.diff(offsets) if offsets else np.zeros(0)


def day_features(
    start: date,
    end: date,
    territory: str = "FR",
    *,
    school_zone: SchoolZone | None = None,
    timezone: str = "Europe/Paris",
) -> pd.DataFrame:
    """One line per day from ``start`` to ``end`` (both included), indexed by naive midnight.

    Columns: ``weekday`` (0 Monday), ``holiday`` (bool), ``holiday_name``, ``eve`` and ``morrow`` of a holiday (bool), ``bridge`` (bool:
    a working day between a holiday and a weekend), ``school_holiday`` (nullable bool), ``clock_shift`` (h) and ``hours`` (23, 24 or 25).
    """
    days = pd.date_range(start, end, freq="D")
    names = public_holidays(territory, range(start.year - 1, end.year + 2))
    is_off = [(stamp.date() in names) for stamp in days]
    eve = [(stamp.date() + timedelta(days=1)) in names for stamp in days]
    morrow = [(stamp.date() - timedelta(days=1)) in names for stamp in days]
    weekday = days.day_of_week.to_numpy()
    holiday = np.array(is_off, dtype=bool)
    # A Friday after a Thursday off, a Monday before a Tuesday off: the only gaps of one day that make a long weekend.
    bridge = ~holiday & (((weekday == 4) & np.array(morrow, dtype=bool)) | ((weekday == 0) & np.array(eve, dtype=bool)))
    shift = clock_shift(days, timezone)
    return pd.DataFrame(
        {
            "weekday": weekday,
            "holiday": holiday,
            "holiday_name": [names.get(stamp.date(), "") for stamp in days],
            "eve": np.array(eve, dtype=bool),
            "morrow": np.array(morrow, dtype=bool),
            "bridge": bridge,
            "school_holiday": school_holidays(days, school_zone),
            "clock_shift": shift,
            "hours": 24 - shift,
        },
        index=days,
    )
