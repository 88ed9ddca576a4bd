"""What the demonstration organisation has lived: its people, its published use case, a few weeks of runs, decisions and evaluations.

The territory is fictitious and says so; the measures of the runs are real. Playing the story twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bocage.assistant import configuration
from bocage.assistant.documents import Audience
from bocage.assistant.models import AssistantSettings
from bocage.contract import discovery
from bocage.decisions import services
from bocage.decisions.decide import decide, mark_displayed
from bocage.decisions.models import Decision, Proposal, Run
from bocage.deposits.services import deposit_file
from bocage.organisations import people
from bocage.organisations.membership import Membership, Role
from bocage.organisations.models import Organisation, User
from bocage.register import services as register
from bocage.register.evaluation import evaluate_run
from bocage.register.models import Publication

PEOPLE = (
    ("nadia.legoff@brenoux.example", "Nadia Le Goff", Role.DECIDEUR, "cheffe du service Eau"),
    ("hugo.marchand@brenoux.example", "Hugo Marchand", Role.AGENT, "responsable d’exploitation"),
    ("samira.benali@brenoux.example", "Samira Benali", Role.DPO, "déléguée à la protection des données"),
    ("yann.perrin@brenoux.example", "Yann Perrin", Role.ADMINISTRATEUR, "responsable informatique"),
)
DECIDER = "Nadia Le Goff, cheffe du service Eau"

Progress = Callable[[float, str], None]


def settle(owner: Organisation, slug: str, publish: bool = True) -> dict[Role, User]:
    """People, contact and, with ``publish``, publication of the demonstration, for the organisation in context. By role."""
    settled = {}
    for email, name, role, title in PEOPLE:
        person = User.objects.filter(email=email).first() or people.create_person(email, name)
        if not Membership.objects.filter(user=person, role=role).exists():
            people.grant(person, role, title)
        settled[role] = person
    if not owner.contact:
        owner.contact = "Accueil de la communauté de communes, 02 61 91 40 12, du lundi au vendredi, de 9 h à 17 h"
        owner.save()
    if not AssistantSettings.objects.exists():
        services = [
            {"name": "Accueil", "email": "accueil@brenoux.example", "hours": "lundi au vendredi 9 h-12 h, 14 h-17 h ; samedi 9 h-12 h"},
            {"name": "Urbanisme", "email": "urbanisme@brenoux.example", "hours": "lundi, mardi, jeudi 9 h-12 h"},
        ]
        configuration.change(settled[Role.ADMINISTRATEUR], list(Audience), 30, 60, services, [])
    if publish and not Publication.objects.filter(usecase=slug).exists():
        register.publish(slug, Publication.Status.ON, DECIDER, settled[Role.ADMINISTRATEUR])
    return settled


def play_week(owner: Organisation, slug: str, demo: discovery.DemoFiles, person: User, progress: Progress) -> Run:
    """The run of one week on the demonstration's files; the finished run of the same files is taken again."""
    deposits = {name: deposit_file(path, slug, name, person, licence=demo.licence) for name, path in demo.inputs.items()}
    for run in Run.objects.filter(usecase=slug, state=Run.State.DONE):
        if {link.deposit_id for link in run.inputs.all()} == {deposit.pk for deposit in deposits.values()}:
            return run
    run = services.create_run(slug, deposits, demo.params, person=person)
    return services.perform_run(owner, run.pk, progress)


def decide_week(run: Run, decider: User) -> None:
    """Decisions on a past week: most accepted, some amended or refused, each of these with its reason."""
    proposals = [p for p in Proposal.objects.filter(run=run) if not Decision.objects.filter(proposal=p).exists()]
    mark_displayed(proposals, decider)
    for proposal in proposals:
        if proposal.rank % 12 == 5 and isinstance(proposal.value, (int, float)):
            kept = round(proposal.value * 1.02, 1)
            decide(proposal, decider, Decision.Verdict.AMEND, kept, "Deux pour cent de plus : un réservoir est à remplir.")
        elif proposal.rank % 12 == 9:
            decide(
                proposal,
                decider,
                Decision.Verdict.REFUSE,
                reason="Travaux sur le secteur ce jour-là : nous gardons la consigne habituelle.",
            )
        else:
            decide(proposal, decider, Decision.Verdict.ACCEPT)


def play_past_weeks(owner: Organisation, slug: str, folder: Path, weeks: int, progress: Progress) -> None:
    """The weeks before the last, oldest first: run, decisions, then what really happened."""
    write = discovery.load_demo(slug)
    settled = settle(owner, slug)
    for number in range(weeks, 0, -1):
        demo = write(folder, number) if write else None
        if demo is None or number > demo.earlier:
            continue
        run = play_week(owner, slug, demo, settled[Role.AGENT], progress)
        if run.state == Run.State.DONE:
            decide_week(run, settled[Role.DECIDEUR])
            evaluate_run(run, demo.truth, settled[Role.AGENT])


def play_examples(owner: Organisation, besides: str, person: User, progress: Progress) -> None:
    """One run of every other use case on the example that it carries, left to decide: a visitor sees what each one proposes."""
    for slug in discovery.slugs():
        demo = discovery.example(slug)
        if slug != besides and demo is not None:
            play_week(owner, slug, demo, person, progress)
