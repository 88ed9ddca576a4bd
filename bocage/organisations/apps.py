"""Django application of the room."""

from django.apps import AppConfig


class OrganisationsConfig(AppConfig):
    """People and organisations."""

    name = "bocage.organisations"
    verbose_name = "Organisations"

    def import_models(self) -> None:
        """Also load the models that need tenancy, which itself needs ``models``."""
        super().import_models()
        from bocage.organisations import membership  # noqa: F401
