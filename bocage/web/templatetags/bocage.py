"""Numbers, dates and states in templates, as a French reader expects them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from bocage.contract import french

register = template.Library()

# State → class of the shape drawn before the word (LOOK.md, « State »).
_SHAPES = {
    "terminee": "on",
    "en_cours": "try",
    "attente": "",
    "echouee": "bad",
    "interrompue": "bad",
    "acceptee": "on",
    "modifiee": "on",
    "refusee": "on",
    "a_decider": "",
    "service": "on",
    "essai": "try",
    "arrete": "",
    "absente": "bad",
    "disponible": "",
}


@register.filter
def nombre(value: Any, decimals: int | str = "auto") -> str:
    """A number; « auto » keeps three significant figures or so. Text is left as it is, None becomes a dash."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if decimals == "auto":
        decimals = 0 if abs(value) >= 100 or value == int(value) else 1 if abs(value) >= 10 else 2
    return french.number(value, int(decimals))


@register.filter
def valeur(value: Any, unit: str = "") -> str:
    """A proposed or decided value, every digit up to three decimals, with its unit."""
    from bocage.web.lines import amount

    return amount(value, unit)


@register.filter
def pourcent(ratio: float | None) -> str:
    """A ratio as a signed percentage."""
    return "–" if ratio is None else french.percent(ratio, 1, signed=True)


@register.filter
def part(ratio: float | None, decimals: int = 0) -> str:
    """A share, as a percentage without sign."""
    return "–" if ratio is None else french.percent(ratio, int(decimals))


@register.filter
def jour(value: date | datetime | None) -> str:
    """« samedi 21 novembre 2026 », in the current time zone."""
    if value is None:
        return "–"
    local = timezone.localtime(value) if isinstance(value, datetime) else value
    return french.day(local, weekday=True, year=True)


@register.filter
def moment(value: datetime | None) -> str:
    """« samedi 21 novembre 2026 à 8 h 05 », in the current time zone."""
    if value is None:
        return "–"
    local = timezone.localtime(value)
    return f"{french.day(local, weekday=True, year=True)} à {french.hour(local)}"


@register.filter
def energie(joules: float | None, beside: float | None = None) -> str:
    """Joules as a person reads them: J, then Wh from a tenth of a watt-hour on. ``beside`` is the figure whose unit is taken."""
    if joules is None:
        return "–"
    return french.number(joules / 3600, 2, "Wh") if (beside or joules) >= 360 else french.number(joules, 0, "J")


@register.filter
def energie_fine(joules: float | None) -> str:
    """Energies too small for a tenth of a watt-hour: mWh, or J below one."""
    if joules is None:
        return "–"
    return french.number(joules / 3.6, 2, "mWh")


@register.simple_tag
def state(code: str, label: str) -> SafeString:
    """A state: a shape, always with its word."""
    return format_html('<span class="state {}">{}</span>', _SHAPES.get(code, ""), label)
