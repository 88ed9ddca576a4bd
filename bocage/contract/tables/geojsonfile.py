"""GeoJSON feature collections, one feature at a time: properties are columns, ``geometry`` a dict. Line 1 is the first feature."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from bocage.contract.errors import UnreadableFile
from bocage.contract.tables.convert import Array, Converted, absent_fault
from bocage.contract.tables.facts import Facts
from bocage.contract.tables.fields import Spec
from bocage.contract.tables.header import match_header, require_columns
from bocage.contract.tables.report import Fault, Format
from bocage.contract.tables.sources import CHUNK_LINES, Chunk, check_width, damaged
from bocage.contract.tables.workbook import text_of

MAX_DEPTH = 64
_FEATURES = re.compile(r'"features"\s*:\s*\[')
_NEXT = re.compile(r"[\s,]*")
_SAMPLE = 1000
_GEOMETRIES = ("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection")


class GeoJsonSource:
    """A FeatureCollection (see ``Source``). The columns are the properties met in the first 1,000 features."""

    format: Format = "geojson"
    encoding: str | None
    separator: str | None = None
    sheet: str | None = None
    typed = True

    def __init__(self, facts: Facts, specs: Sequence[Spec]) -> None:
        """Raises ``UnreadableFile`` and ``MissingColumns``."""
        self._facts = facts
        self.encoding = "utf-8"
        self.notes = ["Fichier GeoJSON : les numéros de ligne sont ceux des objets, à partir de 1."]
        try:
            self._text = facts.path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            raise UnreadableFile(f"« {facts.name} » n’est pas en UTF-8, que le GeoJSON exige. Enregistrez-le en UTF-8.") from None
        _check_depth(self._text, facts.name)
        start = _FEATURES.search(self._text)
        if start is None:
            raise UnreadableFile(f"« {facts.name} » est un JSON sans « features ». Un GeoJSON de type FeatureCollection est attendu.")
        self._start = start.end()
        names: dict[str, None] = {}
        for rank, (feature, _) in enumerate(self._features()):
            if rank >= _SAMPLE:
                break
            names.update(dict.fromkeys(map(str, _properties(feature))))
            check_width(len(names), facts.name)
        names.setdefault("geometry")
        self.header = list(names)
        self.match = match_header(self.header, specs)
        require_columns(self.match, self.header, specs, facts.name)

    def _features(self) -> Iterator[tuple[dict[str, Any], int]]:
        """(feature, position after it) up to the end of the list. Raises ``UnreadableFile`` where the JSON breaks."""
        decoder, at, text = json.JSONDecoder(parse_constant=_no_constant), self._start, self._text
        rank = 0
        while True:
            found = _NEXT.match(text, at)
            at = found.end() if found else at
            if at < len(text) and text[at] == "]":
                return
            rank += 1
            try:
                feature, at = decoder.raw_decode(text, at)
            except (ValueError, RecursionError):
                where = f"à l’objet {rank} (ligne {text.count(chr(10), 0, at) + 1})"
                raise UnreadableFile(f"« {self._facts.name} » : le JSON est cassé {where}. Exportez-le de nouveau.") from None
            if not isinstance(feature, dict):
                raise damaged(self._facts.name)
            yield feature, at

    def chunks(self, selected: Sequence[int]) -> Iterator[Chunk]:
        """All features (see ``Source``); ``objects`` are their geometries."""
        names = [self.header[i] for i in selected]
        rank = at = 0
        objects: list[object] = []
        batch: list[list[str]] = [[] for _ in names]
        for rank, (feature, at) in enumerate(self._features(), 1):
            properties = _properties(feature)
            geometry = feature.get("geometry")
            for column, name in zip(batch, names, strict=True):
                column.append(_text(geometry if name == "geometry" and name not in properties else properties.get(name)))
            objects.append(geometry)
            if len(objects) >= CHUNK_LINES:
                yield self._chunk(rank, batch, objects, at)
                batch, objects = [[] for _ in names], []
        yield self._chunk(rank, batch, objects, at)

    def _chunk(self, rank: int, batch: list[list[str]], objects: list[object], at: int) -> Chunk:
        lines = np.arange(rank - len(objects) + 1, rank + 1, dtype=np.int64)
        return Chunk(lines, batch, [], at / max(1, len(self._text)), objects)


class GeometryColumn:
    """The geometries of a GeoJSON file, as dicts. ``objects`` is set by the reader before each chunk."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.objects: list[object] | None = None

    def convert(self, cells: Sequence[str]) -> Converted:
        """See ``Converter``; in other formats the cell is the GeoJSON text of the geometry."""
        found = self.objects if self.objects is not None else [_decoded(cell) for cell in cells]
        values = np.empty(len(cells), dtype=object)
        good = np.zeros(len(cells), dtype=bool)
        for index, value in enumerate(found):
            values[index] = value
            good[index] = isinstance(value, dict) and value.get("type") in _GEOMETRIES
        blank = np.array([not cell.strip() for cell in cells], dtype=bool)
        absent = ~good & blank if self.spec.nullable else np.zeros(len(cells), dtype=bool)
        wrong = np.flatnonzero(~good & ~absent)
        fault = Fault(self.spec.name, self.spec.expected()) if not blank[wrong].all() else absent_fault(self.spec)
        return Converted(values, absent, [(fault, wrong)] if len(wrong) else [])

    def finish(self, values: Array, absent: Array) -> pd.Series[Any]:
        """A column of dicts; None where there is none."""
        values[absent] = None
        return pd.Series(values, dtype="object")


def _decoded(cell: str) -> object:
    if cell.count("[") + cell.count("{") > 200_000:
        return None
    try:
        return json.loads(cell, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None


def _properties(feature: dict[str, Any]) -> dict[str, Any]:
    properties = feature.get("properties")
    return properties if isinstance(properties, dict) else {}


def _text(value: Any) -> str:
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)[:2000]
    return text_of(value)


def _no_constant(name: str) -> float:
    raise ValueError(name)


def _check_depth(text: str, name: str) -> None:
    """Refuse JSON nested over 64 deep outside strings, before any parser recurses."""
    depth = 0
    for found in re.finditer(r'"(?:[^"\\]|\\.)*+"|[\[{]+|[\]}]+', text):
        token = found[0]
        if token[0] in "[{":
            depth += len(token)
            if depth > MAX_DEPTH:
                raise UnreadableFile(f"« {name} » imbrique plus de {MAX_DEPTH} niveaux : ce n’est pas un GeoJSON de terrain.")
        elif token[0] in "]}":
            depth -= len(token)
