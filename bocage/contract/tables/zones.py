"""Wall times to UTC. The hour that autumn repeats is resolved by the order of lines; the hour that spring skips is refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from bocage.contract.tables.report import IntArray

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
Array = npt.NDArray[Any]


@lru_cache(maxsize=1024)
def _transitions(name: str, year: int) -> tuple[tuple[int, int, int], ...]:
    """Changes of offset in a UTC year: (UTC µs, offset before, offset after), offsets in µs."""
    zone = ZoneInfo(name)
    start, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    found: list[tuple[int, int, int]] = []
    moment = start
    while moment < end:
        later = min(moment + timedelta(days=8), end)
        before, after = _offset(zone, moment), _offset(zone, later)
        if before != after:
            low, high = int(moment.timestamp()), int(later.timestamp())
            while high - low > 1:
                middle = (low + high) // 2
                if _offset(zone, datetime.fromtimestamp(middle, UTC)) == before:
                    low = middle
                else:
                    high = middle
            found.append((high * SECOND, before, after))
        moment = later
    return tuple(found)


def _offset(zone: ZoneInfo, moment: datetime) -> int:
    offset = moment.astimezone(zone).utcoffset() or timedelta(0)
    return int(offset.total_seconds()) * SECOND


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone by its IANA name, as arrays."""

    name: str

    def table(self, low: int, high: int) -> IntArray:
        """(n, 3): the changes between the UTC years of two µs values, with one more at the start for the offset in force."""
        first, last = (1970 + int(value // (365.2425 * DAY)) for value in (low, high))
        first, last = max(1850, first - 1), min(2150, last + 1)
        rows = [row for year in range(first, last + 1) for row in _transitions(self.name, year)]
        base = _offset(ZoneInfo(self.name), datetime(min(max(first, 2), 9998), 1, 1, tzinfo=UTC)) if first <= last else 0
        return np.array([(np.iinfo(np.int64).min // 2, base, base), *rows], dtype=np.int64)

    def in_gap(self, wall: IntArray, concerned: npt.NDArray[np.bool_]) -> IntArray:
        """Positions of the wall times (µs) that no clock showed."""
        table, inside = self._inside(wall, concerned, gap=True)
        return inside if len(table) else np.empty(0, np.int64)

    def in_fold(self, wall: IntArray, concerned: npt.NDArray[np.bool_]) -> IntArray:
        """Positions of the wall times that clocks showed twice."""
        return self._inside(wall, concerned, gap=False)[1]

    def _inside(self, wall: IntArray, concerned: npt.NDArray[np.bool_], *, gap: bool) -> tuple[IntArray, IntArray]:
        if not concerned.any():
            return np.empty((0, 3), np.int64), np.empty(0, np.int64)
        subset = wall if concerned.all() else wall[concerned]
        table = self.table(int(subset.min()), int(subset.max()))[1:]
        table = table[table[:, 2] > table[:, 1]] if gap else table[table[:, 2] < table[:, 1]]
        if not len(table):
            return table, np.empty(0, np.int64)
        first, second = table[:, 0] + table[:, 1], table[:, 0] + table[:, 2]
        starts, ends = (first, second) if gap else (second, first)
        rank = np.searchsorted(starts, wall, side="right") - 1
        inside = (rank >= 0) & (wall < ends[rank]) & concerned
        return table, np.flatnonzero(inside)

    def to_utc(self, wall: IntArray, second: npt.NDArray[np.bool_]) -> IntArray:
        """UTC µs of wall times that exist; ``second`` marks those of the second passage of a repeated hour."""
        if not len(wall):
            return wall
        table = self.table(int(wall.min()), int(wall.max()))
        sure = table[1:, 0] + np.maximum(table[1:, 1], table[1:, 2])
        rank = np.searchsorted(sure, wall, side="right")
        offset = table[rank, 2]
        if second.any():
            next_rank = np.minimum(rank[second] + 1, len(table) - 1)
            offset[second] = table[next_rank, 2]
        return np.asarray(wall - offset, dtype=np.int64)

    def winter(self, wall: IntArray) -> int:
        """The standard offset (µs) in the years of ``wall``: the smaller of the two."""
        table = self.table(int(wall.min()), int(wall.max()))
        return int(table[1:, 1:].min()) if len(table) > 1 else int(table[0, 2])


@dataclass(slots=True)
class Resolved:
    """``utc`` µs; ``refused`` positions of wall times that do not exist; French ``notes``."""

    utc: IntArray
    refused: IntArray
    notes: list[str]


def resolve(zone: Zone, name: str, wall: IntArray, naive: npt.NDArray[np.bool_], others: dict[str, pd.Series[Any]]) -> Resolved:
    """UTC of a column of times in file order. ``others`` are the columns that may tell series apart (names, codes)."""
    utc = wall.copy()
    gaps, folds = zone.in_gap(wall, naive), zone.in_fold(wall, naive)
    notes: list[str] = []
    if not naive.any():
        return Resolved(utc, gaps, notes)
    near = _near(wall, naive, folds, gaps)
    around = wall[near]
    fold, gap = np.searchsorted(near, folds), np.searchsorted(near, gaps)
    groups = _series(around, fold, {key: column.iloc[near] for key, column in others.items()}) if len(folds) else np.zeros(0, np.int64)
    if len(gaps) and len(folds) and _fixed(around, gap, fold, groups):
        offset = zone.winter(wall[naive])
        utc[naive] = wall[naive] - offset
        sign = "+" if offset >= 0 else "−"
        notes.append(
            f"Colonne {name} : chaque heure des deux jours de changement d’heure est présente une fois, "
            f"les heures sont donc lues en heure d’hiver toute l’année (UTC{sign}{abs(offset) / HOUR:g})."
        )
        return Resolved(utc, np.empty(0, np.int64), notes)
    second = np.zeros(len(wall), dtype=bool)
    if len(folds):
        marks, alone = _second_passage(around, fold, groups)
        second[folds] = marks
        notes.append(f"Colonne {name} : l’heure répétée au passage à l’heure d’hiver a été départagée par l’ordre des lignes.")
        if alone:
            notes.append(f"Colonne {name} : {alone} heure(s) répétée(s) présente(s) une seule fois, lue(s) en heure d’été faute d’indice.")
    utc[naive] = zone.to_utc(wall[naive], second[naive])
    return Resolved(utc, gaps, notes)


def _near(wall: IntArray, naive: Array, folds: IntArray, gaps: IntArray) -> IntArray:
    """Positions of the wall times within a day of a repeated or skipped hour: all that is needed to settle these hours."""
    if not len(folds) and not len(gaps):
        return np.empty(0, np.int64)
    spots = np.unique(np.concatenate([wall[folds], wall[gaps]]) // DAY)
    days = np.unique(np.concatenate([spots - 1, spots, spots + 1]))
    return np.flatnonzero(np.isin(wall // DAY, days) & naive)


def _series(wall: IntArray, folds: IntArray, others: dict[str, pd.Series[Any]]) -> IntArray:
    """A series number per line: the fewest columns of ``others`` that make (time, series) unique around the changes."""
    plain = np.ones(len(wall), dtype=bool)
    plain[folds] = False
    times = pd.Series(wall[plain])
    none = np.zeros(len(wall), np.int64)
    if not times.duplicated().any() and len(times):
        return none
    codes = {name: pd.factorize(column)[0].astype(np.int64) for name, column in others.items()}
    best, fewest = none, 1.0
    trials = [[name] for name in codes] + [list(codes)[:count] for count in range(2, len(codes) + 1)]
    for names in trials:
        number = none
        for name in names:
            number = number * (int(codes[name].max(initial=0)) + 2) + codes[name]
            number = pd.factorize(number)[0].astype(np.int64)
        share = float(pd.DataFrame({"t": times, "g": number[plain]}).duplicated().mean()) if len(times) else 0.0
        if share < fewest - 1e-9:
            best, fewest = number, share
        if share == 0:
            break
    return best


def _fixed(wall: IntArray, gaps: IntArray, folds: IntArray, groups: IntArray) -> bool:
    """Whether the series ignores clock changes: 24 different hours on every spring and autumn day, none of them twice."""
    frame = pd.DataFrame({"g": groups[folds], "t": wall[folds]})
    if frame.duplicated().any():
        return False
    for spots in (gaps, folds):
        rows = np.flatnonzero(np.isin(wall // DAY, np.unique(wall[spots] // DAY)))
        hours = pd.DataFrame({"g": groups[rows], "d": wall[rows] // DAY, "h": wall[rows] // HOUR}).drop_duplicates()
        counts = hours.groupby(["g", "d"]).size()
        if (counts == 24).mean() < 0.5:
            return False
    return True


def _second_passage(wall: IntArray, folds: IntArray, groups: IntArray) -> tuple[npt.NDArray[np.bool_], int]:
    """For each position of ``folds``: whether it is the second passage; and how many times stood alone without any hint."""
    backwards = _backwards(wall, groups)
    frame = pd.DataFrame({"g": groups[folds], "d": wall[folds] // DAY, "t": wall[folds], "at": np.arange(len(folds))})
    frame["down"] = backwards[groups[folds]]
    ordered = pd.concat([frame[~frame["down"]], frame[frame["down"]].iloc[::-1]])
    blocks = ordered.groupby(["g", "d"], sort=False)
    seen = ordered.groupby(["g", "t"], sort=False).cumcount()
    size = ordered.groupby(["g", "t"], sort=False)["at"].transform("size")
    runs = (blocks["t"].diff() < 0).groupby([ordered["g"], ordered["d"]], sort=False).cumsum()
    resets = runs.groupby([ordered["g"], ordered["d"]], sort=False).transform("max")
    marks = np.where(size > 1, seen > 0, runs > 0)
    alone = int(((size == 1) & (resets == 0)).sum())
    result = np.zeros(len(folds), dtype=bool)
    result[ordered["at"].to_numpy()] = marks
    return result, alone


def _backwards(wall: IntArray, groups: IntArray) -> npt.NDArray[np.bool_]:
    """Per series: whether the file goes from the latest time to the earliest (more steps down than up)."""
    order = np.argsort(groups, kind="stable")
    sorted_groups, sorted_wall = groups[order], wall[order]
    step = np.sign(np.diff(sorted_wall))
    step[sorted_groups[1:] != sorted_groups[:-1]] = 0
    total = np.bincount(sorted_groups[1:], weights=step, minlength=int(groups.max(initial=0)) + 1)
    return np.asarray(total < 0)
