"""Server-side SVG charts: classes only, drawn twice (wide and narrow) so that labels keep their size, with the same numbers as their table.

Reading order (LOOK.md, « Charts »): measured in ink, Bocage in the brand colour, usual method dashed, interval as a band; labels at the line's end.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from bocage.contract.french import number

_CLASSES = {"measured": "m", "forecast": "f", "usual": "u"}
_LABELS = {"measured": "mesuré", "forecast": "Bocage", "usual": "habituel"}
_MONTHS = ("janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc.")
_DAYS = ("lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim.")


@dataclass(frozen=True, slots=True)
class _Frame:
    """Size and margins of one drawing, in SVG units (1 unit = 1 px)."""

    width: int
    height: int
    left: int
    right: int
    top: int = 16
    bottom: int = 28


_WIDE = _Frame(780, 270, 56, 120)
_NARROW = _Frame(340, 240, 48, 8)


def nice_ticks(low: float, high: float, count: int = 4) -> list[float]:
    """At most ``count`` + 1 round values that cover [low, high]; steps are 1, 2 or 5 times a power of ten."""
    if high <= low:
        high = low + (abs(low) or 1.0)
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * k for k in (1, 2, 5, 10) if power * k >= rough * 0.999)
    first = math.floor(low / step)
    last = math.ceil(high / step - 1e-9)
    return [i * step for i in range(first, last + 1)]


class _Scale:
    """From positions and values to SVG units."""

    def __init__(self, frame: _Frame, points: int, low: float, high: float) -> None:
        self.frame, self._points, self._low, self._high = frame, points, low, high

    def x(self, index: float) -> float:
        inner = self.frame.width - self.frame.left - self.frame.right
        return self.frame.left + inner * (index / max(self._points - 1, 1))

    def y(self, value: float) -> float:
        inner = self.frame.height - self.frame.top - self.frame.bottom
        return self.frame.top + inner * (self._high - value) / (self._high - self._low)


def line_chart(chart: dict[str, Any], name: str, finding: str = "", from_zero: bool = False) -> SafeString:
    """A figure for a ``Chart`` artifact (as JSON): caption, both drawings, table twin. ``finding`` is its title in one sentence.

    ``name`` makes ids unique on the page. Empty series give an empty string.
    """
    series = {s["role"]: s["values"] for s in chart["series"] if s["role"] in ("lower", "upper")}
    lines = [s for s in chart["series"] if s["role"] in _CLASSES]
    values = [v for s in chart["series"] for v in s["values"] if v is not None]
    if not values:
        return SafeString("")
    ticks = nice_ticks(0.0 if from_zero else min(values), max(values))
    drawings = [
        _drawing(frame, chart, lines, series, ticks, f"{name}-{kind}", kind, finding or chart["title"])
        for kind, frame in (("wide", _WIDE), ("narrow", _NARROW))
    ]
    context = {
        "chart": chart,
        "drawings": mark_safe("".join(drawings)),  # noqa: S308 - built here, every text escaped
        "head": [s["name"] for s in chart["series"]],
        "rows": [(axis_label(x), *[s["values"][i] for s in chart["series"]]) for i, x in enumerate(chart["x"])],
    }
    return SafeString(render_to_string("web/chart.html", context))


def _drawing(
    frame: _Frame,
    chart: dict[str, Any],
    lines: list[dict[str, Any]],
    band: dict[str, list[float | None]],
    ticks: list[float],
    name: str,
    kind: str,
    finding: str,
) -> str:
    scale = _Scale(frame, len(chart["x"]), ticks[0], ticks[-1])
    body = [*_grid(scale, ticks, chart["unit"]), *_axis(scale, chart["x"], narrow=kind == "narrow")]
    if "lower" in band and "upper" in band:
        body.append(_band(scale, band["lower"], band["upper"]))
    body += [_polyline(scale, s["values"], _CLASSES[s["role"]]) for s in lines]
    if kind == "wide":
        body += _end_labels(scale, lines)
    else:
        body += _key(frame, lines)
    return (
        f'<svg class="{kind}" viewBox="0 0 {frame.width} {frame.height}" role="img" aria-labelledby="{name}"><title id="{name}">{escape(finding)}</title>'
        + "".join(body)
        + "</svg>"
    )


def _grid(scale: _Scale, ticks: list[float], unit: str) -> list[str]:
    frame, parts = scale.frame, []
    decimals = max(0, -math.floor(math.log10(ticks[1] - ticks[0])))
    for i, tick in enumerate(ticks):
        y = scale.y(tick)
        text = number(tick, decimals, unit if i == len(ticks) - 1 else "")
        parts.append(
            f'<line class="{"z" if i == 0 else "g"}" x1="{frame.left}" x2="{frame.width - frame.right}" y1="{y:.0f}" y2="{y:.0f}"/>'
        )
        anchor = ("start", 0, y - 6) if i == len(ticks) - 1 and unit else ("end", frame.left - 8, y + 4)
        parts.append(f'<text x="{anchor[1]}" y="{anchor[2]:.0f}" text-anchor="{anchor[0]}">{escape(text)}</text>')
    return parts


def _axis(scale: _Scale, xs: Sequence[str], narrow: bool) -> list[str]:
    count = len(xs)
    every = max(1, math.ceil(count / (3 if narrow else 7)))
    parts = []
    for i in range(0, count, every):
        anchor = "start" if i == 0 else "end" if i == count - 1 else "middle"
        y = scale.frame.height - 8
        parts.append(f'<text x="{scale.x(i):.0f}" y="{y}" text-anchor="{anchor}">{escape(axis_label(xs[i]))}</text>')
    return parts


def axis_label(x: str) -> str:
    """« sam. 21 nov. » for an ISO date, « sam. 21, 8 h » for an ISO time, the label itself otherwise."""
    try:
        when = datetime.fromisoformat(x) if len(x) > 10 else date.fromisoformat(x)
    except ValueError:
        return x
    if isinstance(when, datetime):
        return f"{_DAYS[when.weekday()]} {when.day}, {when.hour} h"
    return f"{_DAYS[when.weekday()]} {when.day} {_MONTHS[when.month - 1]}"


def _segments(scale: _Scale, values: Sequence[float | None]) -> list[list[tuple[float, float]]]:
    segments: list[list[tuple[float, float]]] = [[]]
    for i, value in enumerate(values):
        if value is None:
            segments.append([])
        else:
            segments[-1].append((scale.x(i), scale.y(value)))
    return [s for s in segments if s]


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _polyline(scale: _Scale, values: Sequence[float | None], css: str) -> str:
    parts = []
    for segment in _segments(scale, values):
        if len(segment) == 1:
            parts.append(f'<circle class="{css}" cx="{segment[0][0]:.1f}" cy="{segment[0][1]:.1f}" r="3"/>')
        else:
            parts.append(f'<polyline class="{css}" points="{_points(segment)}"/>')
    return "".join(parts)


def _band(scale: _Scale, low: Sequence[float | None], high: Sequence[float | None]) -> str:
    known = [i for i, (a, b) in enumerate(zip(low, high, strict=True)) if a is not None and b is not None]
    if len(known) < 2:
        return ""
    upper = [(scale.x(i), scale.y(high[i])) for i in known]  # type: ignore[arg-type]
    lower = [(scale.x(i), scale.y(low[i])) for i in reversed(known)]  # type: ignore[arg-type]
    return f'<polygon class="i" points="{_points(upper)} {_points(lower)}"/>'


def _end_labels(scale: _Scale, lines: list[dict[str, Any]]) -> list[str]:
    """The name of each line at its end, pushed apart so that no two touch."""
    ends = []
    for line in lines:
        known = [i for i, v in enumerate(line["values"]) if v is not None]
        if known:
            ends.append([scale.y(line["values"][known[-1]]) + 4, line, scale.x(known[-1])])
    ends.sort(key=lambda end: end[0])
    for above, below in zip(ends, ends[1:], strict=False):
        below[0] = max(below[0], above[0] + 16)
    right = scale.frame.width - scale.frame.right + 10
    css = {"forecast": "b", "measured": "k", "usual": ""}
    return [f'<text class="{css[line["role"]]}" x="{right}" y="{y:.0f}">{escape(_LABELS[line["role"]])}</text>' for y, line, _ in ends]


def _key(frame: _Frame, lines: list[dict[str, Any]]) -> list[str]:
    parts, x = [], frame.left
    for line in lines:
        label = _LABELS[line["role"]]
        parts.append(
            f'<line class="{_CLASSES[line["role"]]}" x1="{x}" x2="{x + 18}" y1="8" y2="8"/><text x="{x + 22}" y="12">{escape(label)}</text>'
        )
        x += 34 + 8 * len(label)
    return parts


def dot_plot(value: float, low: float | None, high: float | None, reference: float | None, scale: float) -> SafeString:
    """The gap of a proposal to the usual method, in %, on an axis of ±``scale`` shared by all rows: band = interval, label = gap.

    Empty where there is no usual value to compare with. Decorative: the same figures stand in the row's text.
    """
    if not reference:
        return SafeString("")
    width, middle = 320, 160

    def at(v: float) -> float:
        gap = max(-scale, min(scale, v / reference - 1))
        return middle + gap / scale * (middle - 12)

    gap = value / reference - 1
    label = f"{'+' if gap > 0.0005 else ''}{number(100 * gap, 0 if abs(gap) >= 0.1 else 1)} %"
    body = f'<line class="g" x1="12" x2="{width - 12}" y1="24" y2="24"/><line class="z" x1="{middle}" x2="{middle}" y1="16" y2="32"/>'
    if low is not None and high is not None:
        left, right = sorted((at(low), at(high)))
        body += f'<rect class="i" x="{left:.1f}" y="18" width="{max(right - left, 2):.1f}" height="12"/>'
    body += f'<circle class="p" cx="{at(value):.1f}" cy="24" r="5.5"/><text x="{at(value):.1f}" y="11" text-anchor="middle">{label}</text>'
    return SafeString(f'<svg class="dot" viewBox="0 0 {width} 40" aria-hidden="true">{body}</svg>')
