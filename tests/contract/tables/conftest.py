"""Rows that the tests of this folder share, and ``read``: bytes or text to a Table."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

import pytest

from bocage.contract.rows import Row, TableInfo, column
from bocage.contract.tables import NoLineKept, Table, read_table


class Mesure(Row):
    """Three columns, as a SCADA exports them."""

    TABLE = TableInfo(title="Mesures")
    horodatage: datetime = column("Début de l’heure")
    secteur: str = column("Secteur", min_length=1, max_length=30)
    debit_m3h: float = column("Débit", unit="m³/h", ge=0, le=5000)


class Tout(Row):
    """One column of each kind."""

    code: str = column("Code", pattern=r"^[0-9]{5}$", example="35238")
    jour: date = column("Jour")
    nombre: int = column("Nombre", ge=-10)
    valeur: float | None = column("Valeur", default=None)
    actif: bool = column("Actif")
    etat: Literal["ouvert", "fermé"] = column("État")
    note: str | None = column("Note", default=None)
    poids: int | None = column("Poids", default=None)
    marge: float = column("Marge", default=1.5)


Read = Callable[..., Table]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """``read(content, row, suffix=".csv", **options)``; a table without any valid line is returned too."""

    def reader(content: bytes | str, row: type[Row] = Mesure, suffix: str = ".csv", **options: Any) -> Table:
        path = tmp_path / f"depot{suffix}"
        path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
        try:
            return read_table(path, row, **options)
        except NoLineKept as error:
            return error.table

    return reader


@pytest.fixture
def mesure() -> type[Row]:
    return Mesure


@pytest.fixture
def tout() -> type[Row]:
    return Tout
