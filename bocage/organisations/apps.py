"""Django application of the room."""

from django.apps import AppConfig
from django.core.checks import Tags, register
from django.db.models.signals import post_migrate


class OrganisationsConfig(AppConfig):
    """People and organisations."""

    name = "bocage.organisations"
    verbose_name = "Organisations"

    def import_models(self) -> None:
        """Also load the models that need tenancy, which itself needs ``models``."""
        super().import_models()
        from bocage.organisations import membership  # noqa: F401

    def ready(self) -> None:
        """Row-level security after each ``migrate``, and the deploy checks."""
        from bocage.organisations import private_files, rowlevel

        # Sent once per application, Django's own included: each one's tables get their policies.
        post_migrate.connect(rowlevel.put_policies, dispatch_uid="bocage.rowlevel")
        register(rowlevel.check_role, Tags.security, deploy=True)
        register(private_files.check_private_files, Tags.security, deploy=True)
