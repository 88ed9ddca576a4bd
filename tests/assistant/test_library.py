"""The shelves: one commune's pages are found by that commune alone, and a server that starts has them open before the first visitor."""

from __future__ import annotations

import gc
import os
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from bocage.assistant import curation, library, storage
from bocage.assistant.documents import Audience
from bocage.assistant.models import CuratedPair
from bocage.assistant.storage import IndexUnreadable
from bocage.organisations.services import ensure_organisation
from bocage.organisations.tenancy import organisation_context

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
        assert day in read(owner) and never not in read(owner)


@pytest.mark.django_db
def test_warming_up_opens_the_libraries_in_service_and_only_those(served, home):
    other = ensure_organisation("Marsanne")
    import_page(other, home, "jeudi")
    assert library.warm_up() == 0, "the one in service has nothing, the one that has something is not in service"
    import_page(served, home, "mardi")
    assert library.warm_up() == 1


ASKED = "Combien coûte la visite du puits ?"
PUBLIC = ("Elle coûte 3,20\u202f€.\n\n \nLes enfants entrent\nsans payer.", "Délibération 2026-14")


def validated(owner, person, answer: str = PUBLIC[0], question: str = ASKED) -> CuratedPair:
    with organisation_context(owner):
        pair = CuratedPair(audience="citoyens", question="?")
        pair.save()
        curation.review(pair, person, True, question, answer, PUBLIC[1])
    return pair


def found(owner, question: str = ASKED) -> str:
    """What comes first of what ``owner`` finds; nothing when it refuses."""
    result = library.library_of(owner).find(question, Audience.CITIZENS)
    return result.matches[0].document.passages[0].text if result.accepted and result.matches else ""


def read(owner) -> str:
    """All that ``owner`` finds on when the well is visited."""
    matches = library.library_of(owner).find("quand se visite le puits ?", Audience.CITIZENS).matches
    return " ".join(passage.text for match in matches for passage in match.document.passages)


def version(owner) -> str:
    return storage.current_version(library._folder(str(owner.pk))).name


@pytest.mark.django_db
def test_a_validated_pair_is_one_whole_citation_with_its_source_and_the_communes_own_day(served, nadia):
    served.time_zone = "Indian/Reunion"
    served.save()
    pair = validated(served, nadia)
    CuratedPair.objects.filter(pk=pair.pk).update(reviewed_at=datetime(2026, 11, 22, 22, tzinfo=UTC))
    (document,) = curation.validated_documents()
    (passage,) = document.passages
    assert passage.text == "Elle coûte 3,20\u202f€.\n\nLes enfants entrent\nsans payer." and passage.path == ("Délibération 2026-14",)
    assert document.updated_on == date(2026, 11, 23)


@pytest.mark.django_db
def test_a_validated_pair_outlives_imports_reindexing_and_restarts_and_the_pages_outlive_it(served, home, nadia):
    pair = validated(served, nadia)
    assert library.serve_pairs(served) and found(served).startswith("Elle coûte"), "before any import"
    import_page(served, home, "mardi")
    assert found(served).startswith("Elle coûte")
    library.reindex()
    assert found(served).startswith("Elle coûte") and "mardi" in read(served)
    library._opened.clear()
    assert found(served).startswith("Elle coûte") and library.pairs_are_served(served)
    curation.withdraw(pair, nadia)
    assert not library.pairs_are_served(served)
    assert library.reindex() == 1 and not found(served).startswith("Elle coûte")
    assert "mardi" in read(served)


@pytest.mark.django_db
def test_the_index_is_built_again_for_its_own_organisation_and_only_when_pairs_changed(served, home, nadia):
    other = ensure_organisation("Marsanne")
    for owner in (served, other):
        import_page(owner, home, "mardi")
    theirs, ours = version(other), version(served)
    assert library.serve_pairs(served) and version(served) == ours, "nothing to serve"
    validated(served, nadia)
    library.serve_pairs(served)
    ours = version(served)
    library.serve_pairs(served)
    assert version(served) == ours and version(other) == theirs and not found(other).startswith("Elle coûte")


@pytest.mark.django_db
def test_a_pair_validated_in_the_middle_of_an_import_is_served_at_its_end_with_the_new_pages(served, home, nadia, monkeypatch):
    build = library.indexes.build

    def slow_build(*given, **options):
        monkeypatch.setattr(library.indexes, "build", build)
        monkeypatch.setattr(library, "_PATIENCE_S", 0.0)
        opened = build(*given, **options)
        validated(served, nadia)
        assert not library.serve_pairs(served), "the import is still at it"
        return opened

    monkeypatch.setattr(library.indexes, "build", slow_build)
    import_page(served, home, "mardi")
    assert found(served).startswith("Elle coûte") and "mardi" in read(served)


@pytest.mark.django_db
def test_pages_that_cannot_be_read_any_more_are_not_replaced_by_pairs_alone(served, home, nadia):
    import_page(served, home, "mardi")
    (library._folder(str(served.pk)) / version(served) / "meta.json").write_text("{", encoding="utf-8")
    library._opened.clear()
    validated(served, nadia)
    with pytest.raises(IndexUnreadable):
        library.serve_pairs(served)
    assert library.reindex() == 0 and library.warm_up() == 0


@pytest.mark.django_db
@pytest.mark.parametrize("question", ["demain ?", "Qui est le maire ?", "C’est combien ?", "Vous êtes ouverts quand ?"])
def test_the_very_question_of_a_pair_is_never_refused(served, home, nadia, question):
    validated(served, nadia, question=question)
    library.serve_pairs(served)
    assert found(served, question.casefold()).startswith("Elle coûte")


@pytest.mark.django_db
def test_a_server_of_many_communes_holds_few_files_open(home, monkeypatch):
    """Forty files an index, times sixty communes, would be more than a process is allowed."""
    monkeypatch.setattr(library, "_MOST_OPEN", 3)
    owners = [ensure_organisation(f"Commune {n}") for n in range(6)]
    for owner, day in zip(owners, ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi"), strict=True):
        import_page(owner, home, day)
    library._opened.clear()
    gc.collect()
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for _ in range(2):
        for owner, day in zip(owners, ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi"), strict=True):
            assert day in read(owner)
    gc.collect()
    assert len(library._opened) == 3
    assert len(os.listdir("/proc/self/fd")) - before <= 3 * 4  # noqa: PTH208
