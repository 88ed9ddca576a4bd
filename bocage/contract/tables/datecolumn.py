"""Columns of dates and of times: one order of day and month per column, decided once; the zone is applied at the end."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from bocage.contract.tables.cells import RawCells, absent_at, take
from bocage.contract.tables.convert import Array, Converted, absent_fault
from bocage.contract.tables.dates import DAY, Parsed, calendar, date_hint, parse
from bocage.contract.tables.fields import Spec
from bocage.contract.tables.report import Fault, IntArray
from bocage.contract.tables.zones import Zone

AWARE = np.int64(1) << 62
"""Added to a UTC value: the cell wrote its own offset. Wall times stay below."""


class DateColumn:
    """``date`` and ``datetime`` cells to microseconds since 1970: wall time, or UTC + ``AWARE`` when the cell has an offset."""

    def __init__(self, spec: Spec, zone: Zone, *, typed: bool) -> None:
        self.spec = spec
        self.notes: list[str] = []
        self.gaps: dict[int, str] = {}
        self.label = ""
        self._zone = zone
        self._typed = typed
        self._family = 0
        self._day_first = True
        self._midnights = False

    def convert(self, cells: Sequence[str]) -> Converted:
        """See ``Converter``."""
        parsed = parse(cells)
        unknown = np.flatnonzero(parsed.family == 0)
        if len(unknown):
            retry = unknown[_padded(cells, unknown)]
            if len(retry):
                parsed.put(retry, parse([text.strip() for text in take(cells, retry)]))
        if not self._family:
            self._learn(parsed)
        values, good = self._values(parsed)
        absent = np.zeros(len(cells), dtype=bool)
        result = Converted(values, absent)
        if not good.all():
            self._faults(cells, np.flatnonzero(~good), result)
        return result

    def _learn(self, parsed: Parsed) -> None:
        """Decide once: year first or last by majority, then day before month unless nearly all cells say otherwise."""
        first, last = int((abs(parsed.family) == 1).sum()), int((abs(parsed.family) == 2).sum())
        if not first and not last:
            return
        self._family = 1 if first >= last else 2
        rows = parsed.family == self._family
        if self._family == 2:
            french = int(calendar(parsed.y[rows], parsed.q[rows], parsed.p[rows])[1].sum())
            american = int(calendar(parsed.y[rows], parsed.p[rows], parsed.q[rows])[1].sum())
            self._day_first = french >= 0.9 * american
            if not self._day_first:
                self.notes.append(f"Colonne {self.spec.name} : le mois est écrit avant le jour (MM/JJ/AAAA).")
        wanted = "AAAA" if self._family == 1 else "J"
        ranked = sorted(parsed.labels.items(), key=lambda item: -item[1])
        own = [pair for pair, _ in ranked if pair[0].startswith(wanted)]
        if own:
            self.label = own[0][0 if self._family == 1 or self._day_first else 1]

    def _values(self, parsed: Parsed) -> tuple[IntArray, npt.NDArray[np.bool_]]:
        """(µs, whether the cell is right)."""
        swap = self._family == 2 and self._day_first
        month, day = (parsed.q, parsed.p) if swap else (parsed.p, parsed.q)
        family = parsed.family
        good = family == (self._family or 3)
        if self._typed:
            serial = family == 3
            if serial.any():
                month, day = np.where(serial, parsed.p, month), np.where(serial, parsed.q, day)
                good |= serial
        days, real = calendar(parsed.y, month, day)
        good &= real
        if self.spec.kind == "datetime":
            good &= (parsed.y > 1) & (parsed.y < 9999)
            late = good & (parsed.clock == DAY)
            if late.any() and not self._midnights:
                self._midnights = True
                self.notes.append(f"Colonne {self.spec.name} : 24:00 est lu comme minuit, le lendemain.")
            values = days * DAY + parsed.clock
            if parsed.aware.any():
                values = np.where(parsed.aware, values - parsed.offset + AWARE, values)
        else:
            good &= parsed.clock == 0
            values = days * DAY
        return values, good

    def _faults(self, cells: Sequence[str], wrong: IntArray, result: Converted) -> None:
        blank = absent_at(cells, wrong)
        if blank.any() and self.spec.nullable:
            result.absent[wrong[blank]] = True
        elif blank.any():
            result.faults.append((absent_fault(self.spec), wrong[blank]))
        if not blank.all():
            label = self.label or self.spec.expected()
            family = "dmy" if self._family == 2 else "ymd"
            hint = partial(_hint, family=family, label=label, day_first=self._day_first, kind=self.spec.kind)
            result.faults.append((Fault(self.spec.name, self.expected(), hint=hint), wrong[~blank]))

    def expected(self) -> str:
        """The layout of the column, in French letters."""
        return self.label or self.spec.expected()

    def note_gaps(self, values: Array, absent: Array, cells: Sequence[str], lines: IntArray) -> None:
        """Remember the text of the wall times that a spring clock change skips: an error, unless the series has no such change."""
        if self.spec.kind != "datetime":
            return
        for index in self._zone.in_gap(values, ~absent & (values < AWARE >> 1)).tolist():
            self.gaps[int(lines[index])] = cells[index]

    def finish(self, values: Array, absent: Array) -> pd.Series[Any]:
        """``datetime64[s]`` without zone for dates. For times ``values`` is UTC already; the column is in the zone of the territory."""
        moments = values.astype("datetime64[us]")
        moments[absent] = np.datetime64("NaT")
        if self.spec.kind == "date":
            column = pd.Series(moments.astype("datetime64[s]"))
        else:
            column = pd.Series(pd.DatetimeIndex(moments).tz_localize("UTC").tz_convert(self._zone.name))
        default = self.spec.default
        if default is not None and absent.any():
            column[absent] = pd.Timestamp(default)
        return column


def _padded(cells: Sequence[str], where: IntArray) -> npt.NDArray[np.bool_]:
    """Whether each cell at ``where`` may be a date once its spaces are off."""
    if isinstance(cells, RawCells):
        return cells.padded(where)
    return np.array([not text.isascii() or text != text.strip() for text in take(cells, where)], dtype=bool)


def _hint(read: str, family: str, label: str, day_first: bool, kind: str) -> str:
    if kind == "date" and re.search(r"\d[ T]+\d", read.strip()):
        return "Gardez la date sans l’heure."
    if re.search(r"\d[ T]+(2[4-9]|[3-9]\d)[:hH]|[:hH][6-9]\d", read):
        return "Cette heure n’existe pas."
    return date_hint(read, family, label, day_first)
