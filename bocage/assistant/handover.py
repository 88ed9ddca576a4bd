"""From the machine to a person and back: the states of one conversation, and who may write in each. No database, no clock.

                       ┌────────────── withdrawn ───────────────┐
bot ──wants a person──▶ demandé ──assigned / timed out──▶ en file ──taken over──▶ humain ──resolved, quiet──▶ résolu ──▶ bot
 ▲                         ▲ ▲                               ▲                    │  ▲ │                        │       │
 └── withdrawn ────────────┘ │                               └─ transferred, left ┘  └─┘ replaced               │       │
                             └───────────────────────────────── reopened ───────────────────────────────────────┴───────┘

What was settled can be reopened as long as the conversation lives, also once the machine has answered something else.

Three promises hold in every order of events (``tests/assistant/test_handover.py``):
- one writer: the machine writes in « bot » only, and an agent only in « humain » and only the one who took over last;
- no request is lost: it stays open until an agent resolves it or has had the last word for days, or the citizen withdraws or erases it;
- the machine writes nothing between a take-over and the resolution, not even an answer that it began before: each change of state moves
  ``turn`` on, and an answer that was asked for in an older turn is refused (a fencing token).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from bocage.contract.errors import BocageError


class State(StrEnum):
    """Where a conversation stands."""

    BOT = "bot"
    ASKED = "demande"
    QUEUED = "file"
    HUMAN = "humain"
    RESOLVED = "resolu"
    ERASED = "efface"


EDGES: frozenset[tuple[State, State]] = frozenset(
    {
        (State.BOT, State.ASKED),
        (State.ASKED, State.QUEUED),
        (State.ASKED, State.BOT),
        (State.QUEUED, State.QUEUED),
        (State.QUEUED, State.HUMAN),
        (State.QUEUED, State.BOT),
        (State.HUMAN, State.HUMAN),
        (State.HUMAN, State.QUEUED),
        (State.HUMAN, State.RESOLVED),
        (State.RESOLVED, State.BOT),
        (State.RESOLVED, State.ASKED),
        *((state, State.ERASED) for state in State if state != State.ERASED),
    }
)
"""The only changes of state; from « en file » to itself when another service gets the request, from « humain » when a colleague does."""
OPEN = frozenset({State.ASKED, State.QUEUED, State.HUMAN})
"""States in which somebody waits for a person."""


class Effect(StrEnum):
    """What the caller must do after an event, in the same transaction."""

    ANSWER = "repondre"
    REQUEST_OPENED = "demande_ouverte"
    NOTIFY_SERVICE = "prevenir_service"
    REMIND_SERVICE = "relancer_service"
    TAKEN = "prise"
    RELEASED = "rendue"
    NOTIFY_CITIZEN = "prevenir_citoyen"
    REQUEST_RESOLVED = "demande_resolue"
    REQUEST_WITHDRAWN = "demande_retiree"
    ERASE = "effacer"


@dataclass(frozen=True, slots=True)
class Dialogue:
    """All that decides who may write. ``turn`` grows with each change of state or of writer.

    ``service`` has the request; ``settled`` is the one that last settled a request here, and gets it back when it is reopened.
    """

    state: State = State.BOT
    service: str = ""
    holder: int | None = None
    turn: int = 0
    settled: str = ""


@dataclass(frozen=True, slots=True)
class CitizenWrites:
    """The citizen sends a message."""


@dataclass(frozen=True, slots=True)
class WantsPerson:
    """The citizen asks for a person, by the button or in words; or the machine passes on an emergency."""


@dataclass(frozen=True, slots=True)
class GivesContact:
    """The citizen agrees to be contacted and says where. Asks for a person, where nobody was asked for yet."""


@dataclass(frozen=True, slots=True)
class Assigned:
    """The request goes to a service: the citizen's choice, or an agent's."""

    service: str


@dataclass(frozen=True, slots=True)
class TakesOver:
    """An agent takes the request: from now on nobody else writes."""

    agent: int


@dataclass(frozen=True, slots=True)
class AgentWrites:
    """An agent sends a message."""

    agent: int


@dataclass(frozen=True, slots=True)
class MachineWrites:
    """The machine's answer is ready. ``turn`` is that of the moment at which it was asked for."""

    turn: int


@dataclass(frozen=True, slots=True)
class Transfers:
    """The agent who holds the request gives it to a service, another or their own."""

    agent: int
    service: str


@dataclass(frozen=True, slots=True)
class Resolves:
    """The agent who holds the request says that it is settled."""

    agent: int


@dataclass(frozen=True, slots=True)
class Reopens:
    """The citizen says that it is not settled: a new request, to the same service."""


@dataclass(frozen=True, slots=True)
class Departs:
    """The agent who holds the request may no longer answer here: it goes back to its queue."""

    agent: int


@dataclass(frozen=True, slots=True)
class Replaces:
    """A colleague takes over what ``holder`` holds. The caller says when: long without a word."""

    agent: int
    holder: int


@dataclass(frozen=True, slots=True)
class GoesQuiet:
    """The agent had the last word long ago: nobody waits any more. The caller says when."""


@dataclass(frozen=True, slots=True)
class TimesOut:
    """Too long in one state. ``service`` is the one that gets a request for which nobody chose."""

    service: str


@dataclass(frozen=True, slots=True)
class Leaves:
    """The citizen takes the request back."""


@dataclass(frozen=True, slots=True)
class Erases:
    """The citizen has the conversation erased."""


Event = (
    CitizenWrites
    | WantsPerson
    | GivesContact
    | Assigned
    | TakesOver
    | AgentWrites
    | MachineWrites
    | Transfers
    | Resolves
    | Reopens
    | Departs
    | Replaces
    | GoesQuiet
    | TimesOut
    | Leaves
    | Erases
)
Change = tuple[Dialogue, tuple[Effect, ...]]


class NotNow(BocageError):
    """The conversation is in a state in which this cannot be done."""

    code = "dialogue-pas-maintenant"


class HeldByAnother(NotNow):
    """Another agent holds the conversation: two people never write at once."""

    code = "dialogue-deja-pris"


class TooLate(NotNow):
    """The machine's answer comes after a person has been asked for: it is thrown away."""

    code = "reponse-trop-tard"


def apply(dialogue: Dialogue, event: Event) -> Change:
    """The dialogue after ``event``, and what is to be done. Raises ``NotNow``, ``HeldByAnother`` or ``TooLate`` and changes nothing."""
    if dialogue.state == State.ERASED:
        raise NotNow("Cette conversation est effacée.")
    match event:
        case CitizenWrites():
            return _citizen_writes(dialogue)
        case MachineWrites(turn):
            return _machine_writes(dialogue, turn)
        case AgentWrites(agent):
            _check_holder(dialogue, agent)
            return dialogue, (Effect.NOTIFY_CITIZEN,)
        case TakesOver(agent):
            return _takes_over(dialogue, agent)
        case Transfers(agent, service):
            _check_holder(dialogue, agent)
            return _to(dialogue, State.QUEUED, service=service, holder=None), (Effect.RELEASED, Effect.NOTIFY_SERVICE)
        case Resolves(agent):
            _check_holder(dialogue, agent)
            return _settled(dialogue)
        case Erases():
            return _to(dialogue, State.ERASED, service="", holder=None, settled=""), (Effect.ERASE,)
        case _:
            return _request(dialogue, event)


def may_write(dialogue: Dialogue, agent: int) -> bool:
    """Whether this agent holds the conversation."""
    return dialogue.state == State.HUMAN and dialogue.holder == agent


def _request(dialogue: Dialogue, event: Event) -> Change:
    match event:
        case WantsPerson() | GivesContact():
            return _wants_person(dialogue)
        case Reopens():
            return _reopens(dialogue)
        case Departs(agent):
            _check_holder(dialogue, agent)
            return _to(dialogue, State.QUEUED, holder=None), (Effect.RELEASED, Effect.NOTIFY_SERVICE)
        case Replaces(agent, holder):
            return _replaces(dialogue, agent, holder)
        case GoesQuiet():
            return _goes_quiet(dialogue)
        case Assigned(service):
            return _assigned(dialogue, service)
        case TimesOut(service):
            return _times_out(dialogue, service)
        case Leaves():
            return _leaves(dialogue)
    raise TypeError(f"not an event of a dialogue: {event!r}")


def _citizen_writes(dialogue: Dialogue) -> Change:
    if dialogue.state == State.BOT:
        return dialogue, (Effect.ANSWER,)
    if dialogue.state == State.RESOLVED:
        # What follows a resolution is a new question; « ce n’est pas réglé » is another event.
        return _to(dialogue, State.BOT, service=""), (Effect.ANSWER,)
    # Somebody was asked for: the message is for them.
    return dialogue, ()


def _machine_writes(dialogue: Dialogue, turn: int) -> Change:
    if dialogue.state != State.BOT or turn != dialogue.turn:
        raise TooLate("Une personne a été demandée entre-temps : la machine se tait.")
    return dialogue, ()


def _wants_person(dialogue: Dialogue) -> Change:
    if dialogue.state in OPEN:
        # Asked twice is asked once: the place in the queue is kept.
        return dialogue, ()
    return _to(dialogue, State.ASKED, service=""), (Effect.REQUEST_OPENED,)


def _reopens(dialogue: Dialogue) -> Change:
    if dialogue.state in OPEN:
        raise NotNow("Votre demande est encore ouverte : il n’y a rien à rouvrir. Écrivez ici ce qui manque.")
    if not dialogue.settled:
        raise NotNow("Aucune demande n’a été réglée ici : il n’y a rien à rouvrir. Vous pouvez demander une personne.")
    return _to(dialogue, State.ASKED, service=dialogue.settled), (Effect.REQUEST_OPENED,)


def _assigned(dialogue: Dialogue, service: str) -> Change:
    if dialogue.state == State.QUEUED and dialogue.service == service:
        return dialogue, ()
    if dialogue.state in (State.ASKED, State.QUEUED):
        return _to(dialogue, State.QUEUED, service=service), (Effect.NOTIFY_SERVICE,)
    raise NotNow("Cette conversation n’attend pas de service.")


def _takes_over(dialogue: Dialogue, agent: int) -> Change:
    if dialogue.state == State.HUMAN and dialogue.holder == agent:
        return dialogue, ()
    if dialogue.state == State.HUMAN:
        raise HeldByAnother("Une autre personne a déjà pris cette demande.")
    if dialogue.state != State.QUEUED:
        raise NotNow("Cette demande n’est pas dans une file : elle est retirée, réglée, ou pas encore orientée.")
    return _to(dialogue, State.HUMAN, holder=agent), (Effect.TAKEN,)


def _replaces(dialogue: Dialogue, agent: int, holder: int) -> Change:
    if dialogue.state != State.HUMAN:
        raise NotNow("Personne ne tient plus cette demande. Relisez-la, puis prenez-la si elle attend encore.")
    if dialogue.holder != holder:
        raise HeldByAnother("Une autre personne vient de reprendre cette demande.")
    if agent == holder:
        return dialogue, ()
    return _to(dialogue, State.HUMAN, holder=agent), (Effect.RELEASED, Effect.TAKEN)


def _goes_quiet(dialogue: Dialogue) -> Change:
    if dialogue.state != State.HUMAN:
        raise NotNow("Personne ne tient cette demande : un silence ne la règle pas.")
    return _settled(dialogue)


def _settled(dialogue: Dialogue) -> Change:
    return _to(dialogue, State.RESOLVED, holder=None, settled=dialogue.service), (Effect.REQUEST_RESOLVED,)


def _times_out(dialogue: Dialogue, service: str) -> Change:
    match dialogue.state:
        case State.ASKED:
            return _to(dialogue, State.QUEUED, service=service), (Effect.NOTIFY_SERVICE,)
        case State.QUEUED:
            return dialogue, (Effect.REMIND_SERVICE,)
        case State.HUMAN:
            # The agent went away: the request goes back to the same queue, at its old place.
            return _to(dialogue, State.QUEUED, holder=None), (Effect.RELEASED, Effect.NOTIFY_SERVICE)
    return dialogue, ()


def _leaves(dialogue: Dialogue) -> Change:
    if dialogue.state in (State.ASKED, State.QUEUED):
        return _to(dialogue, State.BOT, service=""), (Effect.REQUEST_WITHDRAWN,)
    if dialogue.state == State.HUMAN:
        raise NotNow("Une personne s’occupe déjà de votre demande : dites-lui que vous n’en avez plus besoin.")
    return dialogue, ()


def _check_holder(dialogue: Dialogue, agent: int) -> None:
    if dialogue.state != State.HUMAN:
        raise NotNow("Prenez d’abord la demande : personne n’écrit au citoyen avant cela.")
    if dialogue.holder != agent:
        raise HeldByAnother("Une autre personne tient cette conversation. Votre message n’est pas parti.")


def _to(dialogue: Dialogue, state: State, **changes: object) -> Dialogue:
    return replace(dialogue, state=state, turn=dialogue.turn + 1, **changes)  # type: ignore[arg-type]
