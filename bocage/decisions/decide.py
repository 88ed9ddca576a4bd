"""A decision has a person (rule 5): the only code that writes one, and its journal entry, in one transaction."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from bocage.contract.errors import BocageError
from bocage.contract.french import number
from bocage.decisions.models import Decision, Displayed, Presence, Proposal, Run
from bocage.decisions.saying import figure, name_of
from bocage.journal.services import record
from bocage.organisations.membership import Membership, Permission, permissions_of
from bocage.organisations.models import Organisation, User
from bocage.organisations.tenancy import OtherOrganisation, current_organisation_id

Verdict = Decision.Verdict
MAX_REASON = 2000
_PRESENT = timedelta(minutes=5)
_FRESH = timedelta(seconds=15)
_MAX_TEXT = 200
_FAR = 10
_THINGS = frozenset({"repas", "personnes", "passages", "entrées", "visiteurs", "élèves", "enfants", "agents", "luminaires"})
"""Units that count things: half a meal is a typing error."""


class DecisionRefused(BocageError):
    """What was sent is not a decision: no verdict, no reason, no amended value, or lines that were never shown."""

    code = "decision-incomplete"

    def __init__(self, message: str, field: str = "verdict") -> None:
        super().__init__(message)
        self.field = field
        """Which field of the form is at fault: verdict, valeur or motif; confirmer where the person may send the same again."""


class ToConfirm(DecisionRefused):
    """The amended value is far beyond all that was proposed: a typing error, or what is meant. Sent again with ``sure``, it is taken."""


class AlreadyDecided(BocageError):
    """Someone decided in the meantime; the newer decision is shown, nothing is overwritten."""

    code = "deja-decidee"


class NotADecider(BocageError):
    """The person may not decide in this organisation."""

    code = "droit-insuffisant"


def current_decision(proposal: Proposal) -> Decision | None:
    """The decision that holds for ``proposal``: the one that none replaces."""
    found: Decision | None = Decision.objects.filter(proposal=proposal, replaced_by__isnull=True).select_related("person").first()
    return found


def decide(
    proposal: Proposal,
    person: User,
    verdict: str,
    value: float | str | None = None,
    reason: str = "",
    seen: int | None = None,
    *,
    sure: bool = False,
) -> Decision:
    """Write the decision of ``person`` on ``proposal`` and its journal entry.

    ``seen`` is the id of the decision that the person saw (None: none yet); if another stands by now, ``AlreadyDecided`` says whose.
    Amending needs ``value`` and ``reason``, refusing needs ``reason``; accepting takes the proposed value. Raises ``DecisionRefused``;
    ``ToConfirm`` for a value far beyond all that was proposed, unless the person is ``sure``.
    """
    current = current_organisation_id()
    if proposal.organisation_id != current:
        raise OtherOrganisation(f"proposal of organisation {proposal.organisation_id} decided in the context of {current}")
    membership = _membership(person)
    reason = reason.strip()
    _check(proposal, verdict, value, reason, sure)
    leaving = {Verdict.ACCEPT: proposal.value, Verdict.AMEND: value, Verdict.REFUSE: proposal.reference}[Verdict(verdict)]
    try:
        with transaction.atomic():
            standing = current_decision(proposal)
            if (standing.pk if standing else None) != seen:
                raise AlreadyDecided(_taken(standing))
            return _write(proposal, person, membership.title, Verdict(verdict), leaving, reason, standing)
    except IntegrityError:
        # Two first decisions at the same instant: the constraint kept one; the other person sees it.
        raise AlreadyDecided(_taken(current_decision(proposal))) from None


def _write(
    proposal: Proposal,
    person: User,
    title: str,
    verdict: Decision.Verdict,
    value: float | str | None,
    reason: str,
    standing: Decision | None,
) -> Decision:
    """The decision and its journal entry; the caller holds the transaction."""
    decision = Decision(
        proposal=proposal, person=person, person_title=title, verdict=verdict, value=value, reason=reason, replaces=standing
    )
    decision.save(force_insert=True)
    if standing is None:
        Run.objects.filter(pk=proposal.run_id, undecided__gt=0).update(undecided=F("undecided") - 1)
    record(
        "decision.enregistree",
        person,
        decision=decision.pk,
        proposition=proposal.pk,
        execution=proposal.run_id,
        cas=proposal.run.usecase,
        sujet=name_of(proposal, year=True),
        verdict=verdict.value,
        propose=proposal.value,
        habituel=proposal.reference,
        decide=value,
        unite=proposal.unit,
        motif=reason,
        remplace=standing.pk if standing else None,
    )
    return decision


def decide_batch(proposals: Iterable[Proposal], person: User, verdict: str, reason: str = "") -> list[Decision]:
    """Accept or refuse several undecided proposals, all or none; each must have been displayed to ``person`` before."""
    chosen = list(proposals)
    if not chosen:
        raise DecisionRefused("Aucune ligne n’est cochée. Cochez celles que vous avez lues.")
    if verdict == Verdict.AMEND:
        raise DecisionRefused("Une modification se décide ligne par ligne : chaque valeur est différente.")
    shown = set(Displayed.objects.filter(person=person, proposal__in=chosen).values_list("proposal_id", flat=True))
    unread = [p.rank for p in chosen if p.pk not in shown]
    if unread:
        raise DecisionRefused(
            f"Les propositions {', '.join(map(str, unread[:10]))} ne vous ont pas encore été montrées. Affichez-les avant de décider."
        )
    with transaction.atomic():
        return [decide(proposal, person, verdict, reason=reason) for proposal in chosen]


def mark_displayed(proposals: Iterable[Proposal], person: User) -> None:
    """Keep that these proposals were shown to ``person``. Writes only what is new: reading a page again costs one query."""
    shown = list(proposals)
    known = set(Displayed.objects.filter(person=person, proposal__in=shown).values_list("proposal_id", flat=True))
    organisation_id = current_organisation_id()
    new = [Displayed(organisation_id=organisation_id, proposal=p, person=person) for p in shown if p.pk not in known]
    if new:
        Displayed.objects.bulk_create(new, ignore_conflicts=True, batch_size=500)


def others_present(run: Run, person: User, reading: Proposal | None = None) -> list[Presence]:
    """Say that ``person`` reads ``run`` now, and tell who else did within the last five minutes."""
    now = timezone.now()
    reading_id = reading.pk if reading else None
    mine = Presence.objects.filter(run=run, person=person).first()
    if mine is None or mine.proposal_id != reading_id or now - mine.seen_at > _FRESH:
        values = {"seen_at": now, "proposal": reading, "organisation_id": run.organisation_id}
        Presence.objects.update_or_create(run=run, person=person, defaults=values)
    others = Presence.objects.filter(run=run, seen_at__gte=now - _PRESENT).exclude(person=person)
    return list(others.select_related("person", "proposal").order_by("person__name", "pk"))


def _membership(person: User) -> Membership:
    organisation = Organisation.objects.get(pk=current_organisation_id())
    if Permission.DECIDER not in permissions_of(person, organisation):
        raise NotADecider("Cette décision est réservée aux décideurs de la collectivité. Demandez ce rôle à un administrateur.")
    found: Membership = Membership.objects.filter(user=person, role="decideur").get()
    return found


def _check(proposal: Proposal, verdict: str, value: float | str | None, reason: str, sure: bool) -> None:
    if verdict not in Verdict.values:
        raise DecisionRefused("Aucune réponse n’est choisie. Choisissez Accepter, Modifier ou Refuser.")
    if verdict == Verdict.AMEND:
        _check_value(proposal, value)
        _check_size(proposal, value)
    if verdict != Verdict.ACCEPT and len(reason) < 3:
        raise DecisionRefused("Le motif manque. Écrivez en quelques mots pourquoi ; il reste au journal.", "motif")
    if len(reason) > MAX_REASON:
        raise DecisionRefused(f"Le motif compte {len(reason)} caractères ; la limite est {MAX_REASON}. Raccourcissez-le.", "motif")
    # Last: what is asked to be confirmed must be a decision in all else.
    if verdict == Verdict.AMEND and not sure:
        _check_reach(proposal, value)


def _check_value(proposal: Proposal, value: float | str | None) -> None:
    if value is None or value == "":
        raise DecisionRefused("La valeur modifiée manque. Écrivez la valeur que vous retenez.", "valeur")
    if is_number(proposal.value) and not is_number(value):
        raise DecisionRefused(f"La valeur « {str(value)[:40]} » n’est pas un nombre. Écrivez par exemple 1240,5.", "valeur")
    if isinstance(value, str) and len(value) > _MAX_TEXT:
        raise DecisionRefused(f"La valeur compte {len(value)} caractères ; la limite est {_MAX_TEXT}. Raccourcissez-la.", "valeur")
    if value == proposal.value:
        raise DecisionRefused("La valeur modifiée est celle qui est proposée. Choisissez Accepter, ou écrivez une autre valeur.", "valeur")


def _check_size(proposal: Proposal, value: float | str | None) -> None:
    """Raise ``DecisionRefused`` for a negative or broken number of things that cannot be so."""
    known = list(_figures(proposal))
    if not known or not isinstance(value, (int, float)):
        return
    said = figure(value, proposal.unit)
    if value < 0 <= min(known):
        raise DecisionRefused(f"La valeur {said} est négative, alors que rien de ce qui est proposé ne l’est. Retirez le signe.", "valeur")
    if proposal.unit in _THINGS and not float(value).is_integer():
        low, high = number(math.floor(value)), number(math.ceil(value))
        raise DecisionRefused(f"La valeur {said} n’est pas entière, or on compte des {proposal.unit}. Écrivez {low} ou {high}.", "valeur")


def _check_reach(proposal: Proposal, value: float | str | None) -> None:
    known = list(_figures(proposal))
    if not known or not isinstance(value, (int, float)):
        return
    largest = max(abs(size) for size in known)
    if abs(value) > _FAR * largest:
        raise ToConfirm(
            f"Vous retenez {figure(value, proposal.unit)}, plus de dix fois ce qui est attendu ici "
            f"(au plus {figure(largest, proposal.unit)}). Si c’est bien cela, enregistrez à nouveau ; sinon, corrigez la valeur.",
            "confirmer",
        )


def _figures(proposal: Proposal) -> Iterator[float]:
    """What the proposal says of the size of its value: itself, its bounds, the usual method. Nothing where it proposes no number."""
    if is_number(proposal.value):
        yield from (float(x) for x in (proposal.value, proposal.low, proposal.high, proposal.reference) if is_number(x))


def is_number(value: object) -> bool:
    """Whether ``value`` is a finite number (JSON has no other)."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _taken(standing: Decision | None) -> str:
    if standing is None:
        return "Cette proposition a changé pendant votre lecture. Relisez-la avant de décider."
    said = standing.get_verdict_display().lower()
    return f"{standing.person.name} a décidé entre-temps : {said}. Votre réponse n’est pas enregistrée ; relisez la proposition."
