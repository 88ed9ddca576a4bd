"""Parquet files, through fastparquet in a process of its own (see ``parquet_child``). Line 1 is the first row: there is no header line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bocage.contract.errors import UnreadableFile
from bocage.contract.tables.facts import Facts
from bocage.contract.tables.fields import Spec
from bocage.contract.tables.header import match_header, require_columns
from bocage.contract.tables.report import Format
from bocage.contract.tables.sources import Chunk, check_width, damaged

MAX_ROWS = 20_000_000
_CHILD = Path(__file__).with_name("parquet_child.py")


class ParquetSource:
    """A Parquet file (see ``Source``)."""

    format: Format = "parquet"
    encoding: str | None = None
    separator: str | None = None
    sheet: str | None = None
    typed = True

    def __init__(self, facts: Facts, specs: Sequence[Spec], max_mb: int) -> None:
        """Raises ``UnreadableFile`` and ``MissingColumns``."""
        self._facts = facts
        self.notes = ["Fichier Parquet : les numéros de ligne sont ceux des enregistrements, à partir de 1."]
        with facts.path.open("rb") as file:
            file.seek(-4, os.SEEK_END)
            if file.read(4) != b"PAR1":
                raise damaged(facts.name)
        self._child = subprocess.Popen(
            [sys.executable, "-I", str(_CHILD), str(facts.path.resolve())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            env={"PATH": os.environ.get("PATH", ""), "OPENBLAS_NUM_THREADS": "1"},
        )
        try:
            head = self._receive()
            if not isinstance(head, dict):
                raise damaged(facts.name)
            self.header = [str(name) for name in head["columns"]]
            self._rows = int(head["rows"])
            if self._rows > MAX_ROWS or int(head["bytes"]) > 4 * max_mb * 1_000_000:
                raise UnreadableFile(f"« {facts.name} » est trop grand une fois décompressé. Déposez-le en plusieurs parties.")
            check_width(len(self.header), facts.name)
            self.match = match_header(self.header, specs)
            require_columns(self.match, self.header, specs, facts.name)
        except BaseException:
            self._stop()
            raise

    def _receive(self) -> Any:
        """The next document of the child, None when it died."""
        assert self._child.stdout is not None
        line = self._child.stdout.readline()
        try:
            return json.loads(line) if line.endswith("\n") else None
        except ValueError:
            return None

    def _stop(self) -> None:
        self._child.kill()
        for stream in (self._child.stdin, self._child.stdout):
            if stream is not None:
                stream.close()
        self._child.wait()

    def chunks(self, selected: Sequence[int]) -> Iterator[Chunk]:
        """All rows (see ``Source``). Can be asked for once."""
        assert self._child.stdin is not None
        line = 1
        try:
            try:
                self._child.stdin.write(json.dumps([self.header[i] for i in selected]) + "\n")
                self._child.stdin.flush()
            except OSError:
                raise damaged(self._facts.name) from None
            while (columns := self._receive()) != "end":
                if not isinstance(columns, list) or len({len(column) for column in columns}) > 1:
                    raise damaged(self._facts.name)
                count = len(columns[0]) if columns else 0
                yield Chunk(np.arange(line, line + count, dtype=np.int64), columns, [], line / max(1, self._rows))
                line += count
        finally:
            self._stop()
