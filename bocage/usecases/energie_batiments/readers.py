"""Meter files, as received, to one long table: what was used, between which instants, in kWh.

Read: Enedis Data Connect (``meter_reading``: average W, as strings, or daily Wh), Enedis R63 (load curves) and R64 (indexes) in JSON, the
CSV of the Enedis customer space (load curve in W, indexes in Wh), GRDF ADICT (JSON, one object, a list, or one per line), the contract's
own columns in CSV, and a .zip of any of them, or of such .zip. Nothing is guessed of a unit: an unknown one is an error that names it.

Times without an offset are local. On the day of 25 hours the first of two equal times is summer's; a time that does not exist is
set aside and told.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from bocage.contract.errors import UnreadableFile
from bocage.contract.french import count
from bocage.usecases.energie_batiments import lines
from bocage.usecases.energie_batiments.lines import COLUMNS
from bocage.usecases.energie_batiments.official import Reading, When, from_enedis_csv, from_json

_MAX_MEMBER = 500_000_000
_MAX_MEMBERS = 5_000
_DEPTH = 3
"""Archives within archives that are opened."""


def read_curves(
    path: Path, when: When = "auto", zone: str = "Europe/Paris", gas: dict[str, float] | None = None
) -> tuple[pd.DataFrame, list[str]]:
    """The long table (``COLUMNS``) of a file and French notes. ``gas``: kWh PCS per m³ by meter. Raises ``UnreadableFile`` when nothing
    in it can be read."""
    notes: list[str] = []
    reading = Reading(when, zone, gas or {}, lines.Falls(zone))
    parts = [_parse(name, text, reading, notes)[COLUMNS] for name, text in _members(path, notes)]
    table = pd.concat(parts, ignore_index=True) if parts else lines.empty()
    bad = table["debut"].isna() | ~np.isfinite(table["kwh"].astype(float))
    if bad.any():
        notes.append(
            f"{count(int(bad.sum()), 'mesure illisible a été écartée', 'mesures illisibles ont été écartées')} du fichier {path.name}."
        )
    table = table[~bad].reset_index(drop=True)
    if table.empty:
        raise UnreadableFile(f"Le fichier « {path.name} » ne contient aucune mesure lisible. Déposez le fichier reçu d’Enedis ou de GRDF.")
    return table, notes + reading.falls.notes()


def _members(path: Path, notes: list[str]) -> Iterator[tuple[str, str]]:
    """Name and text of the file, or of each one in the archive; what is not read is told."""
    try:
        if zipfile.is_zipfile(path):
            yield from _archived(path.name, path, notes, _DEPTH)
        elif (data := path.read_bytes()).strip():
            yield path.name, _decoded(data)
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError, RuntimeError) as error:
        raise UnreadableFile(f"L’archive « {path.name} » est abîmée ({type(error).__name__}). Déposez-la à nouveau.") from None
    except Exception as error:
        if type(error).__module__ == "zlib":
            raise UnreadableFile(f"L’archive « {path.name} » est abîmée. Déposez-la à nouveau.") from None
        raise


def _decoded(data: bytes) -> str:
    """The text of a file: UTF-8, the UTF-16 that spreadsheets call « texte Unicode », or what Windows writes."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _archived(name: str, source: Path | io.BytesIO, notes: list[str], depth: int) -> Iterator[tuple[str, str]]:
    with zipfile.ZipFile(source) as archive:
        infos = [info for info in archive.infolist() if not info.is_dir() and not _of_the_system(info.filename)]
        if len(infos) > _MAX_MEMBERS or any(info.file_size > _MAX_MEMBER for info in infos):
            raise UnreadableFile(f"L’archive « {name} » est trop grande : découpez-la.")
        for info in sorted(infos, key=lambda i: i.filename):
            inside, suffix = archive.read(info), PurePosixPath(info.filename.lower()).suffix
            if suffix == ".zip" and depth > 1:
                yield from _archived(info.filename, io.BytesIO(inside), notes, depth - 1)
            elif suffix not in (".json", ".csv", ".txt"):
                notes.append(
                    f"Le fichier « {info.filename} » de l’archive « {name} » n’a pas été lu : seuls les .json, .csv, .txt et .zip le sont."
                )
            elif not inside.strip():
                notes.append(f"Le fichier « {info.filename} » de l’archive « {name} » est vide : demandez-le à nouveau s’il devait servir.")
            else:
                yield info.filename, _decoded(inside)


def _of_the_system(name: str) -> bool:
    """Whether the file was added by the system that made the archive (macOS, Windows), not by anyone."""
    path = PurePosixPath(name)
    return "__MACOSX" in path.parts or path.name.startswith("._") or path.name in (".DS_Store", "Thumbs.db", "desktop.ini")


def _parse(name: str, text: str, reading: Reading, notes: list[str]) -> pd.DataFrame:
    head = text.lstrip()[:400]
    try:
        if head[:1] in ("{", "["):
            return from_json(text, reading)
        if head.startswith("Identifiant PRM"):
            return from_enedis_csv(text, reading)
        if "point_de_mesure" in head.partition("\n")[0]:
            return _from_contract_csv(name, text, reading, notes)
    except UnreadableFile:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        raise UnreadableFile(
            f"Le fichier « {name} » est abîmé ou d’une forme inconnue ({type(error).__name__}). Déposez-le à nouveau."
        ) from None
    raise UnreadableFile(
        f"Le fichier « {name} » n’est pas d’une forme connue : donnez Data Connect, R63, R64, CSV d’Enedis, GRDF ADICT, "
        "ou les colonnes de « releves »."
    )


def _from_contract_csv(name: str, text: str, reading: Reading, notes: list[str]) -> pd.DataFrame:
    table = pd.read_csv(io.StringIO(text), sep=None, engine="python", dtype=str)
    missing = [column for column in lines.NEEDED if column not in table]
    if missing:
        raise UnreadableFile(f"Le fichier « {name} » n’a pas la colonne « {missing[0]} ». Attendu : {', '.join(lines.NEEDED)}.")
    found, said = lines.long_table(table, reading.zone, reading.gas)
    notes += [f"{note[:-1]} (fichier {name})." for note in said]
    return found
