"""Django application of the room."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """The portal."""

    name = "bocage.web"
    verbose_name = "Portail"
