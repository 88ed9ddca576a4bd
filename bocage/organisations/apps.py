"""Django application of the room."""

from django.apps import AppConfig


class OrganisationsConfig(AppConfig):
    """People and organisations."""

    name = "bocage.organisations"
    verbose_name = "Organisations"
