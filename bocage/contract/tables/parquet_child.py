"""Run alone, as a process of its own: Parquet to text cells on stdout. Damaged bytes can crash fastparquet's C code; here they may.

Protocol, one JSON document per line: out {"columns", "rows", "bytes"}; in [names]; out [[cells of a column], …] per chunk; out "end".
Imports nothing of Bocage, so that it starts fast and holds nothing worth reading.
"""

from __future__ import annotations

import json
import resource
import sys
from typing import Any, TextIO

import numpy as np
import pandas as pd

CHUNK_LINES = 16_384
MEMORY = 4 << 30
CPU_SECONDS = 120


def texts(column: pd.Series[Any]) -> list[str]:
    """A typed column as text cells: ISO times, point for decimals, «vrai» and «faux»; missing values are empty."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(object)
    lacking = column.isna().to_numpy()
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        aware = getattr(column.dtype, "tz", None) is not None
        plain = column.dt.tz_convert("UTC").dt.tz_localize(None) if aware else column
        made = [text + ("Z" if aware else "") for text in np.datetime_as_string(plain.to_numpy(dtype="datetime64[us]")).tolist()]
    elif pd.api.types.is_bool_dtype(column.dtype):
        made = ["vrai" if value else "faux" for value in column.fillna(False).tolist()]
    elif pd.api.types.is_float_dtype(column.dtype):
        made = [repr(value) for value in column.astype(float).tolist()]
    else:
        made = [value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value) for value in column.tolist()]
    return ["" if gone else text for text, gone in zip(made, lacking.tolist(), strict=True)]


def serve(path: str, source: TextIO, out: TextIO) -> None:
    """Answer one parent, see the protocol above. Any exception ends the process: the parent sees that «end» never came."""
    import fastparquet

    file = fastparquet.ParquetFile(path)
    rows = sum(max(0, group.num_rows) for group in file.row_groups)
    size = sum(max(0, group.total_byte_size or 0) for group in file.row_groups)
    print(json.dumps({"columns": [str(name) for name in file.columns], "rows": rows, "bytes": size}), file=out, flush=True)
    names = json.loads(source.readline() or "null")
    if names is None:
        return
    for frame in file.iter_row_groups(columns=names, index=False):
        for start in range(0, len(frame), CHUNK_LINES):
            part = frame.iloc[start : start + CHUNK_LINES]
            print(json.dumps([texts(part[name]) for name in names]), file=out)
    print('"end"', file=out, flush=True)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    serve(sys.argv[1], sys.stdin, sys.stdout)
