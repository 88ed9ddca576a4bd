"""The shelves: one commune's pages are found by that commune alone, and a server that starts has them open before the first visitor."""

from __future__ import annotations

from pathlib import Path

import pytest

from bocage.assistant import library
from bocage.assistant.documents import Audience
from bocage.organisations.services import ensure_organisation

PAGE = '+++\nurl = "https://{slug}.example/puits"\ndate = 2026-09-01\n+++\n# Le puits de {name}\n\nLe puits de {name} se visite le {day}.\n'


def import_page(owner, folder: Path, day: str) -> None:
    page = folder / owner.slug / "pages" / "puits.md"
    page.parent.mkdir(parents=True)
    page.write_text(PAGE.format(slug=owner.slug, name=owner.name, day=day), encoding="utf-8")
    library.import_local(owner, page.parent.parent)


@pytest.fixture
def home(settings, tmp_path):
    settings.HOME = tmp_path / "home"
    return tmp_path


@pytest.mark.django_db
def test_what_one_commune_imports_no_other_finds(served, home):
    other = ensure_organisation("Marsanne")
    import_page(served, home, "mardi")
    import_page(other, home, "jeudi")
    for owner, day, never in ((served, "mardi", "jeudi"), (other, "jeudi", "mardi")):
        found = library.library_of(owner).find("quand se visite le puits ?", Audience.CITIZENS)
        said = " ".join(passage.text for match in found.matches for passage in match.document.passages)
        assert day in said and never not in said


@pytest.mark.django_db
def test_warming_up_opens_the_libraries_in_service_and_only_those(served, home):
    other = ensure_organisation("Marsanne")
    import_page(other, home, "jeudi")
    assert library.warm_up() == 0, "the one in service has nothing, the one that has something is not in service"
    import_page(served, home, "mardi")
    assert library.warm_up() == 1
