"""No page, whatever its address, the role or the method, shows or changes anything of another organisation.

The addresses are read from the server itself: a new page is walked without being named here, and one whose parameters this test cannot
fill fails it. Two organisations: Brenoux, to which the visitor belongs (or to none), and Marsanne, whose rows carry marks that nobody else
may read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from django.apps import apps
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from bocage.api.models import Scope
from bocage.api.tokens import make_token
from bocage.assistant import configuration
from bocage.assistant.answer_types import Answer, Kind
from bocage.assistant.documents import Audience
from bocage.assistant.models import Conversation, CuratedPair, Feedback, Handover, Message, OutgoingMail
from bocage.contract import discovery
from bocage.decisions.models import Decision, Displayed, Presence, Proposal, RoleResult, Run, RunInput
from bocage.deposits.models import Deposit
from bocage.journal.services import record
from bocage.organisations.membership import Membership, Permission, Role
from bocage.organisations.models import Organisation, User
from bocage.organisations.services import ensure_organisation
from bocage.organisations.tenancy import TenantModel, across, organisation_context
from bocage.register.models import Evaluation, Publication

pytestmark = pytest.mark.django_db

USECASE = "essai_tableau"
CONTENT, PERSON = "MARQUE-CONTENU-7431", "MARQUE-PERSONNE-9020"
PUBLIC = {"brand", "logo"}
# Whoever holds the key of a conversation reads it, from anywhere: it is the address itself that is the secret (test_assistant.py).
BY_KEY = {"assistant_talk", "widget_talk"}
PERSONAL = {"root", "sign_in", "sign_out", "password", "demo_sign_in", "oidc_authentication_init", "oidc_authentication_callback"}
SITE = "https://www.brenoux.example"
VISITORS = ["anonyme", *Role.values, "syndicat", "jeton"]


@dataclass(frozen=True)
class Address:
    """One address of the server."""

    route: str
    name: str
    params: tuple[str, ...]
    permission: object


def addresses() -> list[Address]:
    """Every address, in the order of the server."""

    def walk(resolver: URLResolver, route: str, params: tuple[str, ...]) -> Iterator[Address]:
        for pattern in resolver.url_patterns:
            here, names = route + str(pattern.pattern), (*params, *pattern.pattern.converters)
            if isinstance(pattern, URLPattern):
                yield Address(here, pattern.name or "", names, getattr(pattern.callback, "permission", "unsaid"))
            else:
                yield from walk(pattern, here, names)

    return list(walk(get_resolver(), "/", ()))


@pytest.fixture(autouse=True)
def usecases(monkeypatch) -> Iterator[None]:
    monkeypatch.setenv("BOCAGE_USECASES_PATH", str(Path(__file__).parents[1] / "execution" / "usecases"))
    discovery.clear()
    yield
    discovery.clear()


def fill(owner: Organisation, mark: str, person_mark: str) -> dict[str, object]:
    """One row of everything in ``owner``, with its marks; returns what fills the parameters of addresses."""
    with organisation_context(owner), transaction.atomic():
        person = User.objects.create(email=f"{person_mark.lower()}@marsanne.example", name=f"Paule {person_mark}", password="!")
        membership_id = Membership.objects.create(user=person, role=Role.ADMINISTRATEUR, title=f"{person_mark} maire").pk
        Membership.objects.create(user=person, role=Role.DECIDEUR)
        deposit = Deposit.objects.create(
            usecase=USECASE,
            input_name="mesures",
            filename=f"{mark}.csv",
            sha256="0" * 64,
            size=4,
            deposited_by=person,
            licence=mark,
            report={"note": mark},
        )
        deposit.path.parent.mkdir(parents=True, exist_ok=True)
        deposit.path.write_text(f"{mark};1\n", encoding="utf-8")
        run = fill_run(person, mark, deposit)
        proposal, decision = fill_decisions(run, person, mark)
        record("essai.marque", person, marque=mark)
        token, _ = make_token(mark, Scope.values, person)
        assistant = fill_assistant(person, mark)
    return {
        "organisation": owner.slug,
        "slug": USECASE,
        "input_name": "volumes",
        "kind": "csv",
        "rank": 1,
        "run_id": run.pk,
        "deposit_id": deposit.pk,
        "proposal_id": proposal.pk,
        "decision_id": decision.pk,
        "membership_id": membership_id,
        "person_id": person.pk,
        "token_id": token.pk,
        **assistant,
    }


def fill_run(person: User, mark: str, deposit: Deposit) -> Run:
    """A finished run of two proposals, of which one is to decide."""
    run = Run.objects.create(
        usecase=USECASE, state=Run.State.DONE, proposed=2, undecided=1, requested_by=person, finished_at=timezone.now(),
        progress_message=mark, error_message=mark,
    )  # fmt: skip
    RunInput.objects.create(run=run, name="mesures", deposit=deposit)
    for role in RoleResult.Role.values:
        RoleResult.objects.create(
            run=run, role=role, outcome={"recommendations": [], "artifacts": []}, seconds=1, joules=1, joules_low=1, joules_high=2,
            energy_method="cpu", cpu_seconds=1, peak_mb=1,
        )  # fmt: skip
    return run


def fill_assistant(person: User, mark: str) -> dict[str, object]:
    """An assistant in service, a request that a person holds, an agent's own question, a pair to review."""
    configuration.change(person, list(Audience), 30, 60, [{"name": "Accueil"}], [SITE])
    now = timezone.now()
    talk = Conversation.objects.create(
        audience="citoyens", state="humain", service="accueil", held_by=person, contact=mark, last_at=now, state_at=now
    )
    said = Message.objects.create(conversation=talk, author="citoyen", text=mark)
    answer = Answer(Kind.REFUSAL, reason=mark).to_json()
    machine = Message.objects.create(conversation=talk, author="machine", kind="refus", text=mark, answer=answer, reply_to=said)
    request = Handover.objects.create(conversation=talk, service="accueil", requested_at=now, taken_by=person)
    OutgoingMail.objects.create(handover=request, recipient=mark, subject=mark, body=mark, error=mark)
    Feedback.objects.create(message=machine, person=person, good=False, reason=mark)
    pair = CuratedPair.objects.create(audience="citoyens", question=mark, answer=mark, source_title=mark, proposed_by=person)
    return {"conversation_id": talk.pk, "pair_id": pair.pk, "message_id": machine.pk, "key": talk.secret}


def fill_decisions(run: Run, person: User, mark: str) -> tuple[Proposal, Decision]:
    """A proposal to decide, another decided, and what surrounds them."""
    proposal = Proposal.objects.create(
        run=run, rank=1, subject=mark, action=mark, sentence=f"{mark} à décider", value=12.0, unit="m³", evidence={"cause": mark}
    )
    decided = Proposal.objects.create(run=run, rank=2, subject=mark, action=mark, sentence=mark, value=3.0)
    decision = Decision.objects.create(proposal=decided, person=person, person_title=mark, verdict="refusee", value=1, reason=mark)
    Displayed.objects.create(proposal=proposal, person=person)
    Presence.objects.create(run=run, person=person, seen_at=timezone.now())
    Publication.objects.create(usecase=USECASE, since=date(2026, 11, 1))
    Evaluation.objects.create(run=run, truth_sha256="1" * 64, evaluated_by=person)
    return proposal, decision


def sent(values: dict[str, object]) -> dict[str, object]:
    """What a forger would send to any form: the numbers of the other organisation under every name that a form uses."""
    numbers = {name.removesuffix("_id"): value for name, value in values.items() if name.endswith("_id")}
    plural = {f"{name}s": value for name, value in numbers.items()}
    french = {"depot": numbers["deposit"], "execution": numbers["run"], "proposition": numbers["proposal"], "mesures": numbers["deposit"]}
    said = {
        "verdict": "refusee",
        "reason": "Motif donné",
        "action": "retirer",
        "title": "Intrus",
        "seen": "",
        "email": "intrus@brenoux.example",
    }
    return {
        **values,
        **numbers,
        **plural,
        **french,
        **said,
        "name": "Intrus",
        "role": "lecteur",
        "form": "identite",
        "status": "service",
        "rank": 1,
    }


def body(response) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


def rows(owner: Organisation) -> dict[str, list]:
    """Every row of ``owner``, to see whether one changed."""
    with across():
        return {
            model.__name__: sorted(map(repr, model.across_organisations.filter(organisation=owner).values()))
            for model in apps.get_models()
            if issubclass(model, TenantModel)
        } | {"Organisation": [repr(Organisation.objects.filter(pk=owner.pk).values())]}


@pytest.fixture
def world(brenoux) -> tuple[dict[str, object], dict[str, object], Organisation]:
    """Parameters of Brenoux's rows, those of Marsanne's, and Marsanne."""
    marsanne = ensure_organisation("Marsanne")
    return fill(brenoux, "LISIBLE", "CONNUE"), fill(marsanne, CONTENT, PERSON), marsanne


@pytest.fixture
def visitor(request, world, brenoux) -> Client:
    """Signed in as nobody, as one role in Brenoux, or as an administrator of the syndicat that administers Marsanne."""
    client, who = Client(raise_request_exception=False), request.param
    if who == "anonyme":
        return client
    if who == "jeton":
        with organisation_context(brenoux):
            _, secret = make_token("Essai", Scope.values)
        return Client(raise_request_exception=False, headers={"authorization": f"Bearer {secret}"})
    user = User.objects.create(email=f"{who}@brenoux.example", name=f"Visiteur {who}", password="!")
    place = brenoux
    if who == "syndicat":
        place = ensure_organisation("Syndicat", "syndicat")
        Organisation.objects.filter(pk=world[2].pk).update(administered_by=place)
    with organisation_context(place):
        Membership.objects.create(user=user, role=Role.ADMINISTRATEUR if who == "syndicat" else who)
    client.force_login(user)
    return client


def url_of(address: Address, values: dict[str, object]) -> str:
    missing = set(address.params) - set(values)
    assert not missing, f"teach fill() of this test to give {missing}, which {address.route} asks for"
    route = address.route
    for pattern, value in values.items():
        for kind in ("slug:", "int:", "str:", ""):
            route = route.replace(f"<{kind}{pattern}>", str(value))
    assert "<" not in route, f"an address that this test cannot fill: {route}"
    return route


def visit(client: Client, url: str, values: dict[str, object]) -> Iterator[tuple[str, object]]:
    """The answers of ``url`` to a reading and to a form, both with forged numbers."""
    yield "GET", client.get(url, sent(values), headers={"Origin": SITE})
    yield "POST", client.post(url, sent(values), headers={"Origin": SITE})


@pytest.mark.parametrize("visitor", ["anonyme", *Role.values], indirect=True)
def test_the_pages_of_another_organisation_do_not_exist(visitor, world, request):
    """404 for a member of another; the sign-in page for a passer-by; public pages show neither contents nor people."""
    _, theirs, marsanne = world
    anonymous, before = "anonyme" in request.node.name, rows(marsanne)
    leaks = []
    for address in addresses():
        if not address.route.startswith("/<slug:organisation>/"):
            continue
        url = url_of(address, theirs)
        for method, response in visit(visitor, url, theirs):
            text = body(response)
            public = address.permission is None or address.name in PUBLIC
            if address.name in BY_KEY:
                continue
            # 422 is a public form that was not filled, 403 the widget on a site that nobody named.
            expected = {200, 403, 404, 405, 422} if public else {302, 405} if anonymous else {404, 405}
            if response.status_code not in expected or (response.status_code == 302 and not response.url.startswith("/connexion/")):
                leaks.append(f"{method} {url}: {response.status_code}")
            if CONTENT.encode() in text or PERSON.encode() in text:
                leaks.append(f"{method} {url}: shows a mark")
    assert not leaks
    assert rows(marsanne) == before


@pytest.mark.parametrize("visitor", VISITORS, indirect=True)
def test_numbers_of_another_organisation_open_nothing_in_ones_own(visitor, world):
    """/brenoux/ with Marsanne's run, deposit, decision, member… in the address and in the form: nothing is found, nothing is changed."""
    mine, theirs, marsanne = world
    before, leaks = rows(marsanne), []
    for address in addresses():
        if address.name in ("sign_out", "oidc_authentication_init"):
            continue
        forged = {**theirs, "organisation": mine["organisation"]}
        url = url_of(address, forged)
        numbered = any(name.endswith("_id") for name in address.params)
        for method, response in visit(visitor, url, forged):
            text = body(response)
            if CONTENT.encode() in text or PERSON.encode() in text:
                leaks.append(f"{method} {url}: shows a mark")
            if response.status_code >= 500 and address.name not in PERSONAL:
                leaks.append(f"{method} {url}: {response.status_code}")
            if address.name in BY_KEY and response.status_code not in (403, 404):
                leaks.append(f"{method} {url}: {response.status_code} for the key of another organisation")
            if numbered and response.status_code < 300:
                leaks.append(f"{method} {url}: {response.status_code} for a number of another organisation")
    assert not leaks
    assert rows(marsanne) == before


@pytest.mark.parametrize("visitor", ["syndicat"], indirect=True)
def test_a_syndicat_sees_the_members_of_a_commune_and_nothing_of_its_contents(visitor, world):
    _, theirs, marsanne = world
    leaks = []
    for address in addresses():
        if not address.route.startswith("/<slug:organisation>/"):
            continue
        if address.name in BY_KEY:
            continue
        url = url_of(address, theirs)
        response = visitor.get(url, sent(theirs))
        if CONTENT.encode() in body(response):
            leaks.append(f"{url}: shows contents")
        if address.permission not in (None, "administrer") and address.name not in PUBLIC and response.status_code not in (403, 404, 405):
            leaks.append(f"{url}: {response.status_code}")
    assert not leaks
    assert PERSON in visitor.get(f"/{marsanne.slug}/membres/").content.decode()
    refused = visitor.get(f"/{marsanne.slug}/executions/")
    assert refused.status_code == 403
    assert "réservée au rôle" in refused.content.decode()


def test_the_marks_are_really_there(world):
    """The walk would prove nothing if its marks were shown to nobody."""
    _, theirs, marsanne = world
    client = Client()
    client.force_login(User.objects.get(pk=theirs["person_id"]))
    assert PERSON in client.get(f"/{marsanne.slug}/membres/").content.decode()
    assert CONTENT in client.get(f"/{marsanne.slug}/executions/{theirs['run_id']}/propositions/").content.decode()


def test_what_asks_for_a_permission_is_kept_by_no_cache(world):
    """Pages and files: neither a proxy nor the « back » of a shared computer shows them again."""
    _, theirs, marsanne = world
    client = Client()
    client.force_login(User.objects.get(pk=theirs["person_id"]))
    asked = [each for each in addresses() if isinstance(each.permission, Permission)]
    answers = {url: client.get(url) for url in (url_of(each, theirs) for each in asked)}
    kept = [url for url, answer in answers.items() if answer.status_code == 200 and "no-store" not in answer["Cache-Control"]]
    assert not kept
    assert answers[f"/{marsanne.slug}/depots/{theirs['deposit_id']}/fichier/"]["Cache-Control"] == "private, no-store"
    assert sum(answer.status_code == 200 for answer in answers.values()) > 10
