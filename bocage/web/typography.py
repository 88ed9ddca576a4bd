"""French typography on the text of pages: spaces before double punctuation, inside quotes, between figures and units; the curly apostrophe.

Applied once, to text nodes only, by a middleware: templates stay readable and nothing is forgotten. What was written by a person or
comes from a file (``code``, ``textarea``, ``pre``, quotes marked ``.quote``, ``data-brut``) is left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from bocage.contract.french import MONTHS, NBSP, NNBSP

_UNITS = r"(?:m³/h|m³/j|m³|m²|km/h|km|kWh|MWh|Wh|kW|kVA|ko|Mo|Go|%|€|h|min|s|L/s|J|°C|pages|lignes|ans|jours|repas)"
_MONTHS = "|".join(MONTHS)
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?<=\w)'(?=\w)"), "’"),
    (re.compile(r"(?<=\d) (?=\d{3}(?!\d))"), NNBSP),
    (re.compile(rf"(?<=\d) (?={_UNITS}(?![\w/]))"), NBSP),
    (re.compile(r"(?<=\d) h (?=\d\d\b)"), f"{NBSP}h{NBSP}"),
    (re.compile(r" ([;!?])"), NNBSP + r"\1"),
    (re.compile(r"« "), f"«{NBSP}"),
    (re.compile(r" »"), f"{NBSP}»"),
    (re.compile(r" :(?!\w)"), f"{NBSP}:"),
    (re.compile(rf"(?<=\d) (?=(?:{_MONTHS})\b)"), NBSP),
    (re.compile(rf"(?<=1er) (?=(?:{_MONTHS})\b)"), NBSP),
)
_TAG = re.compile(r"(<!--.*?-->|<[^>]+>)", re.DOTALL)
_NAME = re.compile(r"</?([a-zA-Z0-9]+)")
_RAW_OPEN = re.compile(
    r"<(code|pre|script|style|textarea|kbd|samp)\b|<(\w+)\b[^>]*(?:class=\"[^\"]*\bquote\b|\bdata-brut\b)", re.IGNORECASE
)


# None of the rules applies without one of these: most text nodes are the white space between two tags.
_CONCERNED = re.compile(r"[';!?«»:]|\d[ e]")


def french(text: str) -> str:
    """``text`` with French spaces and apostrophes. Idempotent."""
    if not _CONCERNED.search(text):
        return text
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


def french_html(html: str) -> str:
    """``html`` with French typography on its text nodes."""
    parts: list[str] = []
    raw: str | None = None
    depth = 0
    for part in _TAG.split(html):
        if not part.startswith("<"):
            parts.append(part if raw else french(part))
            continue
        parts.append(part)
        name = _tag_name(part)
        if raw is None:
            opened = _RAW_OPEN.match(part)
            if opened and not part.endswith("/>"):
                raw, depth = name, 1
        elif name == raw:
            depth += -1 if part.startswith("</") else 1
            if depth == 0:
                raw = None
    return "".join(parts)


def _tag_name(tag: str) -> str:
    found = _NAME.match(tag)
    return found.group(1).lower() if found else ""


class TypographyMiddleware:
    """Applies ``french_html`` to HTML responses."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        if not response.streaming and response.get("Content-Type", "").startswith("text/html"):
            response.content = french_html(response.content.decode()).encode()
            if response.has_header("Content-Length"):
                response["Content-Length"] = str(len(response.content))
        return response
