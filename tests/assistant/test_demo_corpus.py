"""The corpus of the demonstration: whole, dated, labelled as fictional, and without a page that contradicts the directory."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta

import pytest

from bocage.assistant.demo import SOURCES
from bocage.assistant.documents import Audience, Document
from bocage.assistant.hours_sentences import sentence
from bocage.assistant.opening_hours import Schedule, is_open, next_opening
from bocage.assistant.sources import read_source
from bocage.assistant.sources.directory import schedule_of


@pytest.fixture(scope="module")
def corpus() -> dict[str, list[Document]]:
    reports = {kind: read_source(kind, path) for kind, path in SOURCES.items()}
    assert [error.sentence() for report in reports.values() for error in report.errors] == []
    return {kind: report.documents for kind, report in reports.items()}


def hours(corpus: dict[str, list[Document]], service: str) -> Schedule:
    found = schedule_of(next(d for d in corpus["annuaire"] if d.id == service))
    assert found is not None
    return found


def test_it_is_as_large_as_a_plausible_commune(corpus: dict[str, list[Document]]):
    assert len(corpus["pages"]) >= 40 and len(corpus["annuaire"]) >= 12
    assert len(corpus["questions"]) >= 20 and len(corpus["deliberations"]) >= 5
    assert {audience for d in corpus["pages"] for audience in d.audiences} == set(Audience)


def test_every_document_is_dated_and_says_that_it_is_fictional(corpus: dict[str, list[Document]]):
    for document in (d for documents in corpus.values() for d in documents):
        assert document.updated_on is not None and document.licence, document.id
        assert "fictive" in document.publisher, document.id


def test_every_page_has_a_service_to_contact_that_is_in_the_directory(corpus: dict[str, list[Document]]):
    services = {d.id for d in corpus["annuaire"]}
    for document in [*corpus["pages"], *corpus["questions"]]:
        assert document.facts["service"] in services, document.id
    assert all(d.steps for d in corpus["pages"])


def test_phone_numbers_are_those_kept_for_fiction_or_for_help(corpus: dict[str, list[Document]]):
    """ARCEP keeps 02 61 91 xx xx for works of fiction."""
    for document in (d for documents in corpus.values() for d in documents):
        text = " ".join([*(p.text for p in document.passages), *(s.target for s in document.steps)])
        assert all(number.startswith("02 61 91") for number in re.findall(r"\b0\d(?: \d{2}){4}\b", text)), document.id


def test_pages_and_directory_give_the_same_prices(corpus: dict[str, list[Document]]):
    def prices(documents: list[Document]) -> set[str]:
        return {found for d in documents for p in d.passages for found in re.findall(r"\d+(?:,\d+)?\s€", p.text.replace("\u202f", ""))}

    by_id = {d.id: d for d in corpus["pages"]}
    for service, pages in (("piscine", ["piscine"]), ("guichet-familles", ["tarifs-cantine"]), ("cimetiere", ["cimetiere"])):
        told = {p.replace(",50", ",5").rstrip("0 €") for p in prices([d for d in corpus["annuaire"] if d.id == service])}
        written = {p.replace(",50", ",5").rstrip("0 €") for p in prices([by_id[page] for page in pages])}
        assert told <= written, service


@pytest.mark.parametrize(
    "service, when, open_",
    [
        ("decheterie-brenoux", "2026-11-21 16:59", True),
        ("decheterie-brenoux", "2026-11-21 17:30", False),
        ("decheterie-brenoux", "2027-07-17 18:00", True),  # summer
        ("mairie-brenoux", "2026-11-20 17:00", True),
        ("mairie-brenoux", "2026-12-24 14:00", False),
        ("mairie-marsanne", "2026-12-05 10:00", True),  # first Saturday
        ("mairie-marsanne", "2026-12-12 10:00", False),
        ("piscine", "2027-07-14 11:00", True),
        ("piscine", "2026-12-29 15:00", False),  # being emptied
        ("marche", "2027-05-17 09:00", True),  # Whit Monday
        ("marche", "2027-03-29 09:00", False),  # Easter Monday
        ("cimetiere", "2026-11-01 18:30", True),
        ("police-municipale", "2026-11-11 11:00", True),
    ],
)
def test_the_hours_that_people_ask_about(corpus: dict[str, list[Document]], service: str, when: str, open_: bool):
    assert is_open(hours(corpus, service), datetime.fromisoformat(when)) is open_


def test_every_service_opens_again_and_says_so_any_day_of_the_year(corpus: dict[str, list[Document]]):
    for document in corpus["annuaire"]:
        schedule = hours(corpus, document.id)
        for number in range(0, 365, 40):
            at = datetime.combine(date(2026, 11, 22) + timedelta(days=number), datetime.min.time())
            assert next_opening(schedule, at) is not None
            assert sentence(schedule, at).endswith(".")
