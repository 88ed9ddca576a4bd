"""What ``manage.py check --deploy`` says of the portal."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning


def endless_redirect() -> bool:
    """Whether ``bocage serve`` would send every visitor to https:// for ever: it believes nobody who says that they come from there."""
    return bool(settings.HTTPS and not settings.TRUSTED_PROXY)


def check_https(app_configs: Any, **_: Any) -> list[CheckMessage]:
    """Deploy check: HTTPS is demanded, so somebody must be believed who says that it was used."""
    if not endless_redirect():
        return []
    hint = "Give BOCAGE_TRUSTED_PROXY the proxy's address, as 127.0.0.1. Another server than « bocage serve » has its own setting for it."
    return [Warning("BOCAGE_HTTPS=1 without BOCAGE_TRUSTED_PROXY: every page redirects to itself.", hint=hint, id="bocage.W020")]
