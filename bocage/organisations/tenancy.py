"""Tenancy: every row belongs to one organisation, and nothing is read or written without saying which.

First lock: the default manager of a ``TenantModel`` raises ``NoOrganisation`` outside ``organisation_context`` (rule 9 of DESIGN.md). Code
that serves the whole server (the worker that looks for interrupted runs) asks for it by name: ``Model.across_organisations``, within
``across()``.

Second lock, on PostgreSQL: row-level security (``rowlevel.py``). The contexts below tell the connection, in ``bocage.organisation`` and
``bocage.across``, whose rows it may see; a query that forgot its context, even in raw SQL, sees no row and writes none.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

from django.db import Error, connection, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from bocage.organisations.models import Organisation


class _Scope(NamedTuple):
    organisation_id: int | None = None
    across: bool = False


_current: ContextVar[_Scope] = ContextVar("bocage_scope", default=_Scope())  # noqa: B039 (immutable)


class NoOrganisation(RuntimeError):
    """A row was read or written without an organisation in context: a defect of the caller."""


class OtherOrganisation(RuntimeError):
    """A row of one organisation was written in the context of another: a defect of the caller."""


@contextmanager
def organisation_context(organisation: Organisation) -> Iterator[None]:
    """Within the block, tenant models see and write the rows of ``organisation`` only."""
    with _scope(_Scope(organisation.pk)):
        yield


@contextmanager
def across() -> Iterator[None]:
    """Within the block, ``across_organisations`` sees the rows of every organisation. Querysets must be read before it ends."""
    with _scope(_current.get()._replace(across=True)):
        yield


def current_organisation_id() -> int:
    """The organisation in context. Raises ``NoOrganisation``."""
    organisation_id = _current.get().organisation_id
    if organisation_id is None:
        raise NoOrganisation("no organisation in context: wrap the call in organisation_context(organisation)")
    return organisation_id


class TenantManager(models.Manager[Any]):
    """Rows of the organisation in context; raises ``NoOrganisation`` when there is none."""

    def get_queryset(self) -> models.QuerySet[Any]:
        return super().get_queryset().filter(organisation_id=current_organisation_id())


class TenantModel(models.Model):
    """A row that belongs to one organisation, for ever."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")

    objects = TenantManager()
    across_organisations = models.Manager()  # noqa: DJ012 (a manager, which the rule takes for a field)

    class Meta:
        abstract = True
        # Django's own needs (refresh, cascades, serialisation) go through the plain manager; our code goes through ``objects``.
        base_manager_name = "across_organisations"
        default_manager_name = "objects"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write the row; its organisation is the one in context, given or filled in."""
        current = current_organisation_id()
        if self.organisation_id is None:
            self.organisation_id = current
        if self.organisation_id != current:
            raise OtherOrganisation(f"{type(self).__name__} of organisation {self.organisation_id} written in the context of {current}")
        super().save(*args, **kwargs)


@contextmanager
def _scope(wanted: _Scope) -> Iterator[None]:
    before = _current.get()
    token = _current.set(wanted)
    try:
        if wanted != before:
            _tell(connection)
        yield
    finally:
        _current.reset(token)
        if wanted != before:
            _restore()


def _tell(database: BaseDatabaseWrapper) -> None:
    """Give ``database`` the scope of this thread. For the session, not the transaction: most reads run outside one."""
    if database.vendor != "postgresql":
        return
    scope = _current.get()
    organisation = "" if scope.organisation_id is None else str(scope.organisation_id)
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('bocage.organisation', %s, false), set_config('bocage.across', %s, false)",
            [organisation, "on" if scope.across else ""],
        )


def _restore() -> None:
    try:
        _tell(connection)
    except Error:
        # A failed transaction takes no command until it is rolled back, and its rollback brings back the scope in which it began.
        # Outside a transaction the connection is lost: the next one is told when it is made.
        if not connection.in_atomic_block:
            connection.close()


def _tell_new_connection(connection: BaseDatabaseWrapper, **_: Any) -> None:
    if _current.get() != _Scope():
        _tell(connection)


connection_created.connect(_tell_new_connection, dispatch_uid="bocage.tenancy")
