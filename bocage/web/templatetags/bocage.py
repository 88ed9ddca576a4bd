"""Numbers, dates and states in templates, as a French reader expects them."""

from __future__ import annotations

import contextlib
import re
from datetime import date, datetime
from typing import Any

from django import template
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from bocage.contract import french
from bocage.execution.params import written
from bocage.web.guide import BY_SLUG

register = template.Library()

_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?")
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
def cellule(value: Any) -> str:
    """A value of a result's table: numbers as ``nombre``, « oui », « 02/12/2024 », « 02/12/2024, 8 h 05 »."""
    if isinstance(value, (bool, list, dict)):
        return written(value)
    if isinstance(value, str) and _ISO.fullmatch(value):
        with contextlib.suppress(ValueError):
            when = datetime.fromisoformat(value)
            return f"{when:%d/%m/%Y}, {french.hour(when)}" if len(value) > len("2024-12-02") else f"{when:%d/%m/%Y}"
    return nombre(value)


@register.filter
def parametre(value: Any) -> str:
    """The value of a parameter, every digit of it: it explains a calculation. Dates and « oui » as in ``cellule``."""
    return written(value) if isinstance(value, (int, float)) else cellule(value)


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


@register.simple_tag(takes_context=True)
def aide_url(context: template.Context, slug: str = "", part: str = "") -> str:
    """Address of a page of the guide, or of one of its parts; of its first page without ``slug``."""
    organisation = context.get("organisation")
    kwargs = {"organisation": organisation.slug} if organisation else {}
    name = f"web:guide_{BY_SLUG[slug].slug}" if slug else "web:guide"
    return reverse(name, kwargs=kwargs) + (f"#{part}" if part else "")


@register.simple_tag(takes_context=True)
def aide(context: template.Context, slug: str, part: str = "", words: str = "") -> SafeString:
    """A line that leads from a page to what the guide says of it: « Aide : déposer un fichier ». ``words`` name the part."""
    title = words or BY_SLUG[slug].title
    said = title[:1].lower() + title[1:]
    return format_html('<p class="small noprint"><a href="{}">Aide : {}</a></p>', aide_url(context, slug, part), said)
