"""Addresses of the server: the API and the portal."""

from __future__ import annotations

from django.urls import include, path

from bocage.api.v1 import api

handler400 = "bocage.web.errors.bad_request"
handler403 = "bocage.web.errors.forbidden"
handler404 = "bocage.web.errors.not_found"
handler500 = "bocage.web.errors.server_error"

urlpatterns = [
    path("api/v1/", api.urls),
    path("oidc/", include("bocage.web.pages.oidc")),
    path("", include("bocage.web.urls")),
]
