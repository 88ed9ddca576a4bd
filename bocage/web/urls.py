"""Every address of the portal. What belongs to an organisation stands under its slug."""

from __future__ import annotations

from django.urls import include, path

from bocage.web.pages import (
    accounts,
    agent_questions,
    assistant,
    assistant_register,
    assistant_settings,
    decisions,
    deposits,
    examples,
    front,
    guide,
    inbox,
    journal,
    members,
    register,
    runs,
    tokens,
    widget,
)

app_name = "web"

_of_an_organisation = [
    *front.urlpatterns,
    *guide.urlpatterns,
    *deposits.urlpatterns,
    *runs.urlpatterns,
    *examples.urlpatterns,
    *decisions.urlpatterns,
    *journal.urlpatterns,
    # Before the use cases, whose slug would take its place.
    *assistant_register.urlpatterns,
    *register.urlpatterns,
    *members.urlpatterns,
    *tokens.urlpatterns,
    *assistant.urlpatterns,
    *widget.urlpatterns,
    *agent_questions.urlpatterns,
    *inbox.urlpatterns,
    *assistant_settings.urlpatterns,
]

urlpatterns = [
    path("", front.root, name="root"),
    *accounts.urlpatterns,
    *front.brand_urlpatterns,
    *guide.server_urlpatterns,
    path("<slug:organisation>/", include(_of_an_organisation)),
]
