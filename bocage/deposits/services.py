"""Writing deposits: the file first, complete and under its own hash, then the row and its journal entry."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import time
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.db import IntegrityError, transaction

from bocage.contract.errors import BocageError, NoRoom, UnreadableFile, is_no_room
from bocage.deposits.fetch import LIGHTER, fetch
from bocage.deposits.models import Deposit
from bocage.journal.services import record
from bocage.organisations.models import User
from bocage.organisations.tenancy import current_organisation_id

_CHUNK = 1 << 20
_LONGEST_NAME = 120
_STALE_SECONDS = 6 * 3600


class UnknownDeposit(BocageError):
    """The organisation has no deposit of that number."""

    code = "depot-inconnu"


class FileTooLarge(BocageError):
    """The file is larger than what this input takes."""

    code = "fichier-trop-lourd"


def deposit_file(source: Path, usecase: str, input_name: str, person: User | None = None, licence: str = "") -> Deposit:
    """Keep a copy of ``source`` for the organisation in context. The same file deposited twice is one deposit.

    Raises ``UnreadableFile`` when it cannot be read. A crash in between leaves at most an unreferenced file, never a row without its file.
    """
    try:
        with source.open("rb") as reader:
            return keep(reader, source.name, usecase, input_name, person, licence=licence)
    except OSError as error:
        if is_no_room(error):
            raise NoRoom from None
        raise UnreadableFile(f"Le fichier « {source.name} » ne se lit pas : {error.strerror}. Vérifiez son nom et ses droits.") from None


def deposit_url(url: str, usecase: str, input_name: str, person: User | None = None, licence: str = "", max_mb: int = 20) -> Deposit:
    """Fetch the file at ``url`` and keep it. Raises ``AddressRefused`` or ``FetchFailed``."""
    with tempfile.TemporaryFile() as file:
        fetched = fetch(url, file, max_mb)
        return keep(file, fetched.filename, usecase, input_name, person, licence=licence, url=url)


def keep(
    reader: BinaryIO,
    filename: str,
    usecase: str,
    input_name: str,
    person: User | None = None,
    *,
    licence: str = "",
    url: str = "",
    max_mb: int | None = None,
) -> Deposit:
    """Keep all bytes of ``reader`` under ``filename``, whatever a browser calls it. Raises ``FileTooLarge`` and ``OSError``."""
    folder = Path(settings.MEDIA_ROOT) / str(current_organisation_id())
    folder.mkdir(parents=True, exist_ok=True)
    _sweep(folder)
    deposit = Deposit(usecase=usecase, input_name=input_name, filename=plain_name(filename), source_url=url[:500], licence=licence[:120])
    deposit.deposited_by, deposit.organisation_id = person, current_organisation_id()
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".part-", delete=False) as writer:
        try:
            deposit.sha256, deposit.size = _copy(reader, writer, filename, max_mb)
            os.fsync(writer.fileno())
            Path(writer.name).replace(deposit.path)
        finally:
            Path(writer.name).unlink(missing_ok=True)
    return _written(deposit)


def _copy(reader: BinaryIO, writer: Any, filename: str, max_mb: int | None) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    while chunk := reader.read(_CHUNK):
        size += len(chunk)
        if max_mb is not None and size > max_mb * 1_000_000:
            raise FileTooLarge(f"« {plain_name(filename)} » dépasse {max_mb} Mo, la limite de cette entrée. {LIGHTER}")
        digest.update(chunk)
        writer.write(chunk)
    writer.flush()
    return digest.hexdigest(), size


def _written(deposit: Deposit) -> Deposit:
    """The row of ``deposit``: the one that stood already, or a new one with its journal entry."""
    once = {name: getattr(deposit, name) for name in ("usecase", "input_name", "sha256", "filename")}
    standing: Deposit | None = Deposit.objects.filter(**once).first()
    if standing is not None:
        return standing
    try:
        with transaction.atomic():
            deposit.save(force_insert=True)
            record(
                "depot.recu",
                deposit.deposited_by,
                depot=deposit.pk,
                cas=deposit.usecase,
                entree=deposit.input_name,
                fichier=deposit.filename,
                sha256=deposit.sha256,
                octets=deposit.size,
                origine=deposit.source_url,
                licence=deposit.licence,
            )
    except IntegrityError:
        # The same file, twice at the same instant: the other row stands.
        found: Deposit = Deposit.objects.get(**once)
        return found
    return deposit


def keep_reports(reports: Mapping[Deposit, Mapping[str, Any]]) -> None:
    """Write what was found in each file: the report, and apart from it every wrong cell (which lists and pages do not load)."""
    with transaction.atomic():
        for deposit, report in reports.items():
            whole = without_nul(report)
            deposit.details = whole.pop("details", None)
            deposit.report = whole
            deposit.save(update_fields=["report", "details"])
            found = {"depot": deposit.pk, "cas": deposit.usecase, "sha256": deposit.sha256}
            counts = {"gardees": whole.get("kept"), "lues": whole.get("lines"), "erreur": (whole.get("error") or {}).get("code", "")}
            record("depot.verifie", deposit.deposited_by, **found, **counts)


def get_deposit(deposit_id: int) -> Deposit:
    """The deposit of the organisation in context, without its details. Raises ``UnknownDeposit``."""
    deposit: Deposit | None = Deposit.objects.filter(pk=deposit_id).select_related("deposited_by").defer("details").first()
    if deposit is None:
        raise UnknownDeposit(f"Aucun dépôt ne porte le numéro {deposit_id} dans cette organisation.")
    return deposit


def last_deposits(usecase: str, names: Iterable[str]) -> dict[str, Deposit]:
    """The latest deposit of each input among ``names`` of ``usecase``, by input name; without reports."""
    found = {name: Deposit.objects.filter(usecase=usecase, input_name=name).defer("details", "report").first() for name in names}
    return {name: deposit for name, deposit in found.items() if deposit is not None}


def without_nul(value: Any) -> Any:
    """``value`` (plain JSON data) with the sign « ␀ » for the NUL character, which PostgreSQL stores neither in texts nor in JSON."""
    if isinstance(value, str):
        return value.replace("\x00", "␀")
    if isinstance(value, Mapping):
        return {without_nul(key): without_nul(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_nul(item) for item in value]
    return value


def plain_name(filename: str) -> str:
    """``filename`` as a person wrote it, without folders, control characters, marks that reverse reading, nor excess; never empty."""
    name = unicodedata.normalize("NFC", filename.encode("utf-8", "ignore").decode()).replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(c for c in name if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Cn", "Co")).strip(" .")
    stem, dot, suffix = name.rpartition(".")
    if not dot or not stem or len(suffix) > 10:
        return name[:_LONGEST_NAME] or "fichier"
    return f"{stem[: _LONGEST_NAME - len(suffix) - 1]}.{suffix}"


def _sweep(folder: Path) -> None:
    """Remove what deposits that were killed left behind."""
    for part in folder.glob(".part-*"):
        with contextlib.suppress(OSError):
            if part.stat().st_mtime < time.time() - _STALE_SECONDS:
                part.unlink()
