"""Opening hours are computed: against a checker that walks minute by minute, and on the days that people ask about."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bocage.assistant.documents import Document, Origin, Passage
from bocage.assistant.hours import said_hours
from bocage.assistant.hours_notation import ScheduleError, parse_ranges, parse_schedule
from bocage.assistant.hours_sentences import describe, sentence
from bocage.assistant.moments import Moment, read_moment
from bocage.assistant.opening_hours import Range, Schedule, day_hours, is_open, next_closing, next_opening

PARIS = ZoneInfo("Europe/Paris")
ZONES = ("Europe/Paris", "Indian/Reunion", "America/Martinique", "America/Miquelon", "Pacific/Noumea")
WINDOW = 3 * 1440


@st.composite
def hours(draw: st.DrawFn) -> str:
    """A day: closed, or one or two ranges, the last one perhaps past midnight, perhaps within the hour that clocks skip or repeat."""
    count = draw(st.integers(0, 2))
    edges = sorted(draw(st.lists(st.integers(0, 1439), min_size=2 * count, max_size=2 * count, unique=True)))
    pairs = list(zip(edges[::2], edges[1::2], strict=True))
    if pairs and draw(st.booleans()) and pairs[-1][0] > 60:
        pairs[-1] = (pairs[-1][0], draw(st.integers(0, min(pairs[0][0], 300))))
    return ", ".join(f"{a // 60}h{a % 60:02d}-{b // 60}h{b % 60:02d}" for a, b in pairs if a != b) or "fermé"


@st.composite
def schedules(draw: st.DrawFn) -> Schedule:
    days = ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche", "1er samedi", "dernier dimanche"]
    week = st.dictionaries(st.sampled_from(days), hours(), max_size=6)
    near = st.dates(date(2026, 3, 20), date(2026, 4, 10)) | st.dates(date(2026, 10, 15), date(2026, 11, 12))
    exceptions = draw(st.lists(st.builds(lambda d, h: {"date": d.isoformat(), "heures": h}, near, hours()), max_size=3))
    season = {"nom": "hiver", "du": "10-20", "au": "03-31", "semaine": draw(week)}
    table = {
        "semaine": draw(week),
        "saisons": [season] if draw(st.booleans()) else [],
        "exceptions": exceptions,
        "feries": draw(st.sampled_from(["fermé", "ouvert", "10h-12h"])),
        "fuseau": draw(st.sampled_from(ZONES)),
    }
    return parse_schedule(table)


moments = st.datetimes(datetime(2026, 3, 26), datetime(2026, 4, 7)) | st.datetimes(datetime(2026, 10, 22), datetime(2026, 11, 12))


def minute_by_minute(schedule: Schedule, start: datetime, minutes: int) -> list[bool]:
    """Open or not at each minute from ``start`` (UTC): a clock is read, nothing is converted back, no interval is computed."""
    zone = ZoneInfo(schedule.timezone)
    first = start - timedelta(days=3)
    walls = [(first + timedelta(minutes=n)).astimezone(zone).replace(tzinfo=None) for n in range(minutes + 3 * 1440)]
    states = [0] * (len(walls) + 1)
    highest, rising = datetime.min, []
    for n, wall in enumerate(walls):
        if wall > highest:
            highest = wall
            rising.append((wall, n))
    day, last = walls[0].date() + timedelta(days=1), walls[-1].date()
    while day <= last:
        for span in day_hours(schedule, day).ranges:
            edges = []
            for minute in (span.start, span.end):
                wanted = datetime.combine(day, time()) + timedelta(minutes=minute)
                edges.append(next((n for wall, n in rising if wall >= wanted), len(walls)))
            for n in range(edges[0], edges[1]):
                states[n] += 1
        day += timedelta(days=1)
    return [state > 0 for state in states[3 * 1440 : len(walls)]]


@settings(max_examples=25, deadline=None)
@given(schedules(), moments)
def test_open_opening_and_closing_agree_with_the_minutes(schedule: Schedule, moment: datetime):
    start = moment.replace(second=0, microsecond=0, tzinfo=UTC)
    states = minute_by_minute(schedule, start, WINDOW)
    for n in range(0, WINDOW, 97):
        assert is_open(schedule, start + timedelta(minutes=n)) == states[n]
    opens = next((n for n in range(1, WINDOW) if states[n] and not states[n - 1]), None)
    closes = next((n for n in range(1, WINDOW) if not states[n] and states[n - 1]), None)
    limit = start + timedelta(minutes=WINDOW)
    for computed, counted in ((next_opening(schedule, start), opens), (next_closing(schedule, start), closes)):
        # In UTC: Python holds two zones unequal during the hour that comes twice.
        found = computed.astimezone(UTC) if computed else limit
        assert (found if found < limit else None) == (start + timedelta(minutes=counted) if counted else None)


@settings(max_examples=50, deadline=None)
@given(schedules(), moments)
def test_the_sentence_never_contradicts_the_computation(schedule: Schedule, moment: datetime):
    said = sentence(schedule, moment)
    assert said.startswith("Oui" if is_open(schedule, moment) else "Non")
    assert not said.startswith("Non") or "Prochaine ouverture" in said or "Aucune ouverture" in said


@settings(max_examples=40, deadline=None)
@given(schedules(), moments, st.integers(15, 16 * 60))
def test_a_span_is_yes_only_when_every_minute_of_it_is_open(schedule: Schedule, moment: datetime, length: int):
    start = moment.replace(second=0, microsecond=0, tzinfo=UTC).astimezone(ZoneInfo(schedule.timezone))
    end = (start.astimezone(UTC) + timedelta(minutes=length)).astimezone(start.tzinfo)
    said = sentence(schedule, Moment("span", start, end))
    states = minute_by_minute(schedule, start.astimezone(UTC), length)
    wanted = "Oui, c’est" if all(states) else "Oui, en partie" if any(states) else "Non"
    assert said.startswith(wanted)


@settings(max_examples=40, deadline=None)
@given(schedules(), moments)
def test_a_day_is_said_closed_only_when_no_minute_of_it_is_open(schedule: Schedule, moment: datetime):
    zone = ZoneInfo(schedule.timezone)
    start, end = (datetime.combine(moment.date() + timedelta(days=n), time(), zone) for n in (0, 1))
    said = sentence(schedule, Moment("days", start, end))
    minutes = int((end.astimezone(UTC) - start.astimezone(UTC)).total_seconds() // 60)
    if " : fermé" in said:
        assert not any(minute_by_minute(schedule, start.astimezone(UTC), minutes))
    assert not said.startswith(("Oui", "Non"))


@settings(max_examples=100)
@given(st.text(max_size=30) | st.builds("{}h{}-{}h".format, st.integers(0, 30), st.integers(0, 70), st.integers(0, 30)))
@example("25h-26h")
@example("9h")
def test_any_text_is_hours_or_a_sentence_that_teaches(text: str):
    try:
        ranges = parse_ranges(text)
    except ScheduleError as error:
        assert text in str(error)
    else:
        assert all(0 <= r.start < 1440 and r.start < r.end <= 2880 for r in ranges)


@pytest.mark.parametrize(
    "text", ["9h-12h, 14h-17h30", "09:00-12:00, 14:00-17:30", "de 9h à midi et de 14h à 17h30", "9h – 12h ; 14h – 17h30"]
)
def test_people_write_hours_in_several_ways(text: str):
    assert parse_ranges(text) == (Range(540, 720), Range(840, 1050))


TOWN_HALL = parse_schedule(
    {
        "semaine": {"lundi-vendredi": "9h-12h, 14h-17h", "1er samedi": "9h-12h"},
        "saisons": [{"nom": "horaires d’été", "du": "07-01", "au": "08-31", "semaine": {"lundi-vendredi": "8h-13h"}}],
        "feries_nommes": {"Lundi de Pentecôte": "ouvert", "Armistice": "10h-12h"},
        "exceptions": [
            {"date": "2026-12-24", "heures": "9h-12h", "motif": "veille de Noël"},
            {"du": "2026-12-28", "au": "2027-01-02", "motif": "congés de fin d’année"},
        ],
    }
)


@pytest.mark.parametrize(
    "when, open_",
    [
        ("2026-11-18 09:00", True),
        ("2026-11-18 12:00", False),
        ("2026-11-18 16:59", True),
        ("2026-11-07 10:00", True),  # first Saturday
        ("2026-11-14 10:00", False),
        ("2026-07-14 10:00", False),
        ("2026-07-15 12:30", True),  # summer
        ("2026-05-25 10:00", True),  # Whit Monday, open by name
        ("2026-11-11 09:30", False),  # Armistice has its own hours
        ("2026-11-11 11:00", True),
        ("2026-12-24 15:00", False),
        ("2026-12-30 10:00", False),
    ],
)
def test_the_days_that_people_ask_about(when: str, open_: bool):
    assert is_open(TOWN_HALL, datetime.fromisoformat(when)) is open_


def test_a_closed_day_says_why_and_when_it_opens_again():
    assert sentence(TOWN_HALL, datetime(2026, 12, 24, 15)) == (
        "Non, c’est fermé jeudi 24 décembre à 15 h. Ce jour-là : de 9 h à 12 h (veille de Noël). "
        "Prochaine ouverture : lundi 4 janvier à 9 h."
    ).replace(" décembre", "\xa0décembre").replace(" janvier", "\xa0janvier").replace(" h", "\xa0h")
    assert "jour férié : Fête nationale" in sentence(TOWN_HALL, datetime(2026, 7, 14, 10))
    assert "2027" in sentence(TOWN_HALL, datetime(2026, 12, 24, 15), now=date(2026, 12, 20))


@pytest.mark.parametrize(
    "territory, day, closed",
    [
        ("FR", date(2026, 12, 26), False),
        ("FR-6AE", date(2026, 12, 26), True),
        ("FR-67", date(2026, 12, 26), True),
        ("FR-2B", date(2026, 12, 26), False),
        ("FR-57", date(2026, 4, 3), True),
        ("FR", date(2026, 4, 3), False),
        ("FR-974", date(2027, 12, 20), True),
        ("FR-971", date(2026, 5, 27), True),
        ("FR", date(2026, 5, 27), False),
    ],
)
def test_alsace_moselle_and_overseas_keep_their_own_holidays(territory: str, day: date, closed: bool):
    schedule = parse_schedule({"semaine": {"tous les jours": "9h-12h"}, "territoire": territory})
    assert bool(day_hours(schedule, day).ranges) is not closed


def test_overseas_clocks_are_their_own():
    schedule = parse_schedule({"semaine": {"lundi-vendredi": "8h-12h"}}, timezone="Indian/Reunion", territory="FR-974")
    assert is_open(schedule, datetime(2026, 11, 18, 6, 30, tzinfo=PARIS))  # 9:30 in Saint-Denis
    assert not is_open(schedule, datetime(2026, 11, 18, 9, 30, tzinfo=PARIS))


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25)])
def test_a_round_the_clock_service_never_closes_when_clocks_move(day: date):
    schedule = parse_schedule({"semaine": {"tous les jours": "24h/24"}, "feries": "ouvert"})
    start = datetime.combine(day, time(), PARIS).astimezone(UTC)
    assert all(is_open(schedule, start + timedelta(minutes=n)) for n in range(26 * 60))
    assert "24 heures sur 24" in sentence(schedule, datetime.combine(day, time(12)))


def test_a_bar_open_past_midnight_is_open_the_next_morning():
    schedule = parse_schedule({"semaine": {"samedi": "20h-2h"}})
    assert is_open(schedule, datetime(2026, 11, 22, 1, 59)) and not is_open(schedule, datetime(2026, 11, 22, 2))


@pytest.mark.parametrize(
    "table, said",
    [
        ({"semaine": {"lundy": "9h-12h"}}, "lundy"),
        ({"semaine": {"lundi": "9h-12h, 11h-14h"}}, "recouvrent"),
        ({"semaine": "9h"}, "table"),
        ({"feries_nommes": {"Saint-Glinglin": "ouvert"}}, "Pentecôte"),
        ({"exceptions": [{"date": "24 décembre"}]}, "2026-12-24"),
        ({"exceptions": [{"du": "2026-12-24", "au": "2026-12-20"}]}, "avant de commencer"),
        ({"saisons": [{"du": "02-30", "au": "03-01"}]}, "n’est pas un jour"),
        ({"saisons": [{"du": "07-01", "au": "2026-08-31"}]}, "saison"),
        ({"fuseau": "Mars/Olympus"}, "fuseau.*Europe/Paris.*Indian/Reunion"),
        ({"fuseau": "../../etc/passwd"}, "fuseau"),
        ({"fuseau": "Europe/Paris", "territoire": "FR-99"}, "^le territoire « FR-99 ».*FR-67.*FR-988"),
        ({"horaire": "9h"}, "pas connu"),
    ],
)
def test_a_wrong_notation_says_what_is_expected(table: dict[str, object], said: str):
    with pytest.raises(ScheduleError, match=said):
        parse_schedule(table)


TUESDAY = datetime(2026, 11, 24, 10, 20, tzinfo=PARIS)
DESK = {
    "semaine": {"lundi": "13h30-17h30", "mardi-vendredi": "8h30-12h15, 13h30-17h30", "samedi": "9h-11h45"},
    "saisons": [{"nom": "horaires d’été", "du": "07-13", "au": "08-22", "semaine": {"lundi-vendredi": "8h30-14h"}}],
    "exceptions": [{"date": "2026-12-24", "heures": "8h30-12h", "motif": "veille de Noël"}, {"date": "2025-05-02", "motif": "pont"}],
}


def told(question: str, hours: dict[str, object] = DESK, now: datetime = TUESDAY) -> str:
    """What the assistant says of the hours, blanks made plain."""
    desk = Document(id="accueil", title="Accueil", origin=Origin.DIRECTORY, passages=(Passage("Accueil"),), facts={"horaires": hours})
    return said_hours(desk, question, now).replace("\xa0", " ")


def test_a_span_of_hours_is_answered_for_the_whole_of_it():
    assert told("c’est ouvert entre 12h et 14h ?").startswith(
        "Oui, en partie : mardi 24 novembre de 12 h à 14 h, "
        "c’est ouvert de 12 h à 12 h 15 et de 13 h 30 à 14 h, fermé de 12 h 15 à 13 h 30."
    )
    assert told("ouvert de 9h à 11h ?").startswith("Oui, c’est ouvert mardi 24 novembre de 9 h à 11 h.")
    assert told("ouvert demain entre 18h et 20h ?").startswith("Non, c’est fermé mercredi 25 novembre de 18 h à 20 h.")


def test_an_opening_at_the_very_end_of_what_is_asked_is_the_next_one():
    split = {"semaine": {"mardi": "8h30-12h, 14h-17h"}}
    assert told("ouvert entre midi et deux ?", split).endswith("Prochaine ouverture : mardi 24 novembre à 14 h.")


def test_each_day_that_is_asked_is_answered():
    said = told("ouvert le 24 et le 31 décembre ?")
    assert "Jeudi 24 décembre (veille de Noël) : ouvert de 8 h 30 à 12 h." in said and "Jeudi 31 décembre : ouvert" in said
    assert told("entre Noël et le jour de l’an ?").count(" : ") >= 8
    assert told("ouvert lundi et mardi à 17h ?").count("Oui, c’est ouvert") == 2


def test_a_month_says_the_hours_that_hold_in_it():
    assert told("vous fermez à quelle heure en août ?") == (
        "Du 1er août au 22 août 2027 (horaires d’été), du lundi au vendredi : de 8 h 30 à 14 h ; samedi et dimanche : fermé. "
        "Du 23 août au 31 août 2027, lundi : de 13 h 30 à 17 h 30 ; du mardi au vendredi : de 8 h 30 à 12 h 15 et de 13 h 30 à 17 h 30 ; "
        "samedi : de 9 h à 11 h 45 ; dimanche : fermé."
    )


def test_a_long_range_says_what_rules_it_and_the_days_apart():
    said = told("ouvert du 21 décembre au 4 janvier ?")
    assert said.startswith("Du 21 décembre au 4 janvier 2027, lundi : de 13 h 30 à 17 h 30 ;")
    assert "Jeudi 24 décembre (veille de Noël) : de 8 h 30 à 12 h. Vendredi 25 décembre (jour férié : Noël) : fermé." in said


def test_only_a_question_about_now_is_answered_about_now():
    assert told("êtes-vous ouverts ?").startswith("Oui, c’est ouvert mardi 24 novembre à 10 h 20.")
    assert "Chaque semaine, lundi : de 13 h 30 à 17 h 30 ;" in told("la mairie est-elle ouverte ?")
    assert told("ouvert maintenant ?", now=TUESDAY.replace(hour=13, minute=0)).startswith("Non, c’est fermé mardi 24 novembre à 13 h.")
    assert told("quels sont les horaires de la mairie ?").startswith("Mardi 24 novembre : ouvert de 8 h 30")


@pytest.mark.parametrize(
    "question",
    [
        "horaires",
        "vous fermez à quelle heure ?",
        "à quelle heure fermez-vous ce soir ?",
        "c’est fermé ?",
        "fermez-vous à 18h ?",
        "ouvert le soir ?",
        "ouvert hier ?",
        "ouvert les samedis ?",
        "quel jour êtes-vous fermés ?",
        "ouvert le 31/02 ?",
        "ouvert cet été à 21h ?",
        "ouvert pendant les vacances de février ?",
        "ouvert aux bébés ?",
        "serez-vous ouverts ?",
        "ouvert un samedi sur deux ?",
        "ouvert jusqu’à 19h ?",
        "combien coûte la salle samedi de 14h à 18h ?",
        "horaires du 3e trimestre",
        "ouvert pour 2 enfants de 5 et 7 ans ?",
    ],
)
def test_what_is_no_question_of_yes_or_no_gets_hours_and_neither(question: str):
    said = told(question)
    assert said and "Oui" not in said and "Non" not in said


def test_a_duration_is_no_hour():
    assert told("combien pour 2 h de salle ?") == ""
    assert told("combien coûte la salle pendant trois heures ?") == ""


def test_what_is_over_is_left_out_of_the_whole_schedule():
    assert "veille de Noël" in told("horaires") and "2025" not in told("horaires")


def test_the_end_of_a_night_is_open_on_the_day_after():
    patrol = {"semaine": {"samedi": "20h-2h"}}
    assert told("ouvert dimanche de 0h à 1h ?", patrol).startswith("Oui, c’est ouvert dimanche 29 novembre de 0 h à 1 h.")
    assert told("ouvert dimanche ?", patrol) == "Dimanche 29 novembre : ouvert de 0 h à 2 h."


def test_the_day_is_that_of_the_service_and_not_of_who_asks():
    island = {"semaine": {"mardi": "8h-12h"}, "fuseau": "America/Martinique", "territoire": "FR-972"}
    assert told("ouvert aujourd’hui ?", island) == "Mardi 24 novembre : ouvert de 8 h à 12 h."


clocks = st.integers(0, 23)
questions = st.one_of(
    st.builds("ouvert {} à {}h ?".format, st.sampled_from(["demain", "lundi", "le 25 octobre", "ce week-end", "lundi et mardi"]), clocks),
    st.builds("ouvert {} entre {}h et {}h ?".format, st.sampled_from(["", "demain", "dimanche"]), clocks, clocks),
    st.sampled_from(
        ["ouvert ?", "ouvert maintenant ?", "ouvert ce soir ?", "ouvert demain matin ?", "ouvert à midi ?", "ouvert avant 9h ?"]
    ),
)


@settings(max_examples=60, deadline=None)
@given(schedules(), moments, questions)
def test_yes_is_said_only_of_a_moment_that_is_open(schedule: Schedule, moment: datetime, question: str):
    now = moment.replace(tzinfo=ZoneInfo(schedule.timezone))
    asked = read_moment(question, now) or Moment("instant", now, now)
    answers = [sentence(schedule, each) for each in (replace(asked, others=()), *asked.others)]
    for each, said in zip((asked, *asked.others), answers, strict=True):
        first = each.start.astimezone(UTC)
        count = max(1, int((each.end.astimezone(UTC) - first).total_seconds() // 60))
        states = minute_by_minute(schedule, first.replace(second=0, microsecond=0), count)
        assert not said.startswith("Oui, c’est") or all(states)
        assert not said.startswith("Oui") or any(states)
        assert not said.startswith("Non") or not any(states)


def test_the_whole_schedule_reads_as_people_write_it():
    lines = [line.replace("\xa0", " ") for line in describe(TOWN_HALL)]
    assert lines[:3] == [
        "Du lundi au vendredi : de 9 h à 12 h et de 14 h à 17 h",
        "Samedi et dimanche : fermé",
        "1er samedi du mois : de 9 h à 12 h",
    ]
    assert "Lundi de Pentecôte : horaires habituels" in lines
    assert "Jeudi 24 décembre 2026 (veille de Noël) : de 9 h à 12 h" in lines
