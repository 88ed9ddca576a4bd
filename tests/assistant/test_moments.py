"""The moment in a question: French days, dates, hours and holidays, in plain words or in a hurry."""

from __future__ import annotations

from datetime import datetime, timedelta
from time import process_time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bocage.assistant.hours_notation import parse_schedule
from bocage.assistant.moments import folded, read_moment
from bocage.assistant.opening_hours import Schedule
from bocage.assistant.periods import read_periods
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
        ("ouvert entre 12h et 14h ?", "span", "2026-11-18 12:00"),
        ("ouvert de 9 à 17 h demain ?", "span", "2026-11-19 09:00"),
        ("vendredi 9h30–11h", "span", "2026-11-20 09:30"),
        ("ouvert demain avant 9h ?", "span", "2026-11-19 00:00"),
        ("demain à dix-sept heures", "instant", "2026-11-19 17:00"),
        ("à 17 heures moins le quart", "instant", "2026-11-18 16:45"),
        ("ce soir à 8h", "instant", "2026-11-18 20:00"),
        ("vendredi 27 novembre pendant les vacances", "days", "2026-11-27 00:00"),
        ("vendredi 25", "days", "2026-12-25 00:00"),  # a Friday: not the 27th of November
        ("mardi de la semaine prochaine", "days", "2026-11-24 00:00"),
        ("ouvert jusqu’à 19h demain ?", "days", "2026-11-19 00:00"),
        ("la salle pour 2 h demain ?", "days", "2026-11-19 00:00"),
        ("demain à 9h ou à 14h", "days", "2026-11-19 00:00"),
        ("dans 2h", "instant", "2026-11-18 12:05"),
        ("ouvert dans 1h30 ?", "instant", "2026-11-18 11:35"),
        ("dans une heure et demie", "instant", "2026-11-18 11:35"),
        ("dans 2 heures et quart", "instant", "2026-11-18 12:20"),
        ("dans 45 mn", "instant", "2026-11-18 10:50"),
        ("dans 20min", "instant", "2026-11-18 10:25"),
        ("dans un quart d’heure", "instant", "2026-11-18 10:20"),
        ("dans une demi-heure", "instant", "2026-11-18 10:35"),
        ("dans trois quarts d’heure", "instant", "2026-11-18 10:50"),
        ("dans 24h", "instant", "2026-11-19 10:05"),
        ("dans 3 jours à 10 h", "instant", "2026-11-21 10:00"),
        ("demain à 8.30", "instant", "2026-11-19 08:30"),
        ("lundi 14-16 h", "span", "2026-11-23 14:00"),
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
        "combien pour 2 h de salle ?",
        "pendant 3 heures",
        "durée de 45 min ou 2h",
        "une salle pour 50 habitants",
        "les 2 horaires",
        "ouvert 7/7 ?",
        "ouvert en juillet ?",
        "ouvert cet été à 21h ?",
        "ouvert le samedi en juillet ?",
        "ouvert le soir ?",
        "on peut nager le midi ?",
        "ouvert hier ?",
        "ouvert lundi dernier ?",
        "ouvert un samedi sur deux ?",
        "ouvert le premier samedi du mois ?",
        "ouvert les samedis ?",
        "ouvert vendredi 31/02 ?",
        "place du 8 mai 1945",
        "rue du 14 juillet",
        "ouvert le 24 décembre 9999 ?",
        "ouvert le 31/12/9999 ?",
        "à Pâques 9999",
        "ouvert à 25h ?",
        "ouvert dans les 2 heures ?",
        "ouvert d’ici 2h ?",
        "une réponse sous 24h ?",
        "ouvert samedi dans deux semaines ?",
    ],
)
def test_no_moment_is_guessed(question: str):
    assert read_moment(question, NOW) is None


def named(question: str, now: datetime = NOW) -> list[str]:
    """The whole days that the question is answered for."""
    moment = read_moment(question, now)
    assert moment is not None and moment.kind == "days"
    spans = [(each.start, each.end) for each in (moment, *moment.others)]
    return [f"{start + timedelta(days=n):%m-%d}" for start, end in spans for n in range((end - start).days)]


@pytest.mark.parametrize(
    "question, days",
    [
        ("ouvert le 24 et le 31 décembre ?", ["12-24", "12-31"]),
        ("les 24, 25 et 31 décembre", ["12-24", "12-25", "12-31"]),
        ("jeudi 24 et vendredi 25 décembre", ["12-24", "12-25"]),
        ("du 21 au 24 décembre", ["12-21", "12-22", "12-23", "12-24"]),
        ("du lundi 21 au mercredi 23 décembre", ["12-21", "12-22", "12-23"]),
        ("du 30 décembre au 2 janvier", ["12-30", "12-31", "01-01", "01-02"]),
        ("entre Noël et le jour de l’an", ["12-25", "12-26", "12-27", "12-28", "12-29", "12-30", "12-31", "01-01"]),
        ("ouvert lundi et jeudi ?", ["11-19", "11-23"]),
        ("de lundi à mercredi", ["11-23", "11-24", "11-25"]),
        ("entre lundi et mercredi", ["11-23", "11-24", "11-25"]),
        ("demain et samedi", ["11-19", "11-21"]),
        ("ouvert samedi ou dimanche ?", ["11-21", "11-22"]),
        ("le week-end de Pâques", ["03-27", "03-28", "03-29"]),
        ("du 20 au 22 ?", ["11-20", "11-21", "11-22"]),
    ],
)
def test_every_day_of_a_list_or_of_a_range_is_named(question: str, days: list[str]):
    assert named(question) == days


def test_a_list_that_passes_today_goes_on_into_next_week():
    assert named("lundi et mardi", NOW - timedelta(days=1)) == ["11-23", "11-24"]  # asked on a Tuesday


def test_hours_are_asked_of_each_day_that_is_named():
    moment = read_moment("ouvert lundi et mardi à 17 h ?", NOW)
    assert moment is not None and moment.kind == "instant"
    assert [f"{each.start:%a %H}" for each in (moment, *moment.others)] == ["Mon 17", "Tue 17"]


@settings(max_examples=80)
@given(st.dates(NOW.date(), NOW.date() + timedelta(days=300)), st.integers(1, 7))
def test_a_range_of_dates_comes_back_whole(first, length):
    last = first + timedelta(days=length)
    moment = read_moment(f"ouvert du {french.day(first)} au {french.day(last)} ?", NOW)
    assert moment is not None and not moment.others
    assert (moment.start.date(), moment.end.date()) == (first, last + timedelta(days=1))


PLAIN = parse_schedule({"semaine": {"lundi-vendredi": "9h-12h"}})
SEASONAL = parse_schedule(
    {
        "saisons": [
            {"nom": "horaires d’été", "du": "04-01", "au": "09-30", "semaine": {"lundi": "7h-22h"}},
            {"nom": "vacances de Noël", "du": "2026-12-19", "au": "2027-01-03", "semaine": {"lundi": "10h-12h"}},
        ]
    }
)


def periods(question: str, schedule: Schedule = PLAIN) -> list[str]:
    return [f"{period.start} {period.end}" for period in read_periods(folded(question), NOW.date(), schedule)]


@pytest.mark.parametrize(
    "question, found",
    [
        ("ferme à quelle heure en juillet ?", ["2027-07-01 2027-07-31"]),
        ("horaires juillet et août", ["2027-07-01 2027-08-31"]),
        ("de novembre à février", ["2026-11-18 2027-02-28"]),  # this month: what is left of it
        ("en février et en mai", ["2027-02-01 2027-02-28", "2027-05-01 2027-05-31"]),
        ("cet été à 21h", ["2027-06-21 2027-09-21"]),
        ("l’hiver", ["2026-12-21 2027-03-19"]),
        ("pendant les vacances de la Toussaint", ["2027-10-23 2027-11-07"]),
        ("vacances de Noël", ["2026-12-19 2027-01-03"]),
        ("vacances de février", ["2027-02-06 2027-03-07"]),  # the three zones
        ("ma demande a été reçue", []),
        ("le 5 juillet", []),
        ("pendant les vacances", []),
    ],
)
def test_months_seasons_and_school_holidays_are_read(question: str, found: list[str]):
    assert periods(question) == found


def test_the_service_knows_its_own_seasons_first():
    assert periods("ouvert cet été ?", SEASONAL) == ["2027-04-01 2027-09-30"]
    assert periods("horaires pendant les vacances", SEASONAL) == ["2026-12-19 2027-01-03"]


@settings(max_examples=60)
@given(st.integers(0, 72), st.integers(0, 59))
def test_a_delay_is_counted_from_now(hours: int, minutes: int):
    moment = read_moment(f"ce sera ouvert dans {hours}h{minutes:02d} ?", NOW)
    assert moment is not None and moment.start == NOW + timedelta(hours=hours, minutes=minutes)


def test_fifteen_days_are_two_weeks_or_fifteen_days():
    assert named("dans 15 jours") == named("dans quinze jours") == ["12-02", "12-03"]
    assert named("dans deux semaines") == ["12-02"]


@pytest.mark.parametrize(
    "territory, found",
    [
        ("FR-57", ["2027-02-20 2027-03-07"]),
        ("FR-6AE", ["2027-02-20 2027-03-07"]),
        ("FR-67", ["2027-02-20 2027-03-07"]),
        ("FR-35", ["2027-02-20 2027-03-07"]),
        ("FR-2A", []),
        ("FR-974", []),
    ],
)
def test_school_holidays_are_those_of_the_territory_or_unknown(territory: str, found: list[str]):
    assert periods("vacances d’hiver", parse_schedule({"territoire": territory})) == found


@pytest.mark.parametrize(
    "piece", ["lundi et ", "24, ", "combien ", "12h-", "de 9 à ", "vacances de ", "juillet à ", "le 3 et ", "rue de la "]
)
def test_a_question_that_repeats_itself_is_read_in_a_moment(piece: str):
    question = piece * 2000
    started = process_time()
    read_moment(question, NOW)
    read_periods(folded(question), NOW.date(), PLAIN)
    assert process_time() - started < 1


@settings(max_examples=80)
@given(st.dates(NOW.date(), NOW.date() + timedelta(days=360)), st.integers(0, 23), st.integers(0, 59))
def test_a_day_and_an_hour_said_in_full_come_back(day, hour, minute):
    said = f"est-ce ouvert {french.day(day, year=True)} à {hour}h{minute:02d} ?"
    moment = read_moment(said, NOW)
    assert moment is not None and moment.start.replace(tzinfo=None) == datetime(day.year, day.month, day.day, hour, minute)


@pytest.mark.parametrize(
    ("territory", "summer"),
    [
        ("FR-974", "2026-12-21 2027-03-19"),
        ("FR-988", "2026-12-21 2027-03-19"),
        ("FR-971", "2027-06-21 2027-09-21"),
        ("FR", "2027-06-21 2027-09-21"),
    ],
)
def test_summer_is_that_of_the_hemisphere(territory: str, summer: str):
    assert periods("ouvert cet été ?", parse_schedule({"territoire": territory})) == [summer]


def test_holidays_of_a_month_are_those_that_the_service_names_then_and_else_the_month():
    told = {"nom": "vacances de l’été austral", "du": "12-20", "au": "01-24", "semaine": {"lundi": "9h-12h"}}
    later = told | {"nom": "vacances de mai", "du": "05-02", "au": "05-16"}
    assert periods("horaires pendant les vacances de janvier", parse_schedule({"saisons": [told, later]})) == ["2026-12-20 2027-01-24"]
    assert periods("horaires pendant les vacances de janvier") == ["2027-01-01 2027-01-31"]


@settings(max_examples=100)
@given(st.text(alphabet="0123456789 hàle/:-,demainsoir24t", max_size=40) | st.text(max_size=60))
def test_any_question_is_read_without_a_fault(question: str):
    moment = read_moment(question, NOW)
    assert moment is None or moment.start <= moment.end


def test_overseas_days_turn_on_their_own_clock():
    now = datetime(2026, 11, 18, 23, 30, tzinfo=ZoneInfo("Europe/Paris")).astimezone(ZoneInfo("Indian/Reunion"))
    moment = read_moment("ouvert demain ?", now)
    assert moment is not None and moment.start.date().isoformat() == "2026-11-20"
