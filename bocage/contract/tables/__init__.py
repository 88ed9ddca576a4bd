"""Reading tables: any CSV, workbook, Parquet or GeoJSON to valid typed lines, every wrong line named. See ``docs/tables.md``."""

from bocage.contract.tables.corrections import safe_cell, write_corrections
from bocage.contract.tables.read import read_table
from bocage.contract.tables.report import ErrorStore, LineError, NoLineKept, Table, TableReport

__all__ = ["ErrorStore", "LineError", "NoLineKept", "Table", "TableReport", "read_table", "safe_cell", "write_corrections"]
