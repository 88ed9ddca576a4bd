"""What is promised can be kept: during opening hours, after them, over weekends and holidays."""

from __future__ import annotations

import contextlib
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bocage.assistant.configuration import Configuration, Service
from bocage.assistant.hours_line import InvalidHours, parse_hours
from bocage.assistant.opening_hours import day_hours, is_open
from bocage.assistant.promise import promise

PARIS = ZoneInfo("Europe/Paris")
HOURS = "lundi au vendredi 9 h-12 h, 14 h-17 h ; samedi 9 h-12 h"
HOUR = timedelta(hours=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS)


def plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u202f", " ")


@pytest.mark.parametrize(
    ("now", "said", "due"),
    [
        ("2026-11-23T09:10", "Le service est ouvert : nous vous répondrons ici avant 10 h 15.", "2026-11-23T10:15"),
        ("2026-11-23T11:40", "Le service est ouvert : nous vous répondrons ici avant 14 h 45.", "2026-11-23T14:45"),
        ("2026-11-23T16:50", "Le service ferme bientôt : nous vous répondrons ici au plus tard demain à 10 h.", "2026-11-24T10:00"),
        ("2026-11-22T05:50", "Le service est fermé : nous vous répondrons demain à partir de 9 h.", "2026-11-23T10:00"),
        ("2026-11-21T13:00", "Le service est fermé : nous vous répondrons lundi à partir de 9 h.", "2026-11-23T10:00"),
        ("2026-11-23T07:00", "Le service est fermé : nous vous répondrons aujourd’hui à partir de 9 h.", "2026-11-23T10:00"),
        ("2026-12-24T18:00", "Le service est fermé : nous vous répondrons samedi à partir de 9 h.", "2026-12-26T10:00"),
    ],
)
def test_promises(now, said, due):
    made = promise(parse_hours(HOURS), at(now), HOUR)
    assert plain(made.sentence) == said and made.due_at == at(due)


def test_without_hours_nothing_is_promised():
    assert promise(None, at("2026-11-23T09:00"), HOUR).due_at is None
    assert promise(parse_hours(""), at("2026-11-23T09:00"), HOUR).due_at is None


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)), st.integers(15, 2880))
@settings(max_examples=300, deadline=None, database=None)
def test_a_promise_falls_in_the_future_and_while_somebody_is_there(when, minutes):
    schedule, now = parse_hours(HOURS), when.replace(tzinfo=PARIS)
    due = promise(schedule, now, timedelta(minutes=minutes)).due_at
    assert due and due > now and due.minute % 15 == 0
    assert is_open(schedule, due - timedelta(minutes=1)), "promised for an hour at which the service is closed"


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)), st.sampled_from(["Indian/Reunion", "America/Cayenne", "Europe/Paris"]))
@settings(max_examples=100, deadline=None, database=None)
def test_a_promise_of_a_night_service_is_kept_when_clocks_move(when, zone):
    schedule = parse_hours("tous les jours 0h-24h ; ouvert les jours fériés", zone)
    now = when.replace(tzinfo=ZoneInfo(zone))
    due = promise(schedule, now, timedelta(minutes=90)).due_at
    assert timedelta(minutes=90) <= due.astimezone(UTC) - now.astimezone(UTC) < timedelta(minutes=105)


@pytest.mark.parametrize(
    ("text", "zone", "closed"),
    [
        ("lundi au samedi 9h-12h", "Europe/Paris", ["2026-05-01", "2026-12-25"]),
        ("lundi au samedi 9h-12h", "Indian/Reunion", ["2026-12-25", "2027-12-20"]),
        ("lundi au samedi 9h-12h", "America/Guadeloupe", ["2026-05-27"]),
        ("lundi au samedi 9h-12h ; jours fériés d’Alsace-Moselle", "Europe/Paris", ["2026-04-03", "2026-12-26"]),
        ("lundi au samedi 9h-12h ; fermé du 24/12/2026 au 02/01/2027 : congés", "Europe/Paris", ["2026-12-24", "2026-12-30", "2027-01-02"]),
        ("lundi au samedi 9h-12h\nFermé le 1er juin 2026\nle 2026-06-02 : fermé", "Europe/Paris", ["2026-06-01", "2026-06-02"]),
    ],
)
def test_holidays_of_the_territory_and_closures_are_closed(text, zone, closed):
    schedule = parse_hours(text, zone)
    assert not [day for day in closed if day_hours(schedule, date.fromisoformat(day)).ranges]
    assert day_hours(schedule, date(2026, 6, 10)).ranges


def test_days_of_the_month_and_exceptional_openings():
    schedule = parse_hours(
        "lundi au vendredi 9h-12h ; 1er samedi du mois 10 h-11 h ; le 12/12/2026 de 14 h à 18 h ; fermé le 14/12/2026 (pont)"
    )
    shown = {day: [(r.start // 60, r.end // 60) for r in day_hours(schedule, date(2026, 12, day)).ranges] for day in (1, 5, 12, 14, 19)}
    assert shown == {1: [(9, 12)], 5: [(10, 11)], 12: [(14, 18)], 14: [], 19: []}
    assert day_hours(schedule, date(2026, 12, 14)).reason == "pont"
    assert not is_open(parse_hours("dimanche 9h-12h ; ouvert les jours fériés"), at("2026-05-01T10:00"))
    assert is_open(parse_hours("tous les jours 9h-12h ; ouvert les jours fériés"), at("2026-05-01T10:00"))


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("lundi au vendredi 9h-12h", 5),
        ("du lundi au samedi de 9 h 30 à 12 h et de 14:00 à 17:30", 6),
        ("lun, mer et ven 8h00-12h00", 3),
        ("mardis : 9hà12h30, de 14 hà17 h", 1),
        ("tous les jours 0h-23h59", 7),
        ("Mardi 9 h–12 h\njeudi 14 h-18 h", 2),
        ("les", 0),
    ],
)
def test_how_people_write_hours(text, days):
    if not days:
        with pytest.raises(InvalidHours):
            parse_hours(text)
        return
    assert sum(bool(ranges) for ranges in parse_hours(text).week.days) == days


@pytest.mark.parametrize(
    "text",
    [
        "fermé le 24/12/2026",
        "lundi 9h-12h ; fermé le 31/02/2027",
        "lundi 9h-12h ; fermé du 02/01/2027 au 24/12/2026",
        "lundi 9h-12h ; le 24/12/2026",
        "lundi 9h-12h ; le 24/12/2026 matin 9h-12h",
        "lundi 9h-12h ; lundi 11h-13h",
        "lundi",
        "lundi 25h-26h",
        "lundi 12h-9h",
        "lundi 9h-12h 11h-13h",
        "blabla 9h-12h",
        "9h-12h",
        "lundi 9h-12h sauf férié",
    ],
)
def test_hours_that_cannot_be_read_teach(text):
    with pytest.raises(InvalidHours) as refused:
        parse_hours(text)
    assert len(refused.value.message) > 20


def test_hours_that_can_no_longer_be_read_refuse_no_request():
    settings = Configuration()
    assert settings.schedule(Service("accueil", "Accueil", hours="à la bonne heure")) is None
    assert settings.schedule(Service("accueil", "Accueil", hours="lundi 9h-12h")) is not None


@given(st.text(max_size=80))
@settings(max_examples=200, deadline=None, database=None)
def test_any_text_is_hours_or_a_sentence(text):
    with contextlib.suppress(InvalidHours):
        parse_hours(text)
