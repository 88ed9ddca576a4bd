"""Writing deposits: the file first, complete and under its own hash, then the row."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from django.conf import settings

from bocage.contract.errors import UnreadableFile
from bocage.deposits.models import Deposit
from bocage.organisations.tenancy import current_organisation_id

_CHUNK = 1 << 20


def deposit_file(source: Path, usecase: str, input_name: str) -> Deposit:
    """Keep a copy of ``source`` for the organisation in context. The same file deposited twice is one deposit.

    Raises ``UnreadableFile`` when it cannot be read. A crash in between leaves at most an unreferenced file, never a row without its file.
    """
    folder = Path(settings.MEDIA_ROOT) / str(current_organisation_id())
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with source.open("rb") as reader, tempfile.NamedTemporaryFile(dir=folder, prefix=".part-", delete=False) as writer:
            digest, size = hashlib.sha256(), 0
            while chunk := reader.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
                writer.write(chunk)
            writer.flush()
            os.fsync(writer.fileno())
    except OSError as error:
        raise UnreadableFile(f"Le fichier « {source.name} » ne se lit pas : {error.strerror}. Vérifiez son nom et ses droits.") from None
    sha256 = digest.hexdigest()
    deposit = Deposit(usecase=usecase, input_name=input_name, filename=source.name[-255:], sha256=sha256, size=size)
    deposit.organisation_id = current_organisation_id()
    Path(writer.name).replace(deposit.path)
    kept, _ = Deposit.objects.get_or_create(
        organisation_id=deposit.organisation_id,
        usecase=usecase,
        input_name=input_name,
        sha256=sha256,
        filename=deposit.filename,
        defaults={"size": size},
    )
    return kept
