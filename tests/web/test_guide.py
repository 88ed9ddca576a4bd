"""The guide says what the portal shows: every button that it names exists, every page leads to it, every link in it leads somewhere."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest
from django.test import Client

import bocage.web
from bocage.api.models import Scope
from bocage.assistant.curation import REASONS
from bocage.decisions.models import Decision, Run
from bocage.organisations.membership import GRANTS, Permission, Role
from bocage.register.models import Publication
from bocage.web import context, guide, proposal_list

TEMPLATES = Path(bocage.web.__file__).parent / "templates" / "web"
GUIDE = TEMPLATES / "guide"
_QUOTED = re.compile(r'<b class="ui">([^<{]+)</b>')


def without_tags(source: str) -> list[str]:
    """The pieces of text of a template: what stands between two tags, of HTML or of Django."""
    return [" ".join(piece.split()).rstrip(" :") for piece in re.split(r"<[^>]*>|\{%.*?%\}|\{\{.*?\}\}", source)]


def shown_by_the_portal() -> tuple[set[str], str]:
    """Every piece of text of the templates but those of the guide, with the labels that come from code; and all of them as one text."""
    sources = [p.read_text(encoding="utf-8") for p in sorted(TEMPLATES.rglob("*.html")) if GUIDE not in p.parents]
    labels = {label for _, label, _ in (*context._PUBLIC, *context._AGENTS)}
    for choices in (Run.State, Publication.Status, Decision.Verdict, Role, Scope):
        labels |= set(choices.labels)
    labels |= {label for _, label in (*proposal_list.STATES, *proposal_list.SORTS, *REASONS)}
    return {piece for source in sources for piece in without_tags(source)} | labels, " ".join(" ".join(without_tags(s)) for s in sources)


def pattern_of(name: str) -> str:
    return ".{0,80}?".join(re.escape(part.strip()) for part in name.split("…"))


@pytest.mark.parametrize("topic", guide.TOPICS, ids=lambda topic: topic.slug)
def test_every_button_that_the_guide_names_stands_on_a_page(topic):
    pieces, whole = shown_by_the_portal()
    named = _QUOTED.findall((GUIDE / f"{topic.slug}.html").read_text(encoding="utf-8"))
    assert named or topic.slug == "mots"
    # « Télécharger … à corriger »: what changes from case to case is an ellipsis.
    assert not [name for name in named if name not in pieces and not ("…" in name and re.search(pattern_of(name), whole))]


def test_no_page_of_the_guide_is_long():
    long = {p.name: n for p in GUIDE.glob("*.html") if (n := len(p.read_text(encoding="utf-8").splitlines())) > 150}
    assert not long


def test_the_glossary_is_in_the_order_of_the_alphabet():
    words = re.findall(r"<dt>([^<]+)</dt>", (GUIDE / "mots.html").read_text(encoding="utf-8"))
    assert words == sorted(words, key=proposal_list.plain) and 10 <= len(words) <= 20


@pytest.mark.django_db
@pytest.mark.parametrize("home", ["/pays-de-brenoux/", "/"], ids=["of an organisation", "of the server"])
def test_every_link_of_the_guide_leads_to_a_part_that_exists(brenoux, home):
    client, pages = Client(), {}
    for topic in (None, *guide.TOPICS):
        address = f"{home}aide/{topic.slug}/" if topic else f"{home}aide/"
        answer = client.get(address)
        assert answer.status_code == 200, address
        pages[address] = answer.content.decode()
    for address, page in pages.items():
        for href in re.findall(r'href="([^"]+)"', page.split("<main")[1].split("</main>")[0]):
            path, _, part = href.partition("#")
            assert client.get(path).status_code == 200, f"{address}: {href}"
            assert not part or f'id="{part}"' in pages[path], f"{address}: {href}"
    assert all(page.count("<h1") == 1 for page in pages.values())


def test_every_link_to_the_guide_names_a_part_that_exists():
    named = [
        pair
        for p in TEMPLATES.rglob("*.html")
        for pair in re.findall(r"\{% aide(?:_url)? [\"'](\w+)[\"'](?: [\"']([\w-]+)[\"'])?[^%]*%", p.read_text())
    ]
    assert len(named) > 20
    for slug, part in named:
        assert not part or f'id="{part}"' in (GUIDE / f"{slug}.html").read_text(encoding="utf-8"), (slug, part)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address", ["/pays-de-brenoux/", "/pays-de-brenoux/registre/", "/connexion/", "/nulle-part/", "/pays-de-brenoux/rien/"]
)
def test_the_guide_is_one_click_from_every_page(brenoux, address):
    page = unescape(Client().get(address).content.decode())
    of_here = "/pays-de-brenoux/aide/" if "brenoux" in address else "/aide/"
    assert f'<a href="{of_here}">Aide</a>' in page


@pytest.mark.django_db
def test_the_table_of_roles_is_the_one_of_the_code(brenoux):
    page = Client().get("/pays-de-brenoux/aide/administrer/").content.decode()
    for role in Role:
        row = re.search(rf'<th scope="row">{role.label}</th>(.*?)</tr>', page)
        assert row, role
        assert re.findall(r"<td>(\w+)</td>", row[1]) == ["oui" if right in GRANTS[role] else "non" for right in Permission]


def test_no_organisation_can_take_the_address_of_the_guide():
    from bocage.organisations.services import RESERVED

    assert "aide" in RESERVED
