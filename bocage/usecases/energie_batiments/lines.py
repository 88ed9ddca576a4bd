"""Lines of ``releves``, from a table, a CSV or a Parquet file, to the long table: what was used, between which instants, in kWh."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from bocage.contract import french
from bocage.contract.errors import UnreadableFile
from bocage.usecases.energie_batiments import instants, units

COLUMNS = ["point", "debut", "heures", "kwh"]
"""``debut`` UTC; ``heures`` length of the step; ``kwh`` used during it (kWh PCS for gas)."""

NEEDED = ("point_de_mesure", "horodatage", "valeur", "unite")
OPTIONAL = ("nature", "fin")
_BLOCKS = 5
"""Times that a meter's file may go back: a few files put end to end. Beyond, the lines are in no order."""

_SPIKE = 5.0
"""Usual uses by which one reading of an index exceeds both its neighbours when it is wrong, not the meter changed."""

_JUMP, _SHORT_JUMP, _SHORT = 5.0, 20.0, 7 * 24.0
"""Times the highest other power of its meter beyond which a step of an index is no use but another meter's index; for steps under
``_SHORT`` hours, which one evening may fill, the second."""

_JUMPS = 3
"""Most changes of one meter that are looked for."""

_KNOWN = 330 * 24.0
"""Hours of its other steps without which nobody knows the most that a meter uses: a year, winter and summer."""

_THOUSANDS = r"(?<=\d)[ \u00a0\u202f](?=\d{3}(?:\D|$))"
"""The spaces that part thousands, one by one."""

_UNREADABLE = "mesures illisibles ont été écartées"
_LOST = "la consommation entre ces deux relevés n’est pas comptée"


@dataclass
class Falls:
    """Readings of an index that do not follow the one before: meters ``changed`` for a lower index, or for one that ``jumped`` above
    anything they use (point, instant in ``zone``); and how many readings were ``wrong``."""

    zone: str
    changed: list[tuple[str, pd.Timestamp]] = field(default_factory=list)
    jumped: list[tuple[str, pd.Timestamp]] = field(default_factory=list)
    wrong: int = 0

    def notes(self) -> list[str]:
        """French sentences on what was set aside."""
        result = []
        if self.changed:
            result.append(f"Un index recule {_where(self.changed)} : compteur changé ou remis à zéro ; {_LOST}.")
        if self.jumped:
            result.append(
                f"Un index bondit {_where(self.jumped)}, plusieurs fois au-dessus de la plus forte consommation de ce compteur : "
                f"il a sans doute été changé ; {_LOST}. Si elle est réelle, donnez-la en « consommation »."
            )
        if self.wrong:
            said = french.count(self.wrong, "relevé d’index isolé, plus haut ou plus bas que ses deux voisins, a été écarté")
            many = f"{self.wrong} relevés d’index isolés, plus hauts ou plus bas que leurs deux voisins, ont été écartés"
            result.append(f"{said if self.wrong == 1 else many}.")
        return result


def _where(falls: list[tuple[str, pd.Timestamp]]) -> str:
    """« 2 fois (compteur 3000…, le 1er mars 2024 d’abord) »."""
    point, instant = falls[0]
    times, day = french.count(len(falls), "fois", "fois"), french.day(instant.date(), weekday=False, year=True)
    return f"{times} (compteur {point}, le {day}{'' if len(falls) == 1 else ' d’abord'})"


def empty() -> pd.DataFrame:
    """A long table without lines."""
    return pd.DataFrame(columns=COLUMNS)


def long_table(frame: pd.DataFrame, zone: str, gas: dict[str, float]) -> tuple[pd.DataFrame, list[str]]:
    """The long table of lines of ``ReleveRow`` (``nature`` and ``fin`` may lack), and French notes. Times without an offset are those of
    ``zone``; ``gas``: kWh PCS per m³ by meter. Raises ``UnreadableFile`` on m³ without it, or a unit or a ``nature`` that is not known."""
    points = frame["point_de_mesure"].astype("category")
    names = [str(name) for name in points.cat.categories]
    code = points.cat.codes.to_numpy().astype(np.int64)
    start = instants.to_utc(frame["horodatage"], zone, code)
    values = _numbers(frame["valeur"])
    known = (start != instants.UNKNOWN) & np.isfinite(values) & (code >= 0)
    notes = [] if known.all() else [f"{french.count(int((~known).sum()), 'mesure illisible a été écartée', _UNREADABLE)}."]
    unit = frame["unite"].astype("category")
    kind, kinds = unit.cat.codes.to_numpy(), [str(name) for name in unit.cat.categories]
    if (kind[known] < 0).any():
        raise UnreadableFile("Des lignes n’ont pas d’unité : remplissez « unite » (W, kW, Wh, kWh, MWh ou m³).")
    index = known & _accumulates(frame)
    coefficient = np.array([gas.get(name, np.nan) for name in names])
    end = instants.to_utc(frame["fin"], zone) if "fin" in frame else None
    parts = [_uses(code, start, values, kind, kinds, coefficient, end, np.flatnonzero(known & ~index))]
    if index.any():
        falls, rows = Falls(zone), np.flatnonzero(index)
        total = _totals(code[rows], values[rows], kind[rows], kinds, names, coefficient)
        parts.append(index_uses(code[rows], start[rows], total, names, falls))
        notes += falls.notes()
    meter, begin, hours, kwh = (column[0] if len(parts) == 1 else np.concatenate(column) for column in zip(*parts, strict=True))
    point = pd.Categorical.from_codes(meter.astype(np.int32), pd.Index(names))
    return pd.DataFrame({"point": point, "debut": instants.as_series(begin), "heures": hours, "kwh": kwh}), notes


def _totals(
    code: np.ndarray, values: np.ndarray, kind: np.ndarray, kinds: list[str], names: list[str], coefficient: np.ndarray
) -> np.ndarray:
    """The readings of indexes in kWh."""
    total = np.empty(len(code))
    for i, name in enumerate(kinds):
        at = kind == i
        if at.any():
            total[at] = units.index_to_kwh(values[at], name, names[code[at][0]], coefficient[code[at]])
    return total


def _numbers(column: pd.Series) -> np.ndarray:
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column.to_numpy(dtype=float, na_value=np.nan)
    text = column.astype(str).str.replace(",", ".")
    value = pd.to_numeric(text, errors="coerce")
    spaced = value.isna()
    if spaced.any():
        value = value.fillna(pd.to_numeric(text[spaced].str.replace(_THOUSANDS, "", regex=True), errors="coerce"))
    return value.to_numpy(dtype=float)


def _accumulates(frame: pd.DataFrame) -> np.ndarray:
    if "nature" not in frame:
        return np.zeros(len(frame), dtype=bool)
    nature = frame["nature"].astype("category")
    names = [str(name).strip().lower() for name in nature.cat.categories]
    strange = sorted(set(names) - {"index", "consommation", "", "nan", "none"})
    if strange:
        raise UnreadableFile(f"Nature « {strange[0]} » inconnue : écrivez « consommation » ou « index » dans la colonne « nature ».")
    return np.isin(nature.cat.codes.to_numpy(), [i for i, name in enumerate(names) if name == "index"])


def _uses(
    code: np.ndarray,
    start: np.ndarray,
    values: np.ndarray,
    kind: np.ndarray,
    kinds: list[str],
    coefficient: np.ndarray,
    end: np.ndarray | None,
    rows: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Code, start, hours and kWh of the lines ``rows``, which are uses or powers over a step."""
    code, start, values, kind = code[rows], start[rows], values[rows], kind[rows]
    hours = np.empty(len(rows))
    series = _series(code, start, kind)
    order = slice(None) if _sorted(series, start) else np.lexsort((start, series))
    hours[order] = instants.step_lengths(series[order], start[order])
    if end is not None:
        told = end[rows] != instants.UNKNOWN
        hours[told] = (end[rows][told] - start[told]) / 3.6e9
    kwh = np.empty(len(rows))
    for i, name in enumerate(kinds):
        at = kind == i
        if at.all():
            kwh = np.asarray(units.to_kwh(values, name, hours, coefficient[code]))
        elif at.any():
            kwh[at] = units.to_kwh(values[at], name, hours[at], coefficient[code[at]])
    return code, start, hours, kwh


def _sorted(series: np.ndarray, start: np.ndarray) -> bool:
    step = np.diff(series)
    return bool(((step > 0) | ((step == 0) & (np.diff(start) >= 0))).all())


def _series(code: np.ndarray, start: np.ndarray, kind: np.ndarray) -> np.ndarray:
    """A number per series of readings, each with its own steps: a meter's, cut into blocks, and by unit where two tell the same instant."""
    part = _units_apart(code, start, kind)
    result: np.ndarray = (code * (int(kind.max(initial=0)) + 1) + part) * _BLOCKS + _blocks(code, start)
    return result


def _blocks(code: np.ndarray, start: np.ndarray) -> np.ndarray:
    """How many times the lines of each meter went back in time so far: several files put end to end. 0 for lines in no order."""
    block = np.zeros(len(code), dtype=np.int64)
    if not ((np.diff(code) == 0) & (np.diff(start) < 0)).any():
        return block
    order = np.argsort(code, kind="stable")
    back = _follows(code[order]) & np.concatenate([[False], np.diff(start[order]) < 0])
    block[order] = pd.Series(back.astype(np.int64)).groupby(code[order]).cumsum().to_numpy()
    most = np.zeros(int(code.max()) + 1, dtype=np.int64)
    np.maximum.at(most, code, block)
    return np.where(most[code] >= _BLOCKS, 0, block)


def _units_apart(code: np.ndarray, start: np.ndarray, kind: np.ndarray) -> np.ndarray:
    """The unit of the lines of the meters that give two at one instant; 0 for the others, whose unit may change in time."""
    if not len(kind) or (kind == kind[0]).all():
        return np.zeros(len(code), dtype=np.int64)
    order = np.lexsort((kind, start, code))
    twin = _follows(code[order])[1:] & (np.diff(start[order]) == 0) & (np.diff(kind[order]) != 0)
    twice = np.zeros(int(code.max()) + 1, dtype=bool)
    twice[code[order][1:][twin]] = True
    return np.where(twice[code], kind, 0)


def _follows(code: np.ndarray) -> np.ndarray:
    """Whether each row is of the same meter as the row before."""
    return np.concatenate([[False], np.diff(code) == 0])


def index_uses(
    code: np.ndarray, start: np.ndarray, total: np.ndarray, names: list[str], falls: Falls
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Code, start, hours and kWh between successive readings ``total`` (kWh) of indexes. An index that goes back, or jumps as no use of its
    meter does, counts for nothing and is told in ``falls``; a reading alone above or below both its neighbours is left out."""
    order = np.lexsort((total, start, code))
    code, start, total = code[order], start[order], total[order]
    first = ~(_follows(code) & np.concatenate([[False], np.diff(start) == 0]))
    code, start, total = code[first], start[first], total[first]
    wrong = _alone(code, total)
    falls.wrong += int(wrong.sum())
    code, start, total = code[~wrong], start[~wrong], total[~wrong]
    same = np.flatnonzero(_follows(code)[1:])
    used = total[same + 1] - total[same]
    hours, back = (start[same + 1] - start[same]) / 3.6e9, used < 0
    jump = _jumps(code[same], used, hours)
    for told, at in ((falls.changed, same[back]), (falls.jumped, same[jump])):
        told += [(names[code[i]], pd.Timestamp(int(start[i + 1]), unit="us", tz="UTC").tz_convert(falls.zone)) for i in at]
    kept = ~back & ~jump
    return code[same[kept]], start[same[kept]], hours[kept], used[kept]


def _jumps(code: np.ndarray, used: np.ndarray, hours: np.ndarray) -> np.ndarray:
    """Steps (bool) whose power is ``_JUMP`` times the highest that their meter ever showed besides, over ``_KNOWN`` hours at least: a new
    meter whose index is above the old one's. A use that lasts is no jump: its next step is as high."""
    result = np.zeros(len(code), dtype=bool)
    power = np.where(used < 0, 0.0, used) / np.maximum(hours, 1e-9)
    order = np.lexsort((-power, code))
    for rows in np.split(order, np.flatnonzero(np.diff(code[order])) + 1):
        for count in range(min(_JUMPS, len(rows) - 1), 0, -1):
            highest, others = power[rows[:count]], rows[count:]
            times = np.where(hours[rows[:count]] < _SHORT, _SHORT_JUMP, _JUMP)
            if power[others[0]] > 0 and (highest > times * power[others[0]]).all() and hours[others].sum() >= _KNOWN:
                result[rows[:count]] = True
                break
    return result


def _alone(code: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Readings below the one before, which the next one is not; or that far above both (``_SPIKE`` usual uses) that no use explains it."""
    result = np.zeros(len(code), dtype=bool)
    if len(code) < 3:
        return result
    inside = (code[:-2] == code[1:-1]) & (code[1:-1] == code[2:])
    before, now, after = total[:-2], total[1:-1], total[2:]
    back = inside & (after >= before)
    above = back & (now > after)
    if above.any():
        used = pd.Series(np.diff(total)).where((np.diff(code) == 0) & (np.diff(total) >= 0))
        usual = used.groupby(code[:-1]).transform("median").to_numpy()[:-1]
        above &= now - after > _SPIKE * usual
    result[1:-1] = above | (back & (now < before))
    return result
