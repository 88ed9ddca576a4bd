"""Bars of the register: decisions by month, energy by run. Server-side SVG, classes only, one drawing per width of column, with a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from bocage.web.chart_axis import label_width
from bocage.web.charts import margin_for, nice_ticks, tick_texts

# Class and width in SVG units (1 unit = 1 px): those of the line charts, so that one stylesheet chooses among them.
_FRAMES = (("wide", 780), ("middle", 540), ("narrow", 288))
_HEIGHT, _LEFT = 200, 46
_TOP, _BOTTOM, _RIGHT = 14, 28, 8


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: its label, and the height of each of its parts, from the axis up."""

    label: str
    parts: tuple[float, ...]


def bar_chart(
    bars: Sequence[Bar], names: Sequence[str], classes: Sequence[str], title: str, unit: str = "", note: str = "", name: str = "barres"
) -> SafeString:
    """A figure of stacked bars, one name and one CSS class per part. ``name`` makes ids unique on the page. No bar, no figure."""
    if not bars or not any(sum(bar.parts) > 0 for bar in bars):
        return SafeString("")
    ticks = nice_ticks(0.0, max(sum(bar.parts) for bar in bars), 4)
    drawings = [_drawing(kind, width, bars, classes, ticks, f"{name}-{kind}", title) for kind, width in _FRAMES]
    context = {
        "chart": {"title": title, "unit": unit, "note": note},
        "drawings": mark_safe("".join(drawings)),  # noqa: S308 - built here, every text escaped
        "key": list(zip(names, classes, strict=True)) if len(names) > 1 else [],
        "head": list(names),
        "rows": [(False, bar.label, list(bar.parts)) for bar in bars],
    }
    return SafeString(render_to_string("web/chart.html", context))


def _drawing(kind: str, width: int, bars: Sequence[Bar], classes: Sequence[str], ticks: list[float], name: str, title: str) -> str:
    texts, body = tick_texts(ticks), []
    height, left = _HEIGHT, max(_LEFT, margin_for(texts))
    inner, scale = width - left - _RIGHT, (height - _TOP - _BOTTOM) / ticks[-1]
    for tick, text in zip(ticks, texts, strict=True):
        y = height - _BOTTOM - tick * scale
        body.append(f'<line class="{"g" if tick else "z"}" x1="{left}" x2="{width - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        body.append(f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{escape(text)}</text>')
    step = inner / len(bars)
    thick = min(step * 0.6, 48)
    # As many labels as fit, the last one always: it is the news.
    every = max(1, -(-len(bars) * 84 // inner))
    for i, bar in enumerate(bars):
        middle, base = left + step * (i + 0.5), height - _BOTTOM
        for part, kind_of_part in zip(bar.parts, classes, strict=True):
            tall = part * scale
            base -= tall
            if tall > 0:
                body.append(
                    f'<rect class="{kind_of_part}" x="{middle - thick / 2:.1f}" y="{base:.1f}" width="{thick:.1f}" height="{tall:.1f}"/>'
                )
        if (len(bars) - 1 - i) % every == 0:
            half = label_width(bar.label) / 2
            x = max(half, min(width - half, middle))
            body.append(f'<text x="{x:.1f}" y="{height - 8}" text-anchor="middle">{escape(bar.label)}</text>')
    return (
        f'<svg class="{kind}" viewBox="0 0 {width} {height}" role="img" aria-labelledby="{escape(name)}">'
        f'<title id="{escape(name)}">{escape(title)}</title>{"".join(body)}</svg>'
    )
