"""Thousands of meters from one Parquet file, a few at a time: the file never stands whole in memory.

Columns of ``ReleveRow`` (``nature`` and ``fin`` may lack), sorted by meter. Row groups that share a meter go together; a file that is not
sorted would put all of them together, and is refused with a sentence.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from bocage.contract.errors import MissingColumns, UnreadableFile
from bocage.usecases.energie_batiments import lines

MAX_ROWS = 6_000_000
"""Rows of one batch: about 250 MB while it is worked on."""

GOOD_ROWS = 1_000_000
"""Small row groups are put together up to this many rows."""


def batches(path: Path) -> list[tuple[int, int, set[str]]]:
    """Ranges of row groups (first, last + 1), each whole meters, and these meters. Raises ``UnreadableFile`` or ``MissingColumns``."""
    opened = _open(path)
    missing = [name for name in lines.NEEDED if name not in opened.columns]
    if missing:
        raise MissingColumns(f"Le fichier « {path.name} » n’a pas la colonne « {missing[0]} ». Attendu : {', '.join(lines.NEEDED)}.")
    result: list[tuple[int, int, set[str]]] = []
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
            result[-1] = (result[-1][0], i + 1, result[-1][2] | names)
            rows += group.num_rows
        else:
            result.append((i, i + 1, names))
            rows = group.num_rows
        if rows > MAX_ROWS:
            raise UnreadableFile(
                f"Le fichier « {path.name} » a des paquets de plus de {MAX_ROWS // 1_000_000} millions de lignes : "
                "triez-le par compteur, et écrivez-le par paquets d’un million de lignes (row groups)."
            )
        last_point = str(points.iloc[-1])
        seen |= names
    return result


def read(path: Path, first: int, stop: int, gas: dict[str, float], zone: str) -> tuple[pd.DataFrame, list[str]]:
    """The long table (``lines.COLUMNS``) of a range of row groups, and French notes. Times without an offset are those of ``zone``."""
    opened = _open(path)
    columns = [name for name in (*lines.NEEDED, *lines.OPTIONAL) if name in opened.columns]
    return lines.long_table(opened[first:stop].to_pandas(columns=columns), zone, gas)


def _open(path: Path):  # type: ignore[no-untyped-def]
    from fastparquet import ParquetFile

    try:
        return ParquetFile(str(path))
    except Exception as error:
        raise UnreadableFile(
            f"Le fichier « {path.name} » n’est pas un Parquet lisible ({type(error).__name__}). Déposez-le à nouveau."
        ) from None
