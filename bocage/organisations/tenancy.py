"""Tenancy: every row belongs to one organisation, and nothing is read or written without saying which.

The default manager of a ``TenantModel`` raises ``NoOrganisation`` outside ``organisation_context`` (rule 9 of DESIGN.md). Code that serves
the whole server (the worker that looks for interrupted runs) asks for it by name: ``Model.across_organisations``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import models

from bocage.organisations.models import Organisation

_current: ContextVar[int | None] = ContextVar("bocage_organisation", default=None)


class NoOrganisation(RuntimeError):
    """A row was read or written without an organisation in context: a defect of the caller."""


class OtherOrganisation(RuntimeError):
    """A row of one organisation was written in the context of another: a defect of the caller."""


@contextmanager
def organisation_context(organisation: Organisation) -> Iterator[None]:
    """Within the block, tenant models see and write the rows of ``organisation`` only."""
    token = _current.set(organisation.pk)
    try:
        yield
    finally:
        _current.reset(token)


def current_organisation_id() -> int:
    """The organisation in context. Raises ``NoOrganisation``."""
    organisation_id = _current.get()
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
    across_organisations = models.Manager()  # noqa: DJ012 - a second manager, not a field

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
