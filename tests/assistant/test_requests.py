"""A request for a person: one agent at a time holds it, nobody keeps it for ever, and what was settled can be reopened."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from bocage.assistant import configuration, conversations, inbox, upkeep
from bocage.assistant import handover as h
from bocage.assistant.answer_types import Author
from bocage.assistant.models import Handover, Message, OutgoingMail
from bocage.contract import french
from bocage.organisations import people
from bocage.organisations.membership import Membership
from bocage.organisations.models import User
from bocage.organisations.services import ensure_organisation
from bocage.organisations.tenancy import organisation_context
from tests.assistant.talks import begun, held_by, older, queued, said, settled_by, stands

pytestmark = pytest.mark.django_db


@pytest.fixture
def mailed(settings) -> None:
    """Mails are written, none leaves."""
    settings.MAIL_ENABLED = True


def test_the_whole_way(served, nadia):
    conversation = queued()
    inbox.take(conversation, nadia)
    conversations.ask(conversation, "c'est pour un permis")
    inbox.write(conversation, nadia, "Bonjour, de quel permis s’agit-il ?")
    inbox.resolve(conversation, nadia)
    assert conversation.state == "resolu"
    handover = Handover.objects.get(conversation=conversation)
    assert handover.taken_by == nadia and handover.answered_at and handover.end == "resolue"
    assert not said(conversation, Author.MACHINE), "the machine spoke to somebody who asked for a person"
    conversations.ask(conversation, "merci, et la déchetterie ?")
    assert conversation.state == "bot" and len(said(conversation, Author.MACHINE)) == 1


def test_only_the_holder_writes(served, nadia, hugo):
    conversation = queued()
    with pytest.raises(h.NotNow, match="Prenez d’abord"):
        inbox.write(conversation, hugo, "Bonjour")
    inbox.take(conversation, nadia)
    with pytest.raises(h.HeldByAnother, match="Nadia Le Goff a pris cette demande à"):
        inbox.take(conversation, hugo)
    for act in (lambda: inbox.write(conversation, hugo, "Bonjour"), lambda: inbox.resolve(conversation, hugo)):
        with pytest.raises(h.HeldByAnother):
            act()
    assert said(conversation, Author.AGENT) == []


def test_a_transfer_keeps_the_hour_at_which_the_citizen_asked(served, nadia, hugo):
    conversation = queued()
    asked = Handover.objects.get(conversation=conversation).requested_at
    inbox.take(conversation, nadia)
    inbox.transfer(conversation, nadia, "urbanisme")
    closed, under_way = Handover.objects.filter(conversation=conversation).order_by("pk")
    assert (closed.end, closed.service) == ("transferee", "accueil")
    assert (under_way.requested_at, under_way.service, under_way.taken_at) == (asked, "urbanisme", None)
    inbox.take(conversation, hugo)
    assert conversation.held_by == hugo


def test_an_agent_who_forgets_gives_the_request_back_but_not_one_who_answered(served, nadia):
    forgotten, answered = queued(), queued()
    for conversation in (forgotten, answered):
        inbox.take(conversation, nadia)
    inbox.write(answered, nadia, "Je regarde.")
    for conversation in (forgotten, answered):
        older(conversation, hours=3)
    upkeep.time_out()
    forgotten.refresh_from_db(), answered.refresh_from_db()
    assert (forgotten.state, forgotten.held_by, answered.state) == ("file", None, "humain")


@pytest.mark.parametrize("last_word", [(), ("Je regarde.",)])
def test_whoever_loses_their_roles_holds_no_request_any_more(served, mailed, nadia, hugo, last_word):
    conversation = held_by(hugo, *last_word)
    told = OutgoingMail.objects.filter(recipient="accueil@brenoux.example").count()
    people.remove_person(hugo, nadia) if last_word else people.revoke(Membership.objects.get(user=hugo), nadia)
    assert stands(conversation) == ("file", None)
    assert said(conversation, Author.SYSTEM)[-2] == "Hugo Marchand ne suit plus votre demande."
    assert OutgoingMail.objects.filter(recipient="accueil@brenoux.example").count() == told + 1
    with pytest.raises(h.NotNow):
        inbox.write(conversation, hugo, "Encore un mot")
    inbox.take(conversation, nadia)
    assert stands(conversation) == ("humain", nadia)
    conversations.erase(conversation)


def test_whoever_may_still_answer_keeps_their_requests(served, nadia, hugo):
    people.grant(hugo, "decideur")
    conversation = held_by(hugo, "Je regarde.")
    people.revoke(Membership.objects.get(user=hugo, role="agent"), nadia)
    assert stands(conversation) == ("humain", hugo)


def test_leaving_one_organisation_gives_nothing_back_in_another(served, hugo):
    marsanne = ensure_organisation("Marsanne")
    with organisation_context(marsanne):
        configuration.change(None, ["citoyens"], 30, 60, [{"name": "Accueil"}], [])
        people.grant(hugo, "agent")
        theirs = held_by(hugo)
    ours = held_by(hugo)
    people.remove_person(hugo)
    with organisation_context(marsanne):
        assert stands(theirs) == ("humain", hugo)
    assert stands(ours) == ("file", None)


def test_a_request_held_by_an_account_that_was_closed_otherwise_is_given_back_by_the_worker(served, nadia, hugo):
    gone, here = held_by(hugo, "Je regarde."), held_by(nadia, "Je regarde.")
    User.objects.filter(pk=hugo.pk).update(is_active=False)
    assert upkeep.time_out() == 1 and upkeep.time_out() == 0
    assert (stands(gone), stands(here)) == (("file", None), ("humain", nadia))


def test_a_colleague_takes_over_what_is_held_for_long_without_a_word(served, nadia, hugo):
    conversation = held_by(nadia, "Je regarde.")
    with pytest.raises(h.HeldByAnother, match=r"Nadia Le Goff a pris cette demande à .* 2 heures sans un mot"):
        inbox.replace(conversation, hugo)
    assert stands(conversation) == ("humain", nadia)
    older(conversation, hours=3)
    conversations.ask(conversation, "vous êtes toujours là ?")
    assert inbox.replace(conversation, hugo) == "Nadia Le Goff"
    assert stands(conversation) == ("humain", hugo)
    left, taken = said(conversation, Author.SYSTEM)[-2:]
    assert left == "Nadia Le Goff ne suit plus votre demande." and taken.startswith("Hugo Marchand (Accueil) prend votre demande.")
    with pytest.raises(h.HeldByAnother):
        inbox.write(conversation, nadia, "J’arrive")
    with pytest.raises(h.HeldByAnother, match="Hugo Marchand"):
        inbox.replace(conversation, nadia)
    assert [x.taken_by for x in Handover.objects.filter(conversation=conversation).order_by("pk")] == [nadia, hugo]


def test_the_day_on_which_a_colleague_took_a_request_is_told_when_it_is_not_today(served, nadia, hugo):
    conversation = held_by(nadia)
    older(conversation, days=2)
    that_day = french.day(timezone.localdate() - timedelta(days=2))
    with pytest.raises(h.HeldByAnother, match=f"a pris cette demande {that_day} "):
        inbox.take(conversation, hugo)


def test_an_agent_who_leaves_two_words_unanswered_loses_the_request_however_often_the_citizen_calls(served, nadia):
    conversation = held_by(nadia, "Je regarde.")
    older(conversation, hours=9)
    for hours in (3, 1):
        conversations.ask(conversation, f"vous êtes là ? {hours}")
        latest = Message.objects.filter(author=Author.CITIZEN).latest("pk")
        Message.objects.filter(pk=latest.pk).update(created_at=timezone.now() - timedelta(hours=hours))
    assert upkeep.time_out() == 1
    assert stands(conversation) == ("file", None)


def test_an_agent_who_answered_long_ago_has_time_to_read_a_new_word(served, nadia):
    conversation = held_by(nadia, "Je regarde.")
    older(conversation, hours=9)
    conversations.ask(conversation, "merci, j’attends")
    assert upkeep.time_out() == 0
    assert stands(conversation) == ("humain", nadia)


def test_a_request_that_an_agent_answered_and_forgot_is_settled_after_a_week_and_can_be_reopened(served, nadia):
    forgotten, recent = held_by(nadia, "C’est fait."), held_by(nadia, "C’est fait.")
    older(forgotten, days=8)
    older(recent, days=6)
    assert upkeep.time_out() == 1
    assert (stands(forgotten), stands(recent)) == (("resolu", None), ("humain", nadia))
    assert "tenue pour réglée" in said(forgotten, Author.SYSTEM)[-1]
    assert timezone.now() - forgotten.last_at > timedelta(days=7), "the time for which it is kept runs from the last word"
    conversations.reopen(forgotten)
    assert (forgotten.state, forgotten.service) == ("file", "accueil")


@pytest.mark.parametrize(("service_has_hours", "answered"), [(True, False), (True, True), (False, False)])
def test_a_request_that_is_passed_on_keeps_the_deadline_that_was_promised_first(served, mailed, nadia, service_has_hours, answered):
    conversation = queued() if service_has_hours else begun("un humain")
    if not service_has_hours:
        conversations.choose_service(conversation, "urbanisme")
    due = timezone.now() - timedelta(days=2)
    if service_has_hours:
        Handover.objects.filter(conversation=conversation).update(due_at=due)
    inbox.take(conversation, nadia)
    if answered:
        inbox.write(conversation, nadia, "Ce n’est pas chez nous, je transmets.")
    inbox.transfer(conversation, nadia, "urbanisme" if service_has_hours else "accueil")
    now = Handover.objects.get(conversation=conversation, ended_at=None)
    (line,) = inbox.lines()
    late = service_has_hours and not answered
    assert line.late == late
    assert (now.due_at == due) == late, "whoever was answered was promised nothing more"
    assert ("nous sommes en retard" in said(conversation, Author.SYSTEM)[-1]) == late
    if not service_has_hours:
        assert now.due_at > timezone.now(), "the first service gave no hours: the second promises"
    count = OutgoingMail.objects.count()
    upkeep.time_out()
    assert OutgoingMail.objects.count() == count, "a mail that says « en retard » is the reminder"


def test_reopened_it_goes_back_to_the_same_service(served, nadia):
    conversation = queued()
    inbox.take(conversation, nadia)
    inbox.transfer(conversation, nadia, "urbanisme")
    inbox.take(conversation, nadia)
    inbox.resolve(conversation, nadia)
    conversations.reopen(conversation)
    assert (conversation.state, conversation.service) == ("file", "urbanisme")
    assert Handover.objects.get(conversation=conversation, ended_at=None).reason == "rouverte"


@pytest.mark.parametrize("meanwhile", [(), ("Merci",), ("Merci", "et la déchetterie ?")])
def test_what_was_settled_can_be_reopened_as_long_as_the_conversation_lives(served, nadia, meanwhile):
    conversation = settled_by(nadia, "urbanisme")
    older(conversation, days=3)
    upkeep.time_out()
    conversation.refresh_from_db()
    for text in meanwhile:
        conversations.ask(conversation, text)
    conversations.reopen(conversation)
    assert (conversation.state, conversation.service) == ("file", "urbanisme")
    with pytest.raises(h.NotNow, match="encore ouverte"):
        conversations.reopen(conversation)


@pytest.mark.parametrize("meanwhile", [(), ("merci",)])
def test_saying_that_it_is_not_settled_reopens_it(served, nadia, meanwhile):
    conversation = settled_by(nadia, "urbanisme")
    for text in meanwhile:
        conversations.ask(conversation, text)
    answers = len(said(conversation, Author.MACHINE))
    conversations.ask(conversation, "Ce n’est pas réglé, je n’ai toujours rien reçu")
    assert (conversation.state, conversation.service) == ("file", "urbanisme")
    assert Handover.objects.get(conversation=conversation, ended_at=None).reason == "rouverte"
    assert len(said(conversation, Author.MACHINE)) == answers


def test_asking_for_a_person_after_a_settled_request_is_another_request(served, nadia):
    conversation = settled_by(nadia, "urbanisme")
    conversations.ask(conversation, "je veux parler à quelqu’un de la cantine")
    assert (conversation.state, conversation.service) == ("demande", "")
    assert Handover.objects.get(conversation=conversation, ended_at=None).reason == "mots"


def test_a_request_taken_back_leaves_what_was_settled_before_open_to_be_reopened(served, nadia):
    conversation = settled_by(nadia, "urbanisme")
    conversations.request_person(conversation, "accueil")
    conversations.withdraw(conversation)
    conversations.reopen(conversation)
    assert conversation.service == "urbanisme"


def test_where_nothing_was_settled_there_is_nothing_to_reopen(served):
    conversation = queued()
    conversations.withdraw(conversation)
    with pytest.raises(h.NotNow, match="Aucune demande n’a été réglée ici"):
        conversations.reopen(conversation)


def test_a_contact_left_after_the_first_word_of_the_agent_is_told_of_the_next_one(served, mailed, nadia):
    conversation = held_by(nadia, "Je cherche votre dossier, un instant.")
    to_citizen = OutgoingMail.objects.filter(recipient="jean@orange.example")
    conversations.give_contact(conversation, "jean@orange.example", True)
    assert not to_citizen.exists()
    for text in ("Voici la réponse.", "Et ceci encore."):
        inbox.write(conversation, nadia, text)
        assert to_citizen.count() == 1


def test_agents_read_nothing_of_what_is_told_to_the_machine_after_their_request(served, nadia):
    settled, withdrawn, waiting = settled_by(nadia), queued(), queued()
    conversations.withdraw(withdrawn)
    for conversation in (settled, withdrawn, waiting):
        conversations.ask(conversation, "Mon mari a perdu son emploi, quelles aides ?")
    secret = "Mon mari a perdu son emploi, quelles aides ?"
    assert [secret in inbox.readable(c).values_list("text", flat=True) for c in (settled, withdrawn, waiting)] == [False, False, True]
    assert inbox.readable(settled).filter(text__contains="est réglée").exists()
    assert inbox.readable(withdrawn).filter(text__contains="retiré votre demande").exists()
    conversations.reopen(settled)
    assert secret in inbox.readable(settled).values_list("text", flat=True), "asking for a person again shows them all that was said"
