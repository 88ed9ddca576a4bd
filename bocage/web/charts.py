"""Server-side SVG charts: classes only, one drawing per width of column so that no label shrinks, with the same numbers as their table.

Reading order (LOOK.md, « Charts »): measured in ink, Bocage in the brand colour, usual method dashed, interval as a band; each line
named at its end, or above it where nothing is crossed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median
from typing import Any

from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from bocage.contract.french import NBSP, number
from bocage.web.chart_axis import axis_label, label_width, positions, time_ticks

__all__ = ["axis_label", "dot_plot", "gap_scale", "line_chart", "margin_for", "nice_ticks", "tick_texts"]

_CLASSES = {"measured": "m", "forecast": "f", "usual": "u"}
_LABELS = {"measured": "mesuré", "forecast": "Bocage", "usual": "habituel"}
_LABEL_CLASSES = {"forecast": "b", "measured": "k", "usual": "k"}
_FINE_FROM = 120
_LINE = 16
_GAP_STEPS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class _Frame:
    """Size and margins of one drawing, in SVG units (1 unit = 1 px, or a little more: bocage.css shows the widest that fits)."""

    kind: str
    width: int
    height: int
    right: int
    top: int = 16
    bottom: int = 30
    left: int = 44


_WIDE = _Frame("wide", 780, 270, 132)
_MIDDLE = _Frame("middle", 540, 270, 124)
# What a screen of 320 px leaves between its margins.
_NARROW = _Frame("narrow", 288, 256, 8, top=30)


def nice_ticks(low: float, high: float, count: int = 4) -> list[float]:
    """Round values that cover [low, high], ``count`` + 1 of them at most; steps are 1, 2, 2.5 or 5 times a power of ten."""
    # A range too small to be cut in floating point is drawn as one value.
    if high - low <= 1e-12 * max(abs(low), abs(high)) or high - low < 1e-300:
        high = low + (abs(low) if abs(low) > 1e-290 else 1.0)
    power = 10.0 ** math.floor(math.log10((high - low) / count))
    for step in (power * k for k in (1, 2, 2.5, 5, 10, 20)):
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        if last - first <= count:
            break
    return [i * step for i in range(first, last + 1)]


class _Scale:
    """From positions and values to SVG units. ``holes``: labels before which something is missing."""

    def __init__(self, frame: _Frame, xs: Sequence[str], ticks: Sequence[float]) -> None:
        self.frame, self.points, self.ticks = frame, len(xs), ticks
        self.places, self.holes = positions(xs)

    @property
    def inner(self) -> float:
        return self.frame.width - self.frame.left - self.frame.right

    @property
    def step(self) -> float:
        """From one label to the next, where nothing is missing."""
        return self.inner / max(self.places[-1], 1.0)

    def x(self, index: int) -> float:
        return self.frame.left + self.places[index] * self.step

    def y(self, value: float) -> float:
        inner = self.frame.height - self.frame.top - self.frame.bottom
        low, high = self.ticks[0], self.ticks[-1]
        return self.frame.top + inner * (high - value) / (high - low)


def line_chart(
    chart: dict[str, Any], name: str, finding: str = "", from_zero: bool = False, beside_form: bool = False, mark: str = ""
) -> SafeString:
    """A figure for a ``Chart`` artifact (as JSON): caption, drawings, table twin. ``finding`` is its title in one sentence.

    ``name`` makes ids unique on the page; ``beside_form`` leaves out the drawing that the column beside a form never has room for;
    ``mark`` is the ISO date that the page is about, set in bold on the axis. Empty series give an empty string.
    """
    values = [v for s in chart["series"] for v in s["values"] if v is not None]
    if not values:
        return SafeString("")
    ticks = nice_ticks(min(0.0, *values) if from_zero else min(values), max(values))
    frames = (_MIDDLE, _NARROW) if beside_form else (_WIDE, _MIDDLE, _NARROW)
    drawings = [
        _drawing(_with_room(frame, ticks, chart), chart, ticks, f"{name}-{frame.kind}", finding or chart["title"], mark) for frame in frames
    ]
    context = {
        "chart": chart,
        "drawings": mark_safe("".join(drawings)),  # noqa: S308 - built here, every text escaped
        "head": [s["name"] for s in chart["series"]],
        "rows": [
            (bool(mark) and x.startswith(mark), axis_label(x), [s["values"][i] for s in chart["series"]]) for i, x in enumerate(chart["x"])
        ],
    }
    return SafeString(render_to_string("web/chart.html", context))


def _drawing(frame: _Frame, chart: dict[str, Any], ticks: list[float], name: str, finding: str, mark: str) -> str:
    scale = _Scale(frame, chart["x"], ticks)
    lines = [s for s in chart["series"] if s["role"] in _CLASSES]
    bounds = {s["role"]: s["values"] for s in chart["series"] if s["role"] in ("lower", "upper")}
    body = [*_grid(scale), *_axis(scale, chart["x"], mark)]
    if len(bounds) == 2:
        body += _band(scale, bounds["lower"], bounds["upper"])
    # The usual method first: Bocage's line is drawn over it.
    for line in sorted(lines, key=lambda s: ("measured", "usual", "forecast").index(s["role"])):
        body += _polyline(scale, line["values"], _CLASSES[line["role"]])
    body += _key(frame, lines) if frame.kind == "narrow" else _names(scale, lines, bounds)
    return (
        f'<svg class="{frame.kind}" viewBox="0 0 {frame.width} {frame.height}" role="img" aria-labelledby="{escape(name)}">'
        f'<title id="{escape(name)}">{escape(finding)}</title>{"".join(body)}</svg>'
    )


def tick_texts(ticks: Sequence[float]) -> list[str]:
    """What is written beside each grid line: as many decimals as tell them apart."""
    decimals = _decimals(ticks[1] - ticks[0])
    return [number(tick, decimals) for tick in ticks]


def _with_room(frame: _Frame, ticks: Sequence[float], chart: dict[str, Any]) -> _Frame:
    """``frame`` with margins that hold its longest figures (« 1 200 000 »); names stand at the right, or above a narrow drawing."""
    ends = [] if frame.kind == "narrow" else [_end_label(s) for s in chart["series"] if s["role"] in _CLASSES]
    right = max([frame.right, *(math.ceil(label_width(text)) + 12 for text in ends)])
    return replace(frame, left=max(frame.left, margin_for(tick_texts(ticks))), right=right)


def _end_label(line: dict[str, Any]) -> str:
    """« Bocage : 1 240 », with its last known value; empty for a line without any."""
    last = next((v for v in reversed(line["values"]) if v is not None), None)
    if last is None:
        return ""
    decimals = 0 if abs(last) >= 100 or last == int(last) else 1 if abs(last) >= 10 else 2
    return f"{_LABELS[line['role']]}{NBSP}: {number(last, decimals)}"


def margin_for(texts: Sequence[str]) -> int:
    """Units that the longest of ``texts`` takes left of the axis."""
    return math.ceil(max(map(label_width, texts))) + 10


def _grid(scale: _Scale) -> list[str]:
    frame, parts = scale.frame, []
    for i, (tick, text) in enumerate(zip(scale.ticks, tick_texts(scale.ticks), strict=True)):
        y = scale.y(tick)
        css = "z" if i == 0 else "g"
        parts.append(f'<line class="{css}" x1="{frame.left}" x2="{frame.width - frame.right}" y1="{y:.0f}" y2="{y:.0f}"/>')
        parts.append(f'<text x="{frame.left - 8}" y="{y + 4:.0f}" text-anchor="end">{text}</text>')
    return parts


def _decimals(step: float) -> int:
    """How many decimals tell multiples of ``step`` apart (2.5 needs one)."""
    return next((d for d in range(12) if abs(round(step, d) - step) < step * 1e-6), 12)


def _axis(scale: _Scale, xs: Sequence[str], mark: str) -> list[str]:
    frame, parts = scale.frame, []
    foot = frame.height - frame.bottom
    for tick in time_ticks(xs, mark, scale.x, frame.width - (frame.right if frame.kind == "narrow" else 0)):
        x = scale.x(tick.index)
        parts.append(f'<line class="z" x1="{x:.0f}" x2="{x:.0f}" y1="{foot}" y2="{foot + 5}"/>')
        css = ' class="k"' if tick.marked else ""
        parts.append(f'<text{css} x="{x:.0f}" y="{foot + 21}" text-anchor="{tick.anchor}">{escape(tick.text)}</text>')
    return parts


def _runs(known: Sequence[bool], holes: frozenset[int]) -> list[list[int]]:
    """Indexes of consecutive known values; a line never crosses one of ``holes``."""
    runs: list[list[int]] = [[]]
    for i, is_known in enumerate(known):
        if i in holes:
            runs.append([])
        if is_known:
            runs[-1].append(i)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _polyline(scale: _Scale, values: Sequence[float | None], css: str) -> list[str]:
    fine = " fine" if sum(v is not None for v in values) > _FINE_FROM else ""
    parts = []
    for run in _runs([v is not None for v in values], scale.holes):
        points = [(scale.x(i), scale.y(values[i])) for i in run]  # type: ignore[arg-type]
        if len(points) == 1:
            parts.append(f'<circle class="{css}" cx="{points[0][0]:.1f}" cy="{points[0][1]:.1f}" r="4"/>')
        else:
            parts.append(f'<polyline class="{css}{fine}" points="{_points(points)}"/>')
    return parts


def _band(scale: _Scale, low: Sequence[float | None], high: Sequence[float | None]) -> list[str]:
    parts = []
    for run in _runs([a is not None and b is not None for a, b in zip(low, high, strict=True)], scale.holes):
        if len(run) == 1:
            x, top, bottom = scale.x(run[0]), scale.y(high[run[0]]), scale.y(low[run[0]])  # type: ignore[arg-type]
            parts.append(f'<rect class="i" x="{x - 4:.1f}" y="{top:.1f}" width="8" height="{max(bottom - top, 1):.1f}"/>')
            continue
        upper = [(scale.x(i), scale.y(high[i])) for i in run]  # type: ignore[arg-type]
        lower = [(scale.x(i), scale.y(low[i])) for i in reversed(run)]  # type: ignore[arg-type]
        parts.append(f'<polygon class="i" points="{_points(upper)} {_points(lower)}"/>')
    return parts


def _names(scale: _Scale, lines: list[dict[str, Any]], bounds: dict[str, Sequence[float | None]]) -> list[str]:
    """Each line's name: in the margin where the line reaches the end, else above it where it crosses nothing, else in the margin."""
    margin, parts = [], []
    obstacles = [s["values"] for s in lines] + list(bounds.values())
    for line in lines:
        known = [i for i, v in enumerate(line["values"]) if v is not None]
        if not known:
            continue
        label = _LABELS[line["role"]]
        spot = None if known[-1] == scale.points - 1 else _free_spot(scale, line["values"], known, obstacles, label_width(label))
        if spot:
            css = _LABEL_CLASSES[line["role"]]
            parts.append(f'<text class="{css}" x="{spot[0]:.0f}" y="{spot[1]:.0f}" text-anchor="middle">{escape(label)}</text>')
        else:
            margin.append([scale.y(line["values"][known[-1]]) + 4, _end_label(line), _LABEL_CLASSES[line["role"]]])
    x = scale.frame.width - scale.frame.right + 10
    return parts + [f'<text class="{css}" x="{x}" y="{y:.0f}">{escape(label)}</text>' for y, label, css in _apart(scale, margin)]


def _apart(scale: _Scale, labels: list[list[Any]]) -> list[list[Any]]:
    """Labels by height, pushed apart so that no two touch and none leaves the drawing."""
    labels = sorted(labels, key=lambda label: label[0])
    for above, below in pairwise(labels):
        below[0] = max(below[0], above[0] + _LINE)
    floor = scale.frame.height - scale.frame.bottom
    for label in reversed(labels):
        label[0] = min(label[0], floor)
        floor = label[0] - _LINE
    return labels


def _free_spot(
    scale: _Scale, values: Sequence[float | None], known: Sequence[int], obstacles: Sequence[Sequence[float | None]], width: float
) -> tuple[float, float] | None:
    """Where ``width`` of text stands just above the line and touches no line, as (middle, baseline); None if nowhere."""
    step = max(scale.step, 1e-9)
    reach = math.ceil((width / 2 + 4) / step)
    best: tuple[float, float, float] | None = None
    for i in known:
        if scale.x(i) - width / 2 < scale.frame.left + 4 or scale.x(i) + width / 2 > scale.x(known[-1]):
            continue
        window = range(max(0, i - reach), min(scale.points, i + reach + 1))
        highest = min(scale.y(v) for line in obstacles for j in window if (v := line[j]) is not None)
        baseline = _off_grid(scale, highest - 7)
        gap = scale.y(values[i]) - baseline  # type: ignore[arg-type]
        if baseline - 12 >= 2 and (best is None or gap < best[0] - 0.5):
            best = (gap, scale.x(i), baseline)
    return (best[1], best[2]) if best else None


def _off_grid(scale: _Scale, baseline: float) -> float:
    """``baseline``, raised so that no grid line runs through the word (12 px high)."""
    for tick in scale.ticks:
        line = scale.y(tick)
        if baseline - 12 < line < baseline + 3:
            return line - 5
    return baseline


def _key(frame: _Frame, lines: list[dict[str, Any]]) -> list[str]:
    """Names in a strip above a narrow drawing, where nothing is crossed."""
    parts, widths = [], [23 + label_width(_LABELS[line["role"]]) for line in lines]
    x = max(0.0, min(float(frame.left), frame.width - sum(widths) - 14 * (len(lines) - 1)))
    for line, width in zip(lines, widths, strict=True):
        label, css = _LABELS[line["role"]], _CLASSES[line["role"]]
        parts.append(f'<line class="{css} key" x1="{x:.0f}" x2="{x + 18:.0f}" y1="8" y2="8"/>')
        parts.append(f'<text class="{_LABEL_CLASSES[line["role"]]}" x="{x + 23:.0f}" y="12">{escape(label)}</text>')
        x += width + 14
    return parts


def gap_scale(gaps: Sequence[float]) -> float:
    """A round half-width for dot plots (0.3 for ±30 %), from the widest gap of each line: one outlier does not flatten the others."""
    sizes = [abs(gap) for gap in gaps]
    wanted = min(max(sizes), 2.5 * median(sizes)) if sizes else 0.0
    return next((step for step in _GAP_STEPS if wanted <= step), _GAP_STEPS[-1])


def dot_plot(value: float, low: float | None, high: float | None, reference: float | None, scale: float) -> SafeString:
    """The gap of a proposal to the usual method, in %, on an axis of ±``scale`` shared by all rows: band = interval, label = gap.

    A gap beyond the axis is drawn as an arrow at its end, with its true figure. Empty where there is no usual value to compare with.
    Decorative: the same figures stand in the row's text.
    """
    if not reference:
        return SafeString("")
    width, middle, edge = 320, 160, 20

    def at(v: float) -> float:
        gap = max(-scale, min(scale, (v - reference) / abs(reference)))
        return middle + gap / scale * (middle - edge)

    gap = (value - reference) / abs(reference)
    percent = number(100 * gap, 0 if abs(gap) >= 0.0995 else 1)
    label = f"{'+' if gap > 0.0005 else ''}{percent}{NBSP}%"
    body = f'<line class="g" x1="{edge}" x2="{width - edge}" y1="30" y2="30"/><line class="z" x1="{middle}" x2="{middle}" y1="20" y2="40"/>'
    if low is not None and high is not None:
        left, right = sorted((at(low), at(high)))
        body += f'<rect class="i" x="{left:.1f}" y="23" width="{max(right - left, 2):.1f}" height="14"/>'
    x = at(value)
    if abs(gap) > scale:
        way = 1 if gap > 0 else -1
        body += f'<path class="p" d="M{x - 6 * way:.1f} 23L{x + 7 * way:.1f} 30L{x - 6 * way:.1f} 37z"/>'
    else:
        body += f'<circle class="p" cx="{x:.1f}" cy="30" r="6"/>'
    body += f'<text class="lab" x="{max(24.0, min(width - 24.0, x)):.1f}" y="15" text-anchor="middle">{label}</text>'
    body += f'<text class="narrow" x="{middle}" y="57" text-anchor="middle">habituel</text>'
    return SafeString(f'<svg class="dot" viewBox="0 0 {width} 46" aria-hidden="true">{body}</svg>')
