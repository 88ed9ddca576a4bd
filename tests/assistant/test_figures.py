"""What the register tells of the assistant: shares between nothing and all, each of something that is named."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from django.db.models import F
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from bocage.assistant import conversations
from bocage.assistant.documents import Audience
from bocage.assistant.figures import Figures, report
from bocage.assistant.models import DayCount, Feedback, Message
from bocage.assistant.transitions import add_to_day

PAGE = "/pays-de-brenoux/registre/assistant/"
counts = st.integers(0, 10_000)


def shown(address: str = PAGE) -> str:
    page = Client().get(address).content.decode()
    return re.sub("[\u202f\u00a0]", " ", re.sub(r"<[^>]+>", " ", page))


@given(st.builds(Figures, *[counts] * 8, joules=st.floats(0, 1e9)))
@settings(database=None)
def test_a_share_is_never_more_than_all_of_it(figures):
    shares = (figures.answered_share, figures.refused_share, figures.handed_over_share, figures.bad_share)
    assert all(share is None or 0 <= share <= 1 for share in shares)
    assert figures.handed_over_share is not None or not (figures.requests or figures.questions)


@pytest.mark.django_db
def test_more_people_ask_for_somebody_than_question_the_machine(served):
    for _ in range(4):
        conversations.request_person(conversations.begin(Audience.CITIZENS), "accueil")
    conversations.ask(conversations.begin(Audience.CITIZENS), "déchetterie ?")
    assert report().total.handed_over_share == pytest.approx(0.8)
    assert "4, soit 80 % de tout ce qui a été demandé, questions et demandes d’une personne" in shown()
    listed = shown("/pays-de-brenoux/registre/")
    assert "1 question, dont 100 % avec une réponse sourcée ; 4 demandes d’une personne." in listed
    assert Client().get(f"{PAGE}fiche.json").json()["total"]["requests"] == 4


@pytest.mark.django_db
def test_with_requests_and_no_question_what_cannot_be_divided_is_a_dash(served):
    conversations.request_person(conversations.begin(Audience.CITIZENS), "accueil")
    page = shown()
    assert (
        "1, soit 100 % de tout" in page
        and re.search(r"Avec une réponse sourcée\s+—", page)
        and re.search(r"Énergie d’une question\s+—", page)
    )
    assert Client().get(f"{PAGE}fiche.json").json()["total"]["answered_share"] is None


@pytest.mark.django_db
def test_an_answer_given_after_midnight_makes_no_share_of_nothing(served):
    add_to_day("citoyens", questions=1)
    DayCount.objects.update(day=date(2026, 10, 31))
    add_to_day("citoyens", answers=1, joules=3.6)
    (_, before), (_, after) = report().months
    assert (before.answered_share, after.answered_share, after.joules_per_answer) == (0.0, 1.0, 3.6)


@pytest.mark.django_db
def test_an_opinion_changed_another_day_is_counted_where_the_first_one_was(served):
    talk = conversations.begin(Audience.CITIZENS)
    conversations.ask(talk, "déchetterie ?")
    said = Message.objects.filter(conversation=talk, author="machine").latest("pk")
    conversations.rate(said, True)
    day = timedelta(days=1)
    Feedback.objects.update(created_at=F("created_at") - day)
    counted = DayCount.objects.get(good=1)
    DayCount.objects.filter(pk=counted.pk).update(day=counted.day - day)
    conversations.rate(said, False)
    assert list(DayCount.objects.values_list("day", "good", "bad")) == [(counted.day - day, 0, 1)]
