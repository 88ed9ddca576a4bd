"""Numbers, dates and spaces as a French reader expects them (Lexique des règles typographiques de l’Imprimerie nationale)."""

from __future__ import annotations

from datetime import date, datetime

NNBSP = "\u202f"
NBSP = "\u00a0"
MINUS = "\u2212"

WEEKDAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
MONTHS = ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre")


def number(value: float, decimals: int = 0, unit: str = "") -> str:
    """``1240.5, 1, "m³"`` → « 1 240,5 m³ »: thousands by narrow no-break spaces, decimal comma, true minus, no « −0 »."""
    rounded = round(value, decimals)
    text = f"{abs(rounded):,.{decimals}f}".replace(",", NNBSP).replace(".", ",")
    sign = MINUS if rounded < 0 else ""
    return f"{sign}{text}{NBSP}{unit}" if unit else f"{sign}{text}"


def between(interval: tuple[float, float], decimals: int = 0, unit: str = "") -> str:
    """« entre 1 150 et 1 340 m³ »."""
    return f"entre {number(interval[0], decimals)} et {number(interval[1], decimals, unit)}"


def percent(ratio: float, decimals: int = 1, signed: bool = False) -> str:
    """``0.043`` → « 4,3 % », or « +4,3 % » when ``signed``."""
    sign = "+" if signed and round(100 * ratio, decimals) > 0 else ""
    return f"{sign}{number(100 * ratio, decimals)}{NBSP}%"


def day(when: date, weekday: bool = True, year: bool = False) -> str:
    """« samedi 21 novembre » (« 1er » for the first)."""
    rank = "1er" if when.day == 1 else str(when.day)
    parts = [WEEKDAYS[when.weekday()]] if weekday else []
    parts += [f"{rank}{NBSP}{MONTHS[when.month - 1]}"]
    if year:
        parts += [str(when.year)]
    return " ".join(parts)


def hour(when: datetime) -> str:
    """« 8 h 05 », « 14 h »."""
    minutes = f"{NBSP}{when.minute:02d}" if when.minute else ""
    return f"{when.hour}{NBSP}h{minutes}"


def count(n: int, singular: str, plural: str | None = None) -> str:
    """« 1 ligne », « 3 lignes », « 0 ligne » (French takes the plural from two)."""
    return f"{number(n)} {singular if abs(n) < 2 else plural or singular + 's'}"
