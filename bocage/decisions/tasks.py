"""Jobs of the queue."""

from __future__ import annotations

from django_tasks import task

from bocage.decisions.services import perform_run
from bocage.organisations.models import Organisation


@task()
def perform(organisation_id: int, run_id: int) -> str:
    """Perform one run; returns the state it ended in."""
    return perform_run(Organisation.objects.get(pk=organisation_id), run_id).state
