"""Django application of the room."""

from django.apps import AppConfig


class RegisterConfig(AppConfig):
    """The public register."""

    name = "bocage.register"
    verbose_name = "Registre"
