"""A place drawn as a small outline, without tiles: no map server is asked, the shape and its coordinates are enough to recognise it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from django.utils.html import escape
from django.utils.safestring import SafeString

from bocage.contract.french import number

_SIZE, _EDGE = 240, 14
Point = tuple[float, float]


def outline(geometry: dict[str, Any] | None, title: str) -> SafeString:
    """``geometry`` (GeoJSON, WGS 84) as an SVG figure with the coordinates of its middle; empty when there is nothing to draw."""
    parts = list(_parts(geometry or {}))
    points = [point for _, line in parts for point in line]
    if not points:
        return SafeString("")
    west, east = min(p[0] for p in points), max(p[0] for p in points)
    south, north = min(p[1] for p in points), max(p[1] for p in points)
    middle = ((west + east) / 2, (south + north) / 2)
    # At this size the Earth is flat: a degree of longitude is shorter by the cosine of the latitude.
    shrink = max(math.cos(math.radians(middle[1])), 0.01)
    extent = max((east - west) * shrink, north - south) or 1e-9
    factor = (_SIZE - 2 * _EDGE) / extent

    def at(point: Point) -> str:
        x = _SIZE / 2 + (point[0] - middle[0]) * shrink * factor
        y = _SIZE / 2 - (point[1] - middle[1]) * factor
        return f"{x:.1f},{y:.1f}"

    body = "".join(_draw(kind, [at(p) for p in line]) for kind, line in parts)
    words = f"{_degrees(middle[1], 'N', 'S')}, {_degrees(middle[0], 'E', 'O')}"
    return SafeString(
        f'<figure class="outline"><svg viewBox="0 0 {_SIZE} {_SIZE}" role="img" aria-label="{escape(title)} : {words}">{body}</svg>'
        f"<figcaption><small>Milieu : {words} (WGS 84). Le nord est en haut.</small></figcaption></figure>"
    )


def _draw(kind: str, points: list[str]) -> str:
    if kind == "point" or len(set(points)) == 1:
        x, y = points[0].split(",")
        return f'<circle class="p" cx="{x}" cy="{y}" r="6"/>'
    if kind == "area":
        return f'<polygon class="area" points="{" ".join(points)}"/>'
    return f'<polyline class="f" points="{" ".join(points)}"/>'


def _degrees(value: float, positive: str, negative: str) -> str:
    return f"{number(abs(value), 5)}° {positive if value >= 0 else negative}"


def _parts(geometry: dict[str, Any]) -> Iterator[tuple[str, list[Point]]]:
    """Lines, rings and points of any GeoJSON object; what is not understood is left out."""
    kind, coordinates = geometry.get("type"), geometry.get("coordinates") or []
    if kind == "Feature":
        yield from _parts(geometry.get("geometry") or {})
    elif kind == "FeatureCollection":
        for feature in geometry.get("features") or []:
            yield from _parts(feature)
    elif kind == "GeometryCollection":
        for item in geometry.get("geometries") or []:
            yield from _parts(item)
    else:
        depth = {"Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3}.get(str(kind))
        if depth is None or not coordinates:
            return
        shape = "point" if "Point" in str(kind) else "area" if "Polygon" in str(kind) else "line"
        positions = [[p] for p in _flat(coordinates, depth)] if shape == "point" else _flat(coordinates, depth - 1)
        for line in positions:
            yield shape, [(float(p[0]), float(p[1])) for p in line]


def _flat(coordinates: list[Any], depth: int) -> list[Any]:
    items = [coordinates]
    for _ in range(depth):
        items = [inner for item in items for inner in item]
    return items
