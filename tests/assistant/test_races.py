"""Many at once, for real: threads of a real process on a real database file (or PostgreSQL), each with its own connection."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers import server

RACE = """
import threading
from datetime import timedelta
from django.db import connection
from django.utils import timezone
from bocage.assistant import configuration, conversations, inbox
from bocage.assistant import handover as h
from bocage.assistant.documents import Audience
from bocage.assistant.models import Conversation, Handover, Message
from bocage.journal.models import Entry
from bocage.organisations.people import create_person, grant, revoke
from bocage.organisations.services import ensure_organisation
from bocage.organisations.tenancy import organisation_context
from tests.assistant.standin import answer

owner = ensure_organisation("Pays de Brenoux", "epci")

def at_once(*acts):
    start, results = threading.Barrier(len(acts)), []
    def run(act):
        try:
            with organisation_context(owner):
                start.wait(20)
                try:
                    results.append(act() or True)
                except (h.NotNow, conversations.InvalidMessage):
                    results.append(False)
        finally:
            connection.close()
    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    [t.start() for t in threads]
    [t.join(60) for t in threads]
    assert len(results) == len(acts), results
    return results

with organisation_context(owner):
    configuration.change(None, list(Audience), 30, 60, [{"name": "Accueil"}], [])
    agents = [create_person(f"a{n}@brenoux.example", f"Agent {n}") for n in range(6)]

for turn in range(5):
    with organisation_context(owner):
        talk = conversations.begin(Audience.CITIZENS)
        conversations.request_person(talk)
    def take(agent):
        mine = Conversation.objects.get(pk=talk.pk)
        inbox.take(mine, agent)
        inbox.write(mine, agent, f"Bonjour de {agent.name}")
    results = at_once(*[lambda agent=agent: take(agent) for agent in agents])
    assert sum(results) == 1, results
    with organisation_context(owner):
        assert Message.objects.filter(conversation=talk, author="agent").count() == 1
        assert Handover.objects.filter(conversation=talk).count() == 1
assert Entry.across_organisations.filter(event="assistant.prise_en_charge").count() == 5

# A request held for long without a word: of five colleagues who take it over at once one does, while the holder writes at last or not.
for turn in range(5):
    with organisation_context(owner):
        talk = conversations.begin(Audience.CITIZENS)
        conversations.request_person(talk)
        inbox.take(talk, agents[0])
        Conversation.objects.filter(pk=talk.pk).update(state_at=timezone.now() - timedelta(hours=3))
    def write():
        inbox.write(Conversation.objects.get(pk=talk.pk), agents[0], "Me voici")
    def take_over(agent):
        mine = Conversation.objects.get(pk=talk.pk)
        inbox.replace(mine, agent)
        inbox.write(mine, agent, f"Bonjour de {agent.name}")
    results = at_once(write, *[lambda agent=agent: take_over(agent) for agent in agents[1:]])
    with organisation_context(owner):
        talk.refresh_from_db()
        writers = list(Message.objects.filter(conversation=talk, author="agent").values_list("person", flat=True))
        assert writers == [talk.held_by_id] and sum(results) == 1, (writers, talk.held_by_id, results)
        assert Handover.objects.filter(conversation=talk, ended_at=None).count() == 1

# Roles taken away while their owner takes and answers: whoever may no longer answer holds nothing.
with organisation_context(owner):
    gone = create_person("parti@brenoux.example", "Parti")
for turn in range(5):
    with organisation_context(owner):
        role = grant(gone, "agent")
        talk = conversations.begin(Audience.CITIZENS)
        conversations.request_person(talk)
        inbox.take(talk, gone)
    at_once(lambda: revoke(role), lambda: inbox.write(Conversation.objects.get(pk=talk.pk), gone, "Bonjour"))
    with organisation_context(owner):
        talk.refresh_from_db()
        assert (talk.state, talk.held_by) == ("file", None), talk.state
        assert Handover.objects.filter(conversation=talk, ended_at=None).count() == 1

# The same question, sent six times by an impatient finger.
key = conversations.new_key()
def ask():
    talk = conversations.begin(Audience.CITIZENS, key)
    conversations.ask(talk, "dechetterie", answer, nonce="n")
at_once(*[ask] * 6)
with organisation_context(owner):
    (talk,) = Conversation.objects.filter(messages__author="citoyen").distinct()
    assert Message.objects.filter(conversation=talk, author="citoyen").count() == 1
    assert Message.objects.filter(conversation=talk, author="machine").count() == 1

# A machine that answers while an agent takes over: never after the take-over.
for turn in range(5):
    with organisation_context(owner):
        talk = conversations.begin(Audience.CITIZENS)
        question = conversations.receive(talk, "dechetterie")
    def take_over():
        mine = Conversation.objects.get(pk=talk.pk)
        conversations.request_person(mine)
        inbox.take(mine, agents[0])
    at_once(lambda: conversations.answer(Message.objects.select_related("conversation").get(pk=question.pk), answer), take_over)
    with organisation_context(owner):
        authors = list(Message.objects.filter(conversation=talk).order_by("pk").values_list("author", flat=True))
        assert authors[-1] == "systeme" and authors.count("machine") <= 1, authors
        if "machine" in authors:
            assert authors.index("machine") < authors.index("systeme"), authors

# Erased while a message is written: nothing is left either way.
for turn in range(3):
    with organisation_context(owner):
        talk = conversations.begin(Audience.CITIZENS)
    at_once(lambda: conversations.ask(talk, "dechetterie", answer), lambda: conversations.erase(Conversation.objects.get(pk=talk.pk)))
    with organisation_context(owner):
        assert not Message.objects.filter(conversation_id=talk.pk).exists()
print("ok")
"""


@pytest.mark.slow
def test_races_have_one_winner_and_lose_nothing(tmp_path: Path) -> None:
    with server(tmp_path / "home") as bocage:
        bocage.bocage("migrate", check=True)
        assert bocage.python(RACE).strip() == "ok"
