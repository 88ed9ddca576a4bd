"""Django application of the room."""

from django.apps import AppConfig


class AssistantConfig(AppConfig):
    """Conversations with citizens and agents."""

    name = "bocage.assistant"
    verbose_name = "Assistant"
