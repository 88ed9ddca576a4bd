"""``read_table``: any file a territory sends, to valid typed lines and a report that names every wrong one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from pydantic import ValidationError

from bocage.contract.rows import Row
from bocage.contract.tables.cells import RawCells, take
from bocage.contract.tables.convert import Array, Converter, Lookup, Number
from bocage.contract.tables.csvfile import SEPARATORS, CsvSource
from bocage.contract.tables.datecolumn import AWARE, DateColumn
from bocage.contract.tables.facts import Facts, examine
from bocage.contract.tables.fields import Spec, specs_of
from bocage.contract.tables.geojsonfile import GeoJsonSource, GeometryColumn
from bocage.contract.tables.header import ignored
from bocage.contract.tables.parquetfile import ParquetSource
from bocage.contract.tables.report import ErrorStore, Fault, IntArray, NoLineKept, Table, TableReport, thousands
from bocage.contract.tables.sources import Chunk, Source
from bocage.contract.tables.workbook import WorkbookSource
from bocage.contract.tables.zones import Zone, resolve

Progress = Callable[[float, str], None]


def read_table(
    path: Path,
    row: type[Row],
    *,
    timezone: str = "Europe/Paris",
    max_mb: int = 200,
    name: str | None = None,
    progress: Progress | None = None,
) -> Table:
    """The valid lines of the file at ``path`` as the columns of ``row``, and a report naming each wrong cell.

    ``timezone`` (IANA) is where naive times are read and where all times end; ``max_mb`` is the largest file, in millions of bytes;
    ``name`` is how sentences call the file; ``progress(fraction, sentence)`` is called per chunk.
    Raises ``UnreadableFile``, ``MissingColumns``, ``NoLineKept`` (a ``NoValidLine`` that carries the report); ``TypeError`` and
    ``ZoneInfoNotFoundError`` on a wrong Row or zone, which are the developer's.
    """
    ZoneInfo(timezone)
    specs = specs_of(row)
    facts = examine(path, name or path.name, max_mb)
    source = open_source(facts, specs, max_mb)
    return _Reader(facts, source, specs, row, Zone(timezone), progress or (lambda fraction, said: None)).read()


def open_source(facts: Facts, specs: tuple[Spec, ...], max_mb: int) -> Source:
    """The reader of the kind of file found."""
    if facts.kind == "text":
        return CsvSource(facts, specs)
    if facts.kind == "parquet":
        return ParquetSource(facts, specs, max_mb)
    if facts.kind == "geojson":
        return GeoJsonSource(facts, specs)
    return WorkbookSource(facts, specs, max_mb)


class _Reader:
    """One reading: converters per column, kept values by chunk, errors in a compact store."""

    def __init__(self, facts: Facts, source: Source, specs: tuple[Spec, ...], row: type[Row], zone: Zone, progress: Progress) -> None:
        self.facts, self.source, self.specs, self.row, self.zone, self.progress = facts, source, specs, row, zone, progress
        self.errors = ErrorStore()
        self.present = [spec for spec in specs if spec.name in source.match.columns]
        self.converters = {spec.name: self._converter(spec) for spec in self.present}
        self.values: dict[str, list[Array]] = {spec.name: [] for spec in self.present}
        self.absent: dict[str, list[Array]] = {spec.name: [] for spec in self.present}
        self.lines: list[IntArray] = []
        self.total = 0

    def _converter(self, spec: Spec) -> Converter:
        if spec.kind in ("date", "datetime"):
            return DateColumn(spec, self.zone, typed=self.source.typed)
        if spec.kind in ("int", "float"):
            return Number(spec, typed=self.source.typed, separator=self.source.separator)
        if spec.kind == "geometry":
            return GeometryColumn(spec)
        return Lookup(spec)

    def read(self) -> Table:
        """Read all chunks, then settle what needs the whole file: clock changes and the Row's own validators."""
        for chunk in self.source.chunks([self.source.match.columns[spec.name] for spec in self.present]):
            self._take(chunk)
            self.progress(min(chunk.fraction, 0.99), f"Lecture : {thousands(self.total)} lignes")
        lines = np.concatenate(self.lines) if self.lines else np.empty(0, np.int64)
        frame, lines, notes = self._frame(lines)
        frame, lines = self._validators(frame, lines)
        self.errors.sort([spec.name for spec in self.specs])
        table = Table(frame, self._report(len(frame), notes), lines)
        self.progress(1.0, table.report.summary())
        if not len(frame):
            raise NoLineKept(self._nothing_kept(), table)
        return table

    def _take(self, chunk: Chunk) -> None:
        lines = chunk.lines
        self.total += len(lines) + len(chunk.broken)
        self._broken(chunk)
        if not len(lines):
            return
        good = np.ones(len(lines), dtype=bool)
        made = []
        for spec, cells in zip(self.present, chunk.columns, strict=True):
            converter = self.converters[spec.name]
            if isinstance(converter, GeometryColumn):
                converter.objects = chunk.objects
            done = converter.convert(cells)
            for fault, where in done.faults:
                good[where] = False
                self._record(fault, lines, cells, where)
            made.append((spec.name, converter, cells, done))
        whole = bool(good.all())
        for column, converter, cells, done in made:
            if isinstance(converter, DateColumn):
                converter.note_gaps(done.values, done.absent | ~good, cells, lines)
            self.values[column].append(done.values if whole else done.values[good])
            self.absent[column].append(done.absent if whole else done.absent[good])
        self.lines.append(lines if whole else lines[good])

    def _record(self, fault: Fault, lines: IntArray, cells: Sequence[str], where: IntArray) -> None:
        packed = cells.packed(where) if isinstance(cells, RawCells) else None
        if packed is not None:
            self.errors.add_packed(fault, lines[where], *packed)
        else:
            self.errors.add(fault, lines[where], take(cells, where))

    def _broken(self, chunk: Chunk) -> None:
        width = len(self.source.header)
        mark = SEPARATORS.get(self.source.separator or "", "un séparateur")
        for found in sorted({item[2] for item in chunk.broken}):
            advice = f"Cette ligne en a {found}."
            if self.source.separator == ",":
                advice += " Une virgule décimale coupe peut-être un nombre."
            fault = Fault("", f"{width} champs séparés par {mark}", advice)
            lines, texts, _ = zip(*(item for item in chunk.broken if item[2] == found), strict=True)
            self.errors.add(fault, lines, texts)

    def _frame(self, lines: IntArray) -> tuple[pd.DataFrame, IntArray, list[str]]:
        """The typed columns, once the times are in UTC and the times that do not exist are out."""
        joined: dict[str, Array] = {}
        gone: dict[str, Array] = {}
        for spec in self.present:
            values, absent = self.values.pop(spec.name), self.absent.pop(spec.name)
            numeric = spec.kind in ("int", "float", "date", "datetime")
            joined[spec.name] = np.concatenate(values) if values else np.empty(0, np.int64 if numeric else object)
            gone[spec.name] = np.concatenate(absent) if absent else np.empty(0, bool)
        keep = np.ones(len(lines), dtype=bool)
        notes = self._clock_changes(joined, gone, lines, keep)
        if not keep.all():
            lines = lines[keep]
        columns: dict[str, Any] = {}
        for spec in self.specs:
            if spec.name not in joined:
                columns[spec.name] = _filled(spec, len(lines), self.zone)
                continue
            column, lacking = joined.pop(spec.name), gone.pop(spec.name)
            if not keep.all():
                column, lacking = column[keep], lacking[keep]
            columns[spec.name] = self.converters[spec.name].finish(column, lacking)
        return pd.DataFrame(columns, copy=False), lines, notes

    def _clock_changes(self, joined: dict[str, Array], gone: dict[str, Array], lines: IntArray, keep: Array) -> list[str]:
        """Turn wall times of ``joined`` into UTC in place; clear ``keep`` where they do not exist. Gives French notes."""
        notes: list[str] = []
        others = [spec for spec in self.present if spec.kind in ("str", "literal", "int", "bool")]
        for spec in self.present:
            converter = self.converters[spec.name]
            if spec.kind != "datetime" or not isinstance(converter, DateColumn):
                continue
            values = joined[spec.name]
            naive = values < AWARE >> 1
            values[~naive] -= AWARE
            naive &= ~gone[spec.name]
            keys = {other.name: pd.Series(joined[other.name]) for other in others} if len(self.zone.in_fold(values, naive)) else {}
            done = resolve(self.zone, spec.name, values, naive, keys)
            joined[spec.name] = done.utc
            notes.extend(done.notes)
            if len(done.refused):
                keep[done.refused] = False
                fault = Fault(spec.name, "une heure qui existe", _GAP_ADVICE)
                where = lines[done.refused]
                self.errors.add(fault, where, [converter.gaps.get(line, "") for line in where.tolist()])
        return notes

    def _validators(self, frame: pd.DataFrame, lines: IntArray) -> tuple[pd.DataFrame, IntArray]:
        """Apply the validators that the Row defines itself, line by line, only if it has some."""
        rules = self.row.__pydantic_decorators__
        if not (rules.field_validators or rules.model_validators or rules.validators or rules.root_validators) or not len(frame):
            return frame, lines
        keep = np.ones(len(frame), dtype=bool)
        for index, record in enumerate(frame.to_dict("records")):
            try:
                self.row.model_validate({str(key): _python(value) for key, value in record.items()})
            except ValidationError as error:
                keep[index] = False
                for fault in error.errors():
                    column = str(fault["loc"][0]) if fault["loc"] else ""
                    read = str(record.get(column, "")) if column else ""
                    self.errors.add(Fault(column, fault["msg"].removeprefix("Value error, ").rstrip(".")), [int(lines[index])], [read])
        return (frame, lines) if keep.all() else (frame[keep].reset_index(drop=True), lines[keep])

    def _report(self, kept: int, notes: list[str]) -> TableReport:
        source = self.source
        marks = {c.decimal for c in self.converters.values() if isinstance(c, Number) and c.decimal} if not source.typed else set()
        decimal = next(iter(marks)) if len(marks) == 1 else None
        said = list(self.facts.notes)
        if source.separator:
            words = {",": " et virgule décimale trouvés", ".": " et point décimal trouvés", None: " trouvé"}[decimal]
            gender = "Séparateur " + SEPARATORS[source.separator]
            said.append(f"{gender}{words}.")
        if len(marks) > 1:
            said.append("La marque décimale change d’une colonne à l’autre : chaque colonne est lue avec la sienne.")
        said += [*source.notes, *source.match.notes, *ignored(source.header, source.match)]
        for converter in self.converters.values():
            said += sorted(set(converter.notes)) if isinstance(converter, DateColumn | Lookup) else []
        return TableReport(
            file=self.facts.name,
            sha256=self.facts.sha256,
            format=source.format,
            encoding=source.encoding,
            separator=source.separator,
            decimal=decimal,
            sheet=source.sheet,
            lines=self.total,
            kept=kept,
            errors=self.errors,
            notes=tuple(said + notes),
        )

    def _nothing_kept(self) -> str:
        if not self.total:
            return f"« {self.facts.name} » a des titres de colonnes mais aucune ligne de données."
        first = self.errors[0].sentence()
        many = f"Aucune des {thousands(self.total)} lignes" if self.total > 1 else "La seule ligne"
        ends = "ne peut être gardée" if self.total > 1 else "ne peut pas être gardée"
        return f"{many} de « {self.facts.name} » {ends}. Première erreur : {first}"


_GAP_ADVICE = (
    "Cette heure n’existe pas : les horloges avancent d’une heure cette nuit-là. "
    "Si vos heures sont en UTC ou en heure d’hiver toute l’année, écrivez le décalage, par exemple +01:00."
)


def _python(value: Any) -> Any:
    if isinstance(value, (dict, list)):
        return value
    if pd.isna(value):
        return None
    return value.to_pydatetime() if isinstance(value, pd.Timestamp) else value


def _filled(spec: Spec, length: int, zone: Zone) -> pd.Series[Any]:
    """The column of an optional field that the file does not have: its default on every line."""
    dtypes = {"str": "str", "literal": "str", "float": "float64", "geometry": "object", "date": "datetime64[s]"}
    dtypes |= {"datetime": f"datetime64[us, {zone.name}]"}
    lacking = spec.default is None
    dtypes |= {"int": "Int64" if lacking else "int64", "bool": "boolean" if lacking else "bool"}
    return pd.Series([spec.default] * length, dtype=dtypes[spec.kind])
