"""Never two writers, never a lost request, no word of the machine after a take-over: in every order of events."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bocage.assistant import handover as h
from bocage.assistant.handover import Dialogue, Effect, State
from bocage.assistant.wants_person import wants_person

AGENTS, SERVICES = st.integers(1, 3), st.sampled_from(["accueil", "urbanisme", "etat-civil"])


class Account:
    """One conversation, three agents, three services, and an independent account of what was promised."""

    def __init__(self) -> None:
        self.now = Dialogue()
        self.writers: set[int] = set()
        self.pending = False
        self.opened = self.closed = 0
        self.answers: list[int] = []
        self.taken_over_since: dict[int, bool] = {}

    def do(self, event: h.Event) -> tuple[Effect, ...] | None:
        """Apply ``event``; None when it is refused, and then nothing has changed."""
        before = self.now
        try:
            self.now, effects = h.apply(before, event)
        except h.NotNow as refused:
            assert self.now == before and refused.message
            return None
        if before.state != self.now.state:
            assert (before.state, self.now.state) in h.EDGES
            assert self.now.turn > before.turn
        if before.holder != self.now.holder:
            assert before.holder is None or self.now.holder is None, "a writer replaced another without a release"
        self.opened += Effect.REQUEST_OPENED in effects
        self.closed += len({Effect.REQUEST_RESOLVED, Effect.REQUEST_WITHDRAWN} & set(effects))
        if Effect.ERASE in effects and before.state in h.OPEN:
            self.closed += 1
        if Effect.TAKEN in effects:
            assert not self.writers, "two writers"
            self.writers = {self.now.holder}
            self.taken_over_since = dict.fromkeys(self.answers, True)
        if {Effect.RELEASED, Effect.REQUEST_RESOLVED, Effect.ERASE} & set(effects):
            self.writers = set()
        return effects

    def citizen_writes(self) -> None:
        effects = self.do(h.CitizenWrites())
        if effects and Effect.ANSWER in effects:
            self.answers.append(self.now.turn)
            self.taken_over_since[self.now.turn] = False

    def machine_writes(self, back: int) -> None:
        """An answer asked for now, or long ago, arrives now."""
        turn = self.answers[-1 - back % len(self.answers)]
        if self.do(h.MachineWrites(turn)) is not None:
            assert self.now.state == State.BOT
            assert not self.taken_over_since[turn], "the machine wrote over an agent"

    def wants_person(self) -> None:
        effects = self.do(h.WantsPerson())
        assert effects is None or self.now.state in h.OPEN

    def gives_contact(self) -> None:
        self.do(h.GivesContact())

    def assigned(self, service: str) -> None:
        self.do(h.Assigned(service))

    def takes_over(self, agent: int) -> None:
        held = self.now.holder
        done = self.do(h.TakesOver(agent))
        assert not (held and held != agent and done is not None), "an agent took what another held"

    def agent_writes(self, agent: int) -> None:
        if self.do(h.AgentWrites(agent)) is not None:
            assert self.writers == {agent}, "an agent wrote without holding the conversation"

    def transfers(self, agent: int, service: str) -> None:
        if self.do(h.Transfers(agent, service)) is not None:
            assert self.now.state == State.QUEUED and self.now.service == service

    def resolves(self, agent: int) -> None:
        if self.do(h.Resolves(agent)) is not None:
            assert self.now.state == State.RESOLVED

    def reopens(self) -> None:
        self.do(h.Reopens())

    def times_out(self) -> None:
        self.do(h.TimesOut("accueil"))

    def leaves(self) -> None:
        self.do(h.Leaves())

    def erases(self, sure: int) -> None:
        if sure == 0:
            self.do(h.Erases())

    def a_request_is_open_exactly_while_somebody_waits(self) -> None:
        assert self.opened - self.closed == (self.now.state in h.OPEN), "a request was lost, or counted twice"

    def one_writer_exactly_while_a_person_writes(self) -> None:
        assert (self.now.holder is not None) == (self.now.state == State.HUMAN)
        assert self.writers == ({self.now.holder} if self.now.holder else set())

    def a_queue_has_a_service(self) -> None:
        assert self.now.service or self.now.state not in (State.QUEUED, State.HUMAN)


class Dialogues(Account, RuleBasedStateMachine):
    """The same, driven by hypothesis rule by rule: what fails is shrunk to a story that one can read."""

    def __init__(self) -> None:
        RuleBasedStateMachine.__init__(self)
        Account.__init__(self)

    citizen_writes = rule()(Account.citizen_writes)
    machine_writes = precondition(lambda self: self.answers)(rule(back=st.integers(0, 3))(Account.machine_writes))
    wants_person = rule()(Account.wants_person)
    gives_contact = rule()(Account.gives_contact)
    assigned = rule(service=SERVICES)(Account.assigned)
    takes_over = rule(agent=AGENTS)(Account.takes_over)
    agent_writes = rule(agent=AGENTS)(Account.agent_writes)
    transfers = rule(agent=AGENTS, service=SERVICES)(Account.transfers)
    resolves = rule(agent=AGENTS)(Account.resolves)
    reopens = rule()(Account.reopens)
    times_out = rule()(Account.times_out)
    leaves = rule()(Account.leaves)
    erases = rule(sure=st.integers(0, 9))(Account.erases)
    a_request_is_open_exactly_while_somebody_waits = invariant()(Account.a_request_is_open_exactly_while_somebody_waits)
    one_writer_exactly_while_a_person_writes = invariant()(Account.one_writer_exactly_while_a_person_writes)
    a_queue_has_a_service = invariant()(Account.a_queue_has_a_service)


Dialogues.TestCase.settings = settings(max_examples=150, stateful_step_count=25, deadline=None, database=None)
TestSequencesThatShrinkWell = Dialogues.TestCase


@given(st.binary(max_size=40))
@settings(max_examples=10_000, deadline=None, database=None)
def test_ten_thousand_sequences(sequence: bytes):
    """The same rules and invariants, one byte an event: drawn forty times faster than rule by rule."""
    world = Account()
    steps = (
        lambda n: world.citizen_writes(),
        lambda n: world.answers and world.machine_writes(n),
        lambda n: world.wants_person(),
        lambda n: world.gives_contact(),
        lambda n: world.assigned(("accueil", "urbanisme")[n % 2]),
        lambda n: world.takes_over(1 + n % 3),
        lambda n: world.agent_writes(1 + n % 3),
        lambda n: world.transfers(1 + n % 3, ("accueil", "urbanisme")[n % 2]),
        lambda n: world.resolves(1 + n % 3),
        lambda n: world.reopens(),
        lambda n: world.times_out(),
        lambda n: world.leaves(),
        lambda n: world.erases(n),
    )
    for byte in sequence:
        number, step = divmod(byte, len(steps))
        steps[step](number)
        world.a_request_is_open_exactly_while_somebody_waits()
        world.one_writer_exactly_while_a_person_writes()
        world.a_queue_has_a_service()


def after(*events: h.Event) -> Dialogue:
    dialogue = Dialogue()
    for event in events:
        dialogue, _ = h.apply(dialogue, event)
    return dialogue


def test_the_whole_way_and_back():
    way = (h.CitizenWrites(), h.WantsPerson(), h.Assigned("accueil"), h.TakesOver(7), h.AgentWrites(7), h.Resolves(7), h.CitizenWrites())
    states = [after(*way[:n]).state.value for n in range(1, len(way) + 1)]
    assert states == ["bot", "demande", "file", "humain", "humain", "resolu", "bot"]


def test_an_answer_begun_before_the_take_over_is_thrown_away_even_after_the_resolution():
    asked = after(h.CitizenWrites())
    back = after(h.CitizenWrites(), h.WantsPerson(), h.Assigned("accueil"), h.TakesOver(7), h.Resolves(7), h.CitizenWrites())
    assert back.state == State.BOT
    with pytest.raises(h.TooLate):
        h.apply(back, h.MachineWrites(asked.turn))


def test_a_request_without_a_service_goes_to_the_default_one_in_time():
    assert after(h.WantsPerson(), h.TimesOut("accueil")) == Dialogue(State.QUEUED, "accueil", None, 2)


def test_an_agent_who_goes_away_gives_the_request_back_to_the_same_queue():
    away = after(h.WantsPerson(), h.Assigned("urbanisme"), h.TakesOver(7), h.TimesOut("accueil"))
    assert (away.state, away.service, away.holder) == (State.QUEUED, "urbanisme", None)


ASKS = [
    "je veux parler à quelqu'un",
    "Je voudrais parler à une vraie personne s’il vous plaît",
    "jveux parler a klkun",
    "jpeu parler a qqn svp",
    "un humain",
    "humain svp",
    "Bonjour, un conseiller s'il vous plait",
    "donnez moi un agent",
    "passez-moi quelqu’un",
    "rappelez-moi au 02 99 00 00 00",
    "Est-ce que je peux avoir un agent au téléphone ? Ça ne répond pas à ma question",
    "je ne veux pas parler à un robot",
    "STOP ROBOT",
    "j'en ai marre de parler à une machine",
    "puis-je être rappelé ?",
    "comment joindre quelqu'un de la mairie",
    "besoin de parler à un humain",
    "c'est nul, je veux un humain",
    "y a t il quelqu'un de réel ici",
    "jaimerai discuter avec 1 personne",
    "I want to talk to someone",
    "je préfère échanger avec un conseiller",
    "je souhaite être mis en relation avec un agent",
    "quelqu'un ?",
    "contactez moi svp",
]
ASKS_NOT = [
    "Quels sont les horaires de la mairie ?",
    "Comment inscrire une personne âgée à la cantine ?",
    "je veux une carte d'identité",
    "une personne de ma famille est décédée, que faire ?",
    "j'ai parlé à quelqu'un hier et il m'a dit de venir",
    "quel est le numéro de la mairie",
    "mon agent immobilier garde la caution",
    "Puis-je voter par procuration pour quelqu'un ?",
    "mon fils ne parle à personne",
    "aide pour embaucher une personne handicapée",
    "je veux un agent immobilier agréé",
    "c'est combien la carte grise",
    "mettre un conseiller municipal en cause",
    "le robot de tonte fait du bruit le dimanche",
    "comment devenir agent municipal",
    "faut-il un rappel de vaccin pour la crèche ?",
    "héberger quelqu'un à titre gratuit",
    "je veux déclarer une personne à charge",
    "je voudrais rencontrer le maire pour mon permis",
]


@pytest.mark.parametrize("text", ASKS)
def test_words_that_ask_for_a_person(text):
    assert wants_person(text)


@pytest.mark.parametrize("text", ASKS_NOT)
def test_words_that_do_not(text):
    assert not wants_person(text)


@pytest.mark.parametrize("text", ["", " " * 9000, "a" * 20_000, "je veux " * 5000, "moi moi " * 4000, "\x00\u202e", "🙂" * 3000])
@pytest.mark.timeout(5)
def test_any_text_is_read_in_no_time(text):
    assert wants_person(text) in (True, False)
