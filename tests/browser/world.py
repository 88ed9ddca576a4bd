"""A portal worth looking at: a real server on a fresh database, four people, finished runs, decisions, an evaluation, a register."""

from __future__ import annotations

import http.client
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers import Server, server, wait_until

ORGANISATION = "pays-de-brenoux"
SLUG = "essai_tableau"
HEADER = "jour;secteur;volume\n"
LINES = HEADER + "".join(f"2026-01-{d:02d};{s};{v + d},5\n" for d in range(1, 22) for s, v in (("Nord", 100), ("Sud", 50), ("Bourg", 310)))
WRONG = HEADER + "2026-01-01;Nord;101,5\n2026-13-01;Nord;12,4O\n;Sud;3\n"
TRUTH = HEADER + "".join(f"2026-01-{d};Nord;{118 + d % 3}\n2026-01-{d};Sud;66\n2026-01-{d};Bourg;320\n" for d in range(22, 29))

# A citizen's conversation with every kind of answer, a request in its queue, one held, an agent's question, a pair to review.
_TALKS = """
    talk = conversations.begin(Audience.CITIZENS)
    for question in ("Déchetterie ouverte samedi ?", "hors sujet", "carte grise de mon vendeur", "logement : qui paie la chaudière ?"):
        conversations.ask(talk, question, answer)
    waiting = conversations.begin(Audience.CITIZENS)
    conversations.ask(waiting, "Bonjour, mon permis de construire attend depuis trois mois", answer)
    conversations.request_person(waiting, "urbanisme")
    Handover.objects.filter(conversation=waiting).update(due_at=timezone.now() - timedelta(minutes=50))
    conversations.request_person(conversations.begin(Audience.CITIZENS))
    held = conversations.begin(Audience.CITIZENS)
    conversations.ask(held, "je veux parler à quelqu’un de ma facture d’eau", answer)
    inbox.take(held, people[Role.DECIDEUR])
    inbox.write(held, people[Role.DECIDEUR], "Bonjour, je regarde votre facture et je reviens vers vous.")
    mine = conversations.begin(Audience.COUNTER, person=people[Role.DECIDEUR])
    conversations.ask(mine, "carte grise d’occasion", answer)
    bad = Message.objects.get(conversation=waiting, author="machine")
    pair = curation.not_good(bad, people[Role.AGENT], "hors-sujet", "Le service Urbanisme répond en deux mois.", "Service Urbanisme")
    print(talk.secret, waiting.pk, held.pk, held.secret, mine.pk, pair.pk)
"""
_SEED = """
from datetime import timedelta
from django.utils import timezone
from bocage.assistant import conversations, curation, inbox
from bocage.assistant.documents import Audience
from bocage.assistant.models import Handover, Message
from tests.assistant.standin import answer
from pathlib import Path
from bocage.cli import story
from bocage.decisions import services
from bocage.decisions.decide import decide
from bocage.decisions.models import Proposal
from bocage.deposits.services import deposit_file
from bocage.journal.services import publish_anchor
from bocage.organisations.membership import Role
from bocage.organisations.services import ensure_organisation
from bocage.organisations.tenancy import organisation_context
from bocage.register.evaluation import evaluate_run

owner = ensure_organisation("Pays de Brenoux", "epci")
ensure_organisation("Marsanne")
with organisation_context(owner):
    people = story.settle(owner, {slug!r})
    deposit = deposit_file(Path({lines!r}), {slug!r}, "volumes", people[Role.AGENT], licence="Licence Ouverte 2.0")
    for number in range(3):
        run = services.create_run({slug!r}, {{"volumes": deposit}}, {{"coefficient": 1 + number / 20}}, person=people[Role.AGENT])
        run = services.perform_run(owner, run.pk)
        assert run.state == "terminee", run.error_message
        if number < 2:
            for proposal in Proposal.objects.filter(run=run):
                verdict = ("acceptee", "modifiee", "refusee")[proposal.rank % 3]
                value = 99.5 if verdict == "modifiee" else None
                decide(proposal, people[Role.DECIDEUR], verdict, value, "" if verdict == "acceptee" else "Travaux dans le secteur.")
            evaluate_run(run, {{"mesures": Path({truth!r})}}, people[Role.AGENT])
    broken = deposit_file(Path({wrong!r}), {slug!r}, "volumes", people[Role.AGENT])
    failed = services.perform_run(owner, services.create_run({slug!r}, {{}}, person=people[Role.AGENT]).pk)
    assert failed.state == "echouee"
    publish_anchor()
    print(run.pk, failed.pk, deposit.pk, broken.pk)
{talks}
"""


@dataclass(frozen=True)
class World:
    """Where the portal answers, and the rows to look at."""

    server: Server
    port: int
    pid: int
    run: int
    failed: int
    deposit: int
    broken: int
    files: Path
    key: str = ""
    waiting: int = 0
    held: int = 0
    held_key: str = ""
    talk: int = 0
    pair: int = 0

    @property
    def url(self) -> str:
        """Root of the portal."""
        return f"http://127.0.0.1:{self.port}"

    def page(self, path: str = "") -> str:
        """Address of a page of the organisation."""
        return f"{self.url}/{ORGANISATION}/{path}"


@contextmanager
def world(home: Path) -> Iterator[World]:
    """Seed a fresh database, serve it on the loopback with a worker, and stop both at the end."""
    files = {"lines": home / "volumes.csv", "wrong": home / "volumes_faux.csv", "truth": home / "mesures.csv"}
    home.mkdir(parents=True, exist_ok=True)
    for name, content in (("lines", LINES), ("wrong", WRONG), ("truth", TRUTH)):
        files[name].write_text(content, encoding="utf-8")
    with server(home) as own:
        own.environ["BOCAGE_DEMO"] = "1"
        own.bocage("migrate", check=True)
        # The answering engine is replaced by the stand-in of the tests: what a page shows must not depend on what is indexed here.
        own.environ["DJANGO_SETTINGS_MODULE"] = "tests.assistant.settings"
        seeded = own.python(_SEED.format(slug=SLUG, talks=_TALKS.strip("\n"), **{name: str(path) for name, path in files.items()})).split()
        run, failed, deposit, broken = map(int, seeded[:4])
        key, held_key = seeded[4], seeded[7]
        waiting, held, talk, pair = (int(seeded[n]) for n in (5, 6, 8, 9))
        port = _free_port()
        process = own.start("serve", "--port", str(port))
        try:
            wait_until(lambda: _answers(port), "the portal answers")
            yield World(own, port, process.pid, run, failed, deposit, broken, home, key, waiting, held, held_key, talk, pair)
        finally:
            process.terminate()
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()


def pages(of: World) -> dict[str, tuple[str, str]]:
    """Name → (who reads it: « public », « decideur », « dpo » or « administrateur »; path under the organisation)."""
    return {
        "home": ("public", ""),
        "register": ("public", "registre/"),
        "register_entry": ("public", f"registre/{SLUG}/"),
        "accessibility": ("public", "accessibilite/"),
        "privacy": ("public", "donnees-personnelles/"),
        "legal": ("public", "mentions-legales/"),
        "guide": ("public", "aide/"),
        "guide_deposit": ("public", "aide/deposer/"),
        "guide_roles": ("public", "aide/administrer/"),
        "guide_words": ("public", "aide/mots/"),
        "assistant": ("public", "assistant/"),
        "assistant_talk": ("public", f"assistant/{of.key}/"),
        "assistant_held": ("public", f"assistant/{of.held_key}/"),
        "inbox": ("decideur", "boite/"),
        "inbox_waiting": ("decideur", f"boite/{of.waiting}/"),
        "inbox_held": ("decideur", f"boite/{of.held}/"),
        "inbox_pairs": ("decideur", "boite/reponses/"),
        "inbox_pair": ("decideur", f"boite/reponses/{of.pair}/"),
        "agent_questions": ("decideur", "assistant-agents/"),
        "agent_talk": ("decideur", f"assistant-agents/{of.talk}/"),
        "assistant_settings": ("administrateur", "reglages/assistant/"),
        "catalogue": ("decideur", "cas-d-usage/"),
        "usecase": ("decideur", f"cas-d-usage/{SLUG}/"),
        "deposits": ("decideur", "depots/"),
        "deposit": ("decideur", f"depots/{of.deposit}/"),
        "runs": ("decideur", "executions/"),
        "run": ("decideur", f"executions/{of.run}/"),
        "run_failed": ("decideur", f"executions/{of.failed}/"),
        "to_decide": ("decideur", "a-decider/"),
        "proposals": ("decideur", f"executions/{of.run}/propositions/"),
        "proposals_batch": ("decideur", f"executions/{of.run}/propositions/?lot=1"),
        "truth": ("decideur", f"executions/{of.run}/realite/"),
        "journal": ("dpo", "journal/"),
        "publish": ("dpo", f"registre/{SLUG}/publier/"),
        "members": ("administrateur", "membres/"),
        "settings": ("administrateur", "reglages/"),
        "tokens": ("administrateur", "jetons/"),
        "error_403": ("decideur", "reglages/"),
        "error_404": ("decideur", "rien/"),
    }


EMAILS = {
    "decideur": "nadia.legoff@brenoux.example",
    "agent": "hugo.marchand@brenoux.example",
    "dpo": "samira.benali@brenoux.example",
    "administrateur": "yann.perrin@brenoux.example",
}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status in (200, 302)
    except OSError:
        return False
    finally:
        connection.close()
