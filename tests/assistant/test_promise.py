"""What is promised can be kept: during opening hours, after them, over weekends and holidays."""

from __future__ import annotations

import contextlib
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bocage.assistant.promise import InvalidHours, parse_hours, promise

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
    assert schedule.closing(due - timedelta(minutes=1)), "promised for an hour at which the service is closed"


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)))
@settings(max_examples=300, deadline=None, database=None)
def test_the_next_opening_is_open_and_none_is_missed(when):
    schedule, now = parse_hours(HOURS), when.replace(tzinfo=PARIS)
    opening = schedule.next_opening(now)
    assert opening >= now and schedule.closing(opening)
    if opening > now:
        assert not schedule.closing(opening - timedelta(minutes=1))


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("lundi au vendredi 9h-12h", 5),
        ("du lundi au samedi de 9 h 30 à 12 h et de 14:00 à 17:30", 6),
        ("lun, mer et ven 8h00-12h00", 3),
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
    assert len(parse_hours(text).days) == days


@pytest.mark.parametrize(
    "text", ["lundi", "lundi 25h-26h", "lundi 12h-9h", "lundi 9h-12h 11h-13h", "blabla 9h-12h", "9h-12h", "lundi 9h-12h sauf férié"]
)
def test_hours_that_cannot_be_read_teach(text):
    with pytest.raises(InvalidHours) as refused:
        parse_hours(text)
    assert len(refused.value.message) > 20


@given(st.text(max_size=80))
@settings(max_examples=200, deadline=None, database=None)
def test_any_text_is_hours_or_a_sentence(text):
    with contextlib.suppress(InvalidHours):
        parse_hours(text)
