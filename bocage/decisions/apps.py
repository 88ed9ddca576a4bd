"""Django application of the room."""

from django.apps import AppConfig


class DecisionsConfig(AppConfig):
    """Runs, and later proposals and decisions."""

    name = "bocage.decisions"
    verbose_name = "Décisions"
