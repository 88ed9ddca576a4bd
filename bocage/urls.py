"""Addresses of the server: the portal, and the API once that door is open."""

from __future__ import annotations

from django.urls import include, path

handler400 = "bocage.web.errors.bad_request"
handler403 = "bocage.web.errors.forbidden"
handler404 = "bocage.web.errors.not_found"
handler500 = "bocage.web.errors.server_error"

urlpatterns = [path("", include("bocage.web.urls"))]
