"""Nothing is kept for ever: neither what was answered, nor what waits, nor what somebody held who left."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from bocage.assistant import configuration, conversations, retention, upkeep
from bocage.assistant.answer_types import Author
from bocage.assistant.models import Conversation, DayCount, Handover, OutgoingMail
from bocage.journal.models import Entry
from bocage.organisations.models import User
from bocage.organisations.services import ensure_organisation
from bocage.organisations.tenancy import organisation_context
from tests.assistant.talks import begun, held_by, older, queued, said, stands

pytestmark = pytest.mark.django_db


def test_old_conversations_go_and_those_in_which_somebody_waits_are_masked(served):
    gone, kept = begun(), begun("appelez-moi au 06 12 34 56 78")
    conversations.give_contact(kept, "06 12 34 56 78", True)
    fresh = begun()
    for conversation in (gone, kept):
        older(conversation, days=31)
    assert retention.purge(served) == retention.Purge(1, 1)
    assert retention.purge(served) == retention.Purge(0, 0)
    assert set(Conversation.objects.values_list("pk", flat=True)) == {kept.pk, fresh.pk}
    assert said(kept, Author.CITIZEN) == ["appelez-moi au [téléphone]"]
    kept.refresh_from_db()
    assert kept.contact == "06 12 34 56 78", "whoever waits can still be called"
    assert DayCount.objects.get().questions == 2, "numbers stay"


@pytest.mark.parametrize("words", [(), ("C’est fait.",)])
def test_what_an_agent_held_when_they_left_is_not_kept_for_ever(served, nadia, hugo, words):
    conversation = held_by(hugo, *words)
    conversations.give_contact(conversation, "06 12 34 56 78", True)
    User.objects.filter(pk=hugo.pk).update(is_active=False)
    older(conversation, days=400)
    upkeep.time_out()
    assert stands(conversation) == ("file", None), "back in its queue: somebody sees it first"
    assert retention.purge(served) == retention.Purge(0, 1)
    Conversation.objects.update(state_at=timezone.now() - timedelta(days=31))
    assert retention.purge(served) == retention.Purge(1, 0)


def test_a_request_answered_and_not_settled_goes_with_the_others(served, nadia):
    conversation = held_by(nadia, "C’est fait.")
    older(conversation, days=31)
    assert retention.purge(served) == retention.Purge(1, 0)
    assert not Handover.objects.exists()


def test_a_request_that_nobody_ever_answers_is_called_again_then_erased_a_month_later(served, settings):
    settings.MAIL_ENABLED = True
    conversation = queued("appelez-moi au 06 12 34 56 78")
    OutgoingMail.objects.all().delete()
    older(conversation, days=31)
    assert retention.purge(served) == retention.Purge(0, 1)
    assert "En retard" in OutgoingMail.objects.get().subject
    older(conversation, days=59)
    assert retention.purge(served) == retention.Purge(0, 0) and OutgoingMail.objects.count() == 1
    older(conversation, days=61)
    assert retention.purge(served) == retention.Purge(1, 0)
    assert not OutgoingMail.objects.exists()
    assert json.loads(Entry.objects.filter(event="assistant.purge").latest("sequence").content)["sans_reponse"] == 1


def test_where_conversations_are_kept_for_a_day_a_request_outlives_the_week_end(served):
    configuration.change(None, ["citoyens"], 1, 60, [{"name": "Accueil"}], [])
    conversation = queued()
    older(conversation, days=29)
    assert retention.purge(served) == retention.Purge(0, 1)
    older(conversation, days=32)
    assert retention.purge(served) == retention.Purge(1, 0)


def test_what_is_said_after_the_masking_is_masked_in_its_turn(served):
    conversation = queued()
    older(conversation, days=31)
    retention.purge(served)
    conversations.ask(conversation, "toujours au 06 12 34 56 78")
    assert retention.purge(served) == retention.Purge(0, 0)
    late = timezone.now() + timedelta(days=31)
    assert retention.purge(served, late) == retention.Purge(0, 1)
    assert said(conversation, Author.CITIZEN)[-1] == "toujours au [téléphone]"


def test_the_clock_alone_does_not_lengthen_the_time_for_which_a_conversation_is_kept(served, nadia):
    conversation = held_by(nadia)
    older(conversation, days=3)
    before = Conversation.objects.get(pk=conversation.pk).last_at
    assert upkeep.time_out() == 1
    Handover.objects.filter(ended_at=None).update(due_at=timezone.now() - timedelta(minutes=1), reminded_at=None)
    assert upkeep.time_out() == 1
    conversation.refresh_from_db()
    assert conversation.last_at == before and conversation.state == "file"


def test_each_organisation_keeps_for_its_own_time(served):
    marsanne = ensure_organisation("Marsanne")
    with organisation_context(marsanne):
        configuration.change(None, ["citoyens"], 5, 60, [], [])
        theirs = begun()
        older(theirs, days=6)
    ours = begun()
    older(ours, days=6)
    assert retention.purge_all() == retention.Purge(1, 0)
    assert Conversation.objects.filter(pk=ours.pk).exists()
