"""Django application of the room."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """The API."""

    name = "bocage.api"
    verbose_name = "API"
