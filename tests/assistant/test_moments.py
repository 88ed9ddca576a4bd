"""The moment in a question: French days, dates, hours and holidays, in plain words or in a hurry."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bocage.assistant.moments import read_moment
from bocage.contract import french

NOW = datetime(2026, 11, 18, 10, 5, tzinfo=ZoneInfo("Europe/Paris"))  # a Wednesday


@pytest.mark.parametrize(
    "question, kind, start",
    [
        ("La déchetterie est-elle ouverte samedi à 17 h ?", "instant", "2026-11-21 17:00"),
        ("la mairie ferme à quelle heure demain ?", "days", "2026-11-19 00:00"),
        ("c’est ouvert le 14 juillet ?", "days", "2027-07-14 00:00"),
        ("ouvert le lundi de Pentecôte ?", "days", "2027-05-17 00:00"),
        ("Vous êtes ouverts le 24 décembre ?", "days", "2026-12-24 00:00"),
        ("c ouvert le 24/12 a 14h30", "instant", "2026-12-24 14:30"),
        ("ouvert le jeudi 24 décembre 2026 à 9 heures ?", "instant", "2026-12-24 09:00"),
        ("cest ouver ajd", "days", "2026-11-18 00:00"),
        ("ouvert 2main matin", "span", "2026-11-19 06:00"),
        ("et après-demain ?", "days", "2026-11-20 00:00"),
        ("ouvert ce soir ?", "span", "2026-11-18 18:00"),
        ("la piscine est ouverte à midi ?", "instant", "2026-11-18 12:00"),
        ("ouvert entre midi et deux vendredi ?", "span", "2026-11-20 12:00"),
        ("je peux venir maintenant ?", "instant", "2026-11-18 10:05"),
        ("mercredi prochain", "days", "2026-11-25 00:00"),
        ("mercredi", "days", "2026-11-18 00:00"),
        ("samedi en huit", "days", "2026-11-28 00:00"),
        ("ce week-end", "days", "2026-11-21 00:00"),
        ("la semaine prochaine", "days", "2026-11-23 00:00"),
        ("dans deux heures", "instant", "2026-11-18 12:05"),
        ("dans 3 jours", "days", "2026-11-21 00:00"),
        ("ouvert à Noël ?", "days", "2026-12-25 00:00"),
        ("ouvert la veille de Noël ?", "days", "2026-12-24 00:00"),
        ("à la Toussaint", "days", "2027-11-01 00:00"),
        ("le vendredi saint", "days", "2027-03-26 00:00"),
        ("le jeudi de l’Ascension", "days", "2027-05-06 00:00"),
        ("le jour de l’an", "days", "2027-01-01 00:00"),
        ("le 1er mai", "days", "2027-05-01 00:00"),
        ("le 25 ?", "days", "2026-11-25 00:00"),
        ("le 2 à 9h", "instant", "2026-12-02 09:00"),
        ("lundi à 8 heures du soir", "instant", "2026-11-23 20:00"),
        ("jeudi de 14h à 16h", "span", "2026-11-19 14:00"),
        ("à 9h ?", "instant", "2026-11-19 09:00"),  # nine has passed today: tomorrow
        ("le 29 février", "days", "2028-02-29 00:00"),
    ],
)
def test_a_moment_is_understood(question: str, kind: str, start: str):
    moment = read_moment(question, NOW)
    assert moment is not None
    assert (moment.kind, f"{moment.start:%Y-%m-%d %H:%M}") == (kind, start)


@pytest.mark.parametrize(
    "question",
    [
        "",
        "quels papiers pour une carte d’identité ?",
        "ouvert 24h/24 ?",
        "la piscine pendant les vacances de Noël",
        "le marché de Noël",
        "le 31/02",
        "12 rue de la Mare",
    ],
)
def test_no_moment_is_guessed(question: str):
    assert read_moment(question, NOW) is None


@settings(max_examples=80)
@given(st.dates(NOW.date(), NOW.date() + timedelta(days=360)), st.integers(0, 23), st.integers(0, 59))
def test_a_day_and_an_hour_said_in_full_come_back(day, hour, minute):
    said = f"est-ce ouvert {french.day(day, year=True)} à {hour}h{minute:02d} ?"
    moment = read_moment(said, NOW)
    assert moment is not None and moment.start.replace(tzinfo=None) == datetime(day.year, day.month, day.day, hour, minute)


@settings(max_examples=100)
@given(st.text(alphabet="0123456789 hàle/:-demainsoir24", max_size=40) | st.text(max_size=60))
def test_any_question_is_read_without_a_fault(question: str):
    moment = read_moment(question, NOW)
    assert moment is None or moment.start <= moment.end


def test_overseas_days_turn_on_their_own_clock():
    now = datetime(2026, 11, 18, 23, 30, tzinfo=ZoneInfo("Europe/Paris")).astimezone(ZoneInfo("Indian/Reunion"))
    moment = read_moment("ouvert demain ?", now)
    assert moment is not None and moment.start.date().isoformat() == "2026-11-20"
