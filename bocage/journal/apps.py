"""Django application of the room."""

from django.apps import AppConfig


class JournalConfig(AppConfig):
    """The journal."""

    name = "bocage.journal"
    verbose_name = "Journal"
