"""Never two writers, never a lost request, no word of the machine after a take-over: in every order of events."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bocage.assistant import handover as h
from bocage.assistant.handover import Dialogue, Effect, State
from bocage.assistant.wants_person import says_not_settled, wants_person

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
        self.settled = ""

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
        if before.holder != self.now.holder and before.holder is not None and self.now.holder is not None:
            assert effects == (Effect.RELEASED, Effect.TAKEN), "a writer replaced another without a release"
            assert self.now.turn > before.turn
        self.opened += Effect.REQUEST_OPENED in effects
        self.closed += len({Effect.REQUEST_RESOLVED, Effect.REQUEST_WITHDRAWN} & set(effects))
        if Effect.ERASE in effects and before.state in h.OPEN:
            self.closed += 1
        if Effect.REQUEST_RESOLVED in effects:
            self.settled = before.service
        for effect in effects:
            if effect in (Effect.RELEASED, Effect.REQUEST_RESOLVED, Effect.ERASE):
                self.writers = set()
            if effect == Effect.TAKEN:
                assert not self.writers, "two writers"
                self.writers = {self.now.holder}
                self.taken_over_since = dict.fromkeys(self.answers, True)
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

    def departs(self, agent: int) -> None:
        held = self.now.holder
        done = self.do(h.Departs(agent))
        assert (done is not None) == (held == agent)
        assert done is None or (self.now.state == State.QUEUED and not self.writers), "who left still holds the request"

    def replaces(self, agent: int, holder: int) -> None:
        held = self.now.holder
        done = self.do(h.Replaces(agent, holder))
        assert (done is not None) == (held == holder), "a colleague took over from somebody who did not hold the request"
        assert done is None or self.writers == {agent}

    def goes_quiet(self) -> None:
        if self.do(h.GoesQuiet()) is not None:
            assert self.now.state == State.RESOLVED

    def reopens(self) -> None:
        """What was settled can be reopened, however much was said to the machine since; what was not cannot."""
        may = bool(self.settled) and self.now.state in (State.BOT, State.RESOLVED)
        done = self.do(h.Reopens())
        assert (done is not None) == may
        assert done is None or (self.now.state == State.ASKED and self.now.service == self.settled)

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
    departs = rule(agent=AGENTS)(Account.departs)
    replaces = rule(agent=AGENTS, holder=AGENTS)(Account.replaces)
    goes_quiet = rule()(Account.goes_quiet)
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
        lambda n: world.departs(1 + n % 3),
        lambda n: world.replaces(1 + n % 3, 1 + n // 3 % 3),
        lambda n: world.goes_quiet(),
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


def test_who_left_holds_nothing_and_a_colleague_takes_the_request_at_once():
    held = after(h.WantsPerson(), h.Assigned("urbanisme"), h.TakesOver(7), h.AgentWrites(7))
    left, effects = h.apply(held, h.Departs(7))
    assert (left.state, left.service, left.holder) == (State.QUEUED, "urbanisme", None)
    assert effects == (Effect.RELEASED, Effect.NOTIFY_SERVICE)
    assert h.apply(left, h.TakesOver(8))[0].holder == 8
    with pytest.raises(h.NotNow):
        h.apply(left, h.AgentWrites(7))


def test_of_two_colleagues_who_take_over_from_the_same_one_the_second_is_told():
    held = after(h.WantsPerson(), h.Assigned("accueil"), h.TakesOver(7))
    replaced, _ = h.apply(held, h.Replaces(8, 7))
    assert h.may_write(replaced, 8) and not h.may_write(replaced, 7)
    with pytest.raises(h.HeldByAnother):
        h.apply(replaced, h.Replaces(9, 7))


def test_a_stale_button_says_why_there_is_nothing_to_reopen():
    with pytest.raises(h.NotNow, match="encore ouverte"):
        h.apply(after(h.WantsPerson()), h.Reopens())
    with pytest.raises(h.NotNow, match="Aucune demande n’a été réglée"):
        h.apply(after(h.WantsPerson(), h.Leaves()), h.Reopens())


def test_a_request_for_something_else_is_oriented_anew():
    thanked = after(h.WantsPerson(), h.Assigned("urbanisme"), h.TakesOver(7), h.Resolves(7), h.CitizenWrites())
    assert h.apply(thanked, h.WantsPerson())[0].service == ""
    assert h.apply(thanked, h.Reopens())[0].service == "urbanisme"


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


NOT_SETTLED = [
    "Ce n’est pas réglé, je n’ai toujours rien reçu",
    "Non toujours pas réglé",
    "c pas réglé",
    "cest toujours pas regler",
    "Bonjour, mon problème n'est toujours pas résolu",
    "ma demande n'a pas été réglée",
    "désolé mais ça n'est pas du tout réglé",
    "pas encore réglé !",
    "rien n'est réglé",
]
SETTLED_OR_PAID = [
    "Que faire si ma facture d’eau n’est pas réglée ?",
    "mon loyer n'est toujours pas réglé, que risque mon locataire ?",
    "amende pas réglée à temps",
    "c'est réglé merci",
    "je n'ai pas réglé la cantine",
    "pas réglé la cantine, quelles suites ?",
    "un conflit pas résolu avec mon voisin",
    "rien n'est prévu pour les encombrants ?",
]


@pytest.mark.parametrize("text", NOT_SETTLED)
def test_words_that_say_that_it_is_not_settled_call_a_person(text):
    assert says_not_settled(text) and wants_person(text)


@pytest.mark.parametrize("text", SETTLED_OR_PAID)
def test_a_bill_that_is_not_paid_is_a_question_for_the_machine(text):
    assert not says_not_settled(text) and not wants_person(text)


@pytest.mark.parametrize(
    "text", ["", " " * 9000, "a" * 20_000, "je veux " * 5000, "moi moi " * 4000, "non mais toujours pas " * 900, "\x00\u202e", "🙂" * 3000]
)
@pytest.mark.timeout(5)
def test_any_text_is_read_in_no_time(text):
    assert wants_person(text) in (True, False)
