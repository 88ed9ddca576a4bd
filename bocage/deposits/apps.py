"""Django application of the room."""

from django.apps import AppConfig


class DepositsConfig(AppConfig):
    """Files that people or APIs bring."""

    name = "bocage.deposits"
    verbose_name = "Dépôts"
