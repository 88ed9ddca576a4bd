"""Every address of the portal. What belongs to an organisation stands under its slug."""

from __future__ import annotations

from django.urls import include, path

from bocage.web.pages import accounts, decisions, deposits, front, journal, members, register, runs, tokens

app_name = "web"

_of_an_organisation = [
    *front.urlpatterns,
    *deposits.urlpatterns,
    *runs.urlpatterns,
    *decisions.urlpatterns,
    *journal.urlpatterns,
    *register.urlpatterns,
    *members.urlpatterns,
    *tokens.urlpatterns,
]

urlpatterns = [
    path("", front.root, name="root"),
    *accounts.urlpatterns,
    *front.brand_urlpatterns,
    path("<slug:organisation>/", include(_of_an_organisation)),
]
