"""Every error that Bocage says to a person: one class, one stable code, one French sentence that teaches.

``BocageError``
├── ``UnreadableFile``      the file is empty, damaged, of another kind, or too big
├── ``MissingColumns``      a column that the schema requires is not in the header
├── ``NoValidLine``         the header is right but no line is
├── ``MissingInput``        a required file was not given
├── ``NotEnoughData``       the data are right, but too few for the engine to answer
├── ``InvalidParams``       a parameter is unknown or out of its bounds
├── ``UnknownUseCase``      no use case has that slug
├── ``InvalidUseCase``      a use case's folder breaks the contract
├── ``MissingExtra``        the use case needs an optional package
├── ``InvalidSetting``      a setting cannot be read
├── ``NoRoom``              the disk of the server is full
├── ``DataFolderMissing``   a benchmark's data are not on this machine
├── ``TimeBudgetExceeded``  the engine outran its time budget
├── ``MemoryExceeded``      the engine outgrew its memory limit
├── ``WorkerDied``          the worker process was killed or crashed
└── ``EngineFault``         the engine has a defect

``docs/errors.md`` lists the same codes with what to do; a test keeps the two together.
The message of an error is French, because a person of the territory reads it.
"""

from __future__ import annotations

import errno
import re
from typing import ClassVar


class BocageError(Exception):
    """Base of every error told to a person.

    ``code`` never changes (scripts and the API rely on it); ``exit_code`` is what the command line returns.
    """

    code: ClassVar[str] = "erreur"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class UnreadableFile(BocageError):
    """A file that cannot be read as what it should be: empty, binary, damaged, wrong kind, too big."""

    code = "fichier-illisible"


class MissingColumns(BocageError):
    """One or more required columns are absent from the header."""

    code = "colonnes-manquantes"


class NoValidLine(BocageError):
    """No line of the table passes its schema."""

    code = "aucune-ligne-valide"


class MissingInput(BocageError):
    """A required input was not given to the run."""

    code = "entree-manquante"


class NotEnoughData(BocageError):
    """The engine declines: an honest answer would need more data. Raised by engines."""

    code = "donnees-insuffisantes"


class InvalidParams(BocageError):
    """A parameter is unknown, of the wrong type or out of its bounds."""

    code = "parametres-invalides"


class UnknownUseCase(BocageError):
    """No installed use case has this slug."""

    code = "cas-inconnu"
    exit_code = 2


class InvalidUseCase(BocageError):
    """The folder of a use case breaks the contract (fiche, engine or names)."""

    code = "cas-invalide"
    exit_code = 2


class MissingExtra(BocageError):
    """The use case needs packages of an extra that is not installed."""

    code = "extension-absente"
    exit_code = 2


class InvalidSetting(BocageError):
    """A setting of the server cannot be read."""

    code = "reglage-invalide"
    exit_code = 2


class DataFolderMissing(BocageError):
    """The data that a benchmark needs are not on this machine."""

    code = "donnees-absentes"
    exit_code = 2


class TimeBudgetExceeded(BocageError):
    """The engine did not answer within its time budget."""

    code = "temps-depasse"
    exit_code = 3


class MemoryExceeded(BocageError):
    """The engine needed more memory than its limit."""

    code = "memoire-depassee"
    exit_code = 3


class WorkerDied(BocageError):
    """The process that ran the engine was killed or crashed; the run can be started again."""

    code = "calcul-interrompu"
    exit_code = 3


class EngineFault(BocageError):
    """The engine raised an exception that it should not: a defect to report, never the user's fault."""

    code = "erreur-moteur"
    exit_code = 3


class NoRoom(BocageError):
    """The disk of the server is full, or what this account may write is. Nothing was half-written; done again with room, it succeeds."""

    code = "disque-plein"
    exit_code = 2

    def __init__(
        self,
        message: str = "Le disque du serveur est plein : cette demande n’est pas enregistrée, ce qui l’était avant le reste. "
        "Prévenez votre service informatique, puis recommencez quand il y aura de la place.",
    ) -> None:
        super().__init__(message)


_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_DISK_FULL_OF_POSTGRESQL = "53100"
_CUT_SHORT = re.compile(r"\d+ requested and \d+ written")


def is_no_room(error: BaseException | None) -> bool:
    """Whether ``error``, or what it comes from, says that there is no room left: the system, SQLite or PostgreSQL."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, NoRoom) or (isinstance(error, OSError) and error.errno in _FULL):
            return True
        # NumPy tells how much of an array it wrote, and not why it stopped.
        if isinstance(error, OSError) and error.errno is None and _CUT_SHORT.search(str(error)):
            return True
        if getattr(error, "sqlstate", None) == _DISK_FULL_OF_POSTGRESQL or "database or disk is full" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False
