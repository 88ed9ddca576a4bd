"""Django application of the room."""

from django.apps import AppConfig
from django.core.checks import Tags, register


class WebConfig(AppConfig):
    """The portal."""

    name = "bocage.web"
    verbose_name = "Portail"

    def ready(self) -> None:
        """The deploy check."""
        from bocage.web.checks import check_https

        register(check_https, Tags.security, deploy=True)
