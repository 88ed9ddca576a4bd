"""Sunrise and sunset of a place, by the formulas of NOAA's solar calculator (Meeus, Astronomical Algorithms, 1991).

Times are within a minute or two of the almanac between the polar circles, for 1901 to 2099. The sun is taken to rise and set when its
centre is 0.833° below the horizon (refraction and half a disc).
"""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

HORIZON = 90.833


def sun_times(day: date, latitude: float, longitude: float, timezone: str) -> tuple[datetime | None, datetime | None]:
    """Sunrise and sunset (zone-aware, local) of the local civil ``day``; None for both when the sun does not cross the horizon.

    ``latitude`` north positive, ``longitude`` east positive, in degrees.
    """
    zone = ZoneInfo(timezone)
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=zone).astimezone(UTC)
    return tuple(_event(noon, latitude, longitude, sign, zone) for sign in (-1, 1))  # type: ignore[return-value]


def _event(noon: datetime, latitude: float, longitude: float, sign: int, zone: ZoneInfo) -> datetime | None:
    """The event before (-1) or after (+1) the solar noon nearest to ``noon``; refined twice at its own instant."""
    instant = noon
    for _ in range(3):
        declination, equation = _sun(instant)
        midday = _solar_noon(noon, longitude, equation)
        half = _half_day(latitude, declination)
        if half is None:
            return None
        instant = midday + sign * timedelta(minutes=4 * half)
    return instant.astimezone(zone)


def _solar_noon(noon: datetime, longitude: float, equation: float) -> datetime:
    """The solar noon nearest to ``noon`` (UTC)."""
    minutes = 720 - 4 * longitude - equation
    midday = datetime(noon.year, noon.month, noon.day, tzinfo=UTC) + timedelta(minutes=minutes)
    days = round((noon - midday) / timedelta(days=1))
    return midday + timedelta(days=days)


def _half_day(latitude: float, declination: float) -> float | None:
    """Hour angle of sunrise in degrees; None in polar day or night."""
    phi, delta = math.radians(latitude), math.radians(declination)
    cosine = math.cos(math.radians(HORIZON)) / (math.cos(phi) * math.cos(delta)) - math.tan(phi) * math.tan(delta)
    return math.degrees(math.acos(cosine)) if -1 <= cosine <= 1 else None


def _sun(instant: datetime) -> tuple[float, float]:
    """Declination (degrees) and equation of time (minutes) at a UTC instant."""
    century = ((instant - datetime(2000, 1, 1, 12, tzinfo=UTC)) / timedelta(days=1)) / 36525
    mean_longitude = (280.46646 + century * (36000.76983 + 0.0003032 * century)) % 360
    anomaly = math.radians(357.52911 + century * (35999.05029 - 0.0001537 * century))
    eccentricity = 0.016708634 - century * (0.000042037 + 0.0000001267 * century)
    centre = (
        math.sin(anomaly) * (1.914602 - century * (0.004817 + 0.000014 * century))
        + math.sin(2 * anomaly) * (0.019993 - 0.000101 * century)
        + math.sin(3 * anomaly) * 0.000289
    )
    node = math.radians(125.04 - 1934.136 * century)
    longitude = math.radians(mean_longitude + centre - 0.00569 - 0.00478 * math.sin(node))
    mean_obliquity = 23 + (26 + (21.448 - century * (46.815 + century * (0.00059 - 0.001813 * century))) / 60) / 60
    obliquity = math.radians(mean_obliquity + 0.00256 * math.cos(node))
    declination = math.degrees(math.asin(math.sin(obliquity) * math.sin(longitude)))
    y, turn = math.tan(obliquity / 2) ** 2, math.radians(mean_longitude)
    equation = 4 * math.degrees(
        y * math.sin(2 * turn)
        - 2 * eccentricity * math.sin(anomaly)
        + 4 * eccentricity * y * math.sin(anomaly) * math.cos(2 * turn)
        - 0.5 * y * y * math.sin(4 * turn)
        - 1.25 * eccentricity**2 * math.sin(2 * anomaly)
    )
    return declination, equation
