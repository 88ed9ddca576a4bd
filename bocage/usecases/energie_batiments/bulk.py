"""Thousands of meters from one Parquet file, a few at a time: the file never stands whole in memory.

Columns of ``ReleveRow`` (``point_de_mesure``, ``horodatage``, ``valeur``, and ``unite``), sorted by meter. Row groups that share a meter go
together; a file that is not sorted would put all of them together, and is refused with a sentence.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from bocage.contract.errors import MissingColumns, UnreadableFile
from bocage.usecases.energie_batiments import readers

MAX_ROWS = 6_000_000
"""Rows of one batch: about 250 MB while it is worked on."""

GOOD_ROWS = 1_000_000
"""Small row groups are put together up to this many rows."""

_NEEDED = ("point_de_mesure", "horodatage", "valeur", "unite")


def batches(path: Path) -> list[tuple[int, int]]:
    """Ranges of row groups (first, last + 1), each whole meters. Raises ``UnreadableFile`` or ``MissingColumns``."""
    opened = _open(path)
    missing = [name for name in _NEEDED if name not in opened.columns]
    if missing:
        raise MissingColumns(f"Le fichier « {path.name} » n’a pas la colonne « {missing[0]} ». Attendu : {', '.join(_NEEDED)}.")
    result: list[tuple[int, int]] = []
    rows = 0
    last_point: str | None = None
    seen: set[str] = set()
    for i, group in enumerate(opened.row_groups):
        points = opened[i].to_pandas(columns=["point_de_mesure"])["point_de_mesure"].astype("category")
        first, names = str(points.iloc[0]), {str(x) for x in points.cat.categories[np.unique(points.cat.codes)]}
        shared = first == last_point
        if (seen & names) - ({first} if shared else set()):
            raise UnreadableFile(f"Le fichier « {path.name} » n’est pas trié par « point_de_mesure ». Triez-le, puis déposez-le à nouveau.")
        if result and (shared or rows + group.num_rows <= GOOD_ROWS):
            result[-1] = (result[-1][0], i + 1)
            rows += group.num_rows
        else:
            result.append((i, i + 1))
            rows = group.num_rows
        if rows > MAX_ROWS:
            raise UnreadableFile(
                f"Le fichier « {path.name} » a des paquets de plus de {MAX_ROWS // 1_000_000} millions de lignes : "
                "triez-le par compteur, et écrivez-le par paquets d’un million de lignes (row groups)."
            )
        last_point = str(points.iloc[-1])
        seen |= names
    return result


def read(path: Path, first: int, stop: int, gas: dict[str, float]) -> pd.DataFrame:
    """The long table (``readers.COLUMNS``) of a range of row groups."""
    frame = _open(path)[first:stop].to_pandas(columns=list(_NEEDED))
    if frame["horodatage"].dt.tz is None:
        frame["horodatage"] = frame["horodatage"].dt.tz_localize("UTC")
    units = frame["unite"].astype("category")
    points = frame["point_de_mesure"].astype("category")
    code = points.cat.codes.to_numpy().astype(np.int64)
    start = frame["horodatage"].dt.tz_convert("UTC").dt.tz_localize(None).astype("datetime64[us]").astype("int64").to_numpy()
    order = np.arange(len(code)) if _ordered(code, start) else np.lexsort((start, code))
    hours = np.empty(len(code))
    hours[order] = step_lengths(code[order], start[order])
    values = frame["valeur"].to_numpy(dtype=float)
    kwh = np.full(len(frame), np.nan)
    names = [str(name) for name in points.cat.categories]
    for i, unit in enumerate(units.cat.categories):
        rows = units.cat.codes.to_numpy() == i
        if unit == "m³":
            factor = np.array([gas.get(name, np.nan) for name in names])
            if np.isnan(factor[np.unique(code[rows])]).any():
                readers.to_kwh(pd.Series(dtype=float), "m³", 1.0)
            kwh[rows] = values[rows] * factor[code[rows]]
        else:
            kwh[rows] = readers.to_kwh(pd.Series(values[rows]), str(unit), pd.Series(hours[rows])).to_numpy()
    return pd.DataFrame({"point": points, "debut": frame["horodatage"], "heures": hours, "kwh": kwh})


def step_lengths(code: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Hours of the step that each reading begins, in sorted order: the meter's median gap; the real one for days, of 23 or 25 hours."""
    gap = np.diff(start) / 3.6e9
    same = np.diff(code) == 0
    inside = same & (gap > 0)
    meters = int(code.max()) + 1 if len(code) else 0
    order = np.lexsort((gap[inside], code[:-1][inside]))
    count = np.bincount(code[:-1][inside], minlength=meters)
    middle = np.cumsum(count) - count + count // 2
    usual = np.full(meters, 24.0)
    some = count > 0
    usual[some] = gap[inside][order][middle[some]]
    result = usual[code] if len(code) else np.empty(0)
    near = np.zeros(len(code), dtype=bool)
    near[:-1] = inside & (usual[code[:-1]] >= 20) & (np.abs(gap - usual[code[:-1]]) <= np.maximum(1.0, 0.15 * usual[code[:-1]]))
    result[near] = gap[near[:-1]]
    return result


def _ordered(code: np.ndarray, start: np.ndarray) -> bool:
    step = np.diff(code)
    return bool(((step > 0) | ((step == 0) & (np.diff(start) >= 0))).all())


def _open(path: Path):  # type: ignore[no-untyped-def]
    from fastparquet import ParquetFile

    try:
        return ParquetFile(str(path))
    except Exception as error:
        raise UnreadableFile(
            f"Le fichier « {path.name} » n’est pas un Parquet lisible ({type(error).__name__}). Déposez-le à nouveau."
        ) from None
