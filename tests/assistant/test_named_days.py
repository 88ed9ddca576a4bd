"""A day is read as itself however it is written, or it is said not to be understood: never another day with confidence."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from bocage.assistant.documents import Document, Origin, Passage
from bocage.assistant.feasts import easter
from bocage.assistant.hours import said_hours
from bocage.assistant.hours_notation import WEEKDAYS
from bocage.assistant.moments import folded, read_moment
from bocage.assistant.named_days import named_days
from bocage.contract import french

TODAY = date(2026, 11, 23)  # a Monday
NOW = datetime(2026, 11, 23, 11, 20, tzinfo=ZoneInfo("Europe/Paris"))


def spans(question: str, today: date = TODAY) -> tuple[tuple[date, date], ...] | None:
    return named_days(folded(question), today).spans


def day(question: str, today: date = TODAY) -> date | None:
    """The one day of the question; None when it is not understood."""
    found = spans(question, today)
    if not found:
        return None
    ((first, last),) = found
    assert first == last
    return first


WRITTEN = (
    "{d}/{m}/{y}",
    "le {d}.{m}.{y}",
    "{d:02}-{m:02}-{y}",
    "le {d:02}.{m:02}.{short}",
    "{y}-{m:02}-{d:02}",
    "{y}/{m:02}/{d:02}",
    "{d}/{m}",
    "le {d:02}.{m:02}",
    "le {d}.{m}",
    "le {d:02}-{m:02}",
    "jusqu’au {d}.{m}",
    "{weekday} {d:02}.{m:02}",
    "{weekday} {d}/{m}",
    "{weekday} {d:02}.{m:02}.{y}",
    "le {d} {month}",
    "{d} {month} {y}",
    "{weekday} {d} {month}",
)


@settings(max_examples=300)
@given(st.dates(TODAY, TODAY + timedelta(days=364)), st.sampled_from(WRITTEN), st.sampled_from(["", ".", " ?", " ouvert", " à 9 h"]))
@example(date(2026, 12, 24), "le {d:02}.{m:02}", " ?")
def test_a_date_is_itself_however_it_is_written(wanted: date, written: str, after: str):
    said = written.format(
        d=wanted.day, m=wanted.month, y=wanted.year, short=wanted.year % 100, weekday=french.WEEKDAYS[wanted.weekday()],
        month=french.MONTHS[wanted.month - 1],
    )  # fmt: skip
    assume(said != "7/7")  # seven days a week
    assert day(f"mairie ouverte {said}{after}") == wanted


@settings(max_examples=200)
@given(st.integers(0, 40), st.integers(0, 40), st.sampled_from("./-"), st.sampled_from(["le ", "au ", "mardi ", "du ", ""]))
def test_two_numbers_are_that_date_or_no_date(first: int, second: int, mark: str, before: str):
    found = spans(f"ouvert {before}{first:02}{mark}{second:02} ?")
    assert not found or [(span[0].day, span[0].month) for span in found] == [(first, second)]


EVENTS = ("la braderie", "la Saint-Glinglin", "l’Avent", "la rentrée", "la kermesse", "la fête du village", "la mi-temps")


@settings(max_examples=60)
@given(st.sampled_from(WEEKDAYS), st.sampled_from(EVENTS), st.integers(0, 400))
def test_the_day_of_an_unknown_event_is_no_other_day(weekday: str, event: str, later: int):
    found = named_days(folded(f"ouvert {weekday} de {event} ?"), TODAY + timedelta(days=later))
    assert found.spans is None and found.unclear


@pytest.mark.parametrize(
    "question",
    [
        "le réveillon",
        "la veille",
        "lundi en 8",  # asked on a Monday: in one week, or in two
        "samedi d’après",
        "mardi férié",
        "lundi de Noël",
        "samedi 14-18",
        "samedi 8.12",  # a Tuesday
        "mercredi 9-12",  # the 9th of December, or hours
        "jeudi 24 12",
        "le 31.02",
        "avant Noël",
        "la nuit de Noël",
        "la semaine de Pâques",
        "le week-end du 14 juillet",  # a Wednesday in 2027
    ],
)
def test_what_may_be_two_days_is_not_understood(question: str):
    found = named_days(folded(f"ouvert {question} ?"), TODAY)
    assert found.spans is None and found.unclear


@pytest.mark.parametrize("question", ["les samedis", "hier", "un samedi sur deux", "lundi dernier"])
def test_a_date_is_not_asked_of_a_habit(question: str):
    found = named_days(folded(f"ouvert {question} ?"), TODAY)
    assert found.spans is None and not found.unclear


@pytest.mark.parametrize(
    "question",
    [
        "03.83.11.22.33",
        "03-83-11-22-33",
        "le 06.12.34.56.78",
        "12.10 €",
        "2 et 3.5 €",
        "le 3-5 rue de la Mare",
        "rue du 14 juillet",
        "le 8.30",
    ],
)
def test_a_telephone_a_price_and_an_address_are_no_date(question: str):
    assert not spans(f"{question} ?")


@pytest.mark.parametrize(
    "question, wanted",
    [
        ("mardi gras", "2027-02-09"),
        ("le mercredi des Cendres", "2027-02-10"),
        ("lundi gras", "2027-02-08"),
        ("à la mi-carême", "2027-03-04"),
        ("jeudi saint", "2027-03-25"),
        ("samedi de Pâques", "2027-03-27"),
        ("vendredi de l’Ascension", "2027-05-07"),
        ("le lundi de la Pentecôte", "2027-05-17"),
        ("deuxième jour de Noël", "2026-12-26"),
        ("à la Saint-Étienne", "2026-12-26"),
        ("le réveillon de la St-Sylvestre", "2026-12-31"),
        ("fête nationale", "2027-07-14"),
        ("l’armistice", "2027-11-11"),
        ("la veille du 14 juillet", "2027-07-13"),
        ("la veille de la Toussaint", "2027-10-31"),
        ("le lendemain du 15 août", "2027-08-16"),
        ("l’avant-veille de Noël", "2026-12-23"),
        ("le jour d’après Noël", "2026-12-26"),
        ("la veille de Noël au soir", "2026-12-24"),
        ("le samedi avant Noël", "2026-12-19"),
        ("le lundi après le 14 juillet", "2027-07-19"),
        ("mardi en huit", "2026-12-01"),
        ("mardi en quinze", "2026-12-08"),
        ("demain en huit", "2026-12-01"),
        ("le prochain lundi", "2026-11-30"),
        ("samedi de la semaine prochaine", "2026-12-05"),
        ("le samedi de la mairie", "2026-11-28"),
    ],
)
def test_a_day_that_is_told_by_a_feast_or_another_day_is_found(question: str, wanted: str):
    assert str(day(question)) == wanted


@pytest.mark.parametrize(
    "question, first, last",
    [
        ("la semaine du 14 décembre", "2026-12-14", "2026-12-20"),
        ("la semaine de Noël", "2026-12-21", "2026-12-27"),
        ("le pont de l’Ascension", "2027-05-06", "2027-05-09"),
        ("le week-end de Pâques", "2027-03-27", "2027-03-29"),
        ("le week-end du 28 novembre", "2026-11-28", "2026-11-29"),
        ("le pont du 11 novembre", "2027-11-11", "2027-11-14"),
        ("de la veille de Noël au lendemain du jour de l’an", "2026-12-24", "2027-01-02"),
        ("du 24.12 au 31.12", "2026-12-24", "2026-12-31"),
        ("du 24-12 au 31-12", "2026-12-24", "2026-12-31"),
        ("du 24 au 31/12", "2026-12-24", "2026-12-31"),
        ("le 24 et le 25.12", "2026-12-24", "2026-12-25"),
        ("les 24, 25 et 26/12/2026", "2026-12-24", "2026-12-26"),
    ],
)
def test_days_around_a_day_are_found(question: str, first: str, last: str):
    assert spans(question) == ((date.fromisoformat(first), date.fromisoformat(last)),)


@settings(max_examples=80)
@given(st.dates(TODAY + timedelta(days=2), TODAY + timedelta(days=360)))
def test_the_eve_and_the_morrow_are_a_day_away(named: date):
    said = french.day(named, weekday=False, year=True)
    assert day(f"la veille du {said}") == named - timedelta(days=1)
    assert day(f"le lendemain du {said}") == named + timedelta(days=1)


@settings(max_examples=80)
@given(st.dates(TODAY, TODAY + timedelta(days=1500)))
def test_the_eve_is_the_next_one_to_come(today: date):
    for said, month, number in (("veille de Noël", 12, 24), ("lendemain de Noël", 12, 26), ("veille du jour de l’an", 12, 31)):
        found = day(said, today)
        assert found is not None and (found.month, found.day) == (month, number) and today <= found < today + timedelta(days=367)


def test_the_week_of_a_feast_goes_on_after_the_feast():
    assert spans("la semaine de Noël", date(2026, 12, 26)) == ((date(2026, 12, 26), date(2026, 12, 27)),)


def test_shrove_tuesday_is_a_tuesday_forty_seven_days_before_easter():
    for year in range(2020, 2036):
        found = day("mardi gras", date(year, 1, 10))
        assert found is not None and found.weekday() == 1 and easter(year) - found == timedelta(days=47)


FAIR = {
    "semaine": {"lundi-samedi": "9h-12h"},
    "exceptions": [
        {"date": "2026-04-11", "motif": "foire de printemps"},
        {"date": "2027-04-10", "heures": "10h-11h", "motif": "foire de printemps"},
        {"date": "2027-04-11", "motif": "Foire de printemps"},
        {"du": "2027-03-01", "au": "2027-03-02", "motif": "travaux"},
        {"date": "2027-03-06", "motif": "Mi-carême"},
        {"date": "2027-06-05", "motif": "samedi de la braderie"},
    ],
}


def told(question: str) -> str:
    hall = Document(id="halle", title="Halle", origin=Origin.DIRECTORY, passages=(Passage("Halle"),), facts={"horaires": FAIR})
    return said_hours(hall, question, NOW).replace("\xa0", " ")


def test_the_service_is_understood_by_its_own_names():
    assert told("ouvert pendant la foire de printemps ?").startswith(
        "Samedi 10 avril 2027 (foire de printemps) : ouvert de 10 h à 11 h. Dimanche 11 avril 2027 (Foire de printemps) : fermé."
    )
    assert told("ouvert à la mi-carême ?").startswith("Samedi 6 mars 2027 (Mi-carême) : fermé.")  # and not on the Thursday
    assert told("ouvert le samedi de la braderie ?").startswith("Samedi 5 juin 2027 (samedi de la braderie) : fermé.")
    assert told("ouvert la veille de la foire de printemps ?").startswith("Vendredi 9 avril 2027 : ouvert")
    assert told("fermé pendant les travaux ?").startswith("Lundi 1er mars 2027 (travaux) : fermé.")


def test_a_word_in_passing_is_no_day():
    assert told("ouvert samedi pour un permis de travaux ?").startswith("Samedi 28 novembre : ouvert")


def test_a_day_that_is_not_understood_gets_the_week_and_is_asked_for():
    said = told("ouvert le lundi de la kermesse ?")
    assert said.startswith("Je ne vois pas de quel jour vous parlez : donnez-moi sa date") and "Chaque semaine, du lundi au samedi" in said


@settings(max_examples=100)
@given(st.text(max_size=20), st.text(max_size=40))
def test_any_name_of_a_day_is_read_without_a_fault(reason: str, question: str):
    hours = {"semaine": {"lundi": "9h-12h"}, "exceptions": [{"date": "2027-01-05", "motif": reason}]}
    hall = Document(id="halle", title="Halle", origin=Origin.DIRECTORY, passages=(Passage("Halle"),), facts={"horaires": hours})
    for asked in (question, f"ouvert pendant {reason} ?"):
        said_hours(hall, asked, NOW)
        read_moment(asked, NOW)
