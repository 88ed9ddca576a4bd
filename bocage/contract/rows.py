"""What comes in: one line of a table (``Row``), or a file that is not a table (``FileInput``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field


@dataclass(frozen=True, slots=True)
class TableInfo:
    """What the portal says of a table before it is dropped: French title, need, official schema."""

    title: str
    required: bool = True
    schema_url: str = ""


class Row(BaseModel):
    """One line of a table. Field names ARE the columns of the official open-data schema.

    Allowed field types: ``str``, ``int``, ``float``, ``bool``, ``date``, ``datetime``, ``Literal`` of strings, and each of them
    ``| None``. A field with a default is an optional column. A ``datetime`` reaches the engine time-zone aware, in the
    zone of the territory. Declare fields with :func:`column`, so that each carries its meaning and unit.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, str_strip_whitespace=True)

    TABLE: ClassVar[TableInfo] = TableInfo(title="")


def column(description: str, *, unit: str = "", example: str = "", default: Any = ..., **constraints: Any) -> Any:
    """A column of a ``Row``: French ``description``, ``unit`` (see ``units.py``), one ``example`` as written in a file.

    ``constraints`` are pydantic's (``ge``, ``gt``, ``le``, ``lt``, ``pattern``, ``min_length``, ``max_length``).
    """
    extra: dict[str, Any] = {"unit": unit}
    if example:
        extra["example"] = example
    return Field(default, description=description, json_schema_extra=extra, **constraints)


@dataclass(frozen=True, slots=True)
class FileInput:
    """An input that is not a table: .inp, GTFS .zip, .tif, .pbf, .wav, .pdf…"""

    title: str
    suffixes: tuple[str, ...]
    max_mb: int = 20
    required: bool = True
