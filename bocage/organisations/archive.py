"""Everything of one organisation in one ZIP: reversibility. Its own rows only; no password, token or secret of anyone."""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import math
import os
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, models, transaction

from bocage import __version__
from bocage.contract.errors import BocageError
from bocage.contract.tables import safe_cell
from bocage.journal.services import record
from bocage.organisations.models import Organisation, User
from bocage.organisations.tenancy import TenantModel, organisation_context

_SECRET = ("password", "secret", "token_hash", "digest", "oidc_subject")
_PEOPLE = ("id", "email", "name", "is_active", "created_at")
_CHUNK = 1 << 20
_HALVES = "backslashreplace"
"""Half a character has no UTF-8: « \\ud800 » stands for it, which JSON reads back as what was stored."""


class ExportFailed(BocageError):
    """The file of the export cannot be written."""

    code = "export-impossible"
    exit_code = 2


def export_organisation(organisation: Organisation, destination: Path) -> dict[str, Any]:
    """Write ``destination`` whole or not at all, and return its manifest. The export is written to the journal first.

    Raises ``ExportFailed``. ``manifest["missing"]`` names deposited files that are no longer on the disk.
    """
    with organisation_context(organisation):
        with transaction.atomic():
            record("donnees.exportees", None, fichier=destination.name)
        try:
            with tempfile.NamedTemporaryFile(dir=destination.parent, prefix=".bocage-export-", delete=False) as file:
                part = Path(file.name)
                try:
                    with _snapshot(), zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                        manifest = _Archive(archive, organisation).write()
                    file.flush()
                    os.fsync(file.fileno())
                    part.replace(destination)
                finally:
                    part.unlink(missing_ok=True)
        except OSError as error:
            raise ExportFailed(
                f"« {destination} » ne s’écrit pas : {error.strerror}. Choisissez un dossier qui existe et où il reste de la place."
            ) from None
    return manifest


def tenant_models() -> list[type[TenantModel]]:
    """Every model whose rows belong to an organisation, by name."""
    found = [model for model in apps.get_models() if issubclass(model, TenantModel)]
    return sorted(found, key=lambda model: model._meta.label_lower)


class _Archive:
    """A ZIP in the making."""

    def __init__(self, archive: zipfile.ZipFile, organisation: Organisation) -> None:
        self._zip, self._organisation = archive, organisation
        self._people: set[int] = set()
        self._manifest: dict[str, Any] = {
            "format": "bocage-export",
            "version": "1.0",
            "bocage": __version__,
            "organisation": organisation.slug,
        }
        self._manifest |= {"tables": [], "deposits": [], "missing": []}

    def write(self) -> dict[str, Any]:
        """Tables, people, files, then the manifest that counts them."""
        self._table("organisation", _columns(Organisation), iter(Organisation.objects.filter(pk=self._organisation.pk)))
        for model in tenant_models():
            self._table(model._meta.label_lower, _columns(model), model.objects.order_by("pk").iterator(chunk_size=500))
        people = User.objects.filter(pk__in=self._people).order_by("pk")
        self._table("organisations.user", [User._meta.get_field(name) for name in _PEOPLE], iter(people))
        self._files()
        self._zip.writestr("manifest.json", json.dumps(self._manifest, ensure_ascii=False, indent=1))
        return self._manifest

    def _table(self, name: str, fields: list[models.Field[Any, Any]], rows: Iterator[models.Model]) -> None:
        """One table, twice: JSON for machines, CSV for a spreadsheet. Rows pass once; the CSV waits on disk."""
        count, digest = 0, hashlib.sha256()
        with tempfile.TemporaryFile("w+", encoding="utf-8-sig", errors=_HALVES, newline="") as sheet:
            writer = csv.writer(sheet, delimiter=";", lineterminator="\r\n")
            writer.writerow([field.attname for field in fields])
            with self._zip.open(f"tables/{name}.json", "w", force_zip64=True) as file:
                for count, row in enumerate(rows, start=1):
                    values = {field.attname: _value(row, field) for field in fields}
                    self._people.update(v for f in fields if f.related_model is User and (v := values[f.attname]) is not None)
                    line = (("[\n" if count == 1 else ",\n") + _json(values)).encode(errors=_HALVES)
                    file.write(line)
                    digest.update(line)
                    writer.writerow([_cell(value) for value in values.values()])
                end = b"\n]\n" if count else b"[]\n"
                file.write(end)
                digest.update(end)
            sheet.flush()
            sheet.buffer.seek(0)
            with self._zip.open(f"tables/{name}.csv", "w", force_zip64=True) as file:
                while chunk := sheet.buffer.read(_CHUNK):
                    file.write(chunk)
        self._manifest["tables"].append({"name": name, "rows": count, "sha256": digest.hexdigest()})

    def _files(self) -> None:
        """The bytes behind the rows that have a ``path``: deposits, as received."""
        written: set[str] = set()
        for model in tenant_models():
            if not isinstance(getattr(model, "path", None), property):
                continue
            for row in model.objects.order_by("pk").iterator(chunk_size=500):
                path: Path = row.path
                if path.name in written:
                    continue
                written.add(path.name)
                if path.is_file():
                    self._zip.write(path, f"deposits/{path.name}")
                    self._manifest["deposits"].append(path.name)
                else:
                    self._manifest["missing"].append(path.name)


def _columns(model: type[models.Model]) -> list[models.Field[Any, Any]]:
    return [field for field in model._meta.concrete_fields if not any(word in field.name for word in _SECRET)]


def _value(row: models.Model, field: models.Field[Any, Any]) -> Any:
    value = getattr(row, field.attname)
    return base64.b64encode(bytes(value)).decode() if isinstance(value, (bytes, memoryview)) else value


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, (dict, list)):
        return _json(value)
    return safe_cell(str(value))


def _json(value: Any) -> str:
    """JSON that every reader takes: a number that is none (which a database may hold) becomes null."""
    try:
        return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(value), cls=DjangoJSONEncoder, ensure_ascii=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


@contextmanager
def _snapshot() -> Iterator[None]:
    """One state of the database from the first row to the last, without keeping others from writing."""
    if connection.in_atomic_block:
        yield
        return
    begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" if connection.vendor == "postgresql" else "BEGIN DEFERRED"
    with connection.cursor() as cursor:
        cursor.execute(begin)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("COMMIT")
