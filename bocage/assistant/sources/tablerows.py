"""Valid lines of a table, one typed ``Row`` at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import pandas as pd

from bocage.contract.rows import Row
from bocage.contract.tables import Table

R = TypeVar("R", bound=Row)


def rows_of(table: Table, row: type[R]) -> Iterator[R]:
    """Each line of ``table`` as ``row``; empty cells are None."""
    for values in table.frame.to_dict("records"):
        yield row.model_validate({str(key): None if pd.isna(value) else value for key, value in values.items()})
