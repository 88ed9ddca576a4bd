"""What every page needs: whose portal it is, the menu, and who is signed in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from bocage.assistant.configuration import configuration
from bocage.assistant.documents import Audience
from bocage.assistant.inbox import waiting_count
from bocage.decisions.proposals import undecided_count
from bocage.organisations.membership import Permission
from bocage.organisations.models import Organisation
from bocage.organisations.tenancy import organisation_context


@dataclass(frozen=True, slots=True)
class MenuItem:
    """One entry of the main menu."""

    url: str
    label: str
    current: bool


_PUBLIC = (
    ("web:home", "Accueil", None),
    ("web:register", "Registre de l’IA", None),
    ("web:assistant", "Poser une question", None),
    ("web:catalogue", "Espace agents", None),
)
_AGENTS = (
    ("web:catalogue", "Cas d’usage", Permission.VOIR),
    ("web:to_decide", "À décider", Permission.VOIR),
    ("web:runs", "Exécutions", Permission.VOIR),
    ("web:inbox", "Demandes", Permission.REPONDRE),
    ("web:agent_questions", "Réponses", Permission.VOIR),
    ("web:journal", "Journal", Permission.JOURNAL),
    ("web:members", "Membres", Permission.ADMINISTRER),
    ("web:settings", "Réglages", Permission.ADMINISTRER),
    ("web:register", "Registre", None),
)


def portal(request: HttpRequest) -> dict[str, Any]:
    """Context of every template: ``organisation``, ``menu``, ``in_agents_space``, ``granted``, ``language_model`` (its name, or empty)."""
    organisation: Organisation | None = getattr(request, "organisation", None)
    granted: frozenset[Permission] = getattr(request, "granted", frozenset())
    if organisation is None:
        return {"organisation": None, "menu": (), "granted": granted, "in_agents_space": False, "language_model": ""}
    agents = bool(granted)
    with organisation_context(organisation):
        served = configuration().audiences
    items = [
        MenuItem(_url(name, organisation), _label(name, label, organisation), _is_current(request, _url(name, organisation), name))
        for name, label, needed in (_AGENTS if agents else _PUBLIC)
        if (needed is None or needed in granted) and (name not in _SERVED or served & _SERVED[name])
    ]
    model = (settings.LLM_MODEL or "sans nom") if settings.LLM_URL else ""
    return {"organisation": organisation, "menu": items, "granted": granted, "in_agents_space": agents, "language_model": model}


# The assistant's pages stand in the menu once an administrator has put it in service.
_SERVED = {
    "web:assistant": {Audience.CITIZENS},
    "web:inbox": {Audience.CITIZENS},
    "web:agent_questions": {Audience.COUNTER, Audience.STAFF},
}


def _url(name: str, organisation: Organisation) -> str:
    return reverse(name, kwargs={"organisation": organisation.slug})


def _label(name: str, label: str, organisation: Organisation) -> str:
    if name not in ("web:to_decide", "web:inbox"):
        return label
    with organisation_context(organisation):
        waiting = undecided_count() if name == "web:to_decide" else waiting_count()
    return f"{label} ({waiting})" if waiting else label


def _is_current(request: HttpRequest, url: str, name: str) -> bool:
    if name == "web:home":
        return request.path == url
    deciding = "/propositions/" in request.path
    if name in ("web:to_decide", "web:runs") and deciding:
        return name == "web:to_decide"
    return request.path.startswith(url)
