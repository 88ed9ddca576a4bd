"""Conversations, what was said in them, requests for a person, what people found bad, and the settings of the assistant."""

from __future__ import annotations

import secrets
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.dispatch import receiver

from bocage.assistant.answer_types import Answer, Author, Kind
from bocage.assistant.documents import Audience
from bocage.assistant.handover import OPEN, Dialogue, State
from bocage.organisations.models import User
from bocage.organisations.people import role_revoked
from bocage.organisations.tenancy import TenantModel


def _secret() -> str:
    return secrets.token_urlsafe(32)


_AUDIENCES = [(Audience.CITIZENS.value, "Habitants"), (Audience.COUNTER.value, "Accueil"), (Audience.STAFF.value, "Ressources humaines")]
_STATES = [
    (State.BOT.value, "Avec la machine"),
    (State.ASKED.value, "À orienter"),
    (State.QUEUED.value, "En file"),
    (State.HUMAN.value, "Avec une personne"),
    (State.RESOLVED.value, "Réglée"),
]


class AssistantSettings(TenantModel):
    """How the assistant works here. Without a row, or without an audience, it is out of service."""

    audiences = models.JSONField(default=list, help_text="Audiences in service.")
    retention_days = models.PositiveSmallIntegerField(default=30)
    answer_minutes = models.PositiveSmallIntegerField(default=60, help_text="Opening time within which a person answers.")
    services = models.JSONField(default=list, help_text="[{slug, name, email, hours}]; the first gets what nobody chose.")
    widget_origins = models.JSONField(default=list, help_text="Web sites that may embed the widget: https://host[:port].")

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [models.UniqueConstraint(fields=["organisation"], name="assistant_settings_once")]

    def __str__(self) -> str:
        return f"assistant {self.organisation_id}"


class Conversation(TenantModel):
    """One conversation. Its address holds ``secret``: whoever has the address may read it, nobody else of the public."""

    audience = models.CharField(max_length=12, choices=_AUDIENCES)
    secret = models.CharField(max_length=64, unique=True, default=_secret, editable=False)
    state = models.CharField("état", max_length=10, choices=_STATES, default=State.BOT.value)
    turn = models.PositiveIntegerField(default=0, help_text="Grows with each change of state or of writer.")
    service = models.CharField(max_length=60, blank=True)
    held_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    asked_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+", help_text="The agent, for agents' audiences.")
    consent_at = models.DateTimeField(null=True, help_text="When the citizen agreed to be contacted.")
    contact = models.CharField(max_length=200, blank=True)
    started_at = models.DateTimeField(auto_now_add=True)
    last_at = models.DateTimeField(db_index=True)
    state_at = models.DateTimeField(help_text="When it came into its state.")
    masked_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["-last_at", "-pk"]
        indexes: ClassVar = [
            models.Index(fields=["organisation", "state"], name="conversation_state"),
            # The worker looks for those that stayed too long in a state, of any organisation, every ten seconds.
            models.Index(fields=["state", "state_at"], name="conversation_state_since"),
        ]

    def __str__(self) -> str:
        return f"conversation {self.pk}"

    @property
    def dialogue(self) -> Dialogue:
        """What decides who may write."""
        return Dialogue(State(self.state), self.service, self.held_by_id, self.turn, self.settled_by)

    @property
    def settled_by(self) -> str:
        """The service that settled the last request that was settled here; empty when none was."""
        settled = Handover.objects.filter(conversation=self, end=Handover.End.RESOLVED)
        return settled.order_by("-ended_at").values_list("service", flat=True).first() or ""

    @property
    def waits(self) -> bool:
        """Whether somebody waits for a person."""
        return self.state in OPEN


class Message(TenantModel):
    """One line of a conversation. A machine's line keeps the whole answer, with its citations."""

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="messages")
    author = models.CharField(max_length=8, choices=[(author.value, author.value) for author in Author])
    person = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    text = models.TextField()
    kind = models.CharField(max_length=10, blank=True, choices=[(kind.value, kind.value) for kind in Kind])
    answer = models.JSONField(null=True)
    joules = models.FloatField(default=0.0)
    reply_to = models.ForeignKey("self", null=True, on_delete=models.CASCADE, related_name="replies")
    turn = models.PositiveIntegerField(default=0, help_text="Turn of the conversation when it was written.")
    nonce = models.CharField(max_length=40, blank=True, help_text="Given by the form: sent twice, it is one message.")
    for_machine = models.BooleanField(default=False, help_text="A question that the machine is to answer.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["reply_to"], condition=Q(author=Author.MACHINE.value), name="one_machine_answer_per_question"),
            models.UniqueConstraint(fields=["conversation", "nonce"], condition=~Q(nonce=""), name="one_message_per_nonce"),
        ]

    def __str__(self) -> str:
        return f"{self.author} {self.pk}"

    @property
    def said(self) -> Answer | None:
        """The machine's answer, as it was given."""
        return Answer.from_json(self.answer) if self.answer else None


class Handover(TenantModel):
    """One passage of a request to one service: the clock of its wait. A transfer closes one and opens the next at the citizen's hour."""

    class Reason(models.TextChoices):
        """Why a person was asked for."""

        BUTTON = "bouton", "A demandé une personne"
        WORDS = "mots", "A demandé une personne, avec ses mots"
        EMERGENCY = "urgence", "Détresse ou danger"
        MACHINE = "machine", "La machine a passé la main"
        REOPENED = "rouverte", "N’était pas réglé"

    class End(models.TextChoices):
        """How the passage ended."""

        RESOLVED = "resolue", "Réglée"
        TRANSFERRED = "transferee", "Transférée"
        RELEASED = "rendue", "Rendue à la file"
        WITHDRAWN = "retiree", "Retirée par la personne"

    conversation = models.ForeignKey(Conversation, on_delete=models.CASCADE, related_name="handovers")
    reason = models.CharField(max_length=10, choices=Reason.choices)
    service = models.CharField(max_length=60, blank=True)
    requested_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True, help_text="The moment before which an answer was promised.")
    taken_at = models.DateTimeField(null=True)
    taken_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField(null=True, help_text="First word of a person.")
    ended_at = models.DateTimeField(null=True)
    end = models.CharField(max_length=10, blank=True, choices=End.choices)
    notified_at = models.DateTimeField(null=True)
    reminded_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["requested_at", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["conversation"], condition=Q(ended_at=None), name="one_open_handover_per_conversation")
        ]

    def __str__(self) -> str:
        return f"{self.service} {self.pk}"


class OutgoingMail(TenantModel):
    """A mail that waits to be sent; the row goes when the mail is sent. Never a word of what a citizen wrote."""

    handover = models.ForeignKey(Handover, null=True, on_delete=models.CASCADE, related_name="mails")
    recipient = models.CharField(max_length=200)
    subject = models.CharField(max_length=200)
    body = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)
    next_at = models.DateTimeField(null=True, db_index=True, help_text="None: given up, the inbox says so.")
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return self.subject


class Feedback(TenantModel):
    """What a person says of one answer of the machine."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="feedback")
    person = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+", help_text="The agent; None for a citizen.")
    good = models.BooleanField()
    reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta(TenantModel.Meta):
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["message", "person"], condition=Q(person__isnull=False), name="one_feedback_per_agent"),
            models.UniqueConstraint(fields=["message"], condition=Q(person=None), name="one_feedback_per_citizen"),
        ]

    def __str__(self) -> str:
        return f"{'bon' if self.good else 'pas bon'} {self.message_id}"


class CuratedPair(TenantModel):
    """A question and the right answer to it, proposed by an agent and validated by a person: validated ones win over every search."""

    class State(models.TextChoices):
        """Where a pair stands."""

        TO_REVIEW = "a_relire", "À relire"
        VALIDATED = "validee", "Validée"
        REJECTED = "rejetee", "Rejetée"

    audience = models.CharField(max_length=12, choices=_AUDIENCES)
    question = models.TextField()
    answer = models.TextField(blank=True)
    source_title = models.CharField(max_length=200, blank=True)
    source_url = models.CharField(max_length=500, blank=True)
    reason = models.CharField(max_length=300, blank=True, help_text="What was wrong with the machine's answer.")
    state = models.CharField("état", max_length=10, choices=State.choices, default=State.TO_REVIEW)
    proposed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    reviewed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    reviewed_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return f"{self.state} {self.pk}"


class DayCount(TenantModel):
    """What happened on one day, as numbers only: they stay when the conversations are erased, for the register."""

    day = models.DateField()
    audience = models.CharField(max_length=12, choices=_AUDIENCES)
    questions = models.PositiveIntegerField(default=0)
    answers = models.PositiveIntegerField(default=0)
    clarifications = models.PositiveIntegerField(default=0)
    refusals = models.PositiveIntegerField(default=0)
    emergencies = models.PositiveIntegerField(default=0)
    requests = models.PositiveIntegerField(default=0, help_text="A person was asked for.")
    good = models.PositiveIntegerField(default=0)
    bad = models.PositiveIntegerField(default=0)
    joules = models.FloatField(default=0.0)

    class Meta(TenantModel.Meta):
        ordering: ClassVar = ["day"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["organisation", "day", "audience"], name="assistant_day_once")]

    def __str__(self) -> str:
        return f"{self.day} {self.audience}"


# Here, because Django loads the models in every process that can take a role away.
@receiver(role_revoked)
def _give_back_requests(user: User, **_: object) -> None:
    """Whoever may no longer answer holds no request."""
    from bocage.assistant.inbox import give_back

    give_back(user)
