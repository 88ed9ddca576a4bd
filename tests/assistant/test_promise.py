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
from bocage.assistant.opening_hours import day_hours, is_open, openings_between
from bocage.assistant.promise import promise, promised, standing

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
        ("2026-11-23T09:10", "lundi 23 novembre à 10 h 15", "2026-11-23T10:15"),
        ("2026-11-23T11:40", "lundi 23 novembre à 14 h 45", "2026-11-23T14:45"),
        ("2026-11-23T16:50", "mardi 24 novembre à 10 h", "2026-11-24T10:00"),
        ("2026-11-22T05:50", "lundi 23 novembre à 10 h", "2026-11-23T10:00"),
        ("2026-11-21T13:00", "lundi 23 novembre à 10 h", "2026-11-23T10:00"),
        ("2026-12-24T18:00", "samedi 26 décembre à 10 h", "2026-12-26T10:00"),
        ("2026-12-31T16:30", "samedi 2 janvier 2027 à 9 h 30", "2027-01-02T09:30"),
    ],
)
def test_a_promise_names_its_day_by_its_date(now, said, due):
    made = promise(parse_hours(HOURS), at(now), HOUR)
    assert plain(made.sentence) == f"Nous vous répondrons ici au plus tard le {said}." and made.due_at == at(due)


@pytest.mark.parametrize(
    ("hours", "now", "minutes", "due"),
    [
        ("lundi au vendredi 9h-12h, 14h-17h", "2026-11-23T09:05", 480, "2026-11-24T11:15"),
        ("tous les jours 0h-24h", "2026-11-23T09:05", 480, "2026-11-23T17:15"),
        ("lundi au vendredi 9h-12h, 14h-17h", "2026-11-20T18:00", 2880, "2026-12-02T17:00"),
        ("samedi 9h-10h", "2026-11-23T09:05", 2880, "2027-11-06T10:00"),
        ("1er lundi du mois 9h-9h30", "2026-11-23T09:05", 2880, None),
        ("lundi au vendredi 9h-16h50", "2026-11-23T15:48", 60, "2026-11-23T16:50"),
    ],
)
def test_a_long_delay_gets_the_deadline_that_is_kept_or_none(hours, now, minutes, due):
    made = promise(parse_hours(hours), at(now), timedelta(minutes=minutes))
    assert made.due_at == (at(due) if due else None)
    assert "aucun délai n’est promis" in made.sentence if due is None else "au plus tard le" in made.sentence
    assert len(made.sentence) <= 200, "the row keeps no more"


def test_without_hours_nothing_is_promised():
    for schedule in (None, parse_hours("")):
        made = promise(schedule, at("2026-11-23T09:00"), HOUR)
        assert made.due_at is None and "aucun délai n’est promis" in made.sentence
        assert standing(None, at("2027-11-23T09:00")) == made.sentence, "nothing can be late"


def test_once_the_moment_has_passed_the_promise_says_that_it_is_late():
    due = at("2026-11-23T10:00")
    assert "au plus tard le lundi 23" in plain(standing(due, due))
    late = plain(standing(due, due + timedelta(minutes=1)))
    assert "au plus tard le lundi 23 novembre à 10 h : nous sommes en retard" in late
    assert "lundi 23 novembre 2026" in plain(standing(due, at("2027-01-04T09:00"))), "another year is said"


def test_a_promise_is_told_on_the_clock_of_the_commune():
    due = datetime(2026, 11, 23, 22, 30, tzinfo=UTC)
    assert "mardi 24 novembre à 2 h 30" in plain(promised(due, due.astimezone(ZoneInfo("Indian/Reunion"))))
    assert "lundi 23 novembre à 19 h 30" in plain(promised(due, due.astimezone(ZoneInfo("America/Cayenne"))))


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)),
    st.integers(15, 2880),
    st.sampled_from(
        [HOURS, "mardi 20h-24h ; mercredi 0h-2h", "tous les jours 0h-24h ; ouvert les jours fériés", "1er jeudi du mois 9 h-12 h"]
    ),
)
@settings(max_examples=150, deadline=None, database=None)
def test_by_the_deadline_the_service_was_open_for_the_whole_delay_and_hardly_more(when, minutes, hours):
    schedule, now = parse_hours(hours), when.replace(tzinfo=PARIS)
    due, delay = promise(schedule, now, timedelta(minutes=minutes)).due_at, timedelta(minutes=minutes)
    if due is None:
        return
    open_for = sum(
        ((end.astimezone(UTC) - start.astimezone(UTC)) for start, end in openings_between(schedule, now, due)), start=timedelta()
    )
    assert delay <= open_for < delay + timedelta(minutes=15)


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
