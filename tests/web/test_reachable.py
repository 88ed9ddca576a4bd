"""Every page of the portal is found by following links: a page that none leads to does not exist for those who use it."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import urldefrag, urljoin

import pytest
from django.test import Client
from django.urls import Resolver404, resolve

from bocage.deposits.models import Deposit
from bocage.organisations.membership import GRANTS, Membership, Permission, Role
from bocage.organisations.models import Organisation, User
from bocage.organisations.services import ensure_organisation
from bocage.organisations.tenancy import organisation_context
from bocage.register.models import Publication
from tests.web import test_tenancy as tenancy

pytestmark = pytest.mark.django_db
usecases = tenancy.usecases

_LINK = re.compile(r'<a\b[^>]*\bhref="([^"]+)"')
# Reached otherwise than by a link: forms (some answer a POST only), the script of a page, another site's widget, the key of a conversation,
# the address that a search or a download gives.
NOT_LINKED = {
    "start_run", "start_example", "example_truth", "run_progress", "run_stop", "run_restart", "decide_batch", "journal_check",
    "journal_export", "member_role", "member_person", "token_revoke", "assistant_talk", "widget_talk", "agent_talk",
}  # fmt: skip


def reached(client: Client, start: str) -> set[str]:
    """Names of the addresses found from ``start`` by following the links of pages."""
    seen, waiting, names = {start}, [start], set()
    while waiting:
        url = waiting.pop()
        try:
            names.add(resolve(url).url_name or "")
        except Resolver404:
            continue
        answer = client.get(url)
        assert answer.status_code in (200, 302, 422), f"{url}: {answer.status_code}"
        if answer.streaming or not answer.get("Content-Type", "").startswith("text/html"):
            continue
        for href in _LINK.findall(answer.content.decode()):
            # A page with another filter leads to no other page.
            found = urldefrag(urljoin(url, unescape(href))).url.split("?")[0]
            if found.startswith(start) and found not in seen:
                seen.add(found)
                waiting.append(found)
    return names


@pytest.fixture
def lived(brenoux):
    """An organisation with one row of everything."""
    marsanne = ensure_organisation("Marsanne")
    filled = tenancy.fill(marsanne, "Marque", "Personne")
    Organisation.objects.filter(pk=ensure_organisation("Saulieu").pk).update(administered_by=marsanne)
    with organisation_context(marsanne):
        wrong = {"kinds": [["jour", "AAAA-MM-JJ", ""]], "cells": [[2, 0, "2026-13-01"]]}
        Deposit.objects.filter(pk=filled["deposit_id"]).update(details=wrong)
    return marsanne


def visitor(organisation, role: Role) -> Client:
    person = User.objects.create(email=f"{role}@marsanne.example", name=f"Une {role}", password="!")
    with organisation_context(organisation):
        Membership.objects.create(user=person, role=role)
    client = Client()
    client.force_login(person)
    return client


def pages_for(role: Role) -> set[str]:
    """Names of the organisation's pages that ``role`` may open with its own right: those that every visitor may read are not asked here."""
    assert {a.name for a in tenancy.addresses()} >= NOT_LINKED
    of_here = [a for a in tenancy.addresses() if a.route.startswith("/<slug:organisation>/")]
    return {a.name for a in of_here if isinstance(a.permission, Permission) and a.permission in GRANTS[role]} - NOT_LINKED


# Who reads may open a part of what who decides may, and so may an agent.
@pytest.mark.parametrize("role", [Role.DECIDEUR, Role.DPO, Role.ADMINISTRATEUR])
def test_every_page_that_a_role_may_open_is_a_few_links_away(lived, role):
    found = reached(visitor(lived, role), f"/{lived.slug}/")
    assert not sorted(pages_for(role) - found)


def test_a_use_case_that_was_never_published_can_be(lived):
    with organisation_context(lived):
        Publication.objects.all().delete()
    assert "publish" in reached(visitor(lived, Role.DPO), f"/{lived.slug}/")
